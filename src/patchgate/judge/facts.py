"""Everything that a recorded history says and a promise asks for. Nothing here decides anything."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import datetime

from patchgate.judge.doings import Automation, Function, Install, Lease, Message, Said, Sent, Step, Window, Writing
from patchgate.judge.estate import Instance, Job, RecoveryPoint
from patchgate.judge.freezes import Calendar
from patchgate.judge.lane import Place
from patchgate.judge.spans import Changes, Cut

EvidenceOfLane = dict[tuple[str, str], list[Writing]]
"""(cycle, file name) -> its writings, in order."""
StepsByInstance = dict[tuple[Place, str], list[Step]]


@dataclass(slots=True)
class Facts:
    """Everything a history says that a promise asks for."""

    seqs: list[int] = field(default_factory=list)
    instants: list[datetime] = field(default_factory=list)
    instances: dict[Place, dict[str, Instance]] = field(default_factory=dict)
    jobs: dict[tuple[Place, str], list[Job]] = field(default_factory=dict)
    points: dict[str, RecoveryPoint] = field(default_factory=dict)
    leases: dict[tuple[Place, str], list[Lease]] = field(default_factory=dict)
    holds: dict[tuple[Place, str], list[tuple[Cut, str]]] = field(default_factory=dict)
    freezes: dict[tuple[Place, str], Changes[bool]] = field(default_factory=dict)
    calendars: dict[tuple[Place, str], Changes[Calendar | None]] = field(default_factory=dict)
    due: dict[tuple[Place, str], Changes[datetime | None]] = field(default_factory=dict)
    """(place, lane's path) -> the start of the window that the watchdog waits for."""
    unremembered: dict[tuple[Place, str], list[tuple[Cut, str]]] = field(default_factory=dict)
    """(place, lane's path) -> the cycles whose lease or hold was deleted."""
    told: dict[tuple[Place, str], list[Cut]] = field(default_factory=dict)
    """(place, lane's path) -> when a closed lease was marked told: from then on no close says again whom it left."""
    window_ids: dict[tuple[Place, str], Changes[str]] = field(default_factory=dict)
    windows: dict[Place, dict[str, Window]] = field(default_factory=dict)
    commands: dict[str, Sent] = field(default_factory=dict)
    sent: dict[Place, list[Sent]] = field(default_factory=dict)
    executions: dict[str, Automation] = field(default_factory=dict)
    installs: dict[Place, list[Install]] = field(default_factory=dict)
    automations: dict[tuple[Place, str], list[Automation]] = field(default_factory=dict)
    ends: StepsByInstance = field(default_factory=dict)
    refusals: StepsByInstance = field(default_factory=dict)
    named: StepsByInstance = field(default_factory=dict)
    said: dict[Place, list[Said]] = field(default_factory=dict)
    functions: dict[tuple[Place, str], Function] = field(default_factory=dict)
    messages: dict[Place, list[Message]] = field(default_factory=dict)
    evidence: dict[tuple[str, str, str, str], EvidenceOfLane] = field(default_factory=dict)
    """(operating system, environment, account, Region) -> the lane's evidence."""
    orphans: list[tuple[Cut, Place, str]] = field(default_factory=list)
    """Installs on instances that the history never launched."""

    @property
    def last(self) -> Cut | None:
        """The end of the history; None when it is empty."""
        return Cut(self.seqs[-1], self.instants[-1]) if self.seqs else None

    def cut_before(self, when: datetime) -> Cut:
        """The point at which everything before ``when`` has happened, and nothing of that very instant."""
        index = bisect_left(self.instants, when)
        return Cut(self.seqs[index - 1] if index else -1, when)

    def cut_at(self, when: datetime) -> Cut:
        """The point at which everything of ``when`` and before has happened, and nothing later."""
        index = bisect_right(self.instants, when)
        return Cut(self.seqs[index - 1] if index else -1, when)
