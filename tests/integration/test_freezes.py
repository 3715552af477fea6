"""Freezes of a fleet file on the embedded AWS: deployed as a change calendar, obeyed by gate and runbook."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta

import pytest

from patchgate.config import FleetConfig, parse_fleet
from patchgate.operations.deployment import deploy_lanes
from patchgate.rehearsal.run import write_script
from patchgate.rehearsal.stage import open_stage
from patchgate.rehearsal.worlds import World
from tests.integration.conftest import ACCOUNT, CLOSE, FLEET, FRIDAY, REGION, START, Rehearsed

Open = Callable[[str], AbstractContextManager[Rehearsed]]
SATURDAY = "{reason: closing, first_day: 2026-07-11, last_day: 2026-07-11}"
WITHIN = "{reason: closing, start: 2026-07-11T23:20, end: 2026-07-12T06:00}"
NEXT_WEEK = "{reason: closing, first_day: 2026-07-18, last_day: 2026-07-18}"
CALENDAR = "patchgate-freezes-ubuntu-prd"


def fleet_with(freezes: str) -> FleetConfig:
    text = FLEET.replace("parameters: {PARAMETERS}", f"freezes: [{freezes}]")
    return parse_fleet(text.encode(), "fleet.yaml")


def deploy(run: Rehearsed, freezes: str) -> None:
    lanes = write_script(fleet_with(freezes), FRIDAY, 1).lanes
    deploy_lanes(lanes, log_account=ACCOUNT, control=run.stage.stacks, progress=lambda _: None)


@pytest.fixture
def frozen(world_of: Callable[[], World]) -> Open:
    """A context manager: the lane deployed with these freezes."""

    @contextmanager
    def open_it(freezes: str) -> Iterator[Rehearsed]:
        script = write_script(fleet_with(freezes), FRIDAY, 1)
        with open_stage(world_of(), FRIDAY, organization_id=script.organization_id) as stage:
            deployment = deploy_lanes(
                script.lanes, log_account=script.log_account, control=stage.stacks, progress=lambda _: None
            )
            yield Rehearsed(stage, script, deployment)

    return open_it


def state_of(run: Rehearsed) -> str:
    client = run.stage.session(ACCOUNT, REGION).client("ssm")
    return str(client.get_calendar_state(CalendarNames=[CALENDAR], AtTime=f"{START:%Y-%m-%dT%H:%M:%SZ}")["State"])


def test_a_window_in_a_freeze_stays_closed(frozen: Open) -> None:
    with frozen(SATURDAY) as run:
        assert state_of(run) == "CLOSED"
        run.run_until(START + timedelta(minutes=5))
        assert not run.window_is_enabled()
        run.run_until(CLOSE)
        assert not run.installs()
        assert not run.judge().violations


def test_a_freeze_that_begins_within_a_window_stops_what_has_not_begun(
    frozen: Open,
) -> None:
    with frozen(WITHIN) as run:
        run.run_until(CLOSE)
        installs = [each for each in run.stage.cloud.history.of("PatchStarted") if each["operation"] == "Install"]
        assert [each["at"] < "2026-07-11T21:20:00" for each in installs] == [True, True]
        assert list(run.denials().values()) == ["frozen", "frozen"]
        assert not run.judge().violations


def test_a_freeze_of_another_week_changes_nothing(frozen: Open) -> None:
    with frozen(NEXT_WEEK) as run:
        assert state_of(run) == "OPEN"
        run.run_until(CLOSE)
        assert sorted(run.installs()) == ["a", "b", "c", "d"]


def test_deploying_again_changes_the_calendar_in_place(frozen: Open) -> None:
    with frozen(SATURDAY) as run:
        deploy(run, NEXT_WEEK)
        assert state_of(run) == "OPEN"
        deploy(run, f"{NEXT_WEEK}, {SATURDAY}")
        assert state_of(run) == "CLOSED"
