"""The live objects of EC2 and the shapes in which AWS describes them.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Types.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from patchgate.emulator.cloud import partition_of
from patchgate.emulator.world import InstanceSpec, InstanceState

Shape = dict[str, Any]

STATE_CODES: dict[InstanceState, int] = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Tags as EC2 lists them, by key."""
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]


def state_shape(state: InstanceState) -> Shape:
    """An instance's state as EC2 writes it."""
    return {"Code": STATE_CODES[state], "Name": state}


@dataclass(slots=True)
class Volume:
    """One EBS volume. ``status`` is that of its attachment, "" while it belongs to no instance."""

    volume_id: str
    device: str
    size_gib: int
    encrypted: bool
    tags: dict[str, str]
    account: str
    region: str
    created_at: datetime
    instance_id: str = ""
    status: Literal["attaching", "attached", ""] = ""
    attached_at: datetime | None = None
    key_arn: str = ""

    @property
    def arn(self) -> str:
        return f"arn:{partition_of(self.region)}:ec2:{self.region}:{self.account}:volume/{self.volume_id}"

    def shape(self) -> Shape:
        """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Volume.html"""
        attachment = {
            "VolumeId": self.volume_id,
            "InstanceId": self.instance_id,
            "Device": self.device,
            "State": self.status,
            "AttachTime": self.attached_at,
            "DeleteOnTermination": True,
        }
        return {
            "VolumeId": self.volume_id,
            "Size": self.size_gib,
            "State": "in-use" if self.instance_id else "available",
            "Encrypted": self.encrypted,
            "VolumeType": "gp3",
            "AvailabilityZone": f"{self.region}a",
            "CreateTime": self.created_at,
            "Attachments": [attachment] if self.instance_id else [],
            "Tags": tag_list(self.tags),
            **({"KmsKeyId": self.key_arn} if self.key_arn else {}),
        }


@dataclass(slots=True)
class Instance:
    """One live instance.

    ``volumes`` are the attached ones in order of attachment, those still attaching too. ``rebooting`` is
    true from a reboot or a start until the status checks pass again; nothing on the instance answers
    meanwhile. ``impaired`` is a machine whose status checks fail for good.
    """

    spec: InstanceSpec
    account: str
    region: str
    state: InstanceState
    tags: dict[str, str]
    image_id: str
    reservation_id: str
    private_ip: str
    launched_at: datetime
    volumes: list[Volume] = field(default_factory=list)
    rebooting: bool = False
    impaired: bool = False
    ready_at: datetime | None = None
    booted_at: datetime | None = None
    terminated_at: datetime | None = None

    @property
    def instance_id(self) -> str:
        return self.spec.instance_id

    @property
    def arn(self) -> str:
        return f"arn:{partition_of(self.region)}:ec2:{self.region}:{self.account}:instance/{self.instance_id}"

    @property
    def root_device_name(self) -> str:
        """The first volume's device, or the platform's usual name."""
        if self.spec.root_device == "ebs" and self.spec.volumes:
            return self.spec.volumes[0].device
        return "/dev/sda1" if self.spec.platform_type == "Windows" else "/dev/xvda"

    def mappings(self) -> list[Shape]:
        """The block device mappings of DescribeInstances: EBS volumes only, as in AWS."""
        return [
            {
                "DeviceName": volume.device,
                "Ebs": {
                    "VolumeId": volume.volume_id,
                    "Status": volume.status,
                    "AttachTime": volume.attached_at,
                    "DeleteOnTermination": True,
                },
            }
            for volume in self.volumes
        ]

    def shape(self) -> Shape:
        """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html"""
        windows = self.spec.platform_type == "Windows"
        shape: Shape = {
            "InstanceId": self.instance_id,
            "ImageId": self.image_id,
            "InstanceType": "m5.large",
            "Architecture": "x86_64",
            "State": state_shape(self.state),
            "LaunchTime": self.launched_at,
            "Placement": {"AvailabilityZone": f"{self.region}a", "GroupName": "", "Tenancy": "default"},
            "PlatformDetails": "Windows" if windows else "Linux/UNIX",
            "PrivateIpAddress": self.private_ip,
            "RootDeviceName": self.root_device_name,
            "RootDeviceType": self.spec.root_device,
            "BlockDeviceMappings": self.mappings(),
            "StateTransitionReason": "",
            "Tags": tag_list(self.tags),
        }
        if windows:
            shape["Platform"] = "windows"
        return shape

    def status_shape(self) -> Shape:
        """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceStatus.html"""
        if self.state != "running":
            health = "not-applicable"
        elif self.rebooting:
            health = "initializing"
        else:
            health = "impaired" if self.impaired else "ok"
        reached = {"ok": "passed", "impaired": "failed", "initializing": "initializing"}.get(health)
        details = [{"Name": "reachability", "Status": reached}] if reached else []
        return {
            "InstanceId": self.instance_id,
            "AvailabilityZone": f"{self.region}a",
            "InstanceState": state_shape(self.state),
            "InstanceStatus": {"Status": health, "Details": details},
            "SystemStatus": {
                "Status": health if health in ("not-applicable", "initializing") else "ok",
                "Details": [{"Name": "reachability", "Status": "passed"}] if health in ("ok", "impaired") else details,
            },
        }


@dataclass(slots=True)
class Snapshot:
    """One EBS snapshot. ``owner_service`` is "backup" for those that only AWS Backup may delete."""

    snapshot_id: str
    volume_id: str
    size_gib: int
    encrypted: bool
    account: str
    started_at: datetime
    description: str = ""
    completed_at: datetime | None = None
    tags: dict[str, str] = field(default_factory=dict)
    owner_service: str = ""

    def shape(self) -> Shape:
        """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Snapshot.html"""
        shape: Shape = {
            "SnapshotId": self.snapshot_id,
            "VolumeId": self.volume_id,
            "VolumeSize": self.size_gib,
            "Encrypted": self.encrypted,
            "OwnerId": self.account,
            "Description": self.description,
            "StartTime": self.started_at,
            "State": "completed" if self.completed_at else "pending",
            "Progress": "100%" if self.completed_at else "0%",
            "StorageTier": "standard",
            "Tags": tag_list(self.tags),
        }
        if self.completed_at:
            shape["CompletionTime"] = self.completed_at
        return shape


@dataclass(slots=True)
class Image:
    """One machine image. ``mappings`` are (device, snapshot id or ephemeral name) in order."""

    image_id: str
    name: str
    account: str
    region: str
    created_at: datetime
    root_device_name: str
    platform_type: str
    source_instance_id: str
    mappings: list[tuple[str, str]]
    state: Literal["pending", "available"] = "pending"
    tags: dict[str, str] = field(default_factory=dict)
    owner_service: str = ""

    @property
    def snapshot_ids(self) -> list[str]:
        return [what for _, what in self.mappings if what.startswith("snap-")]

    def shape(self, snapshots: dict[str, Snapshot]) -> Shape:
        """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Image.html"""
        windows = self.platform_type == "Windows"
        shape: Shape = {
            "ImageId": self.image_id,
            "Name": self.name,
            "ImageLocation": f"{self.account}/{self.name}",
            "ImageType": "machine",
            "OwnerId": self.account,
            "Public": False,
            "State": self.state,
            "Architecture": "x86_64",
            "CreationDate": self.created_at.strftime("%Y-%m-%dT%H:%M:%S.")
            + f"{self.created_at.microsecond // 1000:03d}Z",
            "PlatformDetails": "Windows" if windows else "Linux/UNIX",
            "RootDeviceName": self.root_device_name,
            "RootDeviceType": "ebs",
            "SourceInstanceId": self.source_instance_id,
            "VirtualizationType": "hvm",
            "BlockDeviceMappings": [_image_mapping(device, what, snapshots) for device, what in self.mappings],
            "Tags": tag_list(self.tags),
        }
        if windows:
            shape["Platform"] = "windows"
        return shape


def _image_mapping(device: str, what: str, snapshots: dict[str, Snapshot]) -> Shape:
    snapshot = snapshots.get(what)
    if snapshot is None:
        return {"DeviceName": device, "VirtualName": what}
    return {
        "DeviceName": device,
        "Ebs": {
            "SnapshotId": what,
            "VolumeSize": snapshot.size_gib,
            "VolumeType": "gp3",
            "Encrypted": snapshot.encrypted,
            "DeleteOnTermination": True,
        },
    }
