"""The examples of AWS's own pages, as ``docs/reference/schedules.md`` lists them, and the page's other promises."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

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
