"""Run Command: sending, delivery, error budget, output, and what one can ask afterwards."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.unit.emulator.ssm_lab import GROUP, SCOPE, START, Lab

from patchgate.emulator.assumptions import Assumptions
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.world import AgentBehaviour

SHELL = "AWS-RunShellScript"
SAY = {"Parameters": {"commands": ["echo hello"]}}
FAIL = {"Parameters": {"commands": ["echo no >&2", "exit 3"]}}


def command(lab: Lab, command_id: str) -> dict[str, Any]:
    (found,) = lab.call("ListCommands", CommandId=command_id)["Commands"]
    return dict(found)


def test_a_command_runs_and_is_described() -> None:
    lab = Lab()
    machine = lab.machine(1)
    sent = lab.send(SHELL, machine, Comment="greeting", **SAY)
    assert command(lab, sent)["Status"] == "InProgress"
    before = lab.invocation(sent, machine)
    assert (before["Status"], before["ResponseCode"], before["ExecutionStartDateTime"]) == ("Pending", -1, "")
    lab.run(minutes=1)
    shown = lab.invocation(sent, machine)
    assert (shown["Status"], shown["StatusDetails"], shown["ResponseCode"]) == ("Success", "Success", 0)
    assert (shown["StandardOutputContent"], shown["PluginName"]) == ("hello\n", "runShellScript")
    assert (shown["ExecutionStartDateTime"], shown["ExecutionElapsedTime"]) == ("2026-07-04T20:00:02Z", "PT1S")
    whole = command(lab, sent)
    assert (whole["Status"], whole["TargetCount"], whole["CompletedCount"]) == ("Success", 1, 1)
    assert whole["ExpiresAfter"] == START + timedelta(seconds=7200)


def test_a_script_that_exits_otherwise_fails_the_command() -> None:
    lab = Lab()
    machine = lab.machine(1)
    sent = lab.send(SHELL, machine, **FAIL)
    lab.run(minutes=1)
    shown = lab.invocation(sent, machine, PluginName="runShellScript")
    assert (shown["Status"], shown["ResponseCode"], shown["StandardErrorContent"]) == ("Failed", 3, "no\n")
    assert (command(lab, sent)["Status"], command(lab, sent)["ErrorCount"]) == ("Failed", 1)
    assert [(item["status"], item["response_code"]) for item in lab.events("CommandEnded")] == [("Failed", 3)]


@pytest.mark.parametrize(("total", "seconds"), [(False, 60), (True, 60 + 3600)])
def test_an_offline_agent_times_out_at_its_delivery_timeout(*, total: bool, seconds: int) -> None:
    lab = Lab(Assumptions(delivery_ends_with_total_timeout=total))
    machine = lab.machine(1, agent=AgentBehaviour(ping="ConnectionLost"))
    sent = lab.send(SHELL, machine, TimeoutSeconds=60, **SAY)
    lab.run(seconds=seconds - 1)
    assert lab.invocation(sent, machine)["Status"] == "Pending"
    lab.run(seconds=1)
    shown = lab.invocation(sent, machine)
    assert (shown["Status"], shown["StatusDetails"], shown["ResponseCode"]) == ("TimedOut", "DeliveryTimedOut", -1)
    assert (command(lab, sent)["Status"], command(lab, sent)["StatusDetails"]) == ("TimedOut", "DeliveryTimedOut")
    assert command(lab, sent)["DeliveryTimedOutCount"] == 1
    assert lab.events("CommandDelivered") == []


def test_an_agent_that_comes_back_in_time_gets_the_command() -> None:
    lab = Lab()
    agent = AgentBehaviour(offline_from=START, online_from=START + timedelta(minutes=20))
    machine = lab.machine(1, agent=agent)
    sent = lab.send(SHELL, machine, **SAY)
    lab.run(hours=1)
    assert lab.invocation(sent, machine)["Status"] == "Success"
    (delivered,) = lab.events("CommandDelivered")
    assert "2026-07-04T20:20" <= delivered["at"] < "2026-07-04T20:21"


def test_a_stopped_machine_gets_the_command_when_it_is_up_again() -> None:
    lab = Lab()
    machine = lab.machine(1)
    lab.cloud.component(Ec2).set_state(SCOPE, machine, "stopped")
    sent = lab.send(SHELL, machine, **SAY)
    lab.run(minutes=5)
    assert lab.invocation(sent, machine)["Status"] == "Pending"
    lab.cloud.component(Ec2).set_state(SCOPE, machine, "running")
    lab.run(minutes=5)
    assert lab.invocation(sent, machine)["Status"] == "Success"


def test_an_agent_that_loses_its_connection_reports_late() -> None:
    lab = Lab()
    agent = AgentBehaviour(offline_from=START + timedelta(minutes=1), online_from=START + timedelta(minutes=30))
    machine = lab.machine(1, agent=agent)
    sent = lab.send("AWS-RunPatchBaseline", machine, Parameters={"Operation": ["Scan"]})
    lab.run(minutes=29)
    assert lab.invocation(sent, machine)["Status"] == "InProgress"
    assert len(lab.events("PatchEnded")) == 1
    lab.run(minutes=2)
    assert lab.invocation(sent, machine)["Status"] == "Success"


def test_a_machine_that_stops_in_the_middle_never_reports() -> None:
    lab = Lab()
    machine = lab.machine(1)
    sent = lab.send("AWS-RunPatchBaseline", machine, Parameters={"Operation": ["Install"]})
    lab.run(minutes=5)
    lab.cloud.component(Ec2).set_state(SCOPE, machine, "stopped")
    lab.run(hours=5)
    shown = lab.invocation(sent, machine)
    assert (shown["Status"], shown["StatusDetails"]) == ("TimedOut", "ExecutionTimedOut")
    assert [item["status"] for item in lab.events("PatchEnded")] == ["Interrupted"]
    assert lab.call("DescribeInstancePatchStates", InstanceIds=[machine])["InstancePatchStates"] == []


def test_the_error_budget_terminates_the_rest() -> None:
    lab = Lab()
    machines = [lab.machine(number) for number in range(1, 6)]
    sent = lab.send(SHELL, *machines, MaxConcurrency="1", MaxErrors="1", **FAIL)
    lab.run(minutes=5)
    listed = lab.call("ListCommandInvocations", CommandId=sent)["CommandInvocations"]
    assert [item["StatusDetails"] for item in listed] == ["Failed", "Failed"] + ["Terminated"] * 3
    assert command(lab, sent)["ErrorCount"] == 2


def test_failures_within_the_budget_leave_the_command_incomplete() -> None:
    lab = Lab()
    lab.machine(1, platform_type="Windows", operating_system="WINDOWS")
    for number in range(2, 5):
        lab.machine(number)
    steps = [
        {
            "action": "aws:runPowerShellScript",
            "name": "failing",
            "precondition": {"StringEquals": ["platformType", "Windows"]},
            "inputs": {"runCommand": ["exit 1"]},
        }
    ]
    lab.document("windows-fails", {"schemaVersion": "2.2", "mainSteps": steps})
    targets = [{"Key": "tag:PatchGroup", "Values": [GROUP]}]
    sent = lab.call("SendCommand", DocumentName="windows-fails", Targets=targets, MaxErrors="2")["Command"]
    lab.run(minutes=5)
    shown = command(lab, sent["CommandId"])
    assert (shown["StatusDetails"], shown["CompletedCount"], shown["ErrorCount"]) == ("Incomplete", 4, 1)


def test_a_machine_waiting_its_turn_keeps_its_delivery_timeout() -> None:
    lab = Lab()
    machines = [lab.machine(number) for number in (1, 2)]
    sent = lab.send(
        "AWS-RunPatchBaseline",
        *machines,
        Parameters={"Operation": ["Scan"]},
        MaxConcurrency="1",
        TimeoutSeconds=30,
    )
    lab.run(minutes=10)
    assert command(lab, sent)["Status"] == "Success"


def test_cancelling_stops_what_has_not_begun() -> None:
    lab = Lab()
    machines = [lab.machine(number) for number in (1, 2)]
    sent = lab.send("AWS-RunPatchBaseline", *machines, Parameters={"Operation": ["Scan"]}, MaxConcurrency="1")
    lab.run(minutes=1)
    lab.call("CancelCommand", CommandId=sent)
    assert command(lab, sent)["Status"] == "Cancelling"
    lab.run(minutes=10)
    assert [lab.invocation(sent, item)["Status"] for item in machines] == ["Success", "Cancelled"]
    assert command(lab, sent)["Status"] == "Cancelled"


def test_a_bucket_that_refuses_loses_the_output_and_not_the_command() -> None:
    lab = Lab()
    machine = lab.machine(1)
    sent = lab.send(SHELL, machine, OutputS3BucketName="denied", **SAY)
    lab.run(minutes=1)
    shown = lab.invocation(sent, machine)
    assert shown["Status"] == "Success"
    assert "AccessDenied" in shown["StandardErrorContent"]
    assert lab.bucket.objects == {}


@pytest.mark.parametrize(
    ("request_members", "code"),
    [
        ({"DocumentName": "missing"}, "InvalidDocument"),
        ({"DocumentVersion": "9"}, "InvalidDocumentVersion"),
        ({"Parameters": {}}, "InvalidParameters"),
        ({"Parameters": {"commands": ["true"], "surprise": ["x"]}}, "InvalidParameters"),
        ({"Parameters": {"commands": ["true"], "executionTimeout": ["soon"]}}, "InvalidParameters"),
        ({"Parameters": {"commands": "true"}}, "InvalidParameters"),
        ({"TimeoutSeconds": 29}, "ValidationException"),
        ({"MaxErrors": "-1"}, "ValidationException"),
        ({"InstanceIds": ["i-00000000000000099"]}, "InvalidInstanceId"),
        ({"InstanceIds": [f"i-{1:017x}", f"i-{1:017x}"]}, "DuplicateInstanceId"),
        ({"InstanceIds": []}, "ValidationException"),
        ({"InstanceIds": None, "Targets": [{"Key": "tag:Nobody", "Values": ["x"]}]}, "InvalidInstanceId"),
        ({"InstanceIds": None, "Targets": [{"Key": "name", "Values": ["x"]}]}, "ValidationException"),
    ],
)
def test_requests_that_are_refused(request_members: dict[str, Any], code: str) -> None:
    lab = Lab()
    machine = lab.machine(1)
    base = {"DocumentName": SHELL, "InstanceIds": [machine], "Parameters": {"commands": ["true"]}}
    assert lab.refused("SendCommand", **(base | request_members)) == code
    assert lab.events("CommandSent") == []


def test_a_terminated_machine_is_no_target() -> None:
    lab = Lab()
    machine = lab.machine(1)
    lab.cloud.component(Ec2).set_state(SCOPE, machine, "terminated")
    assert lab.refused("SendCommand", DocumentName=SHELL, InstanceIds=[machine], **SAY) == "InvalidInstanceId"


def test_runbooks_are_no_commands() -> None:
    lab = Lab()
    machine = lab.machine(1)
    lab.runbook({"name": "rest", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}})
    assert lab.refused("SendCommand", DocumentName="runbook", InstanceIds=[machine]) == "InvalidDocument"


def test_lists_are_filtered() -> None:
    lab = Lab()
    machine = lab.machine(1)
    good, bad = lab.send(SHELL, machine, **SAY), lab.send(SHELL, machine, **FAIL)
    lab.run(minutes=1)
    failed = lab.call("ListCommands", Filters=[{"key": "Status", "value": "Failed"}])["Commands"]
    assert [item["CommandId"] for item in failed] == [bad]
    assert [item["CommandId"] for item in lab.call("ListCommands")["Commands"]] == [bad, good]
    assert lab.refused("ListCommands", Filters=[{"key": "Colour", "value": "red"}]) == "InvalidFilterKey"
    assert lab.refused("GetCommandInvocation", CommandId=good, InstanceId="i-00000000") == "InvocationDoesNotExist"
    wrong = {"CommandId": good, "InstanceId": machine, "PluginName": "other"}
    assert lab.refused("GetCommandInvocation", **wrong) == "InvalidPluginName"
