"""Numbers of the failure modes that no run injects: what of them a campaign's lanes show, without any fault."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from patchgate.emulator.assumptions import Assumptions
from patchgate.rehearsal.campaign.ground import Grounds
from patchgate.rehearsal.campaign.plan import RunPlan
from patchgate.rehearsal.campaign.run import RunOutcome, carry_out
from patchgate.rehearsal.campaign.shapes import SHAPES, Shape
from patchgate.templates import build_templates

BERLIN = ZoneInfo("Europe/Berlin")
READINGS = [
    Assumptions(
        backup_at_skipped_time=skipped,
        window_at_skipped_time=skipped,
        backup_at_repeated_time=repeated,
        window_at_repeated_time=repeated,
    )
    for skipped in Assumptions.variants()["window_at_skipped_time"]
    for repeated in Assumptions.variants()["window_at_repeated_time"]
]
AROUND_THE_CHANGE = {
    "BackupSchedule": "cron(30 0 * * ? *)",
    "CheckBackUpJobAndEnableMaintenanceWindow": "cron(0 5 * * ? *)",
    "MaintenanceWindowCronSchedule": "cron(30 5 * * ? *)",
    "DisableMaintenanceWindow": "cron(0 10 * * ? *)",
}
"""A backup before clocks change, and a gate after it."""


def shape(name: str) -> Shape:
    return next(each for each in SHAPES if each.name == name)


def quiet(grounds: Grounds, place: Shape, assumptions: Assumptions | None = None) -> RunOutcome:
    """A run without faults."""
    return carry_out(grounds, grounds.of(place), RunPlan(1, place.name, assumptions or Assumptions(), (), 0))


@pytest.mark.parametrize("start", [datetime(2026, 10, 24, 10, tzinfo=UTC), datetime(2026, 3, 28, 10, tzinfo=UTC)])
def test_f11_clocks_change_inside_of_the_look_back(grounds: Grounds, start: datetime) -> None:
    place = Shape(f"change-{start:%m}", "clocks change in the look-back", parameters=AROUND_THE_CHANGE, start=start)
    gate = grounds.of(place).terrain.cycles[0].gate
    offsets = {(gate - timedelta(hours=hours)).astimezone(BERLIN).utcoffset() for hours in range(13)}
    assert len(offsets) == 2
    outcome = quiet(grounds, place)
    assert (outcome.violations, outcome.patched, outcome.holds, outcome.denied) == ((), 4, 0, 0)


@pytest.mark.parametrize("name", ["autumn", "spring"])
def test_f12_a_window_in_a_gap_or_an_overlap_breaks_nothing_in_any_reading(grounds: Grounds, name: str) -> None:
    for reading in READINGS:
        outcome = quiet(grounds, shape(name), reading)
        assert (outcome.violations, outcome.patched) == ((), 4), reading


def test_f25_schedules_that_do_not_meet_open_nothing_and_say_so(grounds: Grounds) -> None:
    outcome = quiet(grounds, shape("unmet"))
    assert (outcome.violations, outcome.installs) == ((), 0)
    assert outcome.holds > 0
    texts = [record["value"] for record in grounds.stage.cloud.history.of("ParameterPut")]
    assert any('"reason": "window-not-due"' in text for text in texts)


@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-north-1", "ap-southeast-4", "eusc-de-east-1"])
def test_f48_a_lane_of_another_partition_or_with_long_names_patches(grounds: Grounds, region: str) -> None:
    place = replace(shape("daily"), name=f"in-{region}", region=region)
    outcome = quiet(grounds, place)
    assert (outcome.violations, outcome.patched) == ((), 4)


def test_f54_there_is_no_override() -> None:
    """Nothing that a lane is given could let it past its proofs: no parameter, no environment, no runbook input."""
    words = re.compile(r"override|overrule|force|emergency|bypass|break.?glass|skip|ignore|unsafe", re.IGNORECASE)
    given: set[str] = set()
    for template in build_templates().values():
        given |= {parameter.name for parameter in template.parameters}
        for resource in template.resources.values():
            properties = resource["Properties"]
            if resource["Type"] == "AWS::Lambda::Function":
                given |= set(properties["Environment"]["Variables"])
            if resource["Type"] == "AWS::SSM::Document":
                given |= set(properties["Content"].get("parameters", {}))
    assert len(given) > 60
    assert [name for name in sorted(given) if words.search(name)] == []
