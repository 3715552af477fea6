"""Nobody is forgotten: who should have been patched in an occurrence was, or is named with a reason."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from patchgate.judge.case import A_CLOSE_COMES_WITHIN, NEVER
from patchgate.judge.installs import CLOCKS_DIFFER
from patchgate.judge.spans import Cut, Span
from patchgate.judge.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from patchgate.judge.case import Case, Occurrence
    from patchgate.judge.doings import Run, Step
    from patchgate.judge.estate import Instance

AN_INSTANT = timedelta(microseconds=1)
"""So that what ends at a bound is within it."""


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
    if close is None or _waits_for_the_watchdog(case, occurrence, close):
        return not case.is_overdue(occurrence.end)
    if case.lane.calm_from is not None and occurrence.start >= case.lane.calm_from:
        return False
    if close.span.low.at > occurrence.end + A_CLOSE_COMES_WITHIN:
        return True
    return _was_given_up(case, occurrence, close)


def _was_given_up(case: Case, occurrence: Occurrence, close: Run) -> bool:
    """Whether a close of this window was given up before one succeeded, or was never tried again: its own alarm. One
    that was given up and went nowhere has none, and excuses nobody.

    A close may be due before the window's end, once admission has ended.
    """
    later = {request for cut, request in case.closing.begun if cut.at >= occurrence.start}
    if any(occurrence.start <= cut.at and cut.seq < close.span.high.seq for cut, _, _ in case.given_up(case.closing)):
        return True
    succeeded = {run.request for run in case.closing.runs if run.succeeded}
    failed = {run.request for run in case.closing.runs if not run.succeeded and run.span.high.seq < close.span.high.seq}
    lost = {one.request for one in case.closing.discarded} - {one.request for one in case.given_up(case.closing)}
    return bool(failed & later - succeeded - lost)


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
    if case.leases_of(occurrence):
        return False
    if _is_held(case, occurrence):
        return True
    for (place, name), function in case.facts.functions.items():
        if place != lane.place or not name.endswith(lane.suffix):
            continue
        until = _closes_until(case, occurrence) if function is case.closing else _gates_until(case, occurrence)
        failed = [run.span.high.at for run in function.runs if run.missed_cycles]
        failed += [cut.at for cut, _, _ in case.given_up(function)]
        if any(occurrence.before <= at < until for at in failed):
            return True
    return False


def _is_held(case: Case, occurrence: Occurrence) -> bool:
    """Whether a gate held the lane for that window."""
    opened = {lease.cycle for lease in case.leases}
    until = _gates_until(case, occurrence)
    held = case.facts.holds.get((case.lane.place, case.path), [])
    return any(occurrence.before <= cut.at < until and cycle not in opened for cut, cycle in held)


def _waits_for_the_watchdog(case: Case, occurrence: Occurrence, close: Run) -> bool:
    """Whether no gate left a verdict on that window, and its own close is lost: one that is due for the window after it
    asks for the verdict on that one, and only the watchdog knows what was due before.
    """
    if close.scheduled is None or close.scheduled < occurrence.after:
        return False
    judged = case.leases_of(occurrence) or _is_held(case, occurrence)
    return not judged and _first_watchdog(case, occurrence) is None


def _first_watchdog(case: Case, occurrence: Occurrence) -> Run | None:
    """The first watchdog that succeeded after a window's end."""
    for run in case.closing.runs:
        if run.succeeded and run.mode == "watchdog" and run.span.low.at >= occurrence.end:
            return run
    return None


def _gates_until(case: Case, occurrence: Occurrence) -> datetime:
    """Until when what a gate says may be of that window: from then on gates of the one after it are due."""
    lead = case.lane.maximum_lead
    if lead is None or occurrence.after == NEVER:
        return occurrence.after
    return max(occurrence.start, occurrence.after - lead)


def _closes_until(case: Case, occurrence: Occurrence) -> datetime:
    """Until when a close or a watchdog may say that no gate judged that window: those that come late say it late."""
    late = (case.first_close(occurrence), _first_watchdog(case, occurrence))
    return max([occurrence.after, *(run.span.high.at + AN_INSTANT for run in late if run is not None)])


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
    if any(start <= step.at < occurrence.after and not _by_hand(case, step) for step in facts.refusals.get(key, ())):
        return True
    if any(_names_it_of(case, step, occurrence) for step in facts.named.get(key, ())):
        return True
    return _is_under_way(case, instance, occurrence) or _left_meanwhile(case, instance, occurrence)


def _by_hand(case: Case, step: Step) -> bool:
    """Whether it was an operator's command that came to nothing (F60): that is no reason of the window's."""
    sent = case.facts.commands.get(step.command)
    return sent is not None and not sent.principal


def _names_it_of(case: Case, step: Step, occurrence: Occurrence) -> bool:
    """Whether a function named an instance of that occurrence: a gate until those of the next one are due, a close
    after its start. One that says of which cycles may come as late as it does; another speaks of the last window.

    What stands in the return value alone names nobody where the gate is ours: its functions are invoked asynchronously,
    and Lambda keeps no such value (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html). Those of others
    may be invoked in other ways.
    """
    if step.returned and case.lane.has_gate:
        return False
    if step.source != case.lane.close_function:
        return occurrence.before <= step.at < _gates_until(case, occurrence)
    if step.cycles:
        own = {lease.cycle for lease in case.leases_of(occurrence)}
        return step.at >= occurrence.start and not own.isdisjoint(step.cycles)
    return occurrence.start <= step.at < occurrence.after


def _is_under_way(case: Case, instance: Instance, occurrence: Occurrence) -> bool:
    """Whether a runbook that was started for it in the window still goes on at the end of the run."""
    runs = case.facts.automations.get((instance.place, instance.instance), ())
    return any(not run.status and occurrence.start <= run.started.at < occurrence.after for run in runs)


def _left_meanwhile(case: Case, instance: Instance, occurrence: Occurrence) -> bool:
    """Whether it went down, or lost the lane's tags, between the window's start and its end."""
    span = Span(case.facts.cut_at(occurrence.start), case.facts.cut_at(occurrence.end))
    return set(instance.states.seen(span)) != {"running"} or not all(map(case.lane.includes, instance.tags.seen(span)))
