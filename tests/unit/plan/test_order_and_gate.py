"""What the proof of order takes for granted of the gate, held against the gate's own code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.plan.order_lanes import broken

from patchgate.gate import close_window
from patchgate.gate.rules import cycle_key
from patchgate.plan.order_rules import LATEST_CLOSE_SECONDS, RULES

WINDOW = datetime(2026, 1, 3, 14, tzinfo=UTC)  # Sat 23:00 in Tokyo


def counts_as_its_own(gate: datetime, close: datetime, lead_minutes: int, duration_hours: int) -> bool:
    """Whether a close counts the cycle of a gate as its own, and so names whom the window did not reach."""
    lane = close_window.Lane.__new__(close_window.Lane)  # without the clients of its constructor
    lane.env = {"MAXIMUM_LEAD_MINUTES": str(lead_minutes)}
    cycle = cycle_key(gate)
    return lane.judged({cycle: {}}, close, {"Duration": duration_hours}) == [cycle]


def test_check_and_the_close_function_have_one_bound_for_a_late_close() -> None:
    assert close_window.SLACK_HOURS * 3600 == LATEST_CLOSE_SECONDS
    assert "more than 12 hours after" in RULES["close-too-late"].broken


@pytest.mark.parametrize(("hours", "lead"), [(1, 180), (3, 180), (3, 30), (24, 60)])
def test_the_latest_close_that_check_accepts_still_counts_the_cycle_of_the_earliest_gate(hours: int, lead: int) -> None:
    gate = WINDOW - timedelta(minutes=lead)
    latest = WINDOW + timedelta(hours=hours, seconds=LATEST_CLOSE_SECONDS)
    assert counts_as_its_own(gate, latest, lead, hours)
    assert not counts_as_its_own(gate, latest + timedelta(seconds=1), lead, hours)


@pytest.mark.parametrize(
    ("close", "rules"), [("cron(0 14 ? * 1 *)", set()), ("cron(1 14 ? * 1 *)", {"close-too-late"})]
)
def test_check_breaks_one_minute_after_that_bound(close: str, rules: set[str]) -> None:
    found = broken(close=close)  # the window ends on Sundays at 02:00
    assert set(found) == rules
    if rules:
        assert found["close-too-late"].shortfall == 60
        assert found["close-too-late"].mend == "run the close 1 min earlier"


def test_where_the_window_is_repeated_the_bound_is_that_of_its_first_pass() -> None:
    """The clocks of Santiago repeat 23:00 on one Saturday a year; the close function counts from the gate."""
    found = broken(zone="America/Santiago", close="cron(30 13 ? * 1 *)")
    assert found["close-too-late"].affected == 5
    assert found["close-too-late"].shortfall == 30 * 60
    assert "first pass" in found["close-too-late"].reading
    assert broken(zone="America/Santiago", close="cron(0 13 ? * 1 *)") == {}
