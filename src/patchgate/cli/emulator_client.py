"""``patchgate emulator clock`` and ``history``: the control endpoints of a running server, without curl."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from typing import TYPE_CHECKING

import click

from patchgate.cli.instants import read_instant

if TYPE_CHECKING:
    from patchgate.emulator.endpoint.client import EngineClient
    from patchgate.emulator.protocol import ClockReading

DEFAULT_URL = "http://127.0.0.1:4566"

_endpoint = click.option(
    "--endpoint-url",
    metavar="URL",
    help=f"Where the server is. [default: $AWS_ENDPOINT_URL, or {DEFAULT_URL}]",
)


@click.command()
@_endpoint
@click.option("--until", callback=read_instant, metavar="DATE", help="Move the clock to this instant, UTC.")
@click.option("--advance", metavar="DURATION", help="Move the clock by seconds, or ISO 8601 such as PT2H30M or P1D.")
@click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Lines for people, or one JSON object.",
)
def clock(*, endpoint_url: str | None, until: datetime | None, advance: str | None, output: str) -> int:
    """Read the clock of a running server, or move it: everything that is due on the way happens.

    Prints the time there, when the next event is due, and how many records the history has.
    """
    if until is not None and advance is not None:
        raise click.UsageError("--until and --advance are two ways to say the same: give one.")
    client = connect(endpoint_url)
    if until is not None:
        reading = client.advance_to(until)
    elif advance is not None:
        reading = client.advance_by(_duration(advance))
    else:
        reading = client.read_clock()
    sys.stdout.write(json.dumps(reading.to_json()) + "\n" if output == "json" else _describe(reading))
    return 0


@click.command()
@_endpoint
@click.option(
    "--from", "start", type=click.IntRange(min=0), default=0, show_default=True, help="The first record's seq."
)
@click.option("--event", "events", multiple=True, metavar="NAME", help="Only records of this event. May be repeated.")
def history(*, endpoint_url: str | None, start: int, events: tuple[str, ...]) -> int:
    """Print the recorded history of a running server, as JSON lines."""
    for line in connect(endpoint_url).read_history(start).splitlines(keepends=True):
        if not events or json.loads(line)["event"] in events:
            sys.stdout.write(line)
    return 0


def connect(url: str | None) -> EngineClient:
    """The server at a URL, or where the environment says; InputError when none is there."""
    from patchgate.emulator.endpoint.client import EngineClient

    client = EngineClient(url or os.environ.get("AWS_ENDPOINT_URL") or DEFAULT_URL)
    client.greet()
    return client


def _duration(text: str) -> str | float:
    """Seconds where it is a number; otherwise the server reads it."""
    try:
        return float(text)
    except ValueError:
        return text


def _describe(reading: ClockReading) -> str:
    upcoming = "nothing is planned" if reading.next_event is None else reading.next_event.isoformat()
    lines = {"now": reading.now.isoformat(), "next event": upcoming, "recorded": f"{reading.recorded} records"}
    return "".join(f"{name:<11} {said}\n" for name, said in lines.items())
