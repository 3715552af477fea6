"""Worlds for a server of the embedded AWS: those that it begins with, and those that its clients bring."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from patchgate.emulator.cloud import Scope
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.organizations import Organizations
from patchgate.emulator.server import HostSettings, Settled
from patchgate.emulator.wire.identity import DEFAULT_ACCOUNT
from patchgate.errors import InputError
from patchgate.rehearsal.stage import organization_of, populate
from patchgate.rehearsal.worlds import World, parse_world, world_of

if TYPE_CHECKING:
    from datetime import datetime

    from patchgate.emulator.cloud import Cloud
    from patchgate.emulator.server import Beginning

ACCESS_ROLE = "OrganizationAccountAccessRole"
GLOBAL_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class ServedWorlds:
    """emulator.server.WorldSource of world files. ``world`` is the one that the server was started with."""

    world: World
    start: datetime

    def populate(self, cloud: Cloud) -> None:
        """The world of the start, and in every member account the role that its management account may assume."""
        populate(cloud, self.world, self.start)
        _give_access_roles(cloud)

    def settle(self, beginning: Beginning) -> Settled:
        """A client's world. Raises InputError with every problem of it."""
        world = World(None, ()) if beginning.world is None else world_of(beginning.world, "world")
        organization = organization_of(world, beginning.organization) if beginning.organization else None
        settings = HostSettings(
            beginning.start, beginning.seed, organization, first_account(world), beginning.assumptions
        )
        return Settled(settings, partial(populate, world=world, start=beginning.start))

    def load(self, cloud: Cloud, text: bytes) -> int:
        """A world file's machines, beginning now: hours of what befalls them count from the present instant."""
        world = parse_world(text, "world")
        if world.organization is not None:
            raise InputError("the organization is there already", remedy="leave it out, or begin anew with it")
        ec2 = cloud.component(Ec2)
        placed = list(world.instances(cloud.now))
        for entry in placed:
            if entry.spec.instance_id in ec2.region(Scope(entry.account, entry.region)).instances:
                place = f"{entry.account}/{entry.region}"
                raise InputError(f"instance '{entry.spec.name}' of {place} is there already")
        populate(cloud, world, cloud.now)
        return len(placed)


def _give_access_roles(cloud: Cloud) -> None:
    """OrganizationAccountAccessRole, as AWS Organizations makes it in accounts that it creates.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access-cross-account-role.html
    """
    organization = cloud.component(Organizations).organization if cloud.organization_id else None
    if organization is None:
        return
    manager = organization.management_account
    for account in cloud.component(Organizations).accounts_under(organization.root):
        if account == manager:
            continue
        scope = Scope(account, GLOBAL_REGION)
        principal = {"AWS": f"arn:{scope.partition}:iam::{manager}:root"}
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        cloud.invoke(scope, "iam", "CreateRole", {"RoleName": ACCESS_ROLE, "AssumeRolePolicyDocument": trust})
        policy = f"arn:{scope.partition}:iam::aws:policy/AdministratorAccess"
        cloud.invoke(scope, "iam", "AttachRolePolicy", {"RoleName": ACCESS_ROLE, "PolicyArn": policy})


def first_account(world: World) -> str:
    """Whose the keys are that name no account: the world's first, or one of its own where it has none."""
    return next((group.account for group in world.groups), DEFAULT_ACCOUNT)
