"""What lessons with a player share: forks in the address, and what the player asks of the server."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from statecore.training import Rates
from stateui import share


@dataclass(frozen=True)
class Forks:
    """Which forks a lesson takes: up to step `last`, rates from `low` to `high`, at most `most` of them.

    In the address they are pairs of step and learning rate such as `250:0.1,400:0.5`.
    """

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


@dataclass(frozen=True)
class Asked:
    """A fork that the player asks for. The player numbers them, so that none is answered twice."""

    serial: int = 0
    step: int = 0
    rate: float = 0.0


def asked(lesson: str, forks: Forks) -> Asked:
    """The fork that the lesson's player asks for now, its rate moved into what the lesson takes."""
    sent: Mapping[str, Any] = st.session_state[f"{lesson}_player"].fork
    rate = min(max(float(sent["rate"]), forks.low), forks.high)
    return Asked(int(sent["serial"]), int(sent["step"]), rate)


def remember_rates(lesson: str, rates: Rates) -> None:
    """Let the address say how the line of training shown came about."""
    (_, first), *later = rates
    st.session_state.update({f"{lesson}_learning_rate": first, f"{lesson}_forks": Forks.written(later)})


def rested(lesson: str, verdict: Callable[[], str | None]) -> None:
    """Remember where the player has come to rest, and whether that settles the prediction.

    The prediction stands outside the fragment. It is judged once, with a run of the
    whole page, which `<lesson>:judge` asks for.
    """
    judged = verdict() is not None
    st.session_state[f"{lesson}_step"] = int(st.session_state[f"{lesson}_player"].step)
    st.session_state[f"{lesson}:judge"] = verdict() is not None and not judged


def label(rates: Rates) -> str:
    """What a reader calls a branch: its rates, and from which step each holds."""
    (_, first), *later = rates
    return ", ".join([f"rate {first:g}", *(f"{rate:g} from step {step}" for step, rate in later)])
