"""Automation: steps, references, failures, limits."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.emulator.ssm_lab import ROLE, SCOPE, Lab

from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.errors import NotEmulatedError

REST = {"action": "aws:sleep", "inputs": {"Duration": "PT1S"}}


def rest(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, **REST, **more}


def script(text: str, *outputs: tuple[str, str], name: str = "script", **more: Any) -> dict[str, Any]:
    declared = [{"Name": key, "Selector": f"$.Payload.{key}", "Type": kind} for key, kind in outputs]
    inputs = {"Runtime": "python3.11", "Handler": "handle", "Script": text, **more.pop("inputs", {})}
    return {"name": name, "action": "aws:executeScript", "inputs": inputs, "outputs": declared, **more}


def api(
    name: str = "call", service: str = "ssm", operation: str = "DescribeMaintenanceWindows", **more: Any
) -> dict[str, Any]:
    return {"name": name, "action": "aws:executeAwsApi", "inputs": {"Service": service, "Api": operation}, **more}


def ended(lab: Lab) -> list[tuple[str, str]]:
    return [(item["step"], item["status"]) for item in lab.events("AutomationStepEnded")]


def finish(lab: Lab, name: str = "runbook", **parameters: str) -> dict[str, Any]:
    execution = lab.automate(name, **parameters)
    lab.run(hours=3)
    return lab.execution(execution)


def test_a_script_gets_events_and_context_and_returns_outputs() -> None:
    lab = Lab()
    text = (
        "import datetime, os\n"
        "def handle(events, context):\n"
        "    print('at', datetime.datetime.now(datetime.timezone.utc).isoformat())\n"
        "    return {'Who': events['Id'] + '/' + context['global:REGION'], 'Many': ['a', 'b'], 'N': 3,\n"
        "            'Region': os.environ['AWS_REGION'], 'Yes': True}\n"
    )
    names = (("Who", "String"), ("Many", "StringList"), ("N", "Integer"), ("Yes", "Boolean"))
    lab.runbook(script(text, *names, inputs={"InputPayload": {"Id": "{{ InstanceId }}"}}), outputs=["script.Who"])
    shown = finish(lab, InstanceId="i-1")
    (step,) = shown["StepExecutions"]
    assert shown["AutomationExecutionStatus"] == "Success"
    assert shown["Outputs"] == {"script.Who": ["i-1/eu-west-1"]}
    assert {key: step["Outputs"][key] for key in ("Who", "Many", "N", "Yes")} == {
        "Who": ["i-1/eu-west-1"],
        "Many": ["a", "b"],
        "N": ["3"],
        "Yes": ["true"],
    }
    assert step["Outputs"]["ExecutionLog"] == ["at 2026-07-04T20:00:01+00:00"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def handle(events, context):\n    raise ValueError('not proven')", "ValueError - not proven"),
        ("def handle(events, context):\n    raise KeyboardInterrupt('so')", "KeyboardInterrupt - so"),
        ("import sys\ndef handle(events, context):\n    sys.exit('left')", "SystemExit - left"),
        ("def other(events, context):\n    return {}", "AttributeError"),
        ("def handle(events, context)\n    return {}", "SyntaxError"),
        ("def handle(events, context):\n    return {'Decision': object()}", "TypeError"),
        ("def handle(events, context):\n    return {'Reason': 'x'}", "selects nothing"),
        ("def handle(events, context):\n    return {'Decision': 7}", "is not a String"),
        ("import socket\ndef handle(events, context):\n    return {}", "does not let programs import"),
    ],
)
def test_a_script_that_does_not_deliver_fails_its_step(text: str, reason: str) -> None:
    lab = Lab()
    lab.runbook(script(text, ("Decision", "String")), rest("after"))
    shown = finish(lab)
    assert shown["AutomationExecutionStatus"] == "Failed"
    assert reason in shown["FailureMessage"]
    assert ended(lab) == [("script", "Failed")]


def test_a_script_has_ten_minutes() -> None:
    lab = Lab()
    text = "import time\ndef handle(events, context):\n    time.sleep(601)\n    return {}"
    lab.runbook(script(text))
    execution = lab.automate()
    lab.run(seconds=600)
    assert lab.execution(execution)["AutomationExecutionStatus"] == "InProgress"
    lab.run(seconds=1)
    shown = lab.execution(execution)
    assert (shown["AutomationExecutionStatus"], shown["StepExecutions"][0]["StepStatus"]) == ("TimedOut", "TimedOut")
    lab.run(hours=1)
    assert ended(lab) == [("script", "TimedOut")]


def test_a_script_needs_an_assume_role_and_acts_as_it() -> None:
    lab = Lab()
    text = (
        "import boto3\n"
        "def handle(events, context):\n"
        "    boto3.client('ssm').put_parameter(Name='/x', Value='1', Type='String')\n"
        "    return {}\n"
    )
    lab.runbook(script(text))
    assert finish(lab)["AutomationExecutionStatus"] == "Success"
    assert [item["principal"] for item in lab.events("ParameterPut")] == [ROLE]
    lab.runbook(script(text), name="roleless", assumeRole="")
    assert "assume role" in finish(lab, "roleless")["FailureMessage"]


@pytest.mark.parametrize(
    ("condition", "taken"),
    [
        ({"Variable": "{{ InstanceId }}", "StringEquals": "i-none"}, True),
        ({"Variable": "{{ InstanceId }}", "StringEquals": "I-NONE"}, False),
        ({"Variable": "{{ InstanceId }}", "EqualsIgnoreCase": "I-NONE"}, True),
        ({"Variable": "{{ InstanceId }}", "StartsWith": "i-"}, True),
        ({"Not": {"Variable": "{{ InstanceId }}", "EndsWith": "none"}}, False),
        ({"Variable": "12", "NumericGreater": 9}, True),
        ({"Variable": "12", "NumericLesserOrEquals": 9}, False),
        ({"Variable": "true", "BooleanEquals": True}, True),
        (
            {
                "And": [
                    {"Variable": "{{ InstanceId }}", "Contains": "non"},
                    {"Or": [{"Variable": "a", "StringEquals": "b"}, {"Variable": "c", "StringEquals": "c"}]},
                ]
            },
            True,
        ),
    ],
)
def test_branches(condition: dict[str, Any], taken: bool) -> None:
    lab = Lab()
    choices = {"Choices": [{"NextStep": "yes", **condition}], "Default": "nope"}
    lab.runbook(
        {"name": "branch", "action": "aws:branch", "inputs": choices},
        rest("nope", isEnd=True),
        rest("yes", isEnd=True),
    )
    finish(lab)
    assert ended(lab) == [("branch", "Success"), ("yes" if taken else "nope", "Success")]


def test_a_branch_without_a_match_goes_on_or_ends() -> None:
    for is_end, steps in ((False, ["branch", "after"]), (True, ["branch"])):
        lab = Lab()
        choices = {"Choices": [{"NextStep": "other", "Variable": "a", "StringEquals": "b"}]}
        lab.runbook(
            {"name": "branch", "action": "aws:branch", "inputs": choices, "isEnd": is_end},
            rest("after", isEnd=True),
            rest("other"),
        )
        finish(lab)
        assert [name for name, _ in ended(lab)] == steps


@pytest.mark.parametrize(
    ("step", "status", "steps"),
    [
        ({}, "Failed", ["call"]),
        ({"onFailure": "Continue"}, "Success", ["call", "after", "last"]),
        ({"onFailure": "Continue", "isCritical": True}, "Failed", ["call", "after", "last"]),
        ({"onFailure": "step:last"}, "Failed", ["call", "last"]),
        ({"onFailure": "step:last", "isCritical": False}, "Success", ["call", "last"]),
    ],
)
def test_what_follows_a_failure(step: dict[str, Any], status: str, steps: list[str]) -> None:
    lab = Lab()
    broken = api(operation="GetParameter", **step)
    broken["inputs"]["Name"] = "/nowhere"
    lab.runbook(broken, rest("after"), rest("last"))
    assert finish(lab)["AutomationExecutionStatus"] == status
    assert [name for name, _ in ended(lab)] == steps


def test_attempts_are_repeated_until_one_succeeds() -> None:
    lab = Lab()
    text = (
        "import boto3, time\n"
        "def handle(events, context):\n"
        "    time.sleep(60)\n"
        "    return {'V': boto3.client('ssm').get_parameter(Name='/later')['Parameter']['Value']}\n"
    )
    lab.runbook(script(text, ("V", "String"), maxAttempts=3))
    execution = lab.automate()
    lab.run(seconds=90)
    lab.call("PutParameter", Name="/later", Value="now", Type="String")
    lab.run(seconds=60)
    assert lab.execution(execution)["StepExecutions"][0]["Outputs"]["V"] == ["now"]
    assert ended(lab) == [("script", "Success")]


@pytest.mark.parametrize("spelling", ["DescribeInstances", "describe_instances", "describeInstances"])
def test_api_calls_select_their_outputs(spelling: str) -> None:
    lab = Lab()
    machine = lab.machine(1)
    step = api(
        service="ec2",
        operation=spelling,
        outputs=[
            {"Name": "State", "Selector": "$.Reservations[0].Instances[0].State.Name", "Type": "String"},
            {"Name": "Code", "Selector": "$.Reservations[0].Instances[0].State.Code", "Type": "Integer"},
        ],
    )
    step["inputs"]["InstanceIds"] = ["{{ InstanceId }}"]
    lab.runbook(step)
    outputs = finish(lab, InstanceId=machine)["StepExecutions"][0]["Outputs"]
    assert outputs == {"State": ["running"], "Code": ["16"]}


def test_waiting_for_a_property() -> None:
    lab = Lab()
    machine = lab.machine(1)
    lab.cloud.component(Ec2).reboot(SCOPE, machine)
    inputs = {
        "Service": "ec2",
        "Api": "DescribeInstanceStatus",
        "InstanceIds": ["{{ InstanceId }}"],
        "PropertySelector": "$.InstanceStatuses[0].InstanceStatus.Status",
        "DesiredValues": ["ok"],
    }
    waits = {"name": "wait", "action": "aws:waitForAwsResourceProperty", "inputs": inputs, "timeoutSeconds": 900}
    lab.runbook(waits)
    execution = lab.automate(InstanceId=machine)
    lab.run(seconds=110)
    assert lab.execution(execution)["AutomationExecutionStatus"] == "InProgress"
    lab.run(seconds=30)
    assert lab.execution(execution)["AutomationExecutionStatus"] == "Success"
    lab.cloud.component(Ec2).set_state(SCOPE, machine, "stopped")
    again = lab.automate(InstanceId=machine)
    lab.run(seconds=902)
    assert lab.execution(again)["AutomationExecutionStatus"] == "TimedOut"


def test_parameters_are_checked() -> None:
    lab = Lab()
    parameters = {
        "InstanceId": {"type": "String", "allowedPattern": "^i-[0-9a-f]{17}$"},
        "AutomationAssumeRole": {"type": "String", "default": ROLE},
    }
    lab.runbook(rest("only"), parameters=parameters)
    code = "InvalidAutomationExecutionParametersException"
    good = [f"i-{1:017x}"]
    for given in ({}, {"InstanceId": ["i-1"]}, {"InstanceId": good * 2}, {"InstanceId": good, "More": ["x"]}):
        assert lab.refused("StartAutomationExecution", DocumentName="runbook", Parameters=given) == code
    assert lab.refused("StartAutomationExecution", DocumentName="none") == "AutomationDefinitionNotFoundException"
    wrong = {"DocumentName": "runbook", "DocumentVersion": "7", "Parameters": {"InstanceId": good}}
    assert lab.refused("StartAutomationExecution", **wrong) == "AutomationDefinitionVersionNotFoundException"


def test_a_hundred_at_once_and_a_thousand_in_the_queue() -> None:
    lab = Lab()
    lab.runbook(rest("only"))
    started = [lab.automate() for _ in range(1100)]
    assert lab.execution(started[100])["AutomationExecutionStatus"] == "Pending"
    full = lab.refused("StartAutomationExecution", DocumentName="runbook")
    assert full == "AutomationExecutionLimitExceededException"
    lab.run(seconds=2)
    assert lab.execution(started[100])["AutomationExecutionStatus"] == "InProgress"
    lab.run(minutes=1)
    assert {item["status"] for item in lab.events("AutomationEnded")} == {"Success"}
    assert len(lab.events("AutomationEnded")) == 1100


def test_stopping_ends_the_step_in_flight() -> None:
    lab = Lab()
    text = "import time\ndef handle(events, context):\n    time.sleep(300)\n    print('never')\n    return {}"
    lab.runbook(script(text), rest("after"))
    execution = lab.automate()
    lab.run(seconds=30)
    lab.call("StopAutomationExecution", AutomationExecutionId=execution)
    lab.run(hours=1)
    assert lab.execution(execution)["AutomationExecutionStatus"] == "Cancelled"
    assert ended(lab) == [("script", "Cancelled")]
    stop = {"AutomationExecutionId": execution}
    assert lab.refused("StopAutomationExecution", **stop) == "InvalidAutomationStatusUpdateException"


def test_stopping_between_steps_and_in_the_queue() -> None:
    lab = Lab()
    lab.runbook(rest("first"), rest("second"))
    execution = lab.automate()
    lab.run(seconds=2.5)
    lab.call("StopAutomationExecution", AutomationExecutionId=execution)
    lab.run(minutes=1)
    assert (lab.execution(execution)["AutomationExecutionStatus"], ended(lab)) == ("Cancelled", [("first", "Success")])
    waiting = [lab.automate() for _ in range(101)][-1]
    lab.call("StopAutomationExecution", AutomationExecutionId=waiting)
    assert lab.execution(waiting)["AutomationExecutionStatus"] == "Cancelled"
    lab.run(minutes=1)
    assert len(lab.events("AutomationEnded", status="Success")) == 100


def test_executions_are_filtered() -> None:
    lab = Lab()
    lab.runbook(rest("only"))
    first = lab.automate()
    lab.run(minutes=1)
    second = lab.automate()

    def ids(**filters: str) -> list[str]:
        wanted = [{"Key": key, "Values": [value]} for key, value in filters.items()]
        found = lab.call("DescribeAutomationExecutions", Filters=wanted)["AutomationExecutionMetadataList"]
        return [item["AutomationExecutionId"] for item in found]

    assert ids(DocumentNamePrefix="run") == [second, first]
    assert ids(ExecutionStatus="Success") == [first]
    assert ids(StartTimeAfter="2026-07-04T20:00:30Z") == [second]
    bad = [{"Key": "Colour", "Values": ["red"]}]
    assert lab.refused("DescribeAutomationExecutions", Filters=bad) == "InvalidFilterKey"
    steps = lab.call("DescribeAutomationStepExecutions", AutomationExecutionId=first)["StepExecutions"]
    assert [(item["StepName"], item["StepStatus"]) for item in steps] == [("only", "Success")]


def test_what_is_not_emulated_says_so() -> None:
    lab = Lab()
    lab.runbook({"name": "ask", "action": "aws:approve", "inputs": {"Approvers": ["me"]}})
    with pytest.raises(NotEmulatedError, match="aws:approve"):
        lab.automate()
    lab.runbook(script("def handle(e, c):\n    return {'a': '{{ InstanceId }}'}"), name="braces")
    shown = finish(lab, "braces")
    assert (shown["AutomationExecutionStatus"], lab.sdk.principals) == ("Failed", [])
