"""Windows that were left enabled by templates that others wrote: nobody knows who of theirs closes them, or when.

A window that is enabled when its next gate is due opens whatever that gate finds, and after a day no close is merely
late. So each occurrence of a lane without a gate of patchgate's has that long to be closed, by whomever.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from patchgate.judge.spans import Cut, Span
from patchgate.judge.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from patchgate.judge.case import Case
    from patchgate.judge.doings import Window
    from patchgate.judge.lane import LaneFacts

LONGEST_OPEN = timedelta(hours=24)
"""How long after its end a window of somebody else's may stay enabled."""


def closing_deadline(lane: LaneFacts, end: datetime, following: datetime) -> datetime:
    """Until when a window that ended must be disabled: before the gate of the ``following`` start is due, and within a
    day. Where that gate is due before the window has even ended, until the following start.
    """
    gate = following - (lane.maximum_lead or timedelta(0))
    return min(end + LONGEST_OPEN, gate if gate > end else max(following, end))


def left_open(case: Case, window: Window) -> Iterator[Violation]:
    """A window that was enabled from the end of an occurrence to its deadline, without a break.

    One violation for each time that it was enabled, however many occurrences passed it by.
    """
    known = -1
    for occurrence in case.occurrences:
        until = closing_deadline(case.lane, occurrence.end, occurrence.after)
        if until > case.now:
            continue
        span = Span(case.facts.cut_at(occurrence.end), case.facts.cut_before(until))
        enabled = window.enabled.seen(span)
        if not enabled or not all(enabled) or window.enabled.as_of(span.low.seq) is None:
            continue
        change = max(cut.seq for cut, _ in window.changes if cut.seq <= span.low.seq)
        if change != known:
            known = change
            hours = (until - occurrence.end).total_seconds() / 3600
            what = (
                f"the window {window.window} is still enabled {hours:.3g} hours after its end at "
                f"{occurrence.end.isoformat()}, when its next gate is due or a day is over: nothing closed it"
            )
            yield Violation.at_cut("window", case.lane, Cut(max(span.high.seq, 0), until), what, change)
