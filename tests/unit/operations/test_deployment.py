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


def refused(*lanes: LaneConfig) -> str:
    with pytest.raises(InputError) as caught:
        settle_lanes(lanes, "o-a1b2c3d4e5")
    return str(caught.value)


def lanes_with(count: int, parameters: Mapping[str, str]) -> list[LaneConfig]:
    return [LaneConfig(Lane(f"{number:012}", "eu-central-1", "ubuntu", "prd"), parameters) for number in range(count)]


@pytest.mark.parametrize(
    ("count", "others", "lanes"),
    [
        (2, 0, "000000000000/eu-central-1/ubuntu/prd, 000000000001/eu-central-1/ubuntu/prd"),
        (6, 0, "all 6 lanes"),
        (5, 1, "000000000000/eu-central-1/ubuntu/prd, 000000000001/eu-central-1/ubuntu/prd and 3 more lanes"),
    ],
)
def test_one_problem_of_many_lanes_is_one_line(count: int, others: int, lanes: str) -> None:
    fine = [LaneConfig(Lane("999999999999", "eu-west-1", "suse", "dev"), {})] * others
    said = refused(*lanes_with(count, {"GateMode": "coverge"}), *fine)
    assert said == f"{lanes}: GateMode: 'coverge' is none of coverage, threshold"


def test_different_problems_are_lines_of_their_own() -> None:
    wrong = [LaneConfig(UBUNTU, {"GateMode": "a", "RetentionDays": "x"}), LaneConfig(UBUNTU, {"GateMode": "b"})]
    assert len(refused(*wrong).splitlines()) == 3


@pytest.mark.parametrize(
    ("duration", "cutoff"),
    [("3", "3"), ("2", "5"), ("1", None)],
)
def test_a_cutoff_leaves_some_of_the_window(duration: str, cutoff: str | None) -> None:
    given = {"MaintenanceWindowDuration": duration} | ({"MaintenanceWindowCutoff": cutoff} if cutoff else {})
    assert refused(LaneConfig(UBUNTU, given)) == (
        f"web/eu-central-1/ubuntu/prd: MaintenanceWindowCutoff: {cutoff or 1} is not less than "
        f"MaintenanceWindowDuration, which is {duration}"
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MaintenanceWindowCronSchedule", "cron(0 25 ? * 7 *)", "'cron(0 25 ? * 7 *)': hours: 25 is outside 0-23"),
        ("BackupSchedule", "cron(0 19 ? * 8 *)", "'cron(0 19 ? * 8 *)': day-of-week: 8 is outside 1-7"),
        ("DisableMaintenanceWindow", "cron(99 2 ? * 1 *)", "'cron(99 2 ? * 1 *)': minutes: 99 is outside 0-59"),
        ("TimeZone", "Europe/Berlln", "'Europe/Berlln' is not in the IANA database"),
        ("TimeZone", "Europe/Berlln", "did you mean Europe/Berlin"),
    ],
)
def test_a_bad_schedule_or_zone_names_lane_and_parameter(name: str, value: str, said: str) -> None:
    message = refused(LaneConfig(UBUNTU, {name: value}))
    assert message.startswith(f"web/eu-central-1/ubuntu/prd: {name}: ")
    assert said in message
    assert len(message.splitlines()) == 1
