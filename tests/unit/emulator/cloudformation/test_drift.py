"""Drift of a patching window and what belongs to it, found after somebody changed it by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.emulator.cloudformation.lab import ACCOUNT, REGION, START, _model

from patchgate.emulator.cloud import Cloud, Result
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.errors import AwsError
from patchgate.emulator.wire.protocol import check_answer

TARGETS = [{"Key": "tag:PatchGroup", "Values": ["group"]}]
WINDOW: dict[str, Any] = {
    "Name": "window",
    "Schedule": "cron(0 23 ? * 7 *)",
    "Duration": 3,
    "Cutoff": "1",
    "AllowUnassociatedTargets": False,
}
TASK = {
    "WindowId": {"Ref": "Window"},
    "TaskType": "RUN_COMMAND",
    "TaskArn": "AWS-RunPatchBaseline",
    "Priority": 1,
    "MaxConcurrency": "100%",
    "MaxErrors": "100%",
    "Targets": [{"Key": "WindowTargetIds", "Values": [{"Ref": "Target"}]}],
}
TEMPLATE = {
    "Resources": {
        "Window": {"Type": "AWS::SSM::MaintenanceWindow", "Properties": WINDOW},
        "Target": {
            "Type": "AWS::SSM::MaintenanceWindowTarget",
            "Properties": {"WindowId": {"Ref": "Window"}, "ResourceType": "INSTANCE", "Targets": TARGETS},
        },
        "Task": {"Type": "AWS::SSM::MaintenanceWindowTask", "Properties": TASK},
        "Setting": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "/setting", "Type": "String", "Value": {"Ref": "Window"}},
        },
        "Group": {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": "group"}},
    }
}


class Lab:
    def __init__(self) -> None:
        self.cloud = Cloud(COMPONENTS, start=START)
        self.call("CreateStack", StackName="stack", TemplateBody=json.dumps(TEMPLATE))
        resources = self.call("DescribeStackResources", StackName="stack")["StackResources"]
        self.ids = {item["LogicalResourceId"]: item["PhysicalResourceId"] for item in resources}

    def call(self, operation: str, service: str = "cloudformation", **params: Any) -> Result:
        answer = self.cloud.call(ACCOUNT, REGION, service, operation, params)
        check_answer(service, operation, answer, _model(service).operation_model(operation).output_shape)
        return answer

    def detect(self) -> tuple[str, int]:
        name = self.call("DetectStackDrift", StackName="stack")["StackDriftDetectionId"]
        found = self.call("DescribeStackDriftDetectionStatus", StackDriftDetectionId=name)
        return found["StackDriftStatus"], found["DriftedStackResourceCount"]

    def drifts(self, *statuses: str) -> dict[str, Any]:
        given: dict[str, Any] = {"StackResourceDriftStatusFilters": list(statuses)} if statuses else {}
        found = self.call("DescribeStackResourceDrifts", StackName="stack", **given)["StackResourceDrifts"]
        return {item["LogicalResourceId"]: item for item in found}


@pytest.fixture
def lab() -> Lab:
    return Lab()


def test_nothing_is_known_before_a_detection(lab: Lab) -> None:
    assert lab.drifts() == {}
    stack = lab.call("DescribeStacks", StackName="stack")["Stacks"][0]
    assert stack["DriftInformation"] == {"StackDriftStatus": "NOT_CHECKED"}


def test_a_fresh_stack_is_in_sync(lab: Lab) -> None:
    assert lab.detect() == ("IN_SYNC", 0)
    assert {name: item["StackResourceDriftStatus"] for name, item in lab.drifts().items()} == dict.fromkeys(
        ("Window", "Target", "Task", "Setting"), "IN_SYNC"
    )


def test_a_changed_window_and_a_deleted_task(lab: Lab) -> None:
    lab.call("UpdateMaintenanceWindow", "ssm", WindowId=lab.ids["Window"], Schedule="cron(0 1 ? * 7 *)", Duration=4)
    params = {"WindowId": lab.ids["Window"], "WindowTaskId": lab.ids["Task"]}
    lab.call("DeregisterTaskFromMaintenanceWindow", "ssm", **params)
    params = {"WindowId": lab.ids["Window"], "WindowTargetId": lab.ids["Target"]}
    lab.call("DeregisterTargetFromMaintenanceWindow", "ssm", **params)
    lab.call("PutParameter", "ssm", Name="/setting", Value="other", Overwrite=True)
    assert lab.detect() == ("DRIFTED", 4)
    modified = lab.drifts("MODIFIED")
    assert set(modified) == {"Window", "Setting"}
    assert modified["Window"]["PropertyDifferences"] == [
        {
            "PropertyPath": "/Schedule",
            "ExpectedValue": "cron(0 23 ? * 7 *)",
            "ActualValue": "cron(0 1 ? * 7 *)",
            "DifferenceType": "NOT_EQUAL",
        },
        {"PropertyPath": "/Duration", "ExpectedValue": "3", "ActualValue": "4", "DifferenceType": "NOT_EQUAL"},
    ]
    assert set(lab.drifts("DELETED")) == {"Task", "Target"}
    stack = lab.call("DescribeStacks", StackName="stack")["Stacks"][0]
    assert stack["DriftInformation"]["StackDriftStatus"] == "DRIFTED"
    resources = lab.call("DescribeStackResources", StackName="stack")["StackResources"]
    shown = {item["LogicalResourceId"]: item["DriftInformation"]["StackResourceDriftStatus"] for item in resources}
    assert (shown["Window"], shown["Task"], shown["Group"]) == ("MODIFIED", "DELETED", "NOT_CHECKED")


def test_a_disabled_window_is_no_drift(lab: Lab) -> None:
    """The type has no property for it: AWS cannot see it, and who wants to know asks the window."""
    lab.call("UpdateMaintenanceWindow", "ssm", WindowId=lab.ids["Window"], Enabled=False)
    assert lab.detect() == ("IN_SYNC", 0)


def test_one_resource_at_a_time(lab: Lab) -> None:
    lab.call("DeleteParameter", "ssm", Name="/setting")
    found = lab.call("DetectStackResourceDrift", StackName="stack", LogicalResourceId="Setting")["StackResourceDrift"]
    assert found["StackResourceDriftStatus"] == "DELETED"
    assert set(lab.drifts()) == {"Setting"}


@pytest.mark.parametrize(
    ("operation", "params", "text"),
    [
        ("DetectStackDrift", {"StackName": "other"}, "Stack [other] does not exist"),
        ("DetectStackDrift", {"StackName": "stack", "LogicalResourceIds": ["No"]}, "Resource No does not exist"),
        (
            "DetectStackResourceDrift",
            {"StackName": "stack", "LogicalResourceId": "Group"},
            "drift of AWS::Scheduler::S",
        ),
        ("DescribeStackDriftDetectionStatus", {"StackDriftDetectionId": "no"}, "id no does not exist"),
    ],
)
def test_what_is_refused(lab: Lab, operation: str, params: dict[str, Any], text: str) -> None:
    with pytest.raises(AwsError) as caught:
        lab.call(operation, **params)
    assert text in caught.value.message
