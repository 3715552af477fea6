"""The proof of order on a screen of any width, and safe from what names may hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from patchgate.config import LaneConfig
from patchgate.domain.lane import Lane
from patchgate.operations.check import CapacityFacts, CheckResult, check_lanes
from patchgate.report.order import render_order_json, render_order_text

START = datetime(2026, 1, 1, tzinfo=UTC)
HOSTILE = "pay\x1b[31m\nments"


def check(account_name: str = "payments", **parameters: str) -> CheckResult:
    given = {"DisableMaintenanceWindow": "cron(10 4 ? * 1 *)", **parameters}
    lanes = [
        LaneConfig(Lane("111111111111", "eu-central-1", os, "prd", account_name), given) for os in ("ubuntu", "windows")
    ]
    facts = CapacityFacts({f"{account_name}/eu-central-1/ubuntu/prd": 40})
    return check_lanes(lanes, "o-a1b2c3d4e5", START, 10, facts=facts)


def draw(result: CheckResult, width: int = 100, *, ascii_only: bool = False) -> str:
    return render_order_text(result, subject="fleet.yaml", width=width, color=False, ascii_only=ascii_only)


@pytest.mark.parametrize("width", [10, 60, 73, 100, 120, 400])
@pytest.mark.parametrize("parameters", [{}, {"CheckBackUpJobAndEnableMaintenanceWindow": "cron(30 22 27 * ? *)"}])
def test_no_line_is_wider_than_the_screen(width: int, parameters: dict[str, str]) -> None:
    text = draw(check(**parameters), width)
    assert all(len(line) <= min(120, max(60, width)) for line in text.splitlines())


def test_a_proof_says_how_much_and_how_closely() -> None:
    words = " ".join(draw(check()).split())
    assert "Order proved: each of 1,044 windows" in words
    assert "the window's end to its close 1 h 10 min" in words
    assert "oldest backup at the last install 6 h" in words
    assert "payments/eu-central-1/ubuntu/prd: 40 instances, 10 at once, up to 40 a window" in words


def test_a_broken_order_says_rule_fault_number_date_and_mend() -> None:
    words = " ".join(draw(check(BackupSchedule="cron(0 20 ? * 7 *)"), ascii_only=True).split())
    assert "backup-unfinished F01 the backup may still run when the gate decides: 522 of 522 windows" in words
    assert "windows in each of 2: payments/eu-central-1/ubuntu/prd" in words
    assert "first Sat 2026-01-03 23:00 Europe/Berlin: at worst it ends at Sat 2026-01-03 23:00, 30 min after" in words
    assert "-> start backups 30 min earlier" in words
    assert "Order broken: 1 rule in 2 of 2 lanes" in words


def test_what_holds_under_one_reading_only_names_the_reading() -> None:
    result = check(
        MaintenanceWindowCronSchedule="cron(30 2 ? * 1 *)",
        CheckBackUpJobAndEnableMaintenanceWindow="cron(0 1 ? * 1 *)",
        BackupSchedule="cron(0 21 ? * 7 *)",
        DisableMaintenanceWindow="cron(10 7 ? * 1 *)",
    )
    assert "a skipped time is read as skipped" in " ".join(draw(result).split())
    value = json.loads(render_order_json(result, subject="fleet.yaml"))
    assert value["lanes"][0]["readings"] == 9
    assert any("skipped" in finding["reading"] for finding in value["findings"])


def test_names_cannot_command_the_terminal() -> None:
    text = draw(check(HOSTILE, BackupSchedule="cron(0 20 ? * 7 *)"))
    assert "\x1b" not in text
    assert "pay\\x1b[31m\\x0aments" in text


def test_json_has_every_lane_and_length_in_seconds() -> None:
    value = json.loads(render_order_json(check(), subject="fleet.yaml"))
    assert (value["schema"], value["proved"], value["findings"]) == (1, True, [])
    assert value["lanes"][0]["margins"] == {
        "backup_to_gate": 1800,
        "gate_to_window": 1800,
        "window_to_close": 4200,
        "proof_age": 21600,
    }
    assert value["capacities"][0]["capacity"] == 40
