"""Freezes as periods of time: the days, times, holidays and calendar files of a lane, merged.

SSM change calendars that the operator keeps are not among them: only AWS knows what they say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from patchgate.config.holidays import holidays_of
from patchgate.config.local_time import earliest_instant, latest_instant

if TYPE_CHECKING:
    from patchgate.config.freezes import Freeze
    from patchgate.config.ics import CalendarEvents

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class FreezePeriod:
    """A time in which nothing is patched: from ``start`` to before ``end``, aware UTC; ``reasons`` for people."""

    start: datetime
    end: datetime
    reasons: tuple[str, ...]


def list_freeze_periods(
    freezes: Iterable[Freeze], zone: str, start: datetime, until: datetime, calendars: Mapping[str, CalendarEvents]
) -> tuple[FreezePeriod, ...]:
    """Every frozen time that touches the time from ``start`` to ``until``, in order; those that meet are one.

    ``zone`` is the lane's, for freezes that name none. ``calendars`` are the fleet's calendar files.
    """
    found = sorted(
        FreezePeriod(begin, end, (reason,))
        for freeze in freezes
        for begin, end, reason in _periods(freeze, freeze.time_zone or zone, start, until, calendars)
        if begin < until and end > start
    )
    return tuple(merge_periods(found))


def merge_periods(periods: Iterable[FreezePeriod]) -> Iterator[FreezePeriod]:
    """Sorted periods, with those that overlap or touch made one; each reason is told once."""
    current: FreezePeriod | None = None
    for period in periods:
        if current is None or period.start > current.end:
            if current is not None:
                yield current
            current = period
        else:
            reasons = tuple(dict.fromkeys((*current.reasons, *period.reasons)))
            current = FreezePeriod(current.start, max(current.end, period.end), reasons)
    if current is not None:
        yield current


def _periods(
    freeze: Freeze, zone: str, start: datetime, until: datetime, calendars: Mapping[str, CalendarEvents]
) -> Iterator[tuple[datetime, datetime, str]]:
    match freeze.kind:
        case "days":
            for first, last in _days(freeze, range(start.year - 1, until.year + 2)):
                yield *_span(first, last, zone), freeze.reason
        case "instants":
            yield (
                _instant(freeze.start or "", zone, end=False),
                _instant(freeze.end or "", zone, end=True),
                freeze.reason,
            )
        case "holidays":
            before, after = timedelta(days=freeze.days_before), timedelta(days=freeze.days_after)
            for year in range(start.year - 1, until.year + 2):
                for day, name in holidays_of(freeze.holidays or "", freeze.subdivision, year):
                    yield *_span(day - before, day + after, zone), f"{freeze.reason}: {name}"
        case "ics":
            for event in calendars[freeze.ics or ""]:
                for begin, end in event.occurrences(zone, start, until):
                    yield begin, end, f"{freeze.reason}: {event.summary}"
        case "change_calendar":
            return


def _days(freeze: Freeze, years: range) -> Iterator[tuple[date, date]]:
    """(first day, last day) of the freeze; of one for every year, all that begin in these years."""
    first, last = freeze.first_day or "", freeze.last_day or ""
    if len(first) > len("12-31"):
        yield date.fromisoformat(first), date.fromisoformat(last)
        return
    for year in years:
        yield _day_of(year, first, end=False), _day_of(year if last >= first else year + 1, last, end=True)


def _day_of(year: int, month_day: str, *, end: bool) -> date:
    """That day of the year; 29 February, where there is none, is the day that makes the freeze longer."""
    month, day = map(int, month_day.split("-"))
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if (month, day) == (2, 29) and not leap:
        return date(year, 3, 1) if end else date(year, 2, 28)
    return date(year, month, day)


def _span(first: date, last: date, zone: str) -> tuple[datetime, datetime]:
    """From the beginning of the first day to the end of the last one, in local time."""
    begin, end = datetime.combine(first, time()), datetime.combine(last + _DAY, time())
    return earliest_instant(begin, zone), latest_instant(end, zone)


def _instant(text: str, zone: str, *, end: bool) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is not None:
        return instant.astimezone(UTC)
    return latest_instant(instant, zone) if end else earliest_instant(instant, zone)
