"""One cron statement moved in time: the same days and time of day, so many minutes earlier or later.

What one cron expression can say is said exactly. What it cannot (the day after the second Tuesday) becomes a set of
expressions that is pinned to years and says when it expires, or the smallest superset; which of them, the result says.
A maintenance window is never a superset: unmoved, it is the statement as it was given.
Every result is compared with all days from 1970 to 2199 before it is returned, so that none is silently inexact.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, Literal

from patchgate.schedule.cron import CronSchedule
from patchgate.schedule.dialects import Dialect, describe_kind
from patchgate.schedule.errors import Fault, ScheduleError
from patchgate.schedule.fields import DAY_NAMES, YEAR
from patchgate.schedule.grammar import parse
from patchgate.schedule.months import DAY, FIRST_YEAR, LAST_YEAR, MONTH_SHAPES, MONTH_STARTS

Exactness = Literal["exact", "pinned", "superset"]

_EPOCH: Final = date(1970, 1, 1)
_EVERY_MONTH: Final = tuple(range(1, 13))
_LONGEST_YEARS: Final = 80
_ORDINALS: Final = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class Statement:
    """When windows start: the cron days, plus ``offset_days`` whole days, at a time of day (seconds)."""

    days: frozenset[int]
    offset_days: int
    time: int
    expression: str

    @property
    def dates(self) -> frozenset[int]:
        """The days on which windows start, as days since 1970-01-01."""
        return frozenset(day + self.offset_days for day in self.days)


@dataclass(frozen=True, slots=True)
class Derived:
    """The expressions that together run at the wanted times.

    ``exactness``: ``exact``; ``pinned`` (exact for the years ``first_year`` to ``last_year``, and then expired); or
    ``superset`` (at ``extra_per_year`` further times a year, on average). ``offset_days`` belongs to Systems Manager's
    ScheduleOffset.
    """

    expressions: tuple[str, ...]
    exactness: Exactness
    offset_days: int = 0
    first_year: int = FIRST_YEAR
    last_year: int = LAST_YEAR
    extra_per_year: float = 0.0


def make_statement(
    expression: str = "", *, at: str = "", weekday: str = "", ordinal: str = "", offset_days: int = 0
) -> Statement:
    """A statement as people give it: ``expression`` (see ``read_statement``), or else ``at`` with ``weekday`` and
    ``ordinal`` (see ``build_statement``); ``offset_days`` (0 to 6) goes with both.

    ``make_statement("cron(0 23 ? * TUE#2 *)", offset_days=4)`` and
    ``make_statement(at="23:00", weekday="TUE", ordinal="2", offset_days=4)`` are equal.
    ``patchgate.plan.derivation.derive_cycle`` makes the four schedules of a lane from it, with lead, duration and
    cutoff; ``shift_statement`` any single one. Raises ScheduleError where both or neither are given, and for words
    beside an expression.
    """
    if bool(expression) == bool(at):
        said = "both an expression and a time of day" if at else "neither an expression nor a time of day"
        raise _refused(expression, said, "a statement is a cron expression, or a time of day with its day")
    if not expression:
        return build_statement(at, weekday=weekday, ordinal=ordinal, offset_days=offset_days)
    if weekday or ordinal:
        rule = "a cron expression says its days itself: weekday and ordinal go with a time of day"
        raise _refused(expression, f"{weekday or ordinal} beside an expression", rule)
    return read_statement(expression, offset_days=offset_days)


def read_statement(expression: str, *, offset_days: int = 0) -> Statement:
    """The days and the time of a window's expression, of Systems Manager's dialect, with its ScheduleOffset.

    Raises ScheduleError for what Systems Manager refuses, for rates and one-time schedules, for an expression with
    more than one time of day and for one that never fires: from these nothing can be derived.
    """
    schedule = parse(expression, "ssm")
    if not isinstance(schedule, CronSchedule):
        said = f"{describe_kind(schedule.kind)} expression"
        raise _refused(expression, said, "only a cron expression can be derived from")
    if len(schedule.times) != 1:
        raise _refused(expression, f"{len(schedule.times)} times of day", "a statement has one time of day")
    if schedule.times[0] % 60:
        raise _refused(expression, "it names a second", "the other services' schedules have none")
    if not schedule.can_fire:
        raise _refused(expression, "it never fires", "no month has such a day")
    if offset_days and not 1 <= offset_days <= 6:
        raise _refused(expression, f"an offset of {offset_days} days", "an offset is 1 to 6 days")
    return Statement(frozenset(_days(schedule)), offset_days, schedule.times[0], expression)


def build_statement(at: str, *, weekday: str = "", ordinal: str = "", offset_days: int = 0) -> Statement:
    """A statement from words: ``at`` (HH:MM), ``weekday`` (SUN to SAT, blank: every day), ``ordinal`` (1 to 5, or
    ``last``; blank: every week).

    Raises ScheduleError as ``read_statement`` does, with the expression that the words make.
    """
    hour, _, minute = at.partition(":")
    if not re.fullmatch("[0-9]+:[0-9]+", at):
        raise _refused(at, f"{at!r} is not a time of day", "a time of day is HH:MM")
    day = weekday.upper() if weekday.isascii() else weekday
    if ordinal and not day:
        raise _refused(at, f"ordinal {ordinal} without a weekday", "an ordinal counts a weekday: give both")
    if day and day not in DAY_NAMES:
        raise _refused(at, f"{weekday!r} is not a weekday", f"one of {', '.join(DAY_NAMES)}")
    if ordinal and ordinal != "last" and ordinal not in map(str, _ORDINALS):
        raise _refused(at, f"{ordinal!r} is not an ordinal", "1 to 5, or last")
    if not day:
        field = "*"
    elif ordinal == "last":
        field = f"{DAY_NAMES.index(day) + 1}L"
    else:
        field = f"{day}#{ordinal}" if ordinal else day
    return read_statement(f"cron({int(minute)} {int(hour)} ? * {field} *)", offset_days=offset_days)


@lru_cache(maxsize=512)  # a fleet asks the same of every zone
def shift_statement(
    statement: Statement, minutes: int, dialect: Dialect, *, pinned: tuple[int, int] | None = None
) -> Derived:
    """The same runs, ``minutes`` of wall-clock time later (negative: earlier), as the service of ``dialect`` says it.

    Where one expression is not enough: with ``pinned`` (first and last year) an exact set for those years, without it
    the smallest superset. The shift is made on the wall clock: what a clock change does to it is the proof's matter.

    A maintenance window is never a superset: each further window would patch. Unmoved, it is the statement itself;
    ScheduleError where Systems Manager cannot say it.
    """
    turns, time = divmod(statement.time + 60 * minutes, DAY)
    offset = statement.offset_days + turns
    if dialect == "ssm" and 0 <= offset <= 6:
        return Derived((_at_another_time(statement, time),), "exact", offset)
    wanted = frozenset(day + turns for day in statement.dates)
    if not _inside(wanted):
        rule = f"schedules are derived where they run from {FIRST_YEAR}-01-08 to {LAST_YEAR}-12-24 at least once"
        raise _refused(statement.expression, "it runs in the first or the last week of AWS's years only", rule)
    candidates = {fields: _days_of(fields, dialect) for fields in _candidates(wanted)}
    for fields, held in candidates.items():
        if _inside(held) == _inside(wanted):
            return Derived((f"cron({_clock(time)} {fields})",), "exact")
    if pinned is not None:
        return _pinned(wanted, time, pinned)
    if dialect == "ssm":
        moved = f"no expression says it {abs(minutes)} minutes {'earlier' if minutes < 0 else 'later'}"
        rule = "a window has one expression and an offset of 0 to 6 days; a superset would patch on further days"
        raise _refused(statement.expression, moved, rule)
    least = min(candidates, key=lambda fields: len(candidates[fields]))
    extra = len(_inside(candidates[least]) - _inside(wanted)) / (LAST_YEAR - FIRST_YEAR + 1)
    return Derived((f"cron({_clock(time)} {least})",), "superset", extra_per_year=round(extra, 1))


def _at_another_time(statement: Statement, time: int) -> str:
    """The statement's expression itself; with its days as they are written where the time is another one."""
    if time == statement.time:
        return statement.expression
    fields = " ".join(statement.expression.partition("(")[2].rstrip(") ").split()[-4:])
    return f"cron({_clock(time)} {fields})"


def _days(schedule: CronSchedule) -> Iterable[int]:
    for month in schedule.months:
        first = MONTH_STARTS[month] // DAY - 1
        for day in schedule.fields.shape_days[MONTH_SHAPES[month]]:
            yield first + day


def _days_of(fields: str, dialect: Dialect) -> frozenset[int]:
    schedule = parse(f"cron(0 0 {fields})", dialect)
    if not isinstance(schedule, CronSchedule):
        raise TypeError(f"{schedule!r} is not a cron schedule")
    return frozenset(_days(schedule))


def _candidates(wanted: frozenset[int]) -> Iterable[str]:
    """Day fields that hold every wanted day, each the narrowest of its form, the plainest first."""
    dates = [_EPOCH + timedelta(days=day) for day in wanted if _is_inside(day)]
    months = _list(sorted({one.month for one in dates}), _EVERY_MONTH)
    years = _years(sorted({one.year for one in dates}))
    weekdays = sorted({one.isoweekday() % 7 for one in dates})
    numbers = sorted({one.day for one in dates})
    if len(numbers) == 31 and len(weekdays) == 7:
        yield f"* {months} ? {years}"
    yield f"? {months} {','.join(DAY_NAMES[day] for day in weekdays)} {years}"
    yield f"{_list(numbers, ())} {months} ? {years}"
    if all(_is_last_day(one) for one in dates):
        yield f"L {months} ? {years}"
    if len(weekdays) == 1:
        ordinals = {(one.day + 6) // 7 for one in dates}
        if len(ordinals) == 1:
            yield f"? {months} {DAY_NAMES[weekdays[0]]}#{ordinals.pop()} {years}"
        if all(_is_last_week(one) for one in dates):
            yield f"? {months} {weekdays[0] + 1}L {years}"


def _pinned(wanted: frozenset[int], time: int, years: tuple[int, int]) -> Derived:
    """One expression for all months of a year that have the same days of the month, or the same weekday by number."""
    first, last = years
    expressions = []
    for year in range(first, last + 1):
        months: dict[int, list[date]] = {}
        for day in sorted(wanted):
            one = _EPOCH + timedelta(days=day) if _is_inside(day) else _EPOCH
            if one.year == year and _is_inside(day):
                months.setdefault(one.month, []).append(one)
        for fields, alike in _alike(months).items():
            expressions.append(f"cron({_clock(time)} {fields.format(months=_list(alike, _EVERY_MONTH))} {year})")
    return Derived(tuple(expressions), "pinned", first_year=first, last_year=last)


def _alike(months: dict[int, list[date]]) -> dict[str, list[int]]:
    """day fields with a place for the months -> the months; by weekday number where each month has one day only."""
    found: dict[str, list[int]] = {}
    single = all(len(days) == 1 for days in months.values())
    for month, days in months.items():
        if single:
            weekday = DAY_NAMES[days[0].isoweekday() % 7]
            fields = f"? {{months}} {weekday}#{(days[0].day + 6) // 7}"
        else:
            fields = f"{','.join(str(one.day) for one in days)} {{months}} ?"
        found.setdefault(fields, []).append(month)
    return found


def _list(numbers: list[int], every: tuple[int, ...]) -> str:
    """Numbers as a cron field: ``*`` for all of them, ranges where they are dense."""
    if tuple(numbers) == every:
        return "*"
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(str(number) for number in run) for run in runs)


def _years(years: list[int]) -> str:
    """The year field: ``*`` also where the years are too many to name, which the comparison of the days then judges."""
    field = _list(years, tuple(range(YEAR.low, YEAR.high + 1)))
    return field if len(field) <= _LONGEST_YEARS else "*"


def _inside(days: frozenset[int]) -> frozenset[int]:
    """Without the first and last week of AWS's years: a shift may have moved runs over their edge."""
    return frozenset(day for day in days if _is_inside(day))


def _is_inside(day: int) -> bool:
    return 7 <= day < MONTH_STARTS[-1] // DAY + 24


def _is_last_day(one: date) -> bool:
    return (one + timedelta(days=1)).day == 1


def _is_last_week(one: date) -> bool:
    return (one + timedelta(days=7)).month != one.month


def _clock(time: int) -> str:
    return f"{time % 3600 // 60} {time // 3600}"


def _refused(expression: str, message: str, rule: str) -> ScheduleError:
    return ScheduleError(expression, Fault("expression", expression, 0, message, rule))
