"""``patchgate config``: what a fleet file comes to, where each value was said, and the schema for editors."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from patchgate.cli.instants import read_schedule_start
from patchgate.cli.output import check_writable, replace_file
from patchgate.cli.units import unit_option
from patchgate.errors import InputError

if TYPE_CHECKING:
    from patchgate.config import FleetConfig, LaneConfig
    from patchgate.report.fleet_config import FleetView, LaneView


@click.group()
def config() -> None:
    """Show what a fleet file comes to, and print its JSON Schema."""


@config.command()
@click.argument("fleet", type=click.Path(path_type=Path), default="fleet.yaml")
@click.option("--lane", metavar="NAME", help="One lane, with the origin of every value: account/Region/os/environment.")
@click.option("--all", "every", is_flag=True, help="With --lane: also what has the template's default.")
@click.option("--on", "day", callback=read_schedule_start, metavar="DATE", help="The day, UTC. [default: today]")
@unit_option
@click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="A screen for people, or one JSON object.",
)
def show(
    *,
    fleet: Path,
    lane: str | None,
    every: bool,
    day: datetime | None,
    units: dict[str, tuple[str, ...]],
    output: str,
) -> int:
    """Check the fleet file FLEET and show its lanes.

    Every problem of the file is told at once. With --lane: every template parameter of one lane, and the line that gave
    it. Nothing is asked of AWS.
    """
    from patchgate.cli.clock import read_clock
    from patchgate.config import read_fleet
    from patchgate.operations.deployment import settle_lanes

    today = (day or read_clock()).date()
    known = read_fleet(fleet).with_units(units)
    lanes = known.lanes(today=today, partial=True)
    settled = settle_lanes(lanes, known.organization.id)
    if lane is None:
        from patchgate.report.fleet_config import FleetView

        waves = known.waves(today=today, partial=True)
        text = _render_fleet(FleetView(known, today, waves, known.unresolved()), output)
    else:
        from patchgate.operations.explanation import explain_lane
        from patchgate.report.fleet_config import LaneView

        number = _number_of(lane, lanes, known)
        values = explain_lane(known, lanes[number], settled[number])
        text = _render_lane(LaneView(known, today, lanes[number], values), output, every=every)
    sys.stdout.write(text)
    return 0


@config.command()
@click.option(
    "-o", "--output-file", "target", type=click.Path(path_type=Path), metavar="FILE", help="Write it to a file."
)
def schema(*, target: Path | None) -> int:
    """Print the JSON Schema of the fleet file (draft 2020-12).

    Written beside a fleet file as fleet.schema.json, it lets editors complete and check the keys while one types.
    """
    from patchgate.config.schema import render_schema

    if target is None:
        sys.stdout.write(render_schema())
    else:
        check_writable(target)
        replace_file(target, render_schema())
    return 0


def _number_of(name: str, lanes: tuple[LaneConfig, ...], fleet: FleetConfig) -> int:
    from patchgate.config import describe_choices

    names = [each.lane.name for each in lanes]
    if name in names:
        return names.index(name)
    remedy = describe_choices(name, names)
    if unresolved := fleet.unresolved():
        units = ", ".join(each.id for each in unresolved)
        remedy = f"{remedy}; " * bool(remedy) + f"the accounts of {units} are not known: give them with --unit"
    raise InputError(f"no lane is called '{name}'", remedy=remedy)


def _render_fleet(view: FleetView, output: str) -> str:
    from patchgate.cli.console import describe_terminal
    from patchgate.report.fleet_config import render_fleet_json, render_fleet_text

    if output == "json":
        return render_fleet_json(view)
    terminal = describe_terminal(sys.stdout, os.environ)
    return render_fleet_text(view, color=terminal.color, ascii_only=terminal.ascii_only)


def _render_lane(view: LaneView, output: str, *, every: bool) -> str:
    from patchgate.cli.console import describe_terminal
    from patchgate.report.fleet_config import render_lane_json, render_lane_text

    if output == "json":
        return render_lane_json(view)
    terminal = describe_terminal(sys.stdout, os.environ)
    return render_lane_text(view, color=terminal.color, ascii_only=terminal.ascii_only, every=every)
