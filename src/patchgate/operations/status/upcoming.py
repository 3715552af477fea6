"""When a lane runs next, by the schedules that are deployed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from patchgate.domain.regions import region
from patchgate.operations.calendar import KINDS, Kind
from patchgate.plan.order_timeline import LaneSchedules, ParsedSchedules
from patchgate.schedule import parse

if TYPE_CHECKING:
    from patchgate.schedule import Schedule

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Run:
    """The next start (aware UTC); ``uncertain``: a clock change is near, and AWS does not document what happens."""

    start: datetime
    uncertain: bool = False


@dataclass(frozen=True, slots=True)
class Timetable:
    """The schedules of a lane, parsed, in its zone."""

    zone: str
    lane: LaneSchedules
    parsed: ParsedSchedules
    watchdog: Schedule

    @classmethod
    def of(cls, values: Mapping[str, str], region_name: str) -> Timetable:
        """From template parameters. ScheduleError and InputError for values that no deployment would have taken."""
        zone = values.get("TimeZone") or region(region_name).time_zone
        lane = LaneSchedules.from_parameters(values, zone)
        return cls(zone, lane, lane.parsed(), parse(values["WatchdogSchedule"], "scheduler"))

    @property
    def lead(self) -> timedelta:
        """How long before its window a gate decides, at most."""
        return timedelta(minutes=self.lane.maximum_lead_minutes)

    def next_runs(self, now: datetime) -> dict[Kind, Run]:
        """What runs next after ``now``; without what never runs again."""
        found: dict[Kind, Run] = {}
        for kind in KINDS:
            for occurrence in self._schedule(kind).readings(self.zone, now, offset_days=self._offset(kind)):
                instants = [each for reading in occurrence.readings for each in reading.instants if each > now]
                if instants:
                    found[kind] = Run(min(instants), not occurrence.is_certain)
                    break
        return found

    def between(self, kind: Kind, after: datetime, until: datetime) -> Sequence[datetime]:
        """The starts after ``after`` and up to ``until``."""
        first, last = int(after.timestamp()), int(until.timestamp())
        found = self._schedule(kind).between_epoch(self.zone, first, last, offset_days=self._offset(kind))
        return [datetime.fromtimestamp(each, UTC) for each in found]

    def following(self, kind: Kind, instant: datetime) -> datetime | None:
        """The first start at or after that instant."""
        return next(
            self._schedule(kind).occurrences(self.zone, instant - _SECOND, offset_days=self._offset(kind)), None
        )

    def next_closing(self, instant: datetime) -> datetime | None:
        """When the close function runs at or after that instant, by its own schedule or as a watchdog."""
        watch = next(self.watchdog.occurrences(self.zone, instant - _SECOND), None)
        return min((each for each in (watch, self.following("close", instant)) if each is not None), default=None)

    def _schedule(self, kind: Kind) -> Schedule:
        return {
            "backup": self.parsed.backup,
            "gate": self.parsed.gate,
            "window": self.parsed.window,
            "close": self.parsed.close,
        }[kind]

    def _offset(self, kind: Kind) -> int:
        return self.lane.window_offset_days if kind == "window" else 0
