"""Reads a schedule expression of one of the four dialects."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import Final

from patchgate.schedule.cron import CronFields, CronSchedule, fires_within
from patchgate.schedule.dialects import DIALECTS, RULES, Dialect, DialectRules, describe_kind
from patchgate.schedule.errors import Fault, Notice, ScheduleError
from patchgate.schedule.fields import (
    DAY_OF_MONTH,
    DAY_OF_WEEK,
    HOURS,
    MINUTES,
    MONTH,
    SECONDS,
    YEAR,
    FieldSpec,
    FieldText,
    Findings,
    read_days_of_month,
    read_days_of_week,
    read_values,
)
from patchgate.schedule.fixed import AtSchedule, RateSchedule
from patchgate.schedule.months import FIRST_YEAR, LAST_YEAR, DayTerm
from patchgate.schedule.occurrences import Schedule, to_epoch

_WRAPPED: Final = re.compile(r"(cron|rate|at)\((.*)\)", re.DOTALL)
_WHITESPACE: Final = " \t\n\r\f\v"
_ORDER: Final = (MINUTES, HOURS, DAY_OF_MONTH, MONTH, DAY_OF_WEEK, YEAR)
_UNIT_SECONDS: Final = {"minute": 60, "hour": 3600, "day": 86_400}


def parse(expression: str, dialect: Dialect) -> Schedule:
    """Read an expression as the service of ``dialect`` does.

    Raises ScheduleError with everything that the service refuses. What AWS does not document is accepted where Quartz
    reads it, and listed in the schedule's ``undocumented``. Raises ValueError for an unknown dialect.
    """
    return _parse(expression, dialect)


@lru_cache(maxsize=1024)
def _parse(expression: str, dialect: Dialect) -> Schedule:
    if dialect not in DIALECTS:
        raise ValueError(f"unknown dialect {dialect!r}: one of {', '.join(DIALECTS)}")
    rules = RULES[dialect]
    if rules.maximum_length and len(expression) > rules.maximum_length:
        message = f"{len(expression)} characters long"
        raise _whole(expression, message, f"{rules.service}: at most {rules.maximum_length} characters")
    match = _WRAPPED.fullmatch(expression)
    if match is None:
        if rules.bare_fields and len(expression.split()) == 6 and "(" not in expression:
            rule = "AWS Backup's API reference shows expressions without cron(...), every other page with it"
            note = Notice("expression", expression, 1, rule)
            return _cron(expression, dialect, expression, 1, note)
        raise _whole(expression, "not of a known form", _forms(rules))
    kind, body = match[1], match[2]
    if kind not in rules.kinds:
        raise _whole(expression, f"{describe_kind(kind)} expression", _forms(rules))
    if kind == "cron":
        return _cron(expression, dialect, body, len(kind) + 2)
    if kind == "rate":
        return _rate(expression, dialect, body)
    return _at(expression, dialect, body)


def _cron(expression: str, dialect: Dialect, body: str, column: int, *notices: Notice) -> Schedule:
    rules = RULES[dialect]
    findings = Findings(notices=list(notices))
    words = [(found.start() + column, found[0]) for found in re.finditer(f"[^{_WHITESPACE}]+", body)]
    if body != body.strip(_WHITESPACE):
        findings.notices.append(Notice("expression", body, column, "white space around the fields is ignored"))
    if len(words) not in rules.field_counts:
        counts = " or ".join(map(str, sorted(rules.field_counts)))
        rule = f"{rules.service}: {counts} fields, {_field_names(rules)}"
        raise _whole(expression, f"{len(words)} fields", rule)
    if len(words) == 5:
        rule = "AWS's pages differ on whether the year may be left out: every year"
        findings.notices.append(Notice("year", body, column, rule))
    specs: tuple[FieldSpec, ...] = (SECONDS, *_ORDER) if len(words) == 7 else _ORDER
    texts = {
        spec.name: FieldText(spec, word, place, findings) for spec, (place, word) in zip(specs, words, strict=False)
    }
    fields = _read_fields(texts)
    if findings.faults:
        raise ScheduleError(expression, *findings.faults)
    if fires_within(fields, rules.minimum_gap_seconds):
        minutes = rules.minimum_gap_seconds // 60
        rule = f"{rules.service}: cron expressions may not run more often than every {minutes} minutes"
        raise _whole(expression, "it would run too often", rule)
    findings.notices += _reported_gap(fields, rules, body, column)
    return CronSchedule(expression, dialect, tuple(findings.notices), fields)


def _reported_gap(fields: CronFields, rules: DialectRules, body: str, column: int) -> list[Notice]:
    if not fires_within(fields, rules.reported_gap_seconds):
        return []
    minutes = rules.reported_gap_seconds // 60
    rule = (
        f"{rules.service}: runs less than {minutes} minutes apart are reported to be refused; AWS does not document it"
    )
    return [Notice("expression", body, column, rule)]


def _read_fields(texts: dict[str, FieldText]) -> CronFields:
    """All fields; when faults were found the result means nothing."""
    day, weekday = texts[DAY_OF_MONTH.name], texts[DAY_OF_WEEK.name]
    if (day.text == "?") == (weekday.text == "?"):
        state = "both are ?" if day.text == "?" else "neither is ?"
        weekday.refuse(f"exactly one of day-of-month and day-of-week must be ?, and {state}")
        terms: tuple[DayTerm, ...] = ()
    else:
        terms = read_days_of_week(weekday) if day.text == "?" else read_days_of_month(day)
    seconds: tuple[int, ...] = (0,)
    if SECONDS.name in texts:
        seconds = read_values(texts[SECONDS.name])
        if 0 in seconds:
            rule = "AWS's page says that zero is not supported here, and its older examples use it: it is read as zero"
            texts[SECONDS.name].note(rule)
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    return CronFields(
        seconds=seconds,
        minutes=read_values(texts[MINUTES.name]),
        hours=read_values(texts[HOURS.name]),
        days=terms,
        months=read_values(texts[MONTH.name]),
        years=read_values(texts[YEAR.name]) if YEAR.name in texts else tuple(years),
    )


def _rate(expression: str, dialect: Dialect, body: str) -> Schedule:
    rules = RULES[dialect]
    rule = "a rate is a whole number from 1 and one of minute(s), hour(s), day(s): rate(7 days)"
    match = re.fullmatch(f"([0-9]+)[{_WHITESPACE}]+(minute|hour|day)(s?)", body)
    if match is None or int(match[1]) == 0:
        raise ScheduleError(expression, Fault("rate", body, 6, f"{body!r} is not a rate", rule))
    value, unit, plural = int(match[1]), match[2], bool(match[3])
    notices = []
    if plural != (value != 1):
        rule = "the unit is singular for 1 and plural otherwise"
        if rules.strict_units:
            fault = Fault("rate", body, 6, f"{value} {unit}{match[3]} is not valid", f"{rules.service}: {rule}")
            raise ScheduleError(expression, fault)
        if not plural:
            notices.append(Notice("rate", body, 6, f"{rules.service} shows plural units: the number alone counts"))
    interval = value * _UNIT_SECONDS[unit]
    if interval < rules.minimum_gap_seconds:
        rule = "cron expressions that run more often than every 5 minutes are not supported; of rates AWS says nothing"
        notices.append(Notice("rate", body, 6, rule))
    return RateSchedule(expression, dialect, tuple(notices), interval)


def _at(expression: str, dialect: Dialect, body: str) -> Schedule:
    rule = f"a one-time schedule is at(yyyy-mm-ddThh:mm:ss), {FIRST_YEAR}-{LAST_YEAR}, without an offset from UTC"
    # From Python 3.14 on, fromisoformat takes 24:00:00 for the next midnight.
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}", body):
        raise ScheduleError(expression, Fault("at", body, 4, f"{body!r} is not of that form", rule))
    try:
        wall = datetime.fromisoformat(body + "+00:00")
    except ValueError as error:
        raise ScheduleError(expression, Fault("at", body, 4, str(error), rule)) from error
    if not FIRST_YEAR <= wall.year <= LAST_YEAR:
        raise ScheduleError(expression, Fault("at", body, 4, f"the year {wall.year} is out of range", rule))
    notices: tuple[Notice, ...] = ()
    if dialect == "ssm":
        rule = "AWS calls the time stamp UTC, and combines it with a zone: it is read as the zone's wall-clock time"
        notices = (Notice("at", body, 4, rule),)
    return AtSchedule(expression, dialect, notices, to_epoch(wall))


def _whole(expression: str, message: str, rule: str) -> ScheduleError:
    return ScheduleError(expression, Fault("expression", expression, 1, message, rule))


def _forms(rules: DialectRules) -> str:
    forms = {"cron": f"cron({_field_names(rules)})", "rate": "rate(value unit)", "at": "at(yyyy-mm-ddThh:mm:ss)"}
    return f"{rules.service}: " + ", ".join(forms[kind] for kind in rules.kinds)


def _field_names(rules: DialectRules) -> str:
    names = [spec.name for spec in _ORDER]
    if 7 in rules.field_counts:
        names.insert(0, "[seconds]")
    if 5 in rules.field_counts:
        names[-1] = "[year]"
    return " ".join(names)
