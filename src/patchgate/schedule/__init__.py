"""AWS's schedule expressions: when exactly a cron, rate or one-time expression runs.

The one room that knows local time. It reads the dialects of AWS Backup, EventBridge Scheduler, EventBridge
rules and Systems Manager maintenance windows, and yields instants, exactly, from the time zone database of the
``tzdata`` package. It never reads a clock or the system's zones, never calls AWS, and never guesses: what AWS
refuses is a ``ScheduleError``, what AWS does not document is listed (``Schedule.undocumented``,
``Schedule.readings``), what no longer or never runs says so (``Schedule.outlook``).
"""

from __future__ import annotations

from datetime import datetime

from patchgate.schedule.dialects import DIALECTS, Dialect
from patchgate.schedule.errors import Fault, Notice, ScheduleError
from patchgate.schedule.grammar import parse
from patchgate.schedule.occurrences import Occurrence, Outlook, Reading, Schedule
from patchgate.schedule.zones import tzdata_release, zone_names

__all__ = [
    "DIALECTS",
    "Dialect",
    "Fault",
    "Notice",
    "Occurrence",
    "Outlook",
    "Reading",
    "Schedule",
    "ScheduleError",
    "next_occurrence",
    "parse",
    "tzdata_release",
    "zone_names",
]


def next_occurrence(
    expression: str,
    dialect: Dialect,
    zone: str,
    after: datetime,
    *,
    offset_days: int = 0,
    anchor: datetime | None = None,
) -> datetime | None:
    """The first run after ``after`` (exclusive) as an aware UTC datetime, or None when there is none up to 2199.

    Raises ScheduleError when the expression, the zone or the offset is not valid, and for a rate without ``anchor``.
    """
    return next(parse(expression, dialect).occurrences(zone, after, offset_days=offset_days, anchor=anchor), None)
