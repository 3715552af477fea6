"""One field of a cron expression: what it may hold, and what it means.

Every parser takes the field's text and returns plain numbers (or day terms), and writes what is wrong to the
``Findings``. What AWS documents nowhere, but Quartz (whose grammar AWS's is) reads, is accepted with a notice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from string import ascii_lowercase, ascii_uppercase
from typing import Final

from patchgate.schedule.errors import Fault, Notice
from patchgate.schedule.months import (
    FIRST_YEAR,
    LAST_YEAR,
    DaysOfMonth,
    DayTerm,
    LastDay,
    LastWeekday,
    NearestWeekday,
    NthWeekday,
    Weekdays,
)

MONTH_NAMES: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAY_NAMES: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

_UPPER: Final = str.maketrans(ascii_lowercase, ascii_uppercase)
"""Of ASCII only: ``str.upper`` makes letters of other scripts A to Z."""
_NUMBER: Final = re.compile(r"[0-9]{1,4}")
_NAME: Final = re.compile(r"[A-Z]{3}")


class Refused(Exception):  # noqa: N818 - never leaves this room: the reason why an item was refused
    """An item of a field that AWS refuses."""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """A field's name and the range, names and rule of its values. ``wraps`` tells whether ranges may, by AWS's word."""

    name: str
    low: int
    high: int
    rule: str
    names: tuple[str, ...] = ()
    wraps: bool = False


SECONDS: Final = FieldSpec("seconds", 0, 59, "seconds are 0-59 with , - * /")
MINUTES: Final = FieldSpec("minutes", 0, 59, "minutes are 0-59 with , - * /")
HOURS: Final = FieldSpec("hours", 0, 23, "hours are 0-23 with , - * /", wraps=True)
DAY_OF_MONTH: Final = FieldSpec("day-of-month", 1, 31, "days of the month are 1-31 with , - * ? / L W")
MONTH: Final = FieldSpec("month", 1, 12, "months are 1-12 or JAN-DEC with , - * /", MONTH_NAMES)
DAY_OF_WEEK: Final = FieldSpec(
    "day-of-week", 1, 7, "days of the week are 1-7 or SUN-SAT, 1 is Sunday, with , - * ? L #", DAY_NAMES
)
YEAR: Final = FieldSpec("year", FIRST_YEAR, LAST_YEAR, f"years are {FIRST_YEAR}-{LAST_YEAR} with , - * /")


@dataclass(slots=True)
class Findings:
    """The faults and notices of an expression, gathered while it is read."""

    faults: list[Fault] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FieldText:
    """A field as it was written: its spec, its text, and the column (from 1) at which it begins."""

    spec: FieldSpec
    text: str
    column: int
    findings: Findings

    def refuse(self, message: str, *, text: str | None = None, offset: int = 0) -> None:
        """Record a fault in the field, or in the item at ``offset``."""
        place = self.text if text is None else text
        fault = Fault(self.spec.name, place, self.column + offset, message, self.spec.rule)
        self.findings.faults.append(fault)

    def note(self, rule: str) -> None:
        """Record that AWS does not document what the field says."""
        self.findings.notices.append(Notice(self.spec.name, self.text, self.column, rule))

    def items(self) -> list[tuple[int, str]]:
        """The comma-separated items with their offsets in the field, in upper case."""
        if re.search("[a-z]", self.text):
            self.note("lower case letters are read as upper case")
        found, offset = [], 0
        for item in self.text.translate(_UPPER).split(","):
            found.append((offset, item))
            offset += len(item) + 1
        return found


def read_values(text: FieldText) -> tuple[int, ...]:
    """The numbers that a plain field (all but the two day fields) matches, ascending."""
    values: set[int] = set()
    for offset, item in text.items():
        try:
            values.update(_plain_item(text, item))
        except Refused as refused:
            text.refuse(str(refused), text=item, offset=offset)
    return tuple(sorted(values))


def read_days_of_month(text: FieldText) -> tuple[DayTerm, ...]:
    """The terms of a day-of-month field that is not ``?``."""
    terms: list[DayTerm] = []
    items = text.items()
    for offset, item in items:
        try:
            terms.append(_day_of_month(text, item))
        except Refused as refused:
            text.refuse(str(refused), text=item, offset=offset)
    if len(items) > 1 and any("L" in item or "W" in item for _, item in items):
        text.note("L and W within a list: every item counts")
    return tuple(terms)


def read_days_of_week(text: FieldText) -> tuple[DayTerm, ...]:
    """The terms of a day-of-week field that is not ``?``."""
    items = text.items()
    if len(items) > 1 and "#" in text.text:
        text.refuse("with # the field takes one expression only, not a list")
        return ()
    terms: list[DayTerm] = []
    for offset, item in items:
        try:
            terms.append(_day_of_week(text, item))
        except Refused as refused:
            text.refuse(str(refused), text=item, offset=offset)
    if len(items) > 1 and any(re.fullmatch("([1-7]|[A-Z]{3})?L", item) for _, item in items):
        text.note("L within a list: every item counts")
    return tuple(terms)


def _day_of_month(text: FieldText, item: str) -> DayTerm:
    if item == "L":
        return LastDay()
    if item in ("LW", "WL"):
        text.note("LW is the last Monday to Friday of the month")
        return NearestWeekday(0)
    if match := re.fullmatch(r"L-([0-9]{1,2})", item):
        back = int(match[1])
        if not 1 <= back <= 30:
            raise Refused(f"L-{back} reaches out of every month")
        text.note(f"{item} is {back} days before the last day of the month")
        return LastDay(back)
    if match := re.fullmatch(r"([0-9]{1,2})W", item):
        day = _number(text.spec, match[1])
        if day == 1 or day >= 28:
            text.note(f"{item} stays within the month, and does not occur in a month without a day {day}")
        return NearestWeekday(day)
    if "W" in item:
        raise Refused("W goes behind one day, as in 15W")
    if "L" in item:
        raise Refused("L stands alone, for the last day of the month")
    return DaysOfMonth(tuple(sorted(_plain_item(text, item))))


def _day_of_week(text: FieldText, item: str) -> DayTerm:
    if item == "L":
        return Weekdays((6,))
    if match := re.fullmatch(r"([0-9]|[A-Z]{3})#([0-9])", item):
        weekday, ordinal = _number(text.spec, match[1]) - 1, int(match[2])
        if ordinal == 0:
            raise Refused("# counts from 1, as in TUE#2")
        if ordinal > 5:
            text.note(f"no month has a weekday number {ordinal}: it never occurs")
        return NthWeekday(weekday, ordinal)
    if "#" in item:
        raise Refused("# goes between a weekday and its number in the month, as in TUE#2")
    if match := re.fullmatch(r"([0-9]|[A-Z]{3})L", item):
        weekday = _number(text.spec, match[1])
        if match[1].isalpha():
            text.note(f"{item} is the month's last such day, as {weekday}L is")
        return LastWeekday(weekday - 1)
    if "/" in item:
        text.note("increments in the day-of-week field count on from the first day, up to Saturday")
    return Weekdays(tuple(sorted(value - 1 for value in _plain_item(text, item))))


def _plain_item(text: FieldText, item: str) -> list[int]:
    """The numbers of ``*``, ``5``, ``5-10``, ``5/15``, ``*/15`` or ``5-50/15``. Raises Refused."""
    spec = text.spec
    base, slash, step_text = item.partition("/")
    step = _step(text, step_text) if slash else 1
    if base == "*":
        return list(range(spec.low, spec.high + 1, step))
    first_text, dash, last_text = base.partition("-")
    first = _number(spec, first_text)
    if not dash:
        return list(range(first, spec.high + 1, step)) if slash else [first]
    last = _number(spec, last_text)
    if slash:
        text.note("an increment within a range counts from the range's start to its end")
    if first <= last:
        return list(range(first, last + 1, step))
    if spec is YEAR:
        raise Refused(f"the range ends before it begins: {base}")
    if not spec.wraps:
        text.note(f"the range {base} wraps around the end of the field")
    size = spec.high - spec.low + 1
    return [spec.low + (value - spec.low) % size for value in range(first, last + size + 1, step)]


def _step(text: FieldText, digits: str) -> int:
    if not _NUMBER.fullmatch(digits) or int(digits) == 0:
        raise Refused(f"the increment behind / must be a whole number from 1, not {digits or 'nothing'}")
    step = int(digits)
    if step > text.spec.high - text.spec.low:
        text.note(f"an increment of {step} is more than the field holds: only the first value occurs")
    return step


def _number(spec: FieldSpec, written: str) -> int:
    """A number or name of the field. Raises Refused."""
    if spec.names and _NAME.fullmatch(written):
        if written not in spec.names:
            raise Refused(f"{written} is not one of {', '.join(spec.names)}")
        return spec.names.index(written) + 1
    if written == "?":
        raise Refused("? stands alone, in one of the two day fields only")
    if not _NUMBER.fullmatch(written) or len(written) > (4 if spec is YEAR else 2):
        raise Refused(f"{written!r} is not a value" if written else "a value is missing")
    value = int(written)
    if not spec.low <= value <= spec.high:
        raise Refused(f"{value} is outside {spec.low}-{spec.high}")
    return value
