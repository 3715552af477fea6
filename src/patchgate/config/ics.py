"""Events of a calendar file (RFC 5545), read strictly: what is not understood is refused, because it may be a freeze.

https://www.rfc-editor.org/rfc/rfc5545. The ``icalendar`` library reads the text, ``dateutil`` counts its recurrences;
both are loaded only when a fleet file names such a file. Local times become instants with the program's own time zones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from patchgate.config.local_time import earliest_instant, latest_instant
from patchgate.errors import InputError
from patchgate.schedule import ScheduleError
from patchgate.schedule.zones import load_zone

_FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY")
_MOST_OCCURRENCES = 20_000
_DAY = timedelta(days=1)


class IcsError(InputError):
    """Why a calendar file cannot be used; ``remedy`` says what to do about it."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One event: wall-clock start and length, in ``zone`` (an IANA name; '' is the local time of whoever asks).

    ``rule`` is an RRULE, or ''; ``added`` and ``removed`` are further starts and exceptions, on the same wall clock.
    """

    summary: str
    start: datetime
    length: timedelta
    zone: str
    rule: str = ""
    added: tuple[datetime, ...] = ()
    removed: frozenset[datetime] = frozenset()

    def occurrences(self, zone: str, start: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
        """(start, end), aware UTC, of every occurrence that touches the time from ``start`` to ``until``.

        ``zone`` is for events that name none. Where a clock change leaves a local time open, the longer reading.
        """
        own = self.zone or zone
        first = start.astimezone(UTC).replace(tzinfo=None) - self.length - 2 * _DAY
        last = until.astimezone(UTC).replace(tzinfo=None) + 2 * _DAY
        for wall in self._walls(first, last):
            begin, end = earliest_instant(wall, own), latest_instant(wall + self.length, own)
            if begin < until and end > start:
                yield begin, end

    def _walls(self, first: datetime, last: datetime) -> list[datetime]:
        found = {self.start, *self.added}
        if self.rule:
            found.update(_recurrences(self.rule, self.start, first, last))
        return sorted(wall for wall in found - self.removed if first <= wall <= last)


CalendarEvents = tuple[CalendarEvent, ...]


def parse_events(text: bytes) -> CalendarEvents:
    """Every event of the text, without those that are cancelled. IcsError for what cannot be used as a freeze."""
    from icalendar import Calendar  # noqa: PLC0415 - most fleet files name no calendar file

    try:
        calendars = Calendar.from_ical(text, multiple=True)
    except (ValueError, IndexError, KeyError) as error:
        said = " ".join(str(error).split())
        raise IcsError(f"not an iCalendar file: {said}"[:200], "export it as .ics (RFC 5545)") from None
    if len(calendars) != 1 or calendars[0].name != "VCALENDAR":
        raise IcsError("not one iCalendar object", "export one calendar as .ics (RFC 5545)")
    calendar: Any = calendars[0]
    if str(calendar.get("X-CALENDAR-TYPE", "DEFAULT_OPEN")) != "DEFAULT_OPEN":
        raise IcsError("a calendar that is closed by default", "events of a freeze calendar are the frozen times")
    events = calendar.walk("VEVENT")
    found = tuple(event for each in events if (event := _event(each)) is not None)
    if not found:
        raise IcsError("has no events", "leave the freeze out, or export the calendar again")
    return found


def _event(component: Any) -> CalendarEvent | None:
    summary = " ".join(str(component.get("SUMMARY", "")).split()) or "an event without a summary"
    where = f"event '{summary[:60]}'"
    if component.errors:
        name, said = component.errors[0]
        raise IcsError(f"{where}: {name}: {said}", "repair the event")
    if str(component.get("STATUS", "")).upper() == "CANCELLED":
        return None
    for unsupported in ("RECURRENCE-ID", "EXRULE"):
        if unsupported in component:
            raise IcsError(
                f"{where}: {unsupported} is not supported", "make the changed occurrence an event of its own"
            )
    if "DTSTART" not in component or isinstance(component["DTSTART"], list):
        raise IcsError(f"{where}: it needs one DTSTART")
    start, zone = _wall(component["DTSTART"], where)
    length = _length(component, start, zone, where)
    if length <= timedelta():
        raise IcsError(f"{where}: it ends before it starts")
    event = CalendarEvent(
        summary,
        start,
        length,
        zone,
        _rule(component, zone, where),
        tuple(_listed(component, "RDATE", start, zone, where)),
        frozenset(_listed(component, "EXDATE", start, zone, where)),
    )
    if event.rule:
        _recurrences(event.rule, start, start, start + _DAY)
    return event


def _length(component: Any, start: datetime, zone: str, where: str) -> timedelta:
    if "DTEND" in component:
        end, its_zone = _wall(component["DTEND"], where)
        if its_zone != zone:
            if not (its_zone and zone):
                raise IcsError(f"{where}: start and end are not in comparable time zones")
            return latest_instant(end, its_zone) - earliest_instant(start, zone)
        return end - start
    if "DURATION" in component:
        length = component["DURATION"].dt
        if not isinstance(length, timedelta):
            raise IcsError(f"{where}: DURATION is no duration")
        return length
    if isinstance(component["DTSTART"].dt, datetime):
        raise IcsError(f"{where}: it has no end", "give it DTEND or DURATION")
    return _DAY


def _wall(value: Any, where: str) -> tuple[datetime, str]:
    """(wall-clock time, zone) of a date or a time; a date is its midnight, in no zone."""
    said = value.dt
    if isinstance(said, datetime):
        return said.replace(tzinfo=None), _zone(value, said, where)
    if isinstance(said, date):
        return datetime.combine(said, time()), ""
    raise IcsError(f"{where}: '{said}' is not a date or a time")


def _zone(value: Any, said: datetime, where: str) -> str:
    named = str(value.params.get("TZID", "")) if hasattr(value, "params") else ""
    if said.tzinfo is None:
        if named:
            raise IcsError(f"{where}: time zone '{named}' is not known", "use an IANA time zone, such as Europe/Berlin")
        return ""
    key = getattr(said.tzinfo, "key", "")
    try:
        load_zone(key)
    except ScheduleError:
        raise IcsError(
            f"{where}: time zone '{named or said.tzname()}' is not one of the IANA database",
            "use an IANA time zone, such as Europe/Berlin",
        ) from None
    return str(key)


def _listed(component: Any, name: str, start: datetime, zone: str, where: str) -> Iterator[datetime]:
    given = component.get(name, [])
    for group in given if isinstance(given, list) else [given]:
        for each in group.dts:
            if isinstance(each.dt, tuple):
                raise IcsError(f"{where}: {name} with periods is not supported", "make them events of their own")
            wall, its_zone = _wall(each, where)
            if not isinstance(each.dt, datetime):
                wall = datetime.combine(wall.date(), start.time())
            elif its_zone != zone:
                if not (its_zone and zone):
                    raise IcsError(f"{where}: {name} is in another time zone than the event")
                wall = _shown(earliest_instant(wall, its_zone), zone)
            yield wall


def _rule(component: Any, zone: str, where: str) -> str:
    if "RRULE" not in component:
        return ""
    rule = component["RRULE"]
    if isinstance(rule, list):
        raise IcsError(f"{where}: two RRULEs are not supported", "make them two events")
    if str(rule["FREQ"][0]).upper() not in _FREQUENCIES:
        raise IcsError(f"{where}: it recurs more often than daily", "make it one longer event")
    rule = dict(rule)
    if "UNTIL" in rule:
        until = rule["UNTIL"][0]
        if not isinstance(until, datetime):
            until = datetime.combine(until, time(23, 59, 59))
        elif until.tzinfo is not None:
            until = _shown(until.astimezone(UTC), zone) if zone else until.replace(tzinfo=None)
        rule["UNTIL"] = [until]
    from icalendar import vRecur  # noqa: PLC0415

    written: bytes = vRecur(rule).to_ical()  # type: ignore[no-untyped-call]
    return written.decode()


def _recurrences(rule: str, begin: datetime, first: datetime, last: datetime) -> list[datetime]:
    """The starts of a rule from ``first`` to ``last``, by the wall clock."""
    from dateutil.rrule import rrulestr  # noqa: PLC0415

    try:
        recurrence = rrulestr(rule, dtstart=begin)
    except (ValueError, TypeError, KeyError) as error:
        raise IcsError(f"RRULE {rule}: {error}", "repair the event") from None
    found: list[datetime] = []
    for number, wall in enumerate(recurrence):
        if wall > last:
            break
        if number > _MOST_OCCURRENCES:
            raise IcsError(f"RRULE {rule} recurs more than {_MOST_OCCURRENCES} times", "let it begin later")
        if wall >= first:
            found.append(wall)
    return found


def _shown(instant: datetime, zone: str) -> datetime:
    """What the wall clock of a zone shows at an instant."""
    offset = load_zone(zone).offset_at(int(instant.timestamp()))
    return instant.astimezone(UTC).replace(tzinfo=None) + timedelta(seconds=offset)
