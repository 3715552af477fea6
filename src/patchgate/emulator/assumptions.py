"""What AWS does not document, as switches: each field is one open question, its default the reading that most see.

A rehearsal draws them from its seed; the promises must hold under every combination.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, fields


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

    @classmethod
    def drawn(cls, seed: int) -> Assumptions:
        """One reading of AWS for a run's seed: every open question is decided by a coin of its own."""
        coins = random.Random(f"assumptions of {seed}")  # noqa: S311 - replayable by design, never a secret
        return cls(**{field.name: coins.random() < 0.5 for field in fields(cls)})
