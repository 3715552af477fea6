"""The promises about windows and leases: closed by default, closed after their end, opened once and in time."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from patchgate.judge.case import A_CLOSE_COMES_WITHIN, closes, due_of
from patchgate.judge.doings import LONGEST_RUN, Terms
from patchgate.judge.evidence import VERDICTS, is_anothers
from patchgate.judge.left_open import left_open
from patchgate.judge.spans import Cut, Span
from patchgate.judge.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from patchgate.judge.case import Case
    from patchgate.judge.doings import Lease, Run, Window


def windows_left_open(case: Case) -> Iterator[Violation]:
    """A window is disabled by the first close or watchdog that succeeds, unless an open lease stands for it.

    One violation for each time that a window was left enabled, however many runs passed it by.
    """
    for window in case.windows:
        enabled = -1
        for run in case.closing.runs:
            if not run.succeeded or not case.names_window(window, run.span) or not _left_enabled(case, window, run):
                continue
            change = max(cut.seq for cut, _ in window.changes if cut.seq <= run.span.low.seq)
            if change != enabled:
                enabled = change
                what = f"the window {window.window} was left enabled by a close that succeeded"
                yield Violation.at_cut("window", case.lane, run.span.high, what, change)
        yield from (_never_closed if case.lane.close_function else _open_at_the_end)(case, window)


def _left_enabled(case: Case, window: Window, run: Run) -> bool:
    """Whether a window was enabled from a run's begin to its end, with no lease that keeps it so: none that the run
    itself says it closed.
    """
    if window.enabled.as_of(run.span.low.seq) is None or not all(window.enabled.seen(run.span)):
        return False
    return not any(
        lease.was_open(run.span) and lease.window_end > run.span.low.at and lease.cycle not in run.closed
        for lease in case.leases
    )


def _ends(case: Case, window: Window) -> list[datetime]:
    """The ends of the lane's windows that have passed, in order."""
    ends = [lease.window_end for lease in case.leases] + [end for _, end in case.lane.occurrences]
    ends += [execution.ended for execution in window.executions if execution.ended is not None]
    return sorted({end for end in ends if end <= case.now})


def _never_closed(case: Case, window: Window) -> Iterator[Violation]:
    """A window that stayed enabled for a day of calm after its end, whatever closes and watchdogs came to."""
    for end in _ends(case, window):
        if not case.is_overdue(end):
            continue
        begin = max(end, case.lane.calm_from or end)
        span = Span(case.facts.cut_at(begin), case.facts.cut_at(begin + A_CLOSE_COMES_WITHIN))
        enabled = window.enabled.seen(span)
        if enabled and all(enabled):
            began = sum(end <= cut.at <= span.high.at for cut, _ in case.closing.begun)
            came = f"{began} runs of the close began" if began else "no close came"
            what = f"the window {window.window} is enabled a day after its end at {end.isoformat()}: {came}"
            yield Violation.at_cut("window", case.lane, Cut(max(span.high.seq, 0), span.high.at), what)
            return


def _open_at_the_end(case: Case, window: Window) -> Iterator[Violation]:
    """Where it is not known who closes: a window that is enabled at the end of the run, after its own end; on lanes of
    others one that was left enabled after any of its ends.
    """
    if not case.lane.has_gate:
        yield from left_open(case, window)
        return
    last, ends = case.facts.last, _ends(case, window)
    if last is None or not ends or window.deleted or not window.enabled.as_of(last.seq):
        return
    if any(lease.window_end > case.now and lease.was_open(Span(last, last)) for lease in case.leases):
        return
    what = f"the window {window.window} is still enabled after its end at {ends[-1].isoformat()}"
    yield Violation.at_cut("window", case.lane, window.changes[-1][0], what)


def leases_left_open(case: Case) -> Iterator[Violation]:
    """A lease is closed by the first close or watchdog that succeeds after its window's end, and within a day of calm
    in any case.
    """
    for lease in case.leases:
        if not case.lane.close_function:
            yield from _open_beside_a_closed_window(case, lease)
            continue
        for run in case.closing.runs:
            if run.succeeded and run.span.low.at >= lease.window_end and closes(run, lease.window_start):
                after = Span(run.span.high, run.span.high)
                if lease.opened.seq <= run.span.low.seq and lease.was_open(after):
                    what = f"the lease {lease.path} was left open by a close that succeeded"
                    yield Violation.at_cut("lease-closed", case.lane, run.span.high, what, lease.opened.seq)
                break
        else:
            yield from _open_for_a_day(case, lease)


def _open_for_a_day(case: Case, lease: Lease) -> Iterator[Violation]:
    """A lease that is open after a day of calm in which no close succeeded."""
    if not case.is_overdue(lease.window_end):
        return
    then = case.facts.cut_at(max(lease.window_end, case.lane.calm_from or lease.window_end) + A_CLOSE_COMES_WITHIN)
    if lease.was_open(Span(then, then)):
        what = f"the lease {lease.path} is open a day after its window's end: no close succeeded"
        yield Violation.at_cut("lease-closed", case.lane, then, what, lease.opened.seq)


def _open_beside_a_closed_window(case: Case, lease: Lease) -> Iterator[Violation]:
    """Where it is not known who closes: a lease that was never closed although its window was."""
    if lease.closed is not None or lease.deleted is not None:
        return
    changes = [change for window in case.windows for change in window.changes]
    closings = [cut for cut, enabled in changes if not enabled and cut.at >= lease.admit_until]
    if closings:
        what = f"the lease {lease.path} is still open after its window was closed"
        yield Violation.at_cut("lease-closed", case.lane, closings[0], what, lease.opened.seq)


def leases_changed(case: Case) -> Iterator[Violation]:
    """A lease is created once, before its window's start, never opens again after it was closed, and is obeyed.

    A gate that began before the start may be overtaken by it between its last look at the clock and its lease.
    """
    first: dict[str, Lease] = {}
    for lease in case.leases:
        earlier = first.setdefault(lease.path, lease)
        if earlier is not lease:
            what = f"the lease {lease.path} was written a second time"
            yield Violation.at_cut("lease-once", case.lane, lease.opened, what, earlier.opened.seq)
        if lease.opened.at >= lease.window_start and not _opened_by_an_early_gate(case, lease):
            what = f"the lease {lease.path} was opened after its window had started"
            yield Violation.at_cut("lease-once", case.lane, lease.opened, what)
        for cut in _decided_again(case, lease):
            what = f"the cycle of the lease {lease.path} was decided again by a gate that came after it"
            yield Violation.at_cut("lease-once", case.lane, cut, what, lease.opened.seq)


def _decided_again(case: Case, lease: Lease) -> Iterator[Cut]:
    """The writings of a cycle's verdict by gates that began when its lease was there already."""
    for name in VERDICTS:
        for writing in case.evidence.get((lease.cycle, name), ()):
            late = lease.opened.seq < writing.cut.seq and (lease.deleted is None or writing.cut.seq < lease.deleted)
            if not late or is_anothers(case, writing, name):
                continue
            writers = _running(case, writing.cut)
            if writers and not writers & _running(case, lease.opened):
                yield writing.cut


def _running(case: Case, cut: Cut) -> set[str]:
    """The requests to the gate that were on their way: of which more runs had begun than ended."""
    begun = Counter(request for begin, request in case.gate.begun if begin.seq <= cut.seq)
    begun.subtract(run.request for run in case.gate.runs if run.span.high.seq <= cut.seq)
    return {request for request, number in begun.items() if number > 0}


def terms_exceeded(case: Case) -> Iterator[Violation]:
    """A lease is for an occurrence of the lane's own window, and admits until that ends but for its cutoff: no longer,
    which nobody could rely on, and no shorter, which would deny for ever whoever is well.
    """
    starts = {start for start, _ in case.lane.occurrences}
    ids = case.facts.window_ids.get((case.lane.place, case.path))
    for lease in case.leases:
        span = Span(case.facts.cut_at(lease.opened.at - LONGEST_RUN), lease.opened)
        if ids is not None and lease.window and lease.window not in ids.seen(span):
            what = f"the lease {lease.path} is for {lease.window}, which is not the lane's window"
            yield Violation.at_cut("lease-terms", case.lane, lease.opened, what)
        if starts and lease.window_start not in starts and lease.window_start <= max(starts):
            what = f"the lease {lease.path} is for {lease.window_start.isoformat()}, when no window begins"
            yield Violation.at_cut("lease-terms", case.lane, lease.opened, what)
        if _comes_too_soon(case, lease):
            what = f"the lease {lease.path} is for {lease.window_start.isoformat()}, beyond the lead of its gate"
            yield Violation.at_cut("lease-terms", case.lane, lease.opened, what)
        ends, cutoffs = _terms_of(case, lease, span)
        if ends and not (_within(lease.admit_until, cutoffs) and _within(lease.window_end, ends)):
            what = (
                f"the lease {lease.path} admits until {lease.admit_until.isoformat()} in a window until "
                f"{lease.window_end.isoformat()}: it is until {ends[-1].isoformat()}, and its cutoff is at "
                f"{cutoffs[-1].isoformat()}"
            )
            yield Violation.at_cut("lease-terms", case.lane, lease.opened, what)


def _comes_too_soon(case: Case, lease: Lease) -> bool:
    """Whether a lease is for a window that begins later than its gate may look ahead."""
    due, lead = due_of(lease.cycle), case.lane.maximum_lead
    return due is not None and lead is not None and lease.window_start > due + lead


def _within(instant: datetime, instants: list[datetime]) -> bool:
    return min(instants) <= instant <= max(instants)


def _terms_of(case: Case, lease: Lease, span: Span) -> tuple[list[datetime], list[datetime]]:
    """(ends, ends of admission) that the window of a lease may have had when its gate looked: by the lane's own terms
    while nobody changed those of the window since it was created, otherwise by what the window then had.
    """
    window = case.facts.windows.get(case.lane.place, {}).get(lease.window)
    duration, cutoff = case.lane.duration, case.lane.cutoff
    if duration is not None and cutoff is not None and (window is None or len(set(window.terms.values)) <= 1):
        terms = [Terms(duration, cutoff)]
    else:
        terms = window.terms.seen(span) if window is not None else []
    ends = [lease.window_start + one.duration for one in terms]
    return ends, [end - one.cutoff for end, one in zip(ends, terms, strict=True)]


def _opened_by_an_early_gate(case: Case, lease: Lease) -> bool:
    """Whether a run of the gate was on its way that had begun before the start, ended later or never."""
    if any(
        run.span.low.at < lease.window_start and run.span.low.seq < lease.opened.seq < run.span.high.seq
        for run in case.gate.runs
    ):
        return True
    ended = {run.request for run in case.gate.runs}
    return any(
        cut.at < lease.window_start and cut.seq < lease.opened.seq and request not in ended
        for cut, request in case.gate.begun
    )
