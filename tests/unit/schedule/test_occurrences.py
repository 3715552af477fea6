"""When schedules run: every documented rule, clock changes, offsets, rates and one-time schedules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from patchgate.schedule import Dialect, Outlook, ScheduleError, next_occurrence, parse

NEW_YORK = "America/New_York"


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _next(
    expression: str,
    count: int,
    after: str = "2026-01-01",
    zone: str = "UTC",
    dialect: Dialect = "scheduler",
    offset_days: int = 0,
    anchor: str = "",
) -> list[str]:
    start = _utc(anchor) if anchor else None
    found = parse(expression, dialect).occurrences(zone, _utc(after), offset_days=offset_days, anchor=start)
    return [f"{instant:%Y-%m-%d %H:%M:%S}".removesuffix(":00") for instant in islice(found, count)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 19 ? * 7 *)", ["2026-01-03 19:00", "2026-01-10 19:00"]),
        ("cron(0 23 ? * TUE#2 *)", ["2026-01-13 23:00", "2026-02-10 23:00", "2026-03-10 23:00"]),
        ("cron(0 23 ? * 3#2 *)", ["2026-01-13 23:00", "2026-02-10 23:00", "2026-03-10 23:00"]),
        ("cron(0 0 ? * MON#5 *)", ["2026-03-30 00:00", "2026-06-29 00:00"]),
        ("cron(15 10 ? * 6L *)", ["2026-01-30 10:15", "2026-02-27 10:15", "2026-03-27 10:15"]),
        ("cron(0 2 L * ? *)", ["2026-01-31 02:00", "2026-02-28 02:00", "2026-03-31 02:00"]),
        ("cron(0 0 ? * L *)", ["2026-01-03 00:00", "2026-01-10 00:00"]),
        ("cron(0 0 15W * ? *)", ["2026-01-15 00:00", "2026-02-16 00:00", "2026-03-16 00:00"]),
        ("cron(0 0 1W * ? *)", ["2026-02-02 00:00", "2026-03-02 00:00", "2026-04-01 00:00"]),
        ("cron(0 0 31W * ? *)", ["2026-01-30 00:00", "2026-03-31 00:00", "2026-05-29 00:00"]),
        ("cron(0 0 LW * ? *)", ["2026-01-30 00:00", "2026-02-27 00:00", "2026-03-31 00:00"]),
        ("cron(0 0 L-3 * ? *)", ["2026-01-28 00:00", "2026-02-25 00:00", "2026-03-28 00:00"]),
        ("cron(0 0 31 * ? *)", ["2026-01-31 00:00", "2026-03-31 00:00"]),
        ("cron(0 0 29 2 ? *)", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("cron(0 0 29 2 ? 2096-2104)", ["2096-02-29 00:00", "2104-02-29 00:00"]),
        ("cron(1/10 5 1 1 ? *)", ["2026-01-01 05:01", "2026-01-01 05:11", "2026-01-01 05:21", "2026-01-01 05:31"]),
        ("cron(0 20-2 ? * MON *)", [f"2026-01-05 {hour:02}:00" for hour in (0, 1, 2, 20, 21, 22, 23)]),
        ("cron(0 22-3/2 1 2 ? *)", ["2026-02-01 00:00", "2026-02-01 02:00", "2026-02-01 22:00", "2027-02-01 00:00"]),
        ("cron(0 0 1 NOV-FEB ? *)", ["2026-02-01 00:00", "2026-11-01 00:00", "2026-12-01 00:00"]),
        ("cron(0 0 30-2 4 ? *)", ["2026-04-01 00:00", "2026-04-02 00:00", "2026-04-30 00:00"]),
        ("cron(0 0 1 1 ? 2026,2030)", ["2030-01-01 00:00"]),
        ("cron(0 10 * * ?)", ["2026-01-01 10:00", "2026-01-02 10:00"]),
    ],
)
def test_cron(expression: str, expected: list[str]) -> None:
    assert _next(expression, len(expected)) == expected


def test_after_is_exclusive_and_need_not_be_whole() -> None:
    schedule = parse("cron(0 19 ? * 7 *)", "scheduler")
    run = _utc("2026-01-03T19:00")
    a_bit = timedelta(microseconds=1)
    assert next(schedule.occurrences("UTC", run)) == run + timedelta(days=7)
    assert next(schedule.occurrences("UTC", run - a_bit)) == run
    assert next(schedule.occurrences("UTC", run + a_bit)) == run + timedelta(days=7)
    assert next(schedule.occurrences("UTC", run)).tzinfo is UTC
    with pytest.raises(ValueError, match="aware"):
        schedule.occurrences("UTC", run.replace(tzinfo=None))


def test_a_zone_moves_the_instants() -> None:
    assert _next("cron(0 23 ? * 7 *)", 1, zone="Asia/Tokyo") == ["2026-01-03 14:00"]
    assert _next("cron(0 23 ? * 7 *)", 2, "2026-03-02", NEW_YORK) == ["2026-03-08 04:00", "2026-03-15 03:00"]


def test_the_release_of_the_zone_database_decides() -> None:
    """From 2026f on America/Edmonton keeps summer time in winter."""
    assert _next("cron(0 23 ? * 7 *)", 1, "2026-12-01", "America/Edmonton") == ["2026-12-06 05:00"]


def test_a_local_time_that_does_not_exist_is_skipped() -> None:
    assert _next("cron(30 2 * * ? *)", 2, "2026-03-07T12:00", NEW_YORK) == ["2026-03-09 06:30", "2026-03-10 06:30"]
    assert _next("cron(0/30 1-3 ? * SUN *)", 4, "2026-03-08", NEW_YORK) == [
        "2026-03-08 06:00",
        "2026-03-08 06:30",
        "2026-03-08 07:00",
        "2026-03-08 07:30",
    ]


def test_a_local_time_that_exists_twice_runs_once_on_its_first_pass() -> None:
    assert _next("cron(30 1 * * ? *)", 2, "2026-11-01", NEW_YORK) == ["2026-11-01 05:30", "2026-11-02 06:30"]
    assert _next("cron(0 * * * ? *)", 3, "2026-11-01T04:30", NEW_YORK) == [
        "2026-11-01 05:00",
        "2026-11-01 07:00",
        "2026-11-01 08:00",
    ]


@pytest.mark.parametrize("dialect", ["backup", "ssm"])
def test_readings_tell_everything_that_may_happen_where_aws_is_silent(dialect: Dialect) -> None:
    schedule = parse("cron(30 1,2 * * ? *)", dialect)
    spring = list(islice(schedule.readings(NEW_YORK, _utc("2026-03-08")), 3))
    assert [occurrence.edge for occurrence in spring] == ["none", "gap", "none"]
    assert spring[0].is_certain
    assert spring[1].wall == datetime(2026, 3, 8, 2, 30)  # noqa: DTZ001 - a wall clock's time is naive
    assert {reading.name: reading.instants for reading in spring[1].readings} == {
        "skipped": (),
        "at the clock change": (_utc("2026-03-08T07:00"),),
        "shifted": (_utc("2026-03-08T07:30"),),
    }
    autumn = next(schedule.readings(NEW_YORK, _utc("2026-11-01")))
    first, second = _utc("2026-11-01T05:30"), _utc("2026-11-01T06:30")
    assert (autumn.edge, autumn.is_certain) == ("overlap", False)
    assert [reading.instants for reading in autumn.readings] == [(first,), (second,), (first, second)]


def test_the_scheduler_documents_its_clock_changes() -> None:
    schedule = parse("cron(30 1,2 * * ? *)", "scheduler")
    spring = list(islice(schedule.readings(NEW_YORK, _utc("2026-03-08")), 2))
    assert [occurrence.edge for occurrence in spring] == ["none", "gap"]
    assert [occurrence.is_certain for occurrence in spring] == [True, True]
    assert spring[1].readings[0].epochs == ()


def test_a_reading_counts_while_any_of_its_instants_is_to_come() -> None:
    schedule = parse("cron(30 1 * * ? *)", "ssm")
    assert next(schedule.readings(NEW_YORK, _utc("2026-11-01T05:30"))).edge == "overlap"
    assert next(schedule.readings(NEW_YORK, _utc("2026-11-01T06:30"))).edge == "none"


def test_the_first_reading_is_what_occurrences_follow() -> None:
    for expression in ("cron(0/30 * * * ? *)", "cron(30 2 ? * SUN *)"):
        schedule = parse(expression, "ssm")
        after = _utc("2026-02-27T00:10")
        readings = islice(schedule.readings(NEW_YORK, after), 1000)
        firsts = [epoch for occurrence in readings for epoch in occurrence.readings[0].epochs]
        assert list(islice(schedule.occurrences_epoch(NEW_YORK, int(after.timestamp())), len(firsts))) == firsts


def test_seconds_of_systems_manager() -> None:
    assert _next("cron(24 30 09 ? * * *)", 1, dialect="ssm") == ["2026-01-01 09:30:24"]
    assert _next("cron(30 09 ? * * *)", 1, dialect="ssm") == ["2026-01-01 09:30"]


def test_schedule_offset_is_days_later_at_the_same_wall_clock_time() -> None:
    third_tuesday = "cron(30 23 ? * TUE#3 *)"
    assert _next(third_tuesday, 2, dialect="ssm") == ["2026-01-20 23:30", "2026-02-17 23:30"]
    assert _next(third_tuesday, 2, dialect="ssm", offset_days=2) == ["2026-01-22 23:30", "2026-02-19 23:30"]
    across_march = _next("cron(30 23 ? * TUE#2 *)", 3, "2026-02-01", NEW_YORK, "ssm", 4)
    assert across_march == ["2026-02-15 04:30", "2026-03-15 03:30", "2026-04-19 03:30"]
    over_the_change = _next("cron(0 0 7 3 ? *)", 1, zone=NEW_YORK, dialect="ssm", offset_days=2)
    assert over_the_change == ["2026-03-09 04:00"]


def test_schedule_offset_across_month_and_year_ends() -> None:
    assert _next("cron(0 0 L * ? *)", 3, "2025-12-31", dialect="ssm", offset_days=6) == [
        "2026-01-06 00:00",
        "2026-02-06 00:00",
        "2026-03-06 00:00",
    ]


def test_an_offset_run_whose_cron_day_was_over_at_creation_does_not_happen() -> None:
    """Systems Manager documents it for schedule offsets."""
    schedule = "cron(30 23 ? * TUE#3 *)"
    created = "2026-01-21T00:00"  # the day after the third Tuesday
    assert _next(schedule, 1, created, dialect="ssm", offset_days=2, anchor=created) == ["2026-02-19 23:30"]
    created = "2026-01-20T23:29"
    assert _next(schedule, 1, created, dialect="ssm", offset_days=2, anchor=created) == ["2026-01-22 23:30"]


def test_nothing_runs_before_its_anchor() -> None:
    assert _next("cron(0 0 * * ? *)", 1, "2025-01-01", anchor="2026-01-01T12:00") == ["2026-01-02 00:00"]
    assert _next("at(2026-01-01T00:00:00)", 1, "2025-01-01", anchor="2026-01-01T12:00") == []
    created = _utc("2026-01-01T12:00")
    readings = parse("cron(0 0 * * ? 2026)", "ssm").readings("UTC", _utc("2025-01-01"), anchor=created)
    dates = [occurrence.wall.date() for occurrence in readings]
    assert (dates[0].isoformat(), dates[-1].isoformat(), len(dates)) == ("2026-01-02", "2026-12-31", 364)


@pytest.mark.parametrize(
    ("expression", "dialect", "days"),
    [
        ("cron(0 0 * * ? *)", "scheduler", 1),
        ("cron(0 0 * * ? *)", "ssm", 7),
        ("cron(0 0 * * ? *)", "ssm", -1),
        ("rate(7 days)", "ssm", 1),
        ("at(2026-01-01T00:00:00)", "ssm", 1),
    ],
)
def test_offsets_are_for_cron_of_systems_manager(expression: str, dialect: Dialect, days: int) -> None:
    with pytest.raises(ScheduleError, match="an offset is 1 to 6 days, for cron expressions of Systems Manager only"):
        parse(expression, dialect).occurrences("UTC", _utc("2026-01-01"), offset_days=days)


def test_a_rate_counts_from_its_anchor_whatever_the_clocks_do() -> None:
    anchor = "2026-03-07T17:00"
    expected = ["2026-03-07 17:00", "2026-03-08 17:00", "2026-03-09 17:00"]
    assert _next("rate(1 day)", 3, "2026-01-01", NEW_YORK, anchor=anchor) == expected
    assert _next("rate(1 day)", 1, anchor, NEW_YORK, anchor=anchor) == expected[1:2]
    assert _next("rate(24 hours)", 2, "2026-03-08T20:00", anchor=anchor) == ["2026-03-09 17:00", "2026-03-10 17:00"]
    assert _next("rate(90 minutes)", 2, anchor, anchor=anchor) == ["2026-03-07 18:30", "2026-03-07 20:00"]


@pytest.mark.parametrize("dialect", ["eventbridge-rule", "ssm"])
def test_other_rates_first_run_one_interval_after_their_anchor(dialect: Dialect) -> None:
    assert _next("rate(7 days)", 1, "2025-01-01", dialect=dialect, anchor="2026-01-01") == ["2026-01-08 00:00"]


def test_a_rate_without_an_anchor_is_refused_at_once() -> None:
    schedule = parse("rate(7 days)", "scheduler")
    with pytest.raises(ScheduleError, match="give that anchor"):
        schedule.occurrences("UTC", _utc("2026-01-01"))
    with pytest.raises(ScheduleError, match="give that anchor"):
        schedule.readings("UTC", _utc("2026-01-01"))


def test_readings_of_a_rate_are_certain() -> None:
    schedule = parse("rate(1 day)", "ssm")
    found = next(schedule.readings(NEW_YORK, _utc("2026-07-01"), anchor=_utc("2026-07-01")))
    assert found.is_certain
    assert found.wall == datetime(2026, 7, 1, 20)  # noqa: DTZ001 - a wall clock's time is naive
    assert found.readings[0].instants == (_utc("2026-07-02"),)


def test_a_one_time_schedule_is_local() -> None:
    assert _next("at(2026-07-04T22:30:00)", 2, zone=NEW_YORK) == ["2026-07-05 02:30"]
    assert _next("at(2026-03-08T02:30:00)", 2, zone=NEW_YORK) == []
    assert _next("at(2026-11-01T01:30:00)", 2, zone=NEW_YORK) == ["2026-11-01 05:30"]


def test_systems_manager_may_read_a_time_stamp_as_utc() -> None:
    schedule = parse("at(2026-07-04T22:30:00)", "ssm")
    found = list(schedule.readings(NEW_YORK, _utc("2026-07-05T00:00")))
    assert [reading.instants for reading in found[0].readings] == [
        (_utc("2026-07-05T02:30"),),
        (_utc("2026-07-04T22:30"),),
    ]
    assert next(schedule.readings("UTC", _utc("2026-07-01"))).is_certain
    assert list(schedule.readings(NEW_YORK, _utc("2026-07-06"))) == []


def test_outlook_tells_never_from_expired() -> None:
    now = _utc("2026-06-01")
    assert parse("cron(0 19 ? * 7 *)", "backup").outlook("UTC", now) is Outlook.ACTIVE
    assert parse("cron(0 19 ? * 7 2020-2025)", "backup").outlook("UTC", now) is Outlook.EXPIRED
    assert parse("cron(0 19 30 2 ? *)", "backup").outlook("UTC", now) is Outlook.NEVER
    assert parse("cron(0 19 ? * MON#6 *)", "backup").outlook("UTC", now) is Outlook.NEVER
    assert parse("cron(30 2 8 3 ? 2026)", "scheduler").outlook(NEW_YORK, now) is Outlook.NEVER
    assert parse("cron(30 2 8 3 ? 2026)", "scheduler").outlook("UTC", now) is Outlook.EXPIRED
    assert parse("at(2026-05-31T00:00:00)", "ssm").outlook("UTC", now) is Outlook.EXPIRED
    assert parse("at(2026-05-31T00:00:00)", "ssm").outlook("UTC", now, anchor=now) is Outlook.EXPIRED
    assert parse("at(2026-03-08T02:30:00)", "scheduler").outlook(NEW_YORK, now) is Outlook.NEVER
    assert parse("rate(7 days)", "ssm").outlook("UTC", now, anchor=now) is Outlook.ACTIVE


def test_outlook_counts_every_reading_that_aws_leaves_open() -> None:
    skipped = parse("at(2026-03-29T02:30:00)", "ssm")
    assert skipped.outlook("Europe/Berlin", _utc("2026-01-01")) is Outlook.ACTIVE
    assert skipped.outlook("Europe/Berlin", _utc("2026-04-01")) is Outlook.EXPIRED
    assert skipped.outlook("Asia/Tokyo", _utc("2026-03-29T00:00")) is Outlook.ACTIVE  # as UTC at 02:30
    assert skipped.outlook("Asia/Tokyo", _utc("2026-03-29T02:30")) is Outlook.EXPIRED
    assert skipped.outlook("Europe/Berlin", _utc("2026-01-01"), anchor=_utc("2026-04-01")) is Outlook.EXPIRED
    backup = parse("cron(30 2 8 3 ? 2026)", "backup")
    assert backup.outlook(NEW_YORK, _utc("2026-01-01")) is Outlook.ACTIVE
    assert backup.outlook(NEW_YORK, _utc("2026-06-01")) is Outlook.EXPIRED
    repeated = parse("cron(30 1 1 11 ? 2026)", "backup")
    assert repeated.outlook(NEW_YORK, _utc("2026-11-01T06:00")) is Outlook.ACTIVE  # the second pass
    assert repeated.outlook(NEW_YORK, _utc("2026-11-01T06:30")) is Outlook.EXPIRED


def test_the_calendar_alone_can_rule_a_schedule_out() -> None:
    assert not parse("cron(0 0 31 4,6,9,11 ? *)", "ssm").can_fire
    assert not parse("cron(0 0 29 2 ? 2025-2027)", "ssm").can_fire
    assert parse("cron(0 0 29 2 ? 2025-2028)", "ssm").can_fire
    assert parse("rate(7 days)", "ssm").can_fire
    assert parse("at(2020-01-01T00:00:00)", "ssm").can_fire


def test_rules_run_in_utc_only() -> None:
    schedule = parse("cron(0 19 ? * 7 *)", "eventbridge-rule")
    assert next(schedule.occurrences("Etc/UTC", _utc("2026-01-01"))) == _utc("2026-01-03T19:00")
    with pytest.raises(ScheduleError, match="UTC only") as raised:
        schedule.occurrences("Europe/London", _utc("2026-01-01"))
    assert raised.value.remedy == "use EventBridge Scheduler for local time"


def test_the_forms_for_bulk_work_agree() -> None:
    start, end = int(_utc("2026-01-03T19:00").timestamp()), int(_utc("2027-01-02T19:00").timestamp())
    for schedule, anchor in [
        (parse("cron(0 19 ? * 7 *)", "scheduler"), None),
        (parse("cron(0 19 ? * 7 *)", "scheduler"), start + 5),
        (parse("cron(0 0 29 2 ? 2028)", "scheduler"), None),
        (parse("rate(7 days)", "scheduler"), start),
    ]:
        found = schedule.between_epoch("UTC", start, end, anchor=anchor)
        one_by_one = schedule.occurrences_epoch("UTC", start, anchor=anchor)
        assert found == [epoch for epoch in islice(one_by_one, 60) if epoch <= end]
    assert len(parse("cron(0 19 ? * 7 *)", "scheduler").between_epoch("UTC", start, end)) == 52


@pytest.mark.parametrize(
    ("expression", "offset_days"),
    [
        ("cron(0 22 27 1,4,7,10 ? *)", 0),
        ("cron(0 23 ? * TUE#2 *)", 4),
        ("cron(0 2 L * ? *)", 0),
        ("cron(30 1 ? 3,11 SUN 2024-2027,2031,2040)", 0),
        ("cron(0 0 29 2 ? *)", 6),
        ("cron(30 2 ? * SUN *)", 0),
    ],
)
def test_where_one_begins_changes_nothing(expression: str, offset_days: int) -> None:
    epochs = parse(expression, "ssm").between_epoch(NEW_YORK, 0, 3_000_000_000, offset_days=offset_days)
    assert epochs == sorted(set(epochs))
    for number, after in enumerate(epochs[:-8]):
        schedule = parse(expression, "ssm")
        found = list(islice(schedule.occurrences_epoch(NEW_YORK, after, offset_days=offset_days), 7))
        assert found == epochs[number + 1 : number + 8]
        assert schedule.between_epoch(NEW_YORK, after, found[-1], offset_days=offset_days) == found
        assert schedule.between_epoch(NEW_YORK, after, found[0] - 1, offset_days=offset_days) == []


def test_a_dense_schedule_forgets_what_it_computed_and_stays_right() -> None:
    schedule = parse("cron(* * * * ? *)", "scheduler")
    start = int(_utc("2026-01-01").timestamp())
    minutes = 5 * 31 * 1440
    assert list(islice(schedule.occurrences_epoch("UTC", start), minutes)) == [
        start + 60 * number for number in range(1, minutes + 1)
    ]


def test_next_occurrence() -> None:
    after = _utc("2026-01-01")
    assert next_occurrence("cron(0 19 ? * 7 *)", "backup", "Asia/Tokyo", after) == _utc("2026-01-03T10:00")
    assert next_occurrence("cron(0 19 ? * 7 2025)", "backup", "UTC", after) is None
    assert next_occurrence("cron(0 0 1 * ? *)", "ssm", "UTC", after, offset_days=3) == _utc("2026-01-04")
    assert next_occurrence("rate(7 days)", "scheduler", "UTC", after, anchor=after) == _utc("2026-01-08")
    with pytest.raises(ScheduleError, match="IANA"):
        next_occurrence("cron(0 19 ? * 7 *)", "backup", "Nowhere", after)


def test_occurrences_end_with_the_year_2199() -> None:
    assert _next("cron(0 0 1 1 ? *)", 5, "2197-06-01") == ["2198-01-01 00:00", "2199-01-01 00:00"]
    assert _next("rate(100 days)", 5, "2199-06-01", anchor="2199-06-01") == ["2199-09-09 00:00", "2199-12-18 00:00"]
    assert _next("cron(30 2 ? * SUN *)", 1, "2150-03-07", NEW_YORK) == ["2150-03-15 06:30"]
