"""What a fleet file says and no template parameter can: it reaches the stacks all the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import pytest

from patchgate.config import parse_fleet
from patchgate.errors import InputError
from patchgate.operations.deployment import deploy_lanes, settle_lanes
from patchgate.operations.ports import StackResult

FLEET = """\
version: 1
organization: {id: o-a1b2c3d4e5, log_account: "999999999999"}
log_bucket:
  region: eu-west-1
  retention_days: 730
  kms_key: arn:aws:kms:eu-west-1:999999999999:key/bucket
accounts: [{id: "111111111111", name: web}]
defaults:
  gate: {log_retention_days: 30, kms_key: "arn:aws:kms:eu-central-1:111111111111:key/gate"}
  backup: {kms_key: "arn:aws:kms:eu-central-1:111111111111:key/vault"}
  permissions_boundary: operations
  tags: {owner: platform, cost: 4711}
  freezes: [{reason: closing, first_day: 2026-12-18, last_day: 2027-01-04}]
targets:
  - {accounts: [web], regions: [eu-central-1], operating_systems: [ubuntu], environments: [prd]}
"""


@dataclass
class Stack:
    """What CloudFormation was asked for."""

    account: str
    region: str
    body: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]


@dataclass
class FakeStacks:
    """Answers every deployment with a bucket, and remembers it by its name."""

    asked: dict[str, Stack] = field(default_factory=dict)

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
        self.asked[name] = Stack(account, region, template_body, parameters, tags or {})
        return StackResult("CREATE_COMPLETE", {"BucketName": "the-bucket"}, 1)

    def delete(self, account: str, region: str, name: str) -> None:
        raise NotImplementedError

    def describe(self, account: str, region: str, name: str) -> StackResult | None:
        raise NotImplementedError


@pytest.fixture
def stacks() -> dict[str, Stack]:
    control = FakeStacks()
    lanes = parse_fleet(FLEET.encode(), "f.yaml").lanes(today=date(2026, 11, 1))
    settled = settle_lanes(lanes, "o-a1b2c3d4e5")
    deploy_lanes(settled, log_account="999999999999", control=control, progress=lambda _: None)
    return control.asked


def test_parameters_of_one_name_and_different_meaning_reach_the_template_that_is_meant(
    stacks: dict[str, Stack],
) -> None:
    keys = {name: stack.parameters["KmsKeyArn"].partition("/")[2] for name, stack in stacks.items() if stack.parameters}
    assert keys == {
        "patchgate-logs-ubuntu-prd": "bucket",
        "patchgate-patch-ubuntu-prd": "vault",
        "patchgate-monitoring-ubuntu-prd": "gate",
    }
    assert stacks["patchgate-logs-ubuntu-prd"].parameters["LogRetentionDays"] == "730"
    assert stacks["patchgate-monitoring-ubuntu-prd"].parameters["LogRetentionDays"] == "30"
    assert stacks["patchgate-patch-ubuntu-prd"].parameters["LogBucketKmsKeyArn"].endswith("key/bucket")


def test_the_log_bucket_is_where_the_file_says(stacks: dict[str, Stack]) -> None:
    bucket = stacks["patchgate-logs-ubuntu-prd"]
    assert (bucket.account, bucket.region) == ("999999999999", "eu-west-1")


def test_tags_are_on_every_stack_and_boundaries_on_every_role(stacks: dict[str, Stack]) -> None:
    assert len(stacks) == 4
    assert all(stack.tags == {"owner": "platform", "cost": "4711"} for stack in stacks.values())
    boundary = stacks["patchgate-monitoring-ubuntu-prd"].parameters["PermissionsBoundaryArn"]
    assert boundary == "arn:aws:iam::111111111111:policy/operations"


def test_the_freeze_calendar_stands_before_the_gate_that_reads_it(stacks: dict[str, Stack]) -> None:
    assert list(stacks) == [
        "patchgate-logs-ubuntu-prd",
        "patchgate-freezes-ubuntu-prd",
        "patchgate-patch-ubuntu-prd",
        "patchgate-monitoring-ubuntu-prd",
    ]
    (document,) = json.loads(stacks["patchgate-freezes-ubuntu-prd"].body)["Resources"].values()
    for name in ("patchgate-patch-ubuntu-prd", "patchgate-monitoring-ubuntu-prd"):
        assert stacks[name].parameters["FreezeCalendars"] == document["Properties"]["Name"]


def test_lanes_that_were_settled_without_a_day_are_not_deployed() -> None:
    settled = settle_lanes(parse_fleet(FLEET.encode(), "f.yaml").lanes(), "o-a1b2c3d4e5")
    control = FakeStacks()
    with pytest.raises(ValueError, match="the days of the freezes are not known: web/eu-central-1/ubuntu/prd"):
        deploy_lanes(settled, log_account="999999999999", control=control, progress=lambda _: None)
    assert not control.asked


def test_a_parameter_that_no_template_has_is_told_with_line_and_lane() -> None:
    text = FLEET.replace("  tags:", "  parameters: {GateMod: coverage}\n  tags:")
    with pytest.raises(InputError) as refused:
        settle_lanes(parse_fleet(text.encode(), "f.yaml").lanes(), "o-a1b2c3d4e5")
    assert str(refused.value) == (
        "web/eu-central-1/ubuntu/prd: f.yaml:12:16: no template has a parameter 'GateMod'; did you mean 'GateMode'?"
    )
