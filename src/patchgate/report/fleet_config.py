"""What a fleet file comes to, as text and JSON: the fleet as a whole, or one lane with the origin of every value."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from patchgate.config import FleetConfig, FreezePeriod, LaneConfig, Origin, UnresolvedUnit, Wave
from patchgate.operations.explanation import ExplainedValue
from patchgate.report.screen import Line, Piece, columns, draw, fit, many, one_line

_FREEZES_SHOWN = 6
_WIDEST_VALUE = 48


@dataclass(frozen=True, slots=True)
class FleetView:
    """The fleet on a day: its waves, and the organizational units whose lanes are not among them."""

    fleet: FleetConfig
    today: date
    waves: tuple[Wave, ...]
    unresolved: tuple[UnresolvedUnit, ...]


@dataclass(frozen=True, slots=True)
class LaneView:
    """One lane on a day, with every template parameter."""

    fleet: FleetConfig
    today: date
    lane: LaneConfig
    values: tuple[ExplainedValue, ...]


def render_fleet_text(view: FleetView, *, color: bool, ascii_only: bool) -> str:
    """A line for every wave with its lanes below it, and what a person has to look at."""
    return draw(_fleet_lines(view), color=color, ascii_only=ascii_only)


def _fleet_lines(view: FleetView) -> Iterator[Line]:
    lanes = sum(len(wave.lanes) for wave in view.waves)
    yield (
        Piece(f"{one_line(view.fleet.source)} is valid: ", "title"),
        Piece(f"{many(lanes, 'lane')} in {many(len(view.waves), 'environment')}, in the order of promotion"),
    )
    for number, wave in enumerate(view.waves, 1):
        yield (Piece(f"{number}  {wave.environment}", "title"), Piece(f"  {many(len(wave.lanes), 'lane')}", "dim"))
        for lane in wave.lanes:
            yield (Piece(f"   {one_line(lane.lane.name)}"), Piece(f"  {lane.time_zone}", "dim"))
    for unit in view.unresolved:
        place = _place_of(view.fleet, unit)
        text = f"{place}: {one_line(str(unit))}: only AWS knows its accounts; its lanes are left out here"
        yield (Piece("→ ", "warn"), Piece(text))
    for each in view.fleet.expired_waivers(view.today):
        waiver = each.waiver
        text = f"{_place(each.origin)}: the waiver of {one_line(waiver.category)} ended on {waiver.until}"
        yield (Piece("→ ", "warn"), Piece(f"{text}: it is not deployed; ask {one_line(waiver.owner)}"))


def render_lane_text(view: LaneView, *, color: bool, ascii_only: bool, every: bool) -> str:
    """Every parameter that a layer says, with the line that says it; with ``every`` the templates' defaults too."""
    return draw(_lane_lines(view, every=every), color=color, ascii_only=ascii_only)


def _lane_lines(view: LaneView, *, every: bool) -> Iterator[Line]:
    lane = view.lane
    yield (Piece(one_line(lane.lane.name), "title"), Piece(f"  {lane.time_zone}", "dim"))
    shown = [value for value in view.values if every or not value.is_default]
    texts = [one_line(value.value) or "(blank)" for value in shown]
    widest_name = max((columns(_name(value)) for value in shown), default=0)
    widest_text = min(_WIDEST_VALUE, max(map(columns, texts), default=0))
    for value, text in zip(shown, texts, strict=True):
        yield (
            Piece(f"  {fit(_name(value), widest_name)}  "),
            Piece(f"{fit(text, widest_text)}  "),
            Piece(_described(value), "dim"),
        )
    if not every and len(shown) < len(view.values):
        yield (Piece(f"  {len(view.values) - len(shown)} more have the template's default; --all shows them", "dim"),)
    yield from _extra_lines(view)


def _extra_lines(view: LaneView) -> Iterator[Line]:
    lane = view.lane
    if lane.tags:
        tags = ", ".join(f"{one_line(name)}={one_line(text)}" for name, text in lane.tags.items())
        yield (Piece("tags  ", "title"), Piece(tags))
    for waiver in lane.waivers:
        said = waiver.waiver
        text = f"{one_line(said.category)} until {said.until}, {one_line(said.owner)}: {one_line(said.reason)}"
        yield (Piece("waived  ", "title"), Piece(text), Piece(f"  {_place(waiver.origin)}", "dim"))
    for calendar in lane.freezes:
        if calendar.freeze.change_calendar:
            text = f"while {one_line(calendar.freeze.change_calendar)} is closed: {one_line(calendar.freeze.reason)}"
            yield (Piece("frozen  ", "title"), Piece(text), Piece(f"  {_place(calendar.origin)}", "dim"))
    coming = _coming(view)
    for period in coming[:_FREEZES_SHOWN]:
        yield (Piece("frozen  ", "title"), Piece(f"{_span(period)}: {one_line('; '.join(period.reasons))}"))
    if len(coming) > _FREEZES_SHOWN:
        yield (Piece(f"        and {many(len(coming) - _FREEZES_SHOWN, 'more freeze')}; --output json has all", "dim"),)


def render_fleet_json(view: FleetView) -> str:
    """The fleet as one JSON object."""
    return _json(
        {
            "fleet": view.fleet.source,
            "day": view.today.isoformat(),
            "environments": [
                {
                    "name": wave.environment,
                    "lanes": [{"name": lane.lane.name, "time_zone": lane.time_zone} for lane in wave.lanes],
                }
                for wave in view.waves
            ],
            "unresolved_units": [
                {"id": unit.id, "name": unit.name, "place": _place_of(view.fleet, unit)} for unit in view.unresolved
            ],
            "expired_waivers": [
                {
                    "category": each.waiver.category,
                    "owner": each.waiver.owner,
                    "until": each.waiver.until.isoformat(),
                    "origin": _origin(each.origin),
                }
                for each in view.fleet.expired_waivers(view.today)
            ],
        }
    )


def render_lane_json(view: LaneView) -> str:
    """The lane as one JSON object, every parameter with its origin; lines and columns count from 1, 0 is in no file."""
    lane = view.lane
    return _json(
        {
            "fleet": view.fleet.source,
            "day": view.today.isoformat(),
            "lane": lane.lane.name,
            "account": lane.lane.account,
            "region": lane.lane.region,
            "operating_system": lane.lane.os,
            "environment": lane.lane.env,
            "time_zone": lane.time_zone,
            "parameters": [
                {
                    "name": value.parameter,
                    "template": value.template,
                    "value": value.value,
                    "derived": value.derived,
                    "default": value.is_default,
                    "origin": _origin(value.origin),
                }
                for value in view.values
            ],
            "tags": dict(lane.tags),
            "waivers": [
                {
                    "category": each.waiver.category,
                    "owner": each.waiver.owner,
                    "reason": each.waiver.reason,
                    "until": each.waiver.until.isoformat(),
                    "origin": _origin(each.origin),
                }
                for each in lane.waivers
            ],
            "change_calendars": [each.freeze.change_calendar for each in lane.freezes if each.freeze.change_calendar],
            "freezes": [
                {
                    "start": period.start.isoformat(),
                    "end": period.end.isoformat(),
                    "reasons": list(period.reasons),
                }
                for period in _coming(view)
            ],
        }
    )


def _coming(view: LaneView) -> Sequence[FreezePeriod]:
    return [period for period in view.lane.freeze_periods or () if period.end.date() >= view.today]


def _name(value: ExplainedValue) -> str:
    return f"{value.parameter} ({value.template})" if value.template else value.parameter


def _described(value: ExplainedValue) -> str:
    origin = value.origin
    if not origin.line:
        return origin.layer
    return f"{_place(origin)}  {origin.layer}: {'derived from ' if value.derived else ''}{origin.key}"


def _place(origin: Origin) -> str:
    return f"{one_line(origin.source)}:{origin.line}:{origin.column}"


def _place_of(fleet: FleetConfig, unit: UnresolvedUnit) -> str:
    line, column = fleet.document.place_of(unit.path)
    return f"{one_line(fleet.source)}:{line}:{column}"


def _origin(origin: Origin) -> dict[str, Any]:
    return {
        "layer": origin.layer,
        "key": origin.key,
        "file": origin.source,
        "line": origin.line,
        "column": origin.column,
    }


def _span(period: FreezePeriod) -> str:
    return f"{period.start:%Y-%m-%dT%H:%MZ} to {period.end:%Y-%m-%dT%H:%MZ}"


def _json(value: dict[str, Any]) -> str:
    return json.dumps({"schema": 1, **value}, indent=2, sort_keys=True) + "\n"
