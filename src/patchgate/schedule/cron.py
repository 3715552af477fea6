"""Cron schedules: occurrences by the month, from cached lists of integers."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain, pairwise
from typing import Final

from patchgate.schedule.dialects import Dialect
from patchgate.schedule.edges import certain_occurrence, occurrence_at
from patchgate.schedule.errors import Notice
from patchgate.schedule.months import (
    DAY,
    FIRST_YEAR,
    MONTH_SHAPES,
    MONTH_STARTS,
    SHAPES,
    DayTerm,
    matching_days,
)
from patchgate.schedule.occurrences import Occurrence, Schedule
from patchgate.schedule.zones import Zone

_CACHED_INSTANTS: Final = 1 << 16


@dataclass(frozen=True)
class CronFields:
    """What the fields of a cron expression match, and what follows of it (computed once); numbers ascend."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[DayTerm, ...]
    months: tuple[int, ...]
    years: tuple[int, ...]

    @cached_property
    def times(self) -> tuple[int, ...]:
        """The times of day that match, in seconds after midnight, ascending."""
        return tuple(
            hour * 3600 + minute * 60 + second
            for hour in self.hours
            for minute in self.minutes
            for second in self.seconds
        )

    @cached_property
    def shape_days(self) -> tuple[tuple[int, ...], ...]:
        """The days that match in a month of each of the ``SHAPES``, ascending."""
        return _shape_days(self.days)

    @cached_property
    def month_numbers(self) -> tuple[int, ...]:
        """The months that hold a matching day, ascending, as indexes into ``MONTH_STARTS``."""
        return _month_numbers(self.days, self.months, self.years)


@lru_cache(maxsize=256)  # the schedules of a fleet differ in their times more than in their days
def _shape_days(days: tuple[DayTerm, ...]) -> tuple[tuple[int, ...], ...]:
    return tuple(matching_days(days, shape) for shape in SHAPES)


@lru_cache(maxsize=256)
def _month_numbers(days: tuple[DayTerm, ...], months: tuple[int, ...], years: tuple[int, ...]) -> tuple[int, ...]:
    matching = _shape_days(days)
    return tuple(
        number
        for year in years
        for month in months
        if matching[MONTH_SHAPES[number := (year - FIRST_YEAR) * 12 + month - 1]]
    )


class _InstantCache(dict[int, list[int]]):
    """The instants of a schedule in one zone by block of months; forgets all before it holds too many."""

    held = 0

    def keep(self, block: int, instants: list[int]) -> list[int]:
        if self.held + len(instants) > _CACHED_INSTANTS:
            self.clear()
            self.held = 0
        self.held += len(instants) + 1
        self[block] = instants
        return instants


class CronSchedule(Schedule):
    """``cron(0 23 ? * TUE#2 *)``."""

    kind = "cron"

    def __init__(self, expression: str, dialect: Dialect, undocumented: tuple[Notice, ...], fields: CronFields) -> None:
        super().__init__(expression, dialect, undocumented)
        self.fields = fields
        self._shape_seconds: dict[int, tuple[int, ...]] = {}
        self._caches: dict[tuple[str, int], _InstantCache] = {}

    @property
    def times(self) -> tuple[int, ...]:
        """The times of day that match, in seconds after midnight, ascending."""
        return self.fields.times

    @cached_property
    def months(self) -> tuple[int, ...]:
        """The months that hold a matching day, as indexes into ``MONTH_STARTS``."""
        return self.fields.month_numbers

    @property
    def can_fire(self) -> bool:
        """False when no month has a matching day."""
        return bool(self.months)

    def _epochs(self, zone: Zone, after: int, offset_days: int, anchor: int | None) -> Iterator[int]:
        if anchor is not None:
            after = max(after, _floor(zone, offset_days, anchor))
        blocks = self._blocks(zone, after, offset_days)
        for block in blocks:
            if block and block[-1] > after:
                return chain(block[bisect_right(block, after) :], chain.from_iterable(blocks))
        return iter(())

    def _between(self, zone: Zone, after: int, until: int, offset_days: int, anchor: int | None) -> list[int]:
        if anchor is not None:
            after = max(after, _floor(zone, offset_days, anchor))
        found: list[int] = []
        for block in self._blocks(zone, after, offset_days):
            found += block
            if block and block[-1] > until:
                break
        return found[bisect_right(found, after) : bisect_right(found, until)]

    def _readings(self, zone: Zone, after: int, offset_days: int, anchor: int | None) -> Iterator[Occurrence]:
        if anchor is not None:
            after = max(after, _floor(zone, offset_days, anchor))
        for number in range(self._first_month(after, offset_days), len(self.months)):
            for found in self._month_readings(zone, offset_days, self.months[number]):
                epochs = [epoch for reading in found.readings for epoch in reading.epochs]
                if max(epochs or zone.gap_around(found.wall_epoch)) > after:
                    yield found

    @cached_property
    def _block_length(self) -> int:
        """How many months a block has: the fewer occurrences a month, the more, for some dozens in a block."""
        most = max(map(len, self.fields.shape_days)) * len(self.times)
        return max(1, min(12, 32 // max(1, most)))

    def _blocks(self, zone: Zone, after: int, offset_days: int) -> Iterator[list[int]]:
        """The instants in blocks of months, ascending, from the block on in which those after ``after`` begin."""
        cache = self._caches.get((zone.name, offset_days))
        if cache is None:
            cache = self._caches[zone.name, offset_days] = _InstantCache()
        length = self._block_length
        numbers = range(self._first_month(after, offset_days) // length, -(-len(self.months) // length))
        return (cache.get(number) or self._block(zone, offset_days, number, cache) for number in numbers)

    def _first_month(self, after: int, offset_days: int) -> int:
        """Where in ``months`` to begin: a month that is over before ``after`` in every zone does not matter."""
        earliest = bisect_right(MONTH_STARTS, after - (offset_days + 2) * DAY) - 1
        return bisect_left(self.months, earliest)

    def _block(self, zone: Zone, offset_days: int, number: int, cache: _InstantCache) -> list[int]:
        """The instants of the occurrences whose cron day lies in a block of months, ascending."""
        found: list[int] = []
        for month in self.months[number * self._block_length : (number + 1) * self._block_length]:
            seconds = self._seconds_of(MONTH_SHAPES[month])
            start = MONTH_STARTS[month] + offset_days * DAY
            for part, offset in _parts(zone, start, seconds):
                if offset is None:
                    found += zone.instants(start + part[0])[:1]
                else:
                    base = start - offset
                    found += [base + second for second in part]
        return cache.keep(number, found)

    def _month_readings(self, zone: Zone, offset_days: int, month: int) -> Iterator[Occurrence]:
        seconds = self._seconds_of(MONTH_SHAPES[month])
        start = MONTH_STARTS[month] + offset_days * DAY
        for part, offset in _parts(zone, start, seconds):
            for second in part:
                if offset is None:
                    yield occurrence_at(zone, start + second, documented=self.rules.documents_edges)
                else:
                    yield certain_occurrence(start + second, offset)

    def _seconds_of(self, shape: int) -> tuple[int, ...]:
        """The occurrences of a month of that shape, in seconds from its first midnight."""
        known = self._shape_seconds.get(shape)
        if known is None:
            known = tuple((day - 1) * DAY + time for day in self.fields.shape_days[shape] for time in self.times)
            self._shape_seconds[shape] = known
        return known


def _parts(zone: Zone, start: int, seconds: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], int | None]]:
    """The wall times ``start + seconds`` in parts of constant offset; one by one where a clock change touches them."""
    offset = zone.constant_offset(start + seconds[0], start + seconds[-1] + 1)
    if offset is not None or len(seconds) == 1:
        yield seconds, offset
    else:
        middle = len(seconds) // 2
        yield from _parts(zone, start, seconds[:middle])
        yield from _parts(zone, start, seconds[middle:])


def fires_within(fields: CronFields, seconds: int) -> bool:
    """Whether two matching times are ever less than ``seconds`` (at most a day) of wall-clock time apart."""
    times = fields.times
    if any(later - earlier < seconds for earlier, later in pairwise(times)):
        return True
    return times[0] + DAY - times[-1] < seconds and _has_adjacent_days(fields)


def _has_adjacent_days(fields: CronFields) -> bool:
    previous = -2
    for month in fields.month_numbers:
        first_day = MONTH_STARTS[month] // DAY - 1
        for day in fields.shape_days[MONTH_SHAPES[month]]:
            if first_day + day == previous + 1:
                return True
            previous = first_day + day
    return False


def _floor(zone: Zone, offset_days: int, anchor: int) -> int:
    """The instant up to which nothing counts because its cron day was over when the schedule was created.

    Systems Manager documents it: a window whose cron day has passed does not run in that period, though its offset day
    is still to come.
    """
    wall = zone.latest_wall(anchor) + offset_days * DAY
    instants = zone.instants(wall)
    return instants[0] if instants else zone.gap_around(wall)[0] - 1
