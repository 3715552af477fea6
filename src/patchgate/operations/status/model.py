"""How a lane is, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from patchgate.operations.calendar import Kind
    from patchgate.operations.rollout.steps import Stage
    from patchgate.operations.status.cycles import LastCycle, Lease
    from patchgate.operations.status.upcoming import Run

Level = Literal["ok", "attention", "unsafe", "unreadable"]
LEVELS: tuple[Level, ...] = ("unsafe", "unreadable", "attention", "ok")
"""The worst first."""

StackWord = Literal["ok", "missing", "failed", "busy", "drifted"]
WindowWord = Literal["none", "new", "closed", "opening", "open", "closing", "left-open", "disabled"]


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that needs a person: a code for machines, what it is, and what to do."""

    code: str
    level: Level
    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class StackStatus:
    """One stack of a lane: what it comes to, and AWS's own words."""

    name: str
    word: StackWord
    status: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class WindowStatus:
    """The window: whether it is enabled, whether it should be, and the two in a word."""

    word: WindowWord
    id: str = ""
    enabled: bool = False
    expected: bool = False


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """How one lane is.

    ``version`` and ``gate`` are those of its stacks, '' where it has none; ``current``: they are this patchgate's.
    ``upcoming``: what runs next. ``schedules``: the gate's own -> ENABLED or DISABLED. ``error``: why it cannot be
    read; then the rest is empty. ``notes`` are worth knowing and need nobody.
    """

    account: str
    region: str
    os: str
    env: str
    name: str
    zone: str = ""
    stacks: Mapping[Stage, StackStatus] = field(default_factory=dict)
    version: str = ""
    gate: str = ""
    current: bool = False
    window: WindowStatus | None = None
    lease: Lease | None = None
    schedules: Mapping[str, str] = field(default_factory=dict)
    upcoming: Mapping[Kind, Run] = field(default_factory=dict)
    last: LastCycle | None = None
    frozen: tuple[str, ...] = ()
    concerns: tuple[Concern, ...] = ()
    notes: tuple[str, ...] = ()
    error: str = ""
    remedy: str = ""

    @property
    def level(self) -> Level:
        """The worst of its concerns."""
        if self.error:
            return "unreadable"
        levels = {each.level for each in self.concerns}
        return next((level for level in LEVELS if level in levels), "ok")
