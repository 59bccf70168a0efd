"""The errors of `functionalize`: each names the attribute, the problem and the remedy."""

from collections.abc import Iterable


class CannotFunctionalize(TypeError):
    """The pure function would not do what the method does.

    Attributes:
      attribute: what stands in the way, such as `self.n`.
      problem: what about it.
      remedy: what to do, in whole sentences.
    """

    def __init__(self, attribute: str, problem: str, remedy: str) -> None:
        super().__init__(f"{attribute} {problem}. {remedy}")
        self.attribute, self.problem, self.remedy = attribute, problem, remedy

    def __reduce__(self):
        return type(self), (self.attribute, self.problem, self.remedy)


class NotTheSame(CannotFunctionalize):
    """`verify` ran both, and they differ. `attribute` is `self.x` or `the output`."""


def keep_static(names: Iterable[str]) -> str:
    """The call that keeps attributes out of the state."""
    listed = ", ".join(f'"{name}"' for name in names)
    return f"functionalize(method, static=({listed}{',' if ',' not in listed else ''}))"
