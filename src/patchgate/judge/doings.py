"""What a history says was done and said: leases, windows, commands, runbooks, functions, evidence; as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from patchgate.judge.lane import Place
from patchgate.judge.spans import Changes, Cut, Span

LONGEST_RUN = timedelta(minutes=15)
"""Of a function: https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html"""


@dataclass(slots=True)
class Lease:
    """One ``.../open`` parameter: ``opened`` and ``closed`` are records, instants are those it carries.

    ``window`` is the id of the window that it is for; "" where it says none.
    """

    path: str
    cycle: str
    opened: Cut
    version: int
    window_start: datetime
    window_end: datetime
    admit_until: datetime
    window: str = ""
    closed: int | None = None
    deleted: int | None = None

    def was_open(self, span: Span) -> bool:
        """Whether it was open at some point of a span, whatever the time."""
        return self.opened.seq <= span.high.seq and all(
            end is None or end > span.low.seq for end in (self.closed, self.deleted)
        )

    def existed(self, span: Span) -> bool:
        """Whether its parameter was there at some point of a span, closed or not."""
        return self.opened.seq <= span.high.seq and (self.deleted is None or self.deleted > span.low.seq)


class Step(NamedTuple):
    """Something that was started or ended for one instance."""

    seq: int
    at: datetime
    place: Place
    instance: str
    command: str = ""
    status: str = ""
    reason: str = ""
    """Why it did not lead to a patched instance; "" when nothing says so."""
    source: str = ""
    """The function that said so; "" where it was no function."""
    cycles: tuple[str, ...] = ()
    """The cycles of which a close said so; () where it does not say."""
    installed: tuple[str, ...] = ()
    """The updates that an install which ended had put on the machine."""
    pending: tuple[str, ...] = ()
    """The updates that still waited for a reboot then."""
    returned: bool = False
    """Whether a function said so in its return value alone, and not in its log."""


class Sent(NamedTuple):
    """One command that was sent: by whom ("" is an operator), which document, and its NotAfter in epoch seconds."""

    cut: Cut
    place: Place
    principal: str
    document: str
    operation: str
    not_after: int | None
    instances: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Install:
    """One install that began. ``begun`` is when its command was handed over: what it starts with happened then."""

    seq: int
    at: datetime
    place: Place
    instance: str
    begun: datetime
    sent: Sent | None = None
    command: str = ""

    @property
    def by_hand(self) -> bool:
        """Whether an operator sent it, past every window (F60): nothing promises anything of that."""
        return self.sent is not None and not self.sent.principal


class Terms(NamedTuple):
    """How long a maintenance window lasts, and how long before its end it admits no more."""

    duration: timedelta
    cutoff: timedelta


@dataclass(slots=True)
class Window:
    """One maintenance window: enabled or not and its terms over time, and when its executions started and ended."""

    window: str
    name: str
    enabled: Changes[bool] = field(default_factory=Changes)
    terms: Changes[Terms] = field(default_factory=Changes)
    changes: list[tuple[Cut, bool]] = field(default_factory=list)
    executions: list[Execution] = field(default_factory=list)
    deleted: bool = False


@dataclass(slots=True)
class Execution:
    """One execution of a maintenance window. ``status`` is "" while it goes on."""

    execution: str
    started: datetime
    ended: datetime | None = None
    status: str = ""


@dataclass(slots=True)
class Automation:
    """One runbook on an instance. ``proof`` is what its proof put out; ``status`` is "" while it goes on."""

    execution: str
    document: str
    place: Place
    instance: str
    started: Cut
    ended: Cut | None = None
    status: str = ""
    failure: str = ""
    proof: Mapping[str, Any] | None = None


class Said(NamedTuple):
    """A reason that was said: by a function or a runbook (``source`` is its name), of an instance or ("") of the lane.

    ``since`` is the scheduled time of the function's run. ``cycles`` are those of which a close names the unreached.
    """

    span: Span
    place: Place
    source: str
    instance: str
    reason: str
    detail: str
    since: datetime | None = None
    cycles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a function, from its begin to its end. ``mode`` and ``scheduled`` are what it was given.

    ``decision`` is its verdict, ``repeated`` that another run had given it; ``missed_cycles`` those without any.
    ``closed`` are the cycles that it says it closed. ``to_tell`` is what people must be told of it, each by words that
    stand in one line: instances that were left out and why, why a lane is held, problems. ``logged``: whether it said
    in its log what it came to. ``blames_closes``: whether it says that no close ended well.
    """

    request: str
    span: Span
    succeeded: bool
    mode: str
    scheduled: datetime | None
    decision: str = ""
    repeated: bool = False
    missed_cycles: int = 0
    closed: tuple[str, ...] = ()
    to_tell: tuple[tuple[str, ...], ...] = ()
    logged: bool = False
    blames_closes: bool = False


class Message(NamedTuple):
    """A message that was published, as its readers get it."""

    cut: Cut
    topic: str
    text: str


class Discarded(NamedTuple):
    """An asynchronous invocation that was given up. ``arrived``: whether a destination or a queue took it."""

    cut: Cut
    request: str
    arrived: bool


@dataclass(slots=True)
class Function:
    """One function: its runs in the order of their ends, when each began, and what was given up.

    ``unscheduled`` are the points at which a schedule gave up on invoking it and no dead-letter queue took that.
    ``there`` is whether it existed, where it was made or deleted on record.
    """

    begun: list[tuple[Cut, str]] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    discarded: list[Discarded] = field(default_factory=list)
    unscheduled: list[Cut] = field(default_factory=list)
    there: Changes[bool] = field(default_factory=Changes)

    @property
    def unended(self) -> list[Cut]:
        """When those runs began that never ended on record."""
        ended = {run.request for run in self.runs}
        return [cut for cut, request in self.begun if request not in ended]


class Writing(NamedTuple):
    """One writing of an evidence object: by whom ("" is an operator), and its lines as JSON values; None where the
    history does not say.
    """

    cut: Cut
    account: str
    principal: str | None
    digest: str
    rows: tuple[Any, ...] | None

    @property
    def only_row(self) -> Mapping[str, Any]:
        """Its first line, which is all of a proof and the head of a verdict; empty where it cannot be read."""
        row = self.rows[0] if self.rows else None
        return row if isinstance(row, Mapping) else {}
