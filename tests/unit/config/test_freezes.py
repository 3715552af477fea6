"""Freezes: the five ways to say one, and the periods that they come to in a lane."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from patchgate.config import parse_fleet
from tests.unit.config.fleets import FLEET, TARGET, defaults, fleet_of, lane_of, problems_of

HORIZON = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))


def periods_of(freezes: str, more: str = "", region: str = "eu-central-1") -> list[str]:
    """The periods of the lane as ``start end reasons``, in minutes of UTC."""
    fleet = fleet_of(defaults(f"freezes: [{freezes}]{more}"), TARGET.replace("eu-central-1", region) % "")
    (lane,) = fleet.lanes()
    return [
        f"{period.start:%Y-%m-%dT%H:%M} {period.end:%Y-%m-%dT%H:%M} {'; '.join(period.reasons)}"
        for period in fleet.freeze_periods(lane, *HORIZON)
    ]


def test_days_are_local_from_the_first_to_the_end_of_the_last() -> None:
    assert periods_of("{reason: a, first_day: 2026-07-01, last_day: 2026-07-02}") == [
        "2026-06-30T22:00 2026-07-02T22:00 a"
    ]


def test_days_can_be_those_of_another_zone() -> None:
    assert periods_of("{reason: a, first_day: 2026-07-01, last_day: 2026-07-01, time_zone: Asia/Tokyo}") == [
        "2026-06-30T15:00 2026-07-01T15:00 a"
    ]


def test_days_follow_the_zone_that_the_lane_is_given() -> None:
    freeze = "{reason: a, first_day: 2026-07-01, last_day: 2026-07-01}"
    assert periods_of(freeze, ", time_zone: UTC") == ["2026-07-01T00:00 2026-07-02T00:00 a"]


def test_a_freeze_of_every_year_goes_over_its_end() -> None:
    assert periods_of("{reason: a, first_day: 12-18, last_day: 01-04}") == [
        "2025-12-17T23:00 2026-01-04T23:00 a",
        "2026-12-17T23:00 2027-01-04T23:00 a",
        "2027-12-17T23:00 2028-01-04T23:00 a",
    ]


def test_the_29th_of_february_makes_a_freeze_longer_where_there_is_none() -> None:
    assert periods_of("{reason: a, first_day: 02-29, last_day: 02-29}", ", time_zone: UTC") == [
        "2026-02-28T00:00 2026-03-02T00:00 a",
        "2027-02-28T00:00 2027-03-02T00:00 a",
    ]


def test_exact_times_are_local_or_have_an_offset() -> None:
    assert periods_of("{reason: a, start: 2026-07-01T18:00, end: 2026-07-01T20:00}") == [
        "2026-07-01T16:00 2026-07-01T18:00 a"
    ]
    assert periods_of("{reason: a, start: 2026-07-01T18:00-02:00, end: 2026-07-01T21:00Z}") == [
        "2026-07-01T20:00 2026-07-01T21:00 a"
    ]


def test_where_a_clock_change_leaves_a_time_open_the_freeze_is_longer() -> None:
    skipped = "{reason: a, start: 2026-03-29T02:30, end: 2026-03-29T02:45}"
    twice = "{reason: a, start: 2026-10-25T02:30, end: 2026-10-25T02:45}"
    assert periods_of(f"{skipped}, {twice}") == [
        "2026-03-29T00:30 2026-03-29T01:45 a",
        "2026-10-25T00:30 2026-10-25T01:45 a",
    ]


def test_a_day_whose_midnight_is_skipped_begins_before_it() -> None:
    assert periods_of("{reason: a, first_day: 2026-09-06, last_day: 2026-09-06}", ", time_zone: America/Santiago") == [
        "2026-09-06T03:00 2026-09-07T03:00 a"
    ]


def test_holidays_are_those_of_country_and_subdivision_with_days_around_them() -> None:
    text = periods_of("{reason: off, holidays: DE, subdivision: BY, days_before: 1, days_after: 2}")
    assert "2026-06-02T22:00 2026-06-06T22:00 off: Corpus Christi" in text
    assert not [each for each in periods_of("{reason: off, holidays: DE}") if "Corpus Christi" in each]


def test_periods_that_meet_are_one_and_tell_each_reason_once() -> None:
    freezes = ", ".join(
        f"{{reason: {reason}, first_day: 2026-07-{first:02}, last_day: 2026-07-{last:02}}}"
        for reason, first, last in (("a", 1, 3), ("b", 2, 2), ("a", 4, 5), ("c", 7, 7))
    )
    assert periods_of(freezes) == ["2026-06-30T22:00 2026-07-05T22:00 a; b", "2026-07-06T22:00 2026-07-07T22:00 c"]


def test_freezes_outside_the_asked_time_are_left_out() -> None:
    assert not periods_of("{reason: a, first_day: 2020-07-01, last_day: 2020-07-02}")


def test_a_change_calendar_has_no_periods_of_its_own() -> None:
    assert not periods_of("{reason: a, change_calendar: board}")


def test_lanes_know_their_periods_of_three_calendar_years_once_the_day_is_known() -> None:
    text = defaults("freezes: [{reason: a, first_day: 12-18, last_day: 12-19}]")
    periods = lane_of(text, today=date(2026, 11, 1)).freeze_periods
    assert periods is not None
    assert [period.start.year for period in periods] == [2026, 2027, 2028]
    assert lane_of(text, today=None).freeze_periods is None


def test_a_calendar_file_is_seen_from_the_fleet_file(tmp_path: Path) -> None:
    (tmp_path / "release.ics").write_text(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20260701\nSUMMARY:Release\n"
        "END:VEVENT\nEND:VCALENDAR\n",
        encoding="utf-8",
    )
    text = FLEET + defaults("freezes: [{reason: a, ics: release.ics}]") + "targets:\n" + TARGET % ""
    fleet = parse_fleet(text.encode(), "f.yaml", directory=tmp_path)
    (period,) = fleet.freeze_periods(fleet.lanes()[0], *HORIZON)
    assert (period.start, period.end) == (datetime(2026, 6, 30, 22, tzinfo=UTC), datetime(2026, 7, 1, 22, tzinfo=UTC))
    assert period.reasons == ("a: Release",)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("absent.ics", "absent.ics: cannot be read: No such file or directory (its path is seen from the fleet file)"),
        (".", ".: cannot be read: Is a directory"),
        ('"a\\0b"', "cannot be read: its name has a character that no file name has"),
    ],
)
def test_a_calendar_file_that_cannot_be_read_is_told_with_its_place(name: str, expected: str) -> None:
    (problem,) = problems_of(defaults(f"freezes: [{{reason: a, ics: {name}}}]"))
    assert problem.startswith("f.yaml:6:39: ")
    assert expected in problem


def test_a_calendar_file_of_many_freezes_is_told_once() -> None:
    assert len(problems_of(defaults("freezes: [{reason: a, ics: x.ics}, {reason: b, ics: x.ics}]"))) == 1


@pytest.mark.parametrize(
    ("freeze", "expected"),
    [
        ("{reason: a}", "a freeze says when (first_day and last_day, start and end, holidays"),
        ("{first_day: 2026-07-01, last_day: 2026-07-01}", "missing key 'reason'"),
        ("{reason: '', holidays: DE}", "defaults.freezes.reason is empty"),
        ("{reason: a, holidays: DE, ics: x.ics}", "a freeze says when in one way"),
        ("{reason: a, first_day: 2026-07-01}", "a freeze with first_day needs last_day"),
        ("{reason: a, end: 2026-07-01T10:00}", "a freeze with end needs start"),
        (
            "{reason: a, first_day: 2026-07-02, last_day: 2026-07-01}",
            "last_day 2026-07-01 is before first_day",
        ),
        ("{reason: a, first_day: 07-02, last_day: 2026-07-01}", "both of one year, or both of every year"),
        ("{reason: a, first_day: 2026-02-29, last_day: 2026-03-01}", "'2026-02-29' is not a date"),
        ("{reason: a, first_day: 20260701, last_day: 20260702}", "must be text, not 20260701"),
        ("{reason: a, first_day: 02-30, last_day: 03-01}", "'02-30' is not a day of the year"),
        ("{reason: a, start: soon, end: later}", "'soon' is not a date and time"),
        ("{reason: a, start: 2026-07-01T10:00, end: 2026-07-01T10:00}", "is not after start"),
        ("{reason: a, start: 2026-07-01T10:00, end: 2026-07-01T11:00Z}", "both local times, or both have an offset"),
        ("{reason: a, holidays: XX}", "no holidays are known of 'XX'"),
        ("{reason: a, holidays: de}", "no holidays are known of 'de' (did you mean 'DE'?)"),
        ("{reason: a, holidays: DE, subdivision: XX}", "'DE' has no subdivision 'XX'"),
        ("{reason: a, holidays: DE, days_before: 15}", "defaults.freezes.days_before cannot be 15 (at most 14)"),
        (
            "{reason: a, change_calendar: x, days_before: 1}",
            "days_before and days_after belong to holidays",
        ),
        ("{reason: a, change_calendar: x, time_zone: UTC}", "a change calendar has its own time zone"),
        ("{reason: a, change_calendar: 'x,y'}", "'x,y' is not the name of a change calendar"),
    ],
)
def test_a_freeze_that_says_nothing_definite_is_refused(freeze: str, expected: str) -> None:
    problems = problems_of(defaults(f"freezes: [{freeze}]"))
    assert expected in problems[0]
    assert problems[0].startswith("f.yaml:6:")
