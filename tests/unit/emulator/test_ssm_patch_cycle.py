"""A window that scans and then installs through a runbook, from its start to its end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.unit.emulator.ssm_lab import ROLE, SCOPE, START, Lab

from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.world import AgentBehaviour, Patch, VolumeSpec

PROVE = """
import boto3

def script_handler(events, context):
    ssm = boto3.client("ssm")
    lease = ssm.get_parameter(Name="/lease")["Parameter"]["Value"]
    shown = boto3.client("ec2").describe_instances(InstanceIds=[events["InstanceId"]])
    volumes = shown["Reservations"][0]["Instances"][0]["BlockDeviceMappings"]
    if len(volumes) != 1:
        return {"Decision": "deny", "Reason": "VOLUME_NOT_COVERED", "NotAfter": lease}
    return {"Decision": "admit", "Reason": "PROVEN", "NotAfter": lease}
"""
REFUSE_LATE = [
    "#!/bin/sh",
    "set -eu",
    'now="$(date -u +%s)"',
    'if [ "$now" -ge "{{ NotAfter }}" ]; then',
    '  echo "refused: $now is not before {{ NotAfter }}" >&2',
    "  exit 1",
    "fi",
]
COMMAND = {
    "schemaVersion": "2.2",
    "parameters": {"NotAfter": {"type": "String", "allowedPattern": "^[0-9]{10}$"}},
    "mainSteps": [
        {
            "action": "aws:runShellScript",
            "name": "refuseLate",
            "precondition": {"StringEquals": ["platformType", "Linux"]},
            "inputs": {"runCommand": REFUSE_LATE, "onFailure": "exit"},
        },
        {
            "action": "aws:runDocument",
            "name": "install",
            "inputs": {
                "documentType": "SSMDocument",
                "documentPath": "AWS-RunPatchBaseline",
                "documentParameters": {"Operation": "Install", "RebootOption": "RebootIfNeeded"},
            },
        },
    ],
}


def outputs(*names: str) -> list[dict[str, str]]:
    return [{"Name": name, "Selector": f"$.Payload.{name}", "Type": "String"} for name in names]


def waiting(name: str, service: str, api: str, selector: str, desired: str, **inputs: Any) -> dict[str, Any]:
    return {
        "name": name,
        "action": "aws:waitForAwsResourceProperty",
        "timeoutSeconds": 900,
        "inputs": {"Service": service, "Api": api, "PropertySelector": selector, "DesiredValues": [desired], **inputs},
    }


STEPS: tuple[dict[str, Any], ...] = (
    {
        "name": "prove",
        "action": "aws:executeScript",
        "onFailure": "Abort",
        "inputs": {
            "Runtime": "python3.11",
            "Handler": "script_handler",
            "Script": PROVE,
            "InputPayload": {"InstanceId": "{{ InstanceId }}"},
        },
        "outputs": outputs("Decision", "Reason", "NotAfter"),
    },
    {
        "name": "decide",
        "action": "aws:branch",
        "inputs": {
            "Choices": [{"NextStep": "install", "Variable": "{{ prove.Decision }}", "StringEquals": "admit"}],
            "Default": "denied",
        },
    },
    {"name": "denied", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}, "isEnd": True},
    {
        "name": "install",
        "action": "aws:runCommand",
        "onFailure": "Abort",
        "inputs": {
            "DocumentName": "patch",
            "InstanceIds": ["{{ InstanceId }}"],
            "Parameters": {"NotAfter": ["{{ prove.NotAfter }}"]},
            "TimeoutSeconds": 60,
            "OutputS3BucketName": "logs",
            "OutputS3KeyPrefix": "logs/install",
        },
    },
    waiting(
        "verifyStatus",
        "ec2",
        "DescribeInstanceStatus",
        "$.InstanceStatuses[0].InstanceStatus.Status",
        "ok",
        InstanceIds=["{{ InstanceId }}"],
    ),
    waiting(
        "verifyAgent",
        "ssm",
        "DescribeInstanceInformation",
        "$.InstanceInformationList[0].PingStatus",
        "Online",
        Filters=[{"Key": "InstanceIds", "Values": ["{{ InstanceId }}"]}],
    ),
    {
        "name": "verifyPatchState",
        "action": "aws:assertAwsResourceProperty",
        "isEnd": True,
        "inputs": {
            "Service": "ssm",
            "Api": "DescribeInstancePatchStates",
            "InstanceIds": ["{{ InstanceId }}"],
            "PropertySelector": "$.InstancePatchStates[0].FailedCount",
            "DesiredValues": ["0"],
        },
    },
)


def cycle(not_after: timedelta = timedelta(hours=5), **overrides: Any) -> tuple[Lab, str]:
    """A lane with its window; the lease ends ``not_after`` after 20:00."""
    lab = Lab()
    lab.call(
        "PutParameter", Name="/lease", Value=str(int((START + not_after).timestamp())), Type="String", Overwrite=True
    )
    lab.document("patch", COMMAND)
    lab.runbook(*STEPS)
    window = lab.window()
    target = lab.target(window)
    lab.task(window, target)
    lab.automation_task(window, target, "runbook", **overrides)
    return lab, window


def test_scan_then_prove_install_and_verify() -> None:
    lab, window = cycle()
    machine = lab.machine(1)
    lab.run(hours=6)

    scan, install = lab.events("PatchStarted")
    assert (scan["operation"], scan["at"]) == ("Scan", "2026-07-04T23:00:02.000Z")
    assert install["operation"] == "Install"
    assert install["at"] > lab.events("PatchEnded", operation="Scan")[0]["at"]
    assert install["volumes"] == [f"vol-{1:017x}"]
    ended = lab.events("PatchEnded", operation="Install")
    assert [(item["status"], item["installed"], item["failed"]) for item in ended] == [("Success", ["ALAS-1"], [])]
    assert [item["instance"] for item in lab.events("InstanceRebooted")] == [machine]
    automation = lab.events("AutomationEnded")
    assert [(item["target"], item["status"]) for item in automation] == [(machine, "Success")]
    steps = [(item["step"], item["status"]) for item in lab.events("AutomationStepEnded")]
    assert steps == [
        (name, "Success") for name in ("prove", "decide", "install", "verifyStatus", "verifyAgent", "verifyPatchState")
    ]
    assert lab.sdk.principals == [ROLE, ROLE]

    execution = lab.call("DescribeMaintenanceWindowExecutions", WindowId=window)["WindowExecutions"]
    assert [item["Status"] for item in execution] == ["SUCCESS"]
    tasks = lab.call("DescribeMaintenanceWindowExecutionTasks", WindowExecutionId=execution[0]["WindowExecutionId"])[
        "WindowExecutionTaskIdentities"
    ]
    assert [(item["TaskType"], item["Status"]) for item in tasks] == [
        ("RUN_COMMAND", "SUCCESS"),
        ("AUTOMATION", "SUCCESS"),
    ]
    state = lab.call("DescribeInstancePatchStates", InstanceIds=[machine])["InstancePatchStates"][0]
    assert (state["Operation"], state["InstalledCount"], state["MissingCount"]) == ("Install", 1, 0)


def test_output_goes_to_the_bucket_as_the_agent_writes_it() -> None:
    lab, _ = cycle()
    machine = lab.machine(1)
    lab.run(hours=6)
    (command,) = lab.events("CommandSent", document="patch")
    key = f"logs/logs/install/{command['command']}/{machine}/awsrunDocument/install/stdout"
    assert "Installed ALAS-1" in lab.bucket.objects[key]
    assert command["principal"] == ROLE


def test_a_denial_is_a_success_and_installs_nothing() -> None:
    lab, _ = cycle()
    machine = lab.machine(1)
    lab.cloud.component(Ec2).attach(SCOPE, machine, VolumeSpec(f"vol-{99:017x}", "/dev/xvdb"))
    lab.run(hours=6)
    assert lab.events("PatchStarted", operation="Install") == []
    assert [(item["step"], item["status"]) for item in lab.events("AutomationStepEnded")] == [
        ("prove", "Success"),
        ("decide", "Success"),
        ("denied", "Success"),
    ]
    assert lab.events("AutomationStepEnded", step="prove")[0]["outputs"]["Reason"] == "VOLUME_NOT_COVERED"
    assert [item["status"] for item in lab.events("WindowTaskEnded", task_type="AUTOMATION")] == ["SUCCESS"]


def test_the_node_refuses_after_the_lease_has_ended() -> None:
    lab, _ = cycle(not_after=timedelta(hours=3, seconds=30))
    machine = lab.machine(1)
    lab.run(hours=6)
    assert lab.events("PatchStarted", operation="Install") == []
    (command,) = lab.events("CommandSent", document="patch")
    invocation = lab.invocation(command["command"], machine)
    assert (invocation["Status"], invocation["ResponseCode"]) == ("Failed", 1)
    assert invocation["StandardErrorContent"].startswith("refused: 17832")
    plugins = lab.call("ListCommandInvocations", CommandId=command["command"], Details=True)
    statuses = [item["Status"] for item in plugins["CommandInvocations"][0]["CommandPlugins"]]
    assert statuses == ["Failed", "Pending"]
    assert lab.events("AutomationEnded")[0]["status"] == "Failed"


def test_a_clock_that_is_behind_lets_a_late_command_in() -> None:
    lab, _ = cycle(not_after=timedelta(hours=3, seconds=30))
    lab.machine(1, agent=AgentBehaviour(clock_skew_seconds=-3600))
    lab.run(hours=6)
    assert len(lab.events("PatchStarted", operation="Install")) == 1


def test_a_failed_patch_fails_the_run_with_its_reason() -> None:
    lab, _ = cycle()
    machine = lab.machine(1, patches=(Patch("ALAS-1", fails="No space left on device"), Patch("ALAS-2")))
    lab.run(hours=6)
    (ended,) = lab.events("PatchEnded", operation="Install")
    assert (ended["status"], ended["installed"], ended["failed"]) == ("Failed", ["ALAS-2"], ["ALAS-1"])
    assert "No space left on device" in ended["output"]
    (automation,) = lab.events("AutomationEnded")
    assert automation["status"] == "Failed"
    assert "No space left on device" in automation["failure"]
    state = lab.call("DescribeInstancePatchStates", InstanceIds=[machine])["InstancePatchStates"][0]
    assert (state["FailedCount"], state["InstalledCount"]) == (1, 1)
    assert [item["status"] for item in lab.events("WindowExecutionEnded")] == ["FAILED"]


def test_a_script_that_raises_fails_the_step() -> None:
    lab, _ = cycle()
    lab.machine(1)
    lab.call("DeleteParameter", Name="/lease")
    lab.run(hours=6)
    (step,) = lab.events("AutomationStepEnded")
    assert (step["status"], step["outputs"]) == ("Failed", {"ExecutionLog": ""})
    assert "ParameterNotFound" in step["failure"]
    assert lab.events("CommandSent", document="patch") == []


def test_the_same_run_writes_the_same_history() -> None:
    written = []
    for _ in range(2):
        lab, _window = cycle()
        for number in range(1, 4):
            lab.machine(number)
        lab.run(hours=6)
        written.append(lab.cloud.history.to_json_lines())
    assert written[0] == written[1]
