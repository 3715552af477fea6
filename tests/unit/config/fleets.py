"""A small fleet file for tests, with room for what a test is about."""

from __future__ import annotations

from datetime import date

import pytest

from patchgate.config import FleetConfig, LaneConfig, parse_fleet
from patchgate.errors import InputError

TODAY = date(2026, 11, 1)

FLEET = """\
version: 1
organization: {id: o-a1b2c3d4e5, log_account: web}
accounts:
  - {id: "111111111111", name: web}
  - {id: "222222222222", name: payments}
"""
TARGET = "  - {accounts: [web], regions: [eu-central-1], operating_systems: [ubuntu], environments: [prd]%s}\n"


def fleet_of(rest: str = "", targets: str = TARGET % "") -> FleetConfig:
    """The fleet with further keys of the file, and with other targets than the one lane web/eu-central-1/ubuntu/prd."""
    return parse_fleet(f"{FLEET}{rest}targets:\n{targets}".encode(), "f.yaml")


def lane_of(rest: str = "", target: str = "", today: date | None = TODAY) -> LaneConfig:
    """The only lane of the fleet, with further keys of the file and of the target."""
    (lane,) = fleet_of(rest, TARGET % (f", {target}" if target else "")).lanes(today=today)
    return lane


def defaults(text: str) -> str:
    """The file's defaults in one line, as the text stands between braces."""
    return f"defaults: {{{text}}}\n"


def problems_of(rest: str = "", targets: str = TARGET % "") -> list[str]:
    """Every problem of the fleet, as people see it."""
    with pytest.raises(InputError) as refused:
        fleet_of(rest, targets)
    assert refused.value.exit_code == 2
    return [str(problem) for problem in refused.value.problems]
