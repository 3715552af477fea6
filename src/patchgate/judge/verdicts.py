"""What must be true of a lane for its verdict: why it was held, and that it was not opened without grounds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from patchgate.judge.case import cycle_of, runs_throughout
from patchgate.judge.freezes import closed_for, may_be_frozen_at, stood_throughout
from patchgate.judge.jobs import is_covered, newest_seen, resources_of
from patchgate.judge.reasons import NOT_FROZEN, REASONS, Answer, Question
from patchgate.judge.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from patchgate.judge.case import Case
    from patchgate.judge.doings import Run, Said
    from patchgate.judge.estate import Instance
    from patchgate.judge.jobs import Seen
    from patchgate.judge.spans import Span

A_DAY = timedelta(days=1)


def contradiction_of(case: Case, said: Said) -> Answer:
    """What contradicts a reason that was given of an instance or ("") of the lane; "" when it may be true.

    What patchgate's gate gives is one of the known ones: nobody could say of another whether it is true. Those of
    templates of others are not judged.
    """
    unknown = "that is no reason of the gate's" if case.lane.has_gate else ""
    if not said.instance:
        check = HELD.get(said.reason)
        return check(case, said) if check else unknown
    known = REASONS.get(said.reason)
    if known is None:
        return unknown
    instance = case.instances.get(said.instance)
    if instance is None or instance.launched > said.span.high.seq:
        return "there was no such instance"
    return known(Question(case, said, instance))


def wrong_reasons(case: Case) -> Iterator[Violation]:
    """Every reason that is given is true of what was read."""
    for of_one in case.said_of.values():
        for said in of_one:
            answer = contradiction_of(case, said)
            if answer:
                what = f"{said.instance or 'the cycle'} was refused with {said.reason}, but {answer}"
                began = max(said.span.low.seq, 0)
                yield Violation.at_cut("reason", case.lane, said.span.high, what, began, instance=said.instance)


def since_of(case: Case, scheduled: datetime | None) -> datetime | None:
    """From when on jobs were looked at by a gate that was due at ``scheduled``."""
    return scheduled - case.lane.look_back if scheduled and case.lane.look_back else None


def _seen_of(case: Case, instance: Instance, span: Span, since: datetime | None) -> list[list[Seen]]:
    return [newest_seen(case, one, span, since) for one in resources_of(case, instance, span)]


def _targets(case: Case, span: Span) -> list[Instance]:
    """The instances that may have been read as targets: there, not terminated, in the lane."""
    return [
        one
        for one in case.members
        if any(map(case.lane.includes, one.tags.seen(span)))
        and any(state not in ("terminated", "shutting-down") for state in one.states.seen(span))
    ]


def _sure_targets(case: Case, span: Span) -> list[Instance]:
    """The instances that must have been read as targets."""
    gone = {"terminated", "shutting-down"}
    return [
        one for one in case.members if case.includes_throughout(one, span) and not gone & set(one.states.seen(span))
    ]


def _no_targets(case: Case, said: Said) -> Answer:
    running = [one.instance for one in _sure_targets(case, said.span) if runs_throughout(one, said.span)]
    return f"{', '.join(running)} was running" if running else ""


def _no_evidence(case: Case, said: Said) -> Answer:
    if said.since is None or case.lane.look_back is None:
        return ""
    since = since_of(case, said.since)
    for one in _sure_targets(case, said.span):
        seen = _seen_of(case, one, said.span, since)
        if not seen or not (case.lane.gate_mode == "threshold" or runs_throughout(one, said.span)):
            continue
        if all(found.job is not None for of_resource in seen for found in of_resource):
            return f"{one.instance} had a backup job"
    return ""


def coverage(case: Case, span: Span, since: datetime | None) -> tuple[int, int, int, int]:
    """(surely covered, perhaps covered, surely running, perhaps running) of the lane's targets in a span."""
    sure = {id(one) for one in _sure_targets(case, span)}
    counts = [0, 0, 0, 0]
    for one in _targets(case, span):
        if "running" not in one.states.seen(span):
            continue
        running = id(one) in sure and runs_throughout(one, span)
        seen = _seen_of(case, one, span, since)
        on_disk = one.root_device == "ebs"
        surely = (
            on_disk and bool(seen) and all(is_covered(case, found) for of_resource in seen for found in of_resource)
        )
        perhaps = on_disk and all(any(is_covered(case, found) for found in of_resource) for of_resource in seen)
        counts[0] += running and surely
        counts[1] += perhaps or (on_disk and len(one.volumes.seen(span)) > 1)
        counts[2] += running
        counts[3] += 1
    return counts[0], counts[1], counts[2], counts[3]


def _coverage_too_low(case: Case, said: Said) -> Answer:
    percent = case.lane.minimum_coverage_percent
    if percent is None or case.lane.look_back is None or said.since is None:
        return ""
    covered, _, _, running = coverage(case, said.span, since_of(case, said.since))
    if running and covered * 100 >= percent * running:
        return f"{covered} of {running} were covered"
    return ""


def completed_jobs(case: Case, span: Span, since: datetime | None) -> tuple[int, int, bool]:
    """(surely completed, perhaps completed, surely none that is not) of the newest jobs of the lane's targets."""
    sure = {id(one) for one in _sure_targets(case, span)}
    surely = perhaps = 0
    all_completed = True
    for one in _targets(case, span):
        for seen in _seen_of(case, one, span, since):
            completed = [found.state is not None and found.state.state == "COMPLETED" for found in seen]
            surely += id(one) in sure and bool(seen) and all(completed)
            perhaps += any(completed)
            all_completed = all_completed and all(
                done or found.job is None for done, found in zip(completed, seen, strict=True)
            )
    return surely, perhaps, all_completed


def _surely_not_completed(case: Case, span: Span, since: datetime | None) -> list[str]:
    """The targets of which a newest backup job was there, and in no state that was completed."""
    found = []
    for one in _sure_targets(case, span):
        if len(one.volumes.seen(span)) > 1 and case.lane.backup_resources == "volumes":
            continue
        if any(
            seen and all(job.state is not None and job.state.state != "COMPLETED" for job in seen)
            for seen in _seen_of(case, one, span, since)
        ):
            found.append(one.instance)
    return found


def _threshold_not_met(case: Case, said: Said) -> Answer:
    threshold = case.lane.backup_job_threshold
    if threshold is None or case.lane.look_back is None or said.since is None:
        return ""
    completed, _, _ = completed_jobs(case, said.span, since_of(case, said.since))
    return f"{completed} jobs were completed" if completed >= threshold else ""


def _jobs_not_completed(case: Case, said: Said) -> Answer:
    if case.lane.look_back is None or said.since is None:
        return ""
    _, _, all_completed = completed_jobs(case, said.span, since_of(case, said.since))
    return "every job was completed" if all_completed else ""


def _window_not_due(case: Case, said: Said) -> Answer:
    """Contradicted by an occurrence that was still to come and within the gate's lead."""
    lead = case.lane.maximum_lead
    if lead is None or said.since is None:
        return ""
    latest = said.since + lead
    changed = [window for window in case.windows if window.deleted]
    for start, _ in case.lane.occurrences:
        if said.span.high.at < start <= latest and not changed:
            return f"its window was due at {start.isoformat()}"
    return ""


def _frozen(case: Case, said: Said) -> Answer:
    """Contradicted where calendars were open at every start that the gate may have asked for."""
    starts = _starts_ahead(case, said)
    if case.lane.calendars and not starts:
        return ""
    return "" if may_be_frozen_at(case, said.span, starts) else NOT_FROZEN


def _starts_ahead(case: Case, said: Said) -> list[datetime]:
    """The starts of windows that a gate may have taken for the next; none when that cannot be told.

    Where a lane's windows are not whole days apart its zone's clock may have been changed, which AWS reads in one way
    or another.
    """
    lead, windows = case.lane.maximum_lead, case.lane.occurrences
    gaps = [later[0] - earlier[0] for earlier, later in pairwise(windows)]
    if lead is None or said.since is None or not gaps or any(gap % A_DAY for gap in gaps):
        return []
    return [start for start, _ in windows if said.span.low.at < start <= said.since + lead]


HELD: dict[str, Callable[[Case, Said], Answer]] = {
    "coverage-too-low": _coverage_too_low,
    "frozen": _frozen,
    "jobs-not-completed": _jobs_not_completed,
    "no-evidence": _no_evidence,
    "no-targets": _no_targets,
    "threshold-not-met": _threshold_not_met,
    "window-not-due": _window_not_due,
}
"""Reasons for which a gate holds a whole cycle: what contradicts each."""


def opened_without_grounds(case: Case) -> Iterator[Violation]:
    """No verdict opens a lane of which too little was backed up, by whichever mode the gate is in."""
    lane = case.lane
    for run in case.gate.runs:
        if run.decision != "open" or run.scheduled is None or lane.look_back is None or run.repeated:
            continue
        lacks = _lack_of_grounds(case, run.span, since_of(case, run.scheduled)) or _freeze_over(case, run)
        if lacks:
            what = f"the cycle was opened, but {lacks}"
            yield Violation.at_cut("verdict", lane, run.span.high, what, max(run.span.low.seq, 0))


def _freeze_over(case: Case, run: Run) -> str:
    """What froze a lane that a run of the gate opened: a parameter all the while, or a calendar that was closed for the
    start of the window for which it created its lease.
    """
    stood = stood_throughout(case, run.span)
    if stood:
        return f"{stood} stood"
    starts = [
        one.window_start
        for one in case.leases
        if run.span.low.seq < one.opened.seq < run.span.high.seq
        and run.scheduled is not None
        and one.cycle == cycle_of(run.scheduled)
    ]
    closed = next(filter(None, (closed_for(case, run.span, start) for start in starts)), "")
    return f"the calendar {closed} was closed for its window" if closed else ""


def _lack_of_grounds(case: Case, span: Span, since: datetime | None) -> str:
    lane = case.lane
    if lane.gate_mode == "coverage" and lane.minimum_coverage_percent is not None:
        _, covered, running, _ = coverage(case, span, since)
        if covered * 100 < lane.minimum_coverage_percent * running:
            return f"at most {covered} of {running} were covered"
    if lane.gate_mode == "threshold" and lane.backup_job_threshold is not None:
        _, completed, _ = completed_jobs(case, span, since)
        if completed < lane.backup_job_threshold:
            return f"at most {completed} jobs were completed"
        unfinished = _surely_not_completed(case, span, since)
        if unfinished:
            return f"the newest backup job of {', '.join(unfinished)} was not completed"
    return ""
