"""The time axis of a rehearsal: every lane's cycle on one scale, each in its own local time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from patchgate.rehearsal.outcome import LaneResult, Span
from patchgate.report.screen import Glyphs, Line, Piece, Role, columns, fit, one_line

_STEPS = tuple(timedelta(hours=hours) for hours in (1, 2, 3, 4, 6, 12, 24, 48, 168, 720))
_SHORTEST_LABEL = 4


def local(when: datetime, zone: str) -> datetime:
    """An instant as the clock on the wall shows it in an IANA zone, without an offset."""
    return when.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def zone_name(when: datetime, zone: str) -> str:
    """What people call the zone at that instant: CEST, EDT, +08."""
    return when.astimezone(ZoneInfo(zone)).tzname() or zone


@dataclass(frozen=True, slots=True)
class Axis:
    """``width`` columns from ``start`` to ``end``, both wall-clock times on whole hours."""

    start: datetime
    end: datetime
    width: int

    def column(self, when: datetime) -> int:
        """The column that a wall-clock time falls into, kept within the axis."""
        share = (when - self.start) / (self.end - self.start)
        return min(self.width - 1, max(0, int(share * self.width)))

    def header(self) -> Line:
        """The hours, as many as there is room for."""
        step = next((s for s in _STEPS if s / (self.end - self.start) * self.width >= _SHORTEST_LABEL), _STEPS[-1])
        cells = [" "] * self.width
        tick = self.start
        while tick < self.end:
            text = f"{tick:%H}" if step < timedelta(days=1) else f"{tick:%d}."
            column = self.column(tick)
            cells[column : column + len(text)] = text[: self.width - column]
            tick += step
        return (Piece("".join(cells[: self.width]), "dim"),)


def axis_of(lanes: Sequence[LaneResult], width: int) -> Axis | None:
    """An axis that holds every span of the lanes' last cycles; None when there is none."""
    times = [
        local(when, lane.lane.zone) for lane in lanes for span in lane.last_spans() for when in (span.start, span.end)
    ]
    if not times:
        return None
    start = min(times).replace(minute=0, second=0, microsecond=0)
    end = max(times).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return Axis(start, end, width)


def row(lane: LaneResult, axis: Axis, glyphs: Glyphs) -> Line:
    """One lane's last cycle on the axis: backup, gate, window with scan and install, close."""
    cells: list[tuple[str, Role]] = [(" ", "plain")] * axis.width
    held = lane.verdict.decision != "open"
    if not held:
        _fill(cells, lane, axis, "window", glyphs.window)
    _fill(cells, lane, axis, "backup", glyphs.backup)
    _fill(cells, lane, axis, "install", glyphs.install)
    _fill(cells, lane, axis, "scan", glyphs.scan)
    if not any(role == "install" for _, role in cells):  # a scan hides no install
        _fill(cells, lane, axis, "install", glyphs.install)
    for span in _of(lane, "close"):
        cells[axis.column(local(span.end, lane.lane.zone))] = (glyphs.close, "close")
    _mark_gate(cells, lane, axis, glyphs)
    return _joined(cells)


def _of(lane: LaneResult, kind: str) -> list[Span]:
    return [span for span in lane.last_spans() if span.kind == kind]


def _fill(cells: list[tuple[str, Role]], lane: LaneResult, axis: Axis, kind: Role, glyph: str) -> None:
    for span in _of(lane, kind):
        first = axis.column(local(span.start, lane.lane.zone))
        last = axis.column(local(span.end, lane.lane.zone) - timedelta(milliseconds=1))
        for column in range(first, max(first, last) + 1):
            cells[column] = (glyph, kind)


def _mark_gate(cells: list[tuple[str, Role]], lane: LaneResult, axis: Axis, glyphs: Glyphs) -> None:
    """The gate's mark; where it held, the reason in the room that the window leaves free."""
    marks: dict[str, tuple[str, Role]] = {
        "open": (glyphs.open, "open"),
        "hold": (glyphs.hold, "hold"),
        "none": (glyphs.silent, "hold"),
    }
    spans = _of(lane, "gate")
    for span in spans:
        cells[axis.column(local(span.start, lane.lane.zone))] = marks[lane.verdict.decision]
    if lane.verdict.decision == "open":
        return
    said = f" {'holds' if lane.verdict.decision == 'hold' else 'no verdict'}: {one_line(lane.verdict.reason)}"
    begin = max(
        (axis.column(local(span.start, lane.lane.zone)) + 1 for span in spans or _of(lane, "window")), default=0
    )
    room = next((i for i in range(begin, axis.width) if cells[i][0] != " "), axis.width) - begin
    text = fit(said, min(room, columns(said)), glyphs.ellipsis)
    cells[begin : begin + len(text)] = [(character, "hold") for character in text]


def _joined(cells: list[tuple[str, Role]]) -> Line:
    pieces: list[Piece] = []
    for text, role in cells:
        if pieces and pieces[-1].role == role:
            pieces[-1] = Piece(pieces[-1].text + text, role)
        else:
            pieces.append(Piece(text, role))
    return tuple(pieces)
