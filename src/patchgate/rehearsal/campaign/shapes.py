"""The standard lanes of campaigns: small, and each with something that a fault can meet.

Most are daily, so that three cycles are three days; windows and backups at clock changes, the shipped weekly defaults,
the source document's way of counting, schedules that do not meet and a lane whose window is too short are among them.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from patchgate.config import FleetConfig

ACCOUNT = "111111111111"
LOG_ACCOUNT = "222222222222"
ORGANIZATION = "o-a1b2c3d4e5"
_DAILY = {
    "BackupSchedule": "cron(0 19 * * ? *)",
    "CheckBackUpJobAndEnableMaintenanceWindow": "cron(30 22 * * ? *)",
    "MaintenanceWindowCronSchedule": "cron(0 23 * * ? *)",
    "DisableMaintenanceWindow": "cron(10 4 * * ? *)",
}
_NIGHTLY = {
    "BackupSchedule": "cron(0 21 * * ? *)",
    "CheckBackUpJobAndEnableMaintenanceWindow": "cron(15 1 * * ? *)",
    "MaintenanceWindowCronSchedule": "cron(30 2 * * ? *)",
    "DisableMaintenanceWindow": "cron(45 5 * * ? *)",
}
_MORNINGLY = {
    "BackupSchedule": "cron(30 2 * * ? *)",
    "CheckBackUpJobAndEnableMaintenanceWindow": "cron(45 6 * * ? *)",
    "MaintenanceWindowCronSchedule": "cron(15 7 * * ? *)",
    "DisableMaintenanceWindow": "cron(30 10 * * ? *)",
}
# Lanes with a clock change begin two nights before it: the first run of each schedule is planned at the deployment,
# before a seed has drawn how AWS reads the change.


@dataclass(frozen=True, slots=True)
class ForeignStack:
    """A stack that somebody else wrote. Values ``${stack.Output}`` are outputs of stacks that come before it."""

    name: str
    template: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shape:
    """One lane for runs: ``parameters`` are the templates', ``start`` is when a run begins.

    With ``stacks``, those are deployed instead of patchgate's templates. ``log_account`` holds the log bucket ("": the
    lane's own), of the same organization. ``keyed``: bucket, topic, queue and vault have customer keys.

    ``weight`` is how often the seed picks it, beside the others'. ``lively`` says that healthy machines are patched
    there: not where schedules do not meet, or where the window is too short for all.
    """

    name: str
    says: str
    account: str = ACCOUNT
    region: str = "eu-central-1"
    os: str = "amazonlinux"
    env: str = "prd"
    parameters: Mapping[str, str] = field(default_factory=dict)
    start: datetime = datetime(2026, 7, 10, 12, tzinfo=UTC)
    weight: int = 4
    lively: bool = True
    log_account: str = ""
    keyed: bool = False
    stacks: tuple[ForeignStack, ...] = ()


SHAPES: tuple[Shape, ...] = (
    Shape("daily", "every night; coverage", parameters=_DAILY, weight=20),
    Shape("weekly", "the shipped defaults: Saturdays", weight=6),
    Shape(
        "counting",
        "the source document's gate: a number of completed jobs; Windows, no reboots",
        os="windows",
        parameters=_DAILY | {"GateMode": "threshold", "BackupJobThreshold": "2", "InstallRebootOption": "NoReboot"},
        weight=8,
    ),
    Shape(
        "volumes",
        "volumes are backed up instead of instances; half of the machines are enough for the gate",
        os="ubuntu",
        parameters=_DAILY | {"BackupResources": "volumes", "MinimumCoveragePercent": "50"},
        weight=6,
    ),
    Shape(
        "calendar",
        "two change calendars, half of the machines at once, half of them needed",
        parameters=_DAILY
        | {
            "FreezeCalendars": "patchgate-freeze,patchgate-holidays",
            "InstallMaxConcurrency": "50%",
            "MinimumCoveragePercent": "50",
        },
        weight=6,
    ),
    Shape(
        "autumn",
        "a window that starts in the hour that occurs twice: Berlin, 25 October 2026",
        parameters=_NIGHTLY,
        start=datetime(2026, 10, 23, 10, tzinfo=UTC),
        weight=5,
    ),
    Shape(
        "autumn-backup",
        "a backup in the hour that occurs twice; a gate that is due half of its lead before the window",
        parameters=_MORNINGLY | {"MaximumLeadMinutes": "60"},
        start=datetime(2026, 10, 23, 10, tzinfo=UTC),
        weight=4,
    ),
    Shape(
        "spring",
        "a window that starts in the hour that does not exist, and a close before its end: Berlin, 29 March 2026",
        parameters=_NIGHTLY | {"DisableMaintenanceWindow": "cron(15 5 * * ? *)"},
        start=datetime(2026, 3, 27, 10, tzinfo=UTC),
        weight=5,
        lively=False,
    ),
    Shape(
        "spring-backup",
        "a backup in the hour that does not exist: perhaps there is none that night",
        parameters=_MORNINGLY,
        start=datetime(2026, 3, 27, 10, tzinfo=UTC),
        weight=4,
        lively=False,
    ),
    Shape(
        "edge",
        "the look-back ends in the minute of the backup; proofs are old when the window ends",
        parameters=_DAILY
        | {
            "CheckBackUpJobAndEnableMaintenanceWindow": "cron(0 22 * * ? *)",
            "LookBackHours": "3",
            "MaximumProofAgeMinutes": "300",
        },
        weight=6,
        lively=False,
    ),
    Shape(
        "unmet",
        "the gate is due after the window has begun, the close in its first minute",
        parameters=_DAILY
        | {
            "CheckBackUpJobAndEnableMaintenanceWindow": "cron(5 23 * * ? *)",
            "DisableMaintenanceWindow": "cron(0 23 * * ? *)",
        },
        weight=3,
        lively=False,
    ),
    Shape(
        "narrow",
        "one machine at a time, in a window of one hour before its cutoff; the gate is due its whole lead before it",
        parameters=_DAILY
        | {
            "CheckBackUpJobAndEnableMaintenanceWindow": "cron(0 22 * * ? *)",
            "InstallMaxConcurrency": "1",
            "MaintenanceWindowDuration": "2",
            "MaximumLeadMinutes": "60",
        },
        weight=4,
        lively=False,
    ),
    Shape(
        "thrifty",
        "Fridays' backups for the windows of the day after; they may be two days old, and are kept for one: some "
        "expire in time",
        parameters={
            "BackupSchedule": "cron(0 20 ? * FRI *)",
            "CheckBackUpJobAndEnableMaintenanceWindow": "cron(30 22 ? * SAT *)",
            "MaintenanceWindowCronSchedule": "cron(0 23 ? * FRI *)",
            "MaintenanceWindowScheduleOffset": "1",
            "DisableMaintenanceWindow": "cron(10 4 ? * SUN *)",
            "LookBackHours": "36",
            "MaximumProofAgeMinutes": "2880",
            "RetentionDays": "1",
        },
        weight=4,
        lively=False,
    ),
    Shape(
        "lenient",
        "a quarter of the machines is enough for the gate: what one has not does not hold the others' installs",
        parameters=_DAILY | {"MinimumCoveragePercent": "25"},
        weight=20,
    ),
    Shape(
        "shared-logs",
        "the log bucket in another account, customer keys, two waived categories, half of the machines are enough; a "
        "watchdog at noon and while the window runs",
        parameters=_DAILY
        | {
            "MinimumCoveragePercent": "50",
            "WaivedMessageCategories": "VSS_ERROR,NONE",
            "WatchdogSchedule": "cron(5 12,23 * * ? *)",
        },
        weight=8,
        log_account=LOG_ACCOUNT,
        keyed=True,
    ),
)
"""Every standard lane, by its weight the seed's choice."""


def pick_shape(coins: random.Random, shapes: tuple[Shape, ...] = SHAPES) -> Shape:
    """One of them, by their weights."""
    return coins.choices(shapes, weights=[shape.weight for shape in shapes])[0]


def shapes_of(fleet: FleetConfig) -> tuple[Shape, ...]:
    """The lanes of a fleet file as shapes, each as likely as the others; their machines are the standard ones."""
    return tuple(
        Shape(
            name=lane.lane.name,
            says="of the fleet file",
            account=lane.lane.account,
            region=lane.lane.region,
            os=lane.lane.os,
            env=lane.lane.env,
            log_account=fleet.log_account,
            parameters=dict(lane.parameters),
        )
        for lane in fleet.lanes()
    )
