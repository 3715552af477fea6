"""Lanes settled and deployed as stacks, against a fake of the port."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from patchgate.config import LaneConfig
from patchgate.domain.lane import Lane
from patchgate.errors import InputError
from patchgate.operations.deployment import deploy_lanes, settle_lanes
from patchgate.operations.ports import StackResult

UBUNTU = Lane("111111111111", "eu-central-1", "ubuntu", "prd", "web")


class FakeStacks:
    """Answers every deployment with outputs, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str, dict[str, str]]] = []

    def create_or_update(
        self,
        account: str,
        region: str,
        name: str,
        template_body: str,
        parameters: Mapping[str, str],
        capabilities: tuple[str, ...] = (),
        tags: Mapping[str, str] | None = None,
    ) -> StackResult:
        assert template_body.startswith("# aws-")
        assert capabilities == ("CAPABILITY_NAMED_IAM",)
        self.asked.append((account, region, name, dict(parameters)))
        return StackResult("CREATE_COMPLETE", {"BucketName": f"bucket-of-{name}"}, 3)

    def delete(self, account: str, region: str, name: str) -> None:
        raise NotImplementedError

    def describe(self, account: str, region: str, name: str) -> StackResult | None:
        raise NotImplementedError


def deploy(*lanes: LaneConfig) -> FakeStacks:
    stacks = FakeStacks()
    settled = settle_lanes(lanes, "o-a1b2c3d4e5")
    deploy_lanes(settled, log_account="999999999999", control=stacks, progress=lambda _: None)
    return stacks


def test_stacks_are_deployed_in_the_order_in_which_they_need_each_other() -> None:
    asked = deploy(LaneConfig(UBUNTU, {})).asked
    assert [(account, name) for account, _, name, _ in asked] == [
        ("999999999999", "patchgate-logs-ubuntu-prd"),
        ("111111111111", "patchgate-patch-ubuntu-prd"),
        ("111111111111", "patchgate-monitoring-ubuntu-prd"),
    ]
    assert asked[0][3]["PrincipalOrgID"] == "o-a1b2c3d4e5"
    assert asked[1][3]["S3Bucket"] == asked[2][3]["S3Bucket"] == "bucket-of-patchgate-logs-ubuntu-prd"


def test_lanes_of_one_operating_system_and_environment_share_their_bucket() -> None:
    other = Lane("222222222222", "us-east-1", "ubuntu", "prd")
    asked = deploy(LaneConfig(UBUNTU, {}), LaneConfig(other, {})).asked
    assert [name for _, _, name, _ in asked].count("patchgate-logs-ubuntu-prd") == 1
    assert {parameters["S3Bucket"] for _, _, _, parameters in asked[1:]} == {"bucket-of-patchgate-logs-ubuntu-prd"}


def test_settings_are_complete_and_the_lanes_own_values_win() -> None:
    (settings,) = settle_lanes([LaneConfig(UBUNTU, {"RetentionDays": "14"})], "o-a1b2c3d4e5")
    assert settings.values["RetentionDays"] == "14"
    assert settings.values["MaintenanceWindowDuration"] == "3"
    assert settings.values["TargetOperatingSystem"] == "ubuntu"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("GateMod", "threshold", "no template has a parameter 'GateMod'; did you mean 'GateMode'?"),
        ("GateMode", "coverge", "GateMode: 'coverge' is none of coverage, threshold"),
        ("MaintenanceWindowDuration", "25", "MaintenanceWindowDuration: 25 is more than 24"),
        ("MaintenanceWindowDuration", "0", "MaintenanceWindowDuration: 0 is less than 1"),
        ("MaintenanceWindowDuration", "long", "'long' is not a whole number"),
        ("TimeZone", "Berlin!", "TimeZone: 'Berlin!' does not match"),
    ],
)
def test_values_that_no_template_takes_are_named_with_their_lane(name: str, value: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        settle_lanes([LaneConfig(UBUNTU, {name: value})], "o-a1b2c3d4e5")
    assert said in str(caught.value)
    assert "web/eu-central-1/ubuntu/prd: " in str(caught.value)
