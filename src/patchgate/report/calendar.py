"""The calendar of lanes as a table, as JSON and as iCalendar.

iCalendar: RFC 5545, https://www.rfc-editor.org/rfc/rfc5545. All times are UTC, so that no time zone has to be told. SSM
Change Calendar imports such files, 64 KB in all at most:
https://docs.aws.amazon.com/systems-manager/latest/userguide/third-party-events.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from patchgate import __version__
from patchgate.operations.calendar import Entry
from patchgate.report.screen import Line, Piece, Role, columns, draw, fit, one_line
from patchgate.schedule.ambiguity import wall_clock

CHANGE_CALENDAR_BYTES = 64 * 1024
_FOLD_OCTETS = 75
_ROLES: dict[str, Role] = {"backup": "backup", "gate": "open", "window": "install", "close": "close"}
_WORDS = {"backup": "backups", "gate": "gate decides", "window": "patch window", "close": "window is closed"}
_MOMENT = timedelta(minutes=1)


def render_calendar_text(entries: Sequence[Entry], *, color: bool, ascii_only: bool) -> str:
    """A row for every entry: local start and end, what, lane; a line of its own for every local day."""
    return draw(_rows(entries), color=color, ascii_only=ascii_only)


def _rows(entries: Sequence[Entry]) -> Iterator[Line]:
    if not entries:
        yield (Piece("Nothing runs in that time."),)
        return
    lane = max(columns(one_line(entry.lane)) for entry in entries)
    yield (Piece(f"{'local time':<33}  {'what':<6}  {'UTC':<17}  {fit('lane', lane)}  zone", "dim"),)
    for entry in entries:
        yield (
            Piece(f"{_span(entry):<33}  "),
            Piece(f"{entry.kind:<6}  ", _ROLES[entry.kind]),
            Piece(f"{entry.start:%Y-%m-%dT%H:%MZ}  ", "dim"),
            Piece(fit(one_line(entry.lane), lane)),
            Piece(f"  {entry.zone}{', AWS does not document this clock change' if entry.uncertain else ''}", "dim"),
        )


def _span(entry: Entry) -> str:
    start, end = wall_clock(entry.start, entry.zone), wall_clock(entry.end, entry.zone)
    if entry.end == entry.start:
        return f"{start:%a %Y-%m-%d %H:%M}"
    return f"{start:%a %Y-%m-%d %H:%M} to " + (f"{end:%H:%M}" if end.date() == start.date() else f"{end:%a %H:%M}")


def render_calendar_json(entries: Sequence[Entry], start: datetime, until: datetime) -> str:
    """The entries as one JSON object; times are UTC."""
    value = {
        "schema": 1,
        "start": start.isoformat(),
        "until": until.isoformat(),
        "entries": [
            {
                "lane": entry.lane,
                "kind": entry.kind,
                "start": entry.start.isoformat(),
                "end": entry.end.isoformat(),
                "zone": entry.zone,
                "expression": entry.expression,
                "offset_days": entry.offset_days,
                "uncertain": entry.uncertain,
            }
            for entry in entries
        ],
    }
    return json.dumps(value, indent=2, sort_keys=True) + "\n"


def render_calendar_ics(entries: Sequence[Entry], stamp: datetime) -> str:
    """The entries as an iCalendar object, each an event; ``stamp`` (aware) is when it was made.

    An entry keeps its UID from one export to the next, so that importing again changes and does not double. Gates and
    closes take a minute. X-CALENDAR-TYPE is Change Calendar's own: other changes are barred during the events.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:-//patchgate//patchgate {__version__}//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "X-CALENDAR-TYPE:DEFAULT_OPEN",
        "X-WR-CALNAME:patchgate",
    ]
    for entry in entries:
        lines += _event(entry, stamp)
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in fold_line(line))


def _event(entry: Entry, stamp: datetime) -> Iterator[str]:
    start, end = wall_clock(entry.start, entry.zone), wall_clock(entry.end, entry.zone)
    offset = f" with ScheduleOffset {entry.offset_days}" if entry.offset_days else ""
    description = f"{entry.expression}{offset}, {entry.zone}: {start:%a %Y-%m-%d %H:%M} to {end:%a %H:%M} local time"
    if entry.uncertain:
        description += ". AWS does not document what happens at this clock change."
    yield "BEGIN:VEVENT"
    yield f"UID:{_identifier(entry)}"
    yield f"DTSTAMP:{_utc(stamp)}"
    yield f"DTSTART:{_utc(entry.start)}"
    yield f"DTEND:{_utc(max(entry.end, entry.start + _MOMENT))}"
    yield f"SUMMARY:{escape_text(f'{entry.lane}: {_WORDS[entry.kind]}')}"
    yield f"DESCRIPTION:{escape_text(description)}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def escape_text(text: str) -> str:
    """A TEXT value (RFC 5545, 3.3.11): backslash, semicolon, comma and line ends escaped, other controls left out."""
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\n", "\\n"), ("\r", "\\n")):
        text = text.replace(plain, escaped)
    return "".join(character for character in text if character == "\t" or (character >= " " and character != "\x7f"))


def fold_line(line: str) -> Iterator[str]:
    """A content line folded (RFC 5545, 3.1): at most 75 octets of UTF-8 each, never within a character."""
    folded, room = "", _FOLD_OCTETS
    for character in line:
        octets = len(character.encode())
        if octets > room:
            yield folded
            folded, room = " ", _FOLD_OCTETS - 1
        folded += character
        room -= octets
    yield folded


def _identifier(entry: Entry) -> str:
    key = f"{entry.lane}|{entry.kind}|{_utc(entry.start)}"
    return f"{sha256(key.encode()).hexdigest()[:32]}@patchgate"


def _utc(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y%m%dT%H%M%SZ}"
