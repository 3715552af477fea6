"""What came of a rehearsal, as values: what was deployed, what each lane did, what became of each instance."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from patchgate.judge.violation import Violation

_OVERTIME = timedelta(hours=6)
SCHEMA = 1
"""The version of the JSON that a result is written as."""

Status = Literal["patched", "patched-pending-reboot", "denied", "failed", "unreachable", "skipped"]
SpanKind = Literal["backup", "gate", "window", "scan", "install", "close"]


@dataclass(frozen=True, slots=True)
class RehearsedLane:
    """One lane as a summary must know it: how people call it, and the names under which AWS knows its parts.

    ``zone`` is an IANA name. ``occurrences`` are the (start, end) of its windows that fell due in the run. ``tags`` are
    what makes a machine one of the lane's, where that is not patchgate's two tags.
    """

    name: str
    account: str
    region: str
    operating_system: str
    environment: str
    zone: str
    vault: str
    window_name: str
    patch_group: str
    open_function: str
    close_function: str
    occurrences: tuple[tuple[datetime, datetime], ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    def boundaries(self) -> tuple[datetime, ...]:
        """Where one cycle ends and the next begins, ascending: one less than there are occurrences.

        A cycle has six hours after its window, for its close and for what is late; where windows follow each other
        sooner, it has half of the time between them.
        """
        windows = pairwise(sorted(self.occurrences))
        return tuple(end + min(_OVERTIME, (begin - end) / 2) for (_, end), (begin, _) in windows)


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of an instance's or a lane's timeline."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class InstanceOutcome:
    """What became of one instance in the last cycle of a run.

    ``reason`` is a code of ``domain.reasons`` ("" when it was patched and nothing is left to do), ``fault``
    its F-number, ``detail`` the particulars in the words of whoever gave them. Both ``name`` and ``detail``
    come from outside and may hold anything.
    """

    instance: str
    name: str
    status: Status
    reason: str = ""
    fault: str = ""
    meaning: str = ""
    detail: str = ""
    next_step: str = ""
    timeline: tuple[Moment, ...] = ()

    @property
    def is_patched(self) -> bool:
        return self.status in ("patched", "patched-pending-reboot")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a lane's cycle. A gate's or a close's is as short as the function ran."""

    kind: SpanKind
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class LaneVerdict:
    """What the gate decided: open, hold, or none when no gate spoke. ``reason`` is a code of
    ``domain.reasons``.
    """

    decision: Literal["open", "hold", "none"]
    reason: str = ""
    detail: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LaneResult:
    """What one lane did. ``spans`` are of the whole run, ``verdict`` and ``instances`` of its last cycle."""

    lane: RehearsedLane
    verdict: LaneVerdict
    spans: tuple[Span, ...] = ()
    instances: tuple[InstanceOutcome, ...] = ()
    timeline: tuple[Moment, ...] = ()
    cycles: int = 1

    def count(self, *statuses: Status) -> int:
        """How many of its instances ended in one of the statuses."""
        return sum(instance.status in statuses for instance in self.instances)

    def last_spans(self) -> tuple[Span, ...]:
        """The spans of the last cycle."""
        boundaries = self.lane.boundaries()
        return tuple(span for span in self.spans if not boundaries or span.start > boundaries[-1])

    @property
    def patched(self) -> int:
        return sum(instance.is_patched for instance in self.instances)


@dataclass(frozen=True, slots=True)
class Contrast:
    """The same world under a gate that counts completed jobs. Both counts are of instances."""

    patched_without_way_back: int
    naive_patched_without_way_back: int
    naive_patched: int


@dataclass(frozen=True, slots=True)
class RehearsalResult:
    """Everything that a rehearsal has to say. ``elapsed_seconds`` is real time, all instants are virtual.

    ``history`` is the run's record, one JSON object a line.
    """

    seed: int
    start: datetime
    end: datetime
    lanes: tuple[LaneResult, ...]
    events: int
    stacks: int
    resources: int
    violations: tuple[Violation, ...] = ()
    windows_left_open: int = 0
    contrast: Contrast | None = None
    elapsed_seconds: float = 0.0
    fleet: str = ""
    history: str = field(default="", repr=False)
    schema: int = SCHEMA

    @property
    def cycles(self) -> int:
        """How many cycles were rehearsed, over all lanes."""
        return sum(lane.cycles for lane in self.lanes)

    @property
    def rounds(self) -> int:
        """How many cycles each lane went through; of the lane that went through most."""
        return max((lane.cycles for lane in self.lanes), default=0)

    @property
    def held(self) -> bool:
        """Whether every promise was kept."""
        return not self.violations and not self.windows_left_open

    def instances(self) -> tuple[tuple[LaneResult, InstanceOutcome], ...]:
        """Every instance with its lane."""
        return tuple((lane, instance) for lane in self.lanes for instance in lane.instances)

    def counts(self) -> Counter[Status]:
        """How many instances ended in each status."""
        return Counter(instance.status for _, instance in self.instances())
