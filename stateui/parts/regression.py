"""The regression lesson: its settings, its player, and the branches of its past."""

import inspect
from typing import Any

import streamlit as st

from statecore import line, regression, training
from statecore.lockstep import Lane
from statecore.training import Training
from stateui import share, show
from stateui import visits as shared
from stateui.parts import regression_visit as visits
from stateui.parts.regression_show import regression_show
from stateui.parts.regression_visit import Visit
from stateui.player import player
from stateui.player.spec import Fork


def controls() -> None:
    """The settings of the data and the run, and the work they ask for.

    The learning rate is the player's own. Long work is done here, outside the
    fragment, since a run of the whole page is what Cancel can end.
    """
    share.read("regression", visits.SETTINGS)
    visits.keep_exact()
    exact = st.session_state["regression_exact"]
    with st.container(key="settings", horizontal=True, vertical_alignment="bottom"):
        st.toggle(
            "Exactly the JAX page’s run",
            key="regression_exact",
            on_change=visits.chose_exact,
            help=_exactly(),
        )
        st.selectbox(
            "Steps", regression.STEPS, key="regression_steps", disabled=exact, format_func="{:,}".format, width=110
        )
        st.selectbox(
            "Points", regression.POINTS, key="regression_points", disabled=exact, format_func="{:,}".format, width=130
        )
        with st.popover("Data", disabled=exact, width=110):
            st.number_input("Seed", 0, 2**32 - 1, key="regression_seed", help="The random key is made from it")
            st.slider("Noise (standard deviation)", 0.0, 5.0, step=0.1, key="regression_noise")
            st.slider("True weight", -10.0, 10.0, step=0.1, key="regression_weight")
            st.slider("True bias", -10.0, 10.0, step=0.1, key="regression_bias")
        st.button("Restart", key="restart", on_click=visits.restart, help="Drop all branches and begin again")
    st.caption(f"A run is at most {training.MAX_WORK:,} points × steps, its branches counted together.")
    with st.container(key="work"):
        if visits.too_much():
            st.warning("Points × steps is more than that: choose fewer points or fewer steps.", icon=":material/info:")
        visits.up_to_date()


@st.fragment
def stage() -> None:
    """The player with both sides, and what the server knows when it rests."""
    if visits.heavy():
        st.rerun()
    visit = visits.up_to_date()
    if visit is None:
        return
    if "regression_player" not in st.session_state:
        visit = visits.store(visit, start=min(st.session_state["regression_step"], visit.training.steps))
    if visit.note:
        st.info(visit.note, icon=":material/info:")
    truth = (st.session_state["regression_weight"], st.session_state["regression_bias"])
    shown = regression_show(visit.sides, truth, visit.start, _fork_control(visit))
    player(shown, "regression_player", on_step=_rested, on_fork=visits.asked_fork)
    _at_rest(visit)
    share.keep("regression", visits.SETTINGS)
    if st.session_state.pop("regression:judge", False):
        st.rerun()


def verdict() -> str | None:
    """What the broken trainer's loss did, once the player has been moved: `fall` or `stay flat`."""
    visit = visits.current()
    if visit is None or not st.session_state.get("regression_step"):
        return None
    losses = visit.sides.beside.losses
    return "fall" if losses[-1] < losses[0] else "stay flat"


def trainer(lane: Lane) -> Any:
    """The trainer behind a jitted method that has been called, or None before its first call."""
    return inspect.unwrap(lane.made).__self__ if lane.calls else None


def _rested() -> None:
    shared.rested("regression", verdict)


def _fork_control(visit: Visit) -> Fork:
    return Fork(
        label="learning rate",
        low=visits.LOW_RATE,
        high=visits.HIGH_RATE,
        value=visit.training.learning_rate,
        serial=visit.serial,
        hint="turn it while it plays: the run forks there",
        full=_full(visit.training),
    )


def _full(run: Training) -> str:
    """Why the run cannot be forked any more, or nothing when it can."""
    if not run.full:
        return ""
    if len(run.rates) >= training.MAX_BRANCHES:
        return f"{training.MAX_BRANCHES} branches: Restart to fork again"
    return f"One more branch is more than {training.MAX_WORK:,} points × steps"


def _at_rest(visit: Visit) -> None:
    run = visit.training
    step = min(st.session_state["regression_step"], run.steps)
    with st.container(key="rest"):
        st.markdown(
            f'<span class="at" data-step="{step}">step {step}</span> at rate {run.learning_rate:g}: '
            f"broken loss **{show.number(float(visit.sides.beside.losses[step]))}**, "
            f"fixed loss **{show.number(float(run.history.loss[step]))}**.",
            unsafe_allow_html=True,
        )
        _diverged(run)
        _branches(visit)


def _diverged(run: Training) -> None:
    """Say where the run left the finite numbers, and why."""
    at = run.history.first_not_finite
    largest = line.largest_stable_rate(run.data)
    if run.learning_rate <= largest:
        return
    factor = line.growth(run.data, run.learning_rate)
    left = (
        f"At step **{at}** it left the numbers float32 can hold." if at is not None else "It still fits into float32."
    )
    st.warning(
        f"This run diverges. {left} The rate {run.learning_rate:g} is above 2/λmax = {show.number(largest)}, where "
        "λmax is the largest curvature of the loss: each step multiplies the error along that direction by "
        f"{show.number(factor)}.",
        icon=":material/trending_up:",
    )


def _branches(visit: Visit) -> None:
    """The branches by name, to go back to, and the proof that the past can be replayed."""
    run = visit.training
    labels = [shared.label(rates) for rates in run.rates]
    with st.container(horizontal=True, vertical_alignment="center", key="branches"):
        if len(labels) > 1:
            st.session_state["regression_branch"] = run.timeline.current
            st.selectbox(
                "Branch",
                range(len(labels)),
                format_func=lambda i: f"{i + 1}. {labels[i]}",
                key="regression_branch",
                on_change=visits.switched,
                label_visibility="collapsed",
                width=340,
            )
        st.button("Replay this branch", key="replay", on_click=visits.asked_replay)
        st.markdown(visit.answer or "A state is a value: from the same one, the same run follows.")


def _exactly() -> str:
    """What exactly the JAX page's run is, from its settings."""
    page = visits.EXACT
    return (
        f"Key {page['seed']} for data and params alike, {page['points']} points, weight {show.number(page['weight'])}, "
        f"bias {show.number(page['bias'])}, noise {page['noise']}, rate {regression.LEARNING_RATE}"
    )
