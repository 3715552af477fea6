"""Reads TZif files, the compiled form of the IANA time zone database (RFC 9636), into plain integers."""

from __future__ import annotations

import re
import struct
from calendar import isleap
from datetime import date
from typing import Final, NamedTuple

_HEADER: Final = struct.Struct(">4s1s15x6L")
_FOOTER: Final = re.compile(
    r"(?P<std>[A-Za-z]{3,}|<[A-Za-z0-9+-]+>)(?P<std_offset>[0-9:+-]+)"
    r"(?:(?P<dst>[A-Za-z]{3,}|<[A-Za-z0-9+-]+>)(?P<dst_offset>[0-9:+-]*),(?P<start>[^,]+),(?P<end>[^,]+))?"
)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()


class Transition(NamedTuple):
    """From ``at`` (seconds since the Unix epoch) on, local time is UTC plus ``offset`` seconds."""

    at: int
    offset: int


def read_transitions(data: bytes, last_year: int) -> tuple[int, list[Transition]]:
    """The offset before the first transition, and all transitions up to the end of ``last_year``.

    Transitions that change only the zone's abbreviation are left out. Raises ValueError on other data.
    """
    magic, version, *counts = _HEADER.unpack_from(data)
    if magic != b"TZif" or version < b"2":
        raise ValueError("not a TZif file of version 2 or later")
    utc_count, std_count, leaps, times, types, characters = counts
    position = _HEADER.size + times * 5 + types * 6 + characters + leaps * 8 + std_count + utc_count
    _, _, utc_count, std_count, leaps, times, types, characters = _HEADER.unpack_from(data, position)
    position += _HEADER.size
    instants = struct.unpack_from(f">{times}q", data, position)
    position += times * 8
    indexes = data[position : position + times]
    position += times
    offsets = [struct.unpack_from(">l", data, position + 6 * number)[0] for number in range(types)]
    position += types * 6 + characters + leaps * 12 + std_count + utc_count
    found = [Transition(at, offsets[index]) for at, index in zip(instants, indexes, strict=True)]
    footer = data[position:].strip(b"\n").decode("ascii")
    if footer:
        found += _footer_transitions(footer, after=found[-1].at if found else None, last_year=last_year)
    return offsets[0], _real_changes(offsets[0], found)


def _real_changes(offset: int, transitions: list[Transition]) -> list[Transition]:
    kept = []
    for transition in transitions:
        if transition.offset != offset:
            kept.append(transition)
            offset = transition.offset
    return kept


def _footer_transitions(footer: str, *, after: int | None, last_year: int) -> list[Transition]:
    """What the footer's rule (a POSIX TZ string) says for the years after the file's last transition."""
    match = _FOOTER.fullmatch(footer)
    if match is None:
        raise ValueError(f"TZ string not understood: {footer!r}")
    standard = -_seconds(match["std_offset"])
    if match["dst"] is None:
        return [] if after is not None else [Transition(-(2**59), standard)]
    daylight = -_seconds(match["dst_offset"]) if match["dst_offset"] else standard + 3600
    first_year = 1970 if after is None else date.fromordinal(_EPOCH_DAY + after // 86_400).year
    found = []
    for year in range(first_year, last_year + 1):
        found.append(Transition(_rule_seconds(match["start"], year) - standard, daylight))
        found.append(Transition(_rule_seconds(match["end"], year) - daylight, standard))
    return sorted(transition for transition in found if after is None or transition.at > after)


def _rule_seconds(rule: str, year: int) -> int:
    """Wall-clock seconds since 1970 at which a POSIX rule (``M3.2.0/2``, ``J60``, ``59``) strikes in a year."""
    day, _, time = rule.partition("/")
    new_year = date(year, 1, 1).toordinal() - _EPOCH_DAY
    if day.startswith("M"):
        month, week, weekday = map(int, day[1:].split("."))
        first = date(year, month, 1).toordinal() - _EPOCH_DAY
        following = date(year + month // 12, month % 12 + 1, 1).toordinal() - _EPOCH_DAY
        number = first + (weekday - (first + 4)) % 7 + 7 * (week - 1)
        if number >= following:
            number -= 7
    elif day.startswith("J"):
        number = new_year + int(day[1:]) - 1 + (isleap(year) and int(day[1:]) >= 60)
    else:
        number = new_year + int(day)
    return number * 86_400 + (_seconds(time) if time else 7200)


def _seconds(text: str) -> int:
    """``-10:30`` or ``167:00:00`` in seconds."""
    sign = -1 if text.startswith("-") else 1
    hours, minutes, seconds = ([int(part) for part in text.lstrip("+-").split(":")] + [0, 0])[:3]
    return sign * (hours * 3600 + minutes * 60 + seconds)
