"""Shifted statements: exact where one expression can say it, and never silently inexact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile

import pytest

from patchgate.schedule import Dialect, ScheduleError, parse
from patchgate.schedule.derivation import build_statement, make_statement, read_statement, shift_statement


@pytest.mark.parametrize(
    ("statement", "minutes", "expected"),
    [
        ("cron(0 23 ? * 7 *)", 190, "cron(10 2 ? * SUN *)"),
        ("cron(0 23 ? * MON-FRI *)", 190, "cron(10 2 ? * TUE,WED,THU,FRI,SAT *)"),
        ("cron(0 1 ? * SUN *)", -600, "cron(0 15 ? * SAT *)"),
        ("cron(0 23 * * ? *)", 190, "cron(10 2 * * ? *)"),
        ("cron(0 1 1 * ? *)", -240, "cron(0 21 L * ? *)"),
        ("cron(0 23 L * ? *)", 190, "cron(10 2 1 * ? *)"),
        ("cron(0 23 31 * ? *)", 190, "cron(10 2 1 1,2,4,6,8,9,11 ? *)"),
        ("cron(0 1 1 3 ? *)", -240, "cron(0 21 L 2 ? *)"),
        ("cron(0 23 31 12 ? 2027)", 190, "cron(10 2 1 1 ? 2028)"),
        ("cron(0 12 ? * TUE#2 *)", 60, "cron(0 13 ? * TUE#2 *)"),
        ("cron(0 12 ? * 6L *)", -60, "cron(0 11 ? * 6L *)"),
        ("cron(0 23 27 1,4,7,10 ? *)", 190, "cron(10 2 28 1,4,7,10 ? *)"),
    ],
)
def test_one_expression_says_it(statement: str, minutes: int, expected: str) -> None:
    derived = shift_statement(read_statement(statement), minutes, "scheduler")
    assert derived.expressions == (expected,)
    assert (derived.exactness, derived.extra_per_year) == ("exact", 0.0)


@pytest.mark.parametrize(
    ("statement", "offset", "minutes"),
    [
        ("cron(0 23 ? * TUE#2 *)", 0, 190),
        ("cron(0 23 ? * TUE#2 *)", 4, -30),
        ("cron(0 23 ? * 6L *)", 0, 190),
        ("cron(0 23 ? 1 SAT *)", 0, 190),
        ("cron(0 23 15W * ? *)", 0, 190),
        ("cron(0 1 29 2 ? *)", 0, -120),
        ("cron(0 23 28 * ? *)", 0, 190),
    ],
)
@pytest.mark.parametrize("dialect", ["backup", "scheduler"])
def test_what_one_expression_cannot_say_is_a_superset_or_an_exact_set(
    statement: str, offset: int, minutes: int, dialect: Dialect
) -> None:
    read = read_statement(statement, offset_days=offset)
    wanted = _wanted(statement, offset, minutes)
    superset = shift_statement(read, minutes, dialect)
    assert superset.exactness == "superset"
    assert _runs(superset.expressions, dialect) > wanted
    pinned = shift_statement(read, minutes, dialect, pinned=(2027, 2030))
    assert (pinned.exactness, pinned.first_year, pinned.last_year) == ("pinned", 2027, 2030)
    assert _runs(pinned.expressions, dialect) == wanted


def _wanted(statement: str, offset: int, minutes: int) -> set[datetime]:
    """The shifted runs of 2027 to 2030, on a clock without changes."""
    runs = parse(statement, "ssm").occurrences("UTC", datetime(2026, 12, 1, tzinfo=UTC), offset_days=offset)
    return _in_those_years(run + timedelta(minutes=minutes) for run in _up_to_2031(runs))


def _runs(expressions: tuple[str, ...], dialect: Dialect) -> set[datetime]:
    start = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    return _in_those_years(
        run for each in expressions for run in _up_to_2031(parse(each, dialect).occurrences("UTC", start))
    )


def _up_to_2031(runs: Iterator[datetime]) -> Iterator[datetime]:
    return takewhile(lambda run: run.year <= 2031, runs)


def _in_those_years(runs: Iterable[datetime]) -> set[datetime]:
    return {run for run in runs if 2027 <= run.year <= 2030}


@pytest.mark.parametrize(
    ("expression", "offset"),
    [
        ("cron(0 1 15W * ? *)", 0),
        ("cron(0 1 1W * ? *)", 0),
        ("cron(0 1 LW * ? *)", 0),
        ("cron(0 1 L-3 * ? *)", 0),
        ("cron(0 1 1,15W * ? *)", 0),
        ("cron(0 1 ? * 2L,6L *)", 0),
        ("cron(0 1 ? * TUE#2 *)", 6),
        ("cron(0 0 23 ? * 7 2026-2028)", 0),
        ("cron(0 23 29 2 ? *)", 0),
    ],
)
@pytest.mark.parametrize("pinned", [None, (2027, 2030)])
def test_the_window_is_the_statement_itself_in_every_year(
    expression: str, offset: int, pinned: tuple[int, int] | None
) -> None:
    derived = shift_statement(read_statement(expression, offset_days=offset), 0, "ssm", pinned=pinned)
    assert (derived.expressions, derived.offset_days, derived.exactness) == ((expression,), offset, "exact")
    before = -(2**40)
    stated = parse(expression, "ssm").occurrences_epoch("UTC", before, offset_days=offset)
    windows = parse(derived.expressions[0], "ssm").occurrences_epoch("UTC", before, offset_days=derived.offset_days)
    assert list(windows) == list(stated)


def test_a_moved_window_keeps_its_days_or_is_refused_but_is_never_a_superset() -> None:
    read = read_statement("cron(30 0 15W * ? *)")
    assert shift_statement(read, 60, "ssm").expressions == ("cron(30 1 15W * ? *)",)
    with pytest.raises(ScheduleError, match="no expression says it 60 minutes earlier"):
        shift_statement(read, -60, "ssm")


def test_a_moved_window_that_another_expression_says_is_exact() -> None:
    moved = shift_statement(read_statement("cron(30 0 ? * SUN *)"), -60, "ssm")
    assert (moved.expressions, moved.exactness) == (("cron(30 23 ? * SAT *)",), "exact")


def test_a_windows_offset_stays_an_offset() -> None:
    read = read_statement("cron(0 23 ? * TUE#2 *)", offset_days=4)
    assert shift_statement(read, 0, "ssm").offset_days == 4
    later = shift_statement(read, 120, "ssm")
    assert (later.expressions, later.offset_days, later.exactness) == (("cron(0 1 ? * TUE#2 *)",), 5, "exact")


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("rate(7 days)", "only a cron expression"),
        ("at(2026-07-04T22:30:00)", "only a cron expression"),
        ("cron(0 22,23 ? * 7 *)", "one time of day"),
        ("cron(30 0 23 ? * 7 *)", "have none"),
        ("cron(0 23 30 2 ? *)", "never fires"),
        ("cron(0 25 ? * 7 *)", "hours are 0-23"),
    ],
)
def test_what_cannot_be_a_statement_is_refused(expression: str, words: str) -> None:
    with pytest.raises(ScheduleError, match=words):
        read_statement(expression)


def test_an_offset_is_at_most_six_days() -> None:
    with pytest.raises(ScheduleError, match="1 to 6 days"):
        read_statement("cron(0 23 ? * TUE#2 *)", offset_days=7)


@pytest.mark.parametrize(
    ("arguments", "expression"),
    [
        ({"at": "9:05"}, "cron(5 9 ? * * *)"),
        ({"at": "23:00", "weekday": "sat"}, "cron(0 23 ? * SAT *)"),
        ({"at": "23:00", "weekday": "FRI", "ordinal": "last"}, "cron(0 23 ? * 6L *)"),
        ({"at": "23:00", "weekday": "TUE", "ordinal": "2"}, "cron(0 23 ? * TUE#2 *)"),
    ],
)
def test_words_become_an_expression(arguments: dict[str, str], expression: str) -> None:
    assert build_statement(**arguments).expression == expression  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"at": "23"}, "HH:MM"),
        ({"at": "24:00"}, "hours are 0-23"),
        ({"at": "23:00", "weekday": "DIE"}, "is not a weekday"),
        ({"at": "23:00", "weekday": "TUE", "ordinal": "6"}, "1 to 5, or last"),
        ({"at": "23:00", "ordinal": "2"}, "give both"),
    ],
)
def test_wrong_words_are_refused(arguments: dict[str, str], words: str) -> None:
    with pytest.raises(ScheduleError, match=words):
        build_statement(**arguments)  # type: ignore[arg-type]


def test_a_statement_is_an_expression_or_words() -> None:
    said = make_statement("cron(0 23 ? * TUE#2 *)", offset_days=4)
    assert said == read_statement("cron(0 23 ? * TUE#2 *)", offset_days=4)
    assert said == make_statement(at="23:00", weekday="TUE", ordinal="2", offset_days=4)
    assert said.dates == frozenset(day + 4 for day in said.days)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "neither an expression nor a time of day"),
        ({"expression": "cron(0 23 ? * SAT *)", "at": "23:00"}, "both an expression and a time of day"),
        ({"expression": "cron(0 23 ? * SAT *)", "weekday": "TUE"}, "TUE beside an expression"),
        ({"expression": "cron(0 23 ? * SAT *)", "ordinal": "2"}, "2 beside an expression"),
        ({"at": "23:00", "offset_days": 7}, "1 to 6 days"),
        ({"at": "23:00", "offset_days": -1}, "1 to 6 days"),
    ],
)
def test_a_statement_that_is_both_or_neither_is_refused(arguments: dict[str, str], words: str) -> None:
    with pytest.raises(ScheduleError, match=words):
        make_statement(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(("at", "weekday"), [("\u0667:00", "SUN"), ("7:\u0660\u0660", "SUN"), ("07:00", "\u017fUN")])
def test_words_of_other_scripts_are_refused(at: str, weekday: str) -> None:
    with pytest.raises(ScheduleError, match="is not a"):
        build_statement(at, weekday=weekday)


def test_what_runs_only_at_the_edge_of_the_years_is_refused_as_it_was_given() -> None:
    statement = read_statement("cron(0 23 ? 12 TUE#5 2199)")
    with pytest.raises(ScheduleError, match="first or the last week of AWS's years only") as raised:
        shift_statement(statement, -30, "scheduler")
    assert raised.value.expression == statement.expression
