"""Forks in the address: pairs of step and learning rate such as `250:0.1,400:0.5`."""

from collections.abc import Iterable
from dataclasses import dataclass

from stateui import share


@dataclass(frozen=True)
class Forks:
    """Which forks a lesson takes: up to step `last`, rates from `low` to `high`, at most `most` of them."""

    last: int
    low: float
    high: float
    most: int

    @property
    def setting(self) -> share.Setting:
        """For the lesson's settings; a text that fits is written the one way."""
        return share.Setting("", lambda text: self.written(self.pairs(text)), "pairs of step and rate such as 250:0.1")

    def pairs(self, text: str) -> list[tuple[int, float]]:
        """The pairs in a text; ValueError when one does not fit."""
        step, rate = share.whole(0, 1, self.last).parse, share.real(0, self.low, self.high).parse
        parts = [part.partition(":") for part in text.split(",") if part][: self.most]
        return [(step(left), rate(right)) for left, _, right in parts]

    @staticmethod
    def written(pairs: Iterable[tuple[int, float]]) -> str:
        return ",".join(f"{step}:{rate:g}" for step, rate in pairs)
