"""Layers with a memory."""

from importlib.util import find_spec

import streamlit as st

from stateui import lesson

lesson.begin("batchnorm")

from statecore.batchnorm import tries
from stateui.experiment import Experiment, bench
from stateui.parts import batchnorm as layers
from stateui.predict import predict
from stateui.stage import programs, stage

st.markdown(
    "A batch normalisation layer brings the numbers that pass through a network to mean 0 and standard deviation 1. In "
    "training it uses the mean and variance of the batch at hand, and keeps running means of both, its *running "
    "statistics*; in evaluation, when the network is only used, it uses those."
)
predict(
    "batchnorm",
    "The running statistics live on `self`, and `apply` is jitted. It is trained on one batch, then evaluated on the next. What comes out?",
    {
        "the right output": "In plain Python it would. Under jit the new statistics never came out of the training program.",
        "outdated statistics": "That happens when the evaluation is compiled before any training: choose the other order and see.",
        "an error": "Training left tracers on `self`. The evaluation is a program of its own, and meets them when it is traced.",
    },
    answer=layers.verdict(),
    hint="Press **Step** twice.",
)
panels = layers.order()
lanes = stage(layers.STAGE, panels, compact=True, linked=False)
without_jit = layers.plain(lanes)

lesson.heading("What came out", "outputs")
layers.outputs(lanes, without_jit)

lesson.heading("Closing in on the data", "stream")
st.markdown(
    "Batch after batch from the same source. The broken layer was evaluated once before it was trained, so it never raises: "
    "it goes on evaluating with what it knew then."
)
layers.stream()

lesson.heading("What jit kept", "kept")
st.markdown(
    "`train` is a *static* argument: a Python value that chooses between two programs, so each is traced once. "
    "Below is the one that the last call ran."
)
programs(panels, lanes)

lesson.heading("Try it", "try")
experiments = [
    Experiment(
        "Frozen evaluation",
        tries.frozen_evaluation,
        "Train without jit, evaluate with it. The same point after each of four batches: what comes out?",
        "No error this time, and worse for it: the evaluation runs on with the statistics of its first call.",
    ),
    Experiment(
        "Drop the statistics",
        tries.dropped_state,
        "The layer is pure now, but the caller throws the new statistics away. Where are they after four batches?",
        "Where they began. Training does not notice, since it uses the batch’s own: only evaluation is wrong.",
    ),
    Experiment(
        "Keep them",
        tries.kept_state,
        "The same four batches, and each call is given the state that the last one returned.",
        "The fix is half in the caller, as it was for the counter.",
    ),
    Experiment(
        "A batch of two",
        tries.pairs,
        "In training, two different pairs of numbers. What does the layer make of each?",
        "Of any two numbers one is a step above their mean and one below: nothing else is left of them.",
    ),
    Experiment(
        "Neighbours",
        tries.neighbours,
        "The same example, beside 0 and beside 5. Does its output change?",
        "In training it depends on who else is in the batch. In evaluation it must not, and does not.",
    ),
    Experiment(
        "Learning as well",
        tries.gradients,
        "Scale and bias are learned, the statistics are followed. How do both come out of one step?",
        "Inside `update`, `grad` is told `has_aux=True`: the statistics come out beside the loss, and are not differentiated.",
    ),
]
if find_spec("flax"):
    experiments.append(
        Experiment(
            "Beside Flax",
            tries.beside_flax,
            "One batch, the same momentum, Flax’s layer and ours.",
            "The same running statistics: Flax means the same by momentum.",
        )
    )
if find_spec("equinox"):
    experiments.append(
        Experiment(
            "Beside Equinox",
            tries.beside_equinox,
            "One batch, the same momentum, Equinox’s layer in its `batch` mode and ours.",
            "The same numbers are stored. Equinox corrects them for their start when it evaluates.",
        )
    )
bench("batchnorm", tuple(experiments))
lesson.end("batchnorm")
