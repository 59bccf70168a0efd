"""The optimizer lesson: its settings, its player, and what is measured beside it."""

from dataclasses import dataclass, replace
from typing import Any

import jax
import streamlit as st

from statecore import line, optimizer, training
from statecore.history import History
from statecore.optimizer import State
from statecore.training import Rates
from stateui import lesson, share, show, source, visits
from stateui.figures import optimizer as figures
from stateui.parts.optimizer_show import Runs, differences, optimizer_show
from stateui.player import player
from stateui.player.spec import Fork
from stateui.trees import tree

LOW_RATE, HIGH_RATE = 0.003, 1.0
RATES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""The rates at which the cost of forgetting is measured."""
TARGETS = (1.0, 0.1, 0.01, 0.001)
"""How near to the smallest loss a run has to come."""
_FORKS = visits.Forks(last=max(optimizer.STEPS), low=LOW_RATE, high=HIGH_RATE, most=7)

SETTINGS = {
    "seed": share.whole(42, 0, 2**32 - 1),
    "learning_rate": share.real(optimizer.LEARNING_RATE, LOW_RATE, HIGH_RATE),
    "steps": share.choice(300, optimizer.STEPS),
    "offset": share.real(2.0, 0.0, 4.0),
    "noise": share.real(0.5, 0.0, 5.0),
    "keep": share.choice(True, (True, False)),
    "forks": _FORKS.setting,
    "step": share.whole(0, 0, max(optimizer.STEPS)),
}
_OF_THE_DATA = ("seed", "steps", "offset", "noise")


@dataclass(frozen=True)
class Visit:
    """This visitor's runs.

    Attributes:
      asked: the settings they were made from, but for the step.
      runs: the runs shown.
      start: the step at which the player opens.
      before: the threaded run before the last change of its rates, on the same data.
      note: what of the address could not be shown, in words.
    """

    asked: dict[str, Any]
    runs: Runs
    start: int
    before: History[State] | None = None
    note: str = ""


def controls() -> None:
    """The settings of the data and the run. The learning rate is the player's own."""
    share.read("optimizer", SETTINGS)
    with st.container(key="settings", horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Steps", optimizer.STEPS, key="optimizer_steps", format_func="{:,}".format, width=110)
        with st.popover("Data", width=110):
            st.slider(
                "Mean of the inputs",
                0.0,
                4.0,
                step=0.5,
                key="optimizer_offset",
                help="At 0 the loss surface is nearly round",
            )
            st.slider("Noise (standard deviation)", 0.0, 5.0, step=0.1, key="optimizer_noise")
            st.number_input("Seed", 0, 2**32 - 1, key="optimizer_seed", help="The random key is made from it")
        st.button("Restart", key="restart", on_click=_restart, help="Back to the first rate, without forks")
        st.toggle(
            "A fork keeps the optimizer’s state",
            key="optimizer_keep",
            help="Off: it goes on as from a checkpoint that holds the params only",
        )


@st.fragment
def stage() -> None:
    """The player with both sides and the race, and every state as it is where the player rests."""
    forked, judged = (st.session_state.pop(f"optimizer:{reason}", False) for reason in ("rerun", "judge"))
    if forked or judged:
        st.rerun()
    visit = _visit()
    if "optimizer_player" not in st.session_state:
        visit = _store(replace(visit, start=min(st.session_state["optimizer_step"], _last(visit))))
    if visit.note:
        st.info(visit.note, icon=":material/info:")
    shown = optimizer_show(visit.runs, visit.before, visit.start, _fork_control())
    player(shown, "optimizer_player", on_step=_rested, on_fork=_asked_fork)
    _at_rest(visit)
    share.keep("optimizer", SETTINGS)


@st.fragment
def cost() -> None:
    """Steps to a target at every rate, forgetful and threaded."""
    gap = st.pills(
        "The loss has to come this near to the smallest possible",
        TARGETS,
        key="optimizer_target",
        default=0.1,
        required=True,
        format_func=lambda gap: f"within {gap:g}",
    )
    visit: Visit = st.session_state["optimizer:visit"]
    data, steps = visit.runs.data, _last(visit)
    measured = _measured(visit)
    target = line.smallest_loss(data) + (gap or 0.1)
    needed = {key: [run.steps_to(target) for run in runs] for key, runs in measured.items()}
    lesson.chart(figures.cost(RATES, needed, steps), "optimizer_cost", figures.told(RATES, needed, steps))


def by_hand() -> None:
    """Adam written out, beside optax's on the run that is shown."""
    visit: Visit = st.session_state["optimizer:visit"]
    asked = visit.asked
    with st.spinner("Training with the Adam by hand"):
        mine = optimizer.run_through(
            _rates(asked), visit.runs.data, asked["steps"], optimizer.adam_by_hand, keep_opt_state=asked["keep"]
        )
    left, right = st.columns([3, 2])
    with left:
        st.html(source.lit(optimizer.adam_step))
    with right, st.container(key="by_hand", border=True, height="stretch"):
        st.markdown(f"The run above, trained once more with this code. After step {_last(visit):,}:")
        st.html(differences(mine, visit.runs.threaded))
        st.markdown("What is left is rounding: the same formula, evaluated in another order.")


def verdict() -> str | None:
    """What forgetting did, once the player has been moved: `no learning` or `almost right`."""
    visit: Visit | None = st.session_state.get("optimizer:visit")
    if visit is None or not st.session_state.get("optimizer_step"):
        return None
    losses = visit.runs.forgetful.loss
    return "almost right" if losses[-1] < losses[0] else "no learning"


# --- this visitor's runs -----------------------------------------------------------------------------


def _visit() -> Visit:
    """The visitor's runs, made again when a setting changed."""
    asked = {name: st.session_state[f"optimizer_{name}"] for name in SETTINGS if name != "step"}
    visit: Visit | None = st.session_state.get("optimizer:visit")
    if visit is not None and visit.asked == asked:
        return visit
    same_data = visit is not None and all(visit.asked[name] == asked[name] for name in _OF_THE_DATA)
    before = visit.runs.threaded if visit is not None and same_data and asked["forks"] else None
    with st.spinner("Training"):
        runs = _trained(asked, visit.runs if visit is not None and same_data else None)
    start, note = share.start("optimizer", asked["steps"])
    return _store(Visit(asked, runs, start, before, note))


def _trained(asked: dict[str, Any], old: Runs | None) -> Runs:
    data = old.data if old else optimizer.make_data(jax.random.key(asked["seed"]), asked["offset"], asked["noise"])
    rates, steps, keep = _rates(asked), asked["steps"], asked["keep"]
    race = {
        name: optimizer.run_through(rates, data, steps, rule, keep_opt_state=keep)
        for name, rule in optimizer.RULES.items()
    }
    return Runs(data, optimizer.run_through(rates, data, steps, forget=True), race)


def _rates(asked: dict[str, Any]) -> Rates:
    """The rate at the start and at every fork that the run is long enough for."""
    later = [(step, rate) for step, rate in _FORKS.pairs(asked["forks"]) if step <= asked["steps"]]
    return ((0, asked["learning_rate"]), *sorted(later))


def _measured(visit: Visit) -> dict[str, list[History[State]]]:
    """Both Adams at every rate, kept until the data change."""
    asked = tuple(visit.asked[name] for name in _OF_THE_DATA)
    kept = st.session_state.get("optimizer:measured")
    if kept is None or kept[0] != asked:
        runs = {
            key: [optimizer.run(optimizer.START, visit.runs.data, rate, _last(visit), forget=forget) for rate in RATES]
            for key, forget in (("broken", True), ("fixed", False))
        }
        kept = st.session_state["optimizer:measured"] = (asked, runs)
    return kept[1]


def _store(visit: Visit) -> Visit:
    st.session_state["optimizer:visit"] = visit
    return visit


def _last(visit: Visit) -> int:
    return len(visit.runs.forgetful) - 1


def _restart() -> None:
    st.session_state.update(optimizer_step=0, optimizer_forks="", optimizer_learning_rate=optimizer.LEARNING_RATE)
    st.session_state.pop("optimizer:visit", None)


def _rested() -> None:
    visits.rested("optimizer", verdict)


def _asked_fork() -> None:
    """Remember the fork; the whole page then runs again, since what is measured below depends on the rates."""
    asked, state = visits.asked("optimizer", _FORKS), st.session_state
    if asked.serial <= state.get("optimizer:serial", 0):
        return
    step = min(max(asked.step, 0), state["optimizer_steps"])
    rates = ((0, state["optimizer_learning_rate"]), *_FORKS.pairs(state["optimizer_forks"]))
    visits.remember_rates("optimizer", training.forked(rates, step, asked.rate))
    state.update({"optimizer:serial": asked.serial, "optimizer:rerun": True, "optimizer_step": step})


def _fork_control() -> Fork:
    asked = st.session_state["optimizer:visit"].asked
    rates = _rates(asked)
    full = f"{len(rates) - 1} forks: Restart to fork again" if len(rates) > _FORKS.most else ""
    serial = st.session_state.get("optimizer:serial", 0)
    hint = "turn it while it plays: all runs fork there"
    return Fork("learning rate", LOW_RATE, HIGH_RATE, rates[-1][1], serial, hint=hint, full=full)


# --- what is shown -----------------------------------------------------------------------------------


def _at_rest(visit: Visit) -> None:
    runs, step = visit.runs, min(st.session_state["optimizer_step"], _last(visit))
    rate = [rate for start, rate in _rates(visit.asked) if start <= step][-1]
    with st.container(key="rest"):
        st.markdown(
            f'<span class="at" data-step="{step}">step {step}</span> at rate {rate:g}: '
            f"forgetful loss **{show.number(float(runs.forgetful.loss[step]))}**, "
            f"threaded loss **{show.number(float(runs.threaded.loss[step]))}**, "
            f"smallest possible {show.number(line.smallest_loss(runs.data))}.",
            unsafe_allow_html=True,
        )
        _diverged(visit)
    lesson.heading("What each of them remembers", "state")
    st.markdown(
        "An optimizer’s state is a pytree beside the params. SGD has none; momentum keeps a running sum of the "
        "gradients that the library optax calls `trace`; Adam keeps running means of them (`mu`) and of their "
        "squares (`nu`). Step on, and watch the values move: the forgetful Adam makes such a tree at every step, "
        "and throws it away."
    )
    with st.container(key="trees"):
        for column, (name, run) in zip(st.columns(len(runs.race)), runs.race.items(), strict=True):
            with column, st.container(border=True, height="stretch"):
                _tree(name, run, step)


def _tree(name: str, run: History[State], step: int) -> None:
    state = run[step]
    memory, params = (show.size(part) for part in (state.opt_state, state.params))
    st.html(f'<h3 class="role">{name}</h3>' + tree(state))
    st.caption(
        f"Step {step:,}: {memory} number{'' if memory == 1 else 's'} of memory beside {params} params. "
        f"Loss {show.number(float(run.loss[step]))}."
    )


def _diverged(visit: Visit) -> None:
    """Say which of the runs left the finite numbers, and the limit that plain SGD has."""
    left = {name: run.first_not_finite for name, run in visit.runs.race.items()}
    lost = [f"{name} left the numbers float32 can hold at step {at:,}" for name, at in left.items() if at is not None]
    if lost:
        limit = line.largest_stable_rate(visit.runs.data)
        st.warning(
            f"{'; '.join(lost)}. On this data plain SGD diverges above the rate 2/λmax = {show.number(limit)}, where "
            "λmax is the largest curvature of the loss.",
            icon=":material/trending_up:",
        )
