"""What AWS does not document, as switches: each field is one open question, its default the reading that most see.

A rehearsal draws them from its seed; the promises must hold under every combination.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from itertools import product, starmap
from typing import Any, Literal, NamedTuple, get_args

SkippedTime = Literal["skipped", "at the clock change", "shifted"]
RepeatedTime = Literal["first pass", "second pass", "both passes"]
_SKIPPED = {"variants": get_args(SkippedTime)}
_REPEATED = {"variants": get_args(RepeatedTime)}


class ClockReading(NamedTuple):
    """What one service makes of local times that clock changes skip or repeat.

    The default is what EventBridge Scheduler documents for itself.
    """

    skipped: SkippedTime = "skipped"
    repeated: RepeatedTime = "first pass"

    @classmethod
    def every(cls) -> tuple[ClockReading, ...]:
        """All that a service may make of them."""
        return tuple(starmap(cls, product(get_args(SkippedTime), get_args(RepeatedTime))))


@dataclass(frozen=True, slots=True)
class Assumptions:
    """One reading of AWS. Every field says what it decides and what its variants are."""

    stack_update_enables_window: bool = True
    """A stack update that touches a maintenance window leaves it enabled, whatever it was before."""

    disabling_stops_executions: bool = False
    """Disabling a maintenance window cancels its executions in progress: nothing more begins, and what runs goes on to
    its end; otherwise they go on."""

    disabled_window_lists_schedule: bool = True
    """DescribeMaintenanceWindowSchedule names the executions that a disabled window would have had."""

    scheduler_delivers_twice: bool = False
    """EventBridge Scheduler, at least once by contract, invokes its target a second time."""

    delivery_ends_with_total_timeout: bool = True
    """An agent may take a command until its delivery and execution timeouts together are over, as the user guide has
    it; otherwise only until its delivery timeout, as the API reference has it."""

    completion_counts_from_creation: bool = False
    """A backup job's completion window counts from the job's creation, as one sentence of the API reference has it;
    otherwise from its start, as others have it."""

    backup_at_skipped_time: SkippedTime = field(default="skipped", metadata=_SKIPPED)
    """What AWS Backup makes of a local time that a clock change skips: no backup, one at the change, or one as much
    later as the clock jumps."""

    backup_at_repeated_time: RepeatedTime = field(default="first pass", metadata=_REPEATED)
    """What AWS Backup makes of a local time that a clock change repeats: a backup at its first pass, at its second, or
    at both."""

    window_at_skipped_time: SkippedTime = field(default="skipped", metadata=_SKIPPED)
    """What a maintenance window makes of a local time that a clock change skips: no start, one at the change, or one
    as much later as the clock jumps."""

    window_at_repeated_time: RepeatedTime = field(default="first pass", metadata=_REPEATED)
    """What a maintenance window makes of a local time that a clock change repeats: a start at its first pass, at its
    second, or at both."""

    @property
    def backup_clock(self) -> ClockReading:
        """How AWS Backup reads its schedules at clock changes."""
        return ClockReading(self.backup_at_skipped_time, self.backup_at_repeated_time)

    @property
    def window_clock(self) -> ClockReading:
        """How maintenance windows read theirs."""
        return ClockReading(self.window_at_skipped_time, self.window_at_repeated_time)

    backup_lists_are_newest_first: bool = True
    """AWS Backup lists jobs and recovery points with the newest first; otherwise with the oldest first."""

    @classmethod
    def variants(cls) -> Mapping[str, tuple[Any, ...]]:
        """Every open question, and the readings that it has."""
        return {question.name: _variants(question) for question in fields(cls)}

    @classmethod
    def drawn(cls, seed: int) -> Assumptions:
        """One reading of AWS for a run's seed: every open question is decided by a coin of its own."""
        coins = random.Random(f"assumptions of {seed}")  # noqa: S311 - replayable by design, never a secret
        return cls(**{name: readings[int(coins.random() * len(readings))] for name, readings in cls.variants().items()})


def _variants(question: Field[Any]) -> tuple[Any, ...]:
    return tuple(question.metadata.get("variants", (True, False)))
