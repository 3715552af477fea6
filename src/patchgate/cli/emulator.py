"""``patchgate emulator``: the embedded AWS over HTTP, for the AWS CLI, boto3 and other people's tools.

Without a command below it, it serves; ``clock`` and ``history`` (``emulator_client``) ask a server that runs.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from patchgate.cli.emulator_client import clock, history
from patchgate.cli.installed import require_emulator
from patchgate.cli.options import is_given
from patchgate.cli.rehearse import read_start, require_runtime, runtime_option

if TYPE_CHECKING:
    from patchgate.rehearsal.stage import RuntimeName

DEFAULT_PORT = 4566
DEFAULT_REGION = "us-east-1"
SECRET = "patchgate"  # noqa: S105 - any is taken


def read_organization(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """The id of an organization; click.BadParameter for anything else."""
    if not re.fullmatch(r"o-[a-z0-9]{10,32}", value):
        raise click.BadParameter(f"'{value}' is not an organization's id such as o-a1b2c3d4e5.")
    return value


def read_account(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """The id of an account; click.BadParameter for anything else."""
    if value is not None and not re.fullmatch(r"[0-9]{12}", value):
        raise click.BadParameter(f"'{value}' is not an account's id of 12 digits.")
    return value


@click.group(invoke_without_command=True)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Where to listen; 0 takes a free port.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--world",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="The instances to begin with, as for rehearse. [default: none]",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The same seed, the same AWS.")
@click.option("--start", callback=read_start, metavar="DATE", help="What time it is, UTC. [default: the world's own]")
@click.option(
    "--organization",
    default="o-a1b2c3d4e5",
    show_default=True,
    callback=read_organization,
    metavar="ID",
    help="The organization that all accounts of the world are in.",
)
@click.option(
    "--management-account",
    callback=read_account,
    metavar="ID",
    help="The account that manages the organization. [default: the world's own, or 999999999999]",
)
@runtime_option
@click.pass_context
def emulator(  # noqa: PLR0913 - one argument an option
    context: click.Context,
    *,
    port: int,
    host: str,
    world: Path | None,
    seed: int,
    start: datetime | None,
    organization: str,
    management_account: str | None,
    runtime: RuntimeName,
) -> int:
    """Serve the embedded AWS over HTTP until Ctrl-C, for tools that take an endpoint URL.

    Prints what to export: any access key is taken, and one that ends with the 12 digits of an account (such as
    AKIA111122223333) is of that account. The clock stands still until patchgate emulator clock moves it.
    Nothing is kept when it stops, which Ctrl-C does, with exit code 0.
    """
    if context.invoked_subcommand is not None:
        given = [parameter.opts[0] for parameter in context.command.params if is_given(str(parameter.name))]
        if given:
            raise click.UsageError(f"{given[0]} starts a server; {context.invoked_subcommand} asks one that runs.")
        return 0
    require_emulator()
    require_runtime(runtime)
    from patchgate.emulator.endpoint.client import is_loopback
    from patchgate.emulator.faithful.runtime import FaithfulRuntime
    from patchgate.emulator.garbage import rare_collections
    from patchgate.emulator.server import CloudHost, EmulatorServer, HostSettings
    from patchgate.rehearsal.serving import ServedWorlds, first_account
    from patchgate.rehearsal.stage import DEFAULT_START, organization_of
    from patchgate.rehearsal.worlds import World, read_world

    found = World(None, ()) if world is None else read_world(world)
    if management_account is not None:
        found = found.managed_by(management_account)
    account, region = first_account(found), next((group.region for group in found.groups), DEFAULT_REGION)
    begin = start or found.start or DEFAULT_START
    settings = HostSettings(begin, seed, organization_of(found, organization), account)
    cloud = CloudHost(settings, ServedWorlds(found, begin), runtime=FaithfulRuntime if runtime == "faithful" else None)
    with rare_collections(), EmulatorServer.bind(host, port, cloud) as server, cloud:
        if not is_loopback(host):
            sys.stderr.write(f"warning: {host} is no loopback address; whoever reaches it can run code here\n")
        sys.stderr.write(f"the embedded AWS is at {server.url}; it is {begin.isoformat()} there; Ctrl-C stops it\n")
        exports = describe_settings(server.url, account, region)
        sys.stdout.write("".join(f"{line}\n" for line in exports))
        sys.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            sys.stderr.write("stopped\n")
    return 0


def describe_settings(url: str, account: str, region: str, platform: str = os.name) -> Iterator[str]:
    """The lines that point AWS tools here, as the platform's usual shell takes them."""
    form = '$env:{0} = "{1}"' if platform == "nt" else "export {0}={1}"
    for name, value in (
        ("AWS_ENDPOINT_URL", url),
        ("AWS_ACCESS_KEY_ID", f"AKIA{account}"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_DEFAULT_REGION", region),
    ):
        yield form.format(name, value)


emulator.add_command(clock)
emulator.add_command(history)
