"""``patchgate calendar``: what runs when in every lane, as a table, JSON, or a file for calendar programs."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import click

from patchgate.cli.check import read_parameters
from patchgate.cli.instants import read_schedule_start
from patchgate.cli.output import check_writable, replace_file
from patchgate.cli.units import unit_option
from patchgate.errors import InputError

if TYPE_CHECKING:
    from patchgate.config import FleetConfig, ParameterOverride
    from patchgate.operations.calendar import Entry, Kind


@click.command()
@click.argument("fleet", type=click.Path(path_type=Path), required=False)
@click.option("--start", callback=read_schedule_start, metavar="DATE", help="The first day, UTC. [default: today]")
@click.option("--days", type=click.IntRange(1, 3660), default=31, show_default=True, help="How many days.")
@click.option("--lane", "pattern", default="*", show_default=True, metavar="LANES", help="Only lanes that match.")
@click.option(
    "--only",
    "kinds",
    multiple=True,
    type=click.Choice(["backup", "gate", "window", "close"]),
    help="Only these runs. May be repeated. [default: all]",
)
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    callback=read_parameters,
    metavar="NAME=VALUE",
    help="A template parameter for all lanes, or LANES:NAME=VALUE for those that match. May be repeated.",
)
@unit_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "ics"]),
    default="text",
    show_default=True,
    help="A table, one JSON object, or an iCalendar file (RFC 5545).",
)
@click.option(
    "-o", "--output-file", "target", type=click.Path(path_type=Path), metavar="FILE", help="Write it to a file."
)
def calendar(  # noqa: PLR0913 - one argument an option
    *,
    fleet: Path | None,
    start: datetime | None,
    days: int,
    pattern: str,
    kinds: tuple[Kind, ...],
    parameters: tuple[ParameterOverride, ...],
    units: dict[str, tuple[str, ...]],
    form: str,
    target: Path | None,
) -> int:
    """Show when backup, gate, window and close of every lane of FLEET run; without FLEET, of the sample fleet.

    Calendar programs and SSM Change Calendar import `--format ics`.
    """
    from patchgate.cli.clock import midnight, read_clock
    from patchgate.cli.sample import sample_directory
    from patchgate.config import read_fleet
    from patchgate.operations.calendar import KINDS, list_entries
    from patchgate.operations.deployment import settle_lanes
    from patchgate.operations.parameter_values import check_parameter_values

    if target is not None:
        check_writable(target)
    read = read_fleet(fleet or sample_directory() / "fleet.yaml").with_units(units)
    config: FleetConfig = read.with_parameters(parameters)
    lanes = [lane for lane in config.lanes() if fnmatchcase(lane.lane.name, pattern)]
    if not lanes:
        raise _no_lane(pattern, [lane.lane.name for lane in config.lanes()])
    check_parameter_values(lanes)
    begin = start or midnight(read_clock())
    until = begin + timedelta(days=days)
    entries = list_entries(settle_lanes(lanes, config.organization.id), begin, until, kinds or KINDS)
    text = _render(entries, begin, until, form)
    if target is None:
        sys.stdout.write(text)
    else:
        replace_file(target, text)
    return 0


def _no_lane(pattern: str, names: list[str]) -> InputError:
    from patchgate.config import describe_choices

    return InputError(f"no lane matches '{pattern}'", remedy=describe_choices(pattern, names))


def _render(entries: list[Entry], start: datetime, until: datetime, form: str) -> str:
    from patchgate.cli.console import describe_terminal
    from patchgate.report.calendar import (
        CHANGE_CALENDAR_BYTES,
        render_calendar_ics,
        render_calendar_json,
        render_calendar_text,
    )

    if form == "ics":
        if not entries:
            raise InputError(
                f"nothing runs from {start:%Y-%m-%d} to {until:%Y-%m-%d}: an iCalendar file needs an event",
                remedy="give more --days, or another --start",
            )
        text = render_calendar_ics(entries, start)
        if len(text.encode()) > CHANGE_CALENDAR_BYTES:
            sys.stderr.write(
                f"patchgate: {len(text.encode()) // 1024} KB: SSM Change Calendar takes 64 KB in all; "
                "name fewer lanes, days or kinds\n"
            )
        return text
    if form == "json":
        return render_calendar_json(entries, start, until)
    terminal = describe_terminal(sys.stdout, os.environ)
    return render_calendar_text(entries, color=terminal.color, ascii_only=terminal.ascii_only)
