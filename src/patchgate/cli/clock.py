"""The one place where the program reads the system's clock."""

from __future__ import annotations

from datetime import UTC, datetime


def read_clock() -> datetime:
    """Now, as an aware UTC datetime in whole minutes."""
    return datetime.now(UTC).replace(second=0, microsecond=0)


def read_exact_clock() -> datetime:
    """Now, as an aware UTC datetime, for records of what was done when."""
    return datetime.now(UTC)


def midnight(now: datetime) -> datetime:
    """The beginning of that UTC day."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
