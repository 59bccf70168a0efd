"""Learning is threading params."""

import streamlit as st

from stateui import lesson

lesson.begin("regression")

from statecore.regression import leaked
from statecore.regression import programs as shown
from stateui.experiment import look
from stateui.parts import regression as training
from stateui.predict import predict
from stateui.stage import Panel, programs, stage

predict(
    "regression",
    "A trainer keeps its params, a weight and a bias, on `self`, and its `update` is jitted. What will the loss (the mean "
    "squared error) do, call after call?",
    {
        "fall": "The new params never come out of the compiled program, so the next call starts from the old ones again.",
        "stay flat": "The params were read once, while tracing. Every call starts from them, and its result is lost.",
        "raise an error": "The calls themselves run without a word. The error comes later, to whoever touches the params.",
    },
    answer=training.verdict(),
    hint="Press **Play**.",
)
training.controls()
training.stage()

lesson.heading("Call by call", "calls")
st.markdown(
    "One call at a time: on call 1 both are traced, and from then on no line of either runs. What differs is the calling "
    "line: in one the new params never come out, in the other they go into the next call. `jax.tree.map` makes the same "
    "change in every part of the params."
)
panels = (
    Panel("broken", "jit, params hidden in self", shown.programs()["broken"]),
    Panel("fixed", "jit, params in, params out", shown.programs()["fixed"]),
)
lanes = stage("regression_calls", panels, linked=False)

lesson.heading("What jit kept", "kept")
programs(panels, lanes)

lesson.heading("What became of the params", "params")
trainer = training.trainer(lanes["broken"])
if trainer is None:
    st.markdown("Press **Step** above: then look at the params that the jitted trainer left on `self`.")
else:
    st.markdown("The trace left its stand-ins behind on `self`. Three ways to look at them:")
    first, second, third = st.columns(3)
    with first:
        look(
            leaked.print_params,
            trainer,
            why="Printing shows no number: it is a *tracer*, a stand-in from the trace.",
        )
    with second:
        look(leaked.convert_params, trainer, why="A stand-in has a shape and a type but no value to convert.")
    with third:
        look(leaked.use_params, trainer, why="The trace it belongs to is over, so nothing can be computed with it.")

lesson.heading("Try it", "try")
st.markdown(
    "- Play, and turn the learning rate while it runs: the fixed side forks there. The broken one is told the new rate "
    "too, and stays flat: the rate was baked in as well.\n"
    "- Turn it up until the run diverges, and compare the rate with the one that the page names.\n"
    "- Step back, fork again, and switch between the branches: the past is still there."
)
lesson.end("regression")
