"""What a recorded history says, as values.

Everything is indexed by the sequence number of the record that made it true, so that questions are asked *as
of* a record and events of one instant keep their order. Nothing here decides anything; ``reading`` fills it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Place = tuple[str, str]
"""(account, Region)"""

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class LaneFacts:
    """One lane, as the judge must know it: where it is, and how fresh and how early its proofs must be.

    ``window_id`` may be "" where only the name is known. ``vault`` "" accepts every vault. ``occurrences``
    are the (start, end) of every window that fell due in the run; when there are none the judge takes them
    from the leases and from the windows' executions, and cannot see a cycle that left no trace. ``end`` is
    the present instant at the end of the run; None is the instant of the last record.
    """

    account: str
    region: str
    operating_system: str
    environment: str
    vault: str
    window_name: str
    patch_group: str
    window_id: str = ""
    backup_resources: str = "instances"
    maximum_proof_age: timedelta = timedelta(minutes=720)
    proof_read_within: timedelta = timedelta(seconds=120)
    waived_message_categories: tuple[str, ...] = ()
    occurrences: tuple[tuple[datetime, datetime], ...] = ()
    end: datetime | None = None

    @property
    def place(self) -> Place:
        return self.account, self.region

    @property
    def suffix(self) -> str:
        """How the names of the lane's functions and topics end."""
        return f"-{self.operating_system}-{self.environment}"

    @property
    def parameter_path(self) -> str:
        """Where the lane keeps its leases and its freeze."""
        return f"/patchgate/{self.operating_system}/{self.environment}/"


@dataclass(frozen=True, slots=True)
class Cut:
    """A point in a history: everything up to and including record ``seq`` has happened, and it is ``at``."""

    seq: int
    at: datetime


class Changes(Generic[_Value]):
    """A value over time: what it became, and with which record."""

    __slots__ = ("seqs", "values")

    def __init__(self) -> None:
        self.seqs: list[int] = []
        self.values: list[_Value] = []

    def add(self, seq: int, value: _Value) -> None:
        self.seqs.append(seq)
        self.values.append(value)

    def as_of(self, seq: int) -> _Value | None:
        """The value after record ``seq``; None while there was none."""
        index = bisect_right(self.seqs, seq)
        return self.values[index - 1] if index else None


@dataclass(slots=True)
class Instance:
    """One EC2 instance and what became of it."""

    account: str
    region: str
    instance: str
    name: str
    tags: Mapping[str, str]
    root_device: str
    launched: int
    volumes: Changes[frozenset[str]] = field(default_factory=Changes)
    states: Changes[str] = field(default_factory=Changes)

    @property
    def place(self) -> Place:
        return self.account, self.region


@dataclass(slots=True)
class RecoveryPoint:
    """A completed backup. ``resource`` is an instance's or a volume's id, ``oldest`` the first snapshot's
    start.
    """

    arn: str
    vault: str
    resource: str
    category: str
    volumes: frozenset[str]
    oldest: datetime | None
    completed: int
    deleted: int | None = None

    def exists(self, seq: int) -> bool:
        """Whether it is there after record ``seq``."""
        return self.completed <= seq and (self.deleted is None or self.deleted > seq)


@dataclass(slots=True)
class Lease:
    """One ``.../open`` parameter: ``opened`` and ``closed`` are records, instants are those it carries."""

    path: str
    cycle: str
    opened: Cut
    version: int
    window_start: datetime
    window_end: datetime
    admit_until: datetime
    closed: int | None = None
    deleted: int | None = None

    def is_open(self, seq: int) -> bool:
        """Whether it is open after record ``seq``, whatever the time."""
        return self.opened.seq <= seq and all(end is None or end > seq for end in (self.closed, self.deleted))


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was started or ended for one instance."""

    seq: int
    at: datetime
    place: Place
    instance: str
    command: str = ""
    status: str = ""
    reason: str = ""
    """Why it did not lead to a patched instance; "" when nothing says so."""


StepsByInstance = dict[tuple[Place, str], list[Step]]


@dataclass(slots=True)
class Window:
    """One maintenance window: enabled or not over time, and when its executions started and ended."""

    window: str
    place: Place
    name: str
    enabled: Changes[bool] = field(default_factory=Changes)
    changes: list[tuple[Cut, bool]] = field(default_factory=list)
    executions: list[tuple[datetime, str]] = field(default_factory=list)
    ended: list[datetime] = field(default_factory=list)


@dataclass(slots=True)
class Facts:
    """Everything a history says that a promise asks for."""

    last: Cut | None = None
    records: list[tuple[int, datetime]] = field(default_factory=list)
    instances: dict[tuple[Place, str], Instance] = field(default_factory=dict)
    recovery_points: dict[tuple[Place, str], list[RecoveryPoint]] = field(default_factory=dict)
    leases: dict[tuple[Place, str], list[Lease]] = field(default_factory=dict)
    holds: dict[tuple[Place, str], list[tuple[Cut, str]]] = field(default_factory=dict)
    freezes: dict[tuple[Place, str], Changes[bool]] = field(default_factory=dict)
    windows: dict[tuple[Place, str], Window] = field(default_factory=dict)
    installs: list[Step] = field(default_factory=list)
    ends: StepsByInstance = field(default_factory=dict)
    refusals: StepsByInstance = field(default_factory=dict)
    named: StepsByInstance = field(default_factory=dict)
    broken_functions: list[tuple[datetime, Place, str]] = field(default_factory=list)
    evidence: dict[str, int] = field(default_factory=dict)
    orphans: list[tuple[Cut, Place, str]] = field(default_factory=list)
    """Installs on instances that the history never launched."""

    def cut_at(self, when: datetime) -> Cut:
        """The point at which everything of ``when`` and before has happened, and nothing later."""
        index = bisect_right(self.records, when, key=lambda record: record[1])
        return Cut(self.records[index - 1][0] if index else -1, when)

    def between(self, after: int, before: int) -> Iterator[tuple[int, datetime]]:
        """The (seq, instant) of the records after one and before another, latest first."""
        low = bisect_right(self.records, after, key=lambda record: record[0])
        high = bisect_left(self.records, before, key=lambda record: record[0])
        return (self.records[index] for index in range(high - 1, low - 1, -1))
