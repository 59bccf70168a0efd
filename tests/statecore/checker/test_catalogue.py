"""The checker on every entry of the catalogue, each side of it."""

import pytest

from statecore.checker import KINDS, assert_pure, check
from statecore.purity.entries import ENTRIES, entry
from statecore.purity.programs import checked, first_arguments
from tests.statecore.checker.world import described

BY_NAME = {each.name: each for each in ENTRIES}
SIDES = [(each.name, side) for each in ENTRIES for side in each.sides]
SEEN_AS = {
    "self_number": {"differs", "freezes", "changes"},
    "self_array": {"differs", "freezes", "changes", "leaks"},
    "global_read": {"bakes"},
    "global_write": {"changes"},
    "leaked_tracer": {"changes", "leaks"},
    "closure_rebound": {"bakes"},
    "list_append": {"changes", "leaks"},
    "dict_memo": {"changes", "leaks"},
    "print_line": set(),
    "numpy_random": {"differs", "freezes", "changes"},
    "python_random": {"differs", "freezes", "changes"},
    "clock": {"differs", "freezes"},
    "iterator": {"differs", "freezes", "changes"},
    "iterator_in_loop": {"changes"},
    "mutable_default": {"differs", "freezes", "changes"},
    "in_place": {"differs", "changes", "refuses"},
    "python_if": {"refuses"},
    "lru_cache_argument": {"refuses"},
    "lru_cache_constant": {"leaks"},
}
NOT_IMPURE = {"global_read", "closure_rebound", "print_line", "python_if", "lru_cache_argument"}
"""Broken entries in which the checker sees no impurity: it cannot, or there is none."""


def test_every_entry_is_claimed_or_owned_up_to():
    assert SEEN_AS.keys() == BY_NAME.keys()
    assert {each.name for each in ENTRIES if each.unseen} == {"global_read", "closure_rebound", "print_line"}


@pytest.mark.parametrize("name", SEEN_AS)
def test_what_is_seen_of_the_broken_side(name):
    report = checked(BY_NAME[name])
    assert report.kinds - {"bakes"} == SEEN_AS[name] - {"bakes"}, str(report)
    assert report.pure == (name in NOT_IMPURE)
    assert all(f"- {KINDS[finding.kind]}: {finding.words}" in str(report) for finding in report.findings)


@pytest.mark.parametrize(("name", "variable"), [("global_read", "factor"), ("closure_rebound", "rate")])
def test_what_nobody_changes_is_said_to_be_baked_in(name, variable):
    (finding,) = checked(entry(name)).findings
    assert (finding.kind, finding.names) == ("bakes", (variable,))
    namespace, args = first_arguments(entry(name), "broken")
    assert_pure(namespace.broken, *args)
    with pytest.raises(AssertionError, match=f"`{variable}` was read while tracing"):
        assert_pure(namespace.broken, *args, fail_on=("bakes",))


@pytest.mark.parametrize(("name", "side"), [each for each in SIDES if each[1] != "broken"])
def test_no_fixed_side_is_accused(name, side):
    namespace, args = first_arguments(BY_NAME[name], side)
    assert_pure(getattr(namespace, side), *args)


@pytest.mark.parametrize(("name", "side"), SIDES)
def test_the_namespace_is_as_it_was(name, side):
    namespace, args = first_arguments(BY_NAME[name], side)
    own = {key: value for key, value in vars(namespace).items() if not key.startswith("__") and key != "print"}
    before = described(own, args)
    check(getattr(namespace, side), *args)
    now = {key: value for key, value in vars(namespace).items() if not key.startswith("__") and key != "print"}
    assert now.keys() == own.keys()
    assert described(own, args) == before
    assert all(now[key] is own[key] for key in own)
