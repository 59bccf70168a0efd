"""The course: one table of lessons, from which the sidebar, the map and the links are made."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Lesson:
    """One lesson.

    Attributes:
      name: its path in the address, and the file in `pages/`; `home` is `app.py`.
      title: its heading.
      claim: what it shows, in one sentence.
      state: the kind of state it is about, in a word or two.
      icon: a Material symbol shipped with Streamlit.
    """

    name: str
    title: str
    claim: str
    state: str
    icon: str

    @property
    def page(self) -> str:
        """The file that Streamlit runs, relative to `app.py`."""
        return "app.py" if self.name == "home" else f"pages/{self.name}.py"


LESSONS: tuple[Lesson, ...] = (
    Lesson(
        "home",
        "State in JAX",
        "A jitted function runs your Python to trace it: to write down the program that later calls run. It does so once for "
        "each kind of argument: each shape, each dtype, each static value. State that hides in an object is read then, and "
        "not when the program runs; state that is passed in and returned keeps working.",
        "the whole idea",
        ":material/home:",
    ),
    Lesson(
        "counter",
        "A counter that forgets to count",
        "Jit the method of an object that changes itself, and the change happens once: while JAX traces it, "
        "running the Python to write down a program.",
        "a number",
        ":material/tag:",
    ),
    Lesson(
        "purity",
        "What jit, vmap and grad assume",
        "They assume a pure function: same arguments, same result, nothing else read or changed. "
        "Each broken assumption has its own symptom, and its own fix.",
        "everything outside",
        ":material/visibility_off:",
    ),
    Lesson(
        "strategy",
        "State in, state out",
        "Any method that changes its object can be rewritten as a function from state to output and new state. "
        "One small function does it for most of them.",
        "any object’s attributes",
        ":material/swap_horiz:",
    ),
    Lesson(
        "randomness",
        "Keys: state you can hold",
        "A random generator hides its state. A JAX key is that state in your hand: split it, and use each part once.",
        "a random key",
        ":material/key:",
    ),
    Lesson(
        "regression",
        "Learning is threading params",
        "To train is to replace params, the numbers of a model, again and again. To thread them is to hand the new ones on: "
        "out of one call as a result, into the next as an argument.",
        "model parameters",
        ":material/show_chart:",
    ),
    Lesson(
        "optimizer",
        "The optimizer remembers too",
        "Plain gradient descent (SGD) remembers nothing; momentum and Adam carry a memory from step to step. "
        "Forget to hand it on, and nothing fails: it only learns as if each step were the first.",
        "optimizer state",
        ":material/history:",
    ),
    Lesson(
        "batchnorm",
        "Layers with a memory",
        "A layer that keeps running statistics has state of its own: it must come out of training, and stand still in evaluation.",
        "running statistics",
        ":material/layers:",
    ),
    Lesson(
        "transformations",
        "Loops, batches and gradients of state",
        "Once state is an argument and a result, a whole run is a value: compile it in one loop, batch it, differentiate it.",
        "what a loop carries",
        ":material/all_inclusive:",
    ),
    Lesson(
        "refs",
        "Refs: mutation that JAX can see",
        "A Ref is a box that jitted code may write to. Before it compiles, JAX turns the Ref back into state in, state out.",
        "a Ref",
        ":material/edit_note:",
    ),
    Lesson(
        "libraries",
        "Dozens of layers",
        "With two dozen layers, threading state by hand is bookkeeping. Libraries differ in where they keep the state, not in "
        "whether there is any.",
        "a whole network’s",
        ":material/account_tree:",
    ),
)


def lesson(name: str) -> Lesson:
    """The lesson of that name; KeyError when there is none."""
    return {lesson.name: lesson for lesson in LESSONS}[name]


def neighbours(name: str) -> tuple[Lesson | None, Lesson | None]:
    """The lessons before and after it, None at either end."""
    index = LESSONS.index(lesson(name))
    before = LESSONS[index - 1] if index else None
    after = LESSONS[index + 1] if index + 1 < len(LESSONS) else None
    return before, after
