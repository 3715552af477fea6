"""How an agent goes through the steps of a command document."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.emulator.ssm_lab import Lab


def script(name: str, *lines: str, **inputs: Any) -> dict[str, Any]:
    return {"action": "aws:runShellScript", "name": name, "inputs": {"runCommand": list(lines), **inputs}}


def results(*steps: dict[str, Any]) -> tuple[str, list[tuple[str, str, str]]]:
    """The command's status, and (step, status, output) of each of its steps."""
    lab = Lab()
    machine = lab.machine(1)
    lab.document("steps", {"schemaVersion": "2.2", "mainSteps": list(steps)})
    sent = lab.send("steps", machine)
    lab.run(hours=1)
    (shown,) = lab.call("ListCommandInvocations", CommandId=sent, Details=True)["CommandInvocations"]
    return shown["Status"], [(item["Name"], item["Status"], item["Output"].strip()) for item in shown["CommandPlugins"]]


GOOD, BAD, AFTER = script("good", "echo good"), script("bad", "exit 2"), script("after", "echo after")


def test_steps_go_on_after_a_failure_by_default() -> None:
    assert results(BAD, AFTER) == ("Failed", [("bad", "Failed", ""), ("after", "Success", "after")])


def test_on_failure_exit_leaves_the_rest() -> None:
    status, steps = results(
        script("bad", "exit 2", onFailure="exit"), AFTER, script("clean", "echo x", finallyStep=True)
    )
    assert status == "Failed"
    assert steps == [("bad", "Failed", ""), ("after", "Pending", ""), ("clean", "Success", "x")]


def test_on_failure_success_and_exit() -> None:
    status, steps = results(script("bad", "exit 2", onFailure="successAndExit"), AFTER)
    assert status == "Success"
    assert steps == [("bad", "Success", ""), ("after", "Pending", "")]


def test_on_success_exit() -> None:
    steps = results(script("good", "echo good", onSuccess="exit"), AFTER)
    assert steps == ("Success", [("good", "Success", "good"), ("after", "Pending", "")])


def test_a_step_for_another_platform_is_skipped_as_a_success() -> None:
    windows = {"precondition": {"StringEquals": ["platformType", "Windows"]}}
    status, steps = results(script("bad", "exit 2") | windows, GOOD)
    assert status == "Success"
    assert steps[0][1] == "Success"
    assert steps[0][2].startswith("Step execution skipped due to unsatisfied preconditions")


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (script("strange", "yum update -y"), "does not understand this script at: yum update -y"),
        (script("strange", "true", workingDirectory="/tmp"), "working directory"),  # noqa: S108 - a document's text
        ({"action": "aws:updateAgent", "name": "strange", "inputs": {}}, "the plugin aws:updateAgent"),
        (
            {
                "action": "aws:runDocument",
                "name": "strange",
                "inputs": {"documentType": "SSMDocument", "documentPath": "AWS-RunShellScript"},
            },
            "aws:runDocument of SSMDocument AWS-RunShellScript",
        ),
        (
            {
                "action": "aws:runDocument",
                "name": "strange",
                "inputs": {
                    "documentType": "SSMDocument",
                    "documentPath": "AWS-RunPatchBaseline",
                    "documentParameters": {"Operation": "Uninstall"},
                },
            },
            "InvalidParameters",
        ),
    ],
)
def test_what_the_agent_cannot_do_fails_the_step_and_says_why(step: dict[str, Any], reason: str) -> None:
    status, steps = results(step, GOOD)
    assert status == "Failed"
    assert (steps[0][1], reason in steps[0][2]) == ("Failed", True)
    assert steps[1] == ("good", "Success", "good")


def test_a_copied_cloud_has_the_same_future() -> None:
    lab = Lab()
    machine = lab.machine(1)
    lab.send("AWS-RunPatchBaseline", machine, Parameters={"Operation": ["Install"]})
    lab.run(minutes=5)
    twin = copy.deepcopy(lab.cloud)
    lab.run(hours=1)
    assert lab.events("PatchEnded") != []
    twin.kernel.run_until(twin.now + timedelta(hours=1))
    assert twin.history.to_json_lines() == lab.cloud.history.to_json_lines()
