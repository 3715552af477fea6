"""Schedules in plain words, and what clock changes do to them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from patchgate.schedule import Dialect, Occurrence, Outlook, parse
from patchgate.schedule.ambiguity import reading_choices, skipped_occurrence, uncertain_occurrences, wall_clock
from patchgate.schedule.explanation import describe_schedule, explain_schedule

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BEGIN, END = int(NOW.timestamp()), int(datetime(2031, 1, 1, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("expression", "dialect", "words"),
    [
        ("cron(0 23 ? * 7 *)", "ssm", "at 23:00 on Saturdays"),
        ("cron(0 23 ? * TUE#2 *)", "ssm", "at 23:00 on the second Tuesday of the month"),
        ("cron(15 10 ? * 6L 2022-2023)", "scheduler", "at 10:15 on the last Friday of the month in 2022 and 2023"),
        ("cron(15 10 ? * 6L 2022-2026)", "scheduler", "at 10:15 on the last Friday of the month from 2022 to 2026"),
        ("cron(0 22 27 1,4,7 ? *)", "scheduler", "at 22:00 on day 27 of the month in January, April and July"),
        ("cron(0 8 1,15 * ? *)", "scheduler", "at 08:00 on days 1 and 15 of the month"),
        ("cron(0 2 L * ? *)", "ssm", "at 02:00 on the last day of the month"),
        ("cron(0 2 L-3 * ? *)", "ssm", "at 02:00 on the day 3 before the last of the month"),
        ("cron(0 2 LW * ? *)", "ssm", "at 02:00 on the last Monday to Friday of the month"),
        ("cron(0 2 15W * ? *)", "ssm", "at 02:00 on the Monday to Friday nearest to day 15 of the month"),
        ("cron(0 2 1,L * ? *)", "ssm", "at 02:00 on day 1 of the month and the last day of the month"),
        ("cron(0 5 ? * * *)", "backup", "at 05:00 every day"),
        ("cron(0 5 * * ? *)", "backup", "at 05:00 every day"),
        ("cron(5,35 14 * * ? *)", "eventbridge-rule", "at 14:05 and 14:35 every day"),
        ("cron(0/15 * * * ? *)", "scheduler", "every 15 minutes, every day"),
        ("cron(0/5 8-17 ? * MON,FRI *)", "scheduler", "every 5 minutes from 08:00 to 17:55, on Mondays and Fridays"),
        ("cron(0,7 9-17 ? * MON *)", "scheduler", "at 18 times from 09:00 to 17:07 on Mondays"),
        ("cron(0/15 20-2 ? * * *)", "ssm", "every 15 minutes from 00:00 to 02:45 and from 20:00 to 23:45, every day"),
        ("cron(0 23-6 ? * * *)", "scheduler", "every hour from 00:00 to 06:00 and at 23:00, every day"),
        ("cron(0,7 22-1 ? * * *)", "scheduler", "at 8 times from 00:00 to 01:07 and from 22:00 to 23:07 every day"),
        ("cron(0,7 0/4 ? * * *)", "scheduler", "at 12 times in 6 stretches from 00:00 to 20:07 every day"),
        ("cron(0/45 * ? * * *)", "scheduler", "at 48 times from 00:00 to 23:45 every day"),
        ("cron(30 * ? * * *)", "scheduler", "every hour from 00:30 to 23:30, every day"),
        ("cron(24 30 09 ? * * *)", "ssm", "at 09:30:24 every day"),
        ("rate(5 minutes)", "scheduler", "every 5 minutes, counted from its creation or start"),
        ("rate(1 hour)", "ssm", "every hour, counted from its creation or start"),
        ("rate(7 days)", "ssm", "every 7 days, counted from its creation or start"),
        ("at(2026-07-04T22:30:00)", "scheduler", "once, on 2026-07-04 at 22:30:00"),
    ],
)  # fmt: skip
def test_an_expression_in_words(expression: str, dialect: Dialect, words: str) -> None:
    assert describe_schedule(parse(expression, dialect)) == words


def test_an_offset_is_said() -> None:
    schedule = parse("cron(0 23 ? * TUE#2 *)", "ssm")
    assert describe_schedule(schedule, offset_days=4).endswith("Tuesday of the month, moved 4 days later")
    assert describe_schedule(schedule, offset_days=1).endswith("moved 1 day later")


def test_an_explanation_names_the_clock_changes_that_touch_the_schedule() -> None:
    found = explain_schedule(parse("cron(10 2 ? * 1 *)", "scheduler"), "America/New_York", NOW)
    assert found.outlook is Outlook.ACTIVE
    assert found.next_runs[0].isoformat() == "2026-01-04T07:10:00+00:00"
    assert [str(edge.wall) for edge in found.edges] == [
        "2026-03-08 02:10:00",
        "2027-03-14 02:10:00",
        "2028-03-12 02:10:00",
    ]
    assert {edge.edge for edge in found.edges} == {"gap"}
    assert found.edges[0].is_certain
    assert "skips a local time" in found.edge_rule


def test_where_aws_is_silent_the_explanation_says_so() -> None:
    found = explain_schedule(parse("cron(30 2 ? * 1 *)", "ssm"), "Europe/Berlin", NOW)
    assert found.edge_rule.startswith("what Systems Manager maintenance windows do at a local time")
    assert "is not documented" in found.edge_rule
    assert [edge.edge for edge in found.edges] == ["gap", "overlap", "gap"]
    assert not found.edges[0].is_certain


@pytest.mark.parametrize(
    ("expression", "dialect", "words"),
    [
        ("rate(1 day)", "scheduler", "a day is 24 hours"),
        ("cron(0 5 ? * * *)", "eventbridge-rule", "UTC has no clock changes"),
    ],
)
def test_schedules_without_local_time_have_no_edges(expression: str, dialect: Dialect, words: str) -> None:
    found = explain_schedule(parse(expression, dialect), "UTC", NOW, anchor=NOW)
    assert found.edges == ()
    assert words in found.edge_rule


def test_an_expired_schedule_has_no_runs_and_undocumented_syntax_is_named() -> None:
    found = explain_schedule(parse("cron(0 2 LW * ? 2020)", "ssm"), "UTC", NOW)
    assert (found.outlook, found.next_runs) == (Outlook.EXPIRED, ())
    assert found.undocumented == ("LW: LW is the last Monday to Friday of the month",)


def test_uncertain_occurrences_are_those_at_clock_changes_only() -> None:
    schedule = parse("cron(30 2 * * ? *)", "ssm")
    found = uncertain_occurrences(schedule, "Europe/Berlin", BEGIN, END)
    assert [(one.wall.isoformat(), one.edge) for one in found[:2]] == [
        ("2026-03-29T02:30:00", "gap"),
        ("2026-10-25T02:30:00", "overlap"),
    ]
    assert len(found) == 10
    assert uncertain_occurrences(schedule, "Asia/Tokyo", BEGIN, END) == []
    assert uncertain_occurrences(parse("cron(30 2 * * ? *)", "scheduler"), "Europe/Berlin", BEGIN, END) == []
    assert uncertain_occurrences(parse("rate(7 days)", "ssm"), "Europe/Berlin", BEGIN, END) == []


def test_uncertain_occurrences_are_all_that_a_full_list_of_readings_has() -> None:
    schedule = parse("cron(0/30 * ? * * *)", "backup")
    readings = schedule.readings("America/Santiago", NOW)
    expected = [one for one in _until(readings, END) if not one.is_certain]
    assert uncertain_occurrences(schedule, "America/Santiago", BEGIN, END) == expected


def _until(readings: Iterator[Occurrence], end: int) -> Iterator[Occurrence]:
    for one in readings:
        if one.wall_epoch > end:
            return
        yield one


def test_a_window_at_one_time_may_also_be_meant_in_utc() -> None:
    found = uncertain_occurrences(parse("at(2026-07-04T22:30:00)", "ssm"), "Europe/Berlin", BEGIN, END)
    assert [choice["none"] for choice in reading_choices(found)] == ["exact", "as UTC"]


def test_a_service_reads_all_skipped_times_alike() -> None:
    found = uncertain_occurrences(parse("cron(30 2 * * ? *)", "ssm"), "Europe/Berlin", BEGIN, END)
    choices = list(reading_choices(found))
    assert len(choices) == 9
    assert choices[0] == {"gap": "skipped", "overlap": "first pass"}
    assert list(reading_choices([])) == [{}]


def test_a_skipped_occurrence_is_found_by_the_change_that_skips_it() -> None:
    schedule = parse("cron(10 2 ? * 1 *)", "scheduler")
    change = int(datetime(2026, 3, 8, 7, tzinfo=UTC).timestamp())
    found = skipped_occurrence(schedule, "America/New_York", change - 3600, change + 3600)
    assert found is not None
    assert found.wall.isoformat() == "2026-03-08T02:10:00"
    assert skipped_occurrence(schedule, "America/New_York", change + 86_400, change + 7 * 86_400) is None
    assert skipped_occurrence(parse("rate(1 day)", "scheduler"), "America/New_York", change - 3600, change) is None


def test_the_wall_clock_comes_from_the_rooms_own_zones() -> None:
    assert wall_clock(datetime(2026, 7, 4, 21, tzinfo=UTC), "Europe/Berlin").isoformat() == "2026-07-04T23:00:00+02:00"
    assert wall_clock(datetime(2026, 1, 4, 21, tzinfo=UTC), "Asia/Kolkata").isoformat() == "2026-01-05T02:30:00+05:30"
