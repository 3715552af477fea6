"""When something deployed is due: the embedded AWS's own reading of its schedule, asked about a stretch of time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import takewhile

Due = Callable[[datetime], Iterator[datetime]]
"""When something is due after an instant (exclusive), ascending."""

_STRETCH = timedelta(days=1)


def last_until(due: Due, when: datetime, since: datetime) -> datetime | None:
    """When it was due last: after ``since`` (exclusive) and up to ``when`` (inclusive).

    Looked for in ever longer stretches before ``when``: what runs every minute costs no more than what runs every year.
    """
    stretch = _STRETCH
    while True:
        begin = max(since, when - stretch)
        found = deque(takewhile(lambda at: at <= when, due(begin)), maxlen=1)
        if found or begin == since:
            return found[0] if found else None
        stretch *= 4


def first_after(due: Due, when: datetime, until: datetime) -> datetime | None:
    """When it is due first: after ``when`` (exclusive) and up to ``until`` (inclusive)."""
    found = next(due(when), None)
    return found if found is not None and found <= until else None
