"""The promises about evidence: written before an install, by the gate alone, and true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from patchgate.judge.doings import Said
from patchgate.judge.evidence_of_verdicts import verdict_lies
from patchgate.judge.freezes import frozen_throughout
from patchgate.judge.installs import open_leases
from patchgate.judge.jobs import resources_of
from patchgate.judge.proofs import lack_of
from patchgate.judge.reasons import OLDEST_AGENT
from patchgate.judge.records import instant_said
from patchgate.judge.sayings import number_of
from patchgate.judge.spans import Span
from patchgate.judge.verdicts import contradiction_of
from patchgate.judge.violation import Violation

if TYPE_CHECKING:
    from patchgate.judge.case import Case
    from patchgate.judge.doings import Automation, Writing
    from patchgate.judge.estate import Instance

OPENED, HELD = "open.jsonl", "hold.jsonl"
VERDICTS = (OPENED, HELD)
NO_CYCLE = "no-cycle"
WHOLE_SECONDS = timedelta(seconds=1)
"""Evidence writes instants in whole seconds, cut off."""


def missing(case: Case) -> Iterator[Violation]:
    """Nothing is done before the evidence that allows it is written."""
    yield from uninstallable(case)
    yield from unwritten(case)


def uninstallable(case: Case) -> Iterator[Violation]:
    """No install begins before the evidence of its proof is written, and none against what that says."""
    for install, _, span in case.installs:
        leases = open_leases(case, span)
        if not leases:
            continue
        written = [
            writing
            for lease in leases
            for writing in case.evidence.get((lease.cycle, f"{install.instance}.json"), ())
            if writing.cut.seq < install.seq
        ]
        if not written:
            what = f"was installed before its evidence in cycle {leases[-1].cycle} was written"
            yield Violation.of("evidence", install, what, leases[-1].opened.seq)
        elif not any(_admits(writing, span.low.at) for writing in written):
            what = "was installed against its evidence, or on one that was too old"
            yield Violation.of("evidence", install, what, written[-1].cut.seq)


def unwritten(case: Case) -> Iterator[Violation]:
    """No lease and no hold is there before the evidence of its verdict is written, and none of a proof is left out: a
    machine that was denied without any would be taken for one that was never reached.
    """
    decided = [(lease.opened, lease.cycle, OPENED, "opened") for lease in case.leases]
    decided += [(cut, cycle, HELD, "held") for cut, cycle in case.facts.holds.get((case.lane.place, case.path), ())]
    for cut, cycle, name, done in decided:
        if not any(writing.cut.seq < cut.seq for writing in case.evidence.get((cycle, name), ())):
            what = f"the cycle {cycle} was {done} before its evidence {name} was written"
            yield Violation.at_cut("evidence", case.lane, cut, what)
    for run in case.runbooks:
        if run.proof is None or run.ended is None or _wrote_evidence(case, run):
            continue
        what = f"a runbook was told {run.proof['Decision']}, and no evidence of that was written"
        yield Violation.at_cut("evidence", case.lane, run.ended, what, run.started.seq, instance=run.instance)


def _wrote_evidence(case: Case, run: Automation) -> bool:
    """Whether there is evidence of a runbook's own; where the text is not kept, any of its machine and cycle."""
    cycle = (run.proof or {}).get("Cycle") or NO_CYCLE
    writings = case.evidence.get((cycle, f"{run.instance}.json"), ())
    return any(one.rows is None or one.only_row.get("ExecutionId") == run.execution for one in writings)


def _admits(writing: Writing, earliest: datetime) -> bool:
    """Whether a writing may be the evidence of an install whose proof was read from ``earliest`` on."""
    if writing.rows is None:
        return True
    said = writing.only_row
    started = instant_said(said.get("ProofStarted"))
    return said.get("Decision") == "admit" and started is not None and started >= earliest - WHOLE_SECONDS


def forged(case: Case) -> Iterator[Violation]:
    """Evidence is written by the gate's own roles, and by each run of it once."""
    for (cycle, name), writings in case.evidence.items():
        of_execution: dict[str, Writing] = {}
        for writing in writings:
            where = f"the evidence {cycle}/{name}"
            if is_anothers(case, writing, name):
                what = f"{where} was written by {writing.principal or 'an operator'} of {writing.account}"
                yield Violation.at_cut("evidence-forged", case.lane, writing.cut, what, instance=_subject(name))
            is_proof = writing.rows is not None and name not in VERDICTS
            execution = writing.only_row.get("ExecutionId") if is_proof else None
            if isinstance(execution, str):
                first = of_execution.setdefault(execution, writing)
                if first.digest != writing.digest:
                    what = f"{where} was changed by the run that had written it"
                    yield Violation.at_cut(
                        "evidence-forged", case.lane, writing.cut, what, first.cut.seq, instance=_subject(name)
                    )


def is_anothers(case: Case, writing: Writing, name: str) -> bool:
    """Whether somebody else than the gate wrote evidence, as far as that is known."""
    role = case.lane.verdict_role if name in VERDICTS else case.lane.proof_role
    writer = (writing.principal or "").rpartition("/")[2]
    known = bool(role) and writing.principal is not None
    return known and (writer != role or writing.account != case.lane.account)


def false(case: Case) -> Iterator[Violation]:
    """What evidence says is so: its recovery points, its lease, its reasons, and who is in a verdict."""
    for (cycle, name), writings in case.evidence.items():
        for writing in writings:
            if writing.rows is None:
                continue
            said = verdict_lies(case, cycle, writing) if name in VERDICTS else _proof_lies(case, cycle, name, writing)
            for instance, lie in said:
                what = f"the evidence {cycle}/{name} is false: {lie}"
                yield Violation.at_cut("evidence-false", case.lane, writing.cut, what, instance=instance)
    yield from _contradicted_by_lease(case)


def _subject(name: str) -> str:
    return "" if name in VERDICTS else name.removesuffix(".json")


def _reading(case: Case, started: datetime, writing: Writing) -> Span:
    """From when it was begun to be read, in whole seconds: what happened in that very instant may have come after."""
    return Span(case.facts.cut_before(started), writing.cut)


# Proofs


def _proof_lies(case: Case, cycle: str, name: str, writing: Writing) -> Iterator[tuple[str, str]]:
    identity = _subject(name)
    said = writing.only_row
    started, decision = instant_said(said.get("ProofStarted")), said.get("Decision")
    if started is None or decision not in ("admit", "deny") or len(writing.rows or ()) != 1:
        yield identity, "it cannot be read"
        return
    if said.get("InstanceId") != identity or (said.get("Cycle") or NO_CYCLE) != cycle:
        yield identity, f"it is of {said.get('InstanceId')} in cycle {said.get('Cycle') or 'none'}"
    if started > writing.cut.at:
        yield identity, "its proof was started after it was written"
        return
    instance = case.instances.get(identity)
    if instance is None:
        yield identity, "there was no such instance"
        return
    run = case.facts.executions.get(str(said.get("ExecutionId")))
    if run is not None and run.proof is not None and run.proof["Decision"] != decision:
        yield identity, f"it says {decision}, the runbook was told {run.proof['Decision']}"
    span = _reading(case, started, writing)
    if decision == "admit":
        yield from ((identity, lie) for lie in _admission_lies(case, cycle, instance, said, span))
        return
    told = run.proof.get("Reason", "") if run is not None and run.proof is not None else None
    if told is None:
        reason = Said(span, case.lane.place, "", identity, str(said.get("Reason")), str(said.get("Detail") or ""))
        lie = contradiction_of(case, reason)
        if lie:
            yield identity, f"it denies with {said.get('Reason')}, but {lie}"
    elif told != said.get("Reason"):
        yield identity, f"it denies with {said.get('Reason')}, the runbook was told {told}"


def _admission_lies(case: Case, cycle: str, instance: Instance, said: Mapping[str, Any], span: Span) -> Iterator[str]:
    leases = [lease for lease in open_leases(case, span) if lease.cycle == cycle]
    if not leases:
        yield "it admits without an open lease"
    ends = [lease.admit_until for lease in leases]
    not_after = number_of(said.get("NotAfter"))
    latest = span.low.at + WHOLE_SECONDS + case.lane.proof_read_within
    if not_after is None or not_after > min([latest, *ends]).timestamp():
        yield f"it admits until {not_after}"
    if leases and all(span.low.at >= end for end in ends):
        yield "it admits when admission had ended"
    if frozen_throughout(case, span):
        yield "it admits in a freeze"
    if not any(map(case.lane.includes, instance.tags.seen(span))):
        yield "it admits what is not in the lane"
    if "running" not in instance.states.seen(span):
        yield "it admits what did not run"
    agents = instance.agents.seen(span)
    if agents and all(agent.version < OLDEST_AGENT for agent in agents):
        yield "it admits what has an agent that cannot refuse"
    if len(agents) == 1 and agents[0].silent_throughout(span.low.at, span.high.at):
        yield "it admits what had no agent online"
    yield from _point_lies(case, instance, str(said.get("Detail")), span)


def _point_lies(case: Case, instance: Instance, detail: str, span: Span) -> Iterator[str]:
    """What is wrong with the recovery points that evidence names: each must hold what it is there for."""
    named = [word for word in detail.split() if word.startswith("arn:")]
    points = [case.facts.points.get(arn) for arn in named]
    unknown = [arn for arn, point in zip(named, points, strict=True) if point is None]
    if unknown or not named:
        yield f"there is no recovery point {', '.join(unknown)}".rstrip()
        return
    known = [point for point in points if point is not None]
    strange = [point.arn for point in known if point.resource not in resources_of(case, instance, span)]
    if strange:
        yield f"{', '.join(strange)} is another's"
        return
    lacks = ""
    for attached in instance.volumes.seen(span):
        held = [attached & {point.resource} if case.lane.backup_resources == "volumes" else attached for point in known]
        found = [lack_of(case, point, part, span) for point, part in zip(known, held, strict=True)]
        bare = attached - frozenset().union(*(point.volumes for point in known))
        lacks = next(filter(None, found), f"nothing holds {', '.join(sorted(bare))}" if bare else "")
        if not lacks:
            return
    if lacks:
        yield f"{named[0]} {lacks}" if not lacks.startswith("nothing") else lacks


def _contradicted_by_lease(case: Case) -> Iterator[Violation]:
    """The last verdict on a cycle that was opened says that it was."""
    for lease in case.leases:
        verdicts = case.evidence.get((lease.cycle, OPENED), [])
        if verdicts and verdicts[-1].rows and verdicts[-1].only_row.get("decision") != "open":
            what = f"the evidence {lease.cycle}/{OPENED} is false: it holds a cycle that was opened"
            yield Violation.at_cut("evidence-false", case.lane, verdicts[-1].cut, what, lease.opened.seq)
