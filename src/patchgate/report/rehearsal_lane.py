"""One lane of a rehearsal in full: its cycle on a time axis, and what befell each instance, minute by minute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from patchgate.rehearsal.outcome import InstanceOutcome, LaneResult, Moment
from patchgate.report.screen import Glyphs, Line, Piece, Role, one_line, wrap
from patchgate.report.time_axis import axis_of, local, row, zone_name

_ROLES: dict[str, Role] = {
    "patched": "good",
    "patched-pending-reboot": "warn",
    "denied": "warn",
    "failed": "bad",
    "unreachable": "bad",
    "skipped": "dim",
}


def lane_lines(lane: LaneResult, *, width: int, glyphs: Glyphs) -> list[Line]:
    """The lane's full timeline, in its local time."""
    return [*_heading(lane, width, glyphs), *_lane_moments(lane, width), *_instances(lane, width, glyphs)]


def _heading(lane: LaneResult, width: int, glyphs: Glyphs) -> Iterator[Line]:
    yield (Piece(one_line(lane.lane.name), "title"),)
    verdict = lane.verdict
    role: Role = "open" if verdict.decision == "open" else "hold"
    said = {"open": "the gate opened", "hold": "the gate held", "none": "no gate gave a verdict"}[verdict.decision]
    why = ", ".join(one_line(text) for text in (verdict.reason, verdict.detail) if text)
    spans = lane.last_spans()
    zone = f"{lane.lane.zone} ({zone_name(spans[0].start, lane.lane.zone)})" if spans else lane.lane.zone
    pieces = (
        Piece(f"cycle {lane.cycles} of {lane.cycles}: " if lane.cycles > 1 else ""),
        Piece(f"{lane.patched} of {len(lane.instances)} patched; "),
        Piece(said, role),
        Piece(f": {why}" if why else ""),
        Piece(f"; times are {zone}", "dim"),
    )
    yield from wrap(pieces, width=width, indent=2)
    axis = axis_of((lane,), width - 2)
    if axis is not None:
        yield ()
        yield (Piece("  "), *axis.header())
        yield (Piece("  "), *row(lane, axis, glyphs))


def _lane_moments(lane: LaneResult, width: int) -> Iterator[Line]:
    if lane.timeline:
        yield ()
        yield (Piece("Lane", "title"),)
        yield from _moments(lane.timeline, lane, width)


def _instances(lane: LaneResult, width: int, glyphs: Glyphs) -> Iterator[Line]:
    for instance in lane.instances:
        yield ()
        yield from _instance_heading(instance, width, glyphs)
        yield from _moments(instance.timeline, lane, width)


def _instance_heading(instance: InstanceOutcome, width: int, glyphs: Glyphs) -> Iterator[Line]:
    name = one_line(instance.name or instance.instance)
    pieces = [Piece(name, "title")]
    if instance.name:
        pieces.append(Piece(f" {one_line(instance.instance)}", "dim"))
    pieces.append(Piece(f" {instance.status}", _ROLES[instance.status]))
    if instance.reason:
        pieces.append(Piece(f" {glyphs.dot} {one_line(instance.reason)} {instance.fault}", "dim"))
    yield from wrap(pieces, width=width, indent=2)
    if instance.reason:
        why = one_line(instance.meaning) + (f" ({one_line(instance.detail)})" if instance.detail else "")
        after = Piece(f"{glyphs.arrow} {one_line(instance.next_step)}", "command")
        yield from wrap((Piece(f"  {why} "), after), width=width, indent=4)


def _moments(moments: Sequence[Moment], lane: LaneResult, width: int) -> Iterator[Line]:
    """One line each; the day stands where it changes."""
    day = None
    for moment in moments:
        when = local(moment.at, lane.lane.zone)
        stamp = f"  {when:%a %H:%M:%S}  " if when.date() != day else f"      {when:%H:%M:%S}  "
        day = when.date()
        yield from wrap((Piece(stamp, "dim"), Piece(one_line(moment.what))), width=width, indent=16)
