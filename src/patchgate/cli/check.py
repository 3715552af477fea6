"""``patchgate check``: proves that backup, gate, window and close of every lane line up, years ahead."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from patchgate.cli.capacity import count_instances, install_minutes_option, instances_option
from patchgate.cli.instants import read_schedule_start
from patchgate.cli.units import unit_option
from patchgate.errors import UnsafeError

if TYPE_CHECKING:
    from patchgate.config import FleetConfig, ParameterOverride
    from patchgate.operations.check import CheckResult

SHIPPED_DEFAULTS = "the shipped defaults"


def read_parameters(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[ParameterOverride, ...]:
    """Every ``NAME=VALUE``, for all lanes, or ``LANES:NAME=VALUE``; click.BadParameter for anything else."""
    from patchgate.config import ParameterOverride

    try:
        return tuple(
            ParameterOverride.parse(value if ":" in value.partition("=")[0] else f"*:{value}") for value in values
        )
    except ValueError:
        message = "give NAME=VALUE, such as MaintenanceWindowDuration=4, or LANES:NAME=VALUE."
        raise click.BadParameter(message) from None


@click.command()
@click.argument("fleet", type=click.Path(path_type=Path), required=False)
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    callback=read_parameters,
    metavar="NAME=VALUE",
    help="A template parameter instead of the default; with FLEET also LANES:NAME=VALUE. May be repeated.",
)
@click.option(
    "--years", type=click.IntRange(1, 100), default=10, show_default=True, help="How far ahead the order is proved."
)
@click.option("--start", callback=read_schedule_start, metavar="DATE", help="From when on, UTC. [default: today]")
@click.option("--allow-idle", is_flag=True, help="Accept gates, backups and closes that belong to no window.")
@instances_option
@unit_option
@install_minutes_option
@click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="A screen for people, or one JSON object.",
)
def check(  # noqa: PLR0913 - one argument an option
    *,
    fleet: Path | None,
    parameters: tuple[ParameterOverride, ...],
    years: int,
    start: datetime | None,
    allow_idle: bool,
    instances: tuple[tuple[str, int], ...],
    units: dict[str, tuple[str, ...]],
    install_minutes: int,
    output: str,
) -> int:
    """Prove that backup, gate, window and close of every lane line up, years ahead.

    With the fleet file FLEET, its lanes; without, the templates' defaults in every Region. Daylight saving is counted
    in, and where AWS does not say what it does at a clock change, the order must hold whatever it does.

    Exits with 3 when the order is broken.
    """
    from patchgate.cli.clock import midnight, read_clock

    begin = start or midnight(read_clock())
    if fleet is None:
        if instances:
            raise click.UsageError("--instances needs a fleet file.")
        if units:
            raise click.UsageError("--unit needs a fleet file.")
        result = _check_defaults(parameters, begin, years, allow_idle=allow_idle)
    else:
        config = _read_fleet(fleet, units, parameters)
        result = _check_fleet(config, begin, years, instances, install_minutes, allow_idle=allow_idle)
    subject = str(fleet) if fleet else describe_defaults(parameters)
    sys.stdout.write(_render(result, subject, output))
    return 0 if result.holds else UnsafeError.exit_code


def describe_defaults(parameters: tuple[ParameterOverride, ...]) -> str:
    """What is proved without a fleet file."""
    given = ", ".join(f"{each.name}={each.value}" for each in parameters)
    return f"{SHIPPED_DEFAULTS} with {given}" if given else SHIPPED_DEFAULTS


def _check_defaults(
    parameters: tuple[ParameterOverride, ...], start: datetime, years: int, *, allow_idle: bool
) -> CheckResult:
    from patchgate.operations.check import check_defaults

    if any(each.lanes != "*" for each in parameters):
        raise click.UsageError("without a fleet file there are no lanes: give NAME=VALUE.")
    return check_defaults({each.name: each.value for each in parameters}, start, years, allow_idle=allow_idle)


def _read_fleet(
    path: Path, units: dict[str, tuple[str, ...]], parameters: tuple[ParameterOverride, ...]
) -> FleetConfig:
    from patchgate.config import read_fleet

    return read_fleet(path).with_units(units).with_parameters(parameters)


def _check_fleet(
    fleet: FleetConfig,
    start: datetime,
    years: int,
    instances: tuple[tuple[str, int], ...],
    install_minutes: int,
    *,
    allow_idle: bool,
) -> CheckResult:
    from patchgate.operations.check import CapacityFacts, check_lanes

    lanes = fleet.lanes()
    counts = count_instances([lane.lane.name for lane in lanes], instances)
    facts = CapacityFacts(counts, install_minutes=install_minutes)
    return check_lanes(lanes, fleet.organization.id, start, years, facts=facts, allow_idle=allow_idle)


def _render(result: CheckResult, subject: str, output: str) -> str:
    from patchgate.cli.console import describe_terminal
    from patchgate.report.order import render_order_json, render_order_text

    if output == "json":
        return render_order_json(result, subject=subject)
    terminal = describe_terminal(sys.stdout, os.environ)
    return render_order_text(
        result, subject=subject, width=terminal.width, color=terminal.color, ascii_only=terminal.ascii_only
    )
