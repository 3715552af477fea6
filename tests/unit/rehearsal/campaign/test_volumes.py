"""Backups of single volumes: drawn where the lane backs those up, and each volume fares on its own."""

from __future__ import annotations

import random

import pytest

from patchgate.emulator.assumptions import Assumptions
from patchgate.rehearsal.campaign.faults import FAULTS, Draw
from patchgate.rehearsal.campaign.ground import VOLUMES, Ground, Grounds
from patchgate.rehearsal.campaign.plan import Injection, RunPlan, Value
from patchgate.rehearsal.campaign.run import RunOutcome, carry_out
from patchgate.rehearsal.campaign.shapes import SHAPES

HOUR = 3600
THREE_VOLUMES = 3
"""The number of the machine that has three."""
LANE = next(shape for shape in SHAPES if shape.name == "volumes")


@pytest.fixture
def ground(grounds: Grounds) -> Ground:
    return grounds.of(LANE)


def run(grounds: Grounds, ground: Ground, *injections: Injection) -> RunOutcome:
    outcome = carry_out(grounds, ground, RunPlan(1, LANE.name, Assumptions(), injections, None))
    assert outcome.violations == ()
    return outcome


def injected(act: str, begins: int = 0, ends: int | None = 18 * HOUR, **given: Value) -> Injection:
    return Injection("Fxx", act, begins, ends, {"instance": THREE_VOLUMES} | given)


def jobs_of_the_first_night(grounds: Grounds, ground: Ground) -> list[str]:
    """How the last job of each of the machine's volumes ended before the first window, by the volumes' order."""
    cloud, machine = grounds.stage.cloud, ground.terrain.instances[THREE_VOLUMES]
    window = ground.terrain.cycles[0].start.isoformat()
    launched = next(each for each in cloud.history.of("InstanceLaunched") if each["instance"] == machine)
    states = {
        job["resource"].rpartition("/")[2]: job["state"]
        for job in cloud.history.of("BackupJobStateChanged")
        if job["at"] < window
    }
    return [states.get(volume, "") for volume in launched["volumes"]]


def decided(grounds: Grounds, ground: Ground) -> str:
    """What the first proof of the machine decided, and why: decision/reason."""
    history, machine = grounds.stage.cloud.history, ground.terrain.instances[THREE_VOLUMES]
    runs = [each["execution"] for each in history.of("AutomationStarted") if each["target"] == machine]
    proofs = [each for each in history.of("AutomationStepEnded") if each["step"] == "prove"]
    first = next(each["outputs"] for each in proofs if each["execution"] == runs[0])
    return "/".join(first[name] for name in ("Decision", "Reason"))


@pytest.mark.parametrize("volume", range(4))
@pytest.mark.parametrize("outcome", ["FAILED", "EXPIRED", "NONE"])
def test_the_backup_of_one_volume_fares_worse_than_the_others(
    grounds: Grounds, ground: Ground, volume: int, outcome: str
) -> None:
    assert run(grounds, ground, injected("backup", volume=volume, outcome=outcome)).struck == ("Fxx",)
    states = ["COMPLETED"] * VOLUMES[THREE_VOLUMES]
    states[volume % len(states)] = outcome.replace("NONE", "")
    assert jobs_of_the_first_night(grounds, ground) == states


def test_volumes_fare_each_in_its_own_way_and_are_all_well_again(grounds: Grounds, ground: Ground) -> None:
    bad = [injected("backup", 60 * (n + 1), volume=n, outcome=how) for n, how in enumerate(("FAILED", "ABORTED"))]
    run(grounds, ground, injected("backup", outcome="PARTIAL"), *bad)
    assert jobs_of_the_first_night(grounds, ground) == ["FAILED", "ABORTED", "PARTIAL"]
    jobs = grounds.stage.cloud.history.of("BackupJobStateChanged")
    assert len({job["resource"] for job in jobs if job["state"] == "COMPLETED"}) == sum(VOLUMES)


@pytest.mark.parametrize("newest", [True, False])
def test_the_recovery_points_of_one_volume_are_deleted(grounds: Grounds, ground: Ground, newest: bool) -> None:
    run(grounds, ground, injected("delete-recovery-points", 8 * HOUR, None, volume=1, newest=newest))
    assert len(list(grounds.stage.cloud.history.of("RecoveryPointDeleted"))) == 1
    assert decided(grounds, ground) == "deny/recovery-point-gone"


def test_one_volume_is_backed_up_on_demand(grounds: Grounds, ground: Ground) -> None:
    failed = injected("backup", 0, 6 * HOUR, volume=1, outcome="FAILED")
    run(grounds, ground, failed, injected("back-up-now", 6 * HOUR + 60, None, volume=1))
    assert jobs_of_the_first_night(grounds, ground) == ["COMPLETED"] * 3
    assert decided(grounds, ground) == "admit/"


def test_a_machine_without_volumes_has_nothing_to_fail(grounds: Grounds, ground: Ground) -> None:
    launched = Injection("Fxx", "launch", 60, None, {"without_volumes": True})
    run(grounds, ground, launched)
    history = grounds.stage.cloud.history
    (new,) = [each for each in history.of("InstanceLaunched") if "launched" in each["name"]]
    assert (new["volumes"], new["root_device"]) == ([], "instance-store")
    installed = {each["instance"] for each in history.of("PatchStarted") if each["operation"] == "Install"}
    assert installed == {*ground.terrain.instances}


@pytest.mark.parametrize("number", ["F01", "F02", "F03", "F04", "F05", "F08", "F09", "F10", "F14", "F15", "F58"])
def test_single_volumes_are_drawn_where_volumes_are_backed_up(grounds: Grounds, ground: Ground, number: str) -> None:
    def drawn(terrain_of: Ground) -> set[object]:
        terrain = terrain_of.terrain
        draws = (Draw(random.Random(seed), terrain, terrain.cycles[0], number) for seed in range(60))  # noqa: S311
        return {each.given.get("volume") for draw in draws for each in FAULTS[number].draw(draw)}

    assert drawn(ground) == {None, 0, 1, 2}
    assert drawn(grounds.of(SHAPES[0])) == {None}
