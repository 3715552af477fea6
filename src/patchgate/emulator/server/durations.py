"""Durations as people write them in requests: ISO 8601 (``PT2H30M``) or a number of seconds."""

from __future__ import annotations

import re
from datetime import timedelta

from patchgate.errors import InputError

_ISO = re.compile(
    r"P(?=[\dT])(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)


def parse_duration(value: object) -> timedelta:
    """A duration of at least nothing; months and years have no fixed length and are refused. Raises InputError."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
            return timedelta(seconds=value)
        match = _ISO.fullmatch(value) if isinstance(value, str) else None
        if match is not None:
            return timedelta(**{unit: float(count) for unit, count in match.groupdict().items() if count})
    except (OverflowError, ValueError):
        pass
    raise InputError(f"{value!r} is no duration", remedy="give seconds, or ISO 8601 such as PT2H30M or P1D")
