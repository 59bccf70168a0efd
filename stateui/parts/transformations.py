"""The transformations lesson: what is measured, many learners in the player, and the gradient of a run."""

from collections.abc import Callable
from html import escape
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from statecore import line, lockstep, regression
from statecore import transformations as tf
from statecore.line import Data, Params, Trainer
from statecore.lockstep import Lane
from statecore.transformations import Learners, Timing, tries
from statecore.work import Work
from stateui import lesson, progress, share, show, source
from stateui.figures import transformations as figures
from stateui.parts.transformations_show import learners_show
from stateui.player import player

NAME = "transformations"
LOWEST_RATE = 0.001
RATES = tuple(float(f"{rate:.2g}") for rate in np.geomspace(0.002, 0.34, 61))
"""The learning rates on offer for the gradient of a run: all below the largest stable one of usual data."""
HIGHEST = (0.1, 0.2, 0.3, 0.5, 1.0)
POINTS = regression.POINTS[:3]
SPEED_POINTS = 128
"""The prediction is about so many points."""
STEPS = tf.STEPS[:2]
"""A longer run of 64 learners would be a megabyte on its way to the browser."""


def _rate(text: str) -> float:
    """The rate on offer that is nearest to the one asked for."""
    asked = share.real(0.02, RATES[0], RATES[-1]).parse(text)
    return min(RATES, key=lambda rate: abs(np.log(rate / asked)))


SETTINGS = {
    "step": share.whole(0, 0, lockstep.MAX_CALLS),
    "points": share.choice(SPEED_POINTS, POINTS),
    "seed": share.whole(42, 0, 2**32 - 1),
    "learners": share.choice(64, tf.LEARNERS),
    "steps": share.choice(100, STEPS),
    "highest_rate": share.choice(0.3, HIGHEST),
    "at": share.whole(0, 0, max(STEPS)),
    "run_steps": share.choice(20, tf.RUN_STEPS),
    "learning_rate": share.Setting(_rate("0.02"), _rate, f"a number from {RATES[0]:g} to {RATES[-1]:g}"),
}


def begin() -> None:
    """Take the settings from the address."""
    share.read(NAME, SETTINGS)


class Way(NamedTuple):
    """One way to take the steps, as a reader meets it: its role, and the code that it runs."""

    role: str
    code: tuple
    note: str


_JITTED_STEP, _UNJITTED = (
    "`update` is jitted: each turn of the loop calls its compiled program.",
    "`update` without its first line, the `jit`: each operation is a call of its own.",
)
WAYS = {
    "JAX without jit, Python loop": Way("plain", (regression.update, tf.python_loop), _UNJITTED),
    "jitted step, Python loop": Way("broken", (regression.update, tf.python_loop), _JITTED_STEP),
    "plain Python": Way("plain", (tf.python_update, tf.python_loop), "Lists and numbers, no array at all."),
    "NumPy, Python loop": Way("plain", (tf.numpy_update, tf.python_loop), "The gradient by hand, on arrays."),
    "fori_loop, jitted": Way("fixed", (tf.fori_loop,), "One compiled program, and the loop is in it."),
    "scan, jitted": Way("fixed", (tf.scan_loop,), "One compiled program, and the loop is in it."),
}
JITTED, PLAIN, SCAN = "jitted step, Python loop", "plain Python", "scan, jitted"


# --- speed ------------------------------------------------------------------------------------------


def faster() -> str | None:
    """What the measurement on 128 points said about the prediction; None before it."""
    measured = st.session_state.get(f"{NAME}:timings", {}).get(SPEED_POINTS)
    if not measured:
        return None
    ratio = measured[PLAIN].steps_per_second / measured[JITTED].steps_per_second
    if ratio > 1.1:
        return "plain Python"
    return "the jitted step" if ratio < 1 / 1.1 else "about the same"


def speed() -> DeltaGenerator:
    """The charts of what was measured on this machine; returns the room for the progress of a measurement."""
    points = st.session_state[f"{NAME}_points"]
    with st.container(key="speed_controls", horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Points", POINTS, key=f"{NAME}_points", format_func="{:,}".format, width=130)
        st.button("Measure", key="measure", type="primary", on_click=progress.ask, args=(NAME,))
        room = st.container()
    timings: dict[str, Timing] = st.session_state.get(f"{NAME}:timings", {}).get(points, {})
    roles = {name: way.role for name, way in WAYS.items()}
    left, right = st.columns([3, 2])
    with left:
        lesson.chart(figures.speeds(roles, timings), "speeds", figures.told(list(timings.values())))
    with right:
        lesson.chart(figures.first_calls(roles, timings), "first_calls", _first_told(timings))
    with st.container(key="speed_words"):
        st.markdown(_surprise(timings, points) if timings else "Nothing measured yet: press **Measure**.")
    return room


def measure(room: DeltaGenerator) -> None:
    """Measure if that was asked for: at the end of the page, so that all of it can be read meanwhile."""
    if st.session_state.pop(f"{NAME}:asked", False):
        points = st.session_state[f"{NAME}_points"]
        with room:
            data = tf.make_data(regression.separate_keys(42)[0], points)
            found = progress.drive(_measured(data), "Measuring on this machine")
        st.session_state.setdefault(f"{NAME}:timings", {})[points] = found
        st.rerun()  # so that the charts and the prediction show it


def codes() -> None:
    """The code of one way at a time: its step, and its loop."""
    name = st.pills("Code", list(WAYS), key="ways", default=JITTED, required=True, label_visibility="collapsed")
    way = WAYS[name or JITTED]
    st.markdown(way.note)
    with st.container(key="way_code"):
        beside(*way.code)


def beside(*functions: Callable) -> None:
    """The code of up to two functions side by side, in boxes of one height."""
    rows = max(source.height(function) for function in functions)
    for column, function in zip(st.columns(2)[: len(functions)], functions, strict=True):
        column.html(source.lit(function, rows=rows))


def _measured(data: Data) -> Work[dict[str, Timing]]:
    found = {}
    for timing in tf.timings(_first_params(42), data):
        found[timing.name] = timing
        yield timing.progress
    return found


def _surprise(timings: dict[str, Timing], points: int) -> str:
    """What the measurement says, in words, with its own numbers."""
    plain, jitted, scan = (1e6 / (timings[name].steps_per_second or np.nan) for name in (PLAIN, JITTED, SCAN))
    quicker, slower = ("plain Python", "the jitted step") if plain < jitted else ("the jitted step", "plain Python")
    ratio = max(plain, jitted) / min(plain, jitted)
    return (
        f"On {points:,} points a step took plain Python **{show.number(plain)} µs** and the jitted step in a Python "
        f"loop **{show.number(jitted)} µs**: {quicker} is {show.number(ratio)} times as fast as {slower}. "
        f"Inside `scan` the same step took **{show.number(scan)} µs**, so about {show.number(jitted - scan)} µs of "
        "each jitted call went into calling: with the loop inside, that price is paid once. "
        "Other work on this machine counts too: measure again."
    )


def _first_told(timings: dict[str, Timing]) -> str:
    return "First call in milliseconds. " + (
        "; ".join(f"{each.name}: {show.number((each.first_call or 0) * 1e3)}" for each in timings.values())
        or "Nothing measured yet."
    )


# --- the carry ----------------------------------------------------------------------------------------


def refusal(lane: Lane) -> None:
    """The whole error of a lane's last call, with the types in it marked."""
    error = lane.tape[-1] if lane.tape else None
    with st.container(key="carry_error"):
        if not isinstance(error, Exception):
            st.markdown("Not called yet: press **Step**.")
            return
        text = escape(f"{type(error).__name__}: {str(error).strip()}")
        for kind, dtype in (("baked", "int32[]"), ("argument", "float32[]")):
            text = text.replace(dtype, f'<mark class="{kind}">{dtype}</mark>')
        st.html(f'<pre class="jaxpr wrapped" tabindex="0" aria-label="the error">{text}</pre>')


# --- many learners --------------------------------------------------------------------------------------


def learners() -> None:
    """Many learners in the player, once asked for: the first time compiles."""
    with st.container(key="learners_controls", horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Learners", tf.LEARNERS, key=f"{NAME}_learners", width=110)
        st.selectbox("Steps", STEPS, key=f"{NAME}_steps", width=110)
        st.selectbox(
            "Highest rate", HIGHEST, key=f"{NAME}_highest_rate", width=130, help=f"The lowest is {LOWEST_RATE:g}"
        )
        st.number_input(
            "Seed", 0, 2**32 - 1, key=f"{NAME}_seed", help="Data and first params are drawn from it", width=170
        )
        st.button("Train them all", key="train_all", type="primary", on_click=_open, args=("learners",))
    if not _opened("learners"):
        st.markdown("Each gets its own rate, from the lowest to the highest; all start from the same params.")
        return
    seed, count, steps, highest = (
        st.session_state[f"{NAME}_{name}"] for name in ("seed", "learners", "steps", "highest_rate")
    )
    with st.spinner(f"Training {count} learners…"):
        data = _data(seed)
        run = tf.learn_together(_first_params(seed), data, (LOWEST_RATE, highest), steps, count)
    at = st.session_state[f"{NAME}_at"] = min(st.session_state[f"{NAME}_at"], steps)
    player(learners_show(run, data, at), f"{NAME}_player", on_step=_rested)
    with st.container(key="learners_rest"):
        st.markdown(_learned(run, data, at), unsafe_allow_html=True)


def _rested() -> None:
    st.session_state[f"{NAME}_at"] = int(st.session_state[f"{NAME}_player"].step)


def _learned(run: Learners, data: Data, at: int) -> str:
    """What became of the learners, in words."""
    limit = line.largest_stable_rate(data)
    above = int(np.sum(run.rate > limit))
    now = np.where(np.isfinite(run.loss[:, at]), run.loss[:, at], np.inf)
    ahead = int(np.argmin(now))
    return (
        f'<span class="at" data-step="{at}">step {at}</span>: the smallest of the {len(run)} losses is '
        f"**{show.number(float(now[ahead]))}**, at rate {show.number(float(run.rate[ahead]))}. "
        f"Of the rates, {above or 'none'} {'is' if above < 2 else 'are'} above 2/λmax = {show.number(limit)}, where "
        "learning diverges; λmax is the largest curvature of the loss."
    )


# --- the gradient of a whole run -------------------------------------------------------------------------


def gradient() -> None:
    """The loss against the learning rate, its slope by grad and without, and the rate learned by it."""
    with st.container(key="gradient_controls", horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Steps of the run", tf.RUN_STEPS, key=f"{NAME}_run_steps", width=150)
        st.select_slider("Learning rate", RATES, key=f"{NAME}_learning_rate", width=340)
        st.button("Draw the curve", key="draw_curve", type="primary", on_click=_open, args=("curve",))
        st.button("Learn the rate", key="learn_rate", on_click=_open, args=("curve", "learned"))
    if not _opened("curve"):
        st.markdown("Not drawn yet: the curve is the loss after the run by rate, with its slope at the one chosen.")
        return
    steps, rate = st.session_state[f"{NAME}_run_steps"], st.session_state[f"{NAME}_learning_rate"]
    with st.spinner("Running and differentiating…"):
        data, first = _data(42), _first_params(42)
        curve = tf.rate_curve(first, data, (RATES[0], 1.15 * RATES[-1]), steps)
        loss, slope = tf.slope_at(rate, first, data, steps)
        differences = tf.slope_by_differences(rate, first, data, steps)
        learned = tf.learn_rate(rate, first, data, steps) if _opened("learned") else None
    told = f"Loss after {steps} steps against the rate: {show.number(loss)} at {rate:g}, slope {show.number(slope)}."
    lesson.chart(figures.loss_by_rate(curve, rate, loss, slope, learned), "loss_by_rate", told)
    values = {
        "loss after the run": show.number(loss),
        "slope, by grad": show.number(slope),
        "slope, by two more runs": show.number(differences),
        "rate learned": show.number(float(learned.rate[-1])) if learned else "—",
    }
    with st.container(key="slopes"):
        for column, (label, value) in zip(st.columns(len(values)), values.items(), strict=True):
            column.metric(label, value, border=True)
    if learned is not None:
        rates, losses = (
            " to ".join(show.number(float(end)) for end in (column[0], column[-1]))
            for column in (learned.rate, learned.loss)
        )
        st.markdown(
            f"{tf.RATE_STEPS} steps of gradient descent took the rate from {rates}, and the loss after a run from "
            f"{losses}. Each of them differentiates all {steps} steps of the run."
        )


def _open(*names: str) -> None:
    st.session_state[f"{NAME}:opened"] = st.session_state.get(f"{NAME}:opened", frozenset()) | set(names)


def _opened(name: str) -> bool:
    return name in st.session_state.get(f"{NAME}:opened", frozenset())


# --- what the experiments are given -------------------------------------------------------------------


def four_numbers() -> tuple:
    return (jnp.array([4.0, 1.0, 2.5, 0.5]),)


def for_scan() -> tuple:
    return _trainer(), *_data(42), 4


def for_vmap() -> tuple:
    return _trainer(), *_data(42), jnp.array([0.01, 0.02, 0.05, 0.1])


def for_grad() -> tuple:
    return _trainer(), *_data(42), 0.02, 5


def used_before() -> tuple:
    """A trainer that has been through `scan` once already."""
    tries.scan_hidden(*(args := for_scan()))
    return args


def _trainer() -> Trainer:
    return Trainer(_first_params(42), 0.02)


def _data(seed: int) -> Data:
    return tf.make_data(regression.separate_keys(seed)[0])


def _first_params(seed: int) -> Params:
    return regression.init(regression.separate_keys(seed)[1])
