"""Liveness of other people's templates: who is well is patched where all are, or in a window that ended well."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from .histories import NAME, TAGS, WINDOW, Story, at

OTHERS: dict[str, Any] = {
    "has_gate": False,
    "vault": "",
    "tags": TAGS,
    "occurrences": tuple((at(23 + 24 * day), at(26 + 24 * day)) for day in range(3)),
    "maximum_lead": timedelta(minutes=30),
    "maximum_proof_age": timedelta(hours=24),
    "end": at(98),
    "calm_from": at(1),
}
MACHINES = ("i-1", "i-2")


def lane(*machines: str, **launch: Any) -> Story:
    story = Story().tell(at(0.5), "WindowCreated", window=WINDOW, name=NAME, enabled=False)
    for machine in machines or MACHINES:
        story.launch(machine, volumes=(f"vol-{machine}",), when=at(0.5), **launch)
    return story


def night(story: Story, day: int, *patched: str, status: str = "", ended: float = 0.5, **how: Any) -> Story:
    """One cycle: backups at 19:00, a window when there is a ``status`` that its execution ends with, installs."""
    hours = 24 * day
    for machine in how.get("backed_up", MACHINES):
        story.back_up(machine, volumes=(f"vol-{machine}",), hours=19 + hours, job=f"job-{machine}-{day}")
    if status:
        execution = {"window": WINDOW, "execution": f"x-{day}"}
        story.tell(at(23 + hours), "WindowExecutionStarted", name=NAME, **execution)
        story.tell(at(23 + hours + ended), "WindowExecutionEnded", status=status, **execution)
    for machine in patched:
        story.install(machine, at(23 + hours, 60))
    for machine in MACHINES:
        if machine not in patched:  # whoever is not patched is named, so that only liveness is asked
            result = {"left_out": [[machine, "denied", "somebody-said-so", ""]]}
            begun = at(26.1 + hours)
            request = {"function": "theirs", "request_id": f"{machine} {day}"}
            story.tell(begun, "FunctionInvoked", payload={}, **request)
            story.tell(begun, "FunctionEnded", status="Success", error="", log=[], result=result, **request)
    return story


def nights(story: Story, *patched: str, status: str = "", **how: Any) -> Story:
    for day in range(3):
        night(story, day, *patched, status=status, **how)
    return story


def liveness(story: Story, **changes: Any) -> list[str]:
    found = story.judged(**OTHERS | changes).violations
    return [violation.instance for violation in found if violation.promise == "liveness"]


def test_who_is_patched_in_every_second_window_is_fine() -> None:
    assert liveness(nights(lane(), *MACHINES, status="SUCCESS")) == []
    story = night(night(night(lane(), 0), 1, *MACHINES, status="SUCCESS"), 2)
    assert story.broken(**OTHERS) == []


def test_a_gate_that_never_opens_for_a_healthy_fleet_breaks_liveness() -> None:
    story = nights(lane())
    assert liveness(story) == list(MACHINES)
    assert "not opened" in story.judged(**OTHERS).violations[0].what
    assert liveness(story, calm_from=None) == []
    assert liveness(story, calm_from=at(30)) == list(MACHINES)
    assert liveness(story, calm_from=at(50)) == []


def test_a_gate_that_holds_for_a_machine_without_backup_may_have_a_reason() -> None:
    assert liveness(nights(lane(), backed_up=["i-1"])) == []


def test_a_window_that_ended_well_and_passed_a_machine_over_breaks_liveness() -> None:
    story = nights(lane(), "i-2", status="SUCCESS")
    assert liveness(story) == ["i-1"]
    assert "nothing was installed on it" in story.judged(**OTHERS).violations[0].what
    assert liveness(nights(lane(), "i-1", status="SUCCESS", backed_up=["i-1"])) == []
    assert liveness(nights(lane(), status="SUCCESS", backed_up=["i-2"])) == ["i-2"]


def test_a_window_whose_tasks_fail_for_a_healthy_fleet_breaks_liveness_with_what_failed() -> None:
    story = nights(lane(), status="FAILED")
    for day in range(3):
        begun = {"execution": f"r-{day}", "document": "own", "target": "i-1"}
        story.tell(at(23 + 24 * day, 1), "AutomationStarted", **begun)
        story.tell(at(23 + 24 * day, 9), "AutomationEnded", status="Failed", failure="no such machine", **begun)
    assert liveness(story) == list(MACHINES)
    assert "its tasks ended as FAILED: no such machine" in story.judged(**OTHERS).violations[0].what
    assert liveness(nights(lane(), status="FAILED", backed_up=["i-1"])) == []


@pytest.mark.parametrize(
    ("status", "ended"), [("TIMED_OUT", 0.5), ("CANCELLED", 0.5), ("SKIPPED_OVERLAPPING", 0), ("SUCCESS", 3.1)]
)
def test_a_window_without_time_for_all_is_no_breach(status: str, ended: float) -> None:
    assert liveness(nights(lane(), status=status, ended=ended)) == []


@pytest.mark.parametrize("state", ["stopped", "terminated"])
def test_a_fleet_that_is_not_whole_may_be_held_with_a_reason(state: str) -> None:
    gone = lane(*MACHINES, "i-3").tell(at(2), "InstanceStateChanged", instance="i-3", state=state)
    assert liveness(nights(gone)) == []


def test_a_machine_in_the_place_of_one_that_is_gone_makes_the_fleet_whole() -> None:
    replaced = lane(*MACHINES, "i-3").tell(at(2), "InstanceStateChanged", instance="i-3", state="terminated")
    replaced.launch("i-4", volumes=("vol-i-4",), when=at(3))
    assert liveness(nights(replaced, backed_up=(*MACHINES, "i-4")), calm_from=at(4)) == [*MACHINES, "i-4"]


def test_a_silent_agent_is_nobodys_to_patch() -> None:
    silent = {"ping": "ConnectionLost", "version": "3.3.2299.0", "delivery_seconds": 2, "clock_skew_seconds": 0}
    assert liveness(nights(lane(agent=silent))) == []
