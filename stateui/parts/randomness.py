"""The randomness lesson: a mistake and its fix, the key tree, draws as points, and the documentation’s own start."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import streamlit as st

from statecore import regression
from statecore.randomness import documentation, draws, keytree, trees
from statecore.randomness.documentation import Coincidence
from statecore.randomness.draws import Scatter
from statecore.randomness.keytree import KeyTree
from statecore.randomness.programs import programs
from stateui import lesson, progress, share, show, source, stage, theme
from stateui.figures import randomness as figures

_MISTAKES = {
    "numpy": "NumPy’s hidden generator",
    "self": "a key hidden in self",
    "reuse": "one key, used again",
}
_FIXES = {"split": "key split, the new one kept", "fold_in": "number folded into the key"}

SETTINGS = stage.SETTINGS | {
    "mistake": share.choice("numpy", tuple(_MISTAKES)),
    "fix": share.choice("split", tuple(_FIXES)),
    "seed": share.whole(0, 0, 2**32 - 1),
}
_TREES: dict[str, Callable] = {
    "deep": trees.deep,
    "wide": trees.wide,
    "folded": trees.folded,
    "one key for all": trees.reused,
    "same number folded": trees.folded_twice,
    "split and folded": trees.split_and_folded,
}
_DRAWS = (4, 8, 16)
_REUSED: dict[str, Callable] = {
    "same key": draws.same_key,
    "same key, another law": draws.same_key_other_law,
    "split and folded": draws.split_and_folded,
}
_FRESH: dict[str, Callable] = {"split": draws.split_keys, "fold_in": draws.folded_keys}
_SEED = 42
"""The seed of the documentation's regression."""
_SEEDS = 512
_WRAPPED = 7
"""The lines that the makers of keys take where they wrap."""


def arrive() -> None:
    """Read the settings. Another choice is another stage."""
    share.read("randomness", SETTINGS)
    chosen = tuple(st.session_state[f"randomness_{name}"] for name in ("mistake", "fix", "seed"))
    if st.session_state.get("randomness:of") != chosen:
        st.session_state["randomness:of"] = chosen
        st.session_state.pop("randomness:lanes", None)


def verdict() -> str | None:
    """What three calls of the broken side drew."""
    lanes: stage.Lanes = st.session_state.get("randomness:lanes", {})
    if not lanes or lanes["broken"].calls < 3:
        return None
    drawn = lanes["broken"].tape[:3]
    if any(isinstance(each, Exception) for each in drawn):
        return "an error"
    return "one number, three times" if len({float(each) for each in drawn}) == 1 else "three numbers"


def choices() -> None:
    """What is wrong on the stage, what fixes it, and the seed of all."""
    with st.container(key="settings", horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "What is wrong", list(_MISTAKES), key="randomness_mistake", on_change=_afresh, width=250,
            format_func=_MISTAKES.__getitem__,
        )  # fmt: skip
        st.segmented_control("Fixed by", list(_FIXES), key="randomness_fix", on_change=_afresh, required=True)
        st.number_input("Seed", 0, 2**32 - 1, key="randomness_seed", on_change=_afresh, width=160)


def panels() -> tuple[stage.Panel, ...]:
    """The mistake without jit where it works there, with jit, and fixed."""
    mistake, fix, seed = st.session_state["randomness:of"]
    made = programs(seed)[mistake]
    plain = (stage.Panel("plain", "Plain Python", made["plain"]),) if "plain" in made else ()
    return (
        *plain,
        stage.Panel("broken", f"jit, {_MISTAKES[mistake]}", made["broken"]),
        stage.Panel("fixed", f"jit, {_FIXES[fix]}", made[fix]),
    )


def about_the_fix() -> str:
    """What there is to know of the fix that is chosen."""
    if st.session_state["randomness_fix"] == "split":
        return (
            "`split` uses a key up and gives new ones: one to draw from, one to keep for the next call. The key is the "
            "state here, an argument and a result."
        )
    return (
        "`fold_in` makes a new key of a key and a number, such as the step. The first key never changes, so it does no "
        "harm that jit keeps it: what changes from call to call is the number, and that comes in as an argument."
    )


# --- the key tree -----------------------------------------------------------------------------------------


def tree() -> None:
    """The keys that a function makes and uses, drawn."""
    seed = st.session_state["randomness_seed"]
    with st.container(horizontal=True, vertical_alignment="bottom", key="trees"):
        st.button("Grow the trees", key="grow", type="primary", on_click=progress.ask, args=("randomness:trees",))
        count = st.segmented_control("Draws", _DRAWS, key="randomness_draws", default=8, required=True) or 8
        name = st.pills("Tree", list(_TREES), key="randomness_tree", default="deep", required=True) or "deep"
    found = progress.asked(
        "randomness:trees", (seed, count), partial(_grow, seed, count), len(_TREES), "Growing the trees"
    )
    grown = found[list(_TREES).index(name)] if found else None
    left, right = st.columns([2, 3])
    with left, st.container(key="tree_code", height="stretch"):
        st.html(source.lit(_TREES[name], rows=8) + _counted(grown))
    with right, st.container(key="tree_picture", height=340, border=False):
        st.html('<p class="part">' + " &nbsp; ".join(f"{sign} {word}" for _, sign, word, _ in figures.SIGNS.values()))
        if grown:
            lesson.chart(figures.key_tree(grown), "randomness_key_tree", _told_tree(name, grown))
        else:
            st.markdown("Not grown yet. Every tree is read from the program that JAX makes of the code beside it.")


def _grow(seed: int, count: int) -> Iterator[KeyTree]:
    for function in _TREES.values():
        yield keytree.key_tree(partial(_with_draws, function, count), jax.random.key(seed))


def _with_draws(function: Callable, count: int, key: Any) -> Any:
    return function(key, count)


def _counted(grown: KeyTree | None) -> str:
    """What the tree comes to, in numbers."""
    again = sum(len(key.used_by) for same in grown.reused for key in same) if grown else 0
    rows = {
        "keys": len(grown.keys) if grown else " ",
        "deep": grown.depth if grown else " ",
        "wide": grown.width if grown else " ",
        "uses of reused keys": again if grown else " ",
        "numbers drawn": len(grown.value) if grown else " ",
        "different ones": len({float(each) for each in grown.value}) if grown else " ",
    }
    return show.table({name: str(value) for name, value in rows.items()})


def _told_tree(name: str, grown: KeyTree) -> str:
    again = [len(same) for same in grown.reused]
    used = f"{sum(again)} of them used again." if again else "none is used twice."
    return f"The key tree of “{name}”: {len(grown.keys)} keys, {grown.depth} deep, {grown.width} wide; {used}"


# --- reused against fresh --------------------------------------------------------------------------------------


def scatter() -> None:
    """Two draws with a reused key beside two draws with fresh keys, as points."""
    seed = st.session_state["randomness_seed"]
    with st.container(horizontal=True, vertical_alignment="bottom", key="clouds"):
        st.button("Draw both", key="draw", type="primary", on_click=progress.ask, args=("randomness:clouds",))
        points = (
            st.segmented_control("Points", draws.POINTS, key="randomness_points", default=512, required=True) or 512
        )
        reused = st.pills("Reused", list(_REUSED), key="randomness_reused", default="same key", required=True)
        fresh = st.pills("Fresh", list(_FRESH), key="randomness_fresh", default="split", required=True)
    chosen = (_REUSED[reused or "same key"], _FRESH[fresh or "split"])
    functions = (*_REUSED.values(), *_FRESH.values())
    found = progress.asked(
        "randomness:clouds",
        (seed, points),
        lambda: (draws.scatter(function, seed, points) for function in functions),
        len(functions),
        "Drawing",
    )
    rows = max(map(source.height, functions))
    for column, role, function in zip(st.columns(2), ("broken", "fixed"), chosen, strict=True):
        drawn = found[functions.index(function)] if found else None
        with column, st.container(key=f"{role}_side_cloud", border=True, height="stretch"):
            title = "A key that was used before" if role == "broken" else "A key for each"
            st.html(theme.heading(role, title) + source.lit(function, rows=rows) + _correlated(drawn))
            _picture(f"{role}_cloud", role, drawn)


def _picture(key: str, role: str, drawn: Scatter | None) -> None:
    with st.container(key=f"{key}_picture", height=310, border=False):
        if drawn is None:
            st.markdown("Not drawn yet.")
            return
        told = f"{len(drawn.x):,} points, rank correlation {show.number(drawn.rank_correlation)}"
        lesson.chart(figures.cloud(drawn.x, drawn.y, role, "x", "y"), f"{key}_chart", told)


def _correlated(drawn: Scatter | None) -> str:
    return show.table(
        {
            "correlation": show.number(drawn.correlation) if drawn else " ",
            "correlation of ranks": show.number(drawn.rank_correlation) if drawn else " ",
        }
    )


# --- the documentation's regression ---------------------------------------------------------------------------------


def start() -> None:
    """The documentation's start of a regression, and the same with one more split: numbers, check and many seeds."""
    left, right = st.columns(2)
    with left:
        st.html(source.lit(documentation.start))
    with right:
        st.html(source.lit(documentation.start_checked))
    st.button("Start both", key="start_both", type="primary", on_click=progress.ask, args=("randomness:start",))
    found = progress.asked("randomness:start", _SEED, _look, 6, "Starting")
    sides = (
        ("broken", "As the documentation has it", regression.page_keys),
        ("fixed", "With one more split", regression.separate_keys),
    )
    for index, (column, side) in enumerate(zip(st.columns(2), sides, strict=True)):
        role, title, keys = side
        seen, error, many = found[3 * index : 3 * index + 3] if found else (None, None, None)
        with column, st.container(key=f"{role}_side_start", border=True, height="stretch"):
            st.html(
                theme.heading(role, title)
                + source.lit(keys, rows=_WRAPPED)
                + _same(seen)
                + _checked(error, bool(found))
            )
            with st.container(key=f"{role}_starts", height=330, border=False):
                if many is None:
                    st.markdown("Not started yet.")
                    continue
                st.html(f'<p class="part">weight against xs[0], for {len(many.weight):,} seeds</p>')
                told = f"The initial weight against the first input for {len(many.weight):,} seeds."
                picture = figures.cloud(many.first_x, many.weight, role, "first input, xs[0]", "initial weight")
                lesson.chart(picture, f"{role}_starts_chart", told)


def _look() -> Iterator[Any]:
    for keys in (regression.page_keys, regression.separate_keys):
        yield documentation.coincidence(keys, _SEED)
        yield documentation.caught(keys, _SEED)
        yield documentation.starts(keys, _SEEDS)


def _same(seen: Coincidence | None) -> str:
    """The first numbers side by side, and whether they are the same to the last bit."""
    if seen is None:
        return show.table(
            dict.fromkeys(("initial weight", "first input, xs[0]", "initial bias", "first noise", "same bits?"), " ")
        )
    return show.table(
        {
            "initial weight": show.number(seen.weight),
            "first input, xs[0]": show.number(seen.first_x),
            "initial bias": show.number(seen.bias),
            "first noise": show.number(seen.first_noise),
            "same bits?": "✗ yes: weight == xs[0], bias == noise[0]"
            if seen.same_numbers
            else "✓ no, they are strangers",
        }
    )


def _checked(error: Exception | None, done: bool) -> str:
    if not done:
        kind, told = "idle", "Not checked yet."
    elif error is None:
        kind, told = "compiled", "<code>jax.debug_key_reuse</code> has nothing to say."
    else:
        kind, told = "error", show.error_html(error)
    return theme.verdict(kind, told)


# --- small things ---------------------------------------------------------------------------------------------


def _afresh() -> None:
    """Another program starts at call 0, so that its first call is seen."""
    st.session_state["randomness_step"] = 0
