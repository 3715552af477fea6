"""Dates as options take them."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import pytest

from patchgate.cli.instants import read_instant, read_schedule_start

OPTION = click.Option(["--start"])
CONTEXT = click.Context(click.Command("any"))


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("2026-03-28", datetime(2026, 3, 28, tzinfo=UTC)),
        ("2026-03-28T12:00+01:00", datetime(2026, 3, 28, 11, tzinfo=UTC)),
        ("1970-01-01", datetime(1970, 1, 1, tzinfo=UTC)),
        (None, None),
    ],
)
def test_a_date_is_utc_unless_it_names_an_offset(value: str | None, instant: datetime | None) -> None:
    assert read_instant(CONTEXT, OPTION, value) == instant
    assert read_schedule_start(CONTEXT, OPTION, value) == instant


@pytest.mark.parametrize("value", ["", "tomorrow", "2026-02-30", "0001-01-01T00:00+14:00"])
def test_what_is_no_date_is_refused(value: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a date such as 2026-03-28"):
        read_instant(CONTEXT, OPTION, value)


@pytest.mark.parametrize("value", ["1969-12-31T23:59", "2200-01-01"])
def test_years_that_schedules_do_not_have_are_refused_where_a_schedule_begins(value: str) -> None:
    assert read_instant(CONTEXT, OPTION, value) is not None
    with pytest.raises(click.BadParameter, match="run from 1970 to 2199"):
        read_schedule_start(CONTEXT, OPTION, value)
