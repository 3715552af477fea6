"""What a run of a campaign takes place in: one lane with its machines, its names, and when its cycles fall due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING

from patchgate.emulator.assumptions import ClockReading
from patchgate.emulator.cloud import Scope

if TYPE_CHECKING:
    from patchgate.emulator.assumptions import Assumptions
    from patchgate.judge.lane import LaneFacts
    from patchgate.rehearsal.cycles import WindowSchedule
    from patchgate.rehearsal.outcome import RehearsedLane

Lengths = Mapping[str, Mapping[str, int]]
SETTLED = timedelta(hours=10)
"""How long after a cycle's close the next noon's watchdog is through: faults that end by then leave calm behind."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """One cycle of a lane: when its backup, its gate, its window and its close are due."""

    backup: datetime
    gate: datetime
    start: datetime
    end: datetime
    close: datetime


@dataclass(frozen=True, slots=True)
class Terrain:
    """One lane as faults must know it; ``lane`` and ``facts`` are the same lane for a summary and for the judge.

    ``instances`` are the ids of its machines; ``stray`` is one beside it, in no lane. ``programs`` maps what a fault
    calls a program ("open", "close", "prove") to the prefix of its processes' names, "" for every script step.
    ``schedules`` maps what a fault calls a schedule ("open", "close", "watchdog") to its name. ``stacks`` are the names
    of its stacks, the window's first. ``freezes`` are parameters whose presence freezes the lane. ``log_account``
    holds its log bucket, "": its own account. ``inputs`` is what each schedule hands its program, as Scheduler's Input.
    What a lane has not is left out or "": faults that need it do nothing there. ``calls`` maps a program ("open",
    "close", "watchdog", "prove") to how many calls one invocation makes on its longest path: of any kind ("any",
    "read", "write"), or of one operation ("s3:PutObject").

    ``cycles``, and what ``lane`` and ``facts`` say of windows, are as EventBridge Scheduler reads clock changes;
    ``windows`` are those of every reading.

    On templates of others ``limits`` are the acts that can do nothing, and ``unfit`` the faults, each with the reason.
    """

    scope: Scope
    lane: RehearsedLane
    facts: LaneFacts
    start: datetime
    end: datetime
    cycles: tuple[Cycle, ...]
    instances: tuple[str, ...]
    stray: str
    programs: Mapping[str, str]
    schedules: Mapping[str, str]
    inputs: Mapping[str, str]
    stacks: tuple[str, ...]
    bucket: str
    backup_role: str
    freezes: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    log_account: str = ""
    calls: Lengths = field(default_factory=dict)
    windows: Mapping[ClockReading, tuple[tuple[datetime, datetime], ...]] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)
    unfit: Mapping[str, str] = field(default_factory=dict)

    def under(self, assumptions: Assumptions) -> Terrain:
        """The same lane with the windows that are due under a reading of AWS: what summaries and the judge are told."""
        due = self.windows[assumptions.window_clock]
        return replace(self, lane=replace(self.lane, occurrences=due), facts=replace(self.facts, occurrences=due))

    @property
    def calendars(self) -> tuple[str, ...]:
        """The names of the change calendars that the lane obeys."""
        return self.facts.calendars

    @property
    def log_scope(self) -> Scope:
        """Where the log bucket is."""
        return replace(self.scope, account=self.log_account or self.scope.account)

    def seconds(self, when: datetime) -> int:
        """An instant as injections write it: whole seconds since the run's start."""
        return round((when - self.start).total_seconds())

    def calm_after(self, cycle: int) -> datetime:
        """From when on nothing is injected any more in a run whose storm lasts through that cycle."""
        return self.cycles[cycle].close + SETTLED


def every_reading(
    schedule: WindowSchedule, start: datetime, end: datetime
) -> dict[ClockReading, tuple[tuple[datetime, datetime], ...]]:
    """The windows that start between two instants, by each reading of clock changes."""
    return {
        clock: tuple(takewhile(lambda window: window[0] < end, schedule.windows(start, clock)))
        for clock in ClockReading.every()
    }
