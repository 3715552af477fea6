"""The option that says which accounts an organizational unit has, for what works without AWS."""

from __future__ import annotations

import re

import click


def read_units(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    """Every ``ID=ACCOUNT,...`` as unit id -> account ids; click.BadParameter for anything else."""
    units: dict[str, tuple[str, ...]] = {}
    for value in values:
        if not re.fullmatch(r"[a-z0-9-]+=([0-9]{12}(,[0-9]{12})*)?", value):
            raise click.BadParameter(f"'{value}' is not ID=ACCOUNT,..., such as ou-ab12-cdef3456=111111111111.")
        unit, _, listed = value.partition("=")
        units[unit] = (*units.get(unit, ()), *(account for account in listed.split(",") if account))
    return units


unit_option = click.option(
    "--unit",
    "units",
    multiple=True,
    callback=read_units,
    metavar="ID=ACCOUNT,...",
    help="The accounts of an organizational unit of FLEET, which only AWS knows. May be repeated.",
)
