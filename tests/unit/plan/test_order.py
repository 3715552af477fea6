"""The proof of order: each rule holds where it should, breaks where it should, and says so with numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.plan.order_lanes import LANE, START, UNTIL, broken, prove

from patchgate.domain.regions import regions
from patchgate.plan.order import prove_order
from patchgate.plan.order_rules import RULES, describe_seconds
from patchgate.plan.order_timeline import LaneSchedules
from patchgate.schedule import ScheduleError, tzdata_release

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "check.md"
ZONES = sorted({region.time_zone for region in regions() if region.time_zone})


def test_the_order_of_five_years_is_proved_with_its_margins() -> None:
    proof = prove()
    assert proof.holds
    assert len(proof.windows) == 261  # the Saturdays of 2026 to 2030
    assert proof.readings == 1
    assert proof.margins.backup_to_gate == 30 * 60
    assert proof.margins.gate_to_window == 30 * 60
    assert proof.margins.window_to_close == 130 * 60
    assert proof.margins.proof_age == 6 * 3600
    assert proof.tzdata == tzdata_release()


@pytest.mark.parametrize(
    ("window", "until", "last"),
    [
        ("cron(0 23 ? * 7 2026)", UNTIL, "Sat 2026-12-26 23:00"),
        ("cron(0 23 ? * 7 2026-2030)", UNTIL, "Sat 2030-12-28 23:00"),
        ("cron(0 23 ? * 7 *)", datetime(2200, 1, 1, tzinfo=UTC), "Sat 2199-12-28 23:00"),
        ("at(2026-01-03T23:00:00)", UNTIL, "Sat 2026-01-03 23:00"),
        ("cron(0 23 ? * 7 2026-2031)", UNTIL, ""),
        ("cron(0 23 ? * 7 *)", UNTIL, ""),
        ("cron(0 23 ? * 7 2020)", UNTIL, ""),  # is window-never
    ],
)
def test_a_proof_says_when_the_windows_end_for_ever(window: str, until: datetime, last: str) -> None:
    notes = [note for note in prove(until, window=window).notes if "last window" in note]
    assert notes == ([f"the last window is {last} local time; then the schedule has expired"] if last else [])


def test_the_end_of_the_windows_counts_their_offset() -> None:
    proof = prove(window="cron(0 23 ? * 3#2 2026)", window_offset_days=4, allow_idle=True)
    assert "the last window is Sat 2026-12-12 23:00 local time; then the schedule has expired" in proof.notes


def test_a_window_at_the_very_end_of_the_span_is_not_the_last_one_proved() -> None:
    end = datetime(2026, 12, 26, 14, tzinfo=UTC)  # Sat 23:00 in Tokyo
    assert prove(end, window="cron(0 23 ? * 7 2026)").notes == ()


@pytest.mark.parametrize("zone", ZONES)
def test_the_defaults_with_a_later_close_prove_in_the_zone_of_every_region(zone: str) -> None:
    assert prove(zone=zone).violations == ()


@pytest.mark.parametrize(
    ("changes", "rule", "words"),
    [
        ({"gate": "cron(30 10,22 ? * 7 *)", "window": "cron(0 11,23 ? * 7 *)", "close": "cron(10 4,16 ? * 1,7 *)"},
         "windows-too-close", "the gate of the window before is at Sat 2026-01-03 10:30; too late by 21 min at worst"),
        ({"gate": "rate(7 days)"}, "rate-schedule", "CheckBackUpJobAndEnableMaintenanceWindow is rate(7 days)"),
        ({"window": "cron(0 23 30 2 ? *)"}, "window-never", "never"),
        ({"window": "cron(0 23 ? * 7 2020)"}, "window-never", "expired"),
        ({"window": "cron(0 23 ? * 7 2050)"}, "window-never", "no start in that time"),
        ({"cutoff_hours": 3}, "no-install-time", "it lasts 3 h, and starts nothing in the last 3 h"),
        ({"window": "cron(0 21,23 ? * 7 *)"}, "windows-overlap", "starts 2 h later, 1 h too early"),
        ({"gate": "cron(30 22 ? * 6 *)"}, "gate-missing", "is at Fri 2026-01-02 22:30, 1 day 30 min"),
        ({"gate": "cron(0 23 ? * 7 *)"}, "gate-missing", ""),
        ({"gate": "cron(59 19 ? * 7 *)"}, "gate-missing", "3 h 1 min earlier"),
        ({"gate": "cron(0,30 22 ? * 7 *)"}, "gate-repeated", "another gate is at Sat 2026-01-03 22:30"),
        ({"gate": "cron(46 22 ? * 7 *)"}, "gate-too-close", "14 min before the window"),
        ({"backup": "cron(0 19 ? * 6 *)"}, "backup-before-look-back", "Fri 2026-01-02 19:00, 15 h 30 min before"),
        ({"backup": "cron(40 22 ? * 7 *)"}, "backup-missing", "the next backup is at Sat 2026-01-03 22:40"),
        ({"backup": "cron(0 18,19 ? * 7 *)"}, "backup-repeated", "an earlier backup is at Sat 2026-01-03 18:00"),
        ({"backup": "cron(31 19 ? * 7 *)"}, "backup-unfinished", "ends at Sat 2026-01-03 22:31, 1 min after the gate"),
        ({"backup_completion_minutes": 480}, "backup-unfinished", "ends at Sun 2026-01-04 04:00, 5 h 30 min after"),
        ({"backup": "cron(1 21 ? * 7 *)"}, "backup-too-close", "the backup is at Sat 2026-01-03 21:01, 1 h 59 min"),
        ({"look_back_hours": 3}, "backup-before-look-back", "30 min before the look-back begins"),
        ({"backup": "cron(59 10 ? * 7 *)"}, "look-back-too-tight", "the backup is at Sat 2026-01-03 10:59"),
        ({"maximum_proof_age_minutes": 359}, "proof-too-old", "too old by 1 min at worst"),
        ({"close": "cron(10 4 1 1 ? *)"}, "close-missing", "the next close is at"),
        ({"close": "cron(0 2 ? * 1 *)"}, "close-too-early", "3 h after the start of a window that lasts 3 h"),
        ({"close": "cron(0 23 ? * 7 *)"}, "close-too-early", "0 min after the start of a window that lasts 3 h"),
        ({"close": "cron(10 4,6 ? * 1 *)"}, "close-repeated", "another close is at Sun 2026-01-04 06:10"),
        ({"close": "cron(10 4 ? * 2 *)"}, "close-too-late", "Mon 2026-01-05 04:10; too late by 14 h 10 min"),
        ({"gate": "cron(30 22 ? * 6,7 *)"}, "gate-idle", ""),
        ({"backup": "cron(0 19 * * ? *)"}, "backup-idle", ""),
        ({"close": "cron(10 4 * * ? *)"}, "close-idle", ""),
    ],
)  # fmt: skip
def test_a_rule_breaks(changes: dict[str, Any], rule: str, words: str) -> None:
    found = broken(**changes)
    assert rule in found
    assert words in found[rule].detail
    assert found[rule].mend
    assert "{" not in found[rule].mend


DAILY = {
    "gate": "cron(30 22 * * ? *)",
    "window": "cron(0 23 * * ? *)",
    "close": "cron(10 4 * * ? *)",
    "look_back_hours": 24,
    "maximum_proof_age_minutes": 1500,
}


def test_a_backup_while_the_window_before_may_still_install_breaks_the_order() -> None:
    found = broken(backup="cron(0 1 * * ? *)", **DAILY)
    assert set(found) == {"backup-in-window"}
    violation = found["backup-in-window"]
    assert violation.first == datetime(2026, 1, 1, 14, tzinfo=UTC)
    assert violation.affected == violation.total == 5 * 365 + 1
    assert violation.detail == "the backup is at Thu 2026-01-01 01:00; too early by 3 h 10 min at worst"
    assert violation.mend.startswith("start backups 3 h 10 min later")


def test_a_cycle_is_over_when_its_close_has_run() -> None:
    assert set(broken(backup="cron(9 4 * * ? *)", **DAILY)) == {"backup-in-window"}
    assert broken(backup="cron(10 4 * * ? *)", **DAILY) == {}


def test_a_close_in_the_first_minute_after_the_end_is_early_and_in_the_second_is_not() -> None:
    assert set(broken(close="cron(0 2 ? * 1 *)")) == {"close-too-early"}
    assert broken(close="cron(1 2 ? * 1 *)") == {}


def test_violations_are_counted_and_dated() -> None:
    found = broken(gate="cron(30 22 ? * 7#1 *)")
    assert set(found) == {"gate-missing"}
    missing = found["gate-missing"]
    assert missing.first == datetime(2026, 1, 10, 14, tzinfo=UTC)  # the second Saturday, 23:00 in Tokyo
    assert (missing.affected, missing.total) == (261 - 60, 261)
    assert missing.broken == RULES["gate-missing"].broken


def test_idle_runs_may_be_accepted_but_nothing_else() -> None:
    changes: dict[str, Any] = {
        "gate": "cron(30 22 * * ? *)",
        "backup": "cron(0 19 * * ? *)",
        "close": "cron(10 4 * * ? *)",
    }
    found = broken(**changes)
    assert set(found) == {"gate-idle", "backup-idle", "close-idle"}
    assert (found["gate-idle"].affected, found["gate-idle"].total) == (1826 - 261, 1826)
    assert prove(allow_idle=True, **changes).holds
    assert not prove(allow_idle=True, cutoff_hours=3, **changes).holds


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Asia/Tokyo", "UTC"])
def test_the_source_documents_schedules_are_wrong_in_these_numbers(zone: str) -> None:
    lane = LaneSchedules(
        zone, "cron(0 19 ? * 7 *)", "cron(0 22 27 1,4,7,10 ? *)", "cron(0 23 ? * 7 *)", "cron(0 23 27 1,4,7,10 ? *)"
    )
    start = datetime(2026, 1, 1, tzinfo=UTC)
    proof = prove_order(lane, start, start.replace(year=2036))
    found = {violation.rule: violation for violation in proof.violations}
    assert set(found) == {"gate-missing", "close-missing", "close-too-early", "gate-idle", "close-idle"}
    assert len(proof.windows) == 522
    assert found["gate-missing"].affected == 516  # only six gates in ten years have a window
    assert found["close-too-early"].affected == 6  # and then the close fires in the minute in which the window opens
    assert found["close-missing"].affected == 516
    assert (found["gate-idle"].affected, found["gate-idle"].total) == (34, 40)


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Australia/Sydney", "Pacific/Auckland"])
def test_a_close_that_a_clock_change_skips_is_found_once_a_year_and_explained(zone: str) -> None:
    found = broken(zone=zone, close="cron(10 2 ? * 1 *)")
    assert set(found) == {"close-missing"}
    assert found["close-missing"].affected == 5
    assert "02:10 does not exist on 2026-" in found["close-missing"].detail


@pytest.mark.parametrize("zone", ["Europe/London", "Europe/Dublin", "America/Santiago"])
def test_a_window_that_ends_an_hour_later_on_the_wall_clock_is_closed_too_early(zone: str) -> None:
    found = broken(zone=zone, close="cron(10 2 ? * 1 *)")
    assert set(found) == {"close-too-early"}
    assert found["close-too-early"].affected == 5
    assert found["close-too-early"].mend == "run the close 51 min later"


def test_a_repeated_window_is_one_cycle_in_every_reading() -> None:
    proof = prove(zone="America/Santiago")
    assert proof.holds
    assert proof.readings == 3
    assert proof.margins.proof_age == 7 * 3600  # the second pass starts an hour later
    assert len(proof.notes) == 1
    assert "SKIPPED_OVERLAPPING" in proof.notes[0]


def test_a_window_that_may_be_skipped_leaves_its_gate_without_one_in_that_reading_only() -> None:
    lane: dict[str, Any] = {"window": "cron(30 2 ? * 1 *)", "gate": "cron(0 1 ? * 1 *)", "backup": "cron(0 21 ? * 7 *)"}
    proof = prove(zone="Europe/Berlin", close="cron(10 7 ? * 1 *)", **lane)
    found = {violation.rule: violation for violation in proof.violations}
    assert proof.readings == 9
    assert found["gate-idle"].affected == 5
    assert found["gate-idle"].reading == (
        "the maintenance window: a skipped time is read as skipped, a repeated time is read as first pass"
    )


def test_a_backup_that_may_be_shifted_past_the_gate_is_found() -> None:
    found = broken(
        zone="Europe/Berlin",
        backup="cron(30 2 ? * 1 *)",
        backup_completion_minutes=60,
        gate="cron(0 5 ? * 1 *)",
        window="cron(30 5 ? * 1 *)",
        close="cron(0 10 ? * 1 *)",
    )
    assert found["backup-missing"].affected == 5
    assert "02:30 does not exist on 2026-03-29" in found["backup-missing"].detail
    assert found["backup-unfinished"].shortfall == 30 * 60
    assert "a skipped time is read as shifted" in found["backup-unfinished"].reading


def test_what_aws_does_not_document_is_noted() -> None:
    assert "LW is the last Monday to Friday of the month" in prove(window="cron(0 23 LW * ? *)").notes[0]


def test_a_bad_expression_or_zone_is_an_input_error() -> None:
    with pytest.raises(ScheduleError):
        prove(gate="cron(0 25 ? * 7 *)")
    with pytest.raises(ScheduleError):
        prove(zone="Asia/Tokio")


def test_equal_schedules_share_one_proof() -> None:
    assert prove_order(LANE, START, UNTIL) is prove_order(LANE, START, UNTIL)


def test_windows_at_both_ends_of_the_time_are_judged_with_what_lies_outside() -> None:
    gate = datetime(2026, 1, 3, 13, 30, tzinfo=UTC)
    window = gate + timedelta(minutes=30)
    assert prove_order(LANE, window, window + timedelta(minutes=1)).holds
    assert [each.rule for each in prove_order(LANE, gate, window).violations] == ["window-never"]
    assert len(prove_order(LANE, window, window + timedelta(minutes=1)).windows) == 1
    assert prove_order(LANE, window, window + timedelta(days=7)).windows == (int(window.timestamp()),)


def test_every_rule_is_explained_on_its_page_and_only_those() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = [line.split("`")[1] for line in text.splitlines() if line.startswith("| `") and line.count("|") == 4]
    assert rows == list(RULES)
    assert all(rule.broken and rule.mend and rule.fault.startswith("F") for rule in RULES.values())


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 min"),
        (59, "0 min"),
        (60, "1 min"),
        (3600, "1 h"),
        (16_200, "4 h 30 min"),
        (86_400, "1 day"),
        (90_000, "1 day 1 h"),
        (2 * 86_400 + 1800, "2 days 30 min"),
        (-16_200, "4 h 30 min"),
        (60 * 86_400, "60 days"),
    ],
)
def test_lengths_of_time_are_said_as_people_say_them(seconds: int, words: str) -> None:
    assert describe_seconds(seconds) == words
