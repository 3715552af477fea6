"""What AWS has of one lane, as values, and the port that reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from patchgate.domain.lane import Lane


@dataclass(frozen=True, slots=True)
class StackState:
    """A stack as it stands; ``changed`` (aware UTC) is when it was created or last updated."""

    status: str
    changed: datetime
    reason: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    drift: str = "NOT_CHECKED"


@dataclass(frozen=True, slots=True)
class WindowState:
    """The lane's maintenance window."""

    id: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class PatchState:
    """What an instance last reported: how many patches, and when that operation ended (aware UTC)."""

    instance: str
    ended: datetime
    installed: int = 0
    missing: int = 0
    failed: int = 0
    pending_reboot: int = 0


@dataclass(frozen=True, slots=True)
class LaneFacts:
    """A lane beside its stacks.

    ``window``: None where there is none. ``schedules``: name -> state, ENABLED or DISABLED. ``leases``: cycle -> kind
    (open, closed, hold) -> text, as ``gate.rules.read_leases`` gives them. ``freezes``: what the freeze parameters say.
    """

    window: WindowState | None = None
    schedules: Mapping[str, str] = field(default_factory=dict)
    leases: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    freezes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CycleEvidence:
    """What the log bucket has of one cycle.

    ``verdicts``: 'open' or 'hold' -> its JSON lines, the verdict first, then a finding for each instance.
    ``proofs``: the instances whose runbook left its answer.
    """

    verdicts: Mapping[str, tuple[Mapping[str, object], ...]] = field(default_factory=dict)
    proofs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Bucket:
    """A log bucket: its name, and the account and Region that it is in."""

    name: str
    account: str
    region: str


class StatusReader(Protocol):
    """Reads what a status rests on, and changes nothing. Every method raises PatchgateError when AWS refuses."""

    def stacks(self, account: str, region: str) -> Mapping[str, StackState]:
        """patchgate's stacks there, by their names; those of stack sets by the names of their sets."""

    def lane(self, lane: Lane) -> LaneFacts:
        """The lane's window, schedules, leases and freezes."""

    def cycles(self, lane: Lane, bucket: Bucket) -> tuple[str, ...]:
        """The cycles of which the log bucket has evidence, oldest first."""

    def evidence(self, lane: Lane, bucket: Bucket, cycle: str) -> CycleEvidence:
        """The evidence of one cycle."""

    def patch_states(self, lane: Lane) -> tuple[PatchState, ...]:
        """What the instances of the lane's patch group last reported."""
