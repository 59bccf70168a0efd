"""One visitor's training: what was asked for, what was trained, and what the player wants next."""

from dataclasses import dataclass, replace
from typing import Any, TypeVar

import streamlit as st

from statecore import regression, training
from statecore.regression import sides
from statecore.regression.sides import Sides
from statecore.training import Training
from statecore.work import Work
from stateui import progress, share, visits
from stateui.visits import Asked

T = TypeVar("T")

LOW_RATE, HIGH_RATE = 0.0005, 3.0
QUICK_WORK = 5_000_000
"""Points x steps below which no progress bar could be read."""


FORKS = visits.Forks(last=max(regression.STEPS), low=LOW_RATE, high=HIGH_RATE, most=training.MAX_BRANCHES - 1)

SETTINGS = {
    "seed": share.whole(42, 0, 2**32 - 1),
    "learning_rate": share.real(regression.LEARNING_RATE, LOW_RATE, HIGH_RATE),
    "steps": share.choice(1_000, regression.STEPS),
    "points": share.choice(128, regression.POINTS),
    "noise": share.real(0.5, 0.0, 5.0),
    "weight": share.real(2.0, -10.0, 10.0),
    "bias": share.real(-1.0, -10.0, 10.0),
    "exact": share.choice(False, (False, True)),
    "forks": FORKS.setting,
    "step": share.whole(0, 0, max(regression.STEPS)),
}
EXACT = {
    "seed": 42,
    "steps": 1_000,
    "points": 128,
    "noise": 0.5,
    "weight": 2.0,
    "bias": -1.0,
}
_OF_THE_PLAYER = {"step", "learning_rate", "forks"}
"""Settings that the player changes: they do not start a new run."""


@dataclass(frozen=True)
class Visit:
    """This visitor's training.

    Attributes:
      settings: what it was made from.
      sides: the run with all its branches, and the jitted trainer beside each.
      serial: the last fork that was answered.
      start: the step at which the player opens.
      answer: what a replay found, in words.
      note: what of the address could not be shown, in words.
      stale: whether it is to be made again.
    """

    settings: dict[str, Any]
    sides: Sides
    serial: int
    start: int
    answer: str = ""
    note: str = ""
    stale: bool = False

    @property
    def training(self) -> Training[regression.Params]:
        """The pure side."""
        return self.sides.training


def current() -> Visit | None:
    """This visitor's training, or None before there is one."""
    return st.session_state.get("regression:visit")


def store(visit: Visit, **changes: Any) -> Visit:
    """Keep the visit, with changes."""
    visit = replace(visit, **changes)
    st.session_state["regression:visit"] = visit
    return visit


def up_to_date() -> Visit | None:
    """Do what was asked for: a run for new settings, a fork, a replay. None when it is too much work."""
    visit = current()
    if visit is None or visit.stale or visit.settings != _wanted():
        visit = _trained(visit)
    return _replayed(_forked(visit)) if visit else None


def heavy() -> bool:
    """Whether what was asked for takes long: then it needs a run of the whole page, which Cancel can end."""
    visit = current()
    asked = _asked().serial > (visit.serial if visit else 0)
    return bool(visit and (asked or "regression:replay" in st.session_state) and _size(visit) > QUICK_WORK)


def too_much() -> bool:
    """Whether the settings ask for more than a run may be."""
    return st.session_state["regression_points"] * st.session_state["regression_steps"] > training.MAX_WORK


# --- callbacks ---------------------------------------------------------------------------------------------


def cancel() -> None:
    """Back to the settings of the last finished run, or to the defaults; a fork counts as answered."""
    visit, fork = current(), _asked()
    for asked in ("regression:fork", "regression:replay"):
        st.session_state.pop(asked, None)
    kept = visit.settings if visit else {name: SETTINGS[name].default for name in _wanted()}
    st.session_state.update({f"regression_{name}": value for name, value in kept.items()})
    if visit:
        store(visit, stale=False, serial=max(visit.serial, fork.serial))


def restart() -> None:
    """Drop all branches and begin again, at step 0."""
    visit = current()
    if visit:
        store(visit, stale=True)
    st.session_state.update(regression_step=0, regression_forks="")


def chose_exact() -> None:
    """Begin the JAX page's run at its own rate, without forks."""
    st.session_state["regression_forks"] = ""
    if st.session_state["regression_exact"]:
        st.session_state["regression_learning_rate"] = regression.LEARNING_RATE


def keep_exact() -> None:
    """As long as exactly the JAX page's run is chosen, its settings hold, whatever an address says."""
    if st.session_state["regression_exact"]:
        st.session_state.update({f"regression_{name}": value for name, value in EXACT.items()})


def asked_fork() -> None:
    """The player asks for a branch: remember it, the work comes later."""
    st.session_state["regression:fork"] = visits.asked("regression", FORKS)


def asked_replay() -> None:
    st.session_state["regression:replay"] = True


def switched() -> None:
    """Show another branch."""
    visit = current()
    if visit:
        both = sides.switch(visit.sides, st.session_state["regression_branch"])
        _remember_rates(both.training)
        store(visit, sides=both, start=st.session_state["regression_step"], answer="")


# --- the work ------------------------------------------------------------------------------------------------


def _wanted() -> dict[str, Any]:
    return {name: st.session_state[f"regression_{name}"] for name in SETTINGS if name not in _OF_THE_PLAYER}


def _asked() -> Asked:
    """The last fork that the player asked for."""
    return st.session_state.get("regression:fork", Asked())


def _size(visit: Visit) -> int:
    return visit.training.steps * visit.training.data.x.shape[0]


def _drive(work: Work[T], what: str, size: int) -> T:
    return progress.drive(work, what, on_cancel=cancel, visible=size > QUICK_WORK)


def _trained(visit: Visit | None) -> Visit | None:
    """A new run for the settings, with the forks that the address names."""
    if too_much():
        return None
    now, state = _wanted(), st.session_state
    keys = regression.page_keys if now["exact"] else regression.separate_keys
    data_key, params_key = keys(now["seed"])
    data = regression.make_data(data_key, now["points"], now["weight"], now["bias"], now["noise"])
    size, steps = now["points"] * now["steps"], now["steps"]
    first_rate = state["regression_learning_rate"]
    both = _drive(sides.begin(data, regression.init(params_key), first_rate, steps), "Training", size)
    for step, rate in FORKS.pairs(state["regression_forks"]):
        if step <= steps and not both.training.full:
            both = _drive(sides.fork(both, step, rate), "Forking", size)
    start, note = share.start("regression", steps)
    return store(Visit(now, both, visit.serial if visit else 0, start, note=note))


def _forked(visit: Visit) -> Visit:
    """The fork that the player asked for, if any."""
    asked = _asked()
    if asked.serial <= visit.serial:
        return visit
    if visit.training.full or not 0 <= asked.step <= visit.training.steps:
        return store(visit, serial=asked.serial)
    both = _drive(sides.fork(visit.sides, asked.step, asked.rate), "Forking", _size(visit))
    st.session_state["regression_step"] = asked.step
    _remember_rates(both.training)
    return store(visit, sides=both, serial=asked.serial, answer="", note="")


def _replayed(visit: Visit) -> Visit:
    """The replay that was asked for, if any: the branch trained once more, compared bit by bit."""
    if "regression:replay" not in st.session_state:
        return visit
    same = _drive(training.replay(visit.training), "Replaying", _size(visit))
    del st.session_state["regression:replay"]
    found = "the same bits" if same else "different bits"
    return store(visit, answer=f"Trained again from step 0: **{found}** at all {visit.training.steps + 1:,} steps.")


def _remember_rates(run: Training) -> None:
    visits.remember_rates("regression", run.rates[run.timeline.current])
