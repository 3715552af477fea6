"""Which faults a campaign's runs suffer, and how a run's plan is drawn from its seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations_with_replacement

from patchgate.config import describe_nearest
from patchgate.emulator.assumptions import Assumptions
from patchgate.errors import InputError
from patchgate.rehearsal.campaign.faults import FAULTS, Draw, Fault
from patchgate.rehearsal.campaign.fitting import draw_fitting
from patchgate.rehearsal.campaign.plan import Injection, RunPlan
from patchgate.rehearsal.campaign.shapes import Shape, pick_shape
from patchgate.rehearsal.campaign.terrain import Terrain

NAMED = ("none", "default", "all")
_FURTHER = {"default": (0, 0, 1, 1, 2), "all": (0, 1, 2, 3, 4)}
_ONE_STORMY_CYCLE = 0.6


@dataclass(frozen=True, slots=True)
class Mix:
    """The faults of a campaign. ``paired`` mixes go through all pairs of their faults, one a seed."""

    name: str
    faults: tuple[Fault, ...]
    further: tuple[int, ...]
    paired: bool

    def pairs(self) -> Sequence[tuple[str, str]]:
        """Every pair of the mix's faults, a fault with itself included."""
        return _pairs(tuple(fault.number for fault in self.faults))


@cache
def _pairs(numbers: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple(combinations_with_replacement(numbers, 2))


def fitting_mix(mix: Mix, terrain: Terrain) -> Mix:
    """A mix without the faults that can do nothing on a terrain."""
    return replace(mix, faults=tuple(fault for fault in mix.faults if fault.number not in terrain.unfit))


def read_mix(text: str) -> Mix:
    """``none``, ``default``, ``all``, or fault numbers with commas between; InputError for anything else."""
    if text == "none":
        return Mix(text, (), (0,), paired=False)
    if text == "default":
        return Mix(text, tuple(fault for fault in FAULTS.values() if fault.everyday), _FURTHER[text], paired=False)
    if text == "all":
        return Mix(text, tuple(FAULTS.values()), _FURTHER[text], paired=True)
    numbers = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    for number in numbers:
        if number not in FAULTS:
            raise _unknown_fault(text, number)
    return Mix(text, tuple(FAULTS[number] for number in numbers), (0, 0, 1, 2), paired=True)


def _unknown_fault(text: str, word: str) -> InputError:
    """What is wrong with one word of a mix, and what was probably meant."""
    if not word:
        meant = ",".join(part.strip() for part in text.split(",") if part.strip()) or "default"
        return InputError(f"the mix of faults '{text}' has an empty item", remedy=f"give --faults {meant}")
    if word in NAMED:
        remedy = f"give --faults {word} alone, or numbers"
        return InputError(f"the mix '{word}' stands alone, not in '{text}'", remedy=remedy)
    folded = {known.casefold(): known for known in (*NAMED, *FAULTS)}
    meant = folded.get(word.casefold(), "")
    hint = f"did you mean '{meant}'?" if meant else describe_nearest(word, NAMED) if word.isalpha() else ""
    return InputError(
        f"there is no fault '{word}' that a campaign can inject",
        remedy=hint or f"give none, default, all, or some of {', '.join(FAULTS)}",
    )


def shape_of(seed: int, shapes: tuple[Shape, ...]) -> Shape:
    """Where the run of a seed takes place."""
    return pick_shape(random.Random(f"shape of {seed}"), shapes)  # noqa: S311 - replayable by design, never a secret


def draw_plan(seed: int, mix: Mix, shape: Shape, terrain: Terrain) -> RunPlan:
    """The plan of a seed: the same for the same seed, mix and terrain."""
    left_out = {fault.number: terrain.unfit[fault.number] for fault in mix.faults if fault.number in terrain.unfit}
    mix = fitting_mix(mix, terrain)
    coins = random.Random(f"plan of {seed}")  # noqa: S311 - replayable by design, never a secret
    assumptions = Assumptions.drawn(seed)
    last = len(terrain.cycles) - 1
    stormy = 0 if coins.random() < _ONE_STORMY_CYCLE else coins.randint(1, last)
    calm = terrain.seconds(terrain.calm_after(stormy)) if stormy < last else None
    if not mix.faults:
        calm = 0
    injections: list[Injection] = []
    for fault in _faults_of(seed, mix, coins):
        cycle = terrain.cycles[coins.randint(0, stormy)]
        injections += draw_fitting(fault, Draw(coins, terrain, cycle, fault.number))
    return RunPlan(seed, shape.name, assumptions, tuple(_in_time(injections, calm)), calm, left_out)


def _faults_of(seed: int, mix: Mix, coins: random.Random) -> list[Fault]:
    if not mix.faults:
        return []
    chosen: list[Fault] = []
    if mix.paired:
        pairs = mix.pairs()
        chosen += [FAULTS[number] for number in pairs[seed % len(pairs)]]
        weights = [1] * len(mix.faults)
    else:
        weights = [fault.everyday for fault in mix.faults]
    return chosen + coins.choices(mix.faults, weights=weights, k=coins.choice(mix.further))


def _in_time(injections: list[Injection], calm: int | None) -> Iterator[Injection]:
    """What a storm holds: nothing begins in the calm, and all ends with it but what does no harm by lasting."""
    for injection in sorted(injections, key=lambda each: each.begins):
        if calm is None or (injection.begins < calm and FAULTS[injection.fault].lasts):
            yield injection
        elif injection.begins < calm:
            ends = calm if injection.ends is None else min(injection.ends, calm)
            yield replace(injection, ends=max(ends, injection.begins + 1))
