"""Outcomes as values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from patchgate.judge.violation import Violation
from patchgate.rehearsal.outcome import (
    InstanceOutcome,
    LaneResult,
    LaneVerdict,
    RehearsalResult,
    RehearsedLane,
    Status,
)

START = datetime(2026, 7, 4, tzinfo=UTC)
LANE = RehearsedLane("a/r/ubuntu/prd", "1", "r", "ubuntu", "prd", "UTC", "v", "w", "g", "o", "c")
STATUSES: tuple[Status, ...] = ("patched", "patched-pending-reboot", "denied", "failed", "unreachable", "skipped")


def result_of(*statuses: Status) -> RehearsalResult:
    instances = tuple(InstanceOutcome(f"i-{n}", "", status) for n, status in enumerate(statuses))
    lane = LaneResult(LANE, LaneVerdict("open"), instances=instances, cycles=3)
    return RehearsalResult(1, START, START, (lane, replace(lane, instances=())), events=0, stacks=0, resources=0)


def test_pending_reboot_is_patched_and_nothing_else_is() -> None:
    result = result_of(*STATUSES)
    assert result.lanes[0].patched == 2
    assert result.lanes[0].count("failed", "unreachable") == 2
    assert result.counts() == dict.fromkeys(STATUSES, 1)


def test_cycles_are_counted_over_all_lanes() -> None:
    assert result_of().cycles == 6


def test_promises_hold_without_violations_and_open_windows() -> None:
    result = result_of("denied")
    violation = Violation("proof", START, "1", "r", "i-0", "was installed", (1,))
    assert result.held
    assert not replace(result, violations=(violation,)).held
    assert not replace(result, windows_left_open=1).held
