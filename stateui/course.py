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


LESSONS = (
    Lesson(
        "home",
        "State in JAX",
        "A jitted function runs your Python once. State that hides in an object is read then, and never again. "
        "State that is passed in and handed back keeps working.",
        "the whole idea",
        ":material/home:",
    ),
    Lesson(
        "counter",
        "A counter that forgets to count",
        "Jit the method of an object that changes itself, and the change happens once: while JAX traces it.",
        "a number",
        ":material/tag:",
    ),
    Lesson(
        "regression",
        "Learning is threading params",
        "To train is to replace params, again and again. Under jit the new ones have to come out as a result.",
        "model parameters",
        ":material/show_chart:",
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
