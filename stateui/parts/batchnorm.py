"""The batch normalisation lesson: its settings, the order of its calls, and its player."""

from dataclasses import dataclass, replace
from typing import Any

import jax
import streamlit as st

from statecore import batchnorm, lockstep
from statecore.lockstep import MAX_CALLS, Lane
from stateui import lesson, share, show, source
from stateui.figures import batchnorm as figures
from stateui.parts.batchnorm_show import Stream, batchnorm_show
from stateui.player import player
from stateui.stage import Lanes, Panel, tape

STAGE = "batchnorm_calls"
_PLAIN = "batchnorm:plain"
TRAIN_FIRST, EVALUATE_FIRST = "train", "evaluate"
_ORDERS = {TRAIN_FIRST: "train first, then evaluate", EVALUATE_FIRST: "evaluate first, then train"}

SETTINGS = {
    "order": share.choice(TRAIN_FIRST, tuple(_ORDERS)),
    "calls_step": share.whole(0, 0, MAX_CALLS),
    "batch": share.choice(32, batchnorm.BATCHES),
    "momentum": share.real(batchnorm.MOMENTUM, 0.0, 0.99),
    "unbiased": share.choice(False, (False, True)),
    "steps": share.choice(200, batchnorm.STEPS),
    "mean": share.real(batchnorm.DATA_MEAN, -10.0, 10.0),
    "var": share.real(batchnorm.DATA_VAR, 0.1, 10.0),
    "seed": share.whole(42, 0, 2**32 - 1),
    "step": share.whole(0, 0, max(batchnorm.STEPS)),
}
_OF_THE_DATA = ("seed", "mean", "var", "batch", "steps")
_OF_THE_LAYER = ("momentum", "unbiased")


@dataclass(frozen=True)
class Visit:
    """This visitor's stream of batches.

    Attributes:
      asked: the settings it was made from.
      stream: what both layers made of it.
      start: the step at which the player opens.
      note: what of the address could not be shown, in words.
    """

    asked: dict[str, Any]
    stream: Stream
    start: int
    note: str = ""


def order() -> tuple[Panel, ...]:
    """The choice of what comes first, and the two jitted layers to be called in that order."""
    share.read("batchnorm", SETTINGS)
    with st.container(key="settings"):
        st.pills(
            "Order of the calls",
            list(_ORDERS),
            key="batchnorm_order",
            required=True,
            format_func=_ORDERS.__getitem__,
            on_change=_new_order,
            label_visibility="collapsed",
        )
    programs = batchnorm.by_turns(_train_first())
    return (
        Panel("broken", "jit, statistics on self", programs["broken"], tell=figures.spread),
        Panel("fixed", "jit, statistics in, statistics out", programs["fixed"], tell=figures.spread),
    )


def plain(lanes: Lanes) -> Lane:
    """The same method without jit, at the same call: what should have come out."""
    calls = lanes["fixed"].calls
    kept = st.session_state.get(_PLAIN)
    if kept is None or kept[0] != _train_first():
        kept = (_train_first(), lockstep.start(batchnorm.by_turns(_train_first())["plain"]))
    lane = lockstep.go(kept[1], calls)
    st.session_state[_PLAIN] = (_train_first(), lane)
    last = f"Call {calls:,} was to **{figures.mode(calls, _train_first())}**. " if calls else ""
    with st.container(key="plain", border=True):
        st.markdown(
            f"{last}The next is to **{figures.mode(calls + 1, _train_first())}**. Without jit, the same method gives, "
            "as mean ± standard deviation:"
        )
        with st.container(key="plain_tape"):
            st.html(f'<output class="tape">{tape(lane, figures.spread)}</output>')
    return lane


def outputs(lanes: Lanes, without_jit: Lane) -> None:
    """Mean and spread of what every call put out."""
    tapes = {"plain": without_jit.tape, **{key: lane.tape for key, lane in lanes.items()}}
    first = _train_first()
    lesson.chart(figures.outputs_by_call(tapes, first), "batchnorm_outputs", figures.told(tapes, first))


def verdict() -> str | None:
    """What the jitted layer did when it was trained once and then evaluated; None before that was seen."""
    lanes: Lanes = st.session_state.get(f"{STAGE}:lanes", {})
    if _train_first() and "broken" in lanes and lanes["broken"].calls >= 2:
        raised = isinstance(lanes["broken"].tape[1], Exception)
        st.session_state["batchnorm:verdict"] = "an error" if raised else "outdated statistics"
    return st.session_state.get("batchnorm:verdict")


@st.fragment
def stream() -> None:
    """The controls of the layer and the data, the player, and what holds where it rests."""
    _controls()
    visit = _visit()
    if "batchnorm_player" not in st.session_state:
        visit = _store(replace(visit, start=min(st.session_state["batchnorm_step"], _last(visit))))
    if visit.note:
        st.info(visit.note, icon=":material/info:")
    player(batchnorm_show(visit.stream, visit.start), "batchnorm_player", on_step=_rested)
    _at_rest(visit)
    _convention(visit.asked["momentum"])
    share.keep("batchnorm", SETTINGS)


# --- this visitor's stream ---------------------------------------------------------------------------


def _train_first() -> bool:
    return st.session_state.get("batchnorm_order", TRAIN_FIRST) == TRAIN_FIRST


def _new_order() -> None:
    """Another order is another story: fresh layers, call 0."""
    st.session_state.pop(f"{STAGE}:lanes", None)
    st.session_state[f"{STAGE}_step"] = 0


def _visit() -> Visit:
    asked = {name: st.session_state[f"batchnorm_{name}"] for name in (*_OF_THE_DATA, *_OF_THE_LAYER)}
    old: Visit | None = st.session_state.get("batchnorm:visit")
    if old is not None and old.asked == asked:
        return old
    same_data = old is not None and all(old.asked[name] == asked[name] for name in _OF_THE_DATA)
    data = jax.random.key(asked["seed"]), asked["mean"], asked["var"], asked["batch"], asked["steps"]
    with st.spinner("Calling both layers"):
        frozen = old.stream.frozen if old is not None and same_data else batchnorm.run_frozen(*data)
        threaded = batchnorm.run(*data, asked["momentum"], int(asked["unbiased"]))
    start, note = share.start("batchnorm", asked["steps"])
    return _store(Visit(asked, Stream(asked["mean"], asked["var"], frozen, threaded), start, note))


def _store(visit: Visit) -> Visit:
    st.session_state["batchnorm:visit"] = visit
    return visit


def _last(visit: Visit) -> int:
    return len(visit.stream.threaded) - 1


def _rested() -> None:
    st.session_state["batchnorm_step"] = int(st.session_state["batchnorm_player"].step)


# --- what is shown -----------------------------------------------------------------------------------


def _controls() -> None:
    with st.container(key="layer", horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Batch size", batchnorm.BATCHES, key="batchnorm_batch", width=110)
        st.slider("Momentum: share of the past kept", 0.0, 0.99, step=0.01, key="batchnorm_momentum", width=300)
        st.toggle(
            "Unbiased running variance",
            key="batchnorm_unbiased",
            help="Divide by n − 1 instead of n. What normalises a batch divides by n either way.",
        )
        st.selectbox("Batches", batchnorm.STEPS, key="batchnorm_steps", format_func="{:,}".format, width=110)
        with st.popover("Data", width=110):
            st.slider("Mean", -10.0, 10.0, step=0.5, key="batchnorm_mean")
            st.slider("Variance", 0.1, 10.0, step=0.1, key="batchnorm_var")
            st.number_input("Seed", 0, 2**32 - 1, key="batchnorm_seed", help="The random key is made from it")


def _at_rest(visit: Visit) -> None:
    asked, step = visit.asked, min(st.session_state["batchnorm_step"], _last(visit))
    threaded, batch = visit.stream.threaded, asked["batch"]
    form = batchnorm.expected(
        asked["mean"], asked["var"], batch, asked["steps"], asked["momentum"], int(asked["unbiased"])
    )
    seen = (
        "The running variance divides by n − 1, so in the end it is right on average whatever the batch size."
        if asked["unbiased"]
        else f"A batch of {batch} shows on average {show.number((batch - 1) / batch)} of the variance, "
        "since it is measured from the batch’s own mean."
    )
    with st.container(key="rest"):
        st.markdown(
            f'<span class="at" data-step="{step}">step {step}</span> '
            f"running mean **{show.number(float(threaded.mean[step]))}** (data: {asked['mean']:g}), "
            f"running variance **{show.number(float(threaded.var[step]))}** (data: {asked['var']:g}). "
            f"Over all such streams they are on average {show.number(float(form.mean[step]))} and "
            f"{show.number(float(form.var[step]))} at this step. {seen}",
            unsafe_allow_html=True,
        )


def _convention(momentum: float) -> None:
    lesson.heading("What momentum means here", "momentum")
    left, right = st.columns(2)
    with left:
        st.html(source.lit(batchnorm.follow))
    with right, st.container(key="convention"):
        st.markdown(
            f"Each batch keeps {momentum:g} of the past and takes {show.number(1 - momentum)} of the new: "
            f"after {batchnorm.batches_to_forget(momentum)} batches less than 1 % of the start is left. "
            "The optimizer’s momentum is another thing.\n\n"
            "The library Flax means the same by `momentum`. The library Equinox stores the same numbers in its `batch` "
            "mode, but corrects them for their start when it evaluates. Elsewhere the word may stand for the other "
            "share."
        )
