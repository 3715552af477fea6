"""Nobody is forgotten: who should have been patched in an occurrence was, or is named with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from patchgate.judge.case import A_CLOSE_COMES_WITHIN
from patchgate.judge.installs import CLOCKS_DIFFER
from patchgate.judge.spans import Cut, Span
from patchgate.judge.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from patchgate.judge.case import Case, Occurrence
    from patchgate.judge.doings import Run, Step
    from patchgate.judge.estate import Instance


def forgotten_instances(case: Case) -> Iterator[Violation]:
    """The running members of each occurrence that were neither patched nor named with a reason: those of the instant
    in which the gate judged the lane. Who came later is the next cycle's.

    They are named by the first close that succeeds after the window's end: not before is anybody forgotten.
    """
    for occurrence in case.occurrences:
        if _is_still_due(case, occurrence) or _lane_is_named(case, occurrence) or _has_no_gate(case, occurrence):
            continue
        span = Span(_last_judged(case, occurrence), case.facts.cut_at(occurrence.start))
        for instance in case.members:
            if instance.states.as_of(span.high.seq) != "running" or not case.includes_throughout(instance, span):
                continue
            if not _accounted_for(case, instance, occurrence):
                what = f"{instance.instance} was neither patched nor named with a reason"
                end = Cut(max(span.high.seq, 0), occurrence.end)
                yield Violation.at_cut("forgotten", case.lane, end, what, instance=instance.instance)


def _is_still_due(case: Case, occurrence: Occurrence) -> bool:
    """Whether the close that names whom the window did not reach is still to come, or was made to fail for good.

    One that comes more than a day late, because all of a day's were lost, is announced by the alarm on their absence.
    In the calm nothing is made to fail: what fails there excuses nobody.
    """
    if not case.lane.close_function:
        return False
    close = case.first_close(occurrence)
    if close is None:
        return not case.is_overdue(occurrence.end)
    if case.lane.calm_from is not None and occurrence.start >= case.lane.calm_from:
        return False
    if close.span.low.at > occurrence.end + A_CLOSE_COMES_WITHIN:
        return True
    return _was_given_up(case, occurrence, close)


def _was_given_up(case: Case, occurrence: Occurrence, close: Run) -> bool:
    """Whether a close of this window was given up before one succeeded, or was never tried again: its own alarm.

    A close may be due before the window's end, once admission has ended.
    """
    later = {request for cut, request in case.closing.begun if cut.at >= occurrence.start}
    if any(occurrence.start <= cut.at and cut.seq < close.span.high.seq for cut, _ in case.closing.discarded):
        return True
    succeeded = {run.request for run in case.closing.runs if run.succeeded}
    failed = {run.request for run in case.closing.runs if not run.succeeded and run.span.high.seq < close.span.high.seq}
    return bool(failed & later - succeeded)


def _last_judged(case: Case, occurrence: Occurrence) -> Cut:
    """When the gate looked at the lane last before a window; its start, when it did not.

    A run that found the verdict of another did not look at anything.
    """
    repeated = {run.span.low.seq for run in case.gate.runs if run.repeated}
    begun = [
        cut for cut, _ in case.gate.begun if occurrence.before <= cut.at < occurrence.start and cut.seq not in repeated
    ]
    return begun[-1] if begun else case.facts.cut_at(occurrence.start)


def _lane_is_named(case: Case, occurrence: Occurrence) -> bool:
    """Whether a hold, a function that was given up, or a close that missed a verdict gives the reason for all."""
    lane = case.lane
    leases = case.leases_of(occurrence)
    if leases:
        return False
    opened = {lease.cycle for lease in case.leases}
    if any(
        occurrence.before <= cut.at < occurrence.after and cycle not in opened
        for cut, cycle in case.facts.holds.get((lane.place, case.path), [])
    ):
        return True
    for (place, name), function in case.facts.functions.items():
        if place != lane.place or not name.endswith(lane.suffix):
            continue
        failed = [run.span.high.at for run in function.runs if run.missed_cycles]
        failed += [cut.at for cut, _ in function.discarded]
        if any(occurrence.before <= at < occurrence.after for at in failed):
            return True
    return False


def _has_no_gate(case: Case, occurrence: Occurrence) -> bool:
    """Whether the lane's functions were deleted, then or before (F50): nobody is there to name anybody."""
    low = case.facts.cut_at(occurrence.before)
    span = Span(low, case.facts.cut_at(min(occurrence.end + A_CLOSE_COMES_WITHIN, case.now)))
    return any(False in function.there.seen(span) for function in (case.gate, case.closing))


def _accounted_for(case: Case, instance: Instance, occurrence: Occurrence) -> bool:
    facts, key = case.facts, (instance.place, instance.instance)
    start = occurrence.start - CLOCKS_DIFFER
    if any(step.status == "Success" and start <= step.at < occurrence.after for step in facts.ends.get(key, ())):
        return True
    if any(start <= step.at < occurrence.after for step in facts.refusals.get(key, ())):
        return True
    if any(_names_it_of(case, step, occurrence) for step in facts.named.get(key, ())):
        return True
    return _is_under_way(case, instance, occurrence) or _left_meanwhile(case, instance, occurrence)


def _names_it_of(case: Case, step: Step, occurrence: Occurrence) -> bool:
    """Whether a function named an instance of that occurrence: a gate before it or later, a close after its start, and
    not of other cycles alone.
    """
    if not occurrence.before <= step.at < occurrence.after:
        return False
    if step.source != case.lane.close_function:
        return True
    own = {lease.cycle for lease in case.leases_of(occurrence)}
    return step.at >= occurrence.start and (not step.cycles or not own.isdisjoint(step.cycles))


def _is_under_way(case: Case, instance: Instance, occurrence: Occurrence) -> bool:
    """Whether a runbook that was started for it in the window still goes on at the end of the run."""
    runs = case.facts.automations.get((instance.place, instance.instance), ())
    return any(not run.status and occurrence.start <= run.started.at < occurrence.after for run in runs)


def _left_meanwhile(case: Case, instance: Instance, occurrence: Occurrence) -> bool:
    """Whether it went down, or lost the lane's tags, between the window's start and its end."""
    span = Span(case.facts.cut_at(occurrence.start), case.facts.cut_at(occurrence.end))
    return set(instance.states.seen(span)) != {"running"} or not all(map(case.lane.includes, instance.tags.seen(span)))
