"""The adapter of StackControl on the embedded AWS: what its unit tests assume of CloudFormation holds there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from patchgate.aws.stacks import CloudFormationStacks
from patchgate.emulator.cloud import Cloud
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.wire import WireDoor
from patchgate.operations.ports import StackControl, StackFailedError

ACCOUNT, REGION, NAME = "111122223333", "eu-west-1", "settings"


def template(*, second: dict[str, Any] | None = None) -> str:
    resources = {
        "First": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "/settings/first", "Type": "String", "Value": {"Ref": "Value"}},
        }
    }
    if second is not None:
        resources["Second"] = {"Type": "AWS::SSM::Parameter", "DependsOn": "First", "Properties": second}
    return json.dumps(
        {
            "Parameters": {"Value": {"Type": "String", "Default": "default"}},
            "Resources": resources,
            "Outputs": {"Name": {"Value": {"Ref": "First"}}},
        }
    )


@pytest.fixture
def door() -> Iterator[WireDoor]:
    with WireDoor(Cloud(COMPONENTS, start=datetime(2026, 7, 1, tzinfo=UTC))) as door:
        yield door


@pytest.fixture
def control(door: WireDoor) -> StackControl:
    return CloudFormationStacks(
        lambda account, region: door.session(account, region).client("cloudformation"), pause=lambda _: None
    )


def value(door: WireDoor) -> str:
    ssm = door.session(ACCOUNT, REGION).client("ssm")
    return str(ssm.get_parameter(Name="/settings/first")["Parameter"]["Value"])


def test_a_stacks_life(control: StackControl, door: WireDoor) -> None:
    assert control.describe(ACCOUNT, REGION, NAME) is None
    made = control.create_or_update(ACCOUNT, REGION, NAME, template(), {}, (), {"team": "sre"})
    assert (made.status, made.outputs, made.resource_count) == ("CREATE_COMPLETE", {"Name": "/settings/first"}, 1)
    assert value(door) == "default"
    again = control.create_or_update(ACCOUNT, REGION, NAME, template(), {}, (), {"team": "sre"})
    assert again == made
    changed = control.create_or_update(ACCOUNT, REGION, NAME, template(), {"Value": "other"})
    assert changed.status == "UPDATE_COMPLETE"
    assert value(door) == "other"
    control.delete(ACCOUNT, REGION, NAME)
    control.delete(ACCOUNT, REGION, NAME)
    assert control.describe(ACCOUNT, REGION, NAME) is None


def test_a_resource_that_fails_is_named(control: StackControl, door: WireDoor) -> None:
    taken = {"Name": "/taken", "Type": "String", "Value": "x"}
    door.session(ACCOUNT, REGION).client("ssm").put_parameter(**taken)
    with pytest.raises(StackFailedError) as failure:
        control.create_or_update(ACCOUNT, REGION, NAME, template(second=taken), {})
    assert failure.value.status == "ROLLBACK_COMPLETE"
    assert failure.value.resource == "Second (AWS::SSM::Parameter)"
    assert "already exists" in failure.value.reason
    with pytest.raises(StackFailedError, match="cannot be updated") as refusal:
        control.create_or_update(ACCOUNT, REGION, NAME, template(), {})
    assert "delete it" in refusal.value.remedy


def test_a_failed_update_is_rolled_back_and_explained(control: StackControl, door: WireDoor) -> None:
    taken = {"Name": "/taken", "Type": "String", "Value": "x"}
    door.session(ACCOUNT, REGION).client("ssm").put_parameter(**taken)
    control.create_or_update(ACCOUNT, REGION, NAME, template(), {})
    with pytest.raises(StackFailedError) as failure:
        control.create_or_update(ACCOUNT, REGION, NAME, template(second=taken), {"Value": "other"})
    assert failure.value.status == "UPDATE_ROLLBACK_COMPLETE"
    assert failure.value.resource == "Second (AWS::SSM::Parameter)"
    assert value(door) == "default"


def test_a_template_that_is_refused(control: StackControl) -> None:
    with pytest.raises(StackFailedError, match="create_stack was refused: ValidationError"):
        control.create_or_update(ACCOUNT, REGION, NAME, "{}", {})
