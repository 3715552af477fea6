"""The promises about installs: what must be so when one begins."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from patchgate.judge.freezes import frozen_throughout
from patchgate.judge.proofs import way_back
from patchgate.judge.spans import Span
from patchgate.judge.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from patchgate.judge.case import Case
    from patchgate.judge.doings import Lease

CLOCKS_DIFFER = timedelta(minutes=1)
"""By how much AWS's clocks may differ: a window may begin that much before its time."""


HANDED_ON = timedelta(seconds=10)
"""From the end of a proof to its command: two steps of the runbook."""


def without_proof(case: Case) -> Iterator[Violation]:
    """No install begins without a recovery point that is complete, fresh and covers every attached volume."""
    for install, instance, span in case.installs:
        answer = way_back(case, instance, span)
        if not answer.holds:
            yield Violation.of("proof", install, f"was installed without a proof: {answer.lacks}", *answer.witness)


def open_leases(case: Case, span: Span) -> list[Lease]:
    """The lane's leases that were open at some point of a span, oldest first."""
    return [lease for lease in case.leases if lease.was_open(span)]


def without_lease(case: Case) -> Iterator[Violation]:
    """No install begins without a lease that is open."""
    for install, _, span in case.installs:
        if not open_leases(case, span):
            yield Violation.of("lease", install, "was installed while no lease was open")


def outside_of_admission(case: Case) -> Iterator[Violation]:
    """No install begins before its window or at its lease's end of admission, and no command says it may."""
    for install, _, span in case.installs:
        leases, slowness = open_leases(case, span), case.slowness_of(install)
        if leases and not any(
            lease.window_start - CLOCKS_DIFFER <= install.begun < lease.admit_until + slowness for lease in leases
        ):
            lease = leases[-1]
            late = install.begun >= lease.admit_until + slowness
            what = f"was installed when admission had ended at {lease.admit_until.isoformat()}"
            early = f"was installed before its window began at {lease.window_start.isoformat()}"
            yield Violation.of("admission", install, what if late else early, lease.opened.seq)
    yield from _commands_without_end(case)


def _commands_without_end(case: Case) -> Iterator[Violation]:
    """Commands that a node would still carry out after its lease's end of admission, and those of proofs that ended."""
    lane = case.lane
    for sent in case.facts.sent.get(lane.place, ()):
        if sent.not_after is None or not sent.document.endswith(lane.suffix):
            continue
        late = sent.cut.at.timestamp() - sent.not_after
        if sent.principal and late > HANDED_ON.total_seconds():
            what = f"a command was sent {late:.0f} seconds after its proof had ended"
            yield Violation.at_cut("admission", lane, sent.cut, what, instance=", ".join(sent.instances))
        leases = open_leases(case, Span(case.facts.cut_at(sent.cut.at - lane.proof_read_within), sent.cut))
        if leases and all(sent.not_after > lease.admit_until.timestamp() for lease in leases):
            what = f"a command may start until {sent.not_after}, after admission ends"
            yield Violation.at_cut(
                "admission", lane, sent.cut, what, leases[-1].opened.seq, instance=", ".join(sent.instances)
            )


def in_a_freeze(case: Case) -> Iterator[Violation]:
    """No install begins in a freeze."""
    for install, _, span in case.installs:
        freeze = frozen_throughout(case, span)
        if freeze:
            yield Violation.of("freeze", install, f"was installed while {freeze} stood")


def not_of_the_lane(case: Case) -> Iterator[Violation]:
    """Nothing is installed on an instance that does not carry the lane's tags."""
    for install, instance, span in case.installs:
        if not any(map(case.lane.includes, instance.tags.seen(span))):
            yield Violation.of("lane", install, "was installed and does not carry the lane's tags", instance.launched)
