"""What a history says of machines and of their backups, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from patchgate.judge.lane import Place
from patchgate.judge.spans import Changes, Cut, Span


class Agent(NamedTuple):
    """How an SSM agent fares: ``version`` by its numbers; silent from ``offline_from`` to ``online_from``."""

    ping: str
    version: tuple[int, ...]
    delivery_seconds: float
    clock_skew_seconds: float
    offline_from: datetime | None
    online_from: datetime | None

    def silent_in(self, low: datetime, high: datetime) -> bool:
        """Whether it was silent at some instant from ``low`` to ``high``."""
        back = self.online_from
        if self.ping != "Online" or self.offline_from is None:
            expected = self.ping != "Online" or back is not None
            return expected and (back is None or low < back)
        return self.offline_from <= high and (back is None or low < back)

    def silent_throughout(self, low: datetime, high: datetime) -> bool:
        """Whether it was silent from ``low`` to ``high``."""
        back = self.online_from
        if self.ping != "Online" or self.offline_from is None:
            expected = self.ping != "Online" or back is not None
            return expected and (back is None or high < back)
        return self.offline_from <= low and (back is None or high < back)


@dataclass(slots=True)
class Instance:
    """One EC2 instance and what became of it. ``boots`` are (instant, when it answers again), also reboots;
    ``impaired`` is whether its status checks failed.
    """

    account: str
    region: str
    instance: str
    name: str
    root_device: str
    launched: int
    tags: Changes[Mapping[str, str]] = field(default_factory=Changes)
    volumes: Changes[frozenset[str]] = field(default_factory=Changes)
    states: Changes[str] = field(default_factory=Changes)
    agents: Changes[Agent] = field(default_factory=Changes)
    impaired: Changes[bool] = field(default_factory=Changes)
    boots: list[tuple[datetime, datetime]] = field(default_factory=list)

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
    completed: Cut
    deleted: int | None = None
    expired: int | None = None

    def existed(self, span: Span) -> bool:
        """Whether it was there at some point of a span."""
        return self.completed.seq <= span.high.seq and (self.deleted is None or self.deleted > span.low.seq)


class JobState(NamedTuple):
    """What a backup job said of itself with one record."""

    state: str
    category: str


@dataclass(slots=True)
class Job:
    """One backup job of a resource. ``point`` is what it left once it was completed."""

    job: str
    vault: str
    created: Cut
    states: Changes[JobState] = field(default_factory=Changes)
    point: RecoveryPoint | None = None
