"""``patchgate emulator``: the embedded AWS over HTTP, for the AWS CLI, boto3 and other people's tools."""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from patchgate.cli.rehearse import read_start, require_emulator
from patchgate.errors import InputError

if TYPE_CHECKING:
    from patchgate.emulator.cloud import Cloud
    from patchgate.rehearsal.worlds import World

DEFAULT_PORT = 4566
DEFAULT_REGION = "us-east-1"
SECRET = "patchgate"  # noqa: S105 - any is taken


def read_organization(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """The id of an organization; click.BadParameter for anything else."""
    if not re.fullmatch(r"o-[a-z0-9]{10,32}", value):
        raise click.BadParameter(f"'{value}' is not an organization's id such as o-a1b2c3d4e5.")
    return value


def read_account(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """The id of an account; click.BadParameter for anything else."""
    if not re.fullmatch(r"[0-9]{12}", value):
        raise click.BadParameter(f"'{value}' is not an account's id of 12 digits.")
    return value


@click.command()
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
    default="999999999999",
    show_default=True,
    callback=read_account,
    metavar="ID",
    help="The account that manages the organization.",
)
def emulator(
    *,
    port: int,
    host: str,
    world: Path | None,
    seed: int,
    start: datetime | None,
    organization: str,
    management_account: str,
) -> int:
    """Serve the embedded AWS over HTTP until Ctrl-C, for tools that take an endpoint URL.

    Prints what to export: any access key is taken, and one that ends with the 12 digits of an account (such as
    AKIA111122223333) is of that account. The clock stands still until it is moved: see /_patchgate/clock.
    Nothing is kept when it stops, which Ctrl-C does, with exit code 0.
    """
    require_emulator()
    from patchgate.emulator.organizations import Organization, OrganizationAccount
    from patchgate.emulator.server import CloudHost, EmulatorServer, HostSettings
    from patchgate.emulator.wire.identity import DEFAULT_ACCOUNT
    from patchgate.rehearsal.stage import DEFAULT_START
    from patchgate.rehearsal.worlds import World, read_world

    found = World(None, ()) if world is None else read_world(world)
    account, region = next(((g.account, g.region) for g in found.groups), (DEFAULT_ACCOUNT, DEFAULT_REGION))
    begin = start or found.start or DEFAULT_START
    members = sorted({group.account for group in found.groups})
    estate = Organization(
        organization, management_account, accounts=tuple(OrganizationAccount(member, member) for member in members)
    )
    cloud = CloudHost(HostSettings(begin, seed, estate, account), WorldLoader(found, begin))
    with EmulatorServer.bind(host, port, cloud) as server, cloud:
        if not is_loopback(host):
            sys.stderr.write(f"warning: {host} is no loopback address; whoever reaches it can run code here\n")
        sys.stderr.write(f"the embedded AWS is at {server.url}; it is {begin.isoformat()} there; Ctrl-C stops it\n")
        settings = describe_settings(server.url, account, region)
        sys.stdout.write("".join(f"{line}\n" for line in settings))
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


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches that address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class WorldLoader:
    """emulator.server.WorldSource of world files."""

    def __init__(self, world: World, start: datetime) -> None:
        self._world = world
        self._start = start

    def populate(self, cloud: Cloud) -> None:
        """The world of ``--world``."""
        from patchgate.rehearsal.stage import populate

        populate(cloud, self._world, self._start)

    def load(self, cloud: Cloud, text: bytes) -> int:
        """A world file's machines, beginning now: hours of what befalls them count from the present instant."""
        from patchgate.emulator.cloud import Scope
        from patchgate.emulator.ec2 import Ec2
        from patchgate.rehearsal.stage import populate
        from patchgate.rehearsal.worlds import parse_world

        world = parse_world(text, "world")
        ec2 = cloud.component(Ec2)
        placed = list(world.instances(cloud.now))
        for entry in placed:
            if entry.spec.instance_id in ec2.region(Scope(entry.account, entry.region)).instances:
                place = f"{entry.account}/{entry.region}"
                raise InputError(f"instance '{entry.spec.name}' of {place} is there already")
        populate(cloud, world, cloud.now)
        return len(placed)
