"""Maintenance windows, their targets and tasks, and their executions, as plain data.

https://docs.aws.amazon.com/systems-manager/latest/userguide/maintenance-windows.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from patchgate.emulator.clock_changes import read_occurrences
from patchgate.emulator.cloud import Scope
from patchgate.emulator.kernel import Event
from patchgate.emulator.ssm_constraints import instant
from patchgate.schedule import parse

if TYPE_CHECKING:
    from patchgate.emulator.assumptions import ClockReading

Status = Literal[
    "PENDING", "IN_PROGRESS", "SUCCESS", "FAILED", "TIMED_OUT", "CANCELLING", "CANCELLED", "SKIPPED_OVERLAPPING"
]
FINAL = frozenset({"SUCCESS", "FAILED", "TIMED_OUT", "CANCELLED", "SKIPPED_OVERLAPPING"})
Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WindowTimes:
    """When a window starts: its schedule, its zone and offset, and the dates between which it starts at all.

    ``created`` is when it was; a rate counts from there, or from a later ``begins``.
    https://docs.aws.amazon.com/systems-manager/latest/userguide/maintenance-windows-schedule-options.html
    """

    expression: str
    zone: str
    offset_days: int = 0
    created: datetime | None = None
    begins: datetime | None = None
    ends: datetime | None = None

    def after(self, after: datetime, clock: ClockReading) -> Iterator[datetime]:
        """The starts after an instant (exclusive), ascending, by that reading of clock changes."""
        anchor = max((each for each in (self.created, self.begins) if each), default=None)
        starts = read_occurrences(
            parse(self.expression, "ssm"), self.zone, after, clock, offset_days=self.offset_days, anchor=anchor
        )
        for when in starts:
            if self.ends is not None and when > self.ends:
                return
            if self.begins is None or when >= self.begins:
                yield when


def window_times(settings: Settings, created: datetime) -> WindowTimes:
    """Those of a window with such settings: what CreateMaintenanceWindow is given, or GetMaintenanceWindow answers."""
    begins, ends = (instant(str(settings[key]), key) if settings.get(key) else None for key in ("StartDate", "EndDate"))
    zone, offset = settings.get("ScheduleTimezone") or "UTC", settings.get("ScheduleOffset") or 0
    return WindowTimes(settings["Schedule"], zone, offset, created, begins, ends)


@dataclass(slots=True)
class WindowTarget:
    """One registered target; ``settings`` are the request's members."""

    target_id: str
    settings: Settings

    def shape(self, window_id: str) -> dict[str, Any]:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_MaintenanceWindowTarget.html"""
        return {"WindowId": window_id, "WindowTargetId": self.target_id, **self.settings}


@dataclass(slots=True)
class WindowTask:
    """One registered task; ``settings`` are the request's members."""

    task_id: str
    settings: Settings

    @property
    def kind(self) -> str:
        return str(self.settings["TaskType"])

    @property
    def priority(self) -> int:
        return int(self.settings.get("Priority") or 0)

    @property
    def cancels_at_cutoff(self) -> bool:
        return self.settings.get("CutoffBehavior") == "CANCEL_TASK"


@dataclass(slots=True)
class Window:
    """One window. ``settings`` are the members of CreateMaintenanceWindow; ``timer`` is its next start."""

    window_id: str
    scope: Scope
    settings: Settings
    created: datetime
    modified: datetime
    enabled: bool = True
    targets: dict[str, WindowTarget] = field(default_factory=dict)
    tasks: dict[str, WindowTask] = field(default_factory=dict)
    timer: Event | None = None

    @property
    def name(self) -> str:
        return str(self.settings["Name"])


@dataclass(slots=True)
class Unit:
    """One invocation of a task: an automation for one machine, or a command to all machines of one target."""

    invocation_id: str
    window_target_id: str
    instance_ids: list[str]
    owner_information: str = ""
    status: Status = "PENDING"
    details: str = ""
    execution_id: str = ""
    parameters: str = ""
    started: datetime | None = None
    ended: datetime | None = None

    def shape(self, execution: Execution, task: TaskExecution) -> dict[str, Any]:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_MaintenanceWindowExecutionTaskInvocationIdentity.html"""
        optional = {
            "ExecutionId": self.execution_id,
            "Parameters": self.parameters,
            "StatusDetails": self.details,
            "StartTime": self.started,
            "EndTime": self.ended,
            "OwnerInformation": self.owner_information,
            "WindowTargetId": self.window_target_id,
        }
        return {
            "WindowExecutionId": execution.execution_id,
            "TaskExecutionId": task.task_execution_id,
            "InvocationId": self.invocation_id,
            "TaskType": task.kind,
            "Status": self.status,
        } | {key: value for key, value in optional.items() if value}


@dataclass(slots=True)
class TaskExecution:
    """One run of a task. ``stopped`` says that no further invocation is to begin.

    Its invocations change by ``take``, ``begin``, ``end`` and ``stop``, which count: ``unfinished`` are those that have
    not ended, ``running`` those of them that have begun, ``errors`` failures that count against MaxErrors; none before
    ``next_unit`` is still to begin.
    """

    task_execution_id: str
    task_id: str
    settings: Settings
    priority: int
    cancels_at_cutoff: bool
    status: Status = "PENDING"
    details: str = ""
    units: list[Unit] = field(default_factory=list)
    concurrency: int = 1
    allowed_errors: int = 0
    stopped: bool = False
    started: datetime | None = None
    ended: datetime | None = None
    unfinished: int = 0
    running: int = 0
    errors: int = 0
    next_unit: int = 0

    @property
    def kind(self) -> str:
        return str(self.settings["TaskType"])

    @property
    def final(self) -> bool:
        return self.status in FINAL

    def take(self, units: list[Unit]) -> None:
        """These are the invocations, none begun yet."""
        self.units, self.unfinished = units, len(units)

    def first_pending(self) -> Unit | None:
        """The first invocation that has not begun."""
        while self.next_unit < len(self.units):
            unit = self.units[self.next_unit]
            if unit.status == "PENDING":
                return unit
            self.next_unit += 1
        return None

    def begin(self, unit: Unit, now: datetime) -> None:
        """An invocation begins."""
        unit.status, unit.started = "IN_PROGRESS", now
        self.running += 1

    def end(self, unit: Unit, status: Status, details: str, now: datetime) -> None:
        """An invocation ends, begun or not."""
        self.running -= unit.status == "IN_PROGRESS"
        self.unfinished -= 1
        unit.status, unit.details, unit.ended = status, details, now
        self.errors += status == "FAILED" or (status == "TIMED_OUT" and unit.started is not None)

    def stop(self, status: Status, details: str, now: datetime) -> None:
        """Begin no further invocation; those that never began end here."""
        self.stopped = True
        for unit in self.units:
            if unit.status == "PENDING":
                self.end(unit, status, details, now)

    def outcome(self) -> Status:
        """The status once every invocation is final; the worst of them."""
        found = {unit.status for unit in self.units}
        order: tuple[Status, ...] = ("TIMED_OUT", "FAILED", "CANCELLED")
        return next((status for status in order if status in found), "SUCCESS")

    def shape(self, execution: Execution) -> dict[str, Any]:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_MaintenanceWindowExecutionTaskIdentity.html"""
        optional = {"StatusDetails": self.details, "StartTime": self.started, "EndTime": self.ended}
        return {
            "WindowExecutionId": execution.execution_id,
            "TaskExecutionId": self.task_execution_id,
            "Status": self.status,
            "TaskArn": self.settings["TaskArn"],
            "TaskType": self.kind,
        } | {key: value for key, value in optional.items() if value}


@dataclass(slots=True)
class Execution:
    """One run of a window; ``tasks`` are those that it had when it began."""

    execution_id: str
    window: Window
    scope: Scope
    started: datetime
    cutoff: datetime
    end: datetime
    tasks: list[TaskExecution] = field(default_factory=list)
    status: Status = "IN_PROGRESS"
    details: str = ""
    ended: datetime | None = None
    cancelled: bool = False

    @property
    def final(self) -> bool:
        return self.status in FINAL

    def shape(self) -> dict[str, Any]:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_MaintenanceWindowExecution.html"""
        optional = {"StatusDetails": self.details, "StartTime": self.started, "EndTime": self.ended}
        return {
            "WindowId": self.window.window_id,
            "WindowExecutionId": self.execution_id,
            "Status": self.status,
        } | {key: value for key, value in optional.items() if value}
