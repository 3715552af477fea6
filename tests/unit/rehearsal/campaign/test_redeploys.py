"""F24's other half: the stack of the lane's window is deleted and deployed again, and its window is another one."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from patchgate.emulator.assumptions import Assumptions
from patchgate.rehearsal.campaign.acts import ACTS, Scene
from patchgate.rehearsal.campaign.faults import FAULTS, Draw
from patchgate.rehearsal.campaign.fitting import obstacle
from patchgate.rehearsal.campaign.ground import Ground, Grounds, open_grounds
from patchgate.rehearsal.campaign.mixes import draw_plan, read_mix
from patchgate.rehearsal.campaign.plan import Injection, RunPlan
from patchgate.rehearsal.campaign.run import RunOutcome, carry_out
from patchgate.rehearsal.campaign.shapes import SHAPES
from patchgate.rehearsal.observation import instant
from tests.campaign.seeding import Bug, SourceEdit, open_broken_grounds

HOUR = 3600
GATE, WINDOW, END, CLOSE = 8 * HOUR + 1800, 9 * HOUR, 12 * HOUR, 14 * HOUR + 600
"""Of the first night of lane daily, which begins at 12:00 UTC."""
CALM = CLOSE + 10 * HOUR
RETRIED = 300
"""So long after its stack is back the last try of what failed without it is over."""


def redeployed(begins: int, ends: int | None) -> Injection:
    return Injection("F24", "redeploy-stack", begins, ends)


def run(grounds: Grounds, ground: Ground, *injections: Injection, calm: int | None = CALM) -> RunOutcome:
    return carry_out(grounds, ground, RunPlan(1, ground.shape.name, Assumptions(), injections, calm))


def windows(grounds: Grounds) -> list[str]:
    """The ids of all windows there were, in the order of their creation."""
    return [record["window"] for record in grounds.stage.cloud.history.of("WindowCreated")]


def executed(grounds: Grounds) -> list[str]:
    """The windows of all executions, in order."""
    return [record["window"] for record in grounds.stage.cloud.history.of("WindowExecutionStarted")]


def failed_after(grounds: Grounds, ground: Ground, seconds: int) -> list[str]:
    """The functions whose runs failed so long after the run's start, or later."""
    since = ground.terrain.start + timedelta(seconds=seconds)
    ended = [record for record in grounds.stage.cloud.history.of("FunctionEnded") if instant(record["at"]) >= since]
    return [record["function"] for record in ended if record["status"] != "Success"]


def asked(grounds: Grounds, ground: Ground, service: str, operation: str, **request: Any) -> dict[str, Any]:
    scope = ground.terrain.scope
    return grounds.stage.cloud.call(scope.account, scope.region, service, operation, request)


def stack_of(grounds: Grounds, ground: Ground) -> dict[str, Any]:
    (found,) = asked(grounds, ground, "cloudformation", "DescribeStacks", StackName=ground.terrain.stacks[0])["Stacks"]
    return dict(found)


def test_f24_the_window_of_a_stack_that_is_deployed_again_is_another_one(grounds: Grounds, daily: Ground) -> None:
    outcome = run(grounds, daily, redeployed(CLOSE + HOUR, CLOSE + HOUR + 30))
    assert (outcome.struck, outcome.violations) == (("F24",), ())
    first, second = windows(grounds)
    assert first != second
    assert executed(grounds) == [first, second, second]
    (known,) = asked(grounds, daily, "ssm", "DescribeMaintenanceWindows")["WindowIdentities"]
    assert (known["WindowId"], known["Name"]) == (second, daily.terrain.facts.window_name)
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack_of(grounds, daily)["Outputs"]}
    assert outputs["MaintenanceWindowId"] == second
    assert outcome.installs == 12


def test_f24_what_the_stack_retains_is_used_again(grounds: Grounds, daily: Ground) -> None:
    """The vault and its recovery points, and the role that made them, were there before and are there after."""
    before = _values(_deployed(grounds, daily))
    run(grounds, daily, redeployed(GATE - HOUR, GATE - 1800))
    stack = stack_of(grounds, daily)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    now = _values(stack)
    assert now == before | {"CreateBackupVault": "false", "CreateBackupRole": "false"} != before
    history = grounds.stage.cloud.history
    started = [record["at"] for record in history.of("PatchStarted") if record["operation"] == "Install"]
    made = [record["at"] for record in history.of("BackupJobStateChanged") if record["state"] == "COMPLETED"]
    (gone,) = [record["at"] for record in history.of("WindowDeleted")]
    assert min(made) < gone < min(started)
    assert min(started)[:10] == gone[:10]


def _values(stack: dict[str, Any]) -> dict[str, str]:
    return {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}


def _deployed(grounds: Grounds, ground: Ground) -> dict[str, Any]:
    """The stack as it was when the ground had just been broken."""
    grounds.begin(ground, 1, Assumptions())
    return stack_of(grounds, ground)


def test_f24_a_stack_is_back_in_the_calm(grounds: Grounds, daily: Ground) -> None:
    outcome = run(grounds, daily, redeployed(WINDOW - 60, CALM))
    assert (outcome.struck, outcome.violations, outcome.installs) == (("F24",), (), 8)
    faults = grounds.stage.cloud.history.of("FaultInjected", "FaultEnded")
    assert [record["event"] for record in faults] == ["FaultInjected", "FaultEnded"]
    assert executed(grounds) == [windows(grounds)[1]] * 2


def test_f24_a_stack_may_stay_away_where_there_is_no_calm(grounds: Grounds, daily: Ground) -> None:
    outcome = run(grounds, daily, redeployed(WINDOW - 60, None), calm=None)
    assert (outcome.struck, outcome.violations, outcome.installs) == (("F24",), (), 0)
    assert len(windows(grounds)) == 1


@pytest.mark.parametrize("down", [1, 600, 2 * HOUR])
@pytest.mark.parametrize("begins", [GATE - 1, GATE + 2, WINDOW - 1, WINDOW + 3, WINDOW + HOUR, END - 60, CLOSE + 1])
def test_f24_a_replaced_window_keeps_the_promises(grounds: Grounds, daily: Ground, begins: int, down: int) -> None:
    outcome = run(grounds, daily, redeployed(begins, begins + down))
    assert (outcome.struck, outcome.violations, outcome.patched) == (("F24",), (), 4)
    assert len(set(windows(grounds))) == 2
    assert failed_after(grounds, daily, begins + down + RETRIED) == []


def test_f24_a_close_that_goes_by_the_lease_does_not_find_the_new_window() -> None:
    by_lease = (
        'lane.disable_window(json.loads(leases[max(leases)]["open"])["window_id"] if leases else window["WindowId"])'
    )
    bug = Bug("", "", "F24", (SourceEdit("close_window", 'lane.disable_window(window["WindowId"])', by_lease),))
    with open_broken_grounds(bug) as grounds:
        ground = grounds.of(SHAPES[0])
        run(grounds, ground, redeployed(CLOSE + 60, CLOSE + 90))
        assert failed_after(grounds, ground, CLOSE + 90 + RETRIED) == [ground.terrain.programs["close"]] * 3


def test_f24_a_window_that_comes_without_a_lease_installs_nothing(grounds: Grounds, daily: Ground) -> None:
    """Windows are enabled when they are created: this one while its stack's gate of the night found none."""
    outcome = run(grounds, daily, redeployed(GATE - 60, GATE + 600))
    first, second = windows(grounds)
    history = grounds.stage.cloud.history
    (made,) = [record for record in history.of("WindowCreated") if record["window"] == second]
    assert made["enabled"]
    assert executed(grounds) == [second] * 3
    assert (outcome.denied, outcome.installs) == (4, 8)
    assert next(record["window"] for record in history.of("WindowUpdated") if not record["enabled"]) == second
    assert first not in executed(grounds)


def test_f24_a_window_that_comes_after_the_gate_installs_by_the_nights_lease(grounds: Grounds, daily: Ground) -> None:
    outcome = run(grounds, daily, redeployed(WINDOW - 900, WINDOW - 899))
    assert (outcome.denied, outcome.installs) == (0, 12)
    assert executed(grounds) == [windows(grounds)[1]] * 3


def test_f24_one_that_is_away_cannot_be_taken_away_and_one_that_is_back_can(grounds: Grounds, daily: Ground) -> None:
    away = [redeployed(HOUR, 3 * HOUR), redeployed(2 * HOUR, 4 * HOUR), redeployed(5 * HOUR, 5 * HOUR + 30)]
    assert run(grounds, daily, *away).violations == ()
    told = grounds.stage.cloud.history.of("FaultInjected", "FaultMissed", "FaultEnded")
    assert [record["event"].removeprefix("Fault") for record in told] == [
        "Injected",
        "Missed",
        "Ended",
        "Injected",
        "Ended",
    ]
    assert len(set(windows(grounds))) == 3


def test_f24_a_patch_group_that_was_taken_from_the_stack_before_is_that_of_the_new_one(
    grounds: Grounds, daily: Ground
) -> None:
    """What F36 takes away it gives back: but for baselines that are gone meanwhile."""
    lost = Injection("F36", "deregister-patch-group", HOUR, 6 * HOUR)
    away, back = redeployed(2 * HOUR, 3 * HOUR), redeployed(2 * HOUR, 7 * HOUR)
    groups = []
    for injections in ((), (lost,), (lost, away), (lost, back)):
        assert run(grounds, daily, *injections).violations == ()
        found = asked(grounds, daily, "ssm", "DescribePatchGroups")["Mappings"]
        groups.append(sorted(each["BaselineIdentity"]["OperatingSystem"] for each in found))
    assert groups[0] == groups[1] == groups[2] == groups[3] != []


def test_f24_through_the_wire_a_stack_is_replaced_alike(grounds: Grounds, daily: Ground) -> None:
    direct = run(grounds, daily, redeployed(WINDOW + 3, WINDOW + 33))
    with open_grounds("wire") as wired:
        assert run(wired, wired.of(daily.shape), redeployed(WINDOW + 3, WINDOW + 33)) == direct


def drawings(ground: Ground, count: int) -> list[Injection]:
    terrain, found = ground.terrain, []
    for seed in range(count):
        coins = random.Random(seed)  # noqa: S311 - replayable by design
        (injection,) = FAULTS["F24"].draw(Draw(coins, terrain, terrain.cycles[0], "F24"))
        found.append(injection)
    return found


def test_f24_replaces_a_window_in_one_drawing_of_four_and_not_for_ever(daily: Ground) -> None:
    found = [each for each in drawings(daily, 400) if each.act == "redeploy-stack"]
    assert 80 <= len(found) <= 120
    assert {(each.ends or 0) - each.begins for each in found} == {1, 30, 600, 2 * HOUR}
    assert any(each.begins < GATE for each in found)
    assert any(WINDOW <= each.begins < END for each in found)
    assert any(each.begins > CLOSE + HOUR for each in found)
    assert all(each.begins < CALM for each in found)


def test_f24_fits_every_lane_of_ours(grounds: Grounds) -> None:
    for shape in SHAPES:
        assert not any(obstacle(each, grounds.of(shape).terrain) for each in drawings(grounds.of(shape), 20))


def test_f24_is_no_act_on_a_lane_that_is_known_by_its_windows_id(grounds: Grounds, daily: Ground) -> None:
    terrain = replace(daily.terrain, facts=replace(daily.terrain.facts, window_id="mw-0123456789abcdef0"))
    cloud = grounds.begin(daily, 1, Assumptions())
    assert ACTS["redeploy-stack"](Scene(cloud, terrain, 0, {}), {}) is None
    assert not list(cloud.history.of("WindowDeleted"))


@pytest.mark.parametrize("name", ["weekly", "volumes", "autumn", "spring", "unmet", "thrifty"])
def test_f24_drawn_replacements_keep_the_promises_on_other_lanes(grounds: Grounds, name: str) -> None:
    shape = next(shape for shape in SHAPES if shape.name == name)
    ground, mix, replaced = grounds.of(shape), read_mix("F24"), 0
    for seed in range(100):
        plan = draw_plan(seed, mix, shape, ground.terrain)
        if all(each.act != "redeploy-stack" for each in plan.injections):
            continue
        outcome = carry_out(grounds, ground, plan)
        assert (outcome.struck, outcome.violations) == (("F24",), ()), f"--faults F24 --replay {seed}"
        replaced += 1
        if replaced == 3:
            break
    assert replaced == 3
