"""How the embedded AWS reads schedules at clock changes."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from patchgate.emulator.assumptions import ClockReading, RepeatedTime, SkippedTime
from patchgate.emulator.clock_changes import read_occurrences, shows_alike
from patchgate.schedule import ScheduleError, parse

BERLIN = "Europe/Berlin"


def runs(expression: str, after: datetime, count: int, clock: ClockReading, zone: str = BERLIN) -> list[str]:
    found = read_occurrences(parse(expression, "backup"), zone, after, clock)
    return [f"{when:%d %H:%M}" for when in islice(found, count)]


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        ("skipped", ["28 01:30", "30 00:30", "31 00:30"]),
        ("at the clock change", ["28 01:30", "29 01:00", "30 00:30"]),
        ("shifted", ["28 01:30", "29 01:30", "30 00:30"]),
    ],
)
def test_local_time_that_a_clock_change_skips(reading: SkippedTime, expected: list[str]) -> None:
    begin = datetime(2026, 3, 27, 12, tzinfo=UTC)
    assert runs("cron(30 2 * * ? *)", begin, 3, ClockReading(skipped=reading)) == expected


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        ("first pass", ["24 00:30", "25 00:30", "26 01:30"]),
        ("second pass", ["24 00:30", "25 01:30", "26 01:30"]),
        ("both passes", ["24 00:30", "25 00:30", "25 01:30", "26 01:30"]),
    ],
)
def test_local_time_that_a_clock_change_repeats(reading: RepeatedTime, expected: list[str]) -> None:
    begin = datetime(2026, 10, 23, 12, tzinfo=UTC)
    assert runs("cron(30 2 * * ? *)", begin, len(expected), ClockReading(repeated=reading)) == expected


def test_later_local_times_may_come_first() -> None:
    begin = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    second = ClockReading(repeated="second pass")
    assert runs("cron(0/30 2-3 * * ? *)", begin, 4, second) == ["25 01:00", "25 01:30", "25 02:00", "25 02:30"]


def test_continuing_from_the_clock_change_itself_repeats_nothing() -> None:
    both = ClockReading(repeated="both passes", skipped="shifted")
    cursor, seen = datetime(2026, 10, 23, tzinfo=UTC), []
    for _ in range(5):
        cursor = next(read_occurrences(parse("cron(30 2 * * ? *)", "backup"), BERLIN, cursor, both))
        seen.append(f"{cursor:%d %H:%M}")
    assert seen == ["23 00:30", "24 00:30", "25 00:30", "25 01:30", "26 01:30"]


def test_every_reading_agrees_away_from_clock_changes() -> None:
    begin = datetime(2026, 6, 1, tzinfo=UTC)
    every = [runs("cron(0 19 ? * 7 *)", begin, 8, clock) for clock in ClockReading.every()]
    assert all(one == every[0] for one in every)


def test_a_zone_without_clock_changes_and_rates_are_read_plainly() -> None:
    drawn = ClockReading(skipped="shifted", repeated="both passes")
    begin = datetime(2026, 3, 28, tzinfo=UTC)
    assert runs("cron(30 2 * * ? *)", begin, 2, drawn, "UTC") == ["28 02:30", "29 02:30"]
    rate = read_occurrences(parse("rate(12 hours)", "ssm"), BERLIN, begin, drawn, anchor=begin)
    assert list(islice(rate, 2)) == [begin + timedelta(hours=12), begin + timedelta(hours=24)]


def test_a_schedule_that_ends_ends() -> None:
    drawn = ClockReading(skipped="shifted")
    begin = datetime(2026, 3, 20, tzinfo=UTC)
    assert runs("cron(30 2 29 3 ? 2026)", begin, 3, drawn) == ["29 01:30"]


def test_an_unknown_zone_is_an_error() -> None:
    with pytest.raises(ScheduleError):
        runs("cron(30 2 * * ? *)", datetime(2026, 3, 20, tzinfo=UTC), 1, ClockReading(), "Europe/Nowhere")


def test_instants_that_show_the_same_local_time() -> None:
    first, second = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert shows_alike(BERLIN, first, second)
    assert not shows_alike("UTC", first, second)
    assert not shows_alike(BERLIN, first, second + timedelta(minutes=1))
