"""``patchgate config``: the fleet as a whole, one lane with the origin of its values, the schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from patchgate.cli.root import run
from patchgate.config.schema import render_schema

EXAMPLES = Path(__file__).parents[3] / "examples"
FLEET = str(EXAMPLES / "organization.yaml")
UNIT = ["--unit", "ou-a1b2-c3d4e5f6=111111111111,555555555555"]
ON = ["--on", "2026-11-23"]


def shown(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert run(["config", *arguments]) == code
    output, message = capsys.readouterr()
    return output if code == 0 else message


def value_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(shown(capsys, "show", FLEET, *ON, "--output", "json", *arguments))


def test_the_fleet_is_its_environments_in_order_and_what_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, "show", FLEET, *ON)
    assert "organization.yaml is valid: 23 lanes in 3 environments, in the order of promotion" in text
    assert [line.split()[1] for line in text.splitlines() if line[0].isdecimal()] == ["dev", "stg", "prd"]
    assert "workloads (ou-a1b2-c3d4e5f6): only AWS knows its accounts; its lanes are left out here" in text


def test_accounts_of_a_unit_can_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    value = value_of(capsys, *UNIT)
    assert value["unresolved_units"] == []
    production = {lane["name"] for lane in value["environments"][-1]["lanes"]}
    assert "555555555555/eu-west-1/redhat/prd" in production
    assert "payments/eu-west-1/redhat/prd" not in production


@pytest.mark.parametrize("text", ["ou-1", "=111111111111", "ou-1=1", "ou-1=11111111111a", "ou-1=111111111111,"])
def test_a_unit_without_accounts_or_with_wrong_ones_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is not ID=ACCOUNT,..." in shown(capsys, "show", FLEET, "--unit", text, code=2)


def test_check_and_calendar_take_them_too(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["check", FLEET, "--allow-idle", "--start", "2026-01-01", "--years", "1"], ["calendar", FLEET]):
        assert run([*command, "--output" if command[0] == "check" else "--format", "json", *UNIT]) == 0
        assert "555555555555/eu-west-1/redhat/prd" in capsys.readouterr().out
        assert run(command) == 2
        assert "give them with --unit" in capsys.readouterr().err


def test_expired_waivers_are_told_and_not_applied(capsys: pytest.CaptureFixture[str]) -> None:
    lane = ["--lane", "payments/eu-central-1/windows/prd"]
    assert "the waiver of VSS_ERROR ended on 2027-06-30" in shown(capsys, "show", FLEET, "--on", "2027-07-01")
    assert "WaivedMessageCategories" not in shown(capsys, "show", FLEET, "--on", "2027-07-01", *lane)
    assert "WaivedMessageCategories" in shown(capsys, "show", FLEET, "--on", "2027-06-30", *lane)


def test_every_value_of_a_lane_has_its_line_and_layer(capsys: pytest.CaptureFixture[str]) -> None:
    value = value_of(capsys, "--lane", "payments/us-east-1/windows/prd")
    lines = Path(FLEET).read_text(encoding="utf-8").splitlines()
    origins = {each["name"]: each["origin"] for each in value["parameters"] if not each["default"]}
    expected = {
        "RetentionDays": ("environment prd", "backup.retention_days", "backup: {retention_days: 35}"),
        "BackupCompletionWindowMinutes": (
            "operating system windows",
            "backup.completion_window_minutes",
            "backup: {completion_window_minutes: 240}",
        ),
        "TimeZone": ("target 1", "time_zones.us-east-1", "time_zones: {us-east-1: America/Chicago}"),
        "ApproveAfterDays": ("defaults", "approval_days", "approval_days: 7"),
        "PrincipalOrgID": ("organization", "id", "id: o-a1b2c3d4e5"),
    }
    for name, (layer, key, text) in expected.items():
        origin = origins[name]
        assert (origin["layer"], origin["key"]) == (layer, key)
        assert text in lines[origin["line"] - 1]
        assert lines[origin["line"] - 1][origin["column"] - 1 :].startswith(key.rpartition(".")[2])


def test_derived_values_name_the_statement_they_come_from(capsys: pytest.CaptureFixture[str]) -> None:
    value = value_of(capsys, "--lane", "payments/us-east-1/windows/prd")
    derived = {each["name"] for each in value["parameters"] if each["derived"]}
    assert derived == {
        "BackupSchedule",
        "CheckBackUpJobAndEnableMaintenanceWindow",
        "MaintenanceWindowCronSchedule",
        "MaintenanceWindowScheduleOffset",
        "DisableMaintenanceWindow",
        "FreezeCalendars",
    }
    (calendars,) = [each["value"] for each in value["parameters"] if each["name"] == "FreezeCalendars"]
    assert calendars == "production-changes,patchgate-freezes-windows-prd"


def test_a_name_that_means_two_things_is_there_twice(capsys: pytest.CaptureFixture[str]) -> None:
    value = value_of(capsys, "--lane", "payments/us-east-1/windows/prd")
    days = {each["template"]: each["value"] for each in value["parameters"] if each["name"] == "LogRetentionDays"}
    assert days == {"aws-create-s3-stack": "730", "aws-monitoring-backup-stackset": "365"}


def test_a_lane_shows_what_is_no_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, "show", FLEET, *ON, "--lane", "payments/us-east-1/windows/prd")
    assert "tags  cost-centre=4711, owner=platform" in text
    assert "waived  VSS_ERROR until 2027-06-30, Windows team" in text
    assert "frozen  while production-changes is closed: change board" in text
    assert "frozen  2026-12-18T06:00Z to 2027-01-07T06:00Z: year-end closing; public holiday: Christmas Day" in text
    assert "more have the template's default; --all shows them" in text


def test_all_shows_the_defaults_too(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, "show", FLEET, *ON, "--lane", "payments/us-east-1/windows/prd", "--all")
    assert "--all" not in text
    assert "template default" in text


def test_an_unknown_lane_is_told_with_the_nearest_and_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    message = shown(capsys, "show", FLEET, "--lane", "payments/us-east-1/window/prd", code=2)
    assert "did you mean 'payments/us-east-1/windows/prd'" in message
    assert "the accounts of ou-a1b2-c3d4e5f6 are not known: give them with --unit" in message


def test_problems_are_told_with_their_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "fleet.yaml"
    text = (EXAMPLES / "fleet.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("backup:\n    retention_days", "parameters:\n    RetentionDay"), encoding="utf-8")
    message = shown(capsys, "show", str(path), code=2)
    assert f"{path}:18:5: no template has a parameter 'RetentionDay'; did you mean 'RetentionDays'?" in message
    path.write_text(text.replace("us-east-1", "us-est-1"), encoding="utf-8")
    assert shown(capsys, "show", str(path), code=2).count("unknown Region 'us-est-1'") == 3


def test_the_schema_is_printed_or_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "schema") == render_schema()
    path = tmp_path / "fleet.schema.json"
    assert shown(capsys, "schema", "-o", str(path)) == ""
    assert path.read_text(encoding="utf-8") == render_schema()
    assert "cannot write" in shown(capsys, "schema", "-o", str(tmp_path / "absent" / "x.json"), code=2)
