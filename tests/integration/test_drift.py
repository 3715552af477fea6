"""``patchgate plan --detect-drift``: what was changed behind CloudFormation's back, in plain stacks and stack sets."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.integration import test_deploy_command as command

server, site, managed, clock = command.server, command.site, command.managed, command.clock


def lengthen_window(site: command.Site, account: str) -> None:
    ssm = site.client(account, "eu-central-1", "ssm")
    (window,) = ssm.describe_maintenance_windows()["WindowIdentities"]
    ssm.update_maintenance_window(WindowId=window["WindowId"], Duration=9)


def plan_of(site: command.Site, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(site.succeed("plan", "fleet.yaml", "--output", "json", *options))
    return found


def test_a_plain_stack_that_was_changed_by_hand_is_named_with_what_differs(site: command.Site) -> None:
    site.write_small()
    assert plan_of(site, "--detect-drift")["drift"] is None
    site.succeed("deploy", "--yes")
    assert plan_of(site)["drift"] == {"drifted": 0, "in_sync": 0, "unknown": 3, "oldest": None}
    lengthen_window(site, command.WEB)
    assert plan_of(site)["drift"]["drifted"] == 0  # nobody has looked
    said = site.succeed("plan", "--detect-drift")
    assert "patchgate-patch-ubuntu-dev" in said
    assert "has drifted (found 2026-07-10 12:00 UTC)" in said
    assert "drifted: SsmMaintenanceWindow (AWS::SSM::MaintenanceWindow) was changed: Duration" in said
    assert "1 drifted, 1 in sync, 1 unknown; the oldest look is of 2026-07-10 12:00 UTC" in " ".join(said.split())
    site.succeed("plan", "--save", "plan.json")
    assert "Nothing to do." in site.succeed("deploy", "--plan", "plan.json", "--yes")


def test_instances_of_stack_sets_are_looked_at(managed: command.Site, clock: Callable[[], None]) -> None:
    clock()
    managed.write("service-managed")
    managed.succeed("deploy", "--yes")
    lengthen_window(managed, command.SHOP)
    drift = plan_of(managed, "--detect-drift")["drift"]
    assert drift["drifted"] == 1
    assert drift["drifted"] + drift["in_sync"] + drift["unknown"] == command.STACKS
    assert "shop/eu-central-1/ubuntu/dev" in managed.succeed("plan")
