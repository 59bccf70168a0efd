"""Refs: mutation that JAX can see."""

import streamlit as st

from stateui import lesson

lesson.begin("refs")

from statecore.refs import tries
from stateui.experiment import Experiment, bench
from stateui.parts import refs as parts
from stateui.predict import predict
from stateui.stage import programs, stage

parts.begin()
predict(
    "refs",
    "A counter keeps its number in a Ref on `self`. Its method adds one to it, and is jitted. Three calls: what comes out?",
    {
        "1, 2, 3": "JAX sees every read and write of a Ref, so they are in the compiled program: it counts.",
        "1, 1, 1": "That is what a number on `self` does. A Ref is not read while tracing: its reads are written down.",
        "an error": "There are errors where a Ref would have two names, or leave its program. This is not one of them.",
    },
    answer=parts.counted(),
    hint="Press **Step** three times to find out.",
)
st.markdown("`jax.new_ref(value)` makes the box; `ref[...]` reads it, and `ref[...] = value` writes to it.")
parts.choose()
panels = parts.panels()
lanes = stage("refs", panels, settings=parts.SETTINGS)

lesson.heading("Value against count", "value")
parts.values(lanes)
st.markdown(
    "A Ref holds only the present. **Back** shows a call that was recorded. To go on from there, the counter would have "
    "to be built and called again, as with hidden state."
)

lesson.heading("What jit kept", "kept")
programs(panels, lanes)

lesson.heading("What the compiler made of it", "compiled")
st.markdown(
    "A compiled program has arguments and results, and nothing else. So JAX makes the Ref both before it compiles. To "
    "*donate* an argument is to let a result take its memory, and JAX does that for the Ref as well."
)
parts.compiled_programs()

lesson.heading("What Refs refuse", "refusals")
st.markdown("JAX refuses what would give one Ref two names, or let it out of the program that it belongs to.")
parts.refused()

lesson.heading("Purity is in the eye of the caller", "purity")
st.markdown(
    "Both functions add up what they are given, and both write to a Ref. A Ref that is made inside and never leaves is "
    "nobody else’s business."
)
parts.eye_of_the_caller()

lesson.heading("What it costs", "cost")
room = parts.price()

lesson.heading("One at a time", "threads")
st.markdown(
    "A call on a Ref writes the new value into the memory of the old one, and until it returns the Ref has nothing to "
    "give. A second thread that asks meanwhile gets an error: hold a lock around everything that touches the Ref. This "
    "page does, for each visitor."
)
parts.threads()

lesson.heading("Try it", "try")
bench(
    "refs",
    (
        Experiment(
            "Write from outside",
            tries.ref_set,
            "After two calls, 100 is written into the Ref from outside. Does the jitted call notice?",
            "It does: the compiled program is given what the Ref holds, at every call.",
        ),
        Experiment(
            "…and hidden state",
            tries.hidden_set,
            "The same with a number on `self`. Does the jitted call notice?",
            "The number was read once, while tracing. Nothing that happens to it later can reach the program.",
        ),
        Experiment(
            "Replace the Ref",
            tries.ref_replaced,
            "A new Ref takes the place of the old one on `self`. Which of them is counted up?",
            "The old one. `self.n` was looked up while tracing: a Ref is seen, the attribute that holds it is not.",
        ),
        Experiment(
            "An old Ref",
            tries.old_ref,
            "Somebody kept the Ref from before the call. What does it hold after it?",
            "There is one box, whoever looks into it. The past is gone.",
        ),
        Experiment(
            "An old state",
            tries.old_state,
            "Somebody kept the explicit state from before the call. What is it after it?",
            "A value stays what it is: that is why explicit state can be gone back to, compared and forked.",
        ),
    ),
)
lesson.end("refs")
parts.measure(room)
