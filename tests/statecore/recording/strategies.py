"""Plain values, recordings and live values drawn at random."""

from hypothesis import strategies as st

from statecore.kept import Constant, Kept, Output
from statecore.origins import Origin
from statecore.recording import Code, Moment, Recording, Track
from statecore.recording.values import Array, Complex, Float, Key, Raised, Ref, Thing, Tracer, Tree, real
from statecore.slowmotion import TraceStep

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
REALS = st.floats().map(real)
WHOLE = st.integers(-(2**2048) + 1, 2**2048 - 1)
DIGEST = st.text("0123456789abcdef", min_size=16, max_size=16)
NUMBERS = st.lists(st.one_of(st.booleans(), st.integers(-(2**64), 2**64), REALS), max_size=4).map(tuple)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    WHOLE,
    TEXT,
    REALS.map(Float),
    st.builds(Complex, REALS, REALS),
    st.builds(Array, TEXT, NUMBERS),
    st.builds(Array, TEXT, st.just(()), DIGEST),
    st.builds(Key, TEXT, st.lists(st.integers(0, 2**32 - 1), max_size=4).map(tuple)),
    st.builds(Key, TEXT, st.just(()), DIGEST),
    st.builds(Tracer, TEXT),
    st.builds(Raised, TEXT, TEXT),
    st.builds(Thing, TEXT, TEXT),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Ref, inner), st.builds(Tree, TEXT, st.lists(st.tuples(TEXT, inner), max_size=3).map(tuple))
    ),
    max_leaves=6,
)
NAMED = st.lists(st.tuples(TEXT, VALUES), max_size=2).map(tuple)
FILES = st.sampled_from(["a.py", "b/c.py", "<string>"])
LINE = st.tuples(FILES, st.integers(0, 10_000))
LINES = st.lists(LINE, max_size=4).map(tuple)
TEXTS = st.lists(TEXT, max_size=2).map(tuple)
STEP = st.builds(TraceStep, LINE, st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple), TEXTS)
ORIGIN = st.none() | st.builds(Origin, TEXT, st.booleans(), VALUES)
KEPT = st.builds(
    Kept,
    TEXT,
    TEXTS,
    st.lists(st.builds(Constant, TEXT, VALUES, ORIGIN, TEXTS), max_size=2).map(tuple),
    st.lists(st.builds(Output, TEXTS, VALUES, st.none() | TEXT), max_size=2).map(tuple),
)
CODE = st.builds(Code, TEXT, TEXT, FILES, st.integers(0, 10_000), TEXT)


@st.composite
def tracks(draw, name: str, calls: int) -> Track:
    programs = tuple(draw(st.lists(KEPT, max_size=2)))
    kept = st.sampled_from([None, *range(len(programs))])
    counts = st.integers(0, 1000)
    moment = st.builds(
        Moment,
        LINES,
        LINES,
        st.booleans(),
        counts,
        VALUES,
        NAMED,
        NAMED,
        kept,
        TEXTS,
        VALUES,
        st.lists(STEP, max_size=2).map(tuple),
        counts,
    )
    moments = tuple(draw(moment) for _ in range(calls))
    return Track(name, tuple(draw(st.lists(CODE, max_size=2))), draw(NAMED), moments, programs)


@st.composite
def recordings(draw) -> Recording:
    names = draw(st.lists(TEXT, max_size=2, unique=True))
    calls = draw(st.integers(0, 3))
    return Recording(tuple(draw(tracks(name, calls)) for name in names))
