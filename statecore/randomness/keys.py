"""One key of a tree."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    """One key.

    Attributes:
      index: its place in `KeyTree.keys`.
      data: its numbers, as `jax.random.key_data` gives them.
      parent: the index of the key it was made from; None for the first ones.
      made_by: `argument`, `key` (of a seed), `split 1 of 3` (counted from 1) or `fold_in 7`.
      depth: how many times a key was split or folded to get here.
      used_by: what consumed it: `split`, or the function that drew, such as `normal`.
      children: the indices of the keys made from it.
    """

    index: int
    data: tuple[int, ...]
    parent: int | None
    made_by: str
    depth: int
    used_by: tuple[str, ...] = ()
    children: tuple[int, ...] = ()

    @property
    def consumed(self) -> bool:
        """True when it was split or drawn from: it must not be used again."""
        return bool(self.used_by)
