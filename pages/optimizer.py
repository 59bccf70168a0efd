"""The optimizer remembers too."""

import streamlit as st

from stateui import lesson

lesson.begin("optimizer")

from statecore.optimizer import programs as shown
from statecore.optimizer import tries
from stateui.experiment import Experiment, bench
from stateui.parts import optimizer as training
from stateui.predict import predict
from stateui.stage import Panel, programs, stage

predict(
    "optimizer",
    "Adam keeps running means of the gradients. A jitted `update` hands its params on, but makes Adam’s state again at every step. What comes of it?",
    {
        "an error": "Nothing is missing and nothing has the wrong shape: a first state is a good state, every time.",
        "no learning": "The params are handed on, and every step still points downhill.",
        "almost right": "It goes the right way without a word. But every step is a first step, and a first step of Adam is as long as the rate, however near the goal is.",
    },
    answer=training.verdict(),
    hint="Press **Play**.",
)
training.controls()
training.stage()

lesson.heading("What forgetting costs", "cost")
st.markdown(
    "Measured now, on this data: how many steps each side needs, rate by rate. At small rates the forgetful one comes "
    "near sooner, since all its steps have full length; ask for more precision, and see who still gets there."
)
training.cost()

lesson.heading("Call by call", "calls")
st.markdown(
    "Two updates, one call at a time. `optimizer` itself is only a pair of functions and may be made again; "
    "what must not be made again is its memory, `opt_state`."
)
panels = (
    Panel("broken", "jit, Adam’s state made again at every step", shown.programs()["broken"]),
    Panel("fixed", "jit, Adam’s state handed on", shown.programs()["fixed"]),
)
lanes = stage("optimizer_calls", panels, linked=False)

lesson.heading("What jit kept", "kept")
programs(panels, lanes)

lesson.heading("Adam, by hand", "by-hand")
st.markdown(
    "The whole of Adam: two running means, corrected for their start at zero. The correction needs the number of steps, "
    "so even the counter of the first lesson is in its state."
)
training.by_hand()

lesson.heading("Try it", "try")
bench(
    "optimizer",
    (
        Experiment(
            "State on self",
            tries.state_on_self,
            "A `Trainer` keeps params and Adam’s state on `self`, and its `update` is jitted. Three calls: which losses?",
            "The params were read while tracing, and so was Adam’s state. Every call is the first.",
        ),
        Experiment(
            "What is left on self",
            tries.left_on_self,
            "The same trainer after one call. What does Adam’s step count on `self` hold now?",
            "A stand-in that the trace left behind. There is no number in it.",
        ),
        Experiment(
            "Without jit",
            tries.state_on_self_without_jit,
            "The same trainer, not jitted. Does it learn?",
            "In plain Python it does: the code is right, only not pure.",
        ),
        Experiment(
            "Length of a step",
            tries.length_of_a_step,
            "The last four changes of the weight in a run of 100 steps at rate 0.1. How long are they on either side?",
            "With one gradient to average, Adam divides it by its own size: only the sign is left, times the rate.",
        ),
        Experiment(
            "Momentum without memory",
            tries.forgetful_momentum,
            "Momentum forgets its state at every step as well. How far is it from SGD?",
            "A running sum of one gradient is that gradient: momentum without memory is plain SGD.",
        ),
        Experiment(
            "Half a checkpoint",
            tries.checkpoint_without_memory,
            "Stop at step 40 and go on from a checkpoint (a saved state), with Adam’s state or with the params only. Is it the "
            "same run at step 60?",
            "With all of the state the interruption cannot be seen. With the params only it is another run, for better or worse.",
        ),
        Experiment(
            "A bigger model",
            tries.size_of_the_state,
            "One layer from 784 inputs to 256 outputs. How many numbers does each optimizer remember?",
            "Adam keeps two numbers for each parameter, and one count for all. All of it has to be handed on.",
        ),
        Experiment(
            "Twice from one state",
            tries.adam_is_a_value,
            "Take the same step twice from the same state. Are params and memory equal, bit for bit?",
            "State that is handed in is a value: what follows from it can be computed again.",
        ),
        Experiment(
            "The rate as state",
            tries.rate_as_state,
            "`optax.inject_hyperparams` puts the learning rate into Adam’s state. Change it there after one step: how far does "
            "the weight move in the next one?",
            "The rate comes in with the rest of the state, so the same compiled program uses the new one. A checkpoint holds it too.",
        ),
    ),
)
lesson.end("optimizer")
