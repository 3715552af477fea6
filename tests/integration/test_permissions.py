"""Every permission that the templates give is enough, and every one is needed: the proof of ``make permissions``."""

from __future__ import annotations

import pytest

from patchgate.rehearsal.stage import DoorName

from .permissions import (
    SCENARIOS,
    UNPROVEN,
    UNUSED,
    Outcome,
    Permission,
    permissions,
    prove,
    rehearse_in,
    rehearse_with_everything,
)

PROVABLE = [permission for permission in permissions() if permission.label not in UNPROVEN]


@pytest.fixture(scope="module")
def whole() -> dict[str, Outcome]:
    return rehearse_with_everything()


@pytest.mark.parametrize("name", [scenario.name for scenario in SCENARIOS])
def test_nothing_is_denied_that_the_templates_should_allow(whole: dict[str, Outcome], name: str) -> None:
    assert whole[name].denied == ()


def test_the_cycle_patches_and_reports(whole: dict[str, Outcome]) -> None:
    assert whole["a cycle"].facts.count("Install: Success") == 5
    assert "object under logs/" in whole["a cycle"].facts


@pytest.mark.parametrize("permission", PROVABLE, ids=lambda permission: permission.name)
def test_a_rehearsal_notices_that_a_permission_is_gone(whole: dict[str, Outcome], permission: Permission) -> None:
    assert prove(permission, whole) != ("", "")


def test_a_permission_without_use_is_noticed_too(whole: dict[str, Outcome]) -> None:
    name = "MaintenanceWindowRole.Install ssm:StopAutomationExecution"
    (unused,) = [permission for permission in permissions(parts=True) if permission.name == name]
    assert prove(unused, whole) == ("", "")


def test_what_is_listed_exists() -> None:
    assert set(UNPROVEN) <= {permission.label for permission in permissions()}
    assert set(UNUSED) <= {permission.name for permission in permissions(parts=True)}


@pytest.mark.parametrize(("region", "door"), [("us-gov-west-1", "wire"), ("cn-north-1", "direct")])
def test_permissions_are_enough_in_other_partitions(region: str, door: DoorName) -> None:
    outcome = rehearse_in(region, door)
    assert outcome.denied == ()
    assert outcome.facts.count("Install: Success") == 5
