"""What a service may do at a wall-clock time that a clock change skips or repeats."""

from __future__ import annotations

from patchgate.schedule.occurrences import Occurrence, Reading
from patchgate.schedule.zones import Zone


def certain_occurrence(wall: int, offset: int) -> Occurrence:
    """The occurrence at a wall-clock time where the offset from UTC is known to be constant."""
    return Occurrence(wall, "none", (Reading("exact", (wall - offset,)),))


def occurrence_at(zone: Zone, wall: int, *, documented: bool) -> Occurrence:
    """The occurrence at a wall-clock time; ``documented`` leaves only what EventBridge Scheduler documents."""
    instants = zone.instants(wall)
    if len(instants) == 1:
        return Occurrence(wall, "none", (Reading("exact", instants),))
    if not instants:
        change, shifted = zone.gap_around(wall)
        gap = (Reading("skipped", ()), Reading("at the clock change", (change,)), Reading("shifted", (shifted,)))
        return Occurrence(wall, "gap", gap[:1] if documented else gap)
    overlap = (
        Reading("first pass", instants[:1]),
        Reading("second pass", instants[-1:]),
        Reading("both passes", instants),
    )
    return Occurrence(wall, "overlap", overlap[:1] if documented else overlap)
