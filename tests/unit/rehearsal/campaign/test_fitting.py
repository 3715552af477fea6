"""Faults that can do nothing on a terrain are left out, and said to be."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from patchgate.rehearsal.campaign.adversary import CALL, DELIVERY
from patchgate.rehearsal.campaign.faults import FAULTS
from patchgate.rehearsal.campaign.fitting import obstacle, unfitting
from patchgate.rehearsal.campaign.ground import Ground, Grounds
from patchgate.rehearsal.campaign.mixes import draw_plan, read_mix
from patchgate.rehearsal.campaign.plan import Injection, RunPlan
from patchgate.rehearsal.campaign.run import RunOutcome
from patchgate.rehearsal.campaign.series import Series, SeriesResult, Tally
from patchgate.rehearsal.campaign.shapes import SHAPES
from patchgate.report.campaign_json import render_series_json
from patchgate.report.campaign_text import render_series_text

NO_FREEZE = "nothing freezes it"


@pytest.fixture
def lacking(daily: Ground) -> Ground:
    """A lane without freezes, without a watchdog, and whose runbook has no scripts."""
    terrain = replace(
        daily.terrain,
        limits={"freeze": NO_FREEZE, "close-calendar": NO_FREEZE, "further-parameters": "no path"},
        programs={label: name for label, name in daily.terrain.programs.items() if label != "prove"},
        schedules={label: name for label, name in daily.terrain.schedules.items() if label != "watchdog"},
    )
    return replace(daily, terrain=replace(terrain, unfit=unfitting(terrain)))


def drawn(ground: Ground, mix: str, seeds: range = range(120)) -> list[RunPlan]:
    return [draw_plan(seed, read_mix(mix), ground.shape, ground.terrain) for seed in seeds]


def test_every_fault_fits_every_lane_of_ours(grounds: Grounds) -> None:
    for shape in SHAPES:
        terrain = grounds.of(shape).terrain
        assert unfitting(terrain) == {}
        plan = draw_plan(1, read_mix("all"), shape, terrain)
        assert plan.left_out == {}


def test_a_fault_that_nothing_is_left_of_does_not_fit(lacking: Ground) -> None:
    assert lacking.terrain.unfit == {"F53": NO_FREEZE}


def test_what_does_not_fit_is_left_out_of_the_mix_and_said(lacking: Ground) -> None:
    plans = drawn(lacking, "all")
    assert all("F53" not in plan.faults for plan in plans)
    assert all(plan.left_out == {"F53": NO_FREEZE} for plan in plans)
    assert all(plan.left_out == {} for plan in drawn(lacking, "F21,F16"))


def test_a_mix_of_which_nothing_fits_is_a_calm_run(lacking: Ground) -> None:
    plans = drawn(lacking, "F53", range(10))
    assert all(plan.injections == () and plan.calm == 0 for plan in plans)
    assert all(plan.left_out == {"F53": NO_FREEZE} for plan in plans)


@pytest.mark.parametrize("number", sorted(set(FAULTS) - {"F53"}))
def test_of_a_fault_that_fits_only_what_does_something_is_drawn(lacking: Ground, number: str) -> None:
    found = [injection for plan in drawn(lacking, number, range(40)) for injection in plan.injections]
    assert found
    assert [injection for injection in found if obstacle(injection, lacking.terrain)] == []


def test_the_obstacles_of_calls_and_schedules(lacking: Ground) -> None:
    def why(act: str, **given: str) -> str:
        return obstacle(Injection("F00", act, 0, None, dict(given)), lacking.terrain)

    assert why(CALL, program="prove") == "the window runs no runbook"
    assert why(DELIVERY, schedule="watchdog") == "no scheduled function runs as a watchdog"
    assert why(CALL, program="open") == why(DELIVERY, schedule="close") == why("invoke", program="close") == ""
    assert why("freeze", which="0") == NO_FREEZE


def tally(*plans: RunPlan) -> Tally:
    whole = Tally()
    for plan in plans:
        part = Tally()
        part.count(plan, RunOutcome(plan.seed, "0" * 64, 1, 0, 0, 0, 0, plan.faults, ()))
        whole.add(part)
    return whole


def text_of(found: Tally, mix: str) -> str:
    result = SeriesResult(Series(found.runs, mix=mix), found)
    return render_series_text(result, elapsed=1.0, jobs=1, width=100, color=False, ascii_only=True)


def test_the_summary_says_what_is_not_applicable(lacking: Ground) -> None:
    found = tally(*drawn(lacking, "F16,F53,F39", range(8)))
    assert "F53" not in found.faults
    assert found.applies_nowhere() == {"F53": {"daily": NO_FREEZE}}
    text = text_of(found, "F16,F53,F39")
    assert f"F53 is not applicable: {NO_FREEZE}" in text
    (row,) = [line for line in text.splitlines() if line.startswith("  F53    a freeze")]
    assert row.endswith(" not applicable")
    assert "of 1 pair of faults" in text
    value = json.loads(render_series_json(SeriesResult(Series(8, mix="F16,F53,F39"), found)))
    assert value["not_applicable"] == {"F53": {"daily": NO_FREEZE}}
    assert "F53" not in value["by_fault"]


def test_a_fault_that_fits_one_lane_is_counted_there(lacking: Ground) -> None:
    ours = replace(lacking.shape, name="other")
    there = RunPlan(
        1, ours.name, drawn(lacking, "F53", range(1))[0].assumptions, (Injection("F53", "freeze", 0),), None
    )
    found = tally(*drawn(lacking, "F53", range(2)), there)
    assert found.applies_nowhere() == {}
    text = text_of(found, "F53")
    assert f"F53 is not applicable on daily: {NO_FREEZE}" in text
    (row,) = [line for line in text.splitlines() if line.startswith("  F53    a freeze")]
    assert row.split()[-3:] == ["1", "1", "0"]
