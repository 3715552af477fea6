"""The catalogue of operating systems: families, and a patch baseline for each SSM ``OperatingSystem`` of a family.

Read from ``data/operating-systems.toml``; a new operating system is an entry there and nothing else.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

Platform = Literal["Linux", "Windows"]


@dataclass(frozen=True, slots=True)
class Baseline:
    """One patch baseline of a family: the nodes of one SSM ``OperatingSystem``.

    ``filters`` maps a PatchFilter key to its values, in the order in which they are written;
    ``parameter`` is the template parameter whose default is ``products``.
    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PatchFilter.html
    """

    logical_id: str
    name: str
    operating_system: str
    parameter: str
    products: tuple[str, ...]
    filters: tuple[tuple[str, tuple[str, ...]], ...]
    approve_after_days: bool


@dataclass(frozen=True, slots=True)
class OperatingSystemFamily:
    """What a lane calls its operating system: `name` in tags and parameters, `title` for people."""

    name: str
    title: str
    platform: Platform
    baselines: tuple[Baseline, ...]


@cache
def operating_systems() -> tuple[OperatingSystemFamily, ...]:
    """Every family of the catalogue, in its order."""
    text = resources.files("patchgate.domain").joinpath("data/operating-systems.toml").read_text(encoding="utf-8")
    return tuple(_family(entry) for entry in tomllib.loads(text)["family"])


def operating_system(name: str) -> OperatingSystemFamily:
    """The family of that name; KeyError when the catalogue has none."""
    for family in operating_systems():
        if family.name == name:
            return family
    raise KeyError(name)


def _family(entry: Mapping[str, Any]) -> OperatingSystemFamily:
    return OperatingSystemFamily(
        name=entry["name"],
        title=entry["title"],
        platform=entry["platform"],
        baselines=tuple(_baseline(baseline) for baseline in entry["baseline"]),
    )


def _baseline(entry: Mapping[str, Any]) -> Baseline:
    return Baseline(
        logical_id=entry["id"],
        name=entry["name"],
        operating_system=entry["operating_system"],
        parameter=entry["parameter"],
        products=tuple(entry["products"]),
        filters=tuple((key, tuple(values)) for key, values in entry["filters"].items()),
        approve_after_days=entry.get("approve_after_days", True),
    )
