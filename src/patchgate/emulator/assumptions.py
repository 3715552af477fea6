"""What AWS does not document, as switches: each field is one open question, its default the reading that most see.

A rehearsal draws them from its seed; the promises must hold under every combination.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, Literal

SkippedTime = Literal["skipped", "at the clock change", "shifted"]
RepeatedTime = Literal["first pass", "second pass", "both passes"]


@dataclass(frozen=True, slots=True)
class Assumptions:
    """One reading of AWS. Every field says what it decides and what its variants are."""

    stack_update_enables_window: bool = True
    """A stack update that touches a maintenance window leaves it enabled, whatever it was before."""

    disabling_stops_executions: bool = False
    """Disabling a maintenance window ends its executions in progress; otherwise they go on."""

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

    skipped_local_time: SkippedTime = field(
        default="skipped", metadata={"variants": ("skipped", "at the clock change", "shifted")}
    )
    """What AWS Backup and maintenance windows make of a local time that a clock change skips: nothing, a run at the
    change, or a run as much later as the clock jumps."""

    repeated_local_time: RepeatedTime = field(
        default="first pass", metadata={"variants": ("first pass", "second pass", "both passes")}
    )
    """What AWS Backup and maintenance windows make of a local time that a clock change repeats: a run at its first
    pass, at its second, or at both."""

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
