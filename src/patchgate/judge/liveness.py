"""Liveness: with nothing going wrong any more, every proven instance is patched within two windows.

Proven and well is an instance that was there and in the lane all the while, up, with an agent that answers and can
refuse, backed up before the gate in a way that holds to the window's end, in a lane without a freeze that was not held
for a true reason, and that capacity and the others' failures did not keep from its turn.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from patchgate.judge.case import may_be_silent, runs_throughout
from patchgate.judge.freezes import frozen_at_all
from patchgate.judge.jobs import resources_of
from patchgate.judge.liveness_of_others import is_known, what_a_window_did
from patchgate.judge.proofs import lack_of
from patchgate.judge.reasons import OLDEST_AGENT
from patchgate.judge.sayings import NOT_DUE
from patchgate.judge.spans import Cut, Span
from patchgate.judge.verdicts import contradiction_of
from patchgate.judge.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from patchgate.judge.case import Case, Occurrence
    from patchgate.judge.doings import Automation, Execution, Said, Window
    from patchgate.judge.estate import Instance

AT_ONCE = timedelta(seconds=1)
WINDOWS_AT_ONCE = 5
"""Executions of maintenance windows in an account and Region:
https://docs.aws.amazon.com/general/latest/gr/ssm.html
"""
SLOWEST_AGENT_SECONDS = 30
LOOK_BACK_SLACK = timedelta(minutes=30)
OUT_OF_TIME = ("lease-expired", "frozen")
"""Denials of instances that are well: their turn came when admission had ended, or a calendar that the history does not
show was closed.
"""


def unpatched(case: Case) -> Iterator[Violation]:
    """Who was well in two windows in a row after the calm began, and was patched in neither."""
    calm = case.lane.calm_from
    if calm is None or not case.lane.lively:
        return
    pairs = list(pairwise(one for one in case.occurrences if one.start >= calm))
    for instance in case.members:
        if instance.launched > case.facts.cut_at(calm).seq:
            continue
        windows = next((pair for pair in pairs if _was_passed_over(case, instance, pair)), None)
        if windows is None:
            continue
        told = "; ".join(f"{one.start.isoformat()}: {_what_happened(case, instance, one)}" for one in windows)
        end = case.facts.cut_at(windows[-1].end)
        yield Violation.at_cut(
            "liveness",
            case.lane,
            end,
            f"{instance.instance} was well and not patched in two windows: {told}",
            instance.launched,
            instance=instance.instance,
        )


def failed_in_calm(case: Case) -> Iterator[Violation]:
    """A run of the gate, the close or the watchdog that began in the calm and failed, or was given up; and a runbook of
    which the evidence says that its machine was denied: that is an answer, and not to use up the error budget.
    """
    calm = case.lane.calm_from
    if calm is None:
        return
    for name, function in ((case.lane.open_function, case.gate), (case.lane.close_function, case.closing)):
        begun = {request: cut for cut, request in reversed(function.begun)}
        failed = [(run.request, run.span.high) for run in function.runs if not run.succeeded]
        failed += [(request, cut) for cut, request, _ in function.discarded]
        for request, cut in failed:
            first = begun.get(request, cut)
            if first.at > calm:
                yield Violation.at_cut("works", case.lane, cut, f"{name} failed with nothing going wrong", first.seq)
    for run in case.runbooks:
        if run.ended is not None and run.started.at > calm and run.status != "Success" and _was_denied(case, run):
            what = f"the runbook of {run.instance} was a denial, and ended as {run.status}"
            yield Violation.at_cut("works", case.lane, run.ended, what, run.started.seq, instance=run.instance)


def _was_passed_over(case: Case, instance: Instance, windows: Iterable[Occurrence]) -> bool:
    return not any(_was_patched(case, instance, one) or not _is_well(case, instance, one) for one in windows)


def _was_patched(case: Case, instance: Instance, occurrence: Occurrence) -> bool:
    """Whether an install ended well, or began and its own patches or its time were what failed."""
    key = case.lane.place, instance.instance
    if any(
        step.status == "Success" and occurrence.start <= step.at < occurrence.after
        for step in case.facts.ends.get(key, ())
    ):
        return True
    installs = case.installs_of.get(instance.instance, ())
    return any(occurrence.start <= install.at < occurrence.after for install in installs)


def _is_well(case: Case, instance: Instance, occurrence: Occurrence) -> bool:
    if not case.lane.has_gate:
        return _is_fit(case, instance, occurrence) and is_known(case, occurrence, _is_fit)
    return (
        _is_fit(case, instance, occurrence)
        and not _lane_is_rightly_held(case, occurrence)
        and not _is_rightly_late(case, instance, occurrence)
        and not _is_crowded_out(case, instance, occurrence)
    )


def _is_fit(case: Case, instance: Instance, occurrence: Occurrence, until: Cut | None = None) -> bool:
    """Whether nothing of the instance itself keeps it from being patched in a window, to its end or ``until``."""
    gate = _gate_begins(case, occurrence)
    span = Span(gate, until or case.facts.cut_at(occurrence.end))
    return (
        runs_throughout(instance, span)
        and case.includes_throughout(instance, span)
        and instance.root_device == "ebs"
        and _has_a_good_agent(instance, span)
        and not frozen_at_all(case, span)
        and _is_backed_up(case, instance, span)
    )


def _gate_begins(case: Case, occurrence: Occurrence) -> Cut:
    """When the gate first looked at the lane for a window, or at the first instant at which it could.

    One that comes before the lead is no gate of this window, whatever it says.
    """
    lead = case.lane.maximum_lead
    earliest = occurrence.before if lead is None else max(occurrence.before, occurrence.start - lead)
    for cut, _ in case.gate.begun:
        if earliest <= cut.at < occurrence.start:
            return cut
    return case.facts.cut_at(occurrence.start - (lead or timedelta(0)))


def _has_a_good_agent(instance: Instance, span: Span) -> bool:
    agents = instance.agents.seen(span)
    able = all(
        agent.version >= OLDEST_AGENT
        and agent.delivery_seconds <= SLOWEST_AGENT_SECONDS
        and abs(agent.clock_skew_seconds) <= SLOWEST_AGENT_SECONDS
        for agent in agents
    )
    return bool(agents) and able and not may_be_silent(instance, span)


def _is_backed_up(case: Case, instance: Instance, span: Span) -> bool:
    """Whether its newest backup was good before the gate, held every volume to the end, and had no successor."""
    low, lane = span.low, case.lane
    attached = instance.volumes.seen(span)
    if len(attached) != 1 or not attached[0]:
        return False
    for resource in resources_of(case, instance, span):
        jobs = [
            job for job in case.facts.jobs.get((lane.place, resource), []) if job.vault == lane.vault or not lane.vault
        ]
        jobs = [job for job in jobs if job.created.seq <= span.high.seq]
        point = jobs[-1].point if jobs else None
        if point is None or point.completed.seq > low.seq or jobs[-1].created.seq > low.seq:
            return False
        if lane.look_back is not None and jobs[-1].created.at < low.at - lane.look_back + LOOK_BACK_SLACK:
            return False
        held = attached[0] & {resource} if lane.backup_resources == "volumes" else attached[0]
        if lack_of(case, point, held, Span(span.high, span.high)):
            return False
    return True


def _held(case: Case, occurrence: Occurrence) -> list[Said]:
    return [
        said
        for said in case.said_of.get("", ())
        if said.source == case.lane.open_function and occurrence.before <= said.span.high.at < occurrence.start
    ]


def _lane_is_rightly_held(case: Case, occurrence: Occurrence) -> bool:
    """Whether the last gate before a window held it for a reason that was so, and was due in its lead at all."""
    held = _held(case, occurrence)
    if case.leases_of(occurrence) or not held or held[-1].reason == NOT_DUE:
        return False
    return not contradiction_of(case, held[-1])


def _is_rightly_late(case: Case, instance: Instance, occurrence: Occurrence) -> bool:
    """Whether its turn came when admission had ended, or in a freeze: a calendar may be one that no history shows."""
    return any(
        said.reason in OUT_OF_TIME and not contradiction_of(case, said)
        for said in case.said_of.get(instance.instance, ())
        if occurrence.start <= said.span.high.at < occurrence.after
    )


def _runs(case: Case, occurrence: Occurrence, instance: Instance) -> list[Automation]:
    """The runbooks of an instance that began in a window."""
    found = case.facts.automations.get((case.lane.place, instance.instance), ())
    return [
        run
        for run in found
        if occurrence.start <= run.started.at < occurrence.end and run.document.endswith(case.lane.suffix)
    ]


def _is_crowded_out(case: Case, instance: Instance, occurrence: Occurrence) -> bool:
    """Whether it never had its turn because the window was busy to the end of admission, more of the others failed
    than the error budget has, or too many windows were open at once.
    """
    if _runs(case, occurrence, instance):
        return False
    runs = case.runbooks_in(occurrence)
    until = max((lease.admit_until for lease in case.leases_of(occurrence)), default=occurrence.end)
    if any(run.ended is None or run.ended.at >= until for run in runs):
        return True
    if sum(_fails_by_itself(case, run, occurrence) for run in runs) > _budget(case, occurrence):
        return True
    return any(
        _had_no_room(case, window, one)
        for window in case.windows
        for one in window.executions
        if occurrence.start <= one.started < occurrence.end
    )


def _had_no_room(case: Case, window: Window, execution: Execution) -> bool:
    """Whether an execution ended at once because its window still went on, or as many as can were under way (F57)."""
    if execution.ended is None or execution.ended - execution.started >= AT_ONCE:
        return False
    if execution.status == "SKIPPED_OVERLAPPING":
        return _under_way(window, execution) > 0
    everyone = case.facts.windows.get(case.lane.place, {}).values()
    return execution.status == "FAILED" and sum(_under_way(one, execution) for one in everyone) >= WINDOWS_AT_ONCE


def _under_way(window: Window, execution: Execution) -> int:
    """How many other executions of a window had begun before one did, and went on."""
    at = execution.started
    return sum(
        one is not execution and one.started <= at and (one.ended is None or one.ended > at)
        for one in window.executions
    )


def _fails_by_itself(case: Case, run: Automation, occurrence: Occurrence) -> bool:
    """Whether a runbook failed by what its machine is or has until then: its patches, its agent, its backup.

    A denial is none: it is not to use up the error budget.
    """
    if run.status in ("Success", "") or _was_denied(case, run):
        return False
    ends = case.facts.ends.get((run.place, run.instance), ())
    if any(step.status != "Success" and occurrence.start <= step.at < occurrence.after for step in ends):
        return True
    instance = case.instances.get(run.instance)
    return instance is None or not _is_fit(case, instance, occurrence, run.ended)


def _was_denied(case: Case, run: Automation) -> bool:
    """Whether the evidence that a runbook wrote denies its machine."""
    for lease in case.leases:
        for writing in case.evidence.get((lease.cycle, f"{run.instance}.json"), ()):
            row = writing.only_row
            if row.get("ExecutionId") == run.execution and row.get("Decision") == "deny":
                return True
    return False


def _budget(case: Case, occurrence: Occurrence) -> int:
    """How many failed runbooks a window goes on after. Percentages are of the machines that were up at its start, and
    rounded down: AWS documents neither, and that stops it earliest.
    """
    budget = case.lane.error_budget or "0"
    if not budget.endswith("%"):
        return int(budget)
    cut = case.facts.cut_at(occurrence.start)
    span = Span(cut, cut)
    targets = sum(case.includes_throughout(one, span) and runs_throughout(one, span) for one in case.members)
    return targets * int(budget[:-1]) // 100


def _what_happened(case: Case, instance: Instance, occurrence: Occurrence) -> str:
    """What a window did with an instance, in words."""
    if not case.lane.has_gate:
        return what_a_window_did(case, instance, occurrence)
    if not case.leases_of(occurrence):
        held = _held(case, occurrence)
        return f"held with {held[-1].reason}" if held else "not opened"
    runs = _runs(case, occurrence, instance)
    if not runs:
        return "opened, and it was not reached"
    last = runs[-1]
    if last.proof is not None and last.proof.get("Decision") == "deny":
        return f"denied with {last.proof.get('Reason')}"
    return f"its runbook ended as {last.status or 'unfinished'} {last.failure}".strip()
