"""Lanes for the tests of the order: the defaults, with a close that no clock change skips."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from patchgate.plan.order import OrderProof, Violation, prove_order
from patchgate.plan.order_timeline import LaneSchedules

START = datetime(2026, 1, 1, tzinfo=UTC)
UNTIL = datetime(2031, 1, 1, tzinfo=UTC)
LANE = LaneSchedules(
    zone="Asia/Tokyo",
    backup="cron(0 19 ? * 7 *)",
    gate="cron(30 22 ? * 7 *)",
    window="cron(0 23 ? * 7 *)",
    close="cron(10 4 ? * 1 *)",
)


def prove(until: datetime = UNTIL, *, allow_idle: bool = False, **changes: Any) -> OrderProof:
    """The proof of ``LANE`` with some values changed."""
    return prove_order(replace(LANE, **changes), START, until, allow_idle=allow_idle)


def broken(**changes: Any) -> dict[str, Violation]:
    """The rules that such a lane breaks, and how."""
    return {violation.rule: violation for violation in prove(**changes).violations}
