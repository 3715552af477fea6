"""The calendar as integers: every month from 1970 to 2199, and the 28 shapes that they have.

A month's days fall on weekdays in one of 28 ways: seven first weekdays times four lengths. Whatever a cron
expression says of days is therefore computed at most 28 times, however many years are asked for.
"""

from __future__ import annotations

from calendar import isleap
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2199
DAY: Final = 86_400

_LENGTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class MonthShape(NamedTuple):
    """A month's first weekday (0 is Sunday) and its number of days."""

    first: int
    length: int

    @property
    def last(self) -> int:
        """The weekday of the last day."""
        return (self.first + self.length - 1) % 7

    def weekday(self, day: int) -> int:
        """The weekday of a day of the month, 0 is Sunday."""
        return (self.first + day - 1) % 7


SHAPES: Final = tuple(MonthShape(first, length) for first in range(7) for length in range(28, 32))


def _every_month() -> tuple[tuple[int, ...], tuple[int, ...]]:
    starts, shapes, day = [], [], 0
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        for month, plain in enumerate(_LENGTHS):
            length = 29 if month == 1 and isleap(year) else plain
            starts.append(day * DAY)
            shapes.append((day + 4) % 7 * 4 + length - 28)
            day += length
    return tuple(starts), tuple(shapes)


MONTH_STARTS, MONTH_SHAPES = _every_month()
"""Of month ``(year - 1970) * 12 + month - 1``: midnight of its first day in seconds of wall-clock time since
1970-01-01T00:00:00, and the index of its shape in ``SHAPES``."""

HORIZON: Final = MONTH_STARTS[-1] + 31 * DAY
"""The first second of the year 2200."""


class DayTerm(Protocol):
    """One item of a day-of-month or day-of-week field."""

    def days(self, shape: MonthShape) -> tuple[int, ...]:
        """The days of such a month that match, ascending."""
        ...


@dataclass(frozen=True, slots=True)
class DaysOfMonth:
    """Plain numbers; those that a month does not have are left out."""

    numbers: tuple[int, ...]

    def days(self, shape: MonthShape) -> tuple[int, ...]:
        """The numbers up to the month's length."""
        return tuple(day for day in self.numbers if day <= shape.length)


@dataclass(frozen=True, slots=True)
class LastDay:
    """``L``, or ``L-3`` for three days before the last."""

    back: int = 0

    def days(self, shape: MonthShape) -> tuple[int, ...]:
        """One day, or none when the month is too short."""
        day = shape.length - self.back
        return (day,) if day >= 1 else ()


@dataclass(frozen=True, slots=True)
class NearestWeekday:
    """``15W``: the Monday to Friday nearest to the 15th, within the month. ``day`` 0 is ``LW``."""

    day: int

    def days(self, shape: MonthShape) -> tuple[int, ...]:
        """One day, or none when the month does not have that day."""
        day = self.day or shape.length
        if day > shape.length:
            return ()
        weekday = shape.weekday(day)
        if weekday == 6:
            return (day - 1 if day > 1 else day + 2,)
        if weekday == 0:
            return (day + 1 if day < shape.length else day - 2,)
        return (day,)


@dataclass(frozen=True, slots=True)
class Weekdays:
    """Days of the week, 0 is Sunday."""

    numbers: tuple[int, ...]

    def days(self, shape: MonthShape) -> tuple[int, ...]:
        """Every day of the month that is one of them."""
        return tuple(day for day in range(1, shape.length + 1) if shape.weekday(day) in self.numbers)


@dataclass(frozen=True, slots=True)
class LastWeekday:
    """``6L``: the month's last Friday. ``weekday`` 0 is Sunday."""

    weekday: int

    def days(self, shape: MonthShape) -> tuple[int, ...]:
        """One day."""
        return (shape.length - (shape.last - self.weekday) % 7,)


@dataclass(frozen=True, slots=True)
class NthWeekday:
    """``TUE#2``: the second Tuesday. ``weekday`` 0 is Sunday."""

    weekday: int
    ordinal: int

    def days(self, shape: MonthShape) -> tuple[int, ...]:
        """One day, or none when the month has no such weekday (a fifth one, mostly)."""
        day = 1 + (self.weekday - shape.first) % 7 + 7 * (self.ordinal - 1)
        return (day,) if day <= shape.length else ()


def matching_days(terms: tuple[DayTerm, ...], shape: MonthShape) -> tuple[int, ...]:
    """The days of such a month that any of the terms matches, ascending."""
    return tuple(sorted({day for term in terms for day in term.days(shape)}))
