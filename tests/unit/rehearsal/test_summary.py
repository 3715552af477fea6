"""Histories become outcomes: who was patched, who was not, and the reason that the history gives."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from patchgate.rehearsal.outcome import InstanceOutcome, LaneResult, RehearsedLane
from patchgate.rehearsal.summary import summarise
from tests.unit.judge.histories import ACCOUNT, NAME, REGION, TAGS, VAULT, WINDOW, Story, around, at, good_evening

OPEN, CLOSE = "patchgate-open-ubuntu-prd", "patchgate-close-ubuntu-prd"
LANE = RehearsedLane(
    name="payments/eu-central-1/ubuntu/prd",
    account=ACCOUNT,
    region=REGION,
    operating_system="ubuntu",
    environment="prd",
    zone="Europe/Berlin",
    vault=VAULT,
    window_name=NAME,
    patch_group=TAGS["PatchGroup"],
    open_function=OPEN,
    close_function=CLOSE,
    occurrences=((at(23), at(26)),),
)


def lane_of(story: Story, lane: RehearsedLane = LANE) -> LaneResult:
    (result,) = summarise(story.records(), [lane])
    return result


def one(story: Story, instance: str = "i-1") -> InstanceOutcome:
    return next(found for found in lane_of(story).instances if found.instance == instance)


def gate(
    story: Story, decision: str = "open", reason: str = "", *left_out: tuple[str, str, str, str], **more: Any
) -> Story:
    said = {"decision": decision, "reason": reason, "detail": "3 of 5", "left_out": left_out} | more
    when: datetime = at(22.5)
    story.tell(when, "FunctionInvoked", function=OPEN, request_id="r", payload={"mode": "open"})
    facts = {"function": OPEN, "request_id": "r", "status": "Success", "error": "", "result": None}
    return story.tell(at(22.5, 3), "FunctionEnded", log=["START", json.dumps(said)], **facts)


def ended(story: Story, status: str = "Success", *, operation: str = "Install", **lists: Any) -> Story:
    facts: dict[str, Any] = {"installed": [], "failed": [], "pending_reboot": [], "missing": [], "output": ""} | lists
    begin = {"instance": "i-1", "operation": operation, "command": "c"}
    story.tell(at(23, 60), "PatchStarted", reboot_option="NoReboot", volumes=["vol-1"], **begin)
    return story.tell(at(23.3), "PatchEnded", status=status, **begin, **facts)


def step(story: Story, name: str, status: str, failure: str = "", **outputs: Any) -> Story:
    facts = {"step": name, "action": "a", "status": status, "failure": failure, "outputs": outputs}
    return story.tell(at(23.4), "AutomationStepEnded", execution="execution-i-1", **facts)


def command(story: Story, status: str, code: int = 1, output: str = "") -> Story:
    facts = {"command": "c", "instance": "i-1", "status": status, "response_code": code, "output": output}
    return story.tell(at(23.1), "CommandEnded", **facts)


def test_patched() -> None:
    found = one(gate(good_evening()))
    assert (found.status, found.reason, found.fault, found.next_step) == ("patched", "", "", "")
    assert found.is_patched
    assert [moment.what for moment in found.timeline] == [
        "backup completed",
        "install started",
        "install success: 1 installed",
    ]


def test_f37_patched_and_waiting_for_a_reboot() -> None:
    found = one(gate(ended(around(), pending_reboot=["kernel"])))
    assert (found.status, found.reason, found.fault) == ("patched-pending-reboot", "pending-reboot", "F37")
    assert found.detail == "kernel"


def test_f42_disk_full() -> None:
    output = "Installed a\nFailed to install kernel: No space left on device\nInstall: 1 installed"
    found = one(gate(ended(around(), "Failed", failed=["kernel"], output=output)))
    assert (found.status, found.reason, found.fault) == ("failed", "disk-full", "F42")
    assert found.detail == "Failed to install kernel: No space left on device"
    assert found.next_step


def test_f41_an_update_that_does_not_install() -> None:
    found = one(gate(ended(around(), "Failed", failed=["kernel"])))
    assert (found.status, found.reason, found.detail) == ("failed", "install-failed", "kernel")


@pytest.mark.parametrize("status", ["TimedOut", "Cancelled"])
def test_f33_an_install_that_is_ended(status: str) -> None:
    found = one(gate(ended(around(), status, output="...\nkilled\n")))
    assert (found.status, found.reason, found.detail) == ("failed", "timed-out", "killed")


def test_an_install_that_never_ends() -> None:
    begin = {"instance": "i-1", "operation": "Install", "command": "c"}
    found = one(gate(around().tell(at(23.1), "PatchStarted", volumes=[], reboot_option="", **begin)))
    assert (found.status, found.reason) == ("failed", "timed-out")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("verifyStatus", "unhealthy-after-install"),
        ("verifyAgent", "unhealthy-after-install"),
        ("verifyPatchState", "patches-missing"),
    ],
)
def test_f40_patched_and_not_well(name: str, reason: str) -> None:
    found = one(gate(step(ended(around().prove()), name, "Failed", "impaired")))
    assert (found.status, found.reason, found.detail) == ("failed", reason, "impaired")


@pytest.mark.parametrize(("status", "code"), [("DeliveryTimedOut", -1), ("Undeliverable", -1), ("TimedOut", -1)])
def test_f38_a_command_that_is_not_delivered(status: str, code: int) -> None:
    found = one(gate(command(around().prove(), status, code)))
    assert (found.status, found.reason, found.fault) == ("unreachable", "command-undelivered", "F38")


def test_f55_the_node_refuses() -> None:
    found = one(gate(command(around().prove(), "Failed", 1, "refused: too late\n")))
    assert (found.status, found.reason, found.detail) == ("failed", "refused-late", "refused: too late")


def test_a_command_that_runs_out_of_time() -> None:
    assert one(gate(command(around().prove(), "ExecutionTimedOut", 1))).reason == "timed-out"


def test_f57_the_cutoff_comes_before_the_install() -> None:
    facts = {"execution": "execution-i-1", "document": "d", "target": "i-1", "status": "Cancelled", "failure": "cutoff"}
    admitted = around().prove().tell(at(25), "AutomationEnded", **facts)
    assert one(gate(admitted)).reason == "cutoff-reached"
    waiting = around().tell(at(25), "AutomationEnded", **facts)
    assert (one(gate(waiting)).status, one(gate(waiting)).reason) == ("denied", "cutoff-reached")


def test_f16_denied_at_the_point_of_use() -> None:
    found = one(gate(around().prove(decision="deny", reason="volume-not-covered")))
    assert (found.status, found.reason, found.fault) == ("denied", "volume-not-covered", "F16")
    assert "proof: denied, volume-not-covered" in [moment.what for moment in found.timeline]


def test_f39_stopped_when_it_was_to_be_proved() -> None:
    assert one(gate(around().prove(decision="deny", reason="instance-not-running"))).status == "skipped"


def test_f29_a_proof_that_cannot_be_read() -> None:
    story = around().tell(at(23, 5), "AutomationStarted", execution="execution-i-1", document="d", target="i-1")
    found = one(gate(step(story, "prove", "Failed", "ThrottlingException")))
    assert (found.status, found.reason, found.detail) == ("denied", "proof-unreadable", "ThrottlingException")


def test_f39_stopped_before_the_window() -> None:
    story = gate(around()).tell(at(20), "InstanceStateChanged", instance="i-1", state="stopped")
    assert (one(story).status, one(story).reason) == ("skipped", "instance-not-running")
    launched = gate(Story().launch(state="stopped"))
    assert one(launched).status == "skipped"


def test_f06_a_hold_for_want_of_evidence_speaks_for_everybody() -> None:
    story = gate(Story().launch(), "hold", "no-evidence", ("i-1", "denied", "no-backup-job", ""))
    assert (one(story).status, one(story).reason, one(story).fault) == ("denied", "no-evidence", "F06")
    assert lane_of(story).verdict.decision == "hold"


def test_an_instance_s_own_reason_goes_before_the_lane_s() -> None:
    story = Story().launch().launch("i-2")
    gate(story, "hold", "coverage-too-low", ("i-1", "denied", "backup-failed", "boom"))
    assert one(story).reason == "backup-failed"
    assert one(story, "i-2").reason == "coverage-too-low"


def test_f38_unreachable_when_the_gate_judged() -> None:
    story = gate(Story().launch(), "open", "", ("i-1", "unreachable", "agent-offline", "ConnectionLost"))
    assert (one(story).status, one(story).reason) == ("unreachable", "agent-offline")


def test_undecided_is_not_an_outcome() -> None:
    story = gate(Story().launch(), "open", "", ("i-1", "undecided", "backup-running", "RUNNING"))
    assert (one(story).status, one(story).reason) == ("failed", "not-reached")


def test_f27_no_gate_at_all() -> None:
    found = lane_of(Story().launch())
    assert (found.verdict.decision, found.verdict.reason) == ("none", "gate-silent")
    assert found.instances[0].reason == "gate-silent"


def test_f29_a_gate_that_failed() -> None:
    facts = {"function": OPEN, "request_id": "r", "status": "Error", "error": "boom", "result": None, "log": ["x {"]}
    found = lane_of(Story().launch().tell(at(22.5), "FunctionEnded", **facts))
    assert (found.verdict.decision, found.verdict.reason, found.verdict.detail) == ("none", "gate-failed", "boom")


def test_f28_a_repeated_verdict_takes_no_finding_back() -> None:
    story = gate(Story().launch(), "open", "", ("i-1", "denied", "backup-failed", ""))
    gate(story, "open", "", repeated=True)
    assert one(story).reason == "backup-failed"


def test_spans_of_a_lane() -> None:
    story = gate(good_evening()).tell(at(19), "BackupJobStateChanged", **backup("CREATED"))
    story.tell(at(26.2), "FunctionInvoked", function=CLOSE, request_id="c", payload={"mode": "close"})
    closed = {"function": CLOSE, "request_id": "c", "status": "Success", "error": "", "log": []}
    story.tell(at(26.2, 2), "FunctionEnded", result={"mode": "close"}, **closed)
    spans = {span.kind: (span.start, span.end) for span in lane_of(story).spans}
    assert spans == {
        "backup": (at(19), at(19.5)),
        "gate": (at(22.5), at(22.5, 3)),
        "window": (at(23), at(26)),
        "install": (at(23, 60), at(23, 600)),
        "close": (at(26.2), at(26.2, 2)),
    }


def backup(state: str) -> dict[str, Any]:
    resource = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-1"
    facts = {"job": "j", "resource": resource, "vault": VAULT, "state": state, "message_category": "", "message": "m"}
    return facts | {"recovery_point": None, "snapshots": []}


def test_a_watchdog_is_not_the_close() -> None:
    facts = {"function": CLOSE, "request_id": "c"}
    story = around().tell(at(12), "FunctionInvoked", payload='{"mode": "watchdog"}', **facts)
    story.tell(at(12, 1), "FunctionEnded", status="Success", result={}, error="", log=[], **facts)
    assert [span.kind for span in lane_of(story).spans] == ["window"]


def test_a_lane_s_window_is_known_by_its_executions_where_its_schedule_is_not() -> None:
    story = around().tell(at(23), "WindowExecutionStarted", window=WINDOW, execution="e", name=NAME)
    story.tell(at(26), "WindowExecutionEnded", execution="e", status="SUCCESS")
    unknown = RehearsedLane(**{name: getattr(LANE, name) for name in LANE.__slots__ if name != "occurrences"})
    result = lane_of(story, unknown)
    assert [(span.kind, span.start, span.end) for span in result.spans] == [("window", at(23), at(26))]
    told = [moment.what for moment in result.timeline]
    assert told[-2:] == ["lease closed", "window disabled"]
    assert "window started" in told


def test_only_the_last_cycle_decides_what_became_of_an_instance() -> None:
    week = RehearsedLane(
        **{name: getattr(LANE, name) for name in LANE.__slots__ if name != "occurrences"},
        occurrences=((at(23), at(26)), (at(191), at(194))),
    )
    result = lane_of(gate(good_evening()), week)
    assert result.cycles == 2
    assert result.instances[0].reason == "gate-silent"


def test_instances_of_other_lanes_are_not_its_own() -> None:
    story = (
        good_evening().launch("i-2", tags={"PatchGroup": "other"}).launch("i-3", tags=TAGS | {"ToBackupAndPatch": ""})
    )
    assert [found.instance for found in lane_of(story).instances] == ["i-1"]


def test_a_lane_of_others_has_the_machines_with_its_own_tags() -> None:
    theirs = replace(LANE, tags={"Patch": "nightly", "Backup": "daily"})
    story = Story().launch("i-1", tags={"Patch": "nightly", "Backup": "daily", "Name": "web"})
    story.launch("i-2", tags={"Patch": "nightly"}).launch("i-3", tags=TAGS)
    story.tell(at(19), "BackupJobStateChanged", **backup("RUNNING"))
    result = lane_of(story, theirs)
    assert [found.instance for found in result.instances] == ["i-1"]
    assert [moment.what for moment in result.instances[0].timeline] == ["backup started: m"]


def test_a_runbook_for_no_machine_is_told_of_its_lane() -> None:
    story = around().tell(at(23), "WindowExecutionStarted", window=WINDOW, execution="e", name=NAME)
    for execution, window in (("a", "e"), ("b", "another")):
        facts = {"document": "patch", "target": "", "window_execution": window}
        story.tell(at(23), "AutomationStarted", execution=execution, **facts)
        failed = {"step": f"check-{execution}", "action": "a", "status": "Failed", "outputs": {}, "failure": "nothing"}
        story.tell(at(23, 1), "AutomationStepEnded", execution=execution, **failed)
    told = [moment.what for moment in lane_of(story).timeline]
    assert "check-a failed: nothing" in told
    assert not any("check-b" in what for what in told)


def test_the_error_of_a_function_is_told_in_words() -> None:
    error = {"errorMessage": "no such window", "errorType": "KeyError", "stackTrace": ["line 1"]}
    facts: dict[str, Any] = {
        "function": OPEN,
        "request_id": "r",
        "status": "Failed",
        "error": error,
        "result": None,
        "log": [],
    }
    found = lane_of(Story().launch().tell(at(22.5), "FunctionEnded", **facts))
    assert found.verdict.detail == "KeyError: no such window"
    assert [moment.what for moment in found.timeline] == [f"{OPEN} ended as Failed: KeyError: no such window"]


def test_backups_of_volumes_belong_to_their_instance() -> None:
    volume = backup("FAILED") | {"resource": f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/vol-1"}
    story = around().tell(at(19.2), "BackupJobStateChanged", **volume)
    assert [moment.what for moment in one(gate(story)).timeline] == ["backup failed: m"]


@pytest.mark.parametrize(
    ("state", "status"), [("terminated", "Interrupted"), ("stopped", "Failed"), ("stopping", "TimedOut")]
)
def test_f39_taken_down_during_its_install(state: str, status: str) -> None:
    story = ended(around(), status, failed=["kernel"])  # from 23:01 to 23:18
    found = one(gate(story.tell(at(23, 360), "InstanceStateChanged", instance="i-1", state=state)))
    assert (found.status, found.reason, found.fault) == ("failed", "down-while-patching", "F39")
    assert found.detail == f"{state} 5 min into its install"


def test_f39_taken_down_during_an_install_of_which_no_end_is_known() -> None:
    begin = {"instance": "i-1", "operation": "Install", "command": "c"}
    story = around().tell(at(23, 60), "PatchStarted", volumes=[], reboot_option="", **begin)
    found = one(gate(story.tell(at(23, 120), "InstanceStateChanged", instance="i-1", state="terminated")))
    assert (found.reason, found.detail) == ("down-while-patching", "terminated 1 min into its install")


@pytest.mark.parametrize("when", [at(20), at(25)])
def test_a_stop_before_or_after_an_install_does_not_explain_its_failure(when: datetime) -> None:
    story = ended(around(), "Failed", failed=["kernel"])
    assert one(gate(story.tell(when, "InstanceStateChanged", instance="i-1", state="stopped"))).reason != (
        "down-while-patching"
    )


WEEKS = RehearsedLane(
    **{name: getattr(LANE, name) for name in LANE.__slots__ if name != "occurrences"},
    occurrences=((at(23), at(26)), (at(191), at(194))),
)


def test_what_ends_late_still_belongs_to_its_cycle() -> None:
    story = gate(good_evening()).tell(at(25.9), "PatchStarted", **LATE, volumes=[], reboot_option="")
    story.tell(at(26.5), "PatchEnded", status="Success", installed=[], failed=[], pending_reboot=[], **LATE)
    story.tell(at(190.5), "BackupJobStateChanged", **backup("COMPLETED"))
    result = lane_of(story, WEEKS)
    (install,) = (span for span in result.spans if span.kind == "install")
    assert install.end == at(26.5)
    assert [span.kind for span in result.last_spans()] == ["backup", "window"]
    assert result.instances[0].reason == "gate-silent"


LATE = {"instance": "i-1", "operation": "Install", "command": "late"}


def test_cycles_that_follow_each_other_closely_share_the_time_between_them() -> None:
    daily = RehearsedLane(
        **{name: getattr(LANE, name) for name in LANE.__slots__ if name != "occurrences"},
        occurrences=((at(8), at(11)), (at(0), at(3)), (at(100), at(103))),
    )
    assert daily.boundaries() == (at(5.5), at(17))
    assert LANE.boundaries() == ()
