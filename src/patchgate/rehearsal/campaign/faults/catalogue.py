"""What a fault is, and what it is drawn from."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from patchgate.rehearsal.campaign.plan import Injection, Value

if TYPE_CHECKING:
    from datetime import datetime

    from patchgate.rehearsal.campaign.terrain import Cycle, Terrain

HOUR = 3600


@dataclass(frozen=True, slots=True)
class Draw:
    """What a fault is drawn from: the run's coins, where it happens, and in which cycle."""

    coins: random.Random
    terrain: Terrain
    cycle: Cycle
    fault: str

    def inject(self, act: str, begins: int, ends: int | None = None, **given: Value) -> Injection:
        """An injection of this fault."""
        return Injection(self.fault, act, max(0, begins), ends, given)

    def at(self, when: datetime, low: int = 0, high: int = 0) -> int:
        """An instant in seconds since the run's start, up to so many seconds around it."""
        return self.terrain.seconds(when) + (self.coins.randint(low, high) if high > low else low)

    def before_backup(self) -> int:
        """Some minutes before the cycle's backup."""
        return self.at(self.cycle.backup, -3000, -60)

    def moment(self) -> int:
        """Any moment of the cycle; most often near something that is decided then."""
        cycle = self.cycle
        kind = self.coins.random()
        if kind < 0.25:
            return self.at(cycle.start, -5, 90)
        if kind < 0.45:
            return self.at(cycle.gate, -10, 120)
        if kind < 0.55:
            return self.at(cycle.close, -10, 60)
        if kind < 0.65:
            return self.at(cycle.start, 60, 3 * HOUR)
        if kind < 0.75:
            return self.at(cycle.end, -4000, 300)
        return self.coins.randint(self.at(cycle.backup, -600), self.at(cycle.close, 600))

    def someone(self) -> int:
        """One of the lane's machines."""
        return self.coins.randrange(len(self.terrain.instances))

    def one_of_calls(self, program: str, which: str) -> int:
        """The number, from 0, of one of the calls of that kind that a program makes on its longest path here."""
        return self.coins.randrange(self.terrain.calls.get(program, {}).get(which, 1))

    def some(self) -> list[int]:
        """One or more of the lane's machines."""
        everyone = range(len(self.terrain.instances))
        return self.coins.sample(everyone, self.coins.choice((1, 1, 1, 2, len(everyone))))

    def until_close(self) -> int:
        """When this cycle is over."""
        return self.at(self.cycle.close, 1800)


Drawing = Callable[[Draw], Iterator[Injection]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of the catalogue. ``everyday`` faults are in the mix ``default``, the more often the higher.

    What ``lasts`` goes on in the calm, unless it ends by itself: it must keep nobody from being patched.
    """

    number: str
    says: str
    draw: Drawing = field(repr=False)
    everyday: int = 0
    lasts: bool = False


CATALOGUE: dict[str, Fault] = {}


def fault(number: str, says: str, everyday: int = 0, *, lasts: bool = False) -> Callable[[Drawing], Drawing]:
    """Puts a drawing into the catalogue."""

    def enter(drawing: Drawing) -> Drawing:
        if number in CATALOGUE:
            raise ValueError(f"{number} is in the catalogue already")
        CATALOGUE[number] = Fault(number, says, drawing, everyday, lasts)
        return drawing

    return enter
