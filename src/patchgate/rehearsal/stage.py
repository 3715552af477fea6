"""The stage of a rehearsal: an embedded AWS with a world in it, reached through one of its doors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from patchgate.aws.stacks import CloudFormationStacks
from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.world import InstanceStateChange, VolumeAttachment

if TYPE_CHECKING:
    from patchgate.emulator.assumptions import Assumptions
    from patchgate.emulator.door import Door, SdkSession
    from patchgate.rehearsal.worlds import World

DoorName = Literal["wire", "direct"]
"""How clients reach the cloud: with requests as AWS gets them, or without a wire between. The history is the same."""

DEFAULT_START = datetime(2026, 7, 10, 12, tzinfo=UTC)
"""When a world begins that does not say: a fixed instant, so that the same seed is the same run on every day."""


@dataclass(frozen=True, slots=True)
class Stage:
    """An open cloud. ``stacks`` deploys to it as to AWS, through real clients."""

    cloud: Cloud
    door: Door[SdkSession]
    stacks: CloudFormationStacks

    def session(self, account: str, region: str) -> SdkSession:
        """The SDK, as an operator of that account."""
        return self.door.session(account, region)

    def run_until(self, when: datetime) -> None:
        """Let the virtual clock run."""
        self.cloud.kernel.run_until(when)


@contextmanager
def open_stage(
    world: World,
    start: datetime,
    *,
    seed: int = 0,
    assumptions: Assumptions | None = None,
    organization_id: str = "",
    door: DoorName = "direct",
) -> Iterator[Stage]:
    """An embedded AWS that holds the world at ``start``, behind the named door. One stage is open at a time."""
    cloud = Cloud(COMPONENTS, start=start, seed=seed, assumptions=assumptions, organization_id=organization_id)
    with open_door(cloud, door) as opened:
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


def _do_not_wait(_seconds: float) -> None:
    """The embedded CloudFormation has always finished when it answers."""


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
