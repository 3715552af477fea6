"""The engine against a scanner that looks at every minute, in zones and weeks where clocks change.

The scanner shares nothing with the engine: it asks the standard library's reader for the local time of every UTC
minute, and asks predicates, generated beside each field's text, whether it matches. A local time counts when it is
shown for the first time.
"""

from __future__ import annotations

import calendar
import importlib.resources
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import takewhile
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from patchgate.schedule import DIALECTS, Dialect, Fault, Notice, Schedule, ScheduleError, parse, zone_names
from patchgate.schedule.zones import load_zone

Matches = Callable[[int], bool]
DayMatches = Callable[[date], bool]
DAY_NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
FIRST, LAST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2020, 2036))


@cache
def _reference(name: str) -> ZoneInfo:
    with importlib.resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


@cache
def _clock_changes() -> tuple[tuple[str, int], ...]:
    """Every zone's every change between 2020 and 2035, aliases left out."""
    zones = {tuple(zone.starts + zone.offsets): zone for zone in map(load_zone, sorted(zone_names()))}
    return tuple((zone.name, start) for zone in zones.values() for start in zone.starts if FIRST <= start < LAST)


def _wall_times(name: str, start: int, end: int, step: int = 60) -> Iterator[tuple[int, datetime]]:
    """Every UTC instant from ``start`` on at which the wall clock shows a time that it has not shown before."""
    zone = _reference(name)
    warm_up = 2 * 86_400
    seen = datetime.min  # noqa: DTZ901 - a wall clock's time is naive
    for instant in range(start - warm_up, end + 1, step):
        wall = datetime.fromtimestamp(instant, UTC).astimezone(zone).replace(tzinfo=None)
        if wall > seen:
            seen = wall
            if instant > start:
                yield instant, wall


@dataclass(frozen=True)
class Expression:
    """A cron expression with what it means, in predicates."""

    text: str
    minute: Matches
    hour: Matches
    day: DayMatches
    month: Matches

    def matches(self, wall: datetime) -> bool:
        return self.minute(wall.minute) and self.hour(wall.hour) and self.month(wall.month) and self.day(wall.date())


@st.composite
def _numbers(draw: st.DrawFn, low: int, high: int, names: tuple[str, ...]) -> tuple[str, Matches]:
    """A list of one to three items of a plain field."""
    items = draw(st.lists(_item(low, high, names), min_size=1, max_size=3))
    return ",".join(text for text, _ in items), lambda value: any(matches(value) for _, matches in items)


@st.composite
def _item(draw: st.DrawFn, low: int, high: int, names: tuple[str, ...]) -> tuple[str, Matches]:
    kind = draw(st.sampled_from(["all", "one", "one", "range", "from", "range-step"]))
    first, last, step = draw(st.integers(low, high)), draw(st.integers(low, high)), draw(st.integers(1, high - low))

    named = bool(names) and draw(st.booleans())

    def written(value: int) -> str:
        return names[value - low] if named else str(value)

    size = high - low + 1
    span = (last - first) % size
    if kind == "all":
        return "*", lambda value: True
    if kind == "one":
        return written(first), lambda value: value == first
    if kind == "range":
        return f"{written(first)}-{written(last)}", lambda value: (value - first) % size <= span
    if kind == "from":
        return f"{written(first)}/{step}", lambda value: value >= first and (value - first) % step == 0
    return (
        f"{written(first)}-{written(last)}/{step}",
        lambda value: (value - first) % size <= span and (value - first) % size % step == 0,
    )


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _is_nearest_weekday(day: date, number: int) -> bool:
    if number > _length(day) or day.isoweekday() > 5:
        return False
    weekdays = [other for other in range(1, _length(day) + 1) if day.replace(day=other).isoweekday() <= 5]
    return day.day == min(weekdays, key=lambda other: abs(other - number))


@st.composite
def _day_fields(draw: st.DrawFn) -> tuple[str, str, DayMatches]:  # noqa: PLR0911 - one return a kind
    kind = draw(st.sampled_from(["month-days", "week-days", "L", "W", "LW", "6L", "#", "L-n"]))
    number, weekday, ordinal = draw(st.integers(1, 31)), draw(st.integers(0, 6)), draw(st.integers(1, 5))
    name = DAY_NAMES[weekday] if draw(st.booleans()) else str(weekday + 1)
    if kind == "month-days":
        text, matches = draw(_numbers(1, 31, ()))
        return text, "?", lambda day: matches(day.day)
    if kind == "week-days":
        text, matches = draw(_numbers(1, 7, DAY_NAMES))
        return "?", text, lambda day: matches(day.isoweekday() % 7 + 1)
    if kind == "L":
        return "L", "?", lambda day: day.day == _length(day)
    if kind == "L-n":
        back = min(number, 30)
        return f"L-{back}", "?", lambda day: day.day == _length(day) - back
    if kind == "W":
        return f"{number}W", "?", lambda day: _is_nearest_weekday(day, number)
    if kind == "LW":
        return "LW", "?", lambda day: _is_nearest_weekday(day, _length(day))
    if kind == "6L":
        return "?", f"{name}L", lambda day: day.isoweekday() % 7 == weekday and day.day + 7 > _length(day)
    return "?", f"{name}#{ordinal}", lambda day: day.isoweekday() % 7 == weekday and (day.day + 6) // 7 == ordinal


@st.composite
def _expressions(draw: st.DrawFn) -> Expression:
    minute_text, minute = draw(_numbers(0, 59, ()))
    hour_text, hour = draw(_numbers(0, 23, ()))
    month_text, month = draw(_numbers(1, 12, MONTH_NAMES))
    day_text, weekday_text, day = draw(_day_fields())
    text = f"cron({minute_text} {hour_text} {day_text} {month_text} {weekday_text} *)"
    return Expression(text, minute, hour, day, month)


def _engine(schedule: Schedule, zone: str, start: int, end: int, offset_days: int = 0) -> list[int]:
    found = schedule.occurrences_epoch(zone, start, offset_days=offset_days)
    return list(takewhile(lambda epoch: epoch <= end, found))


@settings(max_examples=120, deadline=None)
@given(_expressions(), st.integers(0, 10**9), st.integers(-2160, 1440))
def test_occurrences_around_clock_changes_are_those_of_the_scanner(
    expression: Expression, pick: int, lead_minutes: int
) -> None:
    zone, change = _clock_changes()[pick % len(_clock_changes())]
    start = change + lead_minutes * 60
    end = start + 2 * 86_400
    expected = [instant for instant, wall in _wall_times(zone, start, end) if expression.matches(wall)]
    schedule = parse(expression.text, "scheduler")
    assert _engine(schedule, zone, start, end) == expected
    assert schedule.between_epoch(zone, start, end) == expected


@settings(max_examples=40, deadline=None)
@given(_expressions(), st.sampled_from(sorted(zone_names())), st.integers(FIRST, LAST))
def test_occurrences_of_a_quarter_are_those_of_the_scanner(expression: Expression, zone: str, start: int) -> None:
    """Months on end, by the day: hours and minutes are fixed so that few minutes need a look."""
    start -= start % 60
    end = start + 92 * 86_400
    fields = expression.text.split(" ")
    schedule = parse(" ".join(["cron(30", "12", *fields[2:]]), "scheduler")
    reference = _reference(zone)
    expected = []
    day = datetime.fromtimestamp(start, UTC).date() - timedelta(days=2)
    for _ in range(97):
        noon = datetime(day.year, day.month, day.day, 12, 30, tzinfo=reference)
        if expression.day(day) and expression.month(day.month) and start < noon.timestamp() <= end:
            expected.append(int(noon.timestamp()))
        day += timedelta(days=1)
    assert _engine(schedule, zone, start, end) == expected


@settings(max_examples=60, deadline=None)
@given(_expressions(), st.integers(0, 10**9), st.integers(1, 6))
def test_a_schedule_offset_moves_the_wall_clock_day(expression: Expression, pick: int, offset_days: int) -> None:
    zone, change = _clock_changes()[pick % len(_clock_changes())]
    start, end = change - 86_400, change + 86_400
    fields = expression.text.split(" ")
    text = " ".join(["cron(30", "1-3", *fields[2:]])
    moved = timedelta(days=offset_days)
    expected = [
        instant
        for instant, wall in _wall_times(zone, start, end)
        if wall.minute == 30
        and 1 <= wall.hour <= 3
        and expression.day((wall - moved).date())
        and expression.month((wall - moved).month)
    ]
    assert _engine(parse(text, "ssm"), zone, start, end, offset_days) == expected


def test_every_clock_change_of_every_zone_from_2020_to_2035() -> None:
    """Every quarter of an hour around each of them: gaps skipped, overlaps counted once."""
    schedule = parse("cron(0/15 * * * ? *)", "scheduler")
    changes = _clock_changes()
    assert len(changes) > 1000
    for zone, change in changes:
        start, end = change - 3 * 3600, change + 3 * 3600
        shown: dict[datetime, int] = {}
        reference = _reference(zone)
        for instant in range(start - 3 * 3600, end + 1, 60 if change % 900 else 900):
            wall = datetime.fromtimestamp(instant, UTC).astimezone(reference).replace(tzinfo=None)
            shown.setdefault(wall, instant)
        expected = [instant for wall, instant in shown.items() if instant > start and wall.minute % 15 == 0]
        assert schedule.between_epoch(zone, start, end) == expected, (zone, change)


@settings(max_examples=70, deadline=None)
@given(_expressions(), st.integers(0, 10**9))
def test_readings_hold_what_every_reading_of_the_zone_says(expression: Expression, pick: int) -> None:
    """Certain occurrences are those with one instant; of uncertain ones each named instant really shows that time,
    or is the clock change, or is as much later as the clock jumped."""
    zone_name, change = _clock_changes()[pick % len(_clock_changes())]
    zone, reference = load_zone(zone_name), _reference(zone_name)
    schedule = parse(expression.text, "backup")
    after = datetime.fromtimestamp(change - 43_200, UTC)
    near = takewhile(
        lambda occurrence: occurrence.wall_epoch < change + zone.offset_at(change) + 43_200,
        schedule.readings(zone_name, after),
    )
    for occurrence in near:
        by_name = {reading.name: reading.epochs for reading in occurrence.readings}
        assert expression.matches(occurrence.wall)
        instants = {epoch for epochs in by_name.values() for epoch in epochs}
        shown = {
            epoch: datetime.fromtimestamp(epoch, UTC).astimezone(reference).replace(tzinfo=None) for epoch in instants
        }
        if occurrence.edge == "gap":
            jump = zone.offset_at(change) - zone.offset_at(change - 1)
            assert by_name == {
                "skipped": (),
                "at the clock change": (change,),
                "shifted": (occurrence.wall_epoch - zone.offset_at(change - 1),),
            }
            assert shown[by_name["shifted"][0]] == occurrence.wall + timedelta(seconds=jump)
        else:
            assert set(shown.values()) == {occurrence.wall}
            assert len(instants) == (1 if occurrence.edge == "none" else 2)


_TEXTS = st.one_of(
    st.text(max_size=40),
    st.text("0123456789*?/,-#LW MONJAFEB()craten", max_size=40).map(lambda body: f"cron({body})"),
    st.lists(st.text("0123459*?/,-#LWMON", min_size=1, max_size=5), min_size=5, max_size=7).map(
        lambda fields: f"cron({' '.join(fields)})"
    ),
)


@settings(max_examples=250, deadline=None)
@given(_TEXTS, st.sampled_from(DIALECTS))
@example("cron(0 0 L W ? *)", "scheduler")
def test_whatever_is_given_is_read_or_refused_with_a_place(text: str, dialect: Dialect) -> None:
    found: tuple[Fault | Notice, ...]
    try:
        schedule = parse(text, dialect)
    except ScheduleError as error:
        found = error.faults
        refused = True
    else:
        found = schedule.undocumented
        refused = False
    assert found or not refused
    for place in found:
        assert text[place.column - 1 :].startswith(place.text)
