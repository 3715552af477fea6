"""Acts say what they changed, and only what really went wrong strikes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from patchgate.emulator.assumptions import Assumptions
from patchgate.emulator.ec2 import Ec2
from patchgate.rehearsal.campaign import adversary
from patchgate.rehearsal.campaign.acts import ACTS, Harm, Scene
from patchgate.rehearsal.campaign.acts.scene import Given
from patchgate.rehearsal.campaign.ground import CYCLES, Ground, Grounds
from patchgate.rehearsal.campaign.mixes import draw_plan, read_mix
from patchgate.rehearsal.campaign.plan import Injection, RunPlan, Value
from patchgate.rehearsal.campaign.run import RunOutcome, carry_out
from patchgate.rehearsal.campaign.shapes import SHAPES
from patchgate.rehearsal.campaign.story import tell

HOUR = 3600
CYCLE_1, CYCLE_2 = 0, 24 * HOUR
"""Lane daily begins at 12:00 UTC: backup 17:00, gate 20:30, window 21:00 to 24:00."""
GATE, WINDOW = 8 * HOUR + 1800, 9 * HOUR


def injected(act: str, begins: int, ends: int | None = None, **given: Value) -> Injection:
    return Injection("Fxx", act, begins, ends, given)


def run(grounds: Grounds, ground: Ground, *injections: Injection) -> RunOutcome:
    return carry_out(grounds, ground, RunPlan(1, ground.shape.name, Assumptions(), injections, None))


def events(grounds: Grounds) -> list[tuple[str, str]]:
    """What the history says of faults: event and act."""
    told = ("FaultInjected", "FaultLaid", "FaultMissed", "FaultEnded")
    return [(record["event"], record.get("act", "")) for record in grounds.stage.cloud.history.of(*told)]


@pytest.mark.parametrize("name", ["F02", "F14", "F16", "F23", "F24", "F34", "F38", "F39", "F43", "F53", "F60"])
def test_acts_that_do_nothing_do_not_strike(grounds: Grounds, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def nothing(scene: Scene, given: Given) -> Harm | None:
        return None

    ground = grounds.of(SHAPES[4])  # with acts that do something: they lead programs down the paths that are measured
    monkeypatch.setattr(adversary, "ACTS", dict.fromkeys(ACTS, nothing))
    for seed in range(3):
        outcome = carry_out(grounds, ground, draw_plan(seed, read_mix(name), SHAPES[4], ground.terrain))
        assert outcome.struck == ()
        assert {event for event, _ in events(grounds)} == {"FaultMissed"}


NO_OBJECT: tuple[tuple[str, dict[str, Value]], ...] = (
    ("agent", {"instance": 0, "silent": True}),
    ("patches", {"instance": 0, "failing": 1, "reason": "none"}),
    ("pace", {"instance": 0, "minutes": 100}),
    ("patch-now", {"instance": 0}),
    ("backup", {"instance": 0, "outcome": "FAILED"}),
    ("back-up-now", {"instance": 0}),
    ("delete-recovery-points", {"instance": 0}),
    ("state", {"instance": 0, "state": "stopped"}),
    ("attach", {"instance": 0, "swap": True}),
    ("tag", {"instance": 0, "key": "Name", "value": "another"}),
    ("impair", {"instance": 0}),
)


@pytest.mark.parametrize(("act", "given"), NO_OBJECT)
def test_an_act_on_a_machine_that_is_gone_misses(
    grounds: Grounds, daily: Ground, act: str, given: dict[str, Value]
) -> None:
    gone = injected("state", 60, instance=0, state="terminated")
    assert run(grounds, daily, gone, Injection("Fxx", act, 120, WINDOW, given)).struck == ("Fxx",)
    assert events(grounds) == [("FaultInjected", "state"), ("FaultMissed", act)]


SO_ALREADY: tuple[tuple[str, int, dict[str, Value]], ...] = (
    ("agent", 60, {"instance": 0, "silent": True}),
    ("tag", 60, {"instance": 0, "key": "Name", "value": "another"}),
    ("impair", 60, {"instance": 0}),
    ("state", 60, {"instance": 0, "state": "stopped"}),
    ("window", 60, {"enabled": False}),
    ("delete-recovery-points", 7 * HOUR, {"instance": 0}),
    ("deregister-patch-group", 60, {}),
    ("delete-stack", 60, {"stack": 1}),
    ("redeploy-stack", 60, {}),
    ("freeze", 60, {"which": 0}),
    ("deny-bucket", 60, {}),
    ("cancel-executions", WINDOW + 5, {}),
    ("cancel-commands", WINDOW + 5, {}),
)


@pytest.mark.parametrize(("act", "begins", "given"), SO_ALREADY)
def test_an_act_misses_where_it_is_so_already(
    grounds: Grounds, daily: Ground, act: str, begins: int, given: dict[str, Value]
) -> None:
    run(grounds, daily, *[Injection("Fxx", act, begins, None, given)] * 2)
    assert events(grounds) == [("FaultInjected", act), ("FaultMissed", act)]


@pytest.mark.parametrize(
    ("act", "given"),
    [
        ("close-calendar", {"minutes": 30}),
        ("cancel-executions", {}),
        ("cancel-commands", {}),
        ("delete-recovery-points", {"instance": 0}),
        ("tag", {"instance": 0, "key": "No", "value": ""}),
    ],
)
def test_an_act_without_an_object_misses(grounds: Grounds, daily: Ground, act: str, given: dict[str, Value]) -> None:
    assert run(grounds, daily, Injection("Fxx", act, 60, None, given)).struck == ()
    assert events(grounds) == [("FaultMissed", act)]


LAID: tuple[tuple[str, int, dict[str, Value]], ...] = (
    ("patches", CYCLE_1, {"instance": 0, "failing": 1, "reason": "no"}),
    ("pace", CYCLE_1, {"instance": 0, "minutes": 45}),
    ("backup", CYCLE_1, {"instance": 0, "outcome": "FAILED"}),
    ("backup", CYCLE_1, {"instance": 0, "outcome": "NONE"}),
    ("backup", CYCLE_1, {"instance": 0, "category": "VSS_ERROR"}),
    ("backup", CYCLE_1, {"instance": 0, "minutes": 100}),
    ("agent", CYCLE_1, {"instance": 0, "delivery": 30}),
    ("twin-window", CYCLE_1, {"minutes": 10}),
    ("patch-now", CYCLE_1, {"instance": 0}),
)


@pytest.mark.parametrize(("act", "begins", "given"), LAID)
def test_what_is_laid_strikes_when_it_comes_out(
    grounds: Grounds, daily: Ground, act: str, begins: int, given: dict[str, Value]
) -> None:
    ended = run(grounds, daily, Injection("Fxx", act, begins, begins + 18 * HOUR, given))
    assert ended.struck == ("Fxx",)
    assert events(grounds)[:2] == [("FaultLaid", act), ("FaultInjected", act)]


@pytest.mark.parametrize(("act", "begins", "given"), LAID)
def test_what_is_laid_and_never_comes_out_does_not_strike(
    grounds: Grounds, daily: Ground, act: str, begins: int, given: dict[str, Value]
) -> None:
    assert run(grounds, daily, Injection("Fxx", act, begins, begins + 1, given)).struck == ()
    assert events(grounds)[:2] == [("FaultLaid", act), ("FaultMissed", act)]


def test_an_install_cannot_fail_where_all_is_installed(grounds: Grounds, daily: Ground) -> None:
    by_hand = [replace(injected("patch-now", when, instance=0), fault="hand") for when in (HOUR, 4 * HOUR)]
    failing = injected("patches", 3 * HOUR, 6 * HOUR, instance=0, failing=2, reason="no")
    assert run(grounds, daily, *by_hand, failing).struck == ("hand",)
    assert run(grounds, daily, replace(failing, begins=0), *by_hand).struck == ("Fxx", "hand")


@pytest.mark.parametrize("cycle", range(CYCLES))
@pytest.mark.parametrize("failing", [1, 2])
def test_installs_of_every_cycle_can_fail(grounds: Grounds, daily: Ground, cycle: int, failing: int) -> None:
    begins = cycle * CYCLE_2
    bad = injected("patches", begins, begins + 18 * HOUR, instance=0, failing=failing, reason="no")
    assert run(grounds, daily, bad).struck == ("Fxx",)
    failed = [record["failed"] for record in grounds.stage.cloud.history.of("PatchEnded") if record["failed"]]
    os, last = daily.shape.os, 2 * cycle + 2
    assert failed[0] == [f"{os}-{last - 1}", f"{os}-{last}"][-failing:]


def test_two_acts_on_one_agent_leave_it_as_it_was(grounds: Grounds, daily: Ground) -> None:
    first = injected("agent", 60, 300, instance=0, silent=True)
    second = injected("agent", 120, 600, instance=0, version="3.0.501.0")
    run(grounds, daily, first, second)
    changed = [record["agent"] for record in grounds.stage.cloud.history.of("AgentChanged")]
    assert [agent["ping"] for agent in changed] == ["ConnectionLost", "Online", "Online", "Online"]
    assert len({agent["version"] for agent in changed[2:]}) == 1


def test_a_story_says_what_was_missed(grounds: Grounds, daily: Ground) -> None:
    injections: Sequence[Injection] = (
        injected("cancel-commands", 60),
        injected("patches", 60, 120, instance=0, failing=1, reason="no"),
    )
    plan = RunPlan(1, daily.shape.name, Assumptions(), tuple(injections), None)
    outcome = carry_out(grounds, daily, plan)
    story = tell(daily, plan, outcome, grounds.stage.cloud.history)
    assert [scene.what for scene in story.scenes if scene.kind == "fault"] == [
        "Fxx: cancel-commands, and found nothing to change",
        "Fxx: patches instance web-0, failing 1, reason no",
        "Fxx is over",
    ]


def test_a_launched_machine_has_not_what_befell_the_first_one(grounds: Grounds) -> None:
    """Seed 31040 of `all`: a machine that took 200 minutes for ever kept two others from their turn in the calm."""
    ground = grounds.of(SHAPES[0])
    slow = injected("pace", 0, CYCLE_2, instance=0, minutes=200)
    silent = injected("agent", 60, CYCLE_2, instance=0, silent=True)
    run(grounds, ground, slow, silent, injected("launch", HOUR))
    machines = grounds.stage.cloud.component(Ec2).region(ground.terrain.scope).instances
    first = machines[ground.terrain.instances[0]].spec
    (launched,) = [each.spec for each in machines.values() if each.spec.name.startswith("launched-")]
    assert (launched.install_minutes, launched.agent) == (first.install_minutes, first.agent)
    assert launched.install_minutes < 200
    assert launched.agent.ping == "Online"
