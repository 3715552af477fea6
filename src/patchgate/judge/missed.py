"""What closes and watchdogs say of cycles that no gate judged, and of closes that did not end well: false where a gate
did, and it was still remembered; and where a close did.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from patchgate.judge.case import closes, cycle_of
from patchgate.judge.doings import LONGEST_RUN
from patchgate.judge.spans import Cut, Span
from patchgate.judge.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from patchgate.judge.case import Case
    from patchgate.judge.doings import Lease, Run

A_CLOSE_BELONGS = timedelta(hours=12)
"""A close belongs to a window up to so long after its end."""
REMEMBERED = timedelta(days=14)
"""For so long a gate's verdict is kept; what is older a watchdog deletes."""
VERDICTS = ("open", "hold")


def wrongly_missed(case: Case) -> Iterator[Violation]:
    """A close or a watchdog that says that no gate judged a cycle, and one did."""
    for run in case.closing.runs:
        if not run.missed_cycles or not run.succeeded:
            continue
        starts = _awaited(case, run) if run.mode == "watchdog" else _closed_by(case, run)
        verdicts = [_verdict_on(case, start, run) for start in starts]
        known = [verdict for verdict in verdicts if verdict is not None]
        if known and len(known) == len(verdicts):
            verdict = known[-1]
            due = verdict.scheduled.isoformat() if verdict.scheduled else ""
            what = f"a {run.mode} said that no gate judged its cycle, but the gate due at {due} did: {verdict.decision}"
            yield Violation.at_cut("reason", case.lane, run.span.high, what, verdict.span.high.seq)


def wrongly_blamed(case: Case) -> Iterator[Violation]:
    """A watchdog that says that no close ended well when the window was disabled all the while, and a close had ended
    well of every lease that was closed by then. Whoever enabled a window since has given it a reason.
    """
    for run in case.closing.runs:
        if not run.blames_closes or not run.succeeded:
            continue
        if not case.windows or any(True in window.enabled.seen(run.span) for window in case.windows):
            continue
        closed = [lease for lease in case.leases if lease.existed(run.span) and not lease.was_open(_after(run))]
        well = [_closed_well(case, lease, run) for lease in closed]
        good = [one for one in well if one is not None]
        if len(good) == len(well):
            what = f"a {run.mode} said that no close ended well, and nothing was left to close or to tell"
            yield Violation.at_cut("reason", case.lane, run.span.high, what, *(one.span.high.seq for one in good[-1:]))


def blamed_in_calm(case: Case) -> Iterator[Violation]:
    """A watchdog that says in the calm that no close ended well, after another one that was as calm had put in order
    whatever had gone wrong before: it is false, or no close comes any more. One that comes before the close or beside
    it is no sign of that.
    """
    calm = case.lane.calm_from
    if calm is None:
        return
    earlier: Run | None = None
    for run in case.closing.runs:
        blames = run.blames_closes and not _comes_before_the_close(case, run)
        if earlier is not None and blames and run.span.low.seq > earlier.span.high.seq:
            what = f"a {run.mode} said that no close ended well, with nothing going wrong"
            yield Violation.at_cut("works", case.lane, run.span.high, what, earlier.span.high.seq)
        if earlier is None and run.succeeded and run.mode == "watchdog" and run.span.low.at > calm:
            earlier = run


def _comes_before_the_close(case: Case, watchdog: Run) -> bool:
    """Whether a close of a window that had ended before a watchdog came after it, in its time, or beside it."""
    return any(
        run.mode == "close" and run.span.high.seq > watchdog.span.low.seq and closes(run, one.start)
        for one in case.occurrences
        if one.end <= watchdog.span.low.at
        for run in case.closing.runs
        if run.scheduled is not None and run.scheduled <= one.end + A_CLOSE_BELONGS
    )


def _after(run: Run) -> Span:
    return Span(run.span.high, run.span.high)


def _closed_well(case: Case, lease: Lease, blaming: Run) -> Run | None:
    """The close or watchdog that had ended a lease well before a watchdog began; None when none surely had.

    One beside it that had not ended well, or not yet, may have marked the lease closed again, and so untold.
    """
    well: list[Run] = []
    ill: list[Run] = []
    for run in case.closing.runs:
        (well if run.succeeded and run.span.high.seq < blaming.span.low.seq else ill).append(run)
    for run in well:
        due = lease.window_end <= run.span.low.at if run.mode == "watchdog" else closes(run, lease.window_start)
        low, high = run.span.low.seq, run.span.high.seq
        alone = not any(one.span.low.seq < high and low < one.span.high.seq for one in ill)
        alone = alone and not any(cut.seq < high for cut in case.closing.unended)
        if due and alone and lease.opened.seq < low:
            return run
    return None


def _closed_by(case: Case, run: Run) -> list[datetime]:
    """The start of the window that a close was due for: the last that had begun then."""
    at = run.scheduled
    if at is None:
        return []
    begun = [one for one in case.occurrences if one.start <= at]
    return [begun[-1].start] if begun and at <= begun[-1].end + A_CLOSE_BELONGS else []


def _awaited(case: Case, run: Run) -> list[datetime]:
    """The starts of the windows for which a watchdog may have waited, and that were past; it may put an instant of long
    ago in their place when it knows of none.
    """
    due = case.facts.due.get((case.lane.place, case.path))
    starts = due.seen(run.span) if due is not None else []
    high = run.span.high.at
    return [start for start in starts if start is not None and high - REMEMBERED < start < high]


def _verdict_on(case: Case, start: datetime, closing: Run) -> Run | None:
    """The run of a gate that had judged the window of that start when a close began; None when none surely had."""
    lead = case.lane.maximum_lead
    if lead is None:
        return None
    for run in case.gate.runs:
        due = run.scheduled
        if not run.succeeded or run.repeated or run.decision not in VERDICTS or due is None:
            continue
        earlier = run.span.high.seq < closing.span.low.seq
        if earlier and start - lead <= due <= start and not _was_unremembered(case, due, closing):
            return run
    return None


def _was_unremembered(case: Case, due: datetime, closing: Run) -> bool:
    """Whether the parameter that remembers a gate's verdict was deleted before a close had ended: by somebody else, or
    by a watchdog when it was long over.
    """
    cycle = cycle_of(due)
    return any(
        name == cycle
        and cut.seq < closing.span.high.seq
        and (cut.at - due >= REMEMBERED or not _is_of_a_close(case, cut))
        for cut, name in case.facts.unremembered.get((case.lane.place, case.path), [])
    )


def _is_of_a_close(case: Case, cut: Cut) -> bool:
    """Whether a close or a watchdog was on its way then, which ended or not."""
    return any(run.span.low.seq < cut.seq < run.span.high.seq for run in case.closing.runs) or any(
        begun.seq < cut.seq and cut.at - begun.at <= LONGEST_RUN for begun in case.closing.unended
    )
