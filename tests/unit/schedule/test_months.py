"""The calendar tables and day terms against the standard library's calendar, for every month that they cover."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime

import pytest

from patchgate.schedule.months import (
    FIRST_YEAR,
    HORIZON,
    LAST_YEAR,
    MONTH_SHAPES,
    MONTH_STARTS,
    SHAPES,
    DaysOfMonth,
    DayTerm,
    LastDay,
    LastWeekday,
    MonthShape,
    NearestWeekday,
    NthWeekday,
    Weekdays,
    matching_days,
)


def _months() -> list[tuple[int, int, int]]:
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    return [(12 * (year - FIRST_YEAR) + month - 1, year, month) for year in years for month in range(1, 13)]


def _sunday_zero(day: date) -> int:
    return day.isoweekday() % 7


def test_every_month_starts_and_is_shaped_as_in_the_calendar() -> None:
    for number, year, month in _months():
        first = datetime(year, month, 1, tzinfo=UTC)
        shape = SHAPES[MONTH_SHAPES[number]]
        assert MONTH_STARTS[number] == int(first.timestamp())
        assert shape == MonthShape(_sunday_zero(first), calendar.monthrange(year, month)[1])
    assert datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC).timestamp() == HORIZON


def test_there_are_28_shapes_and_all_occur() -> None:
    assert len(set(SHAPES)) == 28
    assert set(MONTH_SHAPES) == set(range(28))


def _days(year: int, month: int) -> list[date]:
    return [date(year, month, day) for day in range(1, calendar.monthrange(year, month)[1] + 1)]


def _nearest_weekday(days: list[date], number: int) -> list[int]:
    """By definition: of the month's Mondays to Fridays the one with the least distance; there is never a tie."""
    if number > len(days):
        return []
    weekdays = [day.day for day in days if day.isoweekday() <= 5]
    return [min(weekdays, key=lambda day: abs(day - number))]


@pytest.mark.parametrize("number", range(1, 32))
def test_nearest_weekday_is_the_nearest_of_its_month(number: int) -> None:
    for index, year, month in _months():
        found = NearestWeekday(number).days(SHAPES[MONTH_SHAPES[index]])
        assert list(found) == _nearest_weekday(_days(year, month), number)


def test_last_days() -> None:
    for index, year, month in _months():
        shape, days = SHAPES[MONTH_SHAPES[index]], _days(year, month)
        assert LastDay().days(shape) == (days[-1].day,)
        assert LastDay(3).days(shape) == (days[-4].day,)
        assert LastDay(30).days(shape) == ((1,) if len(days) == 31 else ())
        assert NearestWeekday(0).days(shape) == (max(day.day for day in days if day.isoweekday() <= 5),)


@pytest.mark.parametrize("weekday", range(7))
def test_weekdays_their_last_and_their_nth(weekday: int) -> None:
    for index, year, month in _months():
        shape = SHAPES[MONTH_SHAPES[index]]
        matching = tuple(day.day for day in _days(year, month) if _sunday_zero(day) == weekday)
        assert Weekdays((weekday,)).days(shape) == matching
        assert LastWeekday(weekday).days(shape) == matching[-1:]
        for ordinal in range(1, 7):
            assert NthWeekday(weekday, ordinal).days(shape) == matching[ordinal - 1 : ordinal]


def test_terms_are_united_in_order_and_without_repetition() -> None:
    terms: tuple[DayTerm, ...] = (LastDay(), DaysOfMonth((1, 15, 28, 31)))
    assert matching_days(terms, MonthShape(0, 28)) == (1, 15, 28)
    assert matching_days(terms, MonthShape(0, 31)) == (1, 15, 28, 31)
