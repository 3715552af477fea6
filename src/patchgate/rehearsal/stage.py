"""The engine of this process: an embedded AWS with a world in it, reached through one of its doors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from patchgate.aws.stacks import CloudFormationStacks
from patchgate.emulator.assumptions import Assumptions
from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.garbage import rare_collections
from patchgate.emulator.organizations import (
    Organization,
    OrganizationAccount,
    OrganizationalUnit,
    Organizations,
)
from patchgate.emulator.world import InstanceStateChange, VolumeAttachment
from patchgate.rehearsal.engine import Beginning, RecordedHistory
from patchgate.rehearsal.worlds import OrganizationEntry

if TYPE_CHECKING:
    from patchgate.emulator.door import Door, SdkSession
    from patchgate.rehearsal.worlds import World

DoorName = Literal["wire", "direct"]
"""How clients reach the cloud: with requests as AWS gets them, or without a wire between. The history is the same."""

RuntimeName = Literal["fast", "faithful"]
"""How functions run: inside this interpreter, or in children under AWS's runtime interface client, which needs the wire
door. The history is the same."""

DEFAULT_START = datetime(2026, 7, 10, 12, tzinfo=UTC)
"""When a world begins that does not say: a fixed instant, so that the same seed is the same run on every day."""


@dataclass(frozen=True, slots=True)
class Stage:
    """engine.RehearsedAws of this process, with its cloud for whoever must look behind the interface."""

    cloud: Cloud
    door: Door[SdkSession]
    stacks: CloudFormationStacks

    @property
    def now(self) -> datetime:
        """The present instant of the virtual clock."""
        return self.cloud.now

    def session(self, account: str, region: str) -> SdkSession:
        """The SDK, as an operator of that account."""
        return self.door.session(account, region)

    def run_until(self, when: datetime) -> None:
        """Let the virtual clock run."""
        self.cloud.kernel.run_until(when)

    def read_history(self) -> RecordedHistory:
        """What the cloud recorded."""
        return RecordedHistory(tuple(self.cloud.history), self.cloud.history.to_json_lines())


@dataclass(frozen=True, slots=True)
class EmbeddedEngine:
    """engine.Engine in this process; no history shows how the cloud is reached and how its functions run."""

    door: DoorName = "direct"
    runtime: RuntimeName = "fast"

    def begin(self, beginning: Beginning) -> AbstractContextManager[Stage]:
        """A stage that begins so."""
        return open_stage(
            beginning.world,
            beginning.start,
            seed=beginning.seed,
            assumptions=beginning.assumptions,
            organization_id=beginning.organization_id,
            door=self.door,
            runtime=self.runtime,
        )


@contextmanager
def open_stage(
    world: World,
    start: datetime,
    *,
    seed: int = 0,
    assumptions: Assumptions | None = None,
    organization_id: str = "",
    door: DoorName = "direct",
    runtime: RuntimeName = "fast",
) -> Iterator[Stage]:
    """An embedded AWS that holds the world at ``start``, behind the named door. One stage is open at a time.

    Raises MissingExtraError when awslambdaric is not there for the faithful runtime.
    """
    cloud = Cloud(COMPONENTS, start=start, seed=seed, assumptions=assumptions)
    if organization_id:
        cloud.component(Organizations).establish(organization_of(world, organization_id))
    with rare_collections(), open_door(cloud, door) as opened, open_runtime(opened, runtime):
        populate(cloud, world, start)
        stacks = CloudFormationStacks(
            lambda account, region: opened.session(account, region).client("cloudformation"), _do_not_wait
        )
        yield Stage(cloud, opened, stacks)


def open_door(cloud: Cloud, name: DoorName) -> Door[SdkSession]:
    """The door of that name, still to be entered; moto is loaded only for the wire."""
    if name == "direct":
        from patchgate.emulator.direct import DirectDoor  # noqa: PLC0415 - a door brings its libraries

        return DirectDoor(cloud)
    from patchgate.emulator.wire import WireDoor  # noqa: PLC0415 - a door brings its libraries

    return WireDoor(cloud)


def open_runtime(door: Door[SdkSession], name: RuntimeName) -> AbstractContextManager[object]:
    """How functions run while the context lasts. TypeError for the faithful runtime without the wire door."""
    if name == "fast":
        return nullcontext()
    from patchgate.emulator.faithful.runtime import FaithfulRuntime  # noqa: PLC0415 - as open_door
    from patchgate.emulator.wire import WireDoor  # noqa: PLC0415 - as open_door

    if not isinstance(door, WireDoor):
        raise TypeError("functions in children speak HTTP: the faithful runtime needs the wire door")
    return FaithfulRuntime(door)


def _do_not_wait(_seconds: float) -> None:
    """The embedded CloudFormation has always finished when it answers."""


def organization_of(world: World, organization_id: str) -> Organization:
    """The organization of a world: what it says, and every other account of its groups in the root."""
    stated = world.organization or OrganizationEntry()
    named = {account.id: OrganizationAccount(account.id, account.name, account.unit) for account in stated.accounts}
    rest = sorted({group.account for group in world.groups} - set(named) - {stated.management_account})
    units = tuple(OrganizationalUnit(unit.id, unit.name, unit.parent) for unit in stated.units)
    accounts = (*named.values(), *(OrganizationAccount(account, account) for account in rest))
    return Organization(organization_id, stated.management_account, units=units, accounts=accounts)


def populate(cloud: Cloud, world: World, start: datetime) -> None:
    """Put a world's machines into a cloud, and what will befall them on its agenda; hours count from ``start``."""
    ec2 = cloud.component(Ec2)
    for placed in world.instances(start):
        scope = Scope(placed.account, placed.region)
        ec2.add_instance(scope, placed.spec)
        for change in placed.changes(start):
            if isinstance(change, VolumeAttachment):
                cloud.kernel.at(change.at, ec2.attach, scope, change.instance_id, change.volume)
            elif isinstance(change, InstanceStateChange):
                cloud.kernel.at(change.at, ec2.set_state, scope, change.instance_id, change.state)
