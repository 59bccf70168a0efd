"""The regression lesson: its settings, its player, and the branches of its past."""

import inspect
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from statecore import regression, training
from statecore.lockstep import Lane
from statecore.training import Training
from stateui import progress, share, show
from stateui.parts.forks import Forks
from stateui.parts.regression_show import regression_show
from stateui.player import player
from stateui.player.spec import Fork

LOW_RATE, HIGH_RATE = 0.0005, 3.0
QUICK_WORK = 5_000_000
"""Points x steps below which no progress bar could be read."""


_FORKS = Forks(last=max(regression.STEPS), low=LOW_RATE, high=HIGH_RATE, most=training.MAX_BRANCHES - 1)

SETTINGS = {
    "seed": share.whole(42, 0, 2**32 - 1),
    "learning_rate": share.real(regression.LEARNING_RATE, LOW_RATE, HIGH_RATE),
    "steps": share.choice(1_000, regression.STEPS),
    "points": share.choice(128, regression.POINTS),
    "noise": share.real(0.5, 0.0, 5.0),
    "weight": share.real(2.0, -10.0, 10.0),
    "bias": share.real(-1.0, -10.0, 10.0),
    "exact": share.choice(False, (False, True)),
    "forks": _FORKS.setting,
    "step": share.whole(0, 0, max(regression.STEPS)),
}
_EXACT = {
    "seed": 42,
    "learning_rate": regression.LEARNING_RATE,
    "steps": 1_000,
    "points": 128,
    "noise": 0.5,
    "weight": 2.0,
    "bias": -1.0,
}


_OF_THE_PLAYER = {"step", "learning_rate", "forks"}
"""Settings that the player changes: they do not start a new run."""


@dataclass(frozen=True)
class Visit:
    """This visitor's training.

    Attributes:
      asked: the settings it was made from.
      training: the run with all its branches.
      serial: the last fork that was answered.
      start: the step at which the player opens.
      answer: what a replay found, in words.
      note: what of the address could not be shown, in words.
    """

    asked: tuple
    training: Training
    serial: int
    start: int
    answer: str = ""
    note: str = ""


def controls() -> None:
    """The settings of the data and the run. The learning rate is the player's own."""
    share.read("regression", SETTINGS)
    exact = st.session_state["regression_exact"]
    with st.container(key="settings", horizontal=True, vertical_alignment="bottom"):
        st.toggle(
            "Exactly the JAX page’s run",
            key="regression_exact",
            on_change=_chose_exact,
            help="Key 42 for data and params alike, 128 points, weight 2, bias −1, noise 0.5, rate 0.005",
        )
        st.selectbox(
            "Steps", regression.STEPS, key="regression_steps", disabled=exact, format_func=_thousands, width=110
        )
        st.selectbox(
            "Points", regression.POINTS, key="regression_points", disabled=exact, format_func=_thousands, width=130
        )
        with st.popover("Data", disabled=exact, width=110):
            st.number_input("Key", 0, 2**32 - 1, key="regression_seed", help="The seed of the random key")
            st.slider("Noise (standard deviation)", 0.0, 5.0, step=0.1, key="regression_noise")
            st.slider("True weight", -10.0, 10.0, step=0.1, key="regression_weight")
            st.slider("True bias", -10.0, 10.0, step=0.1, key="regression_bias")
        st.button("Restart", key="restart", on_click=_restart, help="Drop all branches and begin anew")
    st.caption(f"A run is at most {regression.MAX_WORK:,} points × steps.")


@st.fragment
def stage() -> None:
    """The player with both sides, and what the server knows when it rests."""
    if st.session_state.pop("regression:judge", False):
        st.rerun()
    visit = _visit()
    if visit is None:
        return
    if "regression_player" not in st.session_state:
        visit = _store(visit, start=min(st.session_state["regression_step"], visit.training.steps))
    visit = _answered(visit)
    if visit.note:
        st.info(visit.note, icon=":material/info:")
    truth = (st.session_state["regression_weight"], st.session_state["regression_bias"])
    shown = regression_show(visit.training, truth, visit.start, _fork_control(visit))
    player(shown, "regression_player", on_step=_rested, on_fork=_asked_fork)
    _at_rest(visit)
    share.keep("regression", SETTINGS)


def verdict() -> str | None:
    """What the broken trainer's loss did, once the player has been moved: `fall` or `stay flat`."""
    visit: Visit | None = st.session_state.get("regression:visit")
    if visit is None or not st.session_state.get("regression_step"):
        return None
    losses = visit.training.hidden[visit.training.timeline.current]
    return "fall" if losses[-1] < losses[0] else "stay flat"


def trainer(lane: Lane) -> Any:
    """The trainer behind a jitted method that has been called, or None before its first call."""
    return inspect.unwrap(lane.made).__self__ if lane.calls else None


# --- this visitor's training ------------------------------------------------------------------------


def _settings() -> dict[str, Any]:
    return {name: st.session_state[f"regression_{name}"] for name in SETTINGS}


def _visit() -> Visit | None:
    """The visitor's training, made anew when a setting changed; None when it would be too much work."""
    now = _settings()
    asked = tuple(value for name, value in now.items() if name not in _OF_THE_PLAYER)
    visit: Visit | None = st.session_state.get("regression:visit")
    if visit is not None and visit.asked == asked:
        return visit
    if now["points"] * now["steps"] > regression.MAX_WORK:
        st.warning(
            f"{now['points']:,} points × {now['steps']:,} steps is more than {regression.MAX_WORK:,}: "
            "choose fewer points or fewer steps.",
            icon=":material/info:",
        )
        return None
    keys = regression.page_keys if now["exact"] else regression.separate_keys
    data_key, params_key = keys(now["seed"])
    data = regression.make_data(data_key, now["points"], now["weight"], now["bias"], now["noise"])
    size, steps = now["points"] * now["steps"], now["steps"]
    made = _drive(training.begin(data, regression.init(params_key), now["learning_rate"], steps), "Training", size)
    for step, rate in _FORKS.pairs(now["forks"]):
        if step <= steps:
            made = _drive(training.fork(made, step, rate), "Forking", size)
    note = f"Step {now['step']:,} is past the end: this is the last of {steps:,} steps." if now["step"] > steps else ""
    start = st.session_state["regression_step"] = min(now["step"], steps)
    return _store(Visit(asked, made, visit.serial if visit else 0, start, note=note))


def _store(visit: Visit, **changes: Any) -> Visit:
    visit = replace(visit, **changes)
    st.session_state["regression:visit"] = visit
    return visit


def _drive(work, what: str, size: int):
    return progress.drive(work, what, on_cancel=_cancel, visible=size > QUICK_WORK)


def _cancel() -> None:
    """Back to the settings of the last finished run, or to the defaults."""
    st.session_state.pop("regression:fork", None)
    visit: Visit | None = st.session_state.get("regression:visit")
    names = [name for name in SETTINGS if name not in _OF_THE_PLAYER]
    values = visit.asked if visit else [SETTINGS[name].default for name in names]
    for name, value in zip(names, values, strict=True):
        st.session_state[f"regression_{name}"] = value


def _restart() -> None:
    visit: Visit | None = st.session_state.get("regression:visit")
    if visit is not None:
        _store(visit, asked=())
    st.session_state.update(regression_step=0, regression_forks="")


def _chose_exact() -> None:
    st.session_state["regression_forks"] = ""
    if st.session_state["regression_exact"]:
        for name, value in _EXACT.items():
            st.session_state[f"regression_{name}"] = value


def _rested() -> None:
    judged = verdict() is not None
    st.session_state["regression_step"] = int(st.session_state["regression_player"].step)
    # the prediction stands outside the fragment: judge it once, with a run of the whole page
    st.session_state["regression:judge"] = verdict() is not None and not judged


def _asked_fork() -> None:
    st.session_state["regression:fork"] = dict(st.session_state["regression_player"].fork)


def _answered(visit: Visit) -> Visit:
    """Do the fork or the replay that was asked for, if any."""
    asked = st.session_state.get("regression:fork")
    if not asked or asked["serial"] <= visit.serial:
        return visit
    work = visit.training.steps * visit.training.data.x.shape[0]
    serial, step = int(asked["serial"]), int(asked["step"])
    rate = min(max(float(asked["rate"]), LOW_RATE), HIGH_RATE)
    if visit.training.full or not 0 <= step <= visit.training.steps:
        return _store(visit, serial=serial)
    forked = _drive(training.fork(visit.training, step, rate), "Forking", work)
    st.session_state["regression_step"] = step
    _remember_rates(forked)
    return _store(visit, training=forked, serial=serial, answer="", note="")


def _remember_rates(run: Training) -> None:
    """Let the address say how the branch shown came about."""
    (_, first), *later = run.rates[run.timeline.current]
    st.session_state.update(regression_learning_rate=first, regression_forks=_FORKS.written(later))


def _fork_control(visit: Visit) -> Fork:
    full = f"{training.MAX_BRANCHES} branches: Restart to fork again" if visit.training.full else ""
    return Fork(
        "learning rate",
        LOW_RATE,
        HIGH_RATE,
        visit.training.learning_rate,
        visit.serial,
        hint="turn it while it plays: the run forks there",
        full=full,
    )


# --- what is shown -------------------------------------------------------------------------------------


def _at_rest(visit: Visit) -> None:
    run = visit.training
    step = min(st.session_state["regression_step"], run.steps)
    with st.container(key="rest"):
        st.markdown(
            f'<span class="at" data-step="{step}">step {step}</span> at rate {run.learning_rate:g}: '
            f"broken loss **{show.number(float(run.hidden[run.timeline.current][step]))}**, "
            f"fixed loss **{show.number(float(run.history.loss[step]))}**.",
            unsafe_allow_html=True,
        )
        _diverged(run)
        _branches(visit)


def _diverged(run: Training) -> None:
    """Say where the run left the finite numbers, and why."""
    at = run.history.first_not_finite
    largest = regression.largest_stable_rate(run.data)
    if run.learning_rate <= largest:
        return
    factor = regression.growth(run.data, run.learning_rate)
    left = (
        f"At step **{at}** it left the numbers float32 can hold." if at is not None else "It still fits into float32."
    )
    st.warning(
        f"This run diverges. {left} The rate {run.learning_rate:g} is above 2/λmax = {show.number(largest)} of this "
        f"data, so each step multiplies the error along the steepest direction by {show.number(factor)}.",
        icon=":material/trending_up:",
    )


def _branches(visit: Visit) -> None:
    """The branches by name, to go back to, and the proof that the past can be replayed."""
    run = visit.training
    labels = [branch.label for branch in run.timeline.branches]
    with st.container(horizontal=True, vertical_alignment="center", key="branches"):
        if len(labels) > 1:
            st.session_state["regression_branch"] = run.timeline.current
            st.selectbox(
                "Branch",
                range(len(labels)),
                format_func=lambda i: f"{i + 1}. {labels[i]}",
                key="regression_branch",
                on_change=_switch,
                label_visibility="collapsed",
                width=340,
            )
        if st.button(
            "Replay this branch", key="replay", help="Train it again from the first params and compare every bit"
        ):
            same = _drive(training.replay(run), "Replaying", run.steps * run.data.x.shape[0])
            verdict = "the same bits" if same else "different bits"
            visit = _store(visit, answer=f"Trained again from step 0: **{verdict}** at all {run.steps + 1:,} steps.")
        st.markdown(visit.answer or "A state is a value: from the same one, the same run follows.")


def _switch() -> None:
    visit: Visit = st.session_state["regression:visit"]
    switched = training.switch(visit.training, st.session_state["regression_branch"])
    _remember_rates(switched)
    _store(visit, training=switched, start=st.session_state["regression_step"], answer="")


def _thousands(number: int) -> str:
    return f"{number:,}"
