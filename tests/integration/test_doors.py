"""The same seed and world give the same history through both doors, and from a restored snapshot.

``make doors SEEDS=100`` compares the doors over more seeds than the suite does.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from patchgate.cli.sample import sample_directory
from patchgate.config import FleetConfig, read_fleet
from patchgate.emulator.assumptions import Assumptions
from patchgate.operations.deployment import deploy_lanes
from patchgate.rehearsal.run import run_rehearsal, write_script
from patchgate.rehearsal.stage import DoorName, EmbeddedEngine, open_stage
from patchgate.rehearsal.worlds import World, read_world

from .conftest import FRIDAY, fleet_of

SEEDS = range(int(os.environ.get("PATCHGATE_DOOR_SEEDS", "2")))
COVERAGE = 'MinimumCoveragePercent: "10"'
MIXED = """
  {name: a}, {name: b, volumes: 2}, {name: c, backup: {outcome: FAILED}}, {name: d, agent: {ping: ConnectionLost}},
  {name: e, happenings: [{after_hours: 33, attach_volume: true}]}, {name: f, state: stopped},
  {name: g, backup: {message_category: VSS_ERROR}}, {name: h, backup: {minutes: 400}}
"""


def history_of(fleet: FleetConfig, world: World, seed: int, door: DoorName) -> str:
    assumptions = Assumptions.drawn(seed)
    result = run_rehearsal(
        fleet, world, seed=seed, engine=EmbeddedEngine(door), contrast=False, assumptions=assumptions
    )
    return result.history


@pytest.mark.parametrize("seed", SEEDS)
def test_small_world_has_the_same_history_through_both_doors(world_of: Callable[[str], World], seed: int) -> None:
    world = world_of(MIXED)
    through_wire, directly = (history_of(fleet_of(COVERAGE), world, seed, door) for door in ("wire", "direct"))
    assert "PatchEnded" in directly
    assert directly == through_wire


def test_sample_has_the_same_history_through_both_doors() -> None:
    fleet, world = read_fleet(sample_directory() / "fleet.yaml"), read_world(sample_directory() / "world")
    through_wire, directly = (
        run_rehearsal(fleet, world, seed=3, engine=EmbeddedEngine(door)) for door in ("wire", "direct")
    )
    assert directly.history == through_wire.history
    assert directly.contrast == through_wire.contrast


def test_a_restored_run_replays_byte_for_byte(world_of: Callable[[str], World]) -> None:
    script = write_script(fleet_of(COVERAGE), FRIDAY, 1)
    with open_stage(world_of(MIXED), FRIDAY, organization_id=script.organization_id, door="direct") as stage:
        deploy_lanes(script.lanes, log_account=script.log_account, control=stage.stacks, progress=lambda _: None)
        deployed = stage.cloud.snapshot()
        stage.run_until(script.end)
        first = stage.cloud.history.to_json_lines()
        for _ in range(2):
            stage.cloud.restore(deployed)
            stage.run_until(script.end - timedelta(hours=9))
            stage.cloud.restore(deployed)
            stage.run_until(script.end)
            assert stage.cloud.history.to_json_lines() == first
        ssm = stage.session("111111111111", "eu-central-1").client("ssm")
        assert ssm.get_paginator("get_parameters_by_path").paginate(Path="/", Recursive=True).build_full_result()
    assert "PatchEnded" in first


def test_a_snapshot_can_go_into_another_cloud(world_of: Callable[[str], World], tmp_path: Path) -> None:
    script = write_script(fleet_of(COVERAGE), FRIDAY, 1)
    world, histories = world_of(MIXED), []
    with open_stage(world, FRIDAY, organization_id=script.organization_id, door="direct") as stage:
        deploy_lanes(script.lanes, log_account=script.log_account, control=stage.stacks, progress=lambda _: None)
        deployed = stage.cloud.snapshot()
        stage.run_until(script.end)
        histories.append(stage.cloud.history.to_json_lines())
    empty = World(None, ())
    with open_stage(empty, FRIDAY, door="direct") as stage:
        stage.cloud.restore(deployed)
        stage.run_until(script.end)
        histories.append(stage.cloud.history.to_json_lines())
    assert histories[0] == histories[1]
