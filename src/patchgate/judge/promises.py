"""Each promise as a predicate over the facts of a run: it yields every breach, with its witness."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from patchgate.judge.forgotten import forgotten_instances
from patchgate.judge.proofs import frozen_throughout, open_lease, way_back
from patchgate.judge.violation import Violation, installs_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from patchgate.judge.facts import Facts, LaneFacts, Lease, Window


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise: its name in reports, what it says, and how it is judged for one lane."""

    name: str
    says: str
    breaches: Callable[[Facts, LaneFacts], Iterator[Violation]]


def end_of_run(facts: Facts, lane: LaneFacts) -> datetime:
    """The instant at which the run ended."""
    if lane.end is not None:
        return lane.end
    return facts.last.at if facts.last else datetime.min.replace(tzinfo=UTC)


def _leases(facts: Facts, lane: LaneFacts) -> list[Lease]:
    return facts.leases.get((lane.place, lane.parameter_path.rstrip("/")), [])


def _windows(facts: Facts, lane: LaneFacts) -> list[Window]:
    return [
        window
        for (place, identity), window in facts.windows.items()
        if place == lane.place and (identity == lane.window_id or window.name == lane.window_name)
    ]


def installs_without_proof(facts: Facts, lane: LaneFacts) -> Iterator[Violation]:
    """No install begins without a recovery point that is complete, fresh and covers every attached volume."""
    for install, instance in installs_of(facts, lane):
        answer = way_back(facts, lane, instance, install)
        if not answer.holds:
            what = f"was installed without a proof: {answer.lacks}"
            yield Violation.of("proof", lane, install, what, answer.witness)


def installs_without_lease(facts: Facts, lane: LaneFacts) -> Iterator[Violation]:
    """No install begins without a lease that is open."""
    for install, _ in installs_of(facts, lane):
        if open_lease(facts, lane, install) is None:
            yield Violation.of("lease", lane, install, "was installed while no lease was open")


def installs_too_late(facts: Facts, lane: LaneFacts) -> Iterator[Violation]:
    """No install begins at or after its lease's end of admission."""
    for install, _ in installs_of(facts, lane):
        lease = open_lease(facts, lane, install)
        if lease is not None and install.at >= lease.admit_until:
            what = f"was installed when admission had ended at {lease.admit_until.isoformat()}"
            yield Violation.of("admission", lane, install, what, (lease.opened.seq,))


def installs_in_a_freeze(facts: Facts, lane: LaneFacts) -> Iterator[Violation]:
    """No install begins in a freeze."""
    for install, _ in installs_of(facts, lane):
        freeze = frozen_throughout(facts, lane, install)
        if freeze:
            yield Violation.of("freeze", lane, install, f"was installed while {freeze} stood")


def installs_without_evidence(facts: Facts, lane: LaneFacts) -> Iterator[Violation]:
    """No install begins before the evidence of its proof is written."""
    for install, _ in installs_of(facts, lane):
        lease = open_lease(facts, lane, install)
        if lease is None:
            continue
        key = "/".join(
            ("evidence", lane.operating_system, lane.environment, *lane.place, lease.cycle, install.instance)
        )
        if facts.evidence.get(f"{key}.json", install.seq) >= install.seq:
            what = f"was installed before {key}.json was written"
            yield Violation.of("evidence", lane, install, what, (lease.opened.seq,))


def windows_left_open(facts: Facts, lane: LaneFacts) -> Iterator[Violation]:
    """No window stays enabled after its end."""
    now = end_of_run(facts, lane)
    leases = _leases(facts, lane)
    if any(lease.window_end > now and lease.is_open(facts.last.seq) for lease in leases if facts.last):
        return
    for window in _windows(facts, lane):
        ends = [lease.window_end for lease in leases] + [end for _, end in lane.occurrences] + window.ended
        passed = max((end for end in ends if end <= now), default=None)
        if passed is not None and facts.last and window.enabled.as_of(facts.last.seq):
            last = window.changes[-1][0]
            what = f"the window {window.window} is still enabled after its end at {passed.isoformat()}"
            yield Violation("window", last.at, *lane.place, "", what, (last.seq,))


def leases_left_open(facts: Facts, lane: LaneFacts) -> Iterator[Violation]:
    """No lease stays open once its window was closed after its end of admission."""
    for lease in _leases(facts, lane):
        if lease.closed is not None or lease.deleted is not None:
            continue
        for window in _windows(facts, lane):
            closings = [cut for cut, enabled in window.changes if not enabled and cut.at >= lease.admit_until]
            if closings:
                what = f"the lease {lease.path} is still open after its window was closed"
                witness = (lease.opened.seq, closings[0].seq)
                yield Violation("lease-closed", closings[0].at, *lane.place, "", what, witness)
                break


def leases_changed(facts: Facts, lane: LaneFacts) -> Iterator[Violation]:
    """A lease is created once, before its window's start, and never opens again after it was closed."""
    first: dict[str, Lease] = {}
    for lease in _leases(facts, lane):
        earlier = first.setdefault(lease.path, lease)
        if earlier is not lease:
            what = f"the lease {lease.path} was written a second time"
            yield Violation("lease-once", lease.opened.at, *lane.place, "", what, _seqs(earlier, lease))
        if lease.opened.at >= lease.window_start:
            what = f"the lease {lease.path} was opened after its window had started"
            yield Violation("lease-once", lease.opened.at, *lane.place, "", what, _seqs(lease))


def _seqs(*leases: Lease) -> tuple[int, ...]:
    return tuple(lease.opened.seq for lease in leases)


PROMISES = (
    Promise("proof", "No backup, no patch: no install begins without a proof.", installs_without_proof),
    Promise("lease", "No install begins without an open lease.", installs_without_lease),
    Promise("admission", "No install begins once admission has ended.", installs_too_late),
    Promise("freeze", "No install begins in a freeze.", installs_in_a_freeze),
    Promise("evidence", "No install begins before its evidence is written.", installs_without_evidence),
    Promise("window", "No window stays enabled after its end.", windows_left_open),
    Promise("lease-closed", "No lease stays open after the close.", leases_left_open),
    Promise("lease-once", "A lease is created once, in time, and never reopened.", leases_changed),
    Promise("forgotten", "Nobody is forgotten: who was not patched is named.", forgotten_instances),
)
