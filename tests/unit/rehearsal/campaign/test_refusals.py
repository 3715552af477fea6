"""Lambda refuses what a schedule invokes: Scheduler tries again, and what it gives up is not lost in silence."""

from __future__ import annotations

from datetime import datetime

import pytest

from patchgate.emulator.assumptions import Assumptions
from patchgate.rehearsal.campaign.adversary import REFUSAL
from patchgate.rehearsal.campaign.ground import Ground, Grounds
from patchgate.rehearsal.campaign.plan import Injection, RunPlan
from patchgate.rehearsal.campaign.run import carry_out

HOUR = 3600
EVENT_AGE = {"open": 1800, "close": 21_600}
"""How long, in seconds, each schedule tries: its RetryPolicy."""


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
    (_, first), *_, (_, last) = attempts(grounds, daily, schedule)
    assert EVENT_AGE[schedule] * 0.7 < (last - first).total_seconds() <= EVENT_AGE[schedule]
