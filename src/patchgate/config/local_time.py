"""Local times as instants, read so that a freeze never gets shorter at a clock change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from patchgate.schedule.zones import load_zone

_DAY = 24 * 60 * 60


def earliest_instant(wall: datetime, zone: str) -> datetime:
    """The first instant (aware UTC) that may be meant by a wall-clock time; before the gap, where a change skips it."""
    return min(_instants(wall, zone))


def latest_instant(wall: datetime, zone: str) -> datetime:
    """The last instant (aware UTC) that may be meant by a wall-clock time; after the gap, where a change skips it."""
    return max(_instants(wall, zone))


def _instants(wall: datetime, zone: str) -> list[datetime]:
    table = load_zone(zone)
    shown = int(wall.replace(tzinfo=UTC).timestamp())
    found = table.instants(shown) or tuple(shown - table.offset_at(shown + shift) for shift in (-_DAY, _DAY))
    return [datetime.fromtimestamp(0, UTC) + timedelta(seconds=instant) for instant in found]
