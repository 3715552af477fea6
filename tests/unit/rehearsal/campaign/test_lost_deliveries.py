"""Lambda refuses what a schedule invokes, or nothing comes of it: what is given up is not lost in silence."""

from __future__ import annotations

from datetime import datetime

import pytest

from patchgate.emulator.assumptions import Assumptions
from patchgate.rehearsal.campaign.adversary import DELIVERY, REFUSAL
from patchgate.rehearsal.campaign.ground import Ground, Grounds
from patchgate.rehearsal.campaign.plan import Injection, RunPlan
from patchgate.rehearsal.campaign.run import carry_out

HOUR = 3600
EVENT_AGE, RETRIES = 1800, 20
"""The gate's schedule gives up at the event's age in seconds, the close's, whose age is higher, after its retries."""


def refuse(grounds: Grounds, ground: Ground, schedule: str, seconds: int) -> None:
    """One lane whose first gate or close is refused for so long."""
    cycle = ground.terrain.cycles[0]
    due = ground.terrain.seconds(cycle.gate if schedule == "open" else cycle.close)
    refusal = Injection("F27", REFUSAL, due - 60, due + seconds, {"schedule": schedule})
    outcome = carry_out(grounds, ground, RunPlan(1, "daily", Assumptions(), (refusal,), None))
    assert outcome.violations == ()
    assert outcome.struck == ("F27",)


def attempts(grounds: Grounds, ground: Ground, schedule: str) -> list[tuple[int, datetime]]:
    """The attempts of a schedule's first firing."""
    name = ground.terrain.schedules[schedule]
    fired = [each for each in grounds.stage.cloud.history.of("ScheduleFired") if each["schedule"] == name]
    first = [each for each in fired if each["scheduled_time"] == fired[0]["scheduled_time"]]
    return [(each["attempt"], datetime.fromisoformat(each["at"])) for each in first]


@pytest.mark.parametrize("schedule", ["open", "close"])
def test_a_refusal_that_passes_costs_nothing(grounds: Grounds, daily: Ground, schedule: str) -> None:
    refuse(grounds, daily, schedule, 150)
    assert [number for number, _ in attempts(grounds, daily, schedule)] == [1, 2, 3]
    assert list(grounds.stage.cloud.history.of("ScheduleDiscarded")) == []


@pytest.mark.parametrize("schedule", ["open", "close"])
def test_what_is_given_up_ends_in_the_queue(grounds: Grounds, daily: Ground, schedule: str) -> None:
    refuse(grounds, daily, schedule, 8 * HOUR)
    (given_up,) = grounds.stage.cloud.history.of("ScheduleDiscarded")
    assert given_up["destination"].endswith(":patchgate-failures-amazonlinux-prd")
    (_, first), *_, (number, last) = attempts(grounds, daily, schedule)
    took = (last - first).total_seconds()
    assert (number < RETRIES and EVENT_AGE / 2 < took <= EVENT_AGE) if schedule == "open" else number == RETRIES + 1


@pytest.mark.parametrize("lists", [True, False])
@pytest.mark.parametrize("night", [1, 2])
def test_gate_and_close_are_lost_in_one_night(grounds: Grounds, daily: Ground, night: int, lists: bool) -> None:
    """The watchdog says so, also where AWS names no start of a window that is disabled: a close asked before."""
    terrain = daily.terrain
    span = terrain.seconds(terrain.cycles[night].gate) - 60, terrain.seconds(terrain.cycles[night].close) + 60
    lost = tuple(Injection("F27", DELIVERY, *span, {"schedule": each, "delays": ()}) for each in ("open", "close"))
    assumptions = Assumptions(disabled_window_lists_schedule=lists)
    assert carry_out(grounds, daily, RunPlan(1, "daily", assumptions, lost, None)).violations == ()
    ended = [each["result"] for each in grounds.stage.cloud.history.of("FunctionEnded")]
    start = terrain.cycles[night].start.strftime("%Y-%m-%dT%H:%M:%SZ")
    missed = f"no gate judged the window that was due at {start}"
    assert [each["mode"] for each in ended if missed in each.get("problems", ())] == ["watchdog"]
