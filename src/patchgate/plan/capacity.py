"""What the windows of one account and Region can carry: how many instances, and how many windows at once (F57).

AWS allows 100 automations and 5 window executions at once per account and Region.
https://docs.aws.amazon.com/general/latest/gr/ssm.html

Assumed, because AWS says nothing: a percentage of targets is rounded down, and is at least one; windows that run at
once share the automations in proportion to what each asks for. The minutes of a scan and of an install are estimates
that the caller gives. Where AWS does not say when a window starts (at clock changes), each lane's window may start at
any of the possible instants, whatever the others' do: what can meet then must hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

AUTOMATIONS_AT_ONCE = 100
WINDOWS_AT_ONCE = 5
SCAN_MINUTES = 5
INSTALL_MINUTES = 30


@dataclass(frozen=True, slots=True)
class LaneLoad:
    """What one lane puts on its account and Region: its windows and its work.

    ``spans`` are start and end (epoch seconds, ascending) of every window, in every reading that AWS leaves open.
    ``concurrency`` is the install task's: a number or a percentage. ``instances`` None: not known, nothing is computed.
    """

    name: str
    spans: tuple[tuple[int, int], ...]
    duration_hours: int
    cutoff_hours: int
    concurrency: str
    instances: int | None = None

    @property
    def at_once(self) -> int:
        """How many instances the lane patches at once, for itself; 0 when it has none or their number is not known."""
        return concurrent_targets(self.concurrency, self.instances or 0)


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many instances of a lane can start to be patched in one window, and how many there are."""

    lane: str
    instances: int
    at_once: int
    capacity: int
    shared_with: tuple[str, ...] = ()

    @property
    def left_over(self) -> int:
        """How many wait for a later window."""
        return max(0, self.instances - self.capacity)


@dataclass(frozen=True, slots=True)
class Crowding:
    """More windows at once than AWS allows: when first, how many, which, and by how many hours to move each of them."""

    first: int
    most: int
    lanes: tuple[str, ...]
    delays: tuple[tuple[str, int], ...]


def concurrent_targets(concurrency: str, instances: int) -> int:
    """How many of so many targets a task runs on at once; ``concurrency`` is a number or a percentage such as 25%."""
    if not instances:
        return 0
    if concurrency.endswith("%"):
        return max(1, instances * int(concurrency[:-1]) // 100)
    return min(int(concurrency), instances)


def lane_capacity(load: LaneLoad, at_once: int, *, scan_minutes: int, install_minutes: int) -> int:
    """How many installs can start between the scan's end and the cutoff, ``at_once`` at a time."""
    usable = 60 * (load.duration_hours - load.cutoff_hours) - scan_minutes
    return at_once * max(0, -(-usable // install_minutes))


def compute_capacity(
    loads: Sequence[LaneLoad], *, scan_minutes: int = SCAN_MINUTES, install_minutes: int = INSTALL_MINUTES
) -> tuple[Capacity, ...]:
    """The capacity of every lane of one account and Region whose number of instances is known."""
    if all(load.instances is None for load in loads):
        return ()
    meetings = _meetings(loads)
    found = []
    for load in loads:
        if load.instances is None:
            continue
        joined = [lanes for _, lanes in meetings if any(one is load for one in lanes)] or [(load,)]
        together = max(joined, key=lambda lanes: sum(one.at_once for one in lanes))
        wanted = sum(one.at_once for one in together)
        share = load.at_once
        if wanted > AUTOMATIONS_AT_ONCE and share:
            share = max(1, share * AUTOMATIONS_AT_ONCE // wanted)
        capacity = lane_capacity(load, share, scan_minutes=scan_minutes, install_minutes=install_minutes)
        others = tuple(one.name for one in together if one is not load)
        found.append(Capacity(load.name, load.instances, share, capacity, others if share < load.at_once else ()))
    return tuple(found)


def find_crowding(loads: Sequence[LaneLoad]) -> Crowding | None:
    """Whether more windows of one account and Region ever run at once than AWS allows; None when they do not."""
    crowded = [(at, lanes) for at, lanes in _meetings(loads) if len(lanes) > WINDOWS_AT_ONCE]
    if not crowded:
        return None
    began, lanes = min(crowded, key=lambda meeting: meeting[0])
    most = max(len(lanes) for _, lanes in crowded)
    delays, later = [], 0
    for position, lane in enumerate(lanes):
        if position and position % WINDOWS_AT_ONCE == 0:
            later += max(one.duration_hours for one in lanes[position - WINDOWS_AT_ONCE : position])
        if later:
            delays.append((lane.name, later))
    return Crowding(began, most, tuple(lane.name for lane in lanes), tuple(delays))


def _meetings(loads: Sequence[LaneLoad]) -> list[tuple[int, tuple[LaneLoad, ...]]]:
    """(first instant, lanes) of every set of lanes whose windows ever run at once; lanes of equal windows go as one."""
    series: dict[tuple[tuple[int, int], ...], list[LaneLoad]] = {}
    for load in loads:
        series.setdefault(load.spans, []).append(load)
    members = list(series.values())
    starts = sorted((start, number, end) for number, spans in enumerate(series) for start, end in spans)
    running: list[tuple[int, int]] = []
    first: dict[frozenset[int], int] = {}
    for start, number, end in starts:
        while running and running[0][0] <= start:
            heappop(running)
        heappush(running, (end, number))
        first.setdefault(frozenset([one for _, one in running]), start)
    return [(at, tuple(load for one in sorted(numbers) for load in members[one])) for numbers, at in first.items()]
