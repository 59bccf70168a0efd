"""Dozens of layers."""

import streamlit as st

from stateui import lesson

lesson.begin("libraries")

from statecore.libraries import tries
from stateui.experiment import Experiment, bench
from stateui.parts import libraries
from stateui.predict import predict

predict(
    "libraries",
    "A network of two dozen layers, every second one a batch normalisation (BatchNorm), is trained by hand. Drop the new "
    "running statistics at every step: which loss shows it?",
    {
        "the training loss": "In training a BatchNorm divides by the statistics of the batch itself, so the training loss never looks at the running ones.",
        "the test loss": "Only evaluation reads the running statistics, and they still are what they were before the first step.",
        "neither": "No error and no difference in training, true. But evaluation reads the running statistics, and they never moved.",
    },
    answer=libraries.verdict(),
    hint="Press **Train both**.",
)
libraries.controls()
libraries.stage()
st.markdown(
    "Play, and look for the step at which the two test losses part; the training losses never do. *Test* here is the "
    "same points in evaluation, so that nothing but the running statistics can make the difference."
)

lesson.heading("What jit kept", "kept")
st.markdown(
    "Both programs take the whole state and give a whole state back. Nothing says so when one of them hands back arrays "
    "as they came in."
)
libraries.kept()

lesson.heading("The same network in three libraries", "race")
st.markdown(
    "One start, one data set, one optimizer; only the bookkeeping differs. *Getting ready* is to import, trace and "
    "compile, which takes next to no time once this server has done it; *furthest from by hand* is the largest relative difference "
    "of the losses."
)
libraries.racing()

lesson.heading("Where it keeps its state", "inside")
st.markdown(
    "Every array that a run keeps, the code that ran, and a trap: a mistake that is easy to make there. *Logits*, in the "
    "code, are the network’s raw outputs, one score for each point."
)
libraries.inside()

lesson.heading("Try it", "try")
bench(
    "libraries",
    (
        Experiment(
            "Count the wires",
            tries.count_the_wires,
            "How many arrays does one step by hand take in and give back?",
            "Each has to come out of the step and go into the next one. A library does it for all at once.",
        ),
        Experiment(
            "Take an NNX object apart",
            tries.take_nnx_apart,
            "An NNX model looks like an object that changes itself. Where is its state when it is split?",
            "State and structure come apart: `nnx.jit` does this before each call, and puts it together after. State in, state out.",
        ),
        Experiment(
            "Write on an Equinox module",
            tries.write_on_an_equinox_module,
            "An Equinox module is a pytree. What if a method does `self.n += 1`?",
            "It refuses, where plain Python would count and jit would forget. The state has to be another value.",
        ),
        Experiment(
            "Ask Haiku for names",
            tries.ask_haiku_for_names,
            "A Haiku network is a function without any object. How are its arrays found again?",
            "By the path of names inside the function: params in one dictionary, state in another, both outside it.",
        ),
    ),
)
lesson.end("libraries")
