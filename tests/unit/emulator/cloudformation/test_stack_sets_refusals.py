"""Self-managed stack sets and their roles, and what stack sets refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.emulator.cloudformation.organization import (
    IRELAND,
    MANAGEMENT,
    ONE,
    PROD,
    TEMPLATE,
    TWO,
    OrganizationLab,
)

from patchgate.emulator.errors import AwsError

BODY = json.dumps(TEMPLATE)
UNIT = {"OrganizationalUnitIds": [PROD]}


@pytest.fixture
def lab() -> OrganizationLab:
    return OrganizationLab()


@pytest.fixture
def self_managed(lab: OrganizationLab) -> OrganizationLab:
    lab.create_set(PermissionModel="SELF_MANAGED")
    return lab


def accounts(*ids: str) -> dict[str, Any]:
    return {"DeploymentTargets": None, "Accounts": list(ids)}


def test_self_managed_stacks_are_made_by_the_execution_role(self_managed: OrganizationLab) -> None:
    lab = self_managed
    assert lab.run("Create", **accounts(ONE, MANAGEMENT)) == "SUCCEEDED"
    asked = [(params["RoleName"]) for _, operation, params, _ in lab.neighbour.calls if operation == "GetRole"]
    assert asked[:2] == ["AWSCloudFormationStackSetAdministrationRole", "AWSCloudFormationStackSetExecutionRole"]
    assert (lab.value(ONE), lab.value(MANAGEMENT)) == ("first", "first")
    assert lab.run("Update", **accounts(ONE), ParameterOverrides=[{"ParameterKey": "Value", "ParameterValue": "x"}])
    assert lab.value(ONE) == "x"
    absent: dict[str, Any] = {"StackSetName": "set", "Regions": [IRELAND], "Accounts": [TWO]}
    assert "StackInstanceNotFoundException" in lab.refused("UpdateStackInstances", **absent)
    assert lab.run("Delete", **accounts(ONE, MANAGEMENT, TWO), RetainStacks=False) == "SUCCEEDED"
    lab.call("DeleteStackSet", StackSetName="set")


def test_a_missing_role_is_named(self_managed: OrganizationLab) -> None:
    lab = self_managed
    lab.neighbour.fail["GetRole"] = AwsError("NoSuchEntity", "", status=404)
    assert lab.run("Create", **accounts(ONE)) == "FAILED"
    assert "should have 'AWSCloudFormationStackSetAdministrationRole' role" in lab.reason(ONE)
    assert lab.instances()[ONE, IRELAND] == ("OUTDATED", "FAILED")


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"StackSetName": "1"}, "at 'stackSetName' failed to satisfy constraint"),
        ({"PermissionModel": "OTHER"}, "PermissionModel must satisfy enum value set"),
        ({"TemplateBody": "Resources: {A: {Type: 'AWS::No::No'}}"}, "Unrecognized resource types: [AWS::No::No]"),
        ({"TemplateBody": "x" * 51_201}, "at 'templateBody' failed to satisfy constraint"),
        ({"TemplateBody": None}, "Either Template URL or Template Body must be specified"),
        ({"Parameters": [{"ParameterKey": "No", "ParameterValue": ""}]}, "Parameters: [No] do not exist"),
        ({"ExecutionRoleName": "role"}, "for the SELF_MANAGED permission model only"),
        ({"AutoDeployment": {"Enabled": True}}, "RetainStacksOnAccountRemoval is needed"),
        ({"PermissionModel": "SELF_MANAGED", "AutoDeployment": {"Enabled": True}}, "for the SERVICE_MANAGED"),
        ({"ManagedExecution": {"Active": True}}, "NotEmulated: the embedded AWS does not implement stack sets with"),
        ({"TemplateURL": "https://bucket/template"}, "either Template URL or Template Body, but not both"),
        ({"TemplateURL": "https://bucket/template", "TemplateBody": None}, "bucket is not a valid S3 domain"),
        ({"CallAs": "DELEGATED_ADMIN"}, "stack sets with CallAs DELEGATED_ADMIN"),
    ],
)
def test_creations_that_are_refused(lab: OrganizationLab, params: dict[str, Any], text: str) -> None:
    given = {"StackSetName": "set", "PermissionModel": "SERVICE_MANAGED", "TemplateBody": BODY} | params
    assert text in lab.refused("CreateStackSet", **given)
    assert lab.call("ListStackSets")["Summaries"] == []


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"DeploymentTargets": None}, "At least one account or organizational unit"),
        ({"Regions": []}, "At least one account or organizational unit"),
        ({"Accounts": [ONE]}, "but not both"),
        ({"Accounts": [ONE], "DeploymentTargets": None}, "can only have OrganizationalUnit as target"),
        (
            {"DeploymentTargets": {"OrganizationalUnitIds": ["ou-root-elsewhere"]}},
            "does not exist: [ou-root-elsewhere]",
        ),
        ({"DeploymentTargets": UNIT | {"Accounts": [ONE]}}, "other than UNION"),
        ({"DeploymentTargets": UNIT | {"AccountFilterType": "DIFFERENCE"}}, "needs both"),
        ({"DeploymentTargets": UNIT | {"Accounts": ["1"]}}, "have 12 digits"),
        ({"DeploymentTargets": UNIT | {"AccountsUrl": "s3://b/k"}}, "DeploymentTargets with AccountsUrl"),
        ({"Regions": ["no region"]}, "Invalid Regions"),
        ({"OperationId": "-"}, "OperationId must satisfy"),
        ({"OperationPreferences": {"MaxConcurrentCount": 0}}, "greater than or equal to 1"),
        ({"OperationPreferences": {"FailureTolerancePercentage": 101}}, "between 0 and 100"),
        ({"OperationPreferences": {"ConcurrencyMode": "X"}}, "must satisfy enum value set"),
        ({"OperationPreferences": {"MaxConcurrentCount": 1, "MaxConcurrentPercentage": 1}}, "but not both"),
    ],
)
def test_instances_that_are_refused(lab: OrganizationLab, params: dict[str, Any], text: str) -> None:
    lab.create_set()
    given = {"StackSetName": "set", "DeploymentTargets": UNIT, "Regions": [IRELAND]} | params
    assert text in lab.refused("CreateStackInstances", **given)
    assert lab.call("ListStackSetOperations", StackSetName="set")["Summaries"] == []
    assert lab.instances() == {}


def test_only_the_management_account_manages_by_service(lab: OrganizationLab) -> None:
    params = {"StackSetName": "set", "PermissionModel": "SERVICE_MANAGED", "TemplateBody": BODY}
    assert "You must be the management account" in lab.refused("CreateStackSet", ONE, **params)


def test_trusted_access_can_be_given_and_taken(lab: OrganizationLab) -> None:
    assert lab.call("DescribeOrganizationsAccess") == {"Status": "ENABLED"}
    lab.call("DeactivateOrganizationsAccess")
    assert lab.call("DescribeOrganizationsAccess") == {"Status": "DISABLED"}
    params = {"StackSetName": "set", "PermissionModel": "SERVICE_MANAGED", "TemplateBody": BODY}
    assert "You must enable organizations access" in lab.refused("CreateStackSet", **params)
    lab.call("ActivateOrganizationsAccess")
    lab.call("CreateStackSet", **params)


def test_names_that_are_not_there(lab: OrganizationLab) -> None:
    lab.create_set()
    assert "NameAlreadyExistsException" in lab.refused("CreateStackSet", StackSetName="set", TemplateBody=BODY)
    assert "StackSetNotFoundException" in lab.refused("ListStackInstances", StackSetName="other")
    unknown = {"StackSetName": "set", "OperationId": "unknown"}
    assert "OperationNotFoundException" in lab.refused("DescribeStackSetOperation", **unknown)
    place = {"StackSetName": "set", "StackInstanceAccount": ONE, "StackInstanceRegion": IRELAND}
    assert "StackInstanceNotFoundException" in lab.refused("DescribeStackInstance", **place)


def test_updates_that_are_refused(lab: OrganizationLab) -> None:
    lab.create_set()
    given: dict[str, Any] = {"StackSetName": "set", "UsePreviousTemplate": True}
    for params, text in (
        ({"PermissionModel": "SELF_MANAGED"}, "cannot be changed"),
        ({"Regions": [IRELAND]}, "must be specified together"),
        ({"TemplateBody": BODY}, "but not both"),
    ):
        assert text in lab.refused("UpdateStackSet", **given, **params)
