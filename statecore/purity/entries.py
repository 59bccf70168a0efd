"""The catalogue of impurities: what there is, how it reads, and how a file of it is loaded."""

import importlib.util
import types
from dataclasses import dataclass
from pathlib import Path

from statecore.printing import Printer


@dataclass(frozen=True)
class Entry:
    """One impurity.

    Attributes:
      name: the module in `statecore.purity.catalogue`.
      title: what a reader calls it.
      claim: what happens, in one line.
      reason: why, in one line.
      issue, issue_title: where people met it, on JAX's public tracker; None where no thread is known.
      transformations: where it bites, the most telling first; of `COMPARISONS`.
      fixes: the sides that fix it.
      asides: further parts of the file, shown as code and never played.
      unseen: why `statecore.checker.check` cannot see it; empty where it does.
    """

    name: str
    title: str
    claim: str
    reason: str
    issue: int | None = None
    issue_title: str = ""
    transformations: tuple[str, ...] = ("jit",)
    fixes: tuple[str, ...] = ("fixed",)
    asides: tuple[str, ...] = ()
    unseen: str = ""

    @property
    def url(self) -> str:
        return f"https://github.com/jax-ml/jax/issues/{self.issue}"

    @property
    def sides(self) -> tuple[str, ...]:
        return ("broken", *self.fixes)

    @property
    def path(self) -> Path:
        """The file of the entry."""
        return Path(__file__).with_name("catalogue") / f"{self.name}.py"


ENTRIES: tuple[Entry, ...] = (
    Entry(
        "self_number",
        "A number on self",
        "The method counts its calls; jitted, it counts only the first.",
        "jit ran the Python once, while tracing, and kept the number it found there.",
        5595,
        "JIT for class method",
        ("jit", "vmap", "grad"),
    ),
    Entry(
        "self_array",
        "An array on self",
        "The total stops growing, and what is left on self is no array any more.",
        "While tracing, self was given a tracer: a stand-in that means nothing once the trace is over.",
        15817,
        "class method does not modify attributes when jitted",
    ),
    Entry(
        "global_read",
        "A global that is read",
        "The factor changes before every call; the jitted function never hears of it.",
        "A global is no argument: its value at the first call became a constant of the program.",
        28225,
        "Order of function definition impacts JIT behaviour but not regular evaluation",
        unseen="nobody changes the global while it looks, so it can only say that the value is baked in",
    ),
    Entry(
        "global_write",
        "A global that is written",
        "Every output is right, and the count beside it is wrong.",
        "The counting line is Python: it ran while tracing, and is not part of the compiled program.",
        1348,
        "Use of global keyword",
        ("jit", "grad"),
    ),
    Entry(
        "leaked_tracer",
        "A leaked tracer",
        "Every output is right; the value put aside fails as soon as somebody uses it.",
        "What was put aside is a tracer, and its trace has ended: UnexpectedTracerError.",
        3086,
        "Please consider facilitating debugging leaked tracers",
        ("jit", "grad"),
    ),
    Entry(
        "closure_rebound",
        "A captured variable rebound",
        "The rate is set again before every call; the jitted function keeps the first.",
        "A captured variable is no argument: its value at the first call became a constant of the program.",
        1426,
        "JIT loses access to local variables",
        unseen="nobody changes the captured variable while it looks, so it can only say that the value is baked in",
    ),
    Entry(
        "list_append",
        "A list that is appended to",
        "One loss is recorded instead of three, and it is a tracer.",
        "append ran while tracing, so it appended a tracer; a compiled call appends nothing.",
        1708,
        "lax.while_loop calls body_fun only once",
        ("jit", "vmap", "grad"),
    ),
    Entry(
        "dict_memo",
        "A memo in a dictionary",
        "Here plain Python is wrong and the jitted function right.",
        "The memo has no key, so plain Python reuses the first answer; the program computes it from its argument.",
        5344,
        "Caching data best practice?",
    ),
    Entry(
        "print_line",
        "A printed line",
        "Three calls, one line, and it shows a tracer.",
        "print ran while tracing. jax.debug.callback runs with the program, but may be moved, dropped or doubled.",
        196,
        "How to print values inside a @jit-compiled function?",
        ("jit", "vmap", "grad"),
        asides=("in a script of your own",),
        unseen="a printed line is no output and no state",
    ),
    Entry(
        "numpy_random",
        "NumPy's random numbers",
        "The noise of the first call comes back at every call, and to every example of a batch.",
        "The hidden generator was asked once: its answer is a constant. A key, its state as a value, is an argument.",
        29277,
        "Suggestion add a random generator class that works with vmap, jit, etc.",
        ("jit", "vmap"),
    ),
    Entry(
        "python_random",
        "Python's random numbers",
        "A die that falls the same way every time.",
        "The hidden generator was asked once: its answer is a constant. A key, its state as a value, is an argument.",
        2009,
        "Proposal for PRNG key replacement.",
        ("jit", "vmap"),
    ),
    Entry(
        "clock",
        "The clock",
        "Time stands still at the first call.",
        "The clock was read while tracing; what time it was is a constant of the program.",
        1141,
        "Consider tracing twice to detect Python side effects",
        ("jit", "grad"),
    ),
    Entry(
        "iterator",
        "An iterator",
        "Every call is handed the first batch.",
        "next() ran while tracing; the item it gave is a constant of the program.",
        3567,
        "Using iterator with fori_loop",
    ),
    Entry(
        "iterator_in_loop",
        "An iterator in a compiled loop",
        "The sum of 0 to 9 is 45; the compiled loop says 0.",
        "The loop's body is traced once: all ten rounds add the item that next() gave then.",
        3567,
        "Using iterator with fori_loop",
        ("fori_loop",),
    ),
    Entry(
        "mutable_default",
        "A mutable default argument",
        "The list remembers every call; the jitted function remembers the first.",
        "A default is made once and lives on the function: state that no signature shows.",
    ),
    Entry(
        "in_place",
        "A write into an argument",
        "It works on a NumPy array, and changes the caller's; under jit it is refused.",
        "A traced array is immutable: x.at[i].set(v) returns a new one instead.",
        101,
        "Numpy-style indexed update support.",
    ),
    Entry(
        "python_if",
        "A Python if on a traced value",
        "Plain Python chooses; jit and vmap cannot, and say so.",
        "The tracer stands for every value, so it is neither true nor false; grad alone knows the value.",
        24740,
        "TracerBoolConversionError",
        ("jit", "vmap", "grad"),
        ("fixed", "fixed_cond"),
    ),
    Entry(
        "lru_cache_argument",
        "lru_cache on an argument",
        "A cache of results works on numbers and refuses arrays, so it refuses tracers too.",
        "lru_cache needs arguments that it can hash, and no array of JAX can be hashed, with or without jit.",
        883,
        "DeviceArray as static argument: incompatible with jit cache?",
    ),
    Entry(
        "lru_cache_constant",
        "lru_cache on an array made inside",
        "Every output is right, and then the cache hands a tracer to everybody else.",
        "The array was made during a trace, so it is a tracer, and the cache keeps it after the trace.",
        5344,
        "Caching data best practice?",
    ),
)


def entry(name: str) -> Entry:
    """The entry of that name. Raises KeyError, naming those there are."""
    for candidate in ENTRIES:
        if candidate.name == name:
            return candidate
    raise KeyError(f"no entry {name!r}: there are {', '.join(each.name for each in ENTRIES)}")


@dataclass(frozen=True)
class Source:
    """A part of an entry's file: its text and the number of its first line."""

    text: str
    first_line: int


def source(entry: Entry, part: str) -> Source:
    """The lines of a side, or of an aside, as they stand in the entry's file, without its imports."""
    if part not in entry.asides:
        check_side(entry, part)
    lines = entry.path.read_text(encoding="utf-8").splitlines()
    start = lines.index(f"# {part}") + 1
    end = next((n for n in range(start, len(lines)) if lines[n].startswith("# ")), len(lines))
    while not lines[start]:
        start += 1
    return Source("\n".join(lines[start:end]).rstrip(), start + 1)


def imports(entry: Entry) -> Source:
    """What stands above both sides: the imports, and helpers they share; often nothing."""
    lines = entry.path.read_text(encoding="utf-8").splitlines()
    start, end = 1, lines.index("# broken")
    while start < end and not lines[start]:
        start += 1
    return Source("\n".join(lines[start:end]).rstrip(), start + 1)


def load(entry: Entry) -> types.ModuleType:
    """Run the entry's file in a namespace of its own.

    Nothing is shared with another namespace of the same file: not its globals,
    not its classes, not its functions. Its `print` is a `Printer`, which keeps the lines.
    """
    spec = importlib.util.find_spec(f"statecore.purity.catalogue.{entry.name}")
    assert spec is not None
    assert spec.loader is not None
    namespace = importlib.util.module_from_spec(spec)
    namespace.__dict__["print"] = Printer()
    spec.loader.exec_module(namespace)
    return namespace


def check_side(entry: Entry, side: str) -> None:
    """Raises ValueError for a side that the entry does not have."""
    if side not in entry.sides:
        raise ValueError(f"{entry.name} has the sides {', '.join(entry.sides)}, not {side!r}")
