"""When a lane was frozen: by a parameter that stood, or by a change calendar that was closed.

A calendar is asked for an instant, in whole seconds, and answers by what it held when it was asked. One that no history
shows may have said anything: nothing is held against what rests on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from patchgate.judge.spans import Changes, Span

if TYPE_CHECKING:
    from patchgate.judge.case import Case

WHOLE_SECONDS = timedelta(seconds=1)
"""Calendars are asked for instants in whole seconds, cut off."""


class Calendar(NamedTuple):
    """What a change calendar holds: ``exceptions`` are the half-open spans in which it is not as by default."""

    closed_by_default: bool
    exceptions: tuple[tuple[datetime, datetime], ...]

    def closed_in(self, low: datetime, high: datetime) -> bool:
        """Whether it is closed at some instant from ``low`` to ``high``."""
        if self.closed_by_default:
            return not self._excepted_throughout(low, high)
        return any(begin <= high and low < end for begin, end in self.exceptions)

    def closed_throughout(self, low: datetime, high: datetime) -> bool:
        """Whether it is closed from ``low`` to ``high``."""
        if self.closed_by_default:
            return not any(begin <= high and low < end for begin, end in self.exceptions)
        return self._excepted_throughout(low, high)

    def _excepted_throughout(self, low: datetime, high: datetime) -> bool:
        reached = low
        for begin, end in sorted(self.exceptions):
            if begin <= reached < end:
                reached = end
        return reached > high


def freeze_names(case: Case) -> tuple[str, str]:
    """The parameters that freeze the lane while they are there."""
    return f"{case.lane.parameter_path}freeze", "/patchgate/freeze"


def frozen_throughout(case: Case, span: Span) -> str:
    """The name of a freeze that stood all through a span, or of a calendar that was closed; "" when there was none."""
    stood = stood_throughout(case, span)
    if stood:
        return stood
    low, high = span.low.at - WHOLE_SECONDS, span.high.at
    for name, calendar in _calendars(case).items():
        held = _held(calendar, span)
        if held and all(one is not None and one.closed_throughout(low, high) for one in held):
            return name
    return ""


def stood_throughout(case: Case, span: Span) -> str:
    """The name of a parameter that froze the lane all through a span; "" when there was none."""
    for name in freeze_names(case):
        freeze = case.facts.freezes.get((case.lane.place, name))
        if freeze is not None and freeze.as_of(span.low.seq) and all(freeze.seen(span)):
            return name
    return ""


def frozen_at_all(case: Case, span: Span) -> bool:
    """Whether a freeze is known to have stood at some point of a span, or a calendar to have been closed then."""
    return _stood_at_all(case, span) or any(
        one is not None and one.closed_in(span.low.at - WHOLE_SECONDS, span.high.at)
        for calendar in _calendars(case).values()
        for one in calendar.seen(span)
    )


def may_be_frozen(case: Case, span: Span) -> bool:
    """Whether what was read in a span may have been a freeze."""
    return frozen_at_all(case, span) or _has_unknown_calendars(case)


def may_be_frozen_at(case: Case, span: Span, instants: Sequence[datetime]) -> bool:
    """Whether what was read in a span may have been a freeze, where calendars were asked for one of the instants."""
    if _stood_at_all(case, span) or _has_unknown_calendars(case):
        return True
    held = [one for calendar in _calendars(case).values() for one in calendar.seen(span)]
    return any(one is not None and one.closed_in(at, at) for one in held for at in instants)


def closed_for(case: Case, span: Span, at: datetime) -> str:
    """The name of a calendar that, whenever it was asked in a span, was closed at an instant; "" when none was."""
    for name, calendar in _calendars(case).items():
        held = _held(calendar, span)
        if held and all(one is not None and one.closed_throughout(at, at) for one in held):
            return name
    return ""


def _stood_at_all(case: Case, span: Span) -> bool:
    found = (case.facts.freezes.get((case.lane.place, name)) for name in freeze_names(case))
    return any(freeze is not None and any(freeze.seen(span)) for freeze in found)


def _held(calendar: Changes[Calendar | None], span: Span) -> list[Calendar | None]:
    """What a calendar held at any point of a span; nothing when it was made in it."""
    return calendar.seen(span) if calendar.as_of(span.low.seq) is not None else []


def _calendars(case: Case) -> dict[str, Changes[Calendar | None]]:
    """The lane's calendars of which the history says anything, by the lane's own names for them."""
    found = {name: case.facts.calendars.get(_key(case, name)) for name in case.lane.calendars}
    return {name: calendar for name, calendar in found.items() if calendar is not None}


def _has_unknown_calendars(case: Case) -> bool:
    return len(_calendars(case)) < len(set(case.lane.calendars))


def _key(case: Case, name: str) -> tuple[tuple[str, str], str]:
    """Where a calendar is, by its name or its ARN."""
    if not name.startswith("arn:"):
        return case.lane.place, name
    _, _, _, region, account, *_ = [*name.split(":"), "", ""]
    return (account, region), name.rpartition(":document/")[2]
