"""What a rehearsal puts into a cloud without an AWS API: machines, how they behave, and what befalls them.

All of it is plain, frozen data. Instants are aware datetimes; durations carry their unit in their name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

InstanceState = Literal["pending", "running", "shutting-down", "terminated", "stopping", "stopped"]
BackupOutcome = Literal["COMPLETED", "FAILED", "ABORTED", "EXPIRED", "PARTIAL", "NONE"]


@dataclass(frozen=True, slots=True)
class VolumeSpec:
    """One EBS volume and the device name under which it is attached. ``tags`` None: those of its instance.

    ``key_arn`` is the key that it is encrypted with, "" for none or for one that AWS manages.
    """

    volume_id: str
    device: str
    size_gib: int = 8
    encrypted: bool = False
    tags: Mapping[str, str] | None = None
    key_arn: str = ""


@dataclass(frozen=True, slots=True)
class BackupBehaviour:
    """How AWS Backup fares with one instance.

    ``outcome`` NONE means that no job is ever made (the opt-in is off, or it is missed). ``minutes`` pass
    from the job's start to its end; EXPIRED never starts, PARTIAL leaves nothing behind. ``message_category`` is
    what a completed job says (SUCCESS, VSS_ERROR, ...), ``message`` the StatusMessage of a job that did not go well.
    """

    outcome: BackupOutcome = "COMPLETED"
    minutes: int = 25
    message_category: str = "SUCCESS"
    message: str = ""


@dataclass(frozen=True, slots=True)
class AgentBehaviour:
    """How the SSM agent of one instance fares. From ``offline_from`` to ``online_from`` it is silent."""

    ping: Literal["Online", "ConnectionLost", "Inactive"] = "Online"
    version: str = "3.3.2299.0"
    delivery_seconds: int = 2
    clock_skew_seconds: int = 0
    offline_from: datetime | None = None
    online_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Patch:
    """One missing update. ``fails`` is the reason that its installation fails with, or empty.

    ``released`` is when its vendor offers it from; None: since longer than any approval delay.
    """

    id: str
    title: str = ""
    classification: str = "Security"
    severity: str = "Important"
    reboot: bool = False
    fails: str = ""
    released: datetime | None = None


@dataclass(frozen=True, slots=True)
class InstanceSpec:
    """One machine. ``operating_system`` is SSM's value, for example ``AMAZON_LINUX_2``.

    The first volume is the root of an ``ebs`` instance. ``scan_minutes`` and ``install_minutes`` are how long
    the patch operations take on it. ``role_arn`` is the role of its instance profile, with which the agent writes
    what a command put out; "" leaves that to nobody's permission. ``volume_backups`` says by their ids how AWS Backup
    fares with single volumes; others fare as the machine does.
    """

    instance_id: str
    name: str
    operating_system: str
    platform_type: Literal["Linux", "Windows"]
    tags: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[VolumeSpec, ...] = ()
    state: InstanceState = "running"
    root_device: Literal["ebs", "instance-store"] = "ebs"
    agent: AgentBehaviour = AgentBehaviour()
    backup: BackupBehaviour = BackupBehaviour()
    patches: tuple[Patch, ...] = ()
    scan_minutes: int = 2
    install_minutes: int = 12
    role_arn: str = ""
    volume_backups: Mapping[str, BackupBehaviour] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VolumeAttachment:
    """A volume that is attached during the run."""

    at: datetime
    instance_id: str
    volume: VolumeSpec


@dataclass(frozen=True, slots=True)
class InstanceStateChange:
    """An instance that changes its state during the run."""

    at: datetime
    instance_id: str
    state: InstanceState
