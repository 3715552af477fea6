"""Calendar files: what their events freeze, and a refusal for everything that is not understood."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from patchgate.config.ics import IcsError, parse_events

START, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)


def calendar(*events: str, header: str = "") -> bytes:
    """A calendar with events of these lines, which ``|`` parts."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", *header.split("|")]
    for event in events:
        lines += ["BEGIN:VEVENT", "UID:1", "SUMMARY:s", *event.split("|"), "END:VEVENT"]
    return "".join(f"{line}\r\n" for line in [*lines, "END:VCALENDAR"] if line).encode()


def periods_of(*events: str, zone: str = "Europe/Berlin") -> list[str]:
    return [
        f"{start:%Y-%m-%dT%H:%M} {end:%Y-%m-%dT%H:%M}"
        for event in parse_events(calendar(*events))
        for start, end in event.occurrences(zone, START, UNTIL)
    ]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("DTSTART:20260701T100000Z|DTEND:20260701T120000Z", ["2026-07-01T10:00 2026-07-01T12:00"]),
        ("DTSTART:20260701T100000|DTEND:20260701T120000", ["2026-07-01T08:00 2026-07-01T10:00"]),
        (
            "DTSTART;TZID=America/New_York:20260701T100000|DTEND;TZID=America/New_York:20260701T120000",
            ["2026-07-01T14:00 2026-07-01T16:00"],
        ),
        (
            "DTSTART;TZID=W. Europe Standard Time:20260701T100000|DTEND;TZID=W. Europe Standard Time:20260701T120000",
            ["2026-07-01T08:00 2026-07-01T10:00"],
        ),
        (
            "DTSTART;TZID=Europe/Berlin:20260701T100000|DTEND;TZID=America/New_York:20260701T100000",
            ["2026-07-01T08:00 2026-07-01T14:00"],
        ),
        ("DTSTART:20260701T100000Z|DURATION:PT90M", ["2026-07-01T10:00 2026-07-01T11:30"]),
        ("DTSTART;VALUE=DATE:20260701", ["2026-06-30T22:00 2026-07-01T22:00"]),
        ("DTSTART;VALUE=DATE:20260701|DTEND;VALUE=DATE:20260703", ["2026-06-30T22:00 2026-07-02T22:00"]),
        ("DTSTART:20260701T100000Z|DTEND:20260701T120000Z|TRANSP:TRANSPARENT", ["2026-07-01T10:00 2026-07-01T12:00"]),
        ("DTSTART;VALUE=DATE:20200701", []),
    ],
)
def test_one_event(event: str, expected: list[str]) -> None:
    assert periods_of(event) == expected


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            "DTSTART;VALUE=DATE:20260302|RRULE:FREQ=WEEKLY;COUNT=3",
            [
                "2026-03-01T23:00 2026-03-02T23:00",
                "2026-03-08T23:00 2026-03-09T23:00",
                "2026-03-15T23:00 2026-03-16T23:00",
            ],
        ),
        (
            "DTSTART;TZID=Europe/Berlin:20260324T100000|DURATION:PT1H|RRULE:FREQ=WEEKLY;UNTIL=20260407T080000Z",
            [
                "2026-03-24T09:00 2026-03-24T10:00",
                "2026-03-31T08:00 2026-03-31T09:00",
                "2026-04-07T08:00 2026-04-07T09:00",
            ],
        ),
        (
            "DTSTART;VALUE=DATE:20260302|RRULE:FREQ=WEEKLY;UNTIL=20260316|EXDATE;VALUE=DATE:20260309",
            ["2026-03-01T23:00 2026-03-02T23:00", "2026-03-15T23:00 2026-03-16T23:00"],
        ),
        (
            "DTSTART:20260302T100000Z|DURATION:PT1H|RDATE:20260401T100000Z,20260402T100000Z|EXDATE:20260402T100000Z",
            ["2026-03-02T10:00 2026-03-02T11:00", "2026-04-01T10:00 2026-04-01T11:00"],
        ),
        (
            "DTSTART;TZID=Europe/Berlin:20260302T100000|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=2|EXDATE:20260303T090000Z",
            ["2026-03-02T09:00 2026-03-02T10:00"],
        ),
        (
            "DTSTART;VALUE=DATE:20100101|RRULE:FREQ=YEARLY",
            [
                "2025-12-31T23:00 2026-01-01T23:00",
                "2026-12-31T23:00 2027-01-01T23:00",
                "2027-12-31T23:00 2028-01-01T23:00",
            ],
        ),
    ],
)
def test_recurring_events_keep_their_local_time(event: str, expected: list[str]) -> None:
    assert periods_of(event) == expected


def test_cancelled_events_freeze_nothing() -> None:
    assert periods_of("DTSTART;VALUE=DATE:20260701|STATUS:CANCELLED", "DTSTART;VALUE=DATE:20260801") == [
        "2026-07-31T22:00 2026-08-01T22:00"
    ]


def test_an_event_has_a_name_on_one_line() -> None:
    text = calendar("DTSTART;VALUE=DATE:20260701").replace(b"SUMMARY:s", b"SUMMARY:two\\nlines\\, one")
    (event,) = parse_events(text)
    assert event.summary == "two lines, one"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("DTSTART:garbage", "DTSTART"),
        ("DTEND:20260701T120000Z", "it needs one DTSTART"),
        ("DTSTART:20260701T100000Z", "it has no end"),
        ("DTSTART:20260701T100000Z|DTEND:20260701T090000Z", "it ends before it starts"),
        ("DTSTART:20260701T100000Z|DTEND:20260701T120000", "start and end are not in comparable time zones"),
        ("DTSTART;TZID=Nowhere/Land:20260701T100000|DURATION:PT1H", "time zone 'Nowhere/Land' is not known"),
        ("DTSTART:20260701T100000Z|DURATION:PT1H|RRULE:FREQ=HOURLY", "it recurs more often than daily"),
        ("DTSTART:20260701T100000Z|DURATION:PT1H|RRULE:FREQ=NEVER", "RRULE"),
        ("DTSTART:20260701T100000Z|DURATION:PT1H|RRULE:FREQ=DAILY|RRULE:FREQ=WEEKLY", "two RRULEs are not supported"),
        ("DTSTART:20260701T100000Z|DURATION:PT1H|RECURRENCE-ID:20260701T100000Z", "RECURRENCE-ID is not supported"),
        (
            "DTSTART:20260701T100000Z|DURATION:PT1H|RDATE;VALUE=PERIOD:20260801T020000Z/PT1H",
            "RDATE with periods is not supported",
        ),
        ("DTSTART;TZID=Europe/Berlin:20260701T100000|DURATION:PT1H|EXDATE:20260701T100000", "in another time zone"),
        ("DTSTART;VALUE=DATE:19000101|RRULE:FREQ=DAILY", "recurs more than 20000 times"),
    ],
)
def test_an_event_that_is_not_understood_is_refused(event: str, expected: str) -> None:
    with pytest.raises(IcsError) as refused:
        periods_of(event)
    assert expected in str(refused.value)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", "not one iCalendar object"),
        (b"hello", "not an iCalendar file"),
        (b"\xff\xfe\x00", "not an iCalendar file"),
        (b"BEGIN:VEVENT\nEND:VEVENT\n", "not one iCalendar object"),
        (b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "not"),
        (calendar(), "has no events"),
        (calendar("DTSTART;VALUE=DATE:20260701|STATUS:CANCELLED"), "has no events"),
        (calendar("DTSTART;VALUE=DATE:20260701") * 2, "not one iCalendar object"),
        (
            calendar("DTSTART;VALUE=DATE:20260701", header="X-CALENDAR-TYPE:DEFAULT_CLOSED"),
            "a calendar that is closed by default",
        ),
    ],
)
def test_a_file_of_another_kind_is_refused(text: bytes, expected: str) -> None:
    with pytest.raises(IcsError, match=expected):
        parse_events(text)
