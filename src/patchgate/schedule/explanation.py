"""A schedule in plain words: what its expression says, and what clock changes do to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, pairwise
from typing import Final

from patchgate.schedule.ambiguity import uncertain_occurrences
from patchgate.schedule.cron import CronSchedule
from patchgate.schedule.fixed import AtSchedule, RateSchedule
from patchgate.schedule.months import (
    DaysOfMonth,
    DayTerm,
    LastDay,
    LastWeekday,
    NearestWeekday,
    NthWeekday,
    Weekdays,
)
from patchgate.schedule.occurrences import Occurrence, Outlook, Schedule, from_epoch, to_epoch
from patchgate.schedule.zones import load_zone

WEEKDAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_ORDINALS: Final = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth"}
_TIMES_NAMED: Final = 6
_STRETCHES_NAMED: Final = 4
_HOUR: Final = 3600
_YEARS_LOOKED: Final = 10
_YEAR: Final = 31_556_952


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a schedule says, in words.

    ``edges`` are its first occurrences, in the ten years after, that a clock change skips or repeats, with everything
    that the service may make of them; ``edge_rule`` says what the service documents about them.
    """

    words: str
    service: str
    page: str
    outlook: Outlook
    next_runs: tuple[datetime, ...]
    edges: tuple[Occurrence, ...]
    edge_rule: str
    undocumented: tuple[str, ...]


def explain_schedule(
    schedule: Schedule,
    zone: str,
    after: datetime,
    *,
    count: int = 3,
    offset_days: int = 0,
    anchor: datetime | None = None,
) -> Explanation:
    """The schedule's words, its next ``count`` runs after ``after``, and what clock changes do to it in that zone.

    Raises ScheduleError for an unknown zone, an offset that is not allowed, and a rate without ``anchor``.
    """
    runs = schedule.occurrences(zone, after, offset_days=offset_days, anchor=anchor)
    return Explanation(
        words=describe_schedule(schedule, offset_days=offset_days),
        service=schedule.rules.service,
        page=schedule.rules.page,
        outlook=schedule.outlook(zone, after, offset_days=offset_days, anchor=anchor),
        next_runs=tuple(islice(runs, count)),
        edges=tuple(islice(_edges(schedule, zone, after, offset_days), count)),
        edge_rule=_edge_rule(schedule),
        undocumented=tuple(f"{notice.text}: {notice.rule}" for notice in schedule.undocumented),
    )


def describe_schedule(schedule: Schedule, *, offset_days: int = 0) -> str:
    """What the expression says, as a sentence without its full stop: ``at 23:00 on Saturdays``."""
    if isinstance(schedule, RateSchedule):
        return f"every {_length(schedule.interval_seconds)}, counted from its creation or start"
    if isinstance(schedule, AtSchedule):
        return f"once, on {from_epoch(schedule.wall_epoch):%Y-%m-%d at %H:%M:%S}"
    if not isinstance(schedule, CronSchedule):
        raise TypeError(f"no words for {schedule!r}")
    fields = schedule.fields
    parts = [_times(schedule.times), _days(fields.days), _months(fields.months), _years(fields.years)]
    words = " ".join(part for part in parts if part)
    if offset_days:
        words += f", moved {offset_days} day{'' if offset_days == 1 else 's'} later"
    return words


def _times(times: Sequence[int]) -> str:
    if len(times) <= _TIMES_NAMED:
        return "at " + _and(_clock(time) for time in times)
    step = min(later - earlier for earlier, later in pairwise(times))
    stretches = _stretches(times, step)
    if len(stretches) == 1 and not times[0] and times[-1] + step >= 86_400:
        return f"every {_length(step)},"
    if len(stretches) <= _STRETCHES_NAMED and max(map(len, stretches)) > 2:
        return f"every {_length(step)} {_and(map(_span, stretches))},"
    stretches = _stretches(times, max(step, _HOUR))
    if len(stretches) > _STRETCHES_NAMED:
        return f"at {len(times)} times in {len(stretches)} stretches from {_clock(times[0])} to {_clock(times[-1])}"
    return f"at {len(times)} times {_and(map(_span, stretches))}"


def _stretches(times: Sequence[int], longest: int) -> list[list[int]]:
    """The times, split wherever the next one is more than ``longest`` seconds later."""
    found = [[times[0]]]
    for earlier, later in pairwise(times):
        if later - earlier > longest:
            found.append([])
        found[-1].append(later)
    return found


def _span(times: Sequence[int]) -> str:
    return f"from {_clock(times[0])} to {_clock(times[-1])}" if len(times) > 1 else f"at {_clock(times[0])}"


def _days(terms: Sequence[DayTerm]) -> str:
    words = [_day(term) for term in terms]
    whole = {tuple(range(7)), tuple(range(1, 32))}
    numbers = [term.numbers for term in terms if isinstance(term, Weekdays | DaysOfMonth)]
    if any(tuple(sorted(each)) in whole for each in numbers):
        return "every day"
    if all(isinstance(term, Weekdays) for term in terms):
        return "on " + _and(f"{WEEKDAYS[day]}s" for day in _unique(day for each in numbers for day in each))
    if all(isinstance(term, DaysOfMonth) for term in terms):
        days = _unique(day for each in numbers for day in each)
        return f"on day{'' if len(days) == 1 else 's'} {_and(map(str, days))} of the month"
    return "on " + _and(words)


def _day(term: DayTerm) -> str:  # noqa: PLR0911 - one a kind of day
    match term:
        case LastDay(back=0):
            return "the last day of the month"
        case LastDay(back=back):
            return f"the day {back} before the last of the month"
        case NearestWeekday(day=0):
            return "the last Monday to Friday of the month"
        case NearestWeekday(day=day):
            return f"the Monday to Friday nearest to day {day} of the month"
        case LastWeekday(weekday=weekday):
            return f"the last {WEEKDAYS[weekday]} of the month"
        case NthWeekday(weekday=weekday, ordinal=ordinal):
            return f"the {_ORDINALS.get(ordinal, f'{ordinal}th')} {WEEKDAYS[weekday]} of the month"
        case DaysOfMonth(numbers=numbers):
            return f"day {_and(map(str, numbers))} of the month"
        case Weekdays(numbers=numbers):
            return _and(f"{WEEKDAYS[day]}s" for day in numbers)
        case _:
            raise TypeError(f"no words for {term!r}")


def _months(months: Sequence[int]) -> str:
    return "" if len(months) == 12 else "in " + _and(MONTHS[month - 1] for month in months)


def _years(years: Sequence[int]) -> str:
    if len(years) == 230:
        return ""
    if len(years) > 2 and years[-1] - years[0] == len(years) - 1:
        return f"from {years[0]} to {years[-1]}"
    named = [str(year) for year in years]
    return "in " + (_and(named) if len(named) <= _TIMES_NAMED else f"{len(named)} years from {named[0]} to {named[-1]}")


def _edges(schedule: Schedule, zone: str, after: datetime, offset_days: int) -> Iterable[Occurrence]:
    """The next occurrences at clock changes, by wall-clock time."""
    if isinstance(schedule, RateSchedule):
        return
    begin, end = to_epoch(after), to_epoch(after) + _YEARS_LOOKED * _YEAR
    if not schedule.rules.documents_edges:
        yield from uncertain_occurrences(schedule, zone, begin, end, offset_days=offset_days)
        return
    last = -(2**60)
    for change in load_zone(zone).starts:
        if not begin < change < end:
            continue
        for one in schedule.readings(zone, from_epoch(change - 86_400)):
            if one.wall_epoch > change + 2 * 86_400:
                break
            if one.edge != "none" and one.wall_epoch > last:
                last = one.wall_epoch
                yield one


def _edge_rule(schedule: Schedule) -> str:
    service = schedule.rules.service
    if isinstance(schedule, RateSchedule):
        return "a day is 24 hours, whatever the clocks do"
    if schedule.rules.utc_only:
        return "UTC has no clock changes"
    if schedule.rules.documents_edges:
        return (
            f"{service} skips a local time that does not exist, and runs once, on the first pass, at one that "
            "occurs twice"
        )
    does = "do" if service.endswith("s") else "does"
    return f"what {service} {does} at a local time that does not exist or occurs twice is not documented"


def _length(seconds: int) -> str:
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds % size == 0:
            count = seconds // size
            return unit if count == 1 else f"{count} {unit}s"
    return f"{seconds} seconds"


def _clock(time: int) -> str:
    text = f"{time // 3600:02d}:{time % 3600 // 60:02d}"
    return f"{text}:{time % 60:02d}" if time % 60 else text


def _unique(numbers: Iterable[int]) -> list[int]:
    return sorted(set(numbers))


def _and(words: Iterable[str]) -> str:
    *before, last = words
    return f"{', '.join(before)} and {last}" if before else last
