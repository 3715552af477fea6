"""Bugs that show only where the clocks change: a zone that is taken for one offset, and hours that are counted on the
wall. On the days between two changes each of them does what it should.
"""

from __future__ import annotations

from typing import Any

from .bugs_templates import ZONE, schedule
from .seeding import PATCH, Bug, SourceEdit, TemplateEdit, in_rules

_SUMMER, _WINTER = "Etc/GMT-2", "Etc/GMT-1"
"""Berlin's offsets, as zones that have no clock changes: what holds before the change of the lanes of that season."""
_AUTUMN, _SPRING = ("autumn", "autumn-backup"), ("spring", "spring-backup")
_BERLIN = '__import__("zoneinfo").ZoneInfo("Europe/Berlin")'


def _window(new: str) -> TemplateEdit:
    return TemplateEdit(PATCH, ("SsmMaintenanceWindow", "Properties", "ScheduleTimezone"), ZONE, new)


def _function(name: str, new: str) -> Any:
    return schedule(name, "ScheduleExpressionTimezone", old=ZONE, new=new)


CLOCK_BUGS = (
    Bug(
        "gate-in-summer-time",
        "the gate's schedule has the offset of the summer for a time zone",
        "F11",
        (_function("open", _SUMMER),),
        "none",
        ("autumn-backup",),
    ),
    Bug(
        "gate-in-winter-time",
        "the gate's schedule has the offset of the winter for a time zone",
        "F11",
        (_function("open", _WINTER),),
        "none",
        ("spring-backup",),
        unseen="it comes after the window's start and nothing is installed, which the spring's lanes are not asked",
    ),
    Bug(
        "close-in-summer-time",
        "the close's schedule has the offset of the summer for a time zone",
        "F12",
        (_function("close", _SUMMER),),
        "none",
        _AUTUMN,
        unseen="it closes an hour before the window's end, when admission has ended and nothing begins any more",
    ),
    Bug(
        "close-in-winter-time",
        "the close's schedule has the offset of the winter for a time zone",
        "F12",
        (_function("close", _WINTER),),
        "none",
        _SPRING,
        unseen="it closes an hour late: admission ended with the lease, and the next gate is due hours later",
    ),
    Bug(
        "window-in-summer-time",
        "the window has the offset of the summer for a time zone",
        "F12",
        (_window(_SUMMER),),
        "none",
        _AUTUMN,
    ),
    Bug(
        "window-in-winter-time",
        "the window has the offset of the winter for a time zone",
        "F12",
        (_window(_WINTER),),
        "none",
        _SPRING,
    ),
    Bug(
        "window-end-on-the-wall",
        "a window's length is added to its local start: in the night of the change it is an hour more or less",
        "F12",
        (
            in_rules(
                'end = start + timedelta(hours=window["Duration"])',
                f'end = (start.astimezone({_BERLIN}) + timedelta(hours=window["Duration"])).astimezone(UTC)',
            ),
        ),
        "F33,F56,F57",
        ("autumn",),
    ),
    Bug(
        "age-on-the-wall",
        "the age of a backup is the difference of two local times",
        "F11",
        (
            in_rules(
                "<= now - oldest <= maximum_age",
                f"<= now.astimezone({_BERLIN}) - oldest.astimezone({_BERLIN}) <= maximum_age",
                "prove",
            ),
        ),
        "F13",
        _AUTUMN,
    ),
    Bug(
        "look-back-on-the-wall",
        "the look-back is taken off the local time of the gate",
        "F11",
        (
            SourceEdit(
                "open_window",
                'since = scheduled - timedelta(hours=int(self.env["LOOK_BACK_HOURS"]))',
                f'since = scheduled.astimezone({_BERLIN}) - timedelta(hours=int(self.env["LOOK_BACK_HOURS"]))',
            ),
        ),
        "F10",
        ("autumn-backup", "spring-backup"),
    ),
)
