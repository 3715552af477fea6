"""The zone tables against the standard library's reader of the same files."""

from __future__ import annotations

import importlib
import importlib.resources
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from patchgate.schedule import ScheduleError, tzdata_release, zone_names
from patchgate.schedule.months import HORIZON
from patchgate.schedule.tzif import read_transitions
from patchgate.schedule.zones import Zone, load_zone

HOUR = 3600


def _reference(name: str) -> ZoneInfo:
    with importlib.resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def _seconds(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp())


def test_every_zone_has_the_offsets_of_the_standard_library_around_every_transition_and_mid_year() -> None:
    mid_years = [_seconds(year, month, 1) for year in range(1970, 2200, 7) for month in (1, 7)]
    for name in sorted(zone_names()):
        zone, reference = load_zone(name), _reference(name)
        edges = [start + side for start in zone.starts[1:] for side in (-1, 0) if 0 <= start < HORIZON]
        for instant in mid_years + edges:
            expected = datetime.fromtimestamp(instant, UTC).astimezone(reference).utcoffset()
            assert expected is not None
            assert zone.offset_at(instant) == expected.total_seconds(), (name, instant)


def test_no_transition_of_the_coming_decade_is_missed() -> None:
    for name in sorted(zone_names()):
        zone, reference = load_zone(name), _reference(name)
        for instant in range(_seconds(2026, 1, 1), _seconds(2028, 1, 1), 86_400):
            expected = datetime.fromtimestamp(instant, UTC).astimezone(reference).utcoffset()
            assert expected is not None
            assert zone.offset_at(instant) == expected.total_seconds(), (name, instant)


def test_the_release_is_that_of_the_package() -> None:
    assert tzdata_release() == importlib.import_module("tzdata").IANA_VERSION
    assert "Europe/Berlin" in zone_names()


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "europe/berlin", "../zones", "America/", "/etc/localtime"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(ScheduleError, match="is not in the IANA database, release " + tzdata_release()):
        load_zone(name)


def test_a_misspelt_zone_is_answered_with_the_right_one() -> None:
    with pytest.raises(ScheduleError) as raised:
        load_zone("europe/berlin")
    assert raised.value.remedy.startswith("did you mean Europe/Berlin")


def test_a_gap_has_no_instants_and_knows_its_clock_change() -> None:
    zone = load_zone("America/New_York")  # 2026-03-08 02:00 EST -> 03:00 EDT
    change = _seconds(2026, 3, 8, 7)
    wall = _seconds(2026, 3, 8, 2, 30)
    assert zone.instants(wall) == ()
    assert zone.gap_around(wall) == (change, change + 1800)
    assert zone.instants(_seconds(2026, 3, 8, 3)) == (change,)
    assert zone.instants(_seconds(2026, 3, 8, 2) - 1) == (change - 1,)


def test_an_overlap_has_two_instants() -> None:
    zone = load_zone("America/New_York")  # 2026-11-01 02:00 EDT -> 01:00 EST
    first = _seconds(2026, 11, 1, 5, 30)
    assert zone.instants(_seconds(2026, 11, 1, 1, 30)) == (first, first + HOUR)
    assert zone.instants(_seconds(2026, 11, 1, 2)) == (first + HOUR + 1800,)


def test_half_hour_and_negative_and_all_day_changes() -> None:
    lord_howe = load_zone("Australia/Lord_Howe")  # 2026-10-04 02:00 +10:30 -> 02:30 +11
    assert lord_howe.instants(_seconds(2026, 10, 4, 2, 15)) == ()
    assert lord_howe.instants(_seconds(2026, 4, 5, 1, 45)) == (
        _seconds(2026, 4, 4, 14, 45),
        _seconds(2026, 4, 4, 15, 15),
    )
    dublin = load_zone("Europe/Dublin")  # winter time is the exception there: GMT is IST minus one hour
    assert (dublin.offset_at(_seconds(2060, 1, 1)), dublin.offset_at(_seconds(2060, 7, 1))) == (0, HOUR)
    apia = load_zone("Pacific/Apia")  # skipped all of 2011-12-30
    assert apia.instants(_seconds(2011, 12, 30, 12)) == ()
    assert apia.gap_around(_seconds(2011, 12, 30, 12))[0] == _seconds(2011, 12, 30, 10)


def test_constant_offset_is_told_only_where_no_clock_change_touches() -> None:
    zone = load_zone("America/New_York")
    gap = _seconds(2026, 3, 8, 2)
    assert zone.constant_offset(gap - 10, gap) == -5 * HOUR
    assert zone.constant_offset(gap - 10, gap + 1) is None
    assert zone.constant_offset(gap + HOUR - 1, gap + HOUR) is None
    assert zone.constant_offset(gap + HOUR, gap + HOUR + 1) == -4 * HOUR
    overlap = _seconds(2026, 11, 1, 1)
    assert zone.constant_offset(overlap - 1, overlap) == -4 * HOUR
    assert zone.constant_offset(overlap, overlap + 1) is None
    assert zone.constant_offset(overlap + HOUR, overlap + HOUR + 1) == -5 * HOUR


def test_the_latest_wall_time_does_not_go_back_in_an_overlap() -> None:
    zone = load_zone("America/New_York")
    change = _seconds(2026, 11, 1, 6)
    assert zone.latest_wall(change - 1) == _seconds(2026, 11, 1, 2) - 1
    assert zone.latest_wall(change + 600) == _seconds(2026, 11, 1, 2) - 1
    assert zone.latest_wall(change + 2 * HOUR) == _seconds(2026, 11, 1, 3)


@pytest.mark.parametrize(
    ("footer", "year", "at", "offset"),
    [
        ("EST5EDT,M3.2.0,M11.1.0", 2050, (2050, 3, 13, 7), -4 * HOUR),
        ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 2050, (2050, 4, 2, 15), 37_800),
        ("IST-2IDT,M3.4.4/26,M10.5.0", 2050, (2050, 3, 25), 3 * HOUR),
        ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2050, (2050, 3, 27, 1), -HOUR),
        ("AAA0BBB,J60,J300", 2052, (2052, 3, 1, 2), HOUR),
        ("AAA0BBB,59/3,300", 2052, (2052, 2, 29, 3), HOUR),
    ],
)
def test_rules_of_the_footer(footer: str, year: int, at: tuple[int, ...], offset: int) -> None:
    _, transitions = read_transitions(_file_of_footer(footer), year + 1)
    zone = Zone("test", 0, list(transitions))
    instant = _seconds(*at)
    assert instant in zone.starts
    assert zone.offset_at(instant) == offset


def test_what_is_no_tzif_file_is_refused() -> None:
    with pytest.raises(ValueError, match="not a TZif file"):
        read_transitions(b"\0" * 44, 2100)
    with pytest.raises(ValueError, match="TZ string not understood"):
        read_transitions(_file_of_footer("nonsense!"), 2100)


def _file_of_footer(footer: str) -> bytes:
    block = b"TZif2" + bytes(15) + b"".join(count.to_bytes(4, "big") for count in (0, 0, 0, 0, 1, 4))
    body = bytes(6) + b"LMT\0"
    return block + body + block + body + b"\n" + footer.encode() + b"\n"
