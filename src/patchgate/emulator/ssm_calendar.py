"""Change Calendar documents: the part of iCalendar that says when a calendar is open or closed.

https://docs.aws.amazon.com/systems-manager/latest/userguide/change-calendar-create.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.schedule import ScheduleError
from patchgate.schedule.zones import load_zone

State = Literal["OPEN", "CLOSED"]
_STAMP = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?")
_IGNORED = frozenset(
    {"UID", "DTSTAMP", "SUMMARY", "DESCRIPTION", "STATUS", "SEQUENCE", "CREATED", "LAST-MODIFIED", "TRANSP"}
)
_HEADER = frozenset({"PRODID", "VERSION", "CALSCALE", "METHOD", "X-CALENDAR-TYPE", "X-WR-CALDESC", "X-WR-CALNAME"})


@dataclass(frozen=True, slots=True)
class Calendar:
    """``events`` are half-open intervals of instants, sorted; they are the exception to the calendar's default."""

    default: State
    events: tuple[tuple[datetime, datetime], ...]

    def state(self, at: datetime) -> tuple[State, datetime | None]:
        """The state at ``at`` and the instant of the next change, None when there is none."""
        exception: State = "CLOSED" if self.default == "OPEN" else "OPEN"
        inside = any(start <= at < end for start, end in self.events)
        changes = sorted({edge for event in self.events for edge in event if edge > at})
        for edge in changes:
            if any(start <= edge < end for start, end in self.events) != inside:
                return (exception if inside else self.default), edge
        return (exception if inside else self.default), None


def parse_calendar(text: str) -> Calendar:
    """Read a Change Calendar document.

    Raises AwsError InvalidDocumentContent when it is not one, NotEmulatedError for what would change its meaning and
    is not implemented (RRULE, time zones given as VTIMEZONE blocks that are not IANA names, ...).
    """
    lines = [line for line in re.sub(r"\r?\n[ \t]", "", text).replace("\r\n", "\n").split("\n") if line.strip()]
    if not lines or lines[0].strip() != "BEGIN:VCALENDAR" or lines[-1].strip() != "END:VCALENDAR":
        raise _malformed("a calendar begins with BEGIN:VCALENDAR and ends with END:VCALENDAR")
    default: State | None = None
    events: list[tuple[datetime, datetime]] = []
    event: dict[str, datetime] | None = None
    for line in lines[1:-1]:
        name, arguments, value = _property(line)
        if name in ("BEGIN", "END"):
            if value != "VEVENT":
                raise NotEmulatedError(f"a Change Calendar with {value}")
            if name == "END":
                events.append(_interval(event))
            event = {} if name == "BEGIN" else None
        elif event is not None:
            if name in ("DTSTART", "DTEND"):
                event[name] = _instant(value, arguments)
            elif name not in _IGNORED:
                raise NotEmulatedError(f"a Change Calendar event with {name}")
        elif name == "X-CALENDAR-TYPE":
            default = _default(value)
        elif name not in _HEADER:
            raise NotEmulatedError(f"a Change Calendar with {name}")
    if default is None:
        raise _malformed("X-CALENDAR-TYPE is missing")
    return Calendar(default, tuple(sorted(events)))


def _malformed(why: str) -> AwsError:
    return AwsError("InvalidDocumentContent", f"The Change Calendar is not valid: {why}.")


def _property(line: str) -> tuple[str, str, str]:
    head, colon, value = line.partition(":")
    name, _, arguments = head.partition(";")
    if not colon or not name:
        raise _malformed(f"{line!r} is not a property")
    return name.strip().upper(), arguments, value.strip()


def _default(value: str) -> State:
    if value not in ("DEFAULT_OPEN", "DEFAULT_CLOSED"):
        raise _malformed(f"X-CALENDAR-TYPE is {value!r}")
    return "OPEN" if value == "DEFAULT_OPEN" else "CLOSED"


def _interval(event: dict[str, datetime] | None) -> tuple[datetime, datetime]:
    if event is None or set(event) != {"DTSTART", "DTEND"} or event["DTSTART"] >= event["DTEND"]:
        raise _malformed("an event needs DTSTART before DTEND")
    return event["DTSTART"], event["DTEND"]


def _instant(value: str, arguments: str) -> datetime:
    match = _STAMP.fullmatch(value)
    if not match:
        raise _malformed(f"{value!r} is not a date and time")
    day, clock, utc = match.groups()
    try:
        local = datetime.strptime(day + (clock or "000000"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise _malformed(f"{value!r} is not a date and time") from None
    zone = next((item[5:] for item in arguments.split(";") if item.upper().startswith("TZID=")), "")
    if utc or not zone:
        return local
    try:
        instants = load_zone(zone).instants(int(local.timestamp()))
    except ScheduleError:
        raise NotEmulatedError(f"a Change Calendar in the time zone {zone!r}") from None
    if not instants:
        raise NotEmulatedError(f"a Change Calendar at {value}, which {zone} skips")
    return datetime.fromtimestamp(instants[0], UTC)
