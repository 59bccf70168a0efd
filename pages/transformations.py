"""Loops, batches and gradients of state."""

import streamlit as st

from stateui import lesson

lesson.begin("transformations")

from statecore import transformations as tf
from statecore.transformations import tries
from stateui.experiment import Experiment, bench
from stateui.parts import transformations as parts
from stateui.predict import predict
from stateui.stage import Panel, programs, stage

parts.begin()
predict(
    "transformations",
    f"One learning step on {parts.SPEED_POINTS} points, taken again and again in a Python loop: in plain Python, or jitted. "
    "Which takes more steps per second?",
    {
        "plain Python": "Calling a compiled program has a price, the same for few points as for many. For few, it can be more than the work.",
        "the jitted step": "The compiled work is quick, but it is called from Python once per step, and every call has its price.",
        "about the same": "The work and the price of calling it would have to be equal: that depends on how many points there are.",
    },
    answer=parts.faster(),
    hint="Press **Measure** to find out on this machine.",
)

lesson.heading("The same step, six ways", "speed")
room = parts.speed()
parts.codes()

lesson.heading("A carry keeps its type", "carry")
st.markdown(
    "`scan` compiles the loop: what a step gives to the next is the *carry*. `mean_step` is the same on both "
    "sides; look at how its state starts, and press **Step**."
)
panels = (
    Panel("broken", "scan, the mean starts as an int", tf.PROGRAMS["broken"], (("First state", tf.start_with_ints),)),
    Panel("fixed", "scan, the mean starts as a float", tf.PROGRAMS["fixed"], (("First state", tf.start_with_float),)),
)
lanes = stage("transformations", panels, settings=parts.SETTINGS, types=True)

lesson.heading("What scan says, and what jit kept", "kept")
st.markdown(
    "The compiled loop has one place for the carry, of one type. A mean is a float, so a step that gets an int gives "
    "something else back: the error names the part, and both types."
)
parts.refusal(lanes["broken"])
programs(panels, lanes)

lesson.heading("Many learners at once", "learners")
st.markdown(
    "A run is a function from first params and rate to its history, so `vmap` runs it for many rates in one program. "
    "No line of the run knows that it is many."
)
parts.beside(tf.train, tf.train_many)
parts.learners()

lesson.heading("The gradient of a whole run", "gradient")
st.markdown(
    "A run is also a function from the learning rate to the last loss. `grad` follows it back through every step, and so "
    "tells which way the rate should move. `meta_rate` is how far: the learning rate of the learning rate."
)
parts.beside(tf.final_loss, tf.rate_step)
parts.gradient()

lesson.heading("Try it", "try")
bench(
    "transformations",
    (
        Experiment(
            "Hidden under scan",
            tries.scan_hidden,
            "The trainer that keeps its params on `self`, four steps in one `scan`. Which losses come out?",
            "The body was traced once, from the first params. All steps are that one step: it learned nothing.",
            parts.for_scan,
        ),
        Experiment(
            "…and once more",
            tries.scan_hidden,
            "The same trainer goes through `scan` a second time. Does it start over?",
            "The first scan left its stand-ins on `self`. Now they are used, and the trace they belong to is over.",
            parts.used_before,
        ),
        Experiment(
            "Hidden under vmap",
            tries.vmap_hidden,
            "Four rates at once, with the trainer that keeps its params on `self`. Four learners?",
            "All four losses are that of the first params: there is one `self`, and now it holds a stand-in for four.",
            parts.for_vmap,
        ),
        Experiment(
            "Hidden under grad",
            tries.grad_hidden,
            "The slope of the last loss with respect to the rate, at 0.02, through five steps of the trainer on `self`. Is it "
            "right?",
            "It is, this once (the curve above says the same at 5 steps): the Python loop ran in the trace. But the trainer "
            "is left with stand-ins.",
            parts.for_grad,
        ),
        Experiment(
            "A carry that grows",
            tries.growing_history,
            "Each step appends to the carry, as one would to a list. What does `scan` say?",
            "The carry has one shape for all steps. What grows is not state but history.",
            parts.four_numbers,
        ),
        Experiment(
            "Stack it instead",
            tries.stacked_history,
            "The body returns `x` as its second result. Where does the history go?",
            "Carry first, outputs second: `scan` stacks the outputs of all steps for you.",
            parts.four_numbers,
        ),
        Experiment(
            "A key that comes later",
            tries.new_key_in_carry,
            "The carry is an empty dict, and the first step puts a key into it.",
            "The keys belong to the carry’s type as well: all of them must be there from the start.",
            parts.four_numbers,
        ),
        Experiment(
            "There from the start",
            tries.key_from_the_start,
            "The same body, and the key starts at minus infinity.",
            "Now every step returns what it was given: one key, one float.",
            parts.four_numbers,
        ),
        Experiment(
            "Ints in a Python loop",
            tries.ints_in_a_python_loop,
            "The same ints, the same step, and a loop of Python instead of `scan`. Is it refused?",
            "Python does not mind when a name gets another type: after the first turn, the mean is a float.",
            parts.four_numbers,
        ),
        Experiment(
            "Python numbers",
            tries.start_with_python_numbers,
            "The mean starts as a Python `0`, an int as well. Is it refused?",
            "No. JAX gives a Python `0` the type int32 and calls it *weak*: `scan` may promote a weak type to float32, and "
            "does so by rule. `jnp.array(0)` is weak too. `jnp.int32(0)` is not, and neither is the bool `False`: both are refused.",
            parts.four_numbers,
        ),
    ),
)
lesson.end("transformations")
parts.measure(room)
