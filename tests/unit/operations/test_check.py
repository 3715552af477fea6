"""Lanes proved together: what is collected, what one lane does to another, what is refused before."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from patchgate.config import LaneConfig, read_fleet
from patchgate.config.layers import Origin, PlacedStatement
from patchgate.domain.lane import Lane
from patchgate.domain.regions import regions
from patchgate.errors import InputError
from patchgate.operations.check import CapacityFacts, CheckResult, add_years, check_defaults, check_lanes
from patchgate.schedule.derivation import Statement, make_statement

START = datetime(2026, 1, 1, tzinfo=UTC)
LATER_CLOSE = {"DisableMaintenanceWindow": "cron(10 4 ? * 1 *)"}
FLEET = Path(__file__).parents[3] / "examples" / "fleet.yaml"


def lane(os: str = "ubuntu", env: str = "prd", region: str = "ap-northeast-1", **parameters: str) -> LaneConfig:
    return LaneConfig(Lane("111111111111", region, os, env, "payments"), {**LATER_CLOSE, **parameters})


def check(*lanes: LaneConfig, instances: dict[str, int] | None = None) -> CheckResult:
    return check_lanes(lanes, "o-a1b2c3d4e5", START, 2, facts=CapacityFacts(instances or {}))


def test_the_defaults_with_a_later_close_prove_in_every_region_for_thirty_years() -> None:
    result = check_defaults(LATER_CLOSE, START, 30)
    assert result.holds
    assert {one.name for one in result.lanes} | set(result.without_zone) == {region.name for region in regions()}
    assert result.until == datetime(2056, 1, 1, tzinfo=UTC)
    assert result.windows == sum(len(one.proof.windows) for one in result.lanes)


def test_the_shipped_defaults_prove_in_every_region() -> None:
    assert check_defaults({}, START, 30).holds


def test_a_close_at_ten_past_two_is_told_with_the_regions_in_which_clocks_change_then() -> None:
    result = check_defaults({"DisableMaintenanceWindow": "cron(10 2 ? * 1 *)"}, START, 10)
    found = {finding.rule: finding for finding in result.findings}
    assert set(found) == {"close-missing", "close-too-early"}
    assert "us-east-1" in found["close-missing"].lanes
    assert "eu-central-1" in found["close-missing"].lanes
    assert found["close-too-early"].lanes == ("eu-west-1", "eu-west-2", "sa-west-1")
    assert found["close-too-early"].affected == 30
    assert found["close-too-early"].first == datetime(2026, 3, 28, 23, tzinfo=UTC)


def test_with_a_time_zone_even_a_region_of_unknown_place_is_proved() -> None:
    result = check_defaults({"TimeZone": "UTC", **LATER_CLOSE}, START, 1)
    assert result.without_zone == ()
    assert len(result.lanes) == len(regions())


def test_the_sample_fleets_long_backups_are_reported() -> None:
    fleet = read_fleet(FLEET)
    lanes = [LaneConfig(each.lane, {**each.parameters, **LATER_CLOSE}) for each in fleet.lanes()]
    result = check(*lanes)
    (finding,) = result.findings
    assert finding.rule == "backup-unfinished"
    assert finding.lanes == ("payments/us-east-1/ubuntu/prd",)
    assert finding.affected == finding.total
    assert "5 h 30 min after the gate" in finding.detail
    assert finding.mend.startswith("start backups 5 h 30 min earlier")


def test_the_mend_serves_the_worst_lane_and_the_date_is_of_the_first() -> None:
    result = check(
        lane("ubuntu", BackupCompletionWindowMinutes="180"), lane("windows", BackupCompletionWindowMinutes="480")
    )
    (finding,) = result.findings
    assert finding.lanes == ("payments/ap-northeast-1/ubuntu/prd", "payments/ap-northeast-1/windows/prd")
    assert finding.mend.startswith("start backups 5 h 30 min earlier")


PATCH_TUESDAY = make_statement(at="23:00", weekday="TUE", ordinal="2", offset_days=4)


def stated(statement: Statement, **parameters: str) -> LaneConfig:
    """A lane whose schedules are derived from a statement."""
    placed = PlacedStatement(statement, Origin("defaults", "schedule.patch"))
    return LaneConfig(Lane("111111111111", "eu-central-1", "ubuntu", "prd", "payments"), parameters, patch=placed)


def test_the_further_runs_of_a_statement_that_no_expression_says_are_noted_and_break_nothing() -> None:
    result = check(stated(PATCH_TUESDAY))
    assert result.findings == ()
    assert len(result.lanes[0].proof.windows) == 24
    (note,) = result.lanes[0].proof.notes
    assert "40.2 backups, 40.2 gates and 40.2 closes a year belong to no window" in note
    assert "such a gate holds, and says so only while the watchdog does not know when the next window is" in note


def test_only_schedules_that_run_further_are_counted() -> None:
    (note,) = check(stated(make_statement("cron(0 3 ? * TUE#2 *)"))).lanes[0].proof.notes
    assert "40.2 backups a year belong to no window; such a backup is paid for" in note
    assert "gate" not in note
    assert "close" not in note


def test_a_statement_that_expressions_say_exactly_has_no_such_note() -> None:
    result = check(stated(make_statement("cron(0 12 ? * TUE#2 *)")))
    assert result.findings == ()
    assert result.lanes[0].proof.notes == ()


def test_a_statement_whose_limits_a_template_refuses_is_refused() -> None:
    placed = PlacedStatement(make_statement("cron(0 23 1 * ? *)"), Origin("defaults", "schedule.patch"), 1440)
    with pytest.raises(InputError, match="derived MaximumLeadMinutes is '1500': from 5 to 1440"):
        check(LaneConfig(Lane("111111111111", "eu-central-1", "ubuntu", "prd", "payments"), {}, patch=placed))


def test_further_runs_of_a_schedule_that_is_not_the_derived_one_stay_idle() -> None:
    result = check(stated(PATCH_TUESDAY, CheckBackUpJobAndEnableMaintenanceWindow="cron(30 22 * * ? *)"))
    assert {finding.rule for finding in result.findings} == {"gate-idle", "backup-idle", "close-idle"}


def test_six_windows_at_once_in_one_account_and_region_are_too_many() -> None:
    systems = ("amazonlinux", "ubuntu", "windows")
    lanes = [lane(os, env) for os in systems for env in ("prd", "stg")]
    (finding,) = check(*lanes).findings
    assert finding.rule == "too-many-windows"
    assert len(finding.lanes) == 6
    assert finding.mend == "start later: payments/ap-northeast-1/windows/stg by 3 h"
    assert check(*lanes[:5]).holds
    elsewhere = lane("windows", "stg", region="ap-northeast-3")
    assert check(*lanes[:5], elsewhere).holds


def test_windows_that_only_a_clock_change_may_bring_together_are_too_many() -> None:
    cycle = {
        "BackupSchedule": "cron(0 22 ? * SAT *)",
        "CheckBackUpJobAndEnableMaintenanceWindow": "cron(45 1 ? * SUN *)",
        "MaintenanceWindowCronSchedule": "cron(30 3 ? * SUN *)",
        "MaintenanceWindowDuration": "1",
        "MaintenanceWindowCutoff": "0",
        "DisableMaintenanceWindow": "cron(0 6 ? * SUN *)",
    }
    skipped = {"MaintenanceWindowCronSchedule": "cron(30 2 ? 3 SUN *)"}

    def read(start: datetime, **changed: str) -> CheckResult:
        places = [(os, env) for os in ("amazonlinux", "ubuntu", "redhat") for env in ("prd", "stg")]
        lanes = [
            lane(os, env, "eu-central-1", **(cycle | (changed if place == 5 else {})))
            for place, (os, env) in enumerate(places)
        ]
        return check_lanes(lanes, "o-a1b2c3d4e5", start, 1, allow_idle=True)

    (finding,) = [each for each in read(START, **skipped).findings if each.rule == "too-many-windows"]
    assert finding.first == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert finding.detail == "6 windows run at once, AWS allows 5"
    assert "clock change" in finding.reading
    assert not [
        each
        for each in read(START, MaintenanceWindowCronSchedule="cron(0 5 ? * SUN *)").findings
        if each.rule == "too-many-windows"
    ]
    (always,) = [each for each in read(START).findings if each.rule == "too-many-windows"]
    assert always.reading == ""


def test_more_instances_than_the_window_carries_are_a_finding_and_others_a_fact() -> None:
    names = ("payments/ap-northeast-1/ubuntu/prd", "payments/ap-northeast-1/windows/prd")
    result = check(lane("ubuntu"), lane("windows"), instances={names[0]: 2000, names[1]: 4})
    (finding,) = result.findings
    assert finding.rule == "capacity-exceeded"
    assert finding.lanes == names[:1]
    assert (finding.affected, finding.total) == (2000 - 4 * 99, 2000)
    assert "shared with payments/ap-northeast-1/windows/prd" in finding.detail
    assert [one.lane for one in result.capacities] == list(names)


def test_two_lanes_with_the_same_tags_share_their_instances() -> None:
    (finding,) = check(lane(), lane()).findings
    assert finding.rule == "targets-shared"
    assert "ubuntu-patch-group-prd" in finding.detail


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"MaintenanceWindowDuratoin": "3"}, "did you mean 'MaintenanceWindowDuration'?"),
        ({"MaintenanceWindowDuration": "25"}, "MaintenanceWindowDuration is '25': from 1 to 24"),
        ({"MaintenanceWindowDuration": "three"}, "a whole number is needed"),
        ({"BackupSchedule": "rate(1 day)"}, "BackupSchedule is 'rate(1 day)': it must match"),
        ({"GateMode": "open"}, "GateMode is 'open': one of coverage, threshold"),
        ({"MaintenanceWindowDuration": "0", "GateMode": ""}, "from 1 to 24\nGateMode is '': one of"),
        ({"BackupSchedule": "cron(0 19 ? * 8 *)"}, "8 is outside 1-7"),
        ({"TimeZone": "Europe/Berlln"}, "did you mean Europe/Berlin"),
    ],
)
def test_what_a_template_or_aws_would_refuse_is_refused(parameters: dict[str, str], words: str) -> None:
    with pytest.raises(InputError) as refused:
        check(lane(**parameters))
    assert words in f"{refused.value} {refused.value.remedy}"
    with pytest.raises(InputError):
        check_defaults(parameters, START, 1)


def test_a_lane_in_a_region_of_unknown_place_needs_a_time_zone() -> None:
    with pytest.raises(InputError, match="not published"):
        check(lane(region="us-iso-east-1"))
    assert check(lane(region="us-iso-east-1", TimeZone="America/New_York")).holds


def test_years_are_added_by_the_calendar() -> None:
    assert add_years(START, 10) == datetime(2036, 1, 1, tzinfo=UTC)
    assert add_years(datetime(2028, 2, 29, 12, tzinfo=UTC), 1) == datetime(2029, 2, 28, 12, tzinfo=UTC)
    assert add_years(datetime(2028, 2, 29, 12, tzinfo=UTC), 4) == datetime(2032, 2, 29, 12, tzinfo=UTC)


def test_nothing_is_proved_beyond_the_last_year_of_schedules() -> None:
    assert add_years(datetime(2195, 1, 1, tzinfo=UTC), 5) == datetime(2200, 1, 1, tzinfo=UTC)
    with pytest.raises(InputError, match="20 years from 2195-01-01 end after 2199"):
        check_defaults(LATER_CLOSE, datetime(2195, 1, 1, tzinfo=UTC), 20)
    with pytest.raises(InputError, match="end after 2199"):
        check_lanes([lane()], "o-a1b2c3d4e5", datetime(2190, 1, 2, tzinfo=UTC), 10)
