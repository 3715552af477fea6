"""Every open question of AWS is drawn for something: on a standard lane each of its readings makes another history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from patchgate.config import LaneConfig
from patchgate.domain.lane import Lane
from patchgate.emulator.assumptions import Assumptions, ClockReading
from patchgate.operations.check import lane_zone
from patchgate.operations.deployment import settle_lanes
from patchgate.plan.order import prove_order
from patchgate.plan.order_timeline import LaneSchedules
from patchgate.rehearsal.campaign.ground import Ground, Grounds
from patchgate.rehearsal.campaign.plan import Injection, RunPlan
from patchgate.rehearsal.campaign.run import carry_out
from patchgate.rehearsal.campaign.shapes import ORGANIZATION, SHAPES, Shape
from patchgate.rehearsal.campaign.story import tell
from patchgate.rehearsal.campaign.terrain import Terrain

BY_NAME = {shape.name: shape for shape in SHAPES}
DST = {name: BY_NAME[name] for name in ("autumn", "autumn-backup", "spring", "spring-backup")}
USUAL = Assumptions()
SEED = 7


@dataclass(frozen=True)
class Meeting:
    """A standard lane, and the fault that it needs, on which every reading of a switch makes a difference."""

    lane: str
    fault: Callable[[Terrain], Injection] | None = None


def update_after_the_close(terrain: Terrain) -> Injection:
    closed = terrain.seconds(terrain.cycles[0].close) + 3600
    return Injection("F24", "update-stack", closed, None, {"stack": 0})


def disabled_midway(terrain: Terrain) -> Injection:
    return Injection("F32", "window", terrain.seconds(terrain.cycles[0].start) + 20, None, {"enabled": False})


def no_gate_comes(terrain: Terrain) -> Injection:
    """The window is not opened: no close finds it enabled, which would tell its next start."""
    return Injection("F27", "delivery", 0, None, {"schedule": "open", "delays": ()})


def silent_through_the_delivery(terrain: Terrain) -> Injection:
    started = terrain.seconds(terrain.cycles[0].start)
    return Injection("F38", "agent", started - 60, started + 3 * 3600, {"instance": 0, "silent": True})


def backup_as_long_as_its_window(terrain: Terrain) -> Injection:
    """It takes the whole completion window from its start, which is minutes after its creation."""
    begins = terrain.seconds(terrain.cycles[0].backup) - 60
    return Injection("F01", "backup", begins, None, {"instance": 0, "minutes": 120})


WHERE = {
    "stack_update_enables_window": Meeting("daily", update_after_the_close),
    "disabling_stops_executions": Meeting("daily", disabled_midway),
    "disabled_window_lists_schedule": Meeting("daily", no_gate_comes),
    "scheduler_delivers_twice": Meeting("daily"),
    "delivery_ends_with_total_timeout": Meeting("daily", silent_through_the_delivery),
    "completion_counts_from_creation": Meeting("daily", backup_as_long_as_its_window),
    "backup_at_skipped_time": Meeting("spring-backup"),
    "backup_at_repeated_time": Meeting("autumn-backup"),
    "window_at_skipped_time": Meeting("spring"),
    "window_at_repeated_time": Meeting("autumn"),
}
UNNOTICED = {"backup_lists_are_newest_first"}
"""What the gate never relies on. tests/campaign/test_pages.py shows it matter to a gate that does."""


def plan_for(ground: Ground, assumptions: Assumptions, *injections: Injection) -> RunPlan:
    return RunPlan(SEED, ground.shape.name, assumptions, injections, None if injections else 0)


def test_no_open_question_is_without_a_lane_on_which_it_matters() -> None:
    assert set(WHERE) | UNNOTICED == set(Assumptions.variants())


@pytest.mark.parametrize("switch", WHERE)
def test_each_reading_of_a_switch_makes_another_history_and_breaks_no_promise(grounds: Grounds, switch: str) -> None:
    meeting, readings = WHERE[switch], Assumptions.variants()[switch]
    ground = grounds.of(BY_NAME[meeting.lane])
    injections = [meeting.fault(ground.terrain)] if meeting.fault else []
    digests: dict[str, Any] = {}
    for reading in readings:
        outcome = carry_out(grounds, ground, plan_for(ground, replace(USUAL, **{switch: reading}), *injections))
        assert outcome.violations == ()
        digests.setdefault(outcome.digest, reading)
    assert list(digests.values()) == list(readings)


def test_the_clocks_of_the_two_services_are_drawn_apart() -> None:
    drawn = [Assumptions.drawn(seed) for seed in range(400)]
    pairs = {(one.window_clock, one.backup_clock) for one in drawn}
    assert len(pairs) == len(ClockReading.every()) ** 2 == 81


@pytest.mark.parametrize(("lane", "own", "other"), [
    ("autumn", "window_at_repeated_time", "backup_at_repeated_time"),
    ("autumn-backup", "backup_at_repeated_time", "window_at_repeated_time"),
    ("spring", "window_at_skipped_time", "backup_at_skipped_time"),
    ("spring-backup", "backup_at_skipped_time", "window_at_skipped_time"),
])  # fmt: skip
def test_the_clock_of_one_service_is_not_the_others(grounds: Grounds, lane: str, own: str, other: str) -> None:
    ground = grounds.of(BY_NAME[lane])
    reading = Assumptions.variants()[own][-1]
    usual, alone, both = (
        carry_out(grounds, ground, plan_for(ground, assumptions)).digest
        for assumptions in (USUAL, replace(USUAL, **{own: reading}), replace(USUAL, **{own: reading, other: reading}))
    )
    assert usual != alone == both


@pytest.mark.parametrize("lane", DST)
def test_every_pair_of_clock_readings_keeps_the_promises(grounds: Grounds, lane: str) -> None:
    ground, edge = grounds.of(DST[lane]), "repeated" if lane.startswith("autumn") else "skipped"
    names = [f"{service}_at_{edge}_time" for service in ("backup", "window")]
    for readings in product(*(Assumptions.variants()[name] for name in names)):
        drawn = replace(USUAL, **dict(zip(names, readings, strict=True)))
        assert carry_out(grounds, ground, plan_for(ground, drawn)).violations == (), drawn


def nights(terrain: Terrain) -> list[str]:
    assert terrain.lane.occurrences == terrain.facts.occurrences
    return [f"{start:%d %H:%M}-{end:%H:%M}" for start, end in terrain.facts.occurrences]


@pytest.mark.parametrize(("lane", "reading", "expected"), [
    ("autumn", {}, ["24 00:30-03:30", "25 00:30-03:30", "26 01:30-04:30"]),
    ("autumn", {"window_at_repeated_time": "second pass"}, ["24 00:30-03:30", "25 01:30-04:30", "26 01:30-04:30"]),
    ("autumn", {"window_at_repeated_time": "both passes"}, ["24 00:30-03:30", "25 00:30-04:30", "26 01:30-04:30"]),
    ("spring", {}, ["28 01:30-04:30", "30 00:30-03:30", "31 00:30-03:30"]),
    ("spring", {"window_at_skipped_time": "shifted"},
     ["28 01:30-04:30", "29 01:30-04:30", "30 00:30-03:30", "31 00:30-03:30"]),
    ("spring", {"backup_at_skipped_time": "shifted"}, ["28 01:30-04:30", "30 00:30-03:30", "31 00:30-03:30"]),
])  # fmt: skip
def test_the_judge_is_told_the_windows_of_the_runs_own_reading(
    grounds: Grounds, lane: str, reading: dict[str, Any], expected: list[str]
) -> None:
    assert nights(grounds.of(BY_NAME[lane]).terrain.under(replace(USUAL, **reading))) == expected


def test_a_story_has_the_windows_of_the_runs_own_reading(grounds: Grounds) -> None:
    ground = grounds.of(BY_NAME["autumn"])
    plan = plan_for(ground, replace(USUAL, window_at_repeated_time="second pass"))
    outcome = carry_out(grounds, ground, plan)
    told = tell(ground, plan, outcome, grounds.stage.cloud.history)
    assert f"{told.lane.lane.occurrences[1][0]:%d %H:%M}" == "25 01:30"


def broken_rules(shape: Shape) -> set[str]:
    place = Lane(shape.account, shape.region, shape.os, shape.env, shape.account)
    (lane,) = settle_lanes([LaneConfig(place, dict(shape.parameters))], ORGANIZATION)
    schedules = LaneSchedules.from_parameters(lane.values, lane_zone(lane))
    proof = prove_order(schedules, shape.start, shape.start + timedelta(days=28))
    return {violation.rule for violation in proof.violations}


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape.lively], ids=lambda shape: shape.name)
def test_schedules_of_lively_lanes_meet_under_every_reading(shape: Shape) -> None:
    """Of two backups in one night the newest counts: `check` refuses them, and patching goes on."""
    assert broken_rules(shape) <= {"backup-repeated"}


@pytest.mark.parametrize("name", ["spring", "spring-backup"])
def test_lanes_whose_schedules_do_not_meet_under_some_reading_are_not_lively(name: str) -> None:
    assert broken_rules(DST[name])
    assert not DST[name].lively
