"""Which faults fit a terrain: other people's templates lack things that faults act on, such as freezes.

A fault that can do nothing in any of its drawings is not applicable there, and is left out of the mix; of the others
only what can do something is drawn.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from patchgate.rehearsal.campaign.faults import FAULTS, Draw

if TYPE_CHECKING:
    from patchgate.rehearsal.campaign.faults import Fault
    from patchgate.rehearsal.campaign.plan import Injection
    from patchgate.rehearsal.campaign.terrain import Terrain

_DRAWINGS = 64
_ROLES = {"open": "before the window", "close": "after the window", "watchdog": "as a watchdog"}


def obstacle(injection: Injection, terrain: Terrain) -> str:
    """Why an injection can do nothing on a terrain; "" when it can."""
    program, schedule = injection.given.get("program"), injection.given.get("schedule")
    if program is not None and program not in terrain.programs:
        return "the window runs no runbook" if program == "prove" else _nobody(str(program))
    if schedule is not None and schedule not in terrain.schedules:
        return _nobody(str(schedule))
    return terrain.limits.get(injection.act, "")


def _nobody(label: str) -> str:
    return f"no scheduled function runs {_ROLES.get(label, label)}"


def unfitting(terrain: Terrain) -> dict[str, str]:
    """The faults that can do nothing on a terrain, each with the reasons."""
    return {number: why for number, fault in FAULTS.items() if (why := _misfit(fault, terrain))}


def _misfit(fault: Fault, terrain: Terrain) -> str:
    """Why no drawing of a fault does anything; "" when one does. Drawn from coins of its own, so that it is the same
    in every run.
    """
    why: dict[str, None] = {}
    for number in range(_DRAWINGS):
        coins = random.Random(f"does {fault.number} fit: {number}")  # noqa: S311 - replayable by design, never a secret
        cycle = terrain.cycles[number % len(terrain.cycles)]
        for injection in fault.draw(Draw(coins, terrain, cycle, fault.number)):
            reason = obstacle(injection, terrain)
            if not reason:
                return ""
            why[reason] = None
    return "; ".join(why)


def draw_fitting(fault: Fault, draw: Draw) -> list[Injection]:
    """The injections of a fault that can do something: of its first drawing that has any."""
    while True:
        fitting = [each for each in fault.draw(draw) if not obstacle(each, draw.terrain)]
        if fitting:
            return fitting
