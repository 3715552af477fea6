"""Every call of every program can go wrong: their numbers are measured, drawn to the last, and struck."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest

from patchgate.emulator.assumptions import Assumptions
from patchgate.rehearsal.campaign.adversary import CALL
from patchgate.rehearsal.campaign.faults import FAULTS, Draw
from patchgate.rehearsal.campaign.ground import Ground, Grounds, open_grounds
from patchgate.rehearsal.campaign.paths import Counting, follow, paths
from patchgate.rehearsal.campaign.plan import Injection, RunPlan, Value
from patchgate.rehearsal.campaign.run import carry_out
from patchgate.rehearsal.campaign.shapes import SHAPES, Shape
from patchgate.rehearsal.campaign.terrain import SETTLED, Terrain

LANES = [shape for shape in SHAPES if shape.name in ("daily", "volumes", "calendar")]
ON_LANES = pytest.mark.parametrize("shape", LANES, ids=[shape.name for shape in LANES])


def lengths(grounds: Grounds, ground: Ground, injections: tuple[Injection, ...]) -> dict[str, int]:
    """program -> the calls of its longest invocation on a path."""
    found: dict[str, int] = {}
    for program, counted in follow(grounds, ground, injections).by_program():
        found[program] = max(found.get(program, 0), counted["any"])
    return found


def struck_calls(grounds: Grounds, ground: Ground, injections: Sequence[Injection]) -> list[str]:
    """What is said of the calls that were struck in a run."""
    counting = Counting(grounds.begin(ground, 0, Assumptions()), ground.terrain, injections)
    counting.begin()
    counting.run()
    records = grounds.stage.cloud.history.of("FaultInjected")
    return [record["given"] for record in records if record["act"] == CALL]


def test_the_hold_path_and_the_proof_of_volumes_are_as_long_as_they_are(grounds: Grounds) -> None:
    daily, volumes = (grounds.of(shape) for shape in SHAPES if shape.name in ("daily", "volumes"))
    assert lengths(grounds, daily, paths(daily.terrain)["frozen"])["open"] == 15
    gate = daily.terrain.calls["open"]
    assert (gate["any"], gate["read"], gate["write"]) == (15, 10, 5)
    assert volumes.terrain.calls["prove"]["any"] == 19  # three calls for each of four volumes, and seven


def spans(terrain: Terrain, program: str) -> Iterator[tuple[int, int]]:
    """When a program runs in each cycle, the last cycle first: as faults have it."""
    for cycle in reversed(terrain.cycles):
        close = terrain.seconds(cycle.close)
        if program == "watchdog":
            yield close + 1800, terrain.seconds(cycle.close + SETTLED)
        else:
            yield terrain.seconds(cycle.gate) - 3600, close + 1800


@ON_LANES
def test_crash_is_drawn_at_every_call_of_every_program(grounds: Grounds, shape: Shape) -> None:
    terrain = grounds.of(shape).terrain
    drawn: dict[str, set[object]] = {}
    for seed in range(2000):
        cycle = terrain.cycles[seed % 3]
        coins = random.Random(seed)  # noqa: S311 - replayable by design
        for injection in FAULTS["crash"].draw(Draw(coins, terrain, cycle, "crash")):
            program = str(injection.given["program"])
            if program == "close" and injection.begins > terrain.seconds(cycle.close):
                program = "watchdog"
            drawn.setdefault(program, set()).add(injection.given["nth"])
    assert drawn == {program: set(range(calls["any"])) for program, calls in terrain.calls.items()}


@ON_LANES
def test_crash_at_every_call_of_every_path(grounds: Grounds, shape: Shape) -> None:
    ground = grounds.of(shape)
    terrain = ground.terrain
    tried: dict[str, int] = {}
    for way, injections in paths(terrain).items():
        for program, length in lengths(grounds, ground, injections).items():
            if length <= tried.get(program, 0) and way != "frozen":
                continue  # a shorter path than one that was tried
            tried[program] = max(length, tried.get(program, 0))
            given: dict[str, Value] = {
                "program": program.replace("watchdog", "close"),
                "which": "any",
                "effect": "crash",
                "times": 1,
            }
            for nth in range(length):
                crashes = [Injection("crash", CALL, *span, given | {"nth": nth}) for span in spans(terrain, program)]
                said = (struck_calls(grounds, ground, (*injections, crash)) for crash in crashes)
                assert any(said), f"{program}, call {nth} of {length} where {way}"
    assert tried == {program: calls["any"] for program, calls in terrain.calls.items()}


def test_crash_at_each_call_of_the_hold_path_breaks_no_promise(grounds: Grounds, daily: Ground) -> None:
    frozen = paths(daily.terrain)["frozen"]
    plan = RunPlan(0, daily.shape.name, Assumptions(), (), None)
    places = []
    for nth in range(15):
        for effect in ("crash", "crash-after"):
            given: dict[str, Value] = {"program": "open", "which": "any", "effect": effect, "times": 1, "nth": nth}
            crash = Injection("crash", CALL, 0, 10**9, given)
            outcome = carry_out(grounds, daily, plan.with_injections((*frozen, crash)))
            assert outcome.violations == ()
            assert outcome.holds
            (said,) = (r["given"] for r in grounds.stage.cloud.history.of("FaultInjected") if r["act"] == CALL)
            places.append(said.partition(" of ")[0])
    assert places[-6::2] == ["ssm:GetMaintenanceWindow", "ssm:PutParameter", "sns:Publish"]


def test_through_the_wire_the_lengths_are_the_same(grounds: Grounds, daily: Ground) -> None:
    with open_grounds("wire") as wired:
        assert wired.of(daily.shape).terrain == daily.terrain
