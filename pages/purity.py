"""What jit, vmap and grad assume."""

import streamlit as st

from stateui import lesson

lesson.begin("purity")

from statecore.purity import tries
from statecore.purity.programs import SYMPTOMS
from stateui.experiment import Experiment, bench
from stateui.parts import purity, purity_catalogue
from stateui.predict import predict

chosen = purity.choose()
plain, transformed = chosen.written
predict(
    "purity",
    f"{chosen.entry.title}: three calls of `{transformed}`, beside the same calls of `{plain}`. What do you get?",
    {SYMPTOMS[kind]: why for kind, why in purity.BELIEFS.items()},
    answer=purity.verdict(chosen),
    hint="Press **Step** three times to find out.",
)
purity.show_stage(chosen)

lesson.heading("Call by call", "calls")
purity.picture(chosen)

lesson.heading("What jit kept", "kept")
purity.programs(chosen)

lesson.heading("What the checker says", "checker")
st.markdown(
    "`statecore.checker.check` calls a function as plain Python, traces it as JAX does, and puts back whatever was "
    "changed. It compares outputs, programs, what changed outside, and tracers (the stand-ins of the trace) left behind."
)
purity_catalogue.checker(chosen)

lesson.heading("Try it", "try")
bench(
    "purity",
    (
        Experiment(
            "A thaw",
            tries.retraced,
            "The rate changes after the first call. Then come a whole number, a float and a whole number again: which rate do "
            "they meet?",
            "Another type of argument is traced again, and that trace reads the rate of its own moment. "
            "The old program still stands beside it.",
        ),
        Experiment(
            "A thousand rows",
            tries.rows_of_a_batch,
            "`vmap` over a thousand rows. How often does the Python body run?",
            "Once for the whole batch, so a side effect happens once too.",
        ),
        Experiment(
            "Five slopes",
            tries.calls_of_a_gradient,
            "Five calls of `jax.grad(square)`, then five of the same, jitted. How often does the body run?",
            "`grad` by itself keeps no program: it runs the body at every call. Under jit the body runs once.",
        ),
        Experiment(
            "An if that works",
            tries.static_argument,
            "`training` is declared static: not traced, but part of what jit looks programs up by. How often does the body "
            "run in five calls?",
            "One trace for each value of `training`, and in each the `if` was an ordinary one.",
        ),
        Experiment(
            "In your tests",
            tries.in_a_test,
            "`assert_pure` is the checker for a test. What does it say of this function?",
            "The test fails with the findings in words.",
        ),
        Experiment(
            "Past the checker",
            tries.nobody_changed_it,
            "Nobody changes the rate while the checker looks. Does it find something?",
            "It finds no impurity, and says that the rate is baked in: the program keeps it, and a later change is not seen. "
            "A report without impurities is no proof.",
        ),
        Experiment(
            "Caught in the act",
            tries.caught_in_the_act,
            "JAX has a leak checker of its own. What happens if it watches this call?",
            "It stops at the call that leaks, rather than at the later one that trips over the tracer.",
        ),
    ),
)

lesson.heading("The whole catalogue", "catalogue")
st.markdown(
    "Every impurity under the transformation (jit, or a loop of JAX) where it bites first. Press its name to put it on "
    "the stage."
)
purity_catalogue.overview()
lesson.end("purity")
