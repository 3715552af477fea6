"""The machines, volumes, images and snapshots of every scope, and what happens to them without an AWS call.

Machines come out of a world (``add_instance``); images and snapshots are made by AWS Backup (``begin_image``,
``begin_snapshot``).

Assumptions, where AWS names no number: an attachment takes 5 seconds, a stop or a start 30, the status
checks of a booting machine 2 minutes.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from patchgate.emulator.cloud import Cloud, Component, Scope
from patchgate.emulator.ec2_filters import IMAGE, INSTANCE, SNAPSHOT, VOLUME, pick, well_formed
from patchgate.emulator.ec2_resources import (
    STATE_CODES,
    Image,
    Instance,
    Shape,
    Snapshot,
    Volume,
    state_shape,
)

if TYPE_CHECKING:
    from patchgate.emulator.world import AgentBehaviour, InstanceSpec, InstanceState, VolumeSpec

ATTACHING = timedelta(seconds=5)
TURNING = timedelta(seconds=30)
BOOTING = timedelta(minutes=2)

Key = tuple[str, str]


@dataclass(slots=True)
class Region:
    """What one account has in one Region, by id, in order of creation; ``by_id`` holds the instances in order of id."""

    instances: dict[str, Instance] = field(default_factory=dict)
    by_id: list[Instance] = field(default_factory=list)
    volumes: dict[str, Volume] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)


class Estate(Component):
    """The state of EC2 and the plain methods by which worlds and other components change it."""

    service: ClassVar[str] = "ec2"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._regions: dict[Key, Region] = {}

    def region(self, scope: Scope) -> Region:
        """The state of a scope, empty when nothing was ever there."""
        region = self._regions.get(scope.key)
        if region is None:
            region = self._regions[scope.key] = Region()
        return region

    def add_instance(self, scope: Scope, spec: InstanceSpec) -> Instance:
        """Put a machine there, its volumes attached, in the state that its spec says.

        Raises ValueError when its id or a volume's is malformed or taken.
        """
        region = self.region(scope)
        if not well_formed(INSTANCE, spec.instance_id) or spec.instance_id in region.instances:
            raise ValueError(f"instance id {spec.instance_id!r} is malformed or taken")
        number = len(region.instances) + 1
        instance = Instance(
            spec=spec,
            account=scope.account,
            region=scope.region,
            state=spec.state,
            tags={"Name": spec.name} | dict(spec.tags) if spec.name else dict(spec.tags),
            image_id=self.cloud.identifier("ami-"),
            reservation_id=self.cloud.identifier("r-"),
            private_ip=f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
            launched_at=self.cloud.now,
        )
        for volume in spec.volumes:
            self._new_volume(scope, instance, volume).status = "attached"
        region.instances[spec.instance_id] = instance
        insort(region.by_id, instance, key=lambda item: item.instance_id)
        self.cloud.record(
            scope,
            "InstanceLaunched",
            instance=spec.instance_id,
            name=spec.name,
            tags=dict(instance.tags),
            volumes=[volume.volume_id for volume in instance.volumes],
            root_device=spec.root_device,
            state=spec.state,
            operating_system=spec.operating_system,
            agent=asdict(spec.agent),
        )
        return instance

    def instance(self, scope: Scope, instance_id: str) -> Instance:
        """The live object; AwsError InvalidInstanceID.NotFound when there is none."""
        return pick(self.region(scope).instances, [instance_id], INSTANCE)[0]

    def instances(self, scope: Scope) -> list[Instance]:
        """Every instance of the scope that is not terminated, in order of launch."""
        return [item for item in self.region(scope).instances.values() if item.state != "terminated"]

    def volumes(self, scope: Scope) -> list[Volume]:
        """Every volume of the scope, in order of creation."""
        return list(self.region(scope).volumes.values())

    def volume(self, scope: Scope, volume_id: str) -> Volume:
        """The live object; AwsError InvalidVolume.NotFound when there is none."""
        return pick(self.region(scope).volumes, [volume_id], VOLUME)[0]

    def attach(self, scope: Scope, instance_id: str, volume: VolumeSpec) -> Volume:
        """Attach a new volume: ``attaching`` at once, ``attached`` a few seconds later."""
        instance = self.instance(scope, instance_id)
        live = self._new_volume(scope, instance, volume)
        self.cloud.kernel.after(ATTACHING, self._attached, scope, volume.volume_id)
        self.cloud.record(scope, "VolumeAttached", instance=instance_id, volume=volume.volume_id)
        return live

    def detach(self, scope: Scope, instance_id: str, volume_id: str) -> None:
        """Detach a volume at once; it stays there, ``available``. ValueError when it is not the instance's."""
        instance, volume = self.instance(scope, instance_id), self.volume(scope, volume_id)
        if volume not in instance.volumes:
            raise ValueError(f"{volume_id} is not attached to {instance_id}")
        instance.volumes.remove(volume)
        volume.instance_id, volume.status, volume.attached_at = "", "", None
        self.cloud.record(scope, "VolumeDetached", instance=instance_id, volume=volume_id)

    def set_state(self, scope: Scope, instance_id: str, state: InstanceState) -> None:
        """Put an instance into a state at once. One that comes up fails its status checks for a while."""
        instance = self.instance(scope, instance_id)
        if state not in STATE_CODES:
            raise ValueError(f"{state!r} is not an instance state")
        if instance.state == state:
            return
        instance.state = state
        if state == "running":
            instance.launched_at = self.cloud.now
            self._boot(scope, instance)
        elif state == "terminated":
            instance.terminated_at = self.cloud.now
            self._delete_volumes(scope, instance)
        ready = {"ready_at": instance.ready_at} if state == "running" else {}
        self.cloud.record(scope, "InstanceStateChanged", instance=instance_id, state=state, **ready)

    def set_agent(self, scope: Scope, instance_id: str, agent: AgentBehaviour) -> None:
        """Make an instance's SSM agent behave so from now on."""
        instance = self.instance(scope, instance_id)
        instance.spec = replace(instance.spec, agent=agent)
        self.cloud.record(scope, "AgentChanged", instance=instance_id, agent=asdict(agent))

    def set_impaired(self, scope: Scope, instance_id: str, *, impaired: bool) -> None:
        """Make an instance fail its status checks from now on, or pass them again."""
        self.instance(scope, instance_id).impaired = impaired
        status = "impaired" if impaired else "ok"
        self.cloud.record(scope, "InstanceStatusChanged", instance=instance_id, status=status)

    def reboot(self, scope: Scope, instance_id: str) -> None:
        """Reboot a running instance: ``rebooting`` until its status checks pass again."""
        instance = self.instance(scope, instance_id)
        self._boot(scope, instance)
        self.cloud.record(scope, "InstanceRebooted", instance=instance_id, ready_at=instance.ready_at)

    # What AWS Backup does

    def begin_image(self, scope: Scope, instance: Instance, name: str, tags: dict[str, str]) -> Image:
        """Start an image of an EBS-backed instance: ``pending``, with a pending snapshot of every attached
        volume.

        Images of Ubuntu carry the two ephemeral mappings that Canonical's images have.
        """
        mappings = [
            (
                volume.device,
                self.begin_snapshot(scope, volume, f"Created by AWS Backup for {name}", tags).snapshot_id,
            )
            for volume in instance.volumes
        ]
        if instance.spec.operating_system == "UBUNTU":
            used = {device for device, _ in mappings}
            ephemeral = (("/dev/sdb", "ephemeral0"), ("/dev/sdc", "ephemeral1"))
            mappings += [pair for pair in ephemeral if pair[0] not in used]
        image = Image(
            image_id=self.cloud.identifier("ami-"),
            name=name,
            account=scope.account,
            region=scope.region,
            created_at=self.cloud.now,
            root_device_name=instance.root_device_name,
            platform_type=instance.spec.platform_type,
            source_instance_id=instance.instance_id,
            mappings=mappings,
            tags=dict(tags),
            owner_service="backup",
        )
        self.region(scope).images[image.image_id] = image
        return image

    def begin_snapshot(self, scope: Scope, volume: Volume, description: str, tags: dict[str, str]) -> Snapshot:
        """Start a snapshot of a volume: ``pending``, StartTime now."""
        snapshot = Snapshot(
            snapshot_id=self.cloud.identifier("snap-"),
            volume_id=volume.volume_id,
            size_gib=volume.size_gib,
            encrypted=volume.encrypted,
            account=scope.account,
            started_at=self.cloud.now,
            description=description,
            tags=dict(tags),
            owner_service="backup",
        )
        self.region(scope).snapshots[snapshot.snapshot_id] = snapshot
        return snapshot

    def image(self, scope: Scope, image_id: str) -> Image:
        """The live object; AwsError InvalidAMIID.NotFound when there is none."""
        return pick(self.region(scope).images, [image_id], IMAGE)[0]

    def snapshot(self, scope: Scope, snapshot_id: str) -> Snapshot:
        """The live object; AwsError InvalidSnapshot.NotFound when there is none."""
        return pick(self.region(scope).snapshots, [snapshot_id], SNAPSHOT)[0]

    def finish_image(self, scope: Scope, image_id: str) -> None:
        """The image is available and its snapshots are completed."""
        image = self.image(scope, image_id)
        for snapshot_id in image.snapshot_ids:
            self.finish_snapshot(scope, snapshot_id)
        image.state = "available"

    def finish_snapshot(self, scope: Scope, snapshot_id: str) -> None:
        """The snapshot is completed."""
        self.snapshot(scope, snapshot_id).completed_at = self.cloud.now

    def remove_image(self, scope: Scope, image_id: str) -> None:
        """Deregister an image and delete its snapshots, whoever made them; nothing when it is gone already."""
        image = self.region(scope).images.pop(image_id, None)
        for snapshot_id in image.snapshot_ids if image else []:
            self.remove_snapshot(scope, snapshot_id)

    def remove_snapshot(self, scope: Scope, snapshot_id: str) -> None:
        """Delete a snapshot, whoever made it; nothing when it is gone already."""
        self.region(scope).snapshots.pop(snapshot_id, None)

    def turn(self, scope: Scope, instances: list[Instance], through: InstanceState, to: InstanceState) -> list[Shape]:
        """Move instances to a state by way of another one, and describe the change as EC2 does."""
        changes = []
        for instance in instances:
            before = instance.state
            if before not in (through, to, "terminated"):
                self.set_state(scope, instance.instance_id, through)
                self.cloud.kernel.after(TURNING, self._turned, scope, instance.instance_id, through, to)
            changes.append(
                {
                    "InstanceId": instance.instance_id,
                    "PreviousState": state_shape(before),
                    "CurrentState": state_shape(instance.state),
                }
            )
        return changes

    def _turned(self, scope: Scope, instance_id: str, through: InstanceState, to: InstanceState) -> None:
        if self.instance(scope, instance_id).state == through:
            self.set_state(scope, instance_id, to)

    def _new_volume(self, scope: Scope, instance: Instance, spec: VolumeSpec) -> Volume:
        region = self.region(scope)
        if not well_formed(VOLUME, spec.volume_id) or spec.volume_id in region.volumes:
            raise ValueError(f"volume id {spec.volume_id!r} is malformed or taken")
        if any(volume.device == spec.device for volume in instance.volumes):
            raise ValueError(f"{instance.instance_id} has a volume at {spec.device} already")
        volume = Volume(
            volume_id=spec.volume_id,
            device=spec.device,
            size_gib=spec.size_gib,
            encrypted=spec.encrypted or bool(spec.key_arn),
            key_arn=spec.key_arn,
            tags=dict(instance.tags if spec.tags is None else spec.tags),
            account=scope.account,
            region=scope.region,
            created_at=self.cloud.now,
            instance_id=instance.instance_id,
            status="attaching",
            attached_at=self.cloud.now,
        )
        region.volumes[spec.volume_id] = volume
        instance.volumes.append(volume)
        return volume

    def _attached(self, scope: Scope, volume_id: str) -> None:
        volume = self.region(scope).volumes.get(volume_id)
        if volume is not None and volume.status == "attaching":
            volume.status = "attached"

    def _boot(self, scope: Scope, instance: Instance) -> None:
        instance.rebooting, instance.booted_at = True, self.cloud.now
        instance.ready_at = self.cloud.now + BOOTING
        self.cloud.kernel.after(BOOTING, self._booted, scope, instance.instance_id)

    def _booted(self, scope: Scope, instance_id: str) -> None:
        instance = self.instance(scope, instance_id)
        if instance.ready_at is not None and self.cloud.now >= instance.ready_at:
            instance.rebooting, instance.ready_at = False, None

    def _delete_volumes(self, scope: Scope, instance: Instance) -> None:
        for volume in instance.volumes:
            del self.region(scope).volumes[volume.volume_id]
        instance.volumes.clear()
