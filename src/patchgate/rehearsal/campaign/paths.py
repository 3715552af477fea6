"""How many calls programs make: measured where a ground is broken, so that each of them can go wrong.

A program's calls are counted in a few runs, each of which leads it down another of its paths: the gate opens, tells of
somebody whom it leaves out, holds for a freeze; the close and the watchdog find all well, or what another one missed,
for one night or two.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from patchgate.emulator.assumptions import Assumptions
from patchgate.rehearsal.campaign.adversary import DELIVERY, READS, Adversary
from patchgate.rehearsal.campaign.plan import Injection
from patchgate.rehearsal.campaign.terrain import Lengths
from patchgate.rehearsal.campaign.unemulated import refuse_unemulated

if TYPE_CHECKING:
    from patchgate.emulator.meddling import Call
    from patchgate.rehearsal.campaign.ground import Ground, Grounds
    from patchgate.rehearsal.campaign.terrain import Terrain

PROVE = "prove"
_ALWAYS = (0, 10**9)


def paths(terrain: Terrain) -> Mapping[str, tuple[Injection, ...]]:
    """Runs that between them lead every program down each of its long paths, by what happens in them."""
    ways: dict[str, tuple[Injection, ...]] = {"all is well": ()}
    begins = [(max(0, terrain.seconds(cycle.gate) - 600), terrain.seconds(cycle.close)) for cycle in terrain.cycles]
    ways["a backup fails"] = (Injection("", "backup", 0, None, {"instance": 0, "outcome": "FAILED"}),)
    ways["an install fails"] = (Injection("", "patches", 0, None, {"instance": 0, "failing": 1, "reason": "an error"}),)
    starts = [terrain.seconds(cycle.start) + 1 for cycle in terrain.cycles]
    ways["an execution is cancelled"] = tuple(Injection("", "cancel-executions", start) for start in starts)
    ways["a volume more"] = (Injection("", "attach", 0, None, {"instance": len(terrain.instances) - 1}),)
    if terrain.freezes:
        ways["frozen"] = tuple(Injection("", "freeze", *span, {"which": 1}) for span in begins)
    if terrain.calendars:
        ways["a calendar is closed"] = tuple(
            Injection("", "close-calendar", *span, {"minutes": (span[1] - span[0]) // 60, "which": 0})
            for span in begins
        )
    ways["an agent is silent"] = (Injection("", "agent", 0, None, {"instance": 0, "silent": True}),)
    for lost in ("open", "close"):
        ways[f"{lost} never comes"] = (_lost(lost, *_ALWAYS),)
    second = begins[1:2] or begins
    ways["a night without a close"] = tuple(_lost(lost, 0, second[0][0]) for lost in ("close", "watchdog"))
    return ways


def _lost(schedule: str, begins: int, ends: int) -> Injection:
    return Injection("", DELIVERY, begins, ends, {"schedule": schedule, "delays": ()})


class Counting(Adversary):
    """Carries out a path and counts: ``calls`` maps a process to the number of its calls, by what they are."""

    def begin(self) -> None:
        """As of any adversary; every call is seen, whether or not one is to go wrong."""
        super().begin()
        self.calls: dict[str, Counter[str]] = {}
        self._cloud.meddler = self

    def before(self, call: Call) -> None:
        """Count a call, and go on."""
        kind = "read" if call.operation.startswith(READS) else "write"
        counted = self.calls.setdefault(call.process, Counter())
        counted.update(("any", kind, f"{call.service}:{call.operation}"))
        super().before(call)

    def by_program(self) -> Iterator[tuple[str, Counter[str]]]:
        """(program, its calls) of every process that was seen; the watchdog is told from the close by its input."""
        labels = {name: "open" if name == self._terrain.programs.get("open") else "close" for name in self._functions()}
        invoked = {
            f"{record['function']} {record['request_id']}": record
            for record in self._cloud.history.of("FunctionInvoked")
            if record["function"] in labels
        }
        for process, counted in self.calls.items():
            if process in invoked:
                record = invoked[process]
                label = labels[record["function"]]
                is_watchdog = label == "close" and self._is_of("watchdog", record["payload"])
                yield "watchdog" if is_watchdog else label, counted
            elif "/" in process and PROVE in self._terrain.programs:
                yield PROVE, counted

    def _functions(self) -> set[str]:
        return {name for label, name in self._terrain.programs.items() if name and label != PROVE}

    def _is_of(self, schedule: str, payload: object) -> bool:
        """Whether a payload is a schedule's input, but for what Scheduler fills in."""
        text = self._terrain.inputs.get(schedule)
        if not text or not isinstance(payload, dict):
            return False
        return all(payload.get(key) == value for key, value in json.loads(text).items() if "<aws." not in str(value))


def count_calls(grounds: Grounds, ground: Ground) -> Lengths:
    """program -> kind of call -> how many of it one invocation makes at most: see ``Terrain.calls``."""
    longest: dict[str, Counter[str]] = {}
    for injections in paths(ground.terrain).values():
        for program, counted in follow(grounds, ground, injections).by_program():
            longest[program] = longest.get(program, Counter()) | counted
    return {program: dict(sorted(counted.items())) for program, counted in sorted(longest.items())}


def follow(grounds: Grounds, ground: Ground, injections: tuple[Injection, ...]) -> Counting:
    """Go down one path, and count."""
    cloud = grounds.begin(ground, 0, Assumptions())
    counting = Counting(cloud, ground.terrain, injections)
    counting.begin()
    with refuse_unemulated(cloud.history, of_others=bool(ground.shape.stacks)):
        counting.run()
    return counting
