"""Calendars that are read back: by RFC 5545's rules, and by the embedded Change Calendar."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from patchgate.emulator.ssm_calendar import parse_calendar
from patchgate.operations.calendar import Entry
from patchgate.report.calendar import (
    escape_text,
    fold_line,
    render_calendar_ics,
    render_calendar_json,
    render_calendar_text,
)

STAMP = datetime(2026, 7, 1, tzinfo=UTC)
BEGIN = datetime(2026, 7, 4, 21, tzinfo=UTC)
LANE = "payments/eu-central-1/ubuntu/prd"
WINDOW = Entry(BEGIN, BEGIN + timedelta(hours=3), LANE, "window", "Europe/Berlin", "cron(0 23 ? * 7 *)")
DECISION = BEGIN - timedelta(minutes=30)
GATE = Entry(DECISION, DECISION, LANE, "gate", "Europe/Berlin", "cron(30 22 ? * 7 *)")


def read_events(text: str) -> list[dict[str, str]]:
    """An iCalendar text's events: unfolded, each property's value unescaped."""
    assert text.endswith("END:VCALENDAR\r\n")
    assert "\n" not in text.replace("\r\n", "")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    events: list[dict[str, str]] = []
    for line in text.replace("\r\n ", "").split("\r\n"):
        name, _, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            events.append({})
        elif events:
            events[-1].setdefault(name, unescape(value))
    return events


def unescape(value: str) -> str:
    """A TEXT value as it was before ``escape_text``."""
    plain, rest = "", iter(value)
    for character in rest:
        if character == "\\":
            following = next(rest)
            plain += "\n" if following in "nN" else following
        else:
            plain += character
    return plain


def test_an_event_says_when_what_and_where() -> None:
    window, gate = read_events(render_calendar_ics([WINDOW, GATE], STAMP))
    assert (window["DTSTART"], window["DTEND"]) == ("20260704T210000Z", "20260705T000000Z")
    assert window["DTSTAMP"] == "20260701T000000Z"
    assert window["SUMMARY"] == "payments/eu-central-1/ubuntu/prd: patch window"
    assert window["DESCRIPTION"] == ("cron(0 23 ? * 7 *), Europe/Berlin: Sat 2026-07-04 23:00 to Sun 02:00 local time")
    assert gate["DTEND"] == "20260704T203100Z"
    assert window["UID"] != gate["UID"]


def test_a_schedule_offset_is_told() -> None:
    later = replace(WINDOW, expression="cron(0 23 ? * TUE#1 *)", offset_days=4)
    (event,) = read_events(render_calendar_ics([later], STAMP))
    assert event["DESCRIPTION"].startswith("cron(0 23 ? * TUE#1 *) with ScheduleOffset 4, Europe/Berlin: Sat")
    (entry,) = json.loads(render_calendar_json([later], STAMP, STAMP + timedelta(days=7)))["entries"]
    assert entry["offset_days"] == 4


def test_another_reader_of_icalendar_finds_the_same() -> None:
    calendar = Calendar.from_ical(render_calendar_ics([GATE, WINDOW], STAMP))
    assert calendar.errors == []
    assert (calendar["VERSION"], "PRODID" in calendar) == ("2.0", True)
    gate, window = calendar.events
    assert gate.errors == window.errors == []
    assert (window.start, window.end) == (WINDOW.start, WINDOW.end)
    assert (gate.start, gate.end - gate.start) == (GATE.start, timedelta(minutes=1))
    assert window["SUMMARY"] == "payments/eu-central-1/ubuntu/prd: patch window"
    assert all(event["UID"] and event.DTSTAMP == STAMP for event in calendar.events)


def test_an_entry_keeps_its_identifier_from_one_export_to_the_next() -> None:
    first = read_events(render_calendar_ics([WINDOW], STAMP))
    second = read_events(render_calendar_ics([WINDOW], STAMP + timedelta(days=9)))
    assert first[0]["UID"] == second[0]["UID"]


def test_change_calendar_reads_the_events_and_is_open_but_for_them() -> None:
    calendar = parse_calendar(render_calendar_ics([GATE, WINDOW], STAMP))
    assert calendar.default == "OPEN"
    assert (WINDOW.start, WINDOW.end) in calendar.events
    assert calendar.state(BEGIN)[0] == "CLOSED"
    assert calendar.state(WINDOW.end)[0] == "OPEN"


def test_names_with_every_special_character_survive() -> None:
    name = 'a;b,c\\d:"e"/eu-central-1/ubuntu/prd ' + "ü" * 80 + "\U0001f600"
    entry = Entry(WINDOW.start, WINDOW.end, name, "window", "Europe/Berlin", "cron(0 23 ? * 7 *)")
    (event,) = read_events(render_calendar_ics([entry], STAMP))
    assert event["SUMMARY"] == f"{name}: patch window"


def test_a_name_cannot_forge_a_property() -> None:
    entry = Entry(WINDOW.start, WINDOW.end, "x\r\nEND:VEVENT\nATTACH:evil", "window", "UTC", "cron(0 23 ? * 7 *)")
    (event,) = read_events(render_calendar_ics([entry], STAMP))
    assert "ATTACH" not in event
    assert event["SUMMARY"] == "x\nEND:VEVENT\nATTACH:evil: patch window"


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"))))
def test_escaped_text_reads_back(text: str) -> None:
    assert unescape(escape_text(text)) == text


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=400))
def test_folded_lines_are_short_and_read_back(text: str) -> None:
    folded = list(fold_line(text))
    assert all(len(line.encode()) <= 75 for line in folded)
    assert all(line.startswith(" ") for line in folded[1:])
    assert folded[0] + "".join(line[1:] for line in folded[1:]) == text


def test_an_empty_calendar_is_a_calendar() -> None:
    assert read_events(render_calendar_ics([], STAMP)) == []
    assert render_calendar_text([], color=False, ascii_only=True) == "Nothing runs in that time.\n"


def test_the_table_shows_local_time_and_utc() -> None:
    text = render_calendar_text([GATE, WINDOW], color=False, ascii_only=True).splitlines()
    assert text[1].startswith("Sat 2026-07-04 22:30 ")
    assert "2026-07-04T20:30Z" in text[1]
    assert text[2].startswith("Sat 2026-07-04 23:00 to Sun 02:00 ")
    assert text[2].endswith("Europe/Berlin")


def test_json_holds_every_entry() -> None:
    value = json.loads(render_calendar_json([WINDOW], STAMP, STAMP + timedelta(days=7)))
    assert value["entries"] == [
        {
            "lane": WINDOW.lane,
            "kind": "window",
            "start": "2026-07-04T21:00:00+00:00",
            "end": "2026-07-05T00:00:00+00:00",
            "zone": "Europe/Berlin",
            "expression": "cron(0 23 ? * 7 *)",
            "offset_days": 0,
            "uncertain": False,
        }
    ]
