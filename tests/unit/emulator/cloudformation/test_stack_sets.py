"""Stack sets, service-managed: where they deploy, with what, how far they get, and what accounts that move cause."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from tests.unit.emulator.cloudformation.organization import (
    FRANKFURT,
    IRELAND,
    MANAGEMENT,
    ONE,
    PROD,
    ROLE,
    ROOT,
    TEMPLATE,
    TEST,
    THREE,
    TWO,
    OrganizationLab,
)

from patchgate.emulator.cloud import Scope

BOTH = (IRELAND, FRANKFURT)
CURRENT = ("CURRENT", "SUCCEEDED")


@pytest.fixture
def lab() -> OrganizationLab:
    return OrganizationLab()


def override(value: str) -> list[dict[str, str]]:
    return [{"ParameterKey": "Value", "ParameterValue": value}]


def test_a_sets_life(lab: OrganizationLab) -> None:
    lab.create_set(Description="one", Tags=[{"Key": "team", "Value": "sre"}])
    assert lab.run("Create", BOTH) == "SUCCEEDED"
    assert lab.instances() == {(a, r): CURRENT for r in BOTH for a in (ONE, TWO)}
    assert [lab.value(a, r) for a in (ONE, TWO) for r in BOTH] == ["first"] * 4
    described = lab.call("DescribeStackSet", StackSetName="set")["StackSet"]
    assert (described["Regions"], described["OrganizationalUnitIds"]) == (list(BOTH), [PROD])
    stack = lab.cloud.invoke(Scope(ONE, IRELAND), "cloudformation", "DescribeStacks", {})["Stacks"][0]
    assert stack["StackName"].startswith("StackSet-set-")
    assert stack["Tags"] == [{"Key": "team", "Value": "sre"}]
    assert "StackSetNotEmptyException" in lab.refused("DeleteStackSet", StackSetName="set")
    assert lab.run("Delete", BOTH, RetainStacks=False) == "SUCCEEDED"
    assert lab.instances() == {}
    assert lab.value(ONE) is None
    lab.call("DeleteStackSet", StackSetName="set")
    lab.call("DeleteStackSet", StackSetName="set")
    assert "StackSetNotFoundException" in lab.refused("DescribeStackSet", StackSetName="set")
    assert [item["Status"] for item in lab.call("ListStackSets")["Summaries"]] == ["DELETED"]
    assert lab.call("ListStackSets", Status="ACTIVE")["Summaries"] == []


def test_the_management_account_is_never_a_target(lab: OrganizationLab) -> None:
    lab.create_set()
    lab.run("Create", unit=ROOT)
    assert set(lab.instances()) == {(ONE, IRELAND), (TWO, IRELAND), (THREE, IRELAND)}
    assert lab.value(MANAGEMENT) is None


@pytest.mark.parametrize(
    ("kind", "accounts", "found"),
    [("INTERSECTION", [ONE, THREE], {ONE}), ("DIFFERENCE", [ONE], {TWO}), ("NONE", [], {ONE, TWO})],
)
def test_account_filters(lab: OrganizationLab, kind: str, accounts: list[str], found: set[str]) -> None:
    lab.create_set()
    targets = {"OrganizationalUnitIds": [PROD], "Accounts": accounts, "AccountFilterType": kind}
    assert lab.run("Create", DeploymentTargets=targets) == "SUCCEEDED"
    assert {account for account, _ in lab.instances()} == found
    units = lab.call("ListStackSetAutoDeploymentTargets", StackSetName="set")["Summaries"]
    assert [item["OrganizationalUnitId"] for item in units] == ([] if kind == "INTERSECTION" else [PROD])


def test_retained_stacks_outlive_their_set(lab: OrganizationLab) -> None:
    lab.create_set()
    lab.run("Create")
    assert lab.run("Delete", RetainStacks=True) == "SUCCEEDED"
    assert lab.instances() == {}
    assert lab.value(ONE) == "first"


def test_overrides_are_kept_replaced_and_taken_back(lab: OrganizationLab) -> None:
    lab.create_set()
    lab.run("Create", ParameterOverrides=override("mine"))
    assert (lab.value(ONE), lab.value(TWO)) == ("mine", "mine")
    only_two = {"Accounts": [TWO], "AccountFilterType": "INTERSECTION", "OrganizationalUnitIds": [PROD]}
    lab.run("Update", DeploymentTargets=only_two, ParameterOverrides=[])
    assert (lab.value(ONE), lab.value(TWO)) == ("mine", "first")
    lab.call("UpdateStackSet", StackSetName="set", UsePreviousTemplate=True, Parameters=override("second"))
    lab.later(hours=1)
    assert (lab.value(ONE), lab.value(TWO)) == ("mine", "second")
    lab.run("Update", ParameterOverrides=[{"ParameterKey": "Value", "UsePreviousValue": True}])
    assert (lab.value(ONE), lab.value(TWO)) == ("mine", "second")
    assert "[Other] do not exist" in lab.refused(
        "UpdateStackInstances", StackSetName="set", Regions=[IRELAND],
        DeploymentTargets={"OrganizationalUnitIds": [PROD]}, ParameterOverrides=[{"ParameterKey": "Other"}],
    )  # fmt: skip


def test_an_update_of_some_leaves_the_others_outdated(lab: OrganizationLab) -> None:
    lab.create_set()
    lab.run("Create", BOTH)
    changed = copy.deepcopy(TEMPLATE)
    changed["Parameters"]["Value"]["Default"] = "second"
    lab.call(
        "UpdateStackSet", StackSetName="set", TemplateBody=json.dumps(changed), Regions=[FRANKFURT],
        DeploymentTargets={"OrganizationalUnitIds": [TEST]},
    )  # fmt: skip
    lab.later(hours=1)
    outdated = [place for place, (status, _) in lab.instances().items() if status == "OUTDATED"]
    assert outdated == [(ONE, IRELAND), (TWO, IRELAND), (ONE, FRANKFURT)]
    assert (lab.value(TWO, FRANKFURT), lab.value(TWO)) == ("second", "first")
    lab.call("UpdateStackSet", StackSetName="set", UsePreviousTemplate=True)
    lab.later(hours=1)
    assert set(lab.instances().values()) == {CURRENT}


def test_the_first_failure_ends_an_operation(lab: OrganizationLab) -> None:
    lab.create_set()
    lab.occupy(ONE)
    assert lab.run("Create", BOTH) == "FAILED"
    assert lab.results() == {
        (ONE, IRELAND): "FAILED",
        (TWO, IRELAND): "CANCELLED",
        (ONE, FRANKFURT): "CANCELLED",
        (TWO, FRANKFURT): "CANCELLED",
    }
    assert lab.instances()[ONE, IRELAND] == ("OUTDATED", "FAILED")
    assert lab.instances()[TWO, IRELAND] == ("OUTDATED", "CANCELLED")
    assert lab.reason(ONE).startswith("ResourceLogicalId:Setting, ResourceType:AWS::SSM::Parameter, ")
    assert lab.reason(TWO) == "Cancelled since failure tolerance has exceeded"
    lab.vacate(ONE)
    assert lab.run("Create", BOTH) == "SUCCEEDED"
    assert set(lab.instances().values()) == {CURRENT}


def test_failures_within_the_tolerance(lab: OrganizationLab) -> None:
    lab.create_set()
    lab.occupy(ONE)
    preferences = {"FailureTolerancePercentage": 50, "RegionOrder": [FRANKFURT, IRELAND]}
    assert lab.run("Create", BOTH, OperationPreferences=preferences) == "SUCCEEDED"
    assert next(iter(lab.results().items())) == ((ONE, FRANKFURT), "SUCCEEDED")
    assert lab.results()[ONE, IRELAND] == "FAILED"
    found = lab.call("ListStackSetOperations", StackSetName="set")["Summaries"][0]
    assert found["StatusDetails"] == {"FailedStackInstancesCount": 1}


@pytest.mark.parametrize(
    ("preferences", "at_once"),
    [
        ({}, {1}),
        ({"MaxConcurrentCount": 3, "FailureToleranceCount": 1}, {2}),
        ({"MaxConcurrentPercentage": 100, "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE"}, {3}),
        ({"MaxConcurrentPercentage": 1, "RegionConcurrencyType": "PARALLEL"}, {2}),
    ],
)
def test_how_many_at_once(lab: OrganizationLab, preferences: dict[str, Any], at_once: set[int]) -> None:
    lab.create_set()
    lab.start("Create", BOTH, unit=ROOT, OperationPreferences=preferences)
    lab.later(seconds=30)
    running = [status for status in lab.results().values() if status == "RUNNING"]
    assert {len(running)} == at_once


def test_stopping_lets_what_has_begun_end(lab: OrganizationLab) -> None:
    lab.create_set()
    name = lab.start("Create", BOTH)
    lab.later(seconds=30)
    lab.call("StopStackSetOperation", StackSetName="set", OperationId=name)
    assert lab.operation(name) == "STOPPING"
    assert list(lab.results(name).values()) == ["RUNNING", "CANCELLED", "CANCELLED", "CANCELLED"]
    lab.later(minutes=2)
    assert lab.operation(name) == "STOPPED"
    assert (lab.value(ONE), lab.value(TWO)) == ("first", None)
    assert "InvalidOperationException" in lab.refused("StopStackSetOperation", StackSetName="set", OperationId=name)


def test_one_operation_at_a_time(lab: OrganizationLab) -> None:
    lab.create_set()
    name = lab.start("Create")
    targets: dict[str, Any] = {
        "StackSetName": "set",
        "DeploymentTargets": {"OrganizationalUnitIds": [PROD]},
        "Regions": [IRELAND],
    }
    for operation, params in (
        ("UpdateStackSet", {"StackSetName": "set", "UsePreviousTemplate": True}),
        ("CreateStackInstances", targets),
        ("UpdateStackInstances", targets),
        ("DeleteStackInstances", targets | {"RetainStacks": False}),
        ("DeleteStackSet", {"StackSetName": "set"}),
    ):
        assert "OperationInProgressException" in lab.refused(operation, **params)
    lab.later(hours=1)
    assert "OperationIdAlreadyExistsException" in lab.refused("CreateStackInstances", **targets, OperationId=name)


def test_a_stack_that_cannot_be_deleted_is_inoperable(lab: OrganizationLab) -> None:
    lab.create_set()
    lab.run("Create")
    stack = lab.cloud.invoke(Scope(ONE, IRELAND), "cloudformation", "DescribeStacks", {})["Stacks"][0]["StackName"]
    protected = {"StackName": stack, "EnableTerminationProtection": True}
    lab.cloud.invoke(Scope(ONE, IRELAND), "cloudformation", "UpdateTerminationProtection", protected)
    assert lab.run("Delete", RetainStacks=False) == "FAILED"
    assert lab.instances()[ONE, IRELAND] == ("INOPERABLE", "INOPERABLE")
    lab.call("UpdateStackSet", StackSetName="set", UsePreviousTemplate=True, Parameters=override("second"))
    lab.later(hours=1)
    assert set(lab.results()) == {(TWO, IRELAND)}
    assert lab.run("Delete", RetainStacks=True) == "SUCCEEDED"
    assert lab.instances() == {}


def test_suspended_accounts_are_skipped(lab: OrganizationLab) -> None:
    lab.create_set()
    lab.organizations.suspend_account(ONE)
    assert lab.run("Create") == "SUCCEEDED"
    assert lab.instances() == {(ONE, IRELAND): ("OUTDATED", "SKIPPED_SUSPENDED_ACCOUNT"), (TWO, IRELAND): CURRENT}


@pytest.mark.parametrize("retain", [False, True])
def test_accounts_that_join_and_leave(lab: OrganizationLab, retain: bool) -> None:
    lab.create_set(AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": retain})
    lab.run("Create", BOTH, ParameterOverrides=override("mine"))
    lab.organizations.move_account(THREE, TEST)
    lab.later(hours=1)
    assert lab.results() == {(THREE, IRELAND): "SUCCEEDED", (THREE, FRANKFURT): "SUCCEEDED"}
    assert (lab.value(ONE), lab.value(THREE)) == ("mine", "first")
    lab.organizations.move_account(ONE, "")
    lab.later(hours=1)
    assert {account for account, _ in lab.instances()} == {TWO, THREE}
    assert lab.value(ONE) == ("mine" if retain else None)
    lab.organizations.remove_account(TWO)
    lab.organizations.move_account(MANAGEMENT, "")
    lab.later(hours=1)
    assert {account for account, _ in lab.instances()} == {THREE}


def test_automatic_deployment_waits_its_turn(lab: OrganizationLab) -> None:
    lab.create_set(AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": False})
    name = lab.start("Create")
    lab.organizations.move_account(THREE, PROD)
    lab.organizations.move_account(THREE, "")
    lab.organizations.move_account(THREE, TEST)
    lab.later(seconds=10)
    assert set(lab.results(name)) == {(ONE, IRELAND), (TWO, IRELAND)}
    lab.later(hours=1)
    found = lab.call("ListStackSetOperations", StackSetName="set")["Summaries"]
    assert [item["Action"] for item in found] == ["CREATE", "DELETE", "CREATE", "CREATE"]
    assert lab.instances()[THREE, IRELAND] == CURRENT
    assert lab.value(THREE) == "first"


def test_without_automatic_deployment_nothing_follows(lab: OrganizationLab) -> None:
    lab.create_set()
    lab.run("Create")
    lab.organizations.move_account(THREE, PROD)
    lab.organizations.move_account(ONE, "")
    lab.later(hours=1)
    assert set(lab.instances()) == {(ONE, IRELAND), (TWO, IRELAND)}
    assert lab.run("Delete", RetainStacks=False) == "SUCCEEDED"
    assert lab.instances() == {}


def test_filters_of_lists(lab: OrganizationLab) -> None:
    lab.create_set()
    lab.occupy(TWO)
    name = lab.start("Create", OperationPreferences={"FailureToleranceCount": 1})
    lab.later(hours=1)
    failed = [{"Name": "DETAILED_STATUS", "Values": "FAILED"}]
    found = lab.call("ListStackInstances", StackSetName="set", Filters=failed)["Summaries"]
    assert [item["Account"] for item in found] == [TWO]
    succeeded = [{"Name": "OPERATION_RESULT_STATUS", "Values": "SUCCEEDED"}]
    results = lab.call("ListStackSetOperationResults", StackSetName="set", OperationId=name, Filters=succeeded)
    assert [item["Account"] for item in results["Summaries"]] == [ONE]
    first = lab.call("ListStackInstances", StackSetName="set", MaxResults=1)
    rest = lab.call("ListStackInstances", StackSetName="set", MaxResults=1, NextToken=first["NextToken"])
    assert [item["Account"] for item in first["Summaries"] + rest["Summaries"]] == [ONE, TWO]


def test_the_history_tells_of_operations(lab: OrganizationLab) -> None:
    lab.create_set()
    lab.run("Create")
    told = [(r["action"], r["status"]) for r in lab.cloud.history.of("StackSetOperationStatusChanged")]
    assert told == [("CREATE", "RUNNING"), ("CREATE", "SUCCEEDED")]


def test_an_iam_template_needs_its_capability(lab: OrganizationLab) -> None:
    params: dict[str, Any] = {"StackSetName": "set", "TemplateBody": json.dumps(ROLE)}
    assert "InsufficientCapabilitiesException" in lab.refused("CreateStackSet", **params)
    lab.call("CreateStackSet", **params, Capabilities=["CAPABILITY_NAMED_IAM"])
