"""Liveness: who is well is patched within two windows of the calm; and the verdicts that open a lane."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from .histories import ACCOUNT, AGENT, DOCUMENT, EVENING, GATED, OPEN, REGION, TAGS, VAULT, at
from .nights import CLOSED, PATCHED, UNPATCHED, WEEK, broken, lane, nights


def test_who_is_well_is_patched_in_one_of_two_windows() -> None:
    assert broken(nights(PATCHED, PATCHED, PATCHED)) == []
    assert broken(nights(UNPATCHED, PATCHED, UNPATCHED)) == []
    assert broken(nights(PATCHED, UNPATCHED, PATCHED)) == []


def test_who_was_patched_once_is_patched_again() -> None:
    (violation,) = nights(PATCHED, UNPATCHED, UNPATCHED).judged(**GATED | WEEK).violations
    assert violation.promise == "liveness"
    assert "2026-07-05T23:00:00+00:00: opened" in violation.what
    assert broken(nights(UNPATCHED, UNPATCHED, UNPATCHED)) == ["liveness"]  # said once
    assert broken(nights(PATCHED, UNPATCHED, UNPATCHED), calm_from=EVENING + timedelta(hours=42)) == ["liveness"]
    assert broken(nights(PATCHED, UNPATCHED, UNPATCHED), calm_from=EVENING + timedelta(hours=48)) == []


@pytest.mark.parametrize("how", [UNPATCHED, CLOSED])
def test_who_is_well_and_patched_in_neither_window_is_a_violation_with_its_story(how: dict[str, Any]) -> None:
    (violation,) = nights(how, how, PATCHED).judged(**GATED | WEEK).violations
    assert (violation.promise, violation.instance) == ("liveness", "i-1")
    told = "opened, and it was not reached" if how is UNPATCHED else "not opened"
    assert violation.what.count(told) == 2


def test_before_the_calm_nothing_is_expected() -> None:
    story = nights(UNPATCHED, UNPATCHED, PATCHED)
    assert broken(story, calm_from=None) == []
    assert broken(story, calm_from=at(23)) == ["liveness"]
    assert broken(story, calm_from=at(23, 1)) == []


def test_one_window_is_not_two() -> None:
    assert broken(nights(UNPATCHED), occurrences=WEEK["occurrences"][:1], end=at(30)) == []


@pytest.mark.parametrize(
    "launch",
    [
        {"state": "stopped"},
        {"root_device": "instance-store"},
        {"agent": None},
        {"agent": AGENT | {"ping": "Inactive"}},
        {"agent": AGENT | {"version": "3.0.501.0"}},
        {"agent": AGENT | {"clock_skew_seconds": -31}},
        {"agent": AGENT | {"delivery_seconds": 60}},
        {"agent": AGENT | {"offline_from": at(47.5).isoformat(), "online_from": at(47.6).isoformat()}},
        {"volumes": ("vol-1", "vol-2")},
        {"volumes": ()},
    ],
)
def test_who_is_not_well_need_not_be_patched(launch: dict[str, Any]) -> None:
    """A machine that is neither patched nor named is still forgotten, but nothing is said of liveness."""
    assert "liveness" not in broken(nights(UNPATCHED, UNPATCHED, **launch))


@pytest.mark.parametrize(
    ("event", "facts"),
    [
        ("InstanceStateChanged", {"state": "stopped"}),
        ("InstanceTagged", {"tags": TAGS | {"PatchGroup": "none"}}),
        ("AgentChanged", {"agent": AGENT | {"ping": "ConnectionLost"}}),
        ("InstanceRebooted", {"ready_at": at(48).isoformat()}),
        ("VolumeAttached", {"volume": "vol-2"}),
    ],
)
def test_who_is_changed_in_one_of_the_windows_is_not_well(event: str, facts: dict[str, Any]) -> None:
    def told(hours: float) -> list[str]:
        return broken(nights(UNPATCHED, UNPATCHED, PATCHED).tell(at(hours), event, instance="i-1", **facts))

    assert "liveness" not in told(47.5)
    assert told(70.9).count("liveness") == 1


@pytest.mark.parametrize(
    "how",
    [
        {"backup": False},
        {"backed": {"state": "FAILED"}},
        {"backed": {"category": "VSS_ERROR"}},
        {"backed": {"vault": "elsewhere"}},
        {"backed": {"seconds": 3 * 3600 + 1}},
    ],
)
def test_who_has_no_backup_before_the_gate_is_not_proven(how: dict[str, Any]) -> None:
    assert "liveness" not in broken(nights(UNPATCHED, how, PATCHED))


def backed_up_in_time(hours: float, created: float | None = None) -> bool:
    """Whether a backup proves for the second window that is known as completed half an hour after ``hours``."""
    story = nights(UNPATCHED, {"backup": False}).back_up(hours=hours, job="second")
    if created is not None:
        known = {"job": "second", "vault": VAULT, "resource": f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-1"}
        story.tell(at(created), "BackupJobStateChanged", state="RUNNING", message="", **known)
    return "liveness" in broken(story, maximum_proof_age=timedelta(hours=24))


def test_a_backup_is_completed_before_the_gate_and_begun_in_its_look_back() -> None:
    """The gate is at 22:30; the first half of an hour of its twelve is not asked for."""
    assert backed_up_in_time(45.9, created=45)
    assert not backed_up_in_time(46.1, created=45)
    assert backed_up_in_time(34.6)
    assert not backed_up_in_time(34.4)


def test_a_backup_elsewhere_is_no_newer_one() -> None:
    story = nights(UNPATCHED, UNPATCHED).back_up(hours=44, job="theirs", vault="elsewhere", state="FAILED")
    assert "liveness" in broken(story)
    assert "liveness" not in broken(story.back_up(hours=44, job="ours", state="FAILED"))


def test_a_gate_before_its_lead_is_none_of_the_window() -> None:
    def held(hours: float) -> list[str]:
        story = nights(UNPATCHED, {"backup": False}).back_up(hours=44, job="second")
        known: dict[str, Any] = {"decision": "hold", "reason": "window-not-due", "left_out": []}
        return broken(story.run(OPEN, at(hours), at(hours, 9), scheduled_time=at(hours).isoformat(), **known))

    assert "liveness" in held(43.9)
    assert "liveness" not in held(44.1)


def test_a_backup_that_is_just_in_time_counts() -> None:
    in_time = {"backed": {"seconds": 3 * 3600 - 1}}
    assert broken(nights(UNPATCHED, in_time, PATCHED)) == ["liveness"]


def test_a_lane_that_was_held_for_a_true_reason_need_not_patch() -> None:
    held = {"opens": False, "hold": "coverage-too-low"}
    assert broken(nights(UNPATCHED, held).launch("i-2").launch("i-3")).count("liveness") == 0
    assert broken(nights(UNPATCHED, held)) == ["reason", "liveness"]


def test_a_gate_that_is_never_due_before_its_window_is_no_reason() -> None:
    held = {"opens": False, "hold": "window-not-due"}
    assert "liveness" in broken(nights(UNPATCHED, held))


def test_a_freeze_keeps_from_patching() -> None:
    frozen = {"name": "/patchgate/freeze", "value": "x", "version": 1}
    assert broken(nights(UNPATCHED, UNPATCHED).tell(at(47.2), "ParameterPut", **frozen)) == []


def test_an_install_that_began_is_all_that_a_gate_can_do() -> None:
    failed = PATCHED | {"status": "Failed"}
    assert broken(nights(failed, UNPATCHED)) == []


def denied(reason: str, hours: float, **changes: Any) -> list[str]:
    story = nights(UNPATCHED, UNPATCHED)
    known = {"execution": "x", "document": DOCUMENT, "target": "i-1"}
    story.tell(at(hours), "AutomationStarted", **known)
    outputs = {"Decision": ["deny"], "Reason": [reason], "Detail": [""]}
    facts = {"execution": "x", "step": "prove", "status": "Success", "failure": "", "outputs": outputs}
    story.tell(at(hours, 9), "AutomationStepEnded", **facts)
    return broken(story.tell(at(hours, 10), "AutomationEnded", status="Success", failure="", **known), **changes)


def test_f57_whose_turn_came_too_late_is_excused() -> None:
    assert denied("lease-expired", 49.1) == []
    assert denied("lease-expired", 48) == ["reason", "liveness"]
    assert denied("frozen", 48) == ["reason", "liveness"]
    assert denied("frozen", 48, calendars=("unseen",)) == []


def denied_by(decision: str, status: str, **changes: Any) -> list[str]:
    """The second window's runbook of a stopped machine: what its evidence says, and how it ended."""
    story = nights(PATCHED, PATCHED).launch("i-2", state="stopped")
    known = {"execution": "execution-i-2", "document": DOCUMENT, "target": "i-2"}
    story.tell(at(47), "AutomationStarted", **known)
    said = {"Decision": decision, "Reason": "instance-not-running", "Cycle": "20260705T223000Z"}
    row = said | {"InstanceId": "i-2", "ProofStarted": "2026-07-05T23:00:00Z", "ExecutionId": "execution-i-2"}
    story.write("i-2.json", [row], at(47, 5), cycle="20260705T223000Z")
    story.tell(at(47, 9), "AutomationEnded", status=status, failure="", **known)
    return [promise for promise in broken(story, **changes) if promise == "works"]


def test_f34_a_denial_is_no_error() -> None:
    assert denied_by("deny", "Success") == []
    assert denied_by("deny", "Failed") == ["works"]
    assert denied_by("admit", "Failed") == []  # whose install, or whose machine, was not well
    assert denied_by("deny", "Failed", calm_from=at(47, 1)) == []


# Verdicts


def opened(covered: int, of: int, **changes: Any) -> list[str]:
    """An open verdict where so many of so many machines are backed up; the rest failed."""
    story = lane()
    for number in range(of):
        story.launch(f"i-{number}").back_up(f"i-{number}", state="COMPLETED" if number < covered else "FAILED")
    rows = [(f"i-{number}", "denied", "backup-failed", "") for number in range(covered, of)]
    story.gate(*rows).closer()
    return story.broken(**GATED | {"occurrences": ((at(0), at(0.4)),)} | changes)


def test_no_lane_is_opened_below_its_coverage() -> None:
    assert opened(4, 5) == []
    assert opened(3, 5) == ["verdict"]
    assert opened(3, 5, minimum_coverage_percent=60) == []
    assert opened(3, 5, minimum_coverage_percent=None) == []
    assert opened(3, 5, look_back=None) == []


def test_no_lane_is_opened_below_its_threshold() -> None:
    counting = {"gate_mode": "threshold"}
    assert opened(2, 2, **counting) == []
    assert opened(1, 1, **counting) == ["verdict"]
    assert opened(1, 1, **counting, backup_job_threshold=None) == []
