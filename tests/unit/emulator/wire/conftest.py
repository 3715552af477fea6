"""A tiny cloud behind the wire door: one operation of each protocol, and a switch that makes calls fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation
from patchgate.emulator.errors import AwsError
from patchgate.emulator.wire import WireDoor

START = datetime(2026, 7, 4, 22, 30, tzinfo=UTC)


@pytest.fixture
def allow_everything(door: WireDoor) -> Callable[[str], None]:
    """Makes the role of an ARN, and lets it do everything."""

    def make(role_arn: str) -> None:
        _, _, _, _, account, name = role_arn.replace("role/", "").split(":")
        iam = door.session(account, "eu-west-1").client("iam")
        iam.create_role(RoleName=name, AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}')
        everything = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=everything)

    return make


class Trouble(Component):
    """What the next calls answer with instead, first to last."""

    service = "backup"
    errors: list[AwsError]

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.errors = []
        self.arrivals: list[datetime] = []

    def arrive(self) -> None:
        self.arrivals.append(self.cloud.now)
        if self.errors:
            raise self.errors.pop(0)

    @operation("DescribeBackupVault")
    def describe_backup_vault(self, scope: Scope, params: Params) -> Result:
        self.arrive()
        return {"BackupVaultName": params["BackupVaultName"], "BackupVaultArn": scope.arn("backup", "x")}


class FakeParameters(Component):
    service = "ssm"

    @operation("GetParameter")
    def get_parameter(self, scope: Scope, params: Params) -> Result:
        self.cloud.component(Trouble).arrive()
        place = f"{scope.account} {scope.region} {scope.principal}"
        return {"Parameter": {"Name": params["Name"], "Value": place, "LastModifiedDate": self.cloud.now}}

    @operation("CreateMaintenanceWindow")
    def create_maintenance_window(self, scope: Scope, params: Params) -> Result:
        return {"WindowId": params["ClientToken"]}

    @operation("DeleteParameter")
    def delete_parameter(self, scope: Scope, params: Params) -> Result:
        return {"Surprise": True}


class FakeInstances(Component):
    service = "ec2"

    @operation("DescribeInstances")
    def describe_instances(self, scope: Scope, params: Params) -> Result:
        self.cloud.component(Trouble).arrive()
        return {"Reservations": [{"Instances": [{"InstanceId": scope.account}]}]}


class FakeStacks(Component):
    service = "cloudformation"

    @operation("DescribeStacks")
    def describe_stacks(self, scope: Scope, params: Params) -> Result:
        self.cloud.component(Trouble).arrive()
        return {"Stacks": []}


class FakeSchedules(Component):
    service = "scheduler"

    @operation("GetSchedule")
    def get_schedule(self, scope: Scope, params: Params) -> Result:
        self.cloud.component(Trouble).arrive()
        return {"Name": params["Name"], "GroupName": params.get("GroupName", "default")}


class FakeFunctions(Component):
    service = "lambda"

    @operation("Invoke")
    def invoke(self, scope: Scope, params: Params) -> Result:
        self.cloud.component(Trouble).arrive()
        if self.cloud.kernel.current is not None:
            self.cloud.kernel.sleep(90)  # as long as the function runs
        if params.get("InvocationType") == "Event":
            return {"StatusCode": 202}
        return {"StatusCode": 200, "Payload": b'{"echo":' + params["Payload"] + b"}"}


COMPONENTS = (Trouble, FakeParameters, FakeInstances, FakeStacks, FakeSchedules, FakeFunctions)


@pytest.fixture(scope="session")
def new_cloud() -> Callable[[], Cloud]:
    return lambda: Cloud(COMPONENTS, start=START, seed=7)


@pytest.fixture
def cloud(new_cloud: Callable[[], Cloud]) -> Cloud:
    return new_cloud()


@pytest.fixture
def door(cloud: Cloud) -> Iterator[WireDoor]:
    with WireDoor(cloud) as door:
        yield door


@pytest.fixture
def trouble(cloud: Cloud) -> Trouble:
    return cloud.component(Trouble)
