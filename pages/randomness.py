"""Keys: state you can hold."""

import streamlit as st

from stateui import lesson

lesson.begin("randomness")

from statecore.randomness import experiments as tries
from stateui.experiment import Experiment, bench
from stateui.parts import randomness
from stateui.predict import predict
from stateui.stage import programs, stage

randomness.arrive()
predict(
    "randomness",
    "Three calls of a jitted function that draws a random number. Where its randomness comes from is hidden from JAX, "
    "or is the same each time. What comes out?",
    {
        "three numbers": "That is what a generator does in plain Python: each draw changes it. JAX does not see that change.",
        "one number, three times": "To jit, a hidden generator is one more thing to read once, while tracing; and the same key always gives the same number.",
        "an error": "Nothing fails. A number that never changes looks just like a random one, once.",
    },
    answer=randomness.verdict(),
    hint="Press **Step** three times to find out.",
)
randomness.choices()
panels = randomness.panels()
lanes = stage("randomness", panels, settings=randomness.SETTINGS)

lesson.heading("What jit kept", "kept")
st.markdown(
    "A *key* (a program says `key<fry>[]`) is a random generator’s whole state as a value: two whole numbers, made "
    "from a seed. "
    + randomness.about_the_fix()
)
programs(panels, lanes)

lesson.heading("Many keys from one", "tree")
st.markdown(
    "Rule one: draw from a key or split it, once; `fold_in`, which makes a key of a key and a number, may take the same "
    "key again with another number. Rule two: keep the tree of keys wide rather than deep. In a deep tree a draw waits "
    "for all the splits before it; in a wide one every key is there at once, for `vmap` or for another machine."
)
randomness.tree()

lesson.heading("Reused against fresh", "scatter")
st.markdown(
    "Each point is two draws that should know nothing of each other. With a used key they do, even where they follow "
    "different laws (normal, uniform), or where the key was first split and then folded. The correlation is near 0 for "
    "strangers and 1 on a rising line, that of ranks on any rising curve."
)
randomness.scatter()

lesson.heading("It happens to the best", "documentation")
st.markdown(
    "JAX’s own regression example draws its data and its initial params (weight and bias) from one key. Nothing fails; "
    "but the weight, which should be random, is the first input, for every seed. `jax.debug_key_reuse` makes that an "
    "error."
)
randomness.start()

lesson.heading("Try it", "try")
bench(
    "randomness",
    (
        Experiment(
            "Split twice",
            tries.split_twice,
            "One key is split, and later split again. Are the new keys new?",
            "Splitting uses a key up just as drawing does: the same key gives the same children.",
        ),
        Experiment(
            "Same seed elsewhere",
            tries.same_seed_elsewhere,
            "Two places, each with a key of its own, made from one seed. Are they independent?",
            "A key is nothing but its numbers. Make one key per program, and split the rest from it.",
        ),
        Experiment(
            "The old key again",
            tries.old_key_again,
            "A loop that splits but forgets to hand the new key on. What does it draw?",
            "The new key was dropped, so each turn starts from the old one: state out is half of the fix.",
        ),
        Experiment(
            "Checked",
            tries.checked_reuse,
            "The reused key from the stage, under `jax.debug_key_reuse`. Does it notice?",
            "It does: the checker keeps track of which *typed* keys, those of `jax.random.key`, were used.",
        ),
        Experiment(
            "Checked, an old-style key",
            tries.unchecked_raw_key,
            "The same with `jax.random.PRNGKey`, which makes a bare array. Does it notice?",
            "To the checker this is an array like any other, so it says nothing. Prefer `jax.random.key`.",
        ),
        Experiment(
            "All at once",
            tries.draws_at_once,
            "A wide tree’s keys, drawn from one by one and by `vmap`. The same numbers?",
            "A key decides its draw, not the order in which draws are made. That is what wide trees are for.",
        ),
        Experiment(
            "Two, or three",
            tries.three_of_two,
            "The first of two keys, and the first of three, from one key. Different?",
            "They need not be. Asking for another count is not a fresh start: the key was used both times.",
        ),
    ),
)
lesson.end("randomness")
