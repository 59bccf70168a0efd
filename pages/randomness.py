"""Keys: state you can hold."""

import streamlit as st

from stateui import lesson

lesson.begin("randomness")

from statecore.randomness import tries
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
    "A *key* is a random generator’s whole state as a value, made from a seed. JAX’s usual generator is called threefry: "
    "its keys are two whole numbers, and a program says `key<fry>[]`. The keys of another one, rbg, are four. "
    + randomness.about_the_fix()
)
programs(panels, lanes)

lesson.heading("Many keys from one", "tree")
st.markdown(
    "Rule one: use a key in one way only. Draw from it once, or split it once, or fold numbers into it, each number once "
    "(`fold_in` makes a key of a key and a number). Never do two of these with one key: as JAX comes, the first key of a split is the "
    "key with 0 folded in. Rule two: keep the tree of keys wide rather than deep. In a deep tree a draw waits "
    "for all the splits before it; in a wide one every key is there at once, for `vmap` or for another machine."
)
randomness.tree()

lesson.heading("Reused against fresh", "scatter")
st.markdown(
    "Each point is two draws that should know nothing of each other. With a used key they do, even where they follow "
    "different laws (normal, uniform), or where the key was first split and then folded. The correlation is near 0 where "
    "x says nothing of y, and 1 on a rising line; the correlation of ranks is 1 on any rising curve."
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
            "A loop that splits but forgets to keep the new key. What does it draw?",
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
            "Checked, split and folded",
            tries.unnoticed_reuse,
            "A typed key is split and also folded, and both new keys are drawn from. Does the checker notice?",
            "It does not, and the two numbers are one. It counts draws and splits of a key; a fold uses nothing up. It also "
            "misses one seed used in two places, and one number folded in twice.",
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
            "They are the same. Asking for another count is not a fresh start: the key was used both times. (With "
            "`jax_threefry_partitionable` switched off, as older versions had it, the two differ. Do not rely on either.)",
        ),
        Experiment(
            "A generator on a Ref",
            tries.generator_on_a_ref,
            "`stateful_rng` has the methods of NumPy’s generator. Three calls under jit: one number three times?",
            "Three numbers. It keeps a key and a counter, and the counter lives in a Ref: JAX sees that each draw changes it. "
            "The lesson on Refs says what such a box may do.",
        ),
        Experiment(
            "…under vmap",
            tries.generator_under_vmap,
            "The same generator, used in a function that `vmap` runs for three numbers. Three draws?",
            "JAX refuses. Three lanes would have to change one counter, and vmap has no order for them. Split a key, one for "
            "each lane.",
        ),
    ),
)
lesson.end("randomness")
