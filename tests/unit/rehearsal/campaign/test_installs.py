"""Standard lanes are worth their name: their machines have updates that are installed, and F37 is to be seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from patchgate.aws.lane_status import LaneReader
from patchgate.domain.lane import Lane
from patchgate.domain.operating_systems import operating_systems
from patchgate.operations.status.cycles import describe_last
from patchgate.operations.status.facts import Bucket
from patchgate.rehearsal.campaign.ground import CYCLES, VOLUMES, Ground, Grounds
from patchgate.rehearsal.campaign.mixes import draw_plan, read_mix
from patchgate.rehearsal.campaign.run import carry_out
from patchgate.rehearsal.campaign.shapes import SHAPES, Shape
from patchgate.rehearsal.summary import summarise

LANE, SAME = SHAPES[0], dict(SHAPES[0].parameters)
COUNTING = next(shape for shape in SHAPES if shape.name == "counting")
LIVELY = [shape for shape in SHAPES if shape.lively and shape.name != "autumn"]
"""Without a lane whose window may start twice in a night."""


def quiet_run(grounds: Grounds, ground: Ground) -> list[dict[str, object]]:
    """The ends of all installs in a run without faults."""
    plan = draw_plan(3, read_mix("none"), ground.shape, ground.terrain)
    assert carry_out(grounds, ground, plan).violations == ()
    return [dict(r) for r in grounds.stage.cloud.history.of("PatchEnded") if r["operation"] == "Install"]


@pytest.mark.parametrize("shape", SHAPES, ids=[shape.name for shape in SHAPES])
def test_on_every_standard_lane_a_run_without_faults_installs(grounds: Grounds, shape: Shape) -> None:
    ground = grounds.of(shape)
    ended = quiet_run(grounds, ground)
    if shape.name == "unmet":  # its gate is due after the window has begun
        assert ended == []
        return
    if shape.name == "thrifty":  # some recovery points have expired by then
        assert any(each["installed"] for each in ended)
        return
    firsts = {str(each["instance"]): each["installed"] for each in reversed(ended)}
    assert set(firsts) == set(ground.terrain.instances)
    assert {str(updates) for updates in firsts.values()} == {f"['{shape.os}-1', '{shape.os}-2']"}


@pytest.mark.parametrize("shape", LIVELY, ids=[shape.name for shape in LIVELY])
def test_where_machines_are_patched_every_window_has_updates_of_its_own(grounds: Grounds, shape: Shape) -> None:
    ended = quiet_run(grounds, grounds.of(shape))
    assert {str(each["installed"]) for each in ended} == {
        f"['{shape.os}-1', '{shape.os}-2']",
        f"['{shape.os}-3', '{shape.os}-4']",
        f"['{shape.os}-5', '{shape.os}-6']",
    }
    assert len(ended) == CYCLES * len(VOLUMES)


def test_updates_of_a_night_wait_for_the_lanes_approval_delay(grounds: Grounds) -> None:
    delayed = [replace(LANE, name=f"after-{days}", parameters=SAME | {"ApproveAfterDays": days}) for days in "029"]
    ends = [[each["installed"] for each in quiet_run(grounds, grounds.of(shape))] for shape in delayed]
    assert ends[0] == ends[1] == ends[2]
    assert len({str(installed) for installed in ends[0]}) == CYCLES


@pytest.mark.parametrize("os", [family.name for family in operating_systems()])
def test_machines_of_every_operating_system_have_updates_that_their_baseline_takes(grounds: Grounds, os: str) -> None:
    shape = Shape(f"of-{os}", "a lane of an operating system", os=os, parameters=SHAPES[0].parameters)
    ended = quiet_run(grounds, grounds.of(shape))
    for first in (1, 3, 5):
        updates = [f"{os}-{first}", f"{os}-{first + 1}"]
        assert sum(each["installed"] == updates for each in ended) == len(VOLUMES)


def test_f37_reboots_that_are_left_out_are_due_and_said_to_be(grounds: Grounds) -> None:
    """The test that the table of faults links to for F37: installed, and waiting for a reboot."""
    ground = grounds.of(COUNTING)
    terrain, cloud = ground.terrain, grounds.stage.cloud
    ended = quiet_run(grounds, ground)
    assert len(ended) == len(terrain.instances) * CYCLES
    nights = (["windows-2"], ["windows-2", "windows-4"], ["windows-2", "windows-4", "windows-6"])
    assert [each["pending_reboot"] for each in ended] == [due for due in nights for _ in terrain.instances]
    assert not list(cloud.history.of("InstanceRebooted"))

    (lane,) = summarise(list(cloud.history), [terrain.lane])
    for outcome in lane.instances:
        assert (outcome.status, outcome.reason, outcome.fault) == ("patched-pending-reboot", "pending-reboot", "F37")
        assert "windows-2" in outcome.detail

    reader = LaneReader(lambda account, region, service: grounds.stage.session(account, region).client(service))
    place = Lane(COUNTING.account, COUNTING.region, COUNTING.os, COUNTING.env, COUNTING.account)
    states = reader.patch_states(place)
    assert {(state.installed, state.missing, state.failed, state.pending_reboot) for state in states} == {(3, 0, 0, 3)}
    leases = reader.lane(place).leases
    cycle = max(leases)
    evidence = reader.evidence(place, Bucket(terrain.bucket, COUNTING.account, COUNTING.region), cycle)
    last = describe_last(cycle, leases[cycle], evidence, states, None, cloud.now)
    assert last.outcomes == {"up-to-date": 0, "pending-reboot": 4, "missing": 0, "failed": 0, "no-report": 0}


def test_a_reboot_ends_f37(grounds: Grounds) -> None:
    ground = grounds.of(COUNTING)
    quiet_run(grounds, ground)
    cloud, scope = grounds.stage.cloud, ground.terrain.scope
    instance = ground.terrain.instances[0]
    cloud.invoke(scope, "ec2", "RebootInstances", {"InstanceIds": [instance]})
    request = {"DocumentName": "AWS-RunPatchBaseline", "InstanceIds": [instance]}
    cloud.kernel.run_until(cloud.now + timedelta(hours=1))
    cloud.invoke(scope, "ssm", "SendCommand", request | {"Parameters": {"Operation": ["Scan"]}})
    cloud.kernel.run_until(cloud.now + timedelta(hours=1))
    (state,) = cloud.invoke(scope, "ssm", "DescribeInstancePatchStates", {"InstanceIds": [instance]})[
        "InstancePatchStates"
    ]
    assert (state["InstalledCount"], state["InstalledPendingRebootCount"]) == (6, 0)
