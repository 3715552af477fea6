"""Drift of stack sets: what a detection finds in each place, what it says of the set, and what it cannot look at."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.emulator.cloudformation.lab import START
from tests.unit.emulator.cloudformation.organization import FRANKFURT, IRELAND, NAME, ONE, TWO, OrganizationLab

from patchgate.emulator.cloud import Scope
from patchgate.emulator.cloudformation.drift import StackDrift

BOTH = (IRELAND, FRANKFURT)


@pytest.fixture
def lab() -> OrganizationLab:
    lab = OrganizationLab(StackDrift)
    lab.create_set()
    lab.run("Create", BOTH)
    return lab


def put(lab: OrganizationLab, account: str, region: str, value: str) -> None:
    """Somebody changes by hand what a stack made."""
    given = {"Name": NAME, "Type": "String", "Value": value, "Overwrite": True}
    lab.cloud.invoke(Scope(account, region), "ssm", "PutParameter", given)


def detect(lab: OrganizationLab, **preferences: Any) -> str:
    given: dict[str, Any] = {"OperationPreferences": preferences} if preferences else {}
    return str(lab.call("DetectStackSetDrift", StackSetName="set", **given)["OperationId"])


def details(lab: OrganizationLab, operation: str = "") -> dict[str, Any]:
    """Of an operation, or of the set."""
    if operation:
        found = lab.call("DescribeStackSetOperation", StackSetName="set", OperationId=operation)["StackSetOperation"]
    else:
        found = lab.call("DescribeStackSet", StackSetName="set")["StackSet"]
    return dict(found["StackSetDriftDetectionDetails"])


def drifts(lab: OrganizationLab) -> dict[tuple[str, str], str]:
    found = lab.call("ListStackInstances", StackSetName="set")["Summaries"]
    return {(item["Account"], item["Region"]): item["DriftStatus"] for item in found}


def test_nothing_is_known_before_a_detection(lab: OrganizationLab) -> None:
    assert details(lab) == {"DriftStatus": "NOT_CHECKED", "TotalStackInstancesCount": 4}
    assert set(drifts(lab).values()) == {"NOT_CHECKED"}
    assert lab.call("ListStackSets")["Summaries"][0]["DriftStatus"] == "NOT_CHECKED"


def test_a_detection_looks_at_every_stack(lab: OrganizationLab) -> None:
    put(lab, TWO, FRANKFURT, "mine")
    operation = detect(lab)
    running = details(lab, operation)
    assert (running["DriftDetectionStatus"], running["InProgressStackInstancesCount"]) == ("IN_PROGRESS", 4)
    assert details(lab)["DriftStatus"] == "NOT_CHECKED", "a set tells of detections that are over"
    lab.later(hours=1)
    assert lab.operation(operation) == "SUCCEEDED"
    found = details(lab, operation)
    assert found == details(lab)
    assert found.pop("LastDriftCheckTimestamp") > START
    assert found == {
        "DriftStatus": "DRIFTED",
        "DriftDetectionStatus": "COMPLETED",
        "TotalStackInstancesCount": 4,
        "DriftedStackInstancesCount": 1,
        "InSyncStackInstancesCount": 3,
        "InProgressStackInstancesCount": 0,
        "FailedStackInstancesCount": 0,
    }
    assert drifts(lab) == {
        (ONE, IRELAND): "IN_SYNC",
        (ONE, FRANKFURT): "IN_SYNC",
        (TWO, IRELAND): "IN_SYNC",
        (TWO, FRANKFURT): "DRIFTED",
    }
    (summary,) = lab.call("ListStackSets")["Summaries"]
    assert (summary["DriftStatus"], summary["LastDriftCheckTimestamp"] > START) == ("DRIFTED", True)
    only = [{"Name": "DRIFT_STATUS", "Values": "DRIFTED"}]
    (instance,) = lab.call("ListStackInstances", StackSetName="set", Filters=only)["Summaries"]
    assert instance["Status"] == "CURRENT"
    assert instance["LastDriftCheckTimestamp"] > START


def test_what_of_an_instance_drifted(lab: OrganizationLab) -> None:
    put(lab, TWO, FRANKFURT, "mine")
    operation = detect(lab)
    lab.later(hours=1)
    asked = {"StackSetName": "set", "StackInstanceAccount": TWO, "OperationId": operation}
    (drift,) = lab.call("ListStackInstanceResourceDrifts", **asked, StackInstanceRegion=FRANKFURT)["Summaries"]
    assert (drift["LogicalResourceId"], drift["StackResourceDriftStatus"]) == ("Setting", "MODIFIED")
    (difference,) = drift["PropertyDifferences"]
    assert (difference["PropertyPath"], difference["ActualValue"]) == ("/Value", "mine")
    wanted: dict[str, Any] = {"StackInstanceResourceDriftStatuses": ["MODIFIED"], "StackInstanceRegion": IRELAND}
    assert lab.call("ListStackInstanceResourceDrifts", **asked, **wanted)["Summaries"] == []


def test_a_stack_that_is_gone_fails_its_place(lab: OrganizationLab) -> None:
    found = lab.call("DescribeStackInstance", StackSetName="set", StackInstanceAccount=ONE, StackInstanceRegion=IRELAND)
    stack = found["StackInstance"]["StackId"]
    lab.cloud.invoke(Scope(ONE, IRELAND), "cloudformation", "DeleteStack", {"StackName": stack})
    tolerant = detect(lab, FailureToleranceCount=1)
    lab.later(hours=1)
    assert lab.operation(tolerant) == "SUCCEEDED"
    assert details(lab)["DriftDetectionStatus"] == "PARTIAL_SUCCESS"
    assert (details(lab)["FailedStackInstancesCount"], details(lab)["InSyncStackInstancesCount"]) == (1, 3)
    assert drifts(lab)[ONE, IRELAND] == "NOT_CHECKED"
    assert lab.instances()[ONE, IRELAND] == ("CURRENT", "FAILED")
    strict = detect(lab, RegionOrder=[IRELAND])
    lab.later(hours=1)
    assert lab.operation(strict) == "FAILED"
    assert details(lab)["DriftDetectionStatus"] == "FAILED"
    assert lab.results(strict)[TWO, FRANKFURT] == "CANCELLED"


def test_one_operation_at_a_time_and_it_can_be_stopped(lab: OrganizationLab) -> None:
    operation = detect(lab)
    assert "OperationInProgressException" in lab.refused("DetectStackSetDrift", StackSetName="set")
    lab.call("StopStackSetOperation", StackSetName="set", OperationId=operation)
    lab.later(hours=1)
    assert details(lab, operation)["DriftDetectionStatus"] == "STOPPED"


@pytest.mark.parametrize(
    ("operation", "params", "said"),
    [
        ("DetectStackSetDrift", {"StackSetName": "other"}, "StackSetNotFoundException"),
        ("DetectStackSetDrift", {"OperationPreferences": {"MaxConcurrentCount": 0}}, "MaxConcurrentCount"),
        ("ListStackInstanceResourceDrifts", {"OperationId": "no"}, "OperationNotFoundException"),
        ("ListStackInstanceResourceDrifts", {"StackInstanceRegion": "us-east-1"}, "StackInstanceNotFoundException"),
    ],
)
def test_what_is_refused(lab: OrganizationLab, operation: str, params: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"StackSetName": "set"}
    if operation == "ListStackInstanceResourceDrifts":
        name = detect(lab)
        lab.later(hours=1)
        given |= {"OperationId": name, "StackInstanceAccount": ONE, "StackInstanceRegion": IRELAND}
    assert said in lab.refused(operation, **given | params)


def test_only_a_drift_detection_has_drifts(lab: OrganizationLab) -> None:
    created = lab.call("ListStackSetOperations", StackSetName="set")["Summaries"][0]["OperationId"]
    given = {"StackSetName": "set", "StackInstanceAccount": ONE, "StackInstanceRegion": IRELAND}
    refusal = lab.refused("ListStackInstanceResourceDrifts", **given, OperationId=created)
    assert refusal == f"ValidationError: Operation {created} is not a drift detection operation"
