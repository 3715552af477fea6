"""The catalogue of Regions, held against what botocore lists."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from botocore.loaders import Loader

from patchgate.domain.regions import PUBLIC_PARTITIONS, Region, region, regions


def _listed_by_botocore() -> set[tuple[str, str]]:
    """(partition, Region) of both of botocore's files, without the pseudo Regions."""
    partitions = Loader().load_data("partitions")["partitions"]
    endpoints = Loader().load_data("endpoints")["partitions"]
    found = {(p["id"], name) for p in partitions for name in p["regions"]}
    found |= {(p["partition"], name) for p in endpoints for name in p["regions"]}
    return {(partition, name) for partition, name in found if not name.endswith("-global")}


def test_it_has_every_region_that_botocore_lists() -> None:
    assert {(known.partition, known.name) for known in regions()} >= _listed_by_botocore()


def test_every_region_of_a_public_partition_has_a_zone() -> None:
    assert [r.name for r in regions() if r.partition in PUBLIC_PARTITIONS and not r.time_zone] == []


@pytest.mark.parametrize("known", [r for r in regions() if r.time_zone], ids=lambda known: known.name)
def test_the_zone_exists(known: Region) -> None:
    assert ZoneInfo(known.time_zone).key == known.time_zone


def test_a_region_stands_there_once() -> None:
    names = [known.name for known in regions()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("name", "zone"),
    [("me-south-1", "Asia/Bahrain"), ("eu-west-1", "Europe/Dublin"), ("ap-southeast-2", "Australia/Sydney")],
)
def test_zones_that_are_easily_taken_for_their_neighbours(name: str, zone: str) -> None:
    assert region(name).time_zone == zone


def test_an_unknown_region_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="eu-middle-9"):
        region("eu-middle-9")
