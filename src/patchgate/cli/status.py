"""``patchgate status``: how every lane of a fleet is, and what needs a person."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import click

from patchgate.cli.console import Progress, describe_terminal
from patchgate.cli.installed import require_sdk
from patchgate.cli.rollout_options import member_role_option, profile_option
from patchgate.errors import InputError

if TYPE_CHECKING:
    from patchgate.operations.status.fleet import FleetStatus

EVERY_SECONDS = 30
_HOME, _TO_LINE_END, _TO_SCREEN_END = "\x1b[H", "\x1b[K", "\x1b[J"
_CLEAR = "\x1b[2J"


@click.command()
@click.argument("fleet", type=click.Path(path_type=Path), default="fleet.yaml")
@click.option("--lane", "pattern", default="*", show_default=True, metavar="LANES", help="Only lanes that match.")
@click.option(
    "--watch",
    type=click.IntRange(5, 86_400),
    is_flag=False,
    flag_value=EVERY_SECONDS,
    metavar="[SECONDS]",
    help=f"Read it again and again, every {EVERY_SECONDS} seconds unless said; Ctrl-C ends it.",
)
@profile_option
@member_role_option
@click.option(
    "--output",
    type=click.Choice(["text", "json", "openmetrics"]),
    default="text",
    show_default=True,
    help="A screen for people, one JSON object, or metrics (OpenMetrics).",
)
def status(
    *, fleet: Path, pattern: str, watch: int | None, profile: str | None, member_role: str | None, output: str
) -> int:
    """Show how every lane of the fleet file FLEET is: what is deployed, when it runs next, how its last cycle went.

    Reads stacks, windows, leases, evidence and patch states, and changes nothing. The time is AWS's own.

    Exits with 3 when a window is enabled without a lease, and with 1 when something else needs a person: a stack that
    is missing, failed or drifted, a gate that held or did not decide, instances that were let in and not patched, a
    lane that cannot be read.
    """
    require_sdk()
    if watch is not None:
        if output != "text":
            raise click.UsageError("--watch is for people: leave --output out.")
        if not describe_terminal(sys.stdout, os.environ).interactive:
            raise click.UsageError("--watch needs a terminal; run it from a timer instead.")
    read = _reader(fleet, pattern, profile, member_role)
    if watch is not None:
        return _watch(read, watch)
    with Progress(sys.stderr, describe_terminal(sys.stderr, os.environ)) as progress:
        found = read(progress.show)
    sys.stdout.write(_render(found, output))
    return found.exit_code


def _reader(
    path: Path, pattern: str, profile: str | None, member_role: str | None
) -> Callable[[Callable[[str], None]], FleetStatus]:
    """What reads the status anew, whenever it is called."""
    from patchgate.aws.accounts import fan_out
    from patchgate.aws.lane_status import LaneReader, read_time
    from patchgate.cli.clock import read_exact_clock
    from patchgate.cli.rollout import home_region, reach_aws, read_fleet_file
    from patchgate.config import describe_choices
    from patchgate.operations.status.expected import list_expected, resolve_units
    from patchgate.operations.status.fleet import FleetStatus, read_status

    config = read_fleet_file(path, member_role)
    reach = reach_aws(config.deployment.member_role, home_region(config), profile)
    config = resolve_units(config, reach.reader)
    reader = LaneReader(reach.accounts.client)

    def read(tell: Callable[[str], None]) -> FleetStatus:
        caller = reach.accounts.caller().account
        now = read_time(reach.accounts.client, caller, home_region(config), read_exact_clock)
        expected = list_expected(config, now.date())
        chosen = [each for each in expected if fnmatchcase(each.lane.name, pattern)]
        if not chosen:
            remedy = describe_choices(pattern, [each.lane.name for each in expected])
            raise InputError(f"no lane matches '{pattern}'", remedy=remedy)
        tell(f"reading {len(chosen)} lanes")
        lanes = read_status(chosen, reader, now, fan_out)
        return FleetStatus(config.source, config.organization.id, now, lanes)

    return read


def _render(found: FleetStatus, output: str) -> str:
    from patchgate.report.openmetrics import render_status_openmetrics
    from patchgate.report.status import render_status_json, render_status_text

    if output == "json":
        return render_status_json(found)
    if output == "openmetrics":
        return render_status_openmetrics(found)
    terminal = describe_terminal(sys.stdout, os.environ)
    return render_status_text(found, width=terminal.width, color=terminal.color, ascii_only=terminal.ascii_only)


def _watch(read: Callable[[Callable[[str], None]], FleetStatus], seconds: int) -> int:
    """Draw it in place until Ctrl-C; the exit code of what was drawn last."""
    from patchgate.report.status import render_status_text

    code: int | None = None
    try:
        while True:
            found = read(lambda _: None)
            terminal = describe_terminal(sys.stdout, os.environ)
            text = render_status_text(
                found,
                width=terminal.width,
                color=terminal.color,
                ascii_only=terminal.ascii_only,
                height=shutil.get_terminal_size().lines - 1,
            )
            begin = _CLEAR + _HOME if code is None else _HOME
            sys.stdout.write(begin + text.replace("\n", f"{_TO_LINE_END}\n") + _TO_SCREEN_END)
            sys.stdout.flush()
            code = found.exit_code
            time.sleep(seconds)
    except KeyboardInterrupt:
        if code is None:
            raise
        return code
