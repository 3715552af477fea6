"""The catalogue of AWS Regions and the time zone of each, read from ``data/regions.csv``.

It covers every Region of the public partitions. A Region whose location is not published has no zone: there the
templates' ``TimeZone`` parameter cannot be blank.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources

PUBLIC_PARTITIONS = ("aws", "aws-cn", "aws-us-gov", "aws-eusc")


@dataclass(frozen=True, slots=True)
class Region:
    """One Region: its partition, where it is, and its IANA time zone ('' where the location is not published)."""

    name: str
    partition: str
    location: str
    time_zone: str
    note: str


@cache
def regions() -> tuple[Region, ...]:
    """Every Region of the catalogue, in its order."""
    text = resources.files("patchgate.domain").joinpath("data/regions.csv").read_text(encoding="utf-8")
    return tuple(
        Region(row["region"], row["partition"], row["location"], row["iana_zone"], row["note"])
        for row in csv.DictReader(text.splitlines())
    )


def region(name: str) -> Region:
    """The Region of that name; KeyError when the catalogue has none."""
    for known in regions():
        if known.name == name:
            return known
    raise KeyError(name)
