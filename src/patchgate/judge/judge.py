"""Judges a run by its history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from patchgate.judge.case import Case
from patchgate.judge.promises import PROMISES
from patchgate.judge.proofs import way_back
from patchgate.judge.reading import read_history
from patchgate.judge.records import Record
from patchgate.judge.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from patchgate.judge.facts import Facts
    from patchgate.judge.lane import LaneFacts


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

    Works for any templates: what has no leases breaks the promises about leases, unless its lane says that it has no
    gate of patchgate's. Installs that an operator sent by hand (F60) are nobody's promise. Raises
    InputError where a record lacks what its event must have.
    """
    facts = read_history(history)
    cases = [Case(facts, lane) for lane in lanes]
    violations = [
        violation
        for case in cases
        for promise in PROMISES
        if case.lane.has_gate or not promise.of_gate
        for violation in promise.breaches(case)
    ]
    violations += _strays(facts, cases)
    violations.sort(key=lambda violation: (violation.at, violation.witness, violation.promise, violation.instance))
    return Judgement(
        violations=tuple(violations),
        patched_without_way_back=tuple(_unrecoverable(cases)),
        windows_left_open=sum(violation.promise == "window" for violation in violations),
    )


def _strays(facts: Facts, cases: Sequence[Case]) -> Iterator[Violation]:
    """Installs on instances that are in no lane: nothing was promised about them, so nothing may touch them."""
    of_a_lane = {(install.place, install.seq) for case in cases for install, _, _ in case.installs}
    strays = [
        (install.seq, install.at, install.place, install.instance)
        for installs in facts.installs.values()
        for install in installs
        if not install.by_hand and (install.place, install.seq) not in of_a_lane
    ]
    strays += [(cut.seq, cut.at, place, instance) for cut, place, instance in facts.orphans]
    for seq, at, place, instance in strays:
        yield Violation("lane", at, *place, instance, f"{instance} was installed and is in no lane", (seq,))


def _unrecoverable(cases: Sequence[Case]) -> list[Unrecoverable]:
    """The first install on each instance that no recovery point, in whatever vault, could have undone."""
    found: dict[tuple[str, str, str], Unrecoverable] = {}
    for case in cases:
        for install, instance, span in case.installs:
            key = (*case.lane.place, instance.instance)
            answer = way_back(case, instance, span, any_vault=True)
            if not answer.holds and key not in found:
                witness = tuple(sorted({*answer.witness, install.seq}))
                found[key] = Unrecoverable(
                    install.at, *case.lane.place, instance.instance, instance.name, answer.lacks, witness
                )
    return sorted(found.values(), key=lambda one: (one.at, one.account, one.region, one.instance))
