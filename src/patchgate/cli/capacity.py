"""The options that say how many instances lanes have, for what only they decide: whether all fit into their windows."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

import click

from patchgate.errors import InputError


def read_instances(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, int], ...]:
    """Every ``LANES:COUNT`` as (pattern, count); click.BadParameter for anything else."""
    found = []
    for value in values:
        lanes, _, count = value.rpartition(":")
        if not re.fullmatch("[0-9]{1,7}", count):
            raise click.BadParameter(f"'{value}' is not LANES:COUNT, such as '*/ubuntu/*:400'.")
        found.append((lanes or "*", int(count)))
    return tuple(found)


def count_instances(lanes: list[str], instances: tuple[tuple[str, int], ...]) -> dict[str, int]:
    """lane name -> number of instances, the last matching pattern wins; InputError for a pattern without a lane."""
    from patchgate.config import describe_choices

    counts: dict[str, int] = {}
    for pattern, count in instances:
        matching = [name for name in lanes if fnmatchcase(name, pattern)]
        if not matching:
            raise InputError(f"no lane matches '{pattern}'", remedy=describe_choices(pattern, lanes))
        counts |= dict.fromkeys(matching, count)
    return counts


instances_option = click.option(
    "--instances",
    multiple=True,
    callback=read_instances,
    metavar="LANES:COUNT",
    help="How many instances each matching lane of FLEET has: proves the capacity too. May be repeated.",
)

install_minutes_option = click.option(
    "--install-minutes",
    type=click.IntRange(1, 1440),
    default=30,
    show_default=True,
    help="How long one install takes, for the capacity.",
)
