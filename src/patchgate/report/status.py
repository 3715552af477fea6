"""The status of a fleet as a screen, a line for each lane, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from patchgate.operations.calendar import KINDS, Kind
from patchgate.operations.status.cycles import LastCycle, Lease
from patchgate.operations.status.fleet import FleetStatus
from patchgate.operations.status.model import LEVELS, LaneStatus, Level
from patchgate.report.lane_labels import label_lanes
from patchgate.report.screen import (
    ASCII_GLYPHS,
    UNICODE_GLYPHS,
    Line,
    Piece,
    Role,
    columns,
    draw,
    fit,
    many,
    one_line,
    wrap,
)
from patchgate.schedule.ambiguity import wall_clock

SCHEMA = 1
"""The version of the JSON: it grows when a field changes its meaning or goes away, not when one is added."""

_SIGNS: dict[Level, tuple[str, Role]] = {
    "ok": ("✓", "good"),
    "attention": ("!", "warn"),
    "unsafe": ("✗", "bad"),
    "unreadable": ("✗", "bad"),
}
_WORDS: dict[Level, str] = {
    "ok": "fine",
    "attention": "in need of a person",
    "unsafe": "unsafe",
    "unreadable": "not readable",
}
_WINDOW_ROLES: dict[str, Role] = {
    "open": "open",
    "opening": "open",
    "closing": "warn",
    "left-open": "bad",
    "disabled": "warn",
}
_WIDE, _NARROW = 170, 110
_LONGEST_LABEL = 44


@dataclass(frozen=True, slots=True)
class _Column:
    """One column: its heading, and each lane's text with its role."""

    heading: str
    cells: tuple[Piece, ...]

    @property
    def width(self) -> int:
        return max(columns(self.heading), *(columns(cell.text) for cell in self.cells))


def render_status_text(
    status: FleetStatus, *, width: int, color: bool, ascii_only: bool, height: int | None = None
) -> str:
    """The screen: lanes with the worst first, then what needs a person. With ``height`` it is cut to so many lines."""
    lines = list(_lines(status, width, (ASCII_GLYPHS if ascii_only else UNICODE_GLYPHS).ellipsis))
    if height is not None and len(lines) > height:
        rest = len(lines) - height + 1
        lines = [*lines[: height - 1], (Piece(f"and {rest} more lines; the terminal is too low", "dim"),)]
    return draw(lines, color=color, ascii_only=ascii_only)


def render_status_json(status: FleetStatus) -> str:
    """The status as one JSON object; instants are UTC, in ISO 8601."""
    value = {
        "schema": SCHEMA,
        "fleet": status.fleet,
        "organization": status.organization,
        "at": _instant(status.at),
        "exit_code": status.exit_code,
        "counts": {level: status.count(level) for level in LEVELS},
        "lanes": [_lane_value(lane) for lane in status.lanes],
    }
    return json.dumps(value, indent=1) + "\n"


def _lines(status: FleetStatus, width: int, ellipsis: str) -> Iterator[Line]:
    title = (
        Piece(f"patchgate status · {one_line(status.fleet)}", "title"),
        Piece(f" · {status.organization} · {status.at:%Y-%m-%d %H:%M} UTC", "dim"),
    )
    yield from wrap(title, width=width, indent=2)
    lanes = sorted(status.lanes, key=lambda lane: LEVELS.index(lane.level))
    labels = [
        each for each, _ in label_lanes([lane.name for lane in lanes], [""] * len(lanes), _LONGEST_LABEL, ellipsis)
    ]
    table = list(_columns(lanes, labels, width))
    yield _row(Piece("  "), [Piece(each.heading, "dim") for each in table], table, width, ellipsis)
    for number, lane in enumerate(lanes):
        sign, role = _SIGNS[lane.level]
        yield _row(Piece(f"{sign} ", role), [each.cells[number] for each in table], table, width, ellipsis)
    for lane in lanes:
        yield from _concerns(lane, width)
    yield ()
    counted = ((status.count(level), _WORDS[level]) for level in reversed(LEVELS))
    said = ", ".join(f"{count} {word}" for count, word in counted if count)
    summary = f"{many(len(lanes), 'lane')}: {said}."
    yield from wrap((Piece(summary, "title"),), width=width, indent=2)


def _row(sign: Piece, cells: Sequence[Piece], table: Sequence[_Column], width: int, ellipsis: str) -> Line:
    """A row of the table, cut at the terminal's edge."""
    row, room = [sign], width - columns(sign.text)
    for cell, column in zip(cells, table, strict=True):
        if room <= 0:
            break
        row.append(Piece(fit(cell.text, min(column.width, room), ellipsis), cell.role))
        room -= column.width + 2
        row.append(Piece("  " if room > 0 else ""))
    return tuple(row)


def _columns(lanes: Sequence[LaneStatus], labels: Sequence[str], width: int) -> Iterator[_Column]:
    yield _Column("lane", tuple(Piece(label) for label in labels))
    yield _Column("deployed", tuple(_deployed(lane) for lane in lanes))
    yield _Column("window", tuple(_window(lane) for lane in lanes))
    kinds: tuple[Kind, ...] = KINDS if width >= _WIDE else ("window",)
    for kind in kinds:
        yield _Column(f"next {kind}", tuple(Piece(_local(lane, kind)) for lane in lanes))
    if width >= _NARROW:
        yield _Column("window, UTC", tuple(Piece(_utc(lane, "window"), "dim") for lane in lanes))
    yield _Column("last cycle", tuple(_last(lane) for lane in lanes))


def _deployed(lane: LaneStatus) -> Piece:
    if lane.error:
        return Piece("?", "bad")
    words = [stack.word for stack in lane.stacks.values()]
    for word, role in (("failed", "bad"), ("missing", "bad"), ("drifted", "warn"), ("busy", "warn")):
        if word in words:
            return Piece("no" if not lane.version and word == "missing" else word, "bad" if role == "bad" else "warn")
    text = f"{lane.version} {lane.gate[:8]}"
    return Piece(one_line(text), "plain" if lane.current else "warn")


def _window(lane: LaneStatus) -> Piece:
    word = lane.window.word if lane.window else "-"
    return Piece(word, _WINDOW_ROLES.get(word, "plain"))


def _local(lane: LaneStatus, kind: Kind) -> str:
    run = lane.upcoming.get(kind)
    if run is None:
        return "-" if lane.error else "never"
    return f"{wall_clock(run.start, lane.zone):%a %m-%d %H:%M}" + ("?" if run.uncertain else "")


def _utc(lane: LaneStatus, kind: Kind) -> str:
    run = lane.upcoming.get(kind)
    return f"{run.start:%m-%d %H:%MZ}" if run else "-"


def _last(lane: LaneStatus) -> Piece:
    last = lane.last
    if last is None:
        return Piece("-")
    when = f"{wall_clock(last.scheduled, lane.zone):%m-%d}"
    if last.verdict == "none":
        return Piece(f"{when} no verdict", "bad")
    if last.verdict == "hold":
        return Piece(one_line(f"{when} hold: {last.reason}"), "hold")
    said = ", ".join(_counts(last))
    return Piece(one_line(f"{when} open: {said}" if said else f"{when} open"), "plain")


def _counts(last: LastCycle) -> Iterator[str]:
    if last.outcomes is None:
        yield f"{last.findings.get('proven', 0)} of {last.targets} proven"
        return
    for name, count in last.outcomes.items():
        if count:
            yield f"{count} {name}"


def _concerns(lane: LaneStatus, width: int) -> Iterator[Line]:
    if not (lane.error or lane.concerns or lane.notes):
        return
    yield ()
    yield from wrap((Piece(one_line(lane.name), "title"),), width=width, indent=2)
    if lane.error:
        yield from _advice("✗", "bad", lane.error, lane.remedy, width)
    for each in lane.concerns:
        sign, role = _SIGNS[each.level]
        yield from _advice(sign, role, each.text, each.remedy, width)
    for note in lane.notes:
        yield from wrap((Piece("  · ", "dim"), Piece(one_line(note), "dim")), width=width, indent=4)


def _advice(sign: str, role: Role, text: str, remedy: str, width: int) -> Iterator[Line]:
    more = f"; {remedy}" if remedy else ""
    yield from wrap((Piece(f"  {sign} ", role), Piece(one_line(f"{text}{more}"))), width=width, indent=4)


def _lane_value(lane: LaneStatus) -> dict[str, Any]:
    return {
        "name": lane.name,
        "account": lane.account,
        "region": lane.region,
        "operating_system": lane.os,
        "environment": lane.env,
        "level": lane.level,
        "error": {"message": lane.error, "remedy": lane.remedy} if lane.error else None,
        "zone": lane.zone or None,
        "deployed": {
            "version": lane.version or None,
            "gate": lane.gate or None,
            "current": lane.current,
            "stacks": {
                stage: {"name": stack.name, "state": stack.word, "status": stack.status or None, "reason": stack.reason}
                for stage, stack in lane.stacks.items()
            },
        },
        "window": None
        if lane.window is None
        else {
            "id": lane.window.id or None,
            "state": lane.window.word,
            "enabled": lane.window.enabled,
            "expected": lane.window.expected,
        },
        "schedules": dict(lane.schedules),
        "lease": _lease_value(lane.lease),
        "next": {
            kind: {
                "utc": _instant(run.start),
                "local": wall_clock(run.start, lane.zone).isoformat(),
                "uncertain": run.uncertain,
            }
            for kind, run in lane.upcoming.items()
        },
        "last_cycle": _cycle_value(lane.last),
        "frozen": list(lane.frozen),
        "concerns": [
            {"code": each.code, "level": each.level, "text": each.text, "remedy": each.remedy} for each in lane.concerns
        ],
        "notes": list(lane.notes),
    }


def _lease_value(lease: Lease | None) -> dict[str, Any] | None:
    if lease is None:
        return None
    return {
        "cycle": lease.cycle,
        "window_start": _instant(lease.window_start),
        "window_end": _instant(lease.window_end),
        "admit_until": _instant(lease.admit_until),
        "closed": lease.closed,
    }


def _cycle_value(last: LastCycle | None) -> dict[str, Any] | None:
    if last is None:
        return None
    return {
        "cycle": last.cycle,
        "scheduled": _instant(last.scheduled),
        "verdict": last.verdict,
        "reason": last.reason or None,
        "detail": last.detail or None,
        "targets": last.targets,
        "findings": dict(last.findings),
        "lease": _lease_value(last.lease),
        "outcomes": None if last.outcomes is None else dict(last.outcomes),
        "reached": last.reached,
        "unreached": list(last.unreached),
        "unpatched": list(last.unpatched),
    }


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
