"""Reasons: each is a violation where the history contradicts it, and none where it was true while it was read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from patchgate.domain.reasons import REASONS as ALL_REASONS
from patchgate.judge.reasons import REASONS, UNSAID
from patchgate.judge.verdicts import HELD

from .histories import AGENT, CYCLE, GATED, LANE, NAME, TAGS, WINDOW, Story, around, at

Change = Callable[[Story], Story]


def well() -> Story:
    """An evening in which nothing speaks against ``i-1``."""
    return around().back_up()


def broken(story: Story, **changes: Any) -> list[str]:
    return story.broken(**changes)


def test_every_reason_is_judged_or_said_to_be_beyond_a_history() -> None:
    known = {*REASONS, *HELD, *UNSAID}
    assert known == set(ALL_REASONS)
    assert not set(UNSAID) & {*REASONS, *HELD}
    assert all(UNSAID.values())


def backed_up(**how: Any) -> Change:
    return lambda _: around().back_up(**how)


def told(when: Any, event: str, **facts: Any) -> Change:
    return lambda story: story.tell(when, event, **facts)


SILENT, OLD = AGENT | {"ping": "ConnectionLost"}, AGENT | {"version": "3.0.501.9"}
POINT = "arn:aws:ec2:eu-central-1::image/ami-i-1-19"


def aborted_twice(_: Story) -> Story:
    story = around().back_up(state="ABORTED")
    return story.back_up(state="ABORTED", hours=20, job="job-2")


TRUE: dict[str, tuple[Change, str]] = {
    "agent-offline": (told(at(23, 25), "AgentChanged", instance="i-1", agent=SILENT), ""),
    "agent-too-old": (told(at(23, 25), "AgentChanged", instance="i-1", agent=OLD), ""),
    "backup-aborted": (backed_up(state="ABORTED"), ""),
    "backup-expired": (backed_up(state="EXPIRED"), ""),
    "backup-failed": (backed_up(state="FAILED"), ""),
    "backup-never-finishes": (aborted_twice, ""),
    "backup-partial": (backed_up(state="PARTIAL"), ""),
    "backup-running": (backed_up(state="RUNNING"), ""),
    "backup-with-issues": (backed_up(category="VSS_ERROR"), ""),
    "frozen": (told(at(23, 25), "ParameterPut", name="/patchgate/freeze", value="x", version=1), ""),
    "instance-not-running": (told(at(23, 25), "InstanceStateChanged", instance="i-1", state="stopped"), ""),
    "instance-store-root": (lambda _: around(root_device="instance-store"), ""),
    "lease-closed": (lambda story: story.close(at(23, 25)), ""),
    "lease-expired": (lambda _: around(admit_until=at(23, 30).isoformat()).back_up(), ""),
    "no-backup-job": (lambda _: around(), ""),
    "no-lease": (
        told(at(23, 25), "ParameterDeleted", name=f"/patchgate/ubuntu/prd/{CYCLE}/open"),
        "",
    ),
    "not-in-lane": (told(at(23, 25), "InstanceTagged", instance="i-1", tags=TAGS | {"ToBackupAndPatch": "no"}), ""),
    "proof-too-old": (backed_up(hours=11), ""),
    "recovery-point-gone": (told(at(23, 25), "RecoveryPointDeleted", recovery_point=POINT), ""),
    "recovery-point-incomplete": (told(at(23, 25), "RecoveryPointExpired", recovery_point=POINT), ""),
    "volume-not-covered": (told(at(23, 25), "VolumeAttached", instance="i-1", volume="vol-2"), "vol-2"),
    "window-not-started": (lambda _: around(window_start=at(23, 81).isoformat()).back_up(), ""),
}
"""reason -> what makes it true while the proof is read (23:00:20 to 23:00:30), and its particulars."""


def test_every_reason_of_a_runbook_has_both_sides() -> None:
    assert set(TRUE) == set(REASONS) - {"not-reached"}


@pytest.mark.parametrize("reason", TRUE)
def test_a_reason_that_the_history_contradicts(reason: str) -> None:
    (violation,) = well().deny(reason, TRUE[reason][1]).judged().violations
    assert (violation.promise, violation.instance) == ("reason", "i-1")
    assert reason in violation.what


@pytest.mark.parametrize("reason", TRUE)
def test_a_reason_that_was_true_while_it_was_read(reason: str) -> None:
    change, detail = TRUE[reason]
    assert broken(change(well()).deny(reason, detail)) == []


LATER: dict[str, tuple[str, dict[str, Any]]] = {
    "agent-offline": ("AgentChanged", {"instance": "i-1", "agent": SILENT}),
    "agent-too-old": ("AgentChanged", {"instance": "i-1", "agent": OLD}),
    "frozen": ("ParameterPut", {"name": "/patchgate/freeze", "value": "x", "version": 1}),
    "instance-not-running": ("InstanceStateChanged", {"instance": "i-1", "state": "stopped"}),
    "not-in-lane": ("InstanceTagged", {"instance": "i-1", "tags": {}}),
    "recovery-point-gone": ("RecoveryPointDeleted", {"recovery_point": POINT}),
    "recovery-point-incomplete": ("RecoveryPointExpired", {"recovery_point": POINT}),
    "volume-not-covered": ("VolumeAttached", {"instance": "i-1", "volume": "vol-2"}),
    "lease-closed": ("ParameterPut", {"name": f"/patchgate/ubuntu/prd/{CYCLE}/closed", "value": "{}", "version": 1}),
}


@pytest.mark.parametrize("reason", LATER)
def test_what_came_after_the_reading_makes_no_reason_true(reason: str) -> None:
    event, facts = LATER[reason]
    story = well().deny(reason, TRUE[reason][1])
    assert broken(story.tell(at(23, 31), event, **facts)) == ["reason"]


def test_what_ended_before_the_reading_makes_no_reason_true() -> None:
    def quiet(back: float) -> list[str]:
        story = well().tell(at(22), "AgentChanged", instance="i-1", agent=SILENT)
        return broken(story.tell(at(23, back), "AgentChanged", instance="i-1", agent=AGENT).deny("agent-offline"))

    assert quiet(19) == ["reason"]
    assert quiet(21) == []


@pytest.mark.parametrize(
    ("span", "right"),
    [
        ((None, None), False),
        ((at(22), None), True),
        ((at(22), at(23, 19)), False),
        ((at(22), at(23, 21)), True),
        ((at(23, 30), None), True),
        ((at(23, 31), None), False),
        ((None, at(23, 21)), True),
        ((None, at(23, 20)), False),
    ],
)
def test_an_agent_may_be_silent_by_plan(span: tuple[Any, Any], right: bool) -> None:
    begins, ends = (when.isoformat() if when else None for when in span)
    story = around(agent=AGENT | {"offline_from": begins, "online_from": ends}).back_up()
    assert broken(story.deny("agent-offline")) == ([] if right else ["reason"])


def test_nothing_is_known_of_an_agent_of_which_the_history_says_nothing() -> None:
    assert broken(around(agent=None).back_up().deny("agent-offline")) == []


@pytest.mark.parametrize(("ready", "right"), [(21, True), (19, False)])
def test_a_machine_that_reboots_has_no_agent(ready: int, right: bool) -> None:
    story = well().tell(at(22.99), "InstanceRebooted", instance="i-1", ready_at=at(23, ready).isoformat())
    assert broken(story.deny("agent-offline")) == ([] if right else ["reason"])


def test_f05_the_newest_job_is_the_one_that_counts() -> None:
    story = around().back_up(state="FAILED", hours=18).back_up(job="retry")
    assert broken(story.deny("backup-failed")) == ["reason"]
    story = around().back_up(hours=18).back_up(state="FAILED", job="retry")
    assert broken(story.deny("backup-failed")) == []


def test_a_job_in_another_vault_is_no_job() -> None:
    assert broken(around().back_up(vault="elsewhere").deny("no-backup-job")) == []


def test_f04_a_waived_category_is_no_issue() -> None:
    story = around().back_up(category="VSS_ERROR").deny("backup-with-issues")
    assert broken(story, waived_message_categories=("VSS_ERROR",)) == ["reason"]


def test_a_volume_that_is_named_must_have_been_attached_and_not_held() -> None:
    assert broken(well().deny("volume-not-covered", "vol-9")) == ["reason"]
    assert broken(well().deny("volume-not-covered", "vol-1")) == ["reason"]
    two = around(volumes=("vol-1", "vol-2")).back_up()
    assert broken(two.deny("volume-not-covered", "vol-2")) == []
    two = around(volumes=("vol-1", "vol-2")).back_up()
    assert broken(two.deny("volume-not-covered", "vol-1, vol-2")) == ["reason"]


def test_where_volumes_are_backed_up_any_of_them_may_be_the_reason() -> None:
    story = around(volumes=("vol-1", "vol-2")).back_up("vol-1", volumes=("vol-1",), kind="volume")
    story.back_up("vol-2", volumes=("vol-2",), kind="volume", state="FAILED").deny("backup-failed")
    assert broken(story, backup_resources="volumes") == []
    assert broken(story.deny("backup-partial"), backup_resources="volumes") == ["reason"]


def test_f53_a_calendar_that_a_history_does_not_show_may_be_closed() -> None:
    assert broken(well().deny("frozen"), calendars=("unseen",)) == []


def test_a_reason_of_an_instance_that_never_was() -> None:
    story = well().evidence().install().gate(("i-9", "denied", "backup-failed", "")).closer()
    assert broken(story, **GATED) == ["reason"]
    assert "no such instance" in story.judged(**GATED).violations[0].what


def test_a_reason_that_nobody_knows_is_wrong_but_in_other_templates() -> None:
    assert broken(well().deny("the moon is full")) == ["reason"]
    assert "reason" not in broken(well().deny("the moon is full"), has_gate=False)


# What the gate says before the window, from 22:29:50 to 22:30:10


def gated(story: Story, *left_out: tuple[str, str, str, str], **said: Any) -> list[str]:
    return broken(story.gate(*left_out, **said).closer(), **GATED | {"minimum_coverage_percent": None})


def test_the_gates_reasons_are_judged_by_what_it_read() -> None:
    assert gated(well(), ("i-1", "denied", "no-backup-job", "")) == ["reason"]
    assert gated(around(), ("i-1", "denied", "no-backup-job", "")) == []


def test_f10_jobs_before_the_look_back_are_not_seen() -> None:
    story = around().back_up(hours=9.5)  # created at 10:00, 12.5 hours before the gate
    assert gated(story, ("i-1", "denied", "no-backup-job", "")) == []
    story = around().back_up(hours=10.5)
    assert gated(story, ("i-1", "denied", "no-backup-job", "")) == ["reason"]


@pytest.mark.parametrize(("seconds", "right"), [(-12, True), (-10, True), (-9, False)])
def test_f10_a_job_of_the_look_backs_own_second_may_be_seen_or_not(seconds: int, right: bool) -> None:
    story = around().back_up(hours=10, seconds=seconds)
    assert gated(story, ("i-1", "denied", "no-backup-job", "")) == ([] if right else ["reason"])


def hold(reason: str, story: Story, **lane: Any) -> list[str]:
    """What is wrong with a hold for that reason."""
    story.tell(at(22.5, 9), "ParameterPut", name=f"/patchgate/ubuntu/prd/{CYCLE}/hold", value="{}", version=1)
    story.gate(decision="hold", reason=reason).closer()
    return broken(story, **GATED | lane)


def quiet(*instances: str, **facts: Any) -> Story:
    """A lane that stays closed."""
    story = Story().tell(at(0.5), "WindowCreated", window=WINDOW, name=NAME, enabled=True).window(at(2), enabled=False)
    for instance in instances or ("i-1",):
        story.launch(instance, **facts)
    return story


HELD_RIGHTLY: dict[str, tuple[Callable[[], Story], Callable[[], Story], dict[str, Any]]] = {
    "coverage-too-low": (
        lambda: quiet("i-1", "i-2").back_up(),
        lambda: quiet("i-1", "i-2").back_up().back_up("i-2", state="RUNNING"),
        {},
    ),
    "frozen": (
        lambda: quiet().tell(at(22.5), "ParameterPut", name="/patchgate/ubuntu/prd/freeze", value="x", version=1),
        quiet,
        {},
    ),
    "jobs-not-completed": (
        lambda: quiet("i-1", "i-2").back_up().back_up("i-2", state="FAILED"),
        lambda: quiet("i-1", "i-2").back_up().back_up("i-2"),
        {"gate_mode": "threshold"},
    ),
    "no-evidence": (quiet, lambda: quiet().back_up(state="FAILED"), {}),
    "no-targets": (lambda: quiet(state="stopped"), quiet, {}),
    "threshold-not-met": (
        lambda: quiet("i-1", "i-2").back_up(),
        lambda: quiet("i-1", "i-2").back_up().back_up("i-2"),
        {"gate_mode": "threshold"},
    ),
    "window-not-due": (quiet, quiet, {}),
}


def test_every_reason_of_a_hold_has_both_sides() -> None:
    assert set(HELD_RIGHTLY) == set(HELD)


@pytest.mark.parametrize("reason", HELD_RIGHTLY)
def test_a_hold_is_for_a_true_reason(reason: str) -> None:
    right, wrong, lane = HELD_RIGHTLY[reason]
    lead = {"maximum_lead": timedelta(minutes=29)} if reason == "window-not-due" else {}
    assert hold(reason, right(), **lane, **lead) == []
    assert hold(reason, wrong(), **lane) == ["reason"]


def test_holds_are_not_judged_by_what_the_judge_was_not_told() -> None:
    unknown = {"look_back": None, "maximum_lead": None, "minimum_coverage_percent": None, "backup_job_threshold": None}
    for reason in ("coverage-too-low", "jobs-not-completed", "no-evidence", "threshold-not-met", "window-not-due"):
        assert hold(reason, HELD_RIGHTLY[reason][1](), **unknown) == []


def test_coverage_is_judged_at_its_edge() -> None:
    five = [f"i-{number}" for number in range(1, 6)]

    def held(backed: int) -> list[str]:
        story = quiet(*five)
        for instance in five[:backed]:
            story.back_up(instance)
        return hold("coverage-too-low", story)

    assert held(3) == []
    assert held(4) == ["reason"]


# What the close says: whom the window did not reach


def closed(story: Story, **how: Any) -> list[str]:
    return broken(story.launch("i-2").back_up("i-2").closer(unreached=["i-2"], **how), **GATED)


def reached() -> Story:
    return well().evidence().install()


def test_f57_who_has_evidence_of_a_proof_was_reached() -> None:
    assert closed(reached()) == []
    assert closed(reached().proof("i-2")) == ["reason"]
    assert closed(reached().proof("i-2"), mode="watchdog", told=[CYCLE]) == ["reason"]
    assert closed(reached(), mode="watchdog", told=[CYCLE]) == []


def test_f57_evidence_that_is_written_while_the_close_looks_is_not_seen() -> None:
    assert closed(reached().proof("i-2", at(26.2, -9), NotAfter="0", began=at(24.9))) == []


def test_f57_who_was_denied_by_the_verdict_was_not_let_in() -> None:
    rows = (("i-1", "proven", "", ""), ("i-2", "denied", "no-backup-job", ""))
    assert closed(reached().verdict(*rows, when=at(22.5, -1))) == ["evidence-false", "reason"]
    rows = (("i-1", "proven", "", ""), ("i-2", "proven", "", ""))
    assert closed(reached().verdict(*rows, when=at(22.5, -1))) == []


def test_a_lane_beside_it_is_judged_by_its_own_words() -> None:
    story = well().deny("backup-failed")
    assert LANE.suffix == "-ubuntu-prd"
    assert broken(story, environment="dev") == []
