"""The organisation's way of deployment: stack sets that carry a template into accounts, with roles that are there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from patchgate.emulator.cloud import Cloud
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.organizations import (
    Organization,
    OrganizationAccount,
    OrganizationalUnit,
    Organizations,
)
from patchgate.emulator.wire import WireDoor

TEMPLATE = Path(__file__).parents[2] / "templates" / "aws-backup-and-patch-stackset.yaml"
MANAGEMENT, WEB, DATA = "999999999999", "111111111111", "222222222222"
UNIT, LATE = "ou-root-production", "ou-root-latecomer"
REGIONS = ["eu-central-1", "eu-west-1"]
ADMINISTRATION = "AWSCloudFormationStackSetAdministrationRole"
EXECUTION = "AWSCloudFormationStackSetExecutionRole"
CAPABILITIES = ["CAPABILITY_NAMED_IAM"]


class Administrator:
    """The management account's CloudFormation, and every account behind the same door."""

    def __init__(self, door: WireDoor) -> None:
        self.door = door
        self.cloudformation = door.session(MANAGEMENT, REGIONS[0]).client("cloudformation")

    def client(self, account: str, region: str, service: str) -> Any:
        return self.door.session(account, region).client(service)

    def wait(self) -> None:
        self.door.cloud.kernel.run_until(self.door.cloud.now + timedelta(hours=1))

    def instances(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Status and reason by account and Region."""
        pages = self.cloudformation.get_paginator("list_stack_instances").paginate(StackSetName="set")
        found = [item for page in pages for item in page["Summaries"]]
        return {(item["Account"], item["Region"]): (item["Status"], item.get("StatusReason", "")) for item in found}

    def windows(self, account: str, region: str) -> list[str]:
        found = self.client(account, region, "ssm").describe_maintenance_windows()["WindowIdentities"]
        return [item["Name"] for item in found]

    def role(self, account: str, name: str, principal: dict[str, str], policy: str = "") -> None:
        iam = self.client(account, REGIONS[0], "iam")
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        if policy:
            iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")


@pytest.fixture
def administrator() -> Iterator[Administrator]:
    cloud = Cloud(COMPONENTS, start=datetime(2026, 7, 6, tzinfo=UTC))
    units = (OrganizationalUnit(UNIT, "production"), OrganizationalUnit(LATE, "latecomers"))
    accounts = (OrganizationAccount(WEB, "web", UNIT), OrganizationAccount(DATA, "data", LATE))
    cloud.component(Organizations).establish(Organization("o-abcdefghij", MANAGEMENT, units, accounts))
    with WireDoor(cloud) as door:
        yield Administrator(door)


def test_a_lane_in_every_account_of_a_unit(administrator: Administrator) -> None:
    cloudformation = administrator.cloudformation
    cloudformation.create_stack_set(
        StackSetName="set",
        TemplateBody=TEMPLATE.read_text(encoding="utf-8"),
        Capabilities=CAPABILITIES,
        PermissionModel="SERVICE_MANAGED",
        AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": False},
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in (
                ("TargetOperatingSystem", "amazonlinux"),
                ("Environment", "lab"),
                ("S3Bucket", "patching-logs-bucket"),
            )
        ],
    )
    cloudformation.create_stack_instances(
        StackSetName="set", Regions=REGIONS, DeploymentTargets={"OrganizationalUnitIds": [UNIT]}
    )
    administrator.wait()
    assert administrator.instances() == {(WEB, region): ("CURRENT", "") for region in REGIONS}
    for region in REGIONS:
        assert administrator.windows(WEB, region) == [f"maintenance-window-amazonlinux-lab-{region}"]
    administrator.client(DATA, REGIONS[0], "backup").create_backup_vault(
        BackupVaultName=f"backup-vault-amazonlinux-lab-{REGIONS[0]}"
    )
    administrator.door.cloud.component(Organizations).move_account(DATA, UNIT)
    administrator.wait()
    status, reason = administrator.instances()[DATA, REGIONS[0]]
    assert (status, "AWS::Backup::BackupVault" in reason, "AlreadyExists" in reason) == ("OUTDATED", True, True)
    assert administrator.instances()[DATA, REGIONS[1]] == ("CURRENT", "")


def test_a_self_managed_set_needs_its_roles(administrator: Administrator) -> None:
    body = {"Resources": {"Setting": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "x"}}}}
    cloudformation = administrator.cloudformation
    cloudformation.create_stack_set(StackSetName="set", TemplateBody=json.dumps(body))

    def attempt() -> tuple[str, str]:
        cloudformation.create_stack_instances(StackSetName="set", Accounts=[WEB], Regions=[REGIONS[0]])
        administrator.wait()
        return administrator.instances()[WEB, REGIONS[0]]

    assert f"should have '{ADMINISTRATION}' role" in attempt()[1]
    administrator.role(MANAGEMENT, ADMINISTRATION, {"Service": "cloudformation.amazonaws.com"})
    assert f"should have '{EXECUTION}' role" in attempt()[1]
    administrator.role(WEB, EXECUTION, {"AWS": MANAGEMENT}, "AdministratorAccess")
    assert attempt() == ("CURRENT", "")
