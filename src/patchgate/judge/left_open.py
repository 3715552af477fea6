"""Windows that were left enabled by templates that others wrote: nobody knows who of theirs closes them, or when.

A window that is enabled when its next gate is due, or without any gate when it starts again, opens whatever is true
then, and after a day no close is merely late. So each occurrence of a lane without a gate of patchgate's has that long
to be closed, by whomever; and so has a window that somebody enables while none is due.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
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
"""How long a window of somebody else's may stay enabled after its end, or while none is due."""


def closing_deadline(lane: LaneFacts, end: datetime, following: datetime) -> datetime:
    """Until when a window that ended must be disabled: before the gate of the ``following`` start is due, and within a
    day. Where no gate is known, or that gate is due before the window has even ended, until the following start.
    """
    gate = _next_gate(lane, end, following)
    return min(end + LONGEST_OPEN, gate or max(following, end))


def _next_gate(lane: LaneFacts, end: datetime, following: datetime) -> datetime | None:
    """When the gate of the following start is due; None where none is known to be due after the window's end."""
    if lane.maximum_lead is None:
        return None
    gate = following - lane.maximum_lead
    return gate if gate > end else None


def left_open(case: Case, window: Window) -> Iterator[Violation]:
    """A window that was enabled from the end of an occurrence, or from when it was enabled, to the deadline without a
    break.

    One violation for each time that it was enabled, however many occurrences passed it by.
    """
    known: set[int] = set()
    for low, until, what in sorted((*_ended(case), *_enabled_between(case, window)), key=lambda one: one[0]):
        enabled = window.enabled.seen(Span(low, case.facts.cut_before(until)))
        if until > case.now or not enabled or not all(enabled) or not window.enabled.as_of(low.seq):
            continue
        change = _begun(window, low)
        if change not in known:
            known.add(change)
            hours = (until - low.at).total_seconds() / 3600
            said = f"the window {window.window} is still enabled {hours:.3g} hours after {what}: nothing closed it"
            high = case.facts.cut_before(until)
            yield Violation.at_cut("window", case.lane, Cut(max(high.seq, 0), until), said, change)


def _ended(case: Case) -> Iterator[tuple[Cut, datetime, str]]:
    """Since when, until when, and after what: the occurrences' ends."""
    for one in case.occurrences:
        until = closing_deadline(case.lane, one.end, one.after)
        then = ""
        if until < one.end + LONGEST_OPEN:
            then = (
                ", when its next gate is due" if _next_gate(case.lane, one.end, one.after) else ", when it starts again"
            )
        yield case.facts.cut_at(one.end), until, f"its end at {one.end.isoformat()}{then}"


def _enabled_between(case: Case, window: Window) -> Iterator[tuple[Cut, datetime, str]]:
    """The same of whoever enabled it while no start was due for a day. How it was created is not judged: CloudFormation
    creates every window enabled, long before its first gate.
    """
    for (_, before), (cut, enabled) in pairwise(window.changes):
        until = cut.at + LONGEST_OPEN
        if enabled and not before and not any(start < until and end > cut.at for start, end in case.lane.occurrences):
            yield cut, until, f"it was enabled at {cut.at.isoformat()}"


def _begun(window: Window, cut: Cut) -> int:
    """The record with which a window was enabled that is so at a point."""
    begun = -1
    for change, enabled in window.changes:
        if change.seq > cut.seq:
            break
        begun = -1 if not enabled else change.seq if begun < 0 else begun
    return begun
