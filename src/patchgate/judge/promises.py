"""Each promise as a predicate over the facts of a run: it yields every breach, with its witness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from patchgate.judge import evidence, installs, windows
from patchgate.judge.forgotten import forgotten_instances
from patchgate.judge.liveness import failed_in_calm, unpatched
from patchgate.judge.missed import blamed_in_calm, wrongly_blamed, wrongly_missed
from patchgate.judge.told import untold
from patchgate.judge.verdicts import opened_without_grounds, wrong_reasons
from patchgate.judge.verified import wrongly_successful

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from patchgate.judge.case import Case
    from patchgate.judge.violation import Violation


def false_statements(case: Case) -> Iterator[Violation]:
    """Reasons that were not so, cycles that are called missed and were not, closes that are blamed and ended well."""
    yield from wrong_reasons(case)
    yield from wrongly_missed(case)
    yield from wrongly_blamed(case)


def failures_in_calm(case: Case) -> Iterator[Violation]:
    """What fails with nothing going wrong, and closes that a watchdog says did."""
    yield from failed_in_calm(case)
    yield from blamed_in_calm(case)


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise: its name in reports, the promise of the design that it is part of, what it says, and how it is
    judged for one lane.

    ``of_gate``: it speaks of what only patchgate's gate has, and is not judged where there is another.
    """

    name: str
    part_of: str
    says: str
    breaches: Callable[[Case], Iterator[Violation]]
    of_gate: bool = False


SAFETY, CLOSED, LIVENESS, NOBODY = "Safety", "Closed by default", "Liveness", "Nobody is forgotten"

PROMISES = (
    Promise(
        "proof",
        SAFETY,
        "No install begins unless, at most `ProofMaxAgeSeconds` before it, a recovery point in the lane's vault was "
        "complete, fresh and held every attached volume.",
        installs.without_proof,
    ),
    Promise("lease", SAFETY, "No install begins without an open lease.", installs.without_lease, of_gate=True),
    Promise(
        "admission",
        CLOSED,
        "No install begins before its window or once admission has ended, and no command says that it may, or is sent "
        "when its proof has ended. It is the node that refuses: where its clock is slow, as much later, for promises "
        "about installs.",
        installs.outside_of_admission,
        of_gate=True,
    ),
    Promise("freeze", SAFETY, "No install begins in a freeze.", installs.in_a_freeze, of_gate=True),
    Promise(
        "lane",
        SAFETY,
        "Nothing is installed on an instance that does not carry the tags of a lane.",
        installs.not_of_the_lane,
    ),
    Promise(
        "evidence",
        SAFETY,
        "No install begins before the evidence that admits it is written, no lease and no hold is there before that of "
        "its verdict.",
        evidence.missing,
        of_gate=True,
    ),
    Promise(
        "evidence-false",
        NOBODY,
        "What evidence says was so when it was read: recovery points, leases, reasons, and every target once.",
        evidence.false,
        of_gate=True,
    ),
    Promise(
        "evidence-forged",
        SAFETY,
        "Evidence is written by the gate's own roles, and by each run of it once.",
        evidence.forged,
        of_gate=True,
    ),
    Promise(
        "verdict",
        SAFETY,
        "No verdict opens a lane that is not backed up as its gate mode asks, or that is frozen.",
        opened_without_grounds,
        of_gate=True,
    ),
    Promise(
        "window",
        CLOSED,
        "A window is disabled by the first close or watchdog that succeeds, unless a lease stands for it that stays "
        "open.",
        windows.windows_left_open,
    ),
    Promise(
        "lease-closed",
        CLOSED,
        "A lease is closed by the first close or watchdog that succeeds after its window's end.",
        windows.leases_left_open,
        of_gate=True,
    ),
    Promise(
        "lease-once",
        CLOSED,
        "A lease is created once, by a gate that began before the window, and never reopened; a gate that finds it "
        "decides nothing.",
        windows.leases_changed,
        of_gate=True,
    ),
    Promise(
        "lease-terms",
        CLOSED,
        "A lease is for an occurrence of the lane's own window, and admits until that ends but for its cutoff.",
        windows.terms_exceeded,
        of_gate=True,
    ),
    Promise(
        "liveness",
        LIVENESS,
        "With nothing going wrong any more, every instance that is well and proven is patched within two windows: "
        "where it is known that updates are due some are installed, and where the lane reboots none waits for that. "
        "What the others fail by or take longest excuses only where it lies with their machines.",
        unpatched,
    ),
    Promise(
        "works",
        LIVENESS,
        "With nothing going wrong any more, no run of the gate, the close or the watchdog fails, and no runbook by a "
        "denial; and no watchdog finds that no close ended well.",
        failures_in_calm,
        of_gate=True,
    ),
    Promise(
        "forgotten",
        NOBODY,
        "Who was in the lane when the gate judged it, and was not patched, is named, at the latest by the first close "
        "that succeeds.",
        forgotten_instances,
    ),
    Promise(
        "verified",
        NOBODY,
        "No runbook ends as a success that neither installed nor denied, whose install failed or was not over, or "
        "whose machine was down, impaired, not up again or without its agent from the install to the runbook's end.",
        wrongly_successful,
        of_gate=True,
    ),
    Promise(
        "told",
        NOBODY,
        "Whom a verdict leaves out, why a lane is held, and what a close or a watchdog finds wrong is in a message to "
        "the lane's topic, what a run came to in its log, and an invocation that is given up in a queue that has an "
        "alarm.",
        untold,
        of_gate=True,
    ),
    Promise(
        "reason",
        NOBODY,
        "A reason that is given was true when it was read; no cycle is reported as without a verdict that had one, "
        "and no close as not ended well that was.",
        false_statements,
        of_gate=True,
    ),
)
