"""What is refused and where the fault points, what is only noticed, and what is neither."""

from __future__ import annotations

import copy
import pickle

import pytest

from patchgate.errors import InputError
from patchgate.schedule import Dialect, ScheduleError, parse

ALL: tuple[Dialect, ...] = ("backup", "scheduler", "eventbridge-rule", "ssm")


def _faults(expression: str, dialect: Dialect = "scheduler") -> list[tuple[str, str, int]]:
    with pytest.raises(ScheduleError) as raised:
        parse(expression, dialect)
    for fault in raised.value.faults:
        assert fault.message
        assert fault.rule
        assert expression[fault.column - 1 :].startswith(fault.text)
    return [(fault.field, fault.text, fault.column) for fault in raised.value.faults]


@pytest.mark.parametrize(
    ("expression", "field", "text", "column"),
    [
        ("cron(60 0 * * ? *)", "minutes", "60", 6),
        ("cron(-1 0 * * ? *)", "minutes", "-1", 6),
        ("cron(0 24 * * ? *)", "hours", "24", 8),
        ("cron(0 1,25,3 * * ? *)", "hours", "25", 10),
        ("cron(0 0 0 * ? *)", "day-of-month", "0", 10),
        ("cron(0 0 32 * ? *)", "day-of-month", "32", 10),
        ("cron(0 0 W * ? *)", "day-of-month", "W", 10),
        ("cron(0 0 32W * ? *)", "day-of-month", "32W", 10),
        ("cron(0 0 1-5W * ? *)", "day-of-month", "1-5W", 10),
        ("cron(0 0 L-31 * ? *)", "day-of-month", "L-31", 10),
        ("cron(0 0 L-0 * ? *)", "day-of-month", "L-0", 10),
        ("cron(0 0 3L * ? *)", "day-of-month", "3L", 10),
        ("cron(0 0 1 0 ? *)", "month", "0", 12),
        ("cron(0 0 1 13 ? *)", "month", "13", 12),
        ("cron(0 0 1 JANUARY ? *)", "month", "JANUARY", 12),
        ("cron(0 0 1 MON ? *)", "month", "MON", 12),
        ("cron(0 0 1 ? ? *)", "month", "?", 12),
        ("cron(0 0 1 L ? *)", "month", "L", 12),
        ("cron(0 0 ? * 0 *)", "day-of-week", "0", 14),
        ("cron(0 0 ? * 8 *)", "day-of-week", "8", 14),
        ("cron(0 0 ? * JAN *)", "day-of-week", "JAN", 14),
        ("cron(0 0 ? * 8L *)", "day-of-week", "8L", 14),
        ("cron(0 0 ? * XYZL *)", "day-of-week", "XYZL", 14),
        ("cron(0 0 ? * 3#0 *)", "day-of-week", "3#0", 14),
        ("cron(0 0 ? * 3# *)", "day-of-week", "3#", 14),
        ("cron(0 0 ? * #2 *)", "day-of-week", "#2", 14),
        ("cron(0 0 ? * MON-FRI#2 *)", "day-of-week", "MON-FRI#2", 14),
        ("cron(0 0 ? * 3#1,6#3 *)", "day-of-week", "3#1,6#3", 14),
        ("cron(0 0 * * ? 1969)", "year", "1969", 16),
        ("cron(0 0 * * ? 2200)", "year", "2200", 16),
        ("cron(0 0 * * ? 2027-2026)", "year", "2027-2026", 16),
        ("cron(0/0 0 * * ? *)", "minutes", "0/0", 6),
        ("cron(0/ 0 * * ? *)", "minutes", "0/", 6),
        ("cron(/5 0 * * ? *)", "minutes", "/5", 6),
        ("cron(0/-5 0 * * ? *)", "minutes", "0/-5", 6),
        ("cron(1,,2 0 * * ? *)", "minutes", "", 8),
        ("cron(0, 0 * * ? *)", "minutes", "", 8),
        ("cron(1-2-3 0 * * ? *)", "minutes", "1-2-3", 6),
        ("cron(000 0 * * ? *)", "minutes", "000", 6),
        ("cron(*-5 0 * * ? *)", "minutes", "*-5", 6),
        ("cron(H 0 * * ? *)", "minutes", "H", 6),
        ("cron(\u0663 0 * * ? *)", "minutes", "\u0663", 6),
        ("cron(0 0 * * * *)", "day-of-week", "*", 14),
        ("cron(0 0 ? * ? *)", "day-of-week", "?", 14),
        ("cron(0 0 1 * MON *)", "day-of-week", "MON", 14),
    ],
)
def test_a_fault_points_at_its_item(expression: str, field: str, text: str, column: int) -> None:
    faults = _faults(expression)
    assert faults == [(field, text, column)]


def test_all_faults_are_reported_at_once_and_marked() -> None:
    expression = "cron(60 25 ? 13 0 2200)"
    assert [fault[0] for fault in _faults(expression)] == ["day-of-week", "minutes", "hours", "month", "year"]
    with pytest.raises(ScheduleError) as raised:
        parse(expression, "scheduler")
    lines = str(raised.value).splitlines()
    assert lines[1] == "  cron(60 25 ? 13 0 2200)"
    assert lines[2] == "       ^^ ^^   ^^ ^ ^^^^"
    assert "60 is outside 0-59 (minutes are 0-59 with , - * /)" in str(raised.value)
    assert isinstance(raised.value, InputError)
    assert len(raised.value.problems) == 5


@pytest.mark.parametrize("dialect", ALL)
@pytest.mark.parametrize(
    "expression",
    [
        "",
        "cron",
        "cron()",
        "0 0 * * *",
        "cron(0 0 * * ? *",
        " cron(0 0 * * ? *)",
        "CRON(0 0 * * ? *)",
        "cron(0 0 * ?)",
        "rate()",
        "rate(5)",
        "rate(0 minutes)",
        "rate(-1 minutes)",
        "rate(1.5 hours)",
        "rate(5 seconds)",
        "at()",
        "at(2026-07-04)",
        "at(2026-07-04T22:30)",
        "at(2026-07-04T22:30:00Z)",
        "at(2026-02-29T00:00:00)",
        "at(1969-12-31T23:59:59)",
        "at(2200-01-01T00:00:00)",
        "at(2026-07-04T24:00:00)",
        "cron(0 0 * * ? * * *)",
    ],
)
def test_what_no_dialect_takes(expression: str, dialect: Dialect) -> None:
    assert len(_faults(expression, dialect)) == 1


@pytest.mark.parametrize(
    ("expression", "dialects"),
    [
        ("cron(0 19 ? * 7 *)", ALL),
        ("rate(1 hour)", ("scheduler", "eventbridge-rule", "ssm")),
        ("rate(5 hours)", ("scheduler", "eventbridge-rule", "ssm")),
        ("rate(1 hours)", ("scheduler",)),
        ("rate(5 hour)", ("scheduler",)),
        ("at(2026-07-04T22:30:00)", ("scheduler", "ssm")),
        ("cron(24 30 09 ? * * *)", ("ssm",)),
        ("cron(0 10 * * ?)", ("scheduler",)),
        ("15 * ? * * *", ("backup",)),
        ("cron(0/5 * * * ? *)", ALL),
        ("cron(0/4 * * * ? *)", ("backup", "scheduler", "eventbridge-rule")),
        ("cron(58 23 ? * * *)", ALL),
        ("cron(0,58 23,0 ? * * *)", ("backup", "scheduler", "eventbridge-rule")),
        ("cron(0,58 23,0 ? * 2L *)", ALL),
        ("cron(0 0 * * ? " + ",".join(["2026"] * 60) + ")", ("backup",)),
    ],
)
def test_which_dialects_take_an_expression(expression: str, dialects: tuple[Dialect, ...]) -> None:
    accepted = []
    for dialect in ALL:
        try:
            parse(expression, dialect)
        except ScheduleError:
            continue
        accepted.append(dialect)
    assert tuple(accepted) == dialects


def test_an_unknown_dialect_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="unknown dialect 'quartz'"):
        parse("cron(0 0 * * ? *)", "quartz")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expression", "dialect", "fields"),
    [
        ("cron(0 0 LW * ? *)", "scheduler", ["day-of-month"]),
        ("cron(0 0 WL * ? *)", "scheduler", ["day-of-month"]),
        ("cron(0 0 L-3 * ? *)", "scheduler", ["day-of-month"]),
        ("cron(0 0 1W * ? *)", "scheduler", ["day-of-month"]),
        ("cron(0 0 31W * ? *)", "scheduler", ["day-of-month"]),
        ("cron(0 0 1,L * ? *)", "scheduler", ["day-of-month"]),
        ("cron(0 0 28-3 * ? *)", "scheduler", ["day-of-month"]),
        ("cron(0 0 1 NOV-FEB ? *)", "scheduler", ["month"]),
        ("cron(0 0 1 jan ? *)", "scheduler", ["month"]),
        ("cron(50-10 0 * * ? *)", "scheduler", ["minutes"]),
        ("cron(0 8-18/2 * * ? *)", "scheduler", ["hours"]),
        ("cron(0/60 0 * * ? *)", "scheduler", ["minutes"]),
        ("cron(0 0 ? * FRIL *)", "scheduler", ["day-of-week"]),
        ("cron(0 0 ? * 2L,6L *)", "scheduler", ["day-of-week"]),
        ("cron(0 0 ? * SAT-MON *)", "scheduler", ["day-of-week"]),
        ("cron(0 0 ? * 2/2 *)", "scheduler", ["day-of-week"]),
        ("cron(0 0 ? * TUE#6 *)", "scheduler", ["day-of-week"]),
        ("cron( 0 0 * * ? *)", "scheduler", ["expression"]),
        ("cron(0 0 * * ?)", "scheduler", ["year"]),
        ("cron(0/30 * * * ? *)", "backup", ["expression"]),
        ("0 12 * * ? *", "backup", ["expression"]),
        ("rate(1 hours)", "scheduler", []),
        ("rate(5 minute)", "scheduler", ["rate"]),
        ("rate(4 minutes)", "ssm", ["rate"]),
        ("at(2026-07-04T22:30:00)", "ssm", ["at"]),
        ("cron(0 0 2 ? * SUN *)", "ssm", ["seconds"]),
    ],
)
def test_what_aws_does_not_document_is_accepted_and_noted(expression: str, dialect: Dialect, fields: list[str]) -> None:
    notices = parse(expression, dialect).undocumented
    assert [notice.field for notice in notices] == fields
    for notice in notices:
        assert notice.rule
        assert expression[notice.column - 1 :].startswith(notice.text)


@pytest.mark.parametrize(
    "expression",
    [
        "cron(0 19 ? * 7 *)",
        "cron(0 23 ? * TUE#2 *)",
        "cron(0 2 L * ? *)",
        "cron(0 2 15W * ? *)",
        "cron(0 20-2 * * ? *)",
        "cron(0/15 1,5-8 * JAN,MAR-MAY ? 2026-2030)",
        "cron(*/15 * * * ? *)",
        "cron(0 0 ? * 6L *)",
        "cron(0 0 ? * L *)",
    ],
)
def test_what_aws_documents_is_not_noted(expression: str) -> None:
    assert parse(expression, "scheduler").undocumented == ()


def test_equal_expressions_are_one_schedule_and_survive_copies() -> None:
    schedule = parse("cron(0 23 ? * TUE#2 *)", "ssm")
    assert schedule == parse("cron(0 23 ? * TUE#2 *)", "ssm")
    assert schedule != parse("cron(0 23 ? * TUE#2 *)", "backup")
    assert schedule != "cron(0 23 ? * TUE#2 *)"
    assert pickle.loads(pickle.dumps(schedule)) == schedule  # noqa: S301 - our own bytes
    assert copy.deepcopy(schedule) is schedule
    assert repr(schedule) == "parse('cron(0 23 ? * TUE#2 *)', 'ssm')"
    assert len({schedule, copy.copy(schedule)}) == 1


@pytest.mark.parametrize(
    ("expression", "column"),
    [
        ("cron(0 23 ? * \u017fUN *)", 15),  # upper case: SUN
        ("cron(0 23 ? * FR\u0131 *)", 15),  # upper case: FRI
        ("cron(0 \u0667 ? * SUN *)", 8),
        ("rate(\u0667 days)", 6),
        ("at(2026-01-0\u0667T00:00:00)", 4),
    ],
)
def test_letters_and_digits_of_other_scripts_are_refused(expression: str, column: int) -> None:
    with pytest.raises(ScheduleError, match=r"is not (a|of)") as raised:
        parse(expression, "ssm")
    assert [fault.column for fault in raised.value.faults] == [column]


def test_the_kind_has_its_article() -> None:
    with pytest.raises(ScheduleError, match="an at expression"):
        parse("at(2026-01-01T00:00:00)", "backup")
    with pytest.raises(ScheduleError, match="a rate expression"):
        parse("rate(1 day)", "backup")
