"""The experiments: what a Ref sees, and that it holds only the present."""

from statecore.refs import tries


def test_what_is_written_into_the_ref_is_seen_and_a_new_ref_is_not():
    assert tries.hidden_set() == [1, 1, 1]
    assert tries.ref_set() == [1, 2, 101]
    assert tries.ref_replaced() == [1, 2, 3]


def test_a_ref_holds_only_the_present():
    assert tries.old_ref() == 1
    assert tries.old_state() == 0
