"""The catalogue of impurities, played; and the checker, held against it and against functions of other kinds."""

import ast
import functools
import importlib
import itertools
import pkgutil
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import jax
import numpy as np
import pytest

from statecore.purity import catalogue
from statecore.purity.entries import ENTRIES, entry, imports, load, source
from statecore.purity.programs import COMPARISONS, MAX_CALLS, lanes, printed, programs, symptom

BY_NAME = {each.name: each for each in ENTRIES}
SIDES = [(each.name, side) for each in ENTRIES for side in each.sides]
PLAYS = [(each.name, side, how) for each in ENTRIES for side in each.sides for how in each.transformations]
SILENT = {"global_write", "leaked_tracer", "list_append", "print_line", "lru_cache_constant"}
"""Broken entries whose outputs are right under every transformation."""


@functools.cache
def played(name, side="broken", transformation="jit"):
    return lanes(BY_NAME[name], side, transformation)


def numbers(lane):
    return [np.asarray(outcome).tolist() for outcome in lane.tape]


def runs(lane):
    """How often the body ran in each call."""
    return [moment.seen.runs for moment in lane.moments[1:]]


def calls(lane):
    return [moment.seen for moment in lane.moments[1:]]


def alike(lane, other):
    pairs = list(zip(lane.tape, other.tape, strict=True))
    if any(isinstance(outcome, Exception) for pair in pairs for outcome in pair):
        return False
    return all(np.allclose(one, another, rtol=1e-5) for one, another in pairs)


class TestCatalogue:
    def test_every_file_is_listed_and_every_listed_file_exists(self):
        files = {module.name for module in pkgutil.iter_modules(catalogue.__path__)}
        assert len(files) >= 19
        assert files == {each.name for each in ENTRIES}
        assert len(ENTRIES) == len(files)

    def test_what_the_course_promises_is_there(self):
        promised = "self_number self_array global_read global_write closure_rebound list_append dict_memo print_line "
        promised += "numpy_random python_random clock iterator iterator_in_loop mutable_default in_place python_if "
        promised += "lru_cache_argument lru_cache_constant leaked_tracer"
        assert set(promised.split()) <= BY_NAME.keys()
        assert {how for each in ENTRIES for how in each.transformations} == set(COMPARISONS)

    @pytest.mark.parametrize("name", BY_NAME)
    def test_the_words_fit_on_a_card(self, name):
        each = BY_NAME[name]
        assert all("\n" not in text and 5 < len(text) <= 125 for text in (each.title, each.claim, each.reason))
        assert each.url == f"https://github.com/jax-ml/jax/issues/{each.issue}"
        assert bool(each.issue) == bool(each.issue_title)

    @pytest.mark.parametrize(("name", "side"), SIDES)
    def test_a_side_is_short_and_narrow(self, name, side):
        shown = source(BY_NAME[name], side)
        lines = shown.text.splitlines()
        whole = BY_NAME[name].path.read_text().splitlines()
        assert whole[shown.first_line - 1 :][: len(lines)] == lines
        assert 4 <= len(lines) <= 36
        assert max(map(len, lines)) <= 46
        assert '"""' not in shown.text

    @pytest.mark.parametrize("name", BY_NAME)
    def test_the_shown_parts_are_the_whole_file(self, name):
        each = BY_NAME[name]
        text = "\n".join([imports(each).text, *(source(each, part).text for part in (*each.sides, *each.asides))])
        whole = ast.parse(each.path.read_text())
        assert ast.dump(ast.parse(text)) == ast.dump(ast.Module(whole.body[1:], []))

    @pytest.mark.parametrize(("name", "side"), SIDES)
    def test_it_is_the_module_that_anybody_can_import(self, name, side):
        module = importlib.import_module(f"statecore.purity.catalogue.{name}")
        assert getattr(module, side).__code__ == getattr(load(BY_NAME[name]), side).__code__

    def test_an_unknown_name_is_answered_with_those_there_are(self):
        assert entry("clock").title == "The clock"
        with pytest.raises(KeyError, match=r"no entry 'sundial'.*clock"):
            entry("sundial")
        with pytest.raises(ValueError, match="clock has the sides broken, fixed, not 'mended'"):
            source(entry("clock"), "mended")


class TestLoad:
    @pytest.mark.parametrize("name", BY_NAME)
    def test_two_readers_share_no_globals(self, name):
        mine, yours = vars(load(BY_NAME[name])), vars(load(BY_NAME[name]))
        assert mine is not yours
        own = [key for key, value in mine.items() if getattr(value, "__module__", None) == mine["__name__"]]
        assert {"broken", "fixed"} <= set(own)
        assert all(mine[key] is not yours[key] for key in own)
        data = [key for key, value in mine.items() if isinstance(value, list | dict | set) and key != "__builtins__"]
        assert all(mine[key] is not yours[key] for key in data)

    def test_what_one_reader_does_the_other_does_not_see(self):
        mine, yours = load(entry("self_number")), load(entry("self_number"))
        assert [mine.broken(10.0), mine.broken(10.0), yours.broken(10.0)] == [10.0, 20.0, 10.0]

    def test_what_is_printed_stays_with_its_reader(self, capfd):
        mine, yours = load(entry("print_line")), load(entry("print_line"))
        mine.broken(1.0)
        yours.broken(2.0)
        assert (mine.print.lines, yours.print.lines) == (["x is 1.0"], ["x is 2.0"])
        assert capfd.readouterr().out == ""


class TestPlay:
    @pytest.mark.parametrize(("name", "side", "how"), [each for each in PLAYS if each[1] != "broken"])
    def test_every_fix_gives_the_same_both_ways(self, name, side, how):
        shown = played(name, side, how)
        if name == "clock":
            assert all(len(set(numbers(run))) == 3 for run in (shown.plain, shown.transformed))
        else:
            assert alike(shown.plain, shown.transformed)
        assert printed(shown.plain) == printed(shown.transformed)
        assert not isinstance(shown.transformed.moment.outside, Exception)
        if shown.plain.moment.outside is not None:
            np.testing.assert_allclose(shown.plain.moment.outside, shown.transformed.moment.outside, rtol=1e-5)

    @pytest.mark.parametrize("name", [each.name for each in ENTRIES if each.name not in SILENT])
    def test_every_loud_break_shows_in_the_outputs(self, name):
        shown = played(name, "broken", BY_NAME[name].transformations[0])
        assert not alike(shown.plain, shown.transformed)

    @pytest.mark.parametrize("name", sorted(SILENT))
    def test_every_silent_break_shows_in_what_is_left_behind(self, name):
        shown = played(name)
        assert alike(shown.plain, shown.transformed)
        left = (shown.transformed.moment.outside, printed(shown.transformed))
        assert str((shown.plain.moment.outside, printed(shown.plain))) != str(left)

    @pytest.mark.parametrize(
        ("name", "how", "plain", "transformed"),
        [
            ("self_number", "jit", [10, 20, 30], [10, 10, 10]),
            ("self_number", "vmap", [[1, 4, 9], [4, 10, 18], [7, 16, 27]], [[1, 2, 3], [2, 4, 6], [3, 6, 9]]),
            ("self_number", "grad", [1, 2, 3], [1, 1, 1]),
            ("self_array", "jit", [1, 2, 3], [1, 1, 1]),
            ("global_read", "jit", [20, 30, 40], [20, 20, 20]),
            ("global_write", "jit", [1, 4, 9], [1, 4, 9]),
            ("closure_rebound", "jit", [12, 6, 4], [12, 12, 12]),
            ("dict_memo", "jit", [11, 12, 13], [11, 22, 33]),
            ("iterator", "jit", [10, 20, 30], [10, 10, 10]),
            ("iterator_in_loop", "fori_loop", [45, 45, 45], [0, 0, 0]),
            ("mutable_default", "jit", [1, 2, 3], [1, 1, 1]),
        ],
    )
    def test_the_values(self, name, how, plain, transformed):
        shown = played(name, "broken", how)
        assert numbers(shown.plain) == plain
        assert numbers(shown.transformed) == transformed

    def test_here_the_jitted_function_is_the_purer_one(self):
        assert alike(played("dict_memo").transformed, played("dict_memo", "fixed").plain)

    def test_hidden_generators_are_asked_once(self):
        for name, draw in (
            ("numpy_random", np.random.default_rng(0).normal),
            ("python_random", functools.partial(random.Random(1).randint, 1, 6)),
        ):
            drawn = [draw(), draw(), draw()]
            assert len(set(drawn)) == 3
            np.testing.assert_allclose(played(name).plain.tape, drawn, rtol=1e-6)
            np.testing.assert_allclose(played(name).transformed.tape, drawn[:1] * 3, rtol=1e-6)
            batches = numbers(played(name, "broken", "vmap").transformed)
            np.testing.assert_allclose(batches, [[number] * 3 for number in drawn], rtol=1e-6)
            fixed = numbers(played(name, "fixed", "vmap").transformed)
            assert len(set(itertools.chain(*fixed))) > 3

    def test_the_clock_stands_still_under_jit(self):
        for how in ("jit", "grad"):
            shown = played("clock", "broken", how)
            assert len(set(numbers(shown.plain))) == 3
            assert len(set(numbers(shown.transformed))) == 1

    @pytest.mark.parametrize(
        ("name", "how", "error"),
        [
            ("in_place", "jit", TypeError),
            ("python_if", "jit", jax.errors.TracerBoolConversionError),
            ("python_if", "vmap", jax.errors.TracerBoolConversionError),
            ("python_if", "grad", jax.errors.TracerBoolConversionError),
            ("lru_cache_argument", "jit", TypeError),
        ],
    )
    def test_the_real_exceptions(self, name, how, error):
        shown = played(name, "broken", how)
        assert [type(outcome) for outcome in shown.transformed.tape] == [error] * 3
        assert not any(call.error for call in calls(shown.plain))
        assert shown.transformed.kept is None

    @pytest.mark.parametrize(
        ("name", "how"),
        [
            ("self_array", "jit"),
            ("leaked_tracer", "jit"),
            ("leaked_tracer", "grad"),
            ("list_append", "jit"),
            ("list_append", "vmap"),
            ("list_append", "grad"),
            ("dict_memo", "jit"),
            ("lru_cache_constant", "jit"),
        ],
    )
    def test_the_leaked_tracer_raises_when_it_is_used(self, name, how):
        shown = played(name, "broken", how)
        assert isinstance(shown.transformed.moment.outside, jax.errors.UnexpectedTracerError)
        assert "side effect" in str(shown.transformed.moment.outside)
        assert not isinstance(played(name).plain.moment.outside, Exception)

    def test_the_count_beside_right_outputs(self):
        assert played("global_write").plain.moment.outside == 3
        assert played("global_write").transformed.moment.outside == 1
        assert played("global_write", "broken", "grad").plain.moment.outside == 3
        assert played("global_write", "broken", "grad").transformed.moment.outside == 1

    def test_print_shows_tracers_once_and_a_callback_every_value(self):
        each = ("x is 1.0", "x is 2.0", "x is 3.0")
        assert printed(played("print_line").plain) == each
        (line,) = printed(played("print_line").transformed)
        assert "Tracer" in line
        fixed = played("print_line", "fixed")
        assert [call.printed for call in calls(fixed.transformed)] == [(line,) for line in each]
        assert sum(runs(fixed.transformed)) == 1

    @pytest.mark.parametrize(("name", "side", "how"), PLAYS)
    def test_how_often_the_body_runs(self, name, side, how):
        shown = played(name, side, how)
        plain, transformed = map(runs, shown)
        rows = {"jit": 1, "vmap": 3, "grad": 1, "fori_loop": 10}[how]
        assert plain == [rows] * 3
        if how == "vmap" or isinstance(shown.transformed.tape[0], Exception):
            assert transformed == [1, 1, 1]  # once for the whole batch; a refused trace is tried again
        else:
            assert transformed == [1, 0, 0]

    @pytest.mark.parametrize(("name", "side"), SIDES)
    def test_the_lines_of_the_body_light_up_only_when_it_runs(self, name, side):
        each = BY_NAME[name]
        shown = played(name, side, each.transformations[0])
        function = inspect_body(load(each), side)
        body = {line for _, _, line in function.co_lines() if line} - {function.co_firstlineno}
        for call in (*calls(shown.plain), *calls(shown.transformed)):
            assert {file for file, _ in call.ran | call.called} == {str(each.path)}
            assert bool(body & {line for _, line in call.ran}) == bool(call.runs)

    def test_what_jit_kept_names_where_it_came_from(self):
        def baked(name):
            return {constant.origin.name: float(constant.value) for constant in played(name).transformed.kept.baked}

        assert baked("self_number") == {"self.calls": 1}
        assert baked("self_array") == {"self.total": 0}
        assert baked("global_read") == {"factor": 2}
        assert baked("closure_rebound") == {"rate": 1}
        assert not played("self_number", "fixed").transformed.kept.baked
        assert played("self_number").plain.kept is None

    def test_how_it_is_written(self):
        assert COMPARISONS["jit"].written("broken")[1] == "jax.jit(broken)"
        assert COMPARISONS["vmap"].written("fixed")[0] == "fixed in a Python loop"
        assert COMPARISONS["grad"].written("fixed_cond")[1] == "jax.jit(jax.grad(fixed_cond))"

    def test_a_play_can_be_repeated(self):
        again = lanes(entry("numpy_random"))
        assert numbers(again.plain) == numbers(played("numpy_random").plain)

    def test_many_readers_at_once_each_see_their_own(self):
        names = ["self_number", "print_line", "iterator", "global_write"] * 3
        barrier = threading.Barrier(4)

        def visit(name):
            barrier.wait(timeout=30)
            return lanes(BY_NAME[name])

        with ThreadPoolExecutor(4) as readers:
            plays = list(readers.map(visit, names))
        assert len(plays) == 12
        for name, shown in zip(names, plays, strict=True):
            for run, expected in ((shown.plain, played(name).plain), (shown.transformed, played(name).transformed)):
                assert numbers(run) == numbers(expected)
                assert printed(run) == printed(expected)
                assert [call.ran for call in calls(run)] == [call.ran for call in calls(expected)]

    def test_bad_requests_are_refused_in_words(self):
        with pytest.raises(ValueError, match="iterator is shown under jit, not 'vmap'"):
            programs(entry("iterator"), transformation="vmap")
        with pytest.raises(ValueError, match="has the sides broken, fixed, not 'mended'"):
            programs(entry("iterator"), "mended")
        with pytest.raises(ValueError, match=f"up to {MAX_CALLS} times, not 6"):
            lanes(entry("iterator"), calls=6)
        assert len(lanes(entry("iterator"), calls=MAX_CALLS).plain.tape) == MAX_CALLS


def inspect_body(namespace, side):
    function = getattr(namespace, side)
    return getattr(function, "__func__", function).__code__


PRIMARY_SYMPTOMS = {
    "self_number": "repeats", "self_array": "repeats", "global_read": "repeats", "closure_rebound": "repeats",
    "mutable_default": "repeats", "numpy_random": "repeats", "python_random": "repeats", "clock": "repeats",
    "iterator": "repeats", "iterator_in_loop": "differs", "dict_memo": "differs", "in_place": "raises",
    "python_if": "raises", "lru_cache_argument": "raises", "global_write": "outside", "leaked_tracer": "outside",
    "list_append": "outside", "print_line": "outside", "lru_cache_constant": "outside",
}  # fmt: skip


@pytest.mark.parametrize("each", ENTRIES, ids=lambda each: each.name)
def test_every_entry_has_its_symptom_and_its_fix_has_none(each):
    first = each.transformations[0]
    assert symptom(lanes(each, "broken", first)) == PRIMARY_SYMPTOMS[each.name]
    if each.name != "clock":  # one way is played after the other: it is later then
        assert {symptom(lanes(each, fix, first)) for fix in each.fixes} == {"none"}


def test_a_run_keeps_the_state_that_was_handed_on():
    assert lanes(entry("self_number"), "fixed").transformed.moment.state == 3
    assert lanes(entry("self_number"), "broken").transformed.moment.state is None


def test_what_stands_above_both_sides_has_its_line_number():
    above = imports(entry("clock"))
    lines = entry("clock").path.read_text(encoding="utf-8").splitlines()
    assert lines[above.first_line - 1] == above.text.splitlines()[0] == "import time"
    assert imports(entry("dict_memo")).text == ""
