"""Which acts of faults can do nothing on a lane of templates that others wrote, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from patchgate.rehearsal.campaign.foreign.deployed import Deployed

if TYPE_CHECKING:
    from patchgate.rehearsal.campaign.foreign.lanes import ForeignLane
    from patchgate.rehearsal.campaign.shapes import Shape
    from patchgate.rehearsal.campaign.terrain import Terrain

_KEEPS = ("AWS::S3::Bucket", "AWS::Backup::BackupVault")
"""What CloudFormation cannot delete once something is in it."""


def limits_of(deployed: Deployed, shape: Shape, lane: ForeignLane, terrain: Terrain) -> dict[str, str]:
    """The acts that can do nothing on a lane, each with the reason."""
    return dict(_limits(deployed, shape, lane, terrain))


def _limits(deployed: Deployed, shape: Shape, lane: ForeignLane, terrain: Terrain) -> Iterator[tuple[str, str]]:
    yield "freeze", "no parameter freezes these templates"
    yield "close-calendar", "these templates obey no change calendar of a campaign"
    yield "redeploy-stack", "a lane of templates of others is known by its window's id"
    yield "further-parameters", "these templates keep nothing below a path of parameters"
    for act in ("deny-bucket", "forge-evidence"):
        yield act, "these templates write no evidence into a bucket"
    if not terrain.lane.vault:
        for act in ("backup", "back-up-now", "delete-recovery-points"):
            yield act, "these templates have no vault, so that nothing is backed up"
    elif not terrain.backup_role:
        yield "back-up-now", "no backup selection names a role for backups of these machines"
    if terrain.facts.patch_group not in deployed.patch_groups():
        yield "deregister-patch-group", "the machines' patch group has no baseline of its own"
    task = next((task for task in lane.tasks if task["TaskType"] == "AUTOMATION"), None)
    if task is None:
        yield "twin-window", "the window runs no runbook that a second window could run"
    elif not task.get("ServiceRoleArn"):
        yield "twin-window", "the window's runbook has no service role that a second window could have"
    standing = _why_the_gate_stays(deployed, shape, terrain)
    if standing:
        yield "delete-stack", standing


def _why_the_gate_stays(deployed: Deployed, shape: Shape, terrain: Terrain) -> str:
    """Why no stack can be deleted that holds the gate and nothing that others need; "" when there is one."""
    gate = terrain.programs.get("open")
    if not gate:
        return "no scheduled function runs before the window"
    name = terrain.stacks[min(1, len(terrain.stacks) - 1)]
    resources = deployed.resources(name)
    if len(terrain.stacks) == 1 or gate not in {each["PhysicalResourceId"] for each in resources}:
        return "the gate is in the stack of its window"
    kept = next((each["ResourceType"] for each in resources if each["ResourceType"] in _KEEPS), "")
    if kept:
        return f"the gate is in a stack with an {kept}, which is not deleted with what is in it"
    stack = next(each for each in shape.stacks if each.name == name)
    if "Retain" in stack.template:
        return "the gate is in a stack that retains resources"
    taken = any(f"${{{name}." in value for each in shape.stacks for value in each.parameters.values())
    stack_id = deployed.ask("cloudformation", "DescribeStacks", StackName=name)["Stacks"][0]["StackId"]
    if taken or stack_id in deployed.exporting():
        return "other stacks take what the gate's stack gives"
    return ""
