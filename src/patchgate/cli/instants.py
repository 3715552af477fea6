"""Dates and instants as options take them."""

from __future__ import annotations

from datetime import UTC, datetime

import click


def read_instant(_context: click.Context, _parameter: click.Parameter, value: str | None) -> datetime | None:
    """An ISO 8601 date or instant; UTC where it names no offset. click.BadParameter for anything else."""
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (OverflowError, ValueError):
        raise click.BadParameter(f"'{value}' is not a date such as 2026-03-28 or 2026-03-28T12:00+01:00.") from None


def read_schedule_start(context: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
    """The same, within the years that AWS's schedules know."""
    from patchgate.schedule.months import FIRST_YEAR, LAST_YEAR

    instant = read_instant(context, parameter, value)
    if instant is not None and not FIRST_YEAR <= instant.year <= LAST_YEAR:
        raise click.BadParameter(f"AWS's schedules run from {FIRST_YEAR} to {LAST_YEAR}.")
    return instant
