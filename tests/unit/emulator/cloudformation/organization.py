"""An organization with stack sets: three members in two units, and short ways to say what tests say often."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.emulator.cloudformation.lab import START, Neighbour, _model

from patchgate.emulator.cloud import Cloud, Component, Result, Scope
from patchgate.emulator.cloudformation import CloudFormation
from patchgate.emulator.cloudformation.stack_sets import StackSets
from patchgate.emulator.errors import AwsError
from patchgate.emulator.organizations import (
    Organization,
    OrganizationAccount,
    OrganizationalUnit,
    Organizations,
)
from patchgate.emulator.ssm_parameters import Parameters
from patchgate.emulator.ssm_tags import ResourceTags
from patchgate.emulator.wire.protocol import check_answer

MANAGEMENT, ONE, TWO, THREE = "999999999999", "111111111111", "222222222222", "333333333333"
ROOT, PROD, TEST = "r-root", "ou-root-production", "ou-root-testing01"
IRELAND, FRANKFURT = "eu-west-1", "eu-central-1"
NAME = "/patching/name"
TEMPLATE: dict[str, Any] = {
    "Parameters": {"Value": {"Type": "String", "Default": "first"}},
    "Resources": {
        "Setting": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": NAME, "Type": "String", "Value": {"Ref": "Value"}},
        }
    },
}
ROLE: dict[str, Any] = {
    "Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r", "AssumeRolePolicyDocument": {}}}}
}


class OrganizationLab:
    """The management account's CloudFormation in Ireland, over real parameters in every account."""

    def __init__(self, *more: type[Component]) -> None:
        self.neighbour = Neighbour()
        known: tuple[type[Component], ...] = (CloudFormation, StackSets, Organizations, Parameters, ResourceTags)
        self.cloud = Cloud(known + more, start=START, neighbour=self.neighbour)
        self.organizations = self.cloud.component(Organizations)
        self.organizations.establish(
            Organization(
                "o-abcdefghij",
                MANAGEMENT,
                units=(OrganizationalUnit(PROD, "production"), OrganizationalUnit(TEST, "testing", PROD)),
                accounts=(
                    OrganizationAccount(MANAGEMENT, "management", PROD),
                    OrganizationAccount(ONE, "one", PROD),
                    OrganizationAccount(TWO, "two", TEST),
                    OrganizationAccount(THREE, "three"),
                ),
            )
        )

    def call(self, operation: str, account: str = MANAGEMENT, **params: Any) -> Result:
        """An operation, its answer held against AWS's model."""
        answer = self.cloud.invoke(Scope(account, IRELAND), "cloudformation", operation, params)
        model = _model("cloudformation").operation_model(operation)
        check_answer("cloudformation", operation, answer, model.output_shape)
        return answer

    def refused(self, operation: str, account: str = MANAGEMENT, **params: Any) -> str:
        with pytest.raises(AwsError) as caught:
            self.call(operation, account, **params)
        return f"{caught.value.code}: {caught.value.message}"

    def create_set(self, template: Mapping[str, Any] = TEMPLATE, **params: Any) -> None:
        given: dict[str, Any] = {"PermissionModel": "SERVICE_MANAGED"} | params
        self.call("CreateStackSet", StackSetName="set", TemplateBody=json.dumps(template), **given)

    def start(self, verb: str, regions: tuple[str, ...] = (IRELAND,), unit: str = PROD, **params: Any) -> str:
        given: dict[str, Any] = {"DeploymentTargets": {"OrganizationalUnitIds": [unit]}} | params
        given = {name: value for name, value in given.items() if value is not None}
        answer = self.call(f"{verb}StackInstances", StackSetName="set", Regions=list(regions), **given)
        return str(answer["OperationId"])

    def run(self, verb: str, regions: tuple[str, ...] = (IRELAND,), unit: str = PROD, **params: Any) -> str:
        """Start an operation on instances, wait for its end and return its status."""
        name = self.start(verb, regions, unit, **params)
        self.later(hours=1)
        return self.operation(name)

    def operation(self, name: str) -> str:
        found = self.call("DescribeStackSetOperation", StackSetName="set", OperationId=name)
        return str(found["StackSetOperation"]["Status"])

    def results(self, name: str = "") -> dict[tuple[str, str], str]:
        """Status by place, of an operation or of the newest one."""
        name = name or self.call("ListStackSetOperations", StackSetName="set")["Summaries"][0]["OperationId"]
        found = self.call("ListStackSetOperationResults", StackSetName="set", OperationId=name)["Summaries"]
        return {(item["Account"], item["Region"]): item["Status"] for item in found}

    def instances(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Status and detailed status by place."""
        found = self.call("ListStackInstances", StackSetName="set")["Summaries"]
        return {
            (item["Account"], item["Region"]): (item["Status"], item["StackInstanceStatus"]["DetailedStatus"])
            for item in found
        }

    def reason(self, account: str, region: str = IRELAND) -> str:
        found = self.call(
            "DescribeStackInstance", StackSetName="set", StackInstanceAccount=account, StackInstanceRegion=region
        )
        return str(found["StackInstance"]["StatusReason"])

    def value(self, account: str, region: str = IRELAND) -> str | None:
        """What the stack in a place made, None where there is nothing."""
        try:
            found = self.cloud.invoke(Scope(account, region), "ssm", "GetParameter", {"Name": NAME})
        except AwsError:
            return None
        return str(found["Parameter"]["Value"])

    def occupy(self, account: str, region: str = IRELAND) -> None:
        """Take the name that the stack needs, so that its creation fails."""
        params = {"Name": NAME, "Type": "String", "Value": "taken"}
        self.cloud.invoke(Scope(account, region), "ssm", "PutParameter", params)

    def vacate(self, account: str, region: str = IRELAND) -> None:
        self.cloud.invoke(Scope(account, region), "ssm", "DeleteParameter", {"Name": NAME})

    def later(self, **duration: float) -> None:
        self.cloud.kernel.run_until(self.cloud.now + timedelta(**duration))
