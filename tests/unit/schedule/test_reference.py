"""The examples of AWS's own pages, as ``docs/reference/schedules.md`` lists them, and the page's other promises."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import cast

import pytest
from botocore.loaders import Loader

from patchgate.schedule import DIALECTS, Dialect, Outlook, ScheduleError, next_occurrence, parse
from patchgate.schedule.dialects import RULES

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "schedules.md").read_text(encoding="utf-8")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
EXAMPLES = re.findall(r"^\| (\[\w\]) \| `([a-z-]+)` \| `([^`]+)` \| [^|]+ \| (\S+) \|$", PAGE, re.MULTILINE)


def test_the_page_lists_examples_of_every_dialect_and_source() -> None:
    assert {dialect for _, dialect, _, _ in EXAMPLES} == set(DIALECTS)
    assert len(EXAMPLES) == PAGE.split("## AWS's own examples")[1].count("\n| [")
    for source, *_ in EXAMPLES:
        assert f"- {source} [" in PAGE


@pytest.mark.parametrize(("source", "dialect", "expression", "first_run"), EXAMPLES)
def test_an_example_of_aws(source: str, dialect: str, expression: str, first_run: str) -> None:
    spoken = cast("Dialect", dialect)
    found = next_occurrence(expression, spoken, "UTC", NOW, anchor=NOW if expression.startswith("rate") else None)
    if first_run == "expired":
        assert found is None
        assert parse(expression, spoken).outlook("UTC", NOW) is Outlook.EXPIRED
    else:
        assert found == datetime.fromisoformat(first_run).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("service", "dialect"),
    [("scheduler", "scheduler"), ("events", "eventbridge-rule"), ("ssm", "ssm"), ("backup", "backup")],
)
def test_no_example_of_the_api_references_is_missing(service: str, dialect: str) -> None:
    """Their text is that of the SDK's service models."""
    model = html.unescape(json.dumps(Loader().load_service_model(service, "service-2"), ensure_ascii=False))
    found = set(re.findall(r"\b(?:cron|rate|at)\([^()]*[0-9][^()]*\)", model))
    found |= {bare.strip() for bare in re.findall(r"<code> *([0-9*?/#LW-]+(?: [0-9*?/#LW-]+){4,6})</code>", model)}
    listed = {expression for _, spoken, expression, _ in EXAMPLES if spoken == dialect}
    assert found <= listed
    assert found or service == "scheduler"  # whose reference shows forms only


@pytest.mark.parametrize(
    ("expression", "zone", "anchor", "offset_days", "after", "runs"),
    [
        # Scheduling options, example 1: 09:00 on Wednesdays in Los Angeles, from 2021-01-01T00:00:00-08:00 on
        ("cron(0 09 ? * WED *)", "America/Los_Angeles", "2021-01-01T08:00:00", 0, "", ["2021-01-06T17:00:00"]),
        # Example 2: every 7 days from 2019-01-01T00:03:15+09:00 on, the last one in June on the 25th
        ("rate(7 days)", "Asia/Tokyo", "2018-12-31T15:03:15", 0, "2019-06-20", ["2019-06-24T15:03:15"]),
        # Example 3: once, at 15:55 UTC
        ("at(2020-07-07T15:55:00)", "UTC", "", 0, "2020-01-01", ["2020-07-07T15:55:00"]),
        # Example 4: two days after the third Tuesday; in September 2026 that is the 15th
        ("cron(0 30 23 ? * TUE#3 *)", "UTC", "", 2, "2026-09-01", ["2026-09-17T23:30:00", "2026-10-22T23:30:00"]),
        # CreateAssociation: an offset of 3 is the Sunday after the second Thursday
        ("cron(0 0 ? * THU#2 *)", "UTC", "", 3, "2026-10-01", ["2026-10-11T00:00:00", "2026-11-15T00:00:00"]),
    ],
)
def test_an_example_of_aws_with_its_dates(
    expression: str, zone: str, anchor: str, offset_days: int, after: str, runs: list[str]
) -> None:
    begin = datetime.fromisoformat(after or anchor).replace(tzinfo=UTC)
    created = datetime.fromisoformat(anchor).replace(tzinfo=UTC) if anchor else None
    found = parse(expression, "ssm").occurrences(zone, begin, offset_days=offset_days, anchor=created)
    assert [f"{instant:%Y-%m-%dT%H:%M:%S}" for instant in islice(found, len(runs))] == runs


@pytest.mark.parametrize("dialect", ["scheduler", "eventbridge-rule"])
def test_the_counter_example_of_aws_is_refused(dialect: Dialect) -> None:
    with pytest.raises(ScheduleError, match="one expression only"):
        parse("cron(0 0 ? * 3#1,6#3 *)", dialect)


def test_the_scheduler_takes_either_unit_for_one_and_reports_what_it_does_not_show() -> None:
    assert parse("rate(1 days)", "scheduler").undocumented == ()
    assert parse("rate(1 day)", "scheduler").undocumented == ()
    assert [notice.text for notice in parse("rate(5 minute)", "scheduler").undocumented] == ["5 minute"]


def test_every_dialect_links_to_its_page() -> None:
    for rules in RULES.values():
        assert rules.page in PAGE


def test_what_the_page_calls_undocumented_is_reported() -> None:
    section = PAGE.split("| syntax | reading |")[1].split("##")[0]
    fields = set(
        re.findall(r"`([^`( ]+)`", "\n".join(line.split("|")[1] for line in section.splitlines() if "|" in line))
    )
    assert {"LW", "L-3", "FRIL", "TUE#6"} <= fields
    templates = (
        "cron(0 0 {} * ? *)",
        "cron(0 0 ? * {} *)",
        "cron(0 0 1 {} ? *)",
        "cron({} 0 * * ? *)",
        "cron(0 {} * * ? *)",
    )
    for field in fields:
        assert any(_is_reported(template.format(field)) for template in templates), field


def _is_reported(expression: str) -> bool:
    try:
        return bool(parse(expression, "scheduler").undocumented)
    except ScheduleError:
        return False
