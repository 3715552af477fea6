"""The section ``deployment`` of a fleet file."""

from __future__ import annotations

import pytest

from patchgate.config import FleetConfig, parse_fleet
from patchgate.errors import InputError


def fleet_of(deployment: str) -> FleetConfig:
    text = f"""
version: 1
organization: {{id: o-a1b2c3d4e5, log_account: "111111111111"}}
deployment: {deployment}
accounts: [{{id: "111111111111", name: web}}]
targets: [{{accounts: [web], regions: [eu-west-1], operating_systems: [ubuntu], environments: [dev]}}]
"""
    return parse_fleet(text.encode(), "fleet.yaml")


def test_without_it_stacks_are_deployed_by_the_organizations_own_role() -> None:
    deployment = fleet_of("{}").deployment
    assert (deployment.mode, deployment.member_role) == ("stacks", "OrganizationAccountAccessRole")
    assert deployment.region is None


def test_self_managed_stack_sets_have_roles_of_their_own() -> None:
    arn = "arn:aws:iam::111111111111:role/path/Administration"
    deployment = fleet_of(f"{{mode: self-managed, administration_role: '{arn}', execution_role: Member}}").deployment
    assert (deployment.administration_role, deployment.execution_role) == (arn, "Member")


@pytest.mark.parametrize(
    ("deployment", "said"),
    [
        ("{mode: stack}", "'stack'"),
        ("{mode: stacks, execution_role: Member}", "belong to mode self-managed"),
        ("{region: mars-1}", "mars-1"),
        ("{member_role: 'a/b'}", "'a/b' is not the name of a role"),
        ("{mode: self-managed, administration_role: Administration}", "is not the ARN of a role"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_line(deployment: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        fleet_of(deployment)
    assert "fleet.yaml:4:" in str(refused.value)
    assert said in str(refused.value)
