"""``patchgate rehearse``: one run of the real templates and the real gate on the embedded AWS."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from patchgate.cli.campaign import (
    CampaignRequest,
    campaign_options,
    carry_out_campaign,
    is_campaign,
    refuse_beside_campaign,
    refuse_region_alone,
)
from patchgate.cli.console import Progress, describe_terminal
from patchgate.cli.installed import require_emulator
from patchgate.cli.instants import read_instant
from patchgate.cli.options import GivenPath, is_given
from patchgate.cli.output import check_writable, replace_file
from patchgate.cli.program import describe_program
from patchgate.cli.sample import sample_directory
from patchgate.cli.units import unit_option
from patchgate.errors import InputError, UnsafeError

if TYPE_CHECKING:
    from patchgate.config import FleetConfig, ParameterOverride
    from patchgate.rehearsal.engine import Engine
    from patchgate.rehearsal.outcome import RehearsalResult
    from patchgate.rehearsal.stage import DoorName, RuntimeName


@dataclass(frozen=True, slots=True)
class RehearsalRequest:
    """What to rehearse and what to show. ``fleet`` None is the sample; ``world`` None is the one beside the fleet."""

    fleet: Path | None = None
    world: Path | None = None
    seed: int = 0
    start: datetime | None = None
    cycles: int = 1
    lane: str | None = None
    output: str = "text"
    history: Path | None = None
    overrides: tuple[ParameterOverride, ...] = ()
    door: DoorName = "direct"
    endpoint: str | None = None
    runtime: RuntimeName = "fast"
    units: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_start(context: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
    """An instant that a rehearsal can begin at, as ``read_instant`` reads it."""
    instant = read_instant(context, parameter, value)
    if instant is None:
        return None
    from patchgate.rehearsal.cycles import describe_refused_start

    if refused := describe_refused_start(instant):
        raise click.BadParameter(f"{refused}.")
    return instant


def read_overrides(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[ParameterOverride, ...]:
    """Every ``LANES:NAME=VALUE``; click.BadParameter for anything else."""
    from patchgate.config import ParameterOverride

    try:
        return tuple(ParameterOverride.parse(value) for value in values)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None


runtime_option = click.option(
    "--runtime",
    type=click.Choice(["fast", "faithful"]),
    default="fast",
    show_default=True,
    help="How Lambda functions run: in this process, or each in its own under AWS's runtime client (Linux). "
    "The run is the same.",
)


@click.command()
@click.argument("fleet", type=GivenPath(), required=False)
@click.option(
    "--world",
    type=GivenPath(),
    metavar="DIR",
    help="What the rehearsal starts from: instances, volumes, faults. [default: world/ beside FLEET]",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The same seed, the same run.")
@click.option("--start", callback=read_start, metavar="DATE", help="When to begin, UTC. [default: the world's own]")
@click.option("--cycles", type=click.IntRange(min=1), default=1, show_default=True, help="How many patch cycles.")
@click.option("--lane", metavar="NAME", help="Show one lane's full timeline: account/Region/os/environment.")
@click.option(
    "--parameter",
    "overrides",
    multiple=True,
    callback=read_overrides,
    metavar="LANES:NAME=VALUE",
    help="A template parameter for the lanes that match, such as '*/prd:GateMode=threshold'. May be repeated.",
)
@unit_option
@click.option(
    "--output",
    type=click.Choice(["text", "json", "svg"]),
    default="text",
    show_default=True,
    help="A screen for people, or one JSON object.",
)
@click.option(
    "--door",
    type=click.Choice(["wire", "direct"]),
    default="direct",
    show_default="direct; wire with --runtime faithful",
    help="How the embedded AWS is reached: with AWS's own requests, or faster. The run is the same.",
)
@runtime_option
@click.option(
    "--endpoint-url",
    metavar="URL",
    help="Rehearse on the engine that runs there, such as patchgate emulator; what it holds is forgotten.",
)
@click.option("--history", type=GivenPath(), metavar="FILE", help="Write every event as JSON lines.")
@campaign_options
def rehearse(  # noqa: PLR0913 - one argument an option
    *,
    fleet: Path | None,
    world: Path | None,
    seed: int,
    start: datetime | None,
    cycles: int,
    lane: str | None,
    overrides: tuple[ParameterOverride, ...],
    units: dict[str, tuple[str, ...]],
    output: str,
    door: DoorName,
    runtime: RuntimeName,
    endpoint_url: str | None,
    history: Path | None,
    **campaign: Any,
) -> int:
    """Run a patch cycle of the fleet file FLEET on the embedded AWS, on a virtual clock.

    The three templates are deployed, then backups, gate, window and close happen as scheduled, and a judge reads the
    recorded history. Without FLEET, the sample is rehearsed. No AWS account is needed or touched.

    With --runs, --faults or --replay it is a campaign: short runs of one lane and a few machines each, with everything
    going wrong that the seed says; on the standard lanes, or on those of FLEET.

    Exits with 3 when a promise was broken.
    """
    refuse_region_alone()
    if is_campaign():
        refuse_beside_campaign()
        return carry_out_campaign(
            CampaignRequest(
                seed=seed, fleet=fleet, overrides=overrides, units=units, output=output, door=door, **campaign
            )
        )
    for option in ("door", "runtime"):
        if endpoint_url is not None and is_given(option):
            raise click.UsageError(f"--{option} is for the engine of this process: leave it out with --endpoint-url.")
    if runtime == "faithful":
        if is_given("door") and door != "wire":
            raise click.UsageError(
                "--runtime faithful needs --door wire: functions in processes of their own speak HTTP."
            )
        door = "wire"
    request = RehearsalRequest(
        fleet, world, seed, start, cycles, lane, output, history, overrides, door, endpoint_url, runtime, units
    )
    return carry_out(request)


def carry_out(request: RehearsalRequest) -> int:
    """Run what was asked for, print it on standard output, and return the exit code: 0, or 3 for a broken promise."""
    require_emulator()
    require_runtime(request.runtime)
    from patchgate.config import read_fleet

    fleet_path = request.fleet or sample_directory() / "fleet.yaml"
    fleet = read_fleet(fleet_path).with_units(request.units).with_parameters(request.overrides)
    world_path = locate_world(request.world, fleet_path)
    check_lane(request.lane, fleet)
    if request.history is not None:
        check_writable(request.history)
    result = replace(_run(fleet, world_path, request), fleet=str(request.fleet or "the sample fleet"))
    if request.history is not None:
        replace_file(request.history, result.history)
    sys.stdout.write(_render(result, request))
    return 0 if result.held else UnsafeError.exit_code


def require_runtime(runtime: RuntimeName) -> None:
    """Raise MissingExtraError when what the runtime needs is not installed."""
    if runtime == "faithful":
        from patchgate.emulator.faithful.runtime import require_runtime_client

        require_runtime_client()


def locate_world(named: Path | None, fleet: Path) -> Path:
    """The world's directory: the named one, else ``world/`` beside the fleet file. InputError when there is none."""
    world = named or fleet.parent / "world"
    if not world.is_dir():
        remedy = "" if named else "name one with --world DIR; the sample's is examples/world"
        raise InputError(f"there is no world directory {world}", remedy=remedy)
    return world


def describe_request(request: RehearsalRequest, program: str) -> str:
    """The command that rehearses the same again, as a POSIX shell takes it; without ``--lane`` and what it writes."""
    words = ["rehearse"]
    if request.fleet is not None:
        words.append(str(request.fleet))
    if request.world is not None:
        words += ["--world", str(request.world)]
    if request.seed:
        words += ["--seed", str(request.seed)]
    if request.start is not None:
        words += ["--start", request.start.isoformat().replace("+00:00", "Z")]
    if request.endpoint is not None:
        words += ["--endpoint-url", request.endpoint]
    if request.cycles > 1:
        words += ["--cycles", str(request.cycles)]
    for override in request.overrides:
        words += ["--parameter", f"{override.lanes}:{override.name}={override.value}"]
    for unit, accounts in request.units.items():
        words += ["--unit", f"{unit}={','.join(accounts)}"]
    return f"{program} {shlex.join(words)}"


def check_lane(name: str | None, fleet: FleetConfig) -> None:
    """Raise InputError when the fleet has no lane of that name."""
    from patchgate.config import describe_choices

    names = [lane.lane.name for lane in fleet.lanes()]
    if name is not None and name not in names:
        raise InputError(f"no lane is called '{name}'", remedy=describe_choices(name, names))


def _run(fleet: FleetConfig, world_path: Path, request: RehearsalRequest) -> RehearsalResult:
    from patchgate.rehearsal.run import run_rehearsal
    from patchgate.rehearsal.worlds import read_world

    world = read_world(world_path)
    with Progress(sys.stderr, describe_terminal(sys.stderr, os.environ)) as progress:
        return run_rehearsal(
            fleet,
            world,
            seed=request.seed,
            start=request.start,
            cycles=request.cycles,
            progress=progress.show,
            contrast=request.lane is None,
            engine=_engine_of(request),
        )


def _engine_of(request: RehearsalRequest) -> Engine:
    if request.endpoint is None:
        from patchgate.rehearsal.stage import EmbeddedEngine

        return EmbeddedEngine(request.door, request.runtime)
    from patchgate.rehearsal.endpoint import EndpointEngine

    return EndpointEngine(request.endpoint)


def _render(result: RehearsalResult, request: RehearsalRequest) -> str:
    from patchgate.report.rehearsal_json import render_rehearsal_json
    from patchgate.report.rehearsal_svg import render_rehearsal_svg
    from patchgate.report.rehearsal_text import render_rehearsal_text

    if request.output == "json":
        return render_rehearsal_json(result)
    if request.output == "svg":
        return render_rehearsal_svg(result, command=describe_request(request, "patchgate"))
    terminal = describe_terminal(sys.stdout, os.environ)
    return render_rehearsal_text(
        result,
        width=terminal.width,
        color=terminal.color,
        ascii_only=terminal.ascii_only,
        lane=request.lane,
        command=describe_request(request, describe_program(sys.argv[0], Path.cwd())),
    )
