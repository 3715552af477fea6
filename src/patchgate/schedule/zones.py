"""Time zones as integer tables, read from the ``tzdata`` package and never from the system.

The database's release decides when windows open (2026f ends daylight saving in America/Edmonton, 2025b does not),
so it is pinned with the program and printed with every proof.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache, cached_property
from importlib import import_module
from itertools import accumulate
from typing import Final

from patchgate.schedule.errors import Fault, ScheduleError
from patchgate.schedule.months import DAY, LAST_YEAR
from patchgate.schedule.tzif import read_transitions

_BEGINNING: Final = -(2**60)


class Zone:
    """One zone's offsets from UTC, from 1970 to 2199. All instants and wall-clock times are seconds since 1970."""

    def __init__(self, name: str, first_offset: int, transitions: list[tuple[int, int]]) -> None:
        self.name = name
        self.starts = [_BEGINNING]
        self.offsets = [first_offset]
        for at, offset in transitions:
            if at < -2 * DAY:
                self.offsets[0] = offset
            else:
                self.starts.append(at)
                self.offsets.append(offset)
        befores, afters = self.offsets[:-1], self.offsets[1:]
        edges = list(zip(self.starts[1:], befores, afters, strict=True))
        self._edge_ends = list(accumulate((at + max(before, after) for at, before, after in edges), max))
        starts = (at + min(before, after) for at, before, after in reversed(edges))
        self._edge_starts = list(accumulate(starts, min))[::-1]

    @cached_property
    def is_utc(self) -> bool:
        """Whether the zone's wall clock always shows UTC."""
        return self.offsets == [0]

    def offset_at(self, instant: int) -> int:
        """The offset from UTC in force at an instant, in seconds."""
        return self.offsets[bisect_right(self.starts, instant) - 1]

    def constant_offset(self, wall_start: int, wall_end: int) -> int | None:
        """The offset in force throughout a wall-clock interval (end exclusive) that no clock change touches."""
        edge = bisect_right(self._edge_ends, wall_start)
        if edge < len(self._edge_starts) and self._edge_starts[edge] < wall_end:
            return None
        return self.offsets[edge]

    def instants(self, wall: int) -> tuple[int, ...]:
        """The instants at which the wall clock shows a time: one, none in a gap, two or more in an overlap."""
        number = bisect_right(self.starts, wall - DAY) - 1
        found = set()
        while number < len(self.starts) and self.starts[number] <= wall + DAY:
            instant = wall - self.offsets[number]
            if self.offset_at(instant) == self.offsets[number]:
                found.add(instant)
            number += 1
        return tuple(sorted(found))

    def gap_around(self, wall: int) -> tuple[int, int]:
        """Of a wall-clock time in a gap: the instant of the clock change, and the instant that it would have been."""
        number = bisect_right(self.starts, wall - DAY)
        while not self.starts[number] + self.offsets[number - 1] <= wall < self.starts[number] + self.offsets[number]:
            number += 1
        return self.starts[number], wall - self.offsets[number - 1]

    def latest_wall(self, instant: int) -> int:
        """The latest time that the wall clock has shown up to an instant (since the clock change before it)."""
        number = bisect_right(self.starts, instant) - 1
        shown = instant + self.offsets[number]
        return shown if number == 0 else max(shown, self.starts[number] + self.offsets[number - 1] - 1)


@cache
def load_zone(name: str) -> Zone:
    """The table of an IANA zone such as ``America/New_York``. Raises ScheduleError for a name that is not one."""
    if name not in zone_names():
        raise _unknown_zone(name)
    from pkgutil import get_data  # noqa: PLC0415 - loads slowly, and only the first zone needs it

    data = get_data("tzdata", f"zoneinfo/{name}")
    if data is None:
        raise _unknown_zone(name)
    first_offset, transitions = read_transitions(data, LAST_YEAR + 1)
    return Zone(name, first_offset, list(transitions))


@cache
def zone_names() -> frozenset[str]:
    """Every zone and alias of the database."""
    from pkgutil import get_data  # noqa: PLC0415 - as above

    listing = get_data("tzdata", "zones") or b""
    return frozenset(listing.decode("ascii").split())


def tzdata_release() -> str:
    """The release of the IANA database in use, such as ``2026f``."""
    return str(import_module("tzdata").IANA_VERSION)


def _unknown_zone(name: str) -> ScheduleError:
    from difflib import get_close_matches  # noqa: PLC0415 - only errors need it

    folded = {known.casefold(): known for known in zone_names()}
    near = [folded[close] for close in get_close_matches(name.casefold(), folded, n=3)]
    fault = Fault(
        field="time zone",
        text=name,
        column=0,
        message=f"{name!r} is not in the IANA database, release {tzdata_release()}",
        rule="zones are IANA names, in their exact spelling",
    )
    return ScheduleError(name, fault, remedy=f"did you mean {' or '.join(near)}?" if near else "")
