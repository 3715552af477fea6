"""Judges a run by its history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from patchgate.judge.promises import PROMISES
from patchgate.judge.proofs import way_back
from patchgate.judge.reading import Record, read_history
from patchgate.judge.violation import Violation, installs_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from patchgate.judge.facts import Facts, LaneFacts


@dataclass(frozen=True, slots=True)
class Unrecoverable:
    """An install on an instance that nothing could have brought back. ``lacks`` says why."""

    at: datetime
    account: str
    region: str
    instance: str
    name: str
    lacks: str
    witness: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the judge found. The promises held when there are no ``violations``."""

    violations: tuple[Violation, ...]
    patched_without_way_back: tuple[Unrecoverable, ...]
    windows_left_open: int

    @property
    def held(self) -> bool:
        """Whether every promise was kept."""
        return not self.violations


def judge(history: Iterable[Record], *, lanes: Sequence[LaneFacts]) -> Judgement:
    """Read a history and hold every promise against it, for every lane.

    Works for any templates: what has no leases breaks the promises about leases, and
    ``patched_without_way_back`` needs none. Raises InputError where a record lacks what its event must have.
    """
    facts = read_history(history)
    violations = [violation for lane in lanes for promise in PROMISES for violation in promise.breaches(facts, lane)]
    violations += _strays(facts, lanes)
    violations.sort(key=lambda violation: (violation.at, violation.witness, violation.promise, violation.instance))
    return Judgement(
        violations=tuple(violations),
        patched_without_way_back=tuple(_unrecoverable(facts, lanes)),
        windows_left_open=sum(violation.promise == "window" for violation in violations),
    )


def _strays(facts: Facts, lanes: Sequence[LaneFacts]) -> list[Violation]:
    """Installs on instances that are in no lane: nothing was promised about them, so nothing may touch them."""
    groups = {(lane.place, lane.patch_group) for lane in lanes}
    strays = [
        (install.seq, install.at, install.place, install.instance)
        for install in facts.installs
        if (install.place, facts.instances[install.place, install.instance].tags.get("PatchGroup")) not in groups
    ]
    strays += [(cut.seq, cut.at, place, instance) for cut, place, instance in facts.orphans]
    return [
        Violation("lane", at, *place, instance, f"{instance} was installed and is in no lane", (seq,))
        for seq, at, place, instance in strays
    ]


def _unrecoverable(facts: Facts, lanes: Sequence[LaneFacts]) -> list[Unrecoverable]:
    """The first install on each instance that no recovery point, in whatever vault, could have undone."""
    found: dict[tuple[str, str, str], Unrecoverable] = {}
    for lane in lanes:
        for install, instance in installs_of(facts, lane):
            answer = way_back(facts, lane, instance, install, any_vault=True)
            key = (*lane.place, instance.instance)
            if not answer.holds and key not in found:
                witness = tuple(sorted({*answer.witness, install.seq}))
                found[key] = Unrecoverable(
                    install.at, *lane.place, instance.instance, instance.name, answer.lacks, witness
                )
    return sorted(found.values(), key=lambda one: (one.at, one.account, one.region, one.instance))
