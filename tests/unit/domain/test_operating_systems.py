"""The catalogue of operating systems."""

from __future__ import annotations

import re

import pytest
from botocore.loaders import Loader

from patchgate.domain.operating_systems import Baseline, operating_system, operating_systems

BASELINES = [baseline for family in operating_systems() for baseline in family.baselines]
PATCH_FILTER_VALUES = 20


def _ids(baseline: Baseline) -> str:
    return baseline.name


def test_it_has_the_families_of_the_lanes() -> None:
    assert [family.name for family in operating_systems()] == [
        "amazonlinux", "ubuntu", "windows", "redhat", "debian", "suse", "rocky", "alma", "oracle", "centos",
    ]  # fmt: skip


def test_amazon_linux_has_a_baseline_for_each_of_its_operating_systems() -> None:
    members = [baseline.operating_system for baseline in operating_system("amazonlinux").baselines]
    assert members == ["AMAZON_LINUX", "AMAZON_LINUX_2", "AMAZON_LINUX_2023"]


def test_an_unknown_family_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="beos"):
        operating_system("beos")


def test_only_windows_runs_powershell() -> None:
    assert [family.name for family in operating_systems() if family.platform == "Windows"] == ["windows"]


def test_ids_names_and_operating_systems_are_used_once() -> None:
    for values in (
        [baseline.logical_id for baseline in BASELINES],
        [baseline.name for baseline in BASELINES],
        [baseline.operating_system for baseline in BASELINES],
        [baseline.parameter for baseline in BASELINES],
    ):
        assert len(set(values)) == len(values)


@pytest.mark.parametrize("baseline", BASELINES, ids=_ids)
def test_ssm_knows_the_operating_system_and_the_filter_keys(baseline: Baseline) -> None:
    shapes = Loader().load_service_model("ssm", "service-2")["shapes"]
    assert baseline.operating_system in shapes["OperatingSystem"]["enum"]
    assert {key for key, _ in baseline.filters} <= set(shapes["PatchFilterKey"]["enum"])


@pytest.mark.parametrize("baseline", BASELINES, ids=_ids)
def test_a_filter_holds_at_most_20_values(baseline: Baseline) -> None:
    for values in (baseline.products, *(values for _, values in baseline.filters)):
        assert 1 <= len(values) <= PATCH_FILTER_VALUES
        assert all(re.fullmatch(r"\*|[A-Za-z0-9.]{1,64}", value) for value in values)


def test_approval_delays_are_left_out_where_they_are_not_supported() -> None:
    assert [b.operating_system for b in BASELINES if not b.approve_after_days] == ["UBUNTU", "DEBIAN"]
