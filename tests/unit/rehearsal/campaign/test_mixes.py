"""Mixes, and plans drawn from seeds."""

from __future__ import annotations

import dataclasses

import pytest

from patchgate.errors import InputError
from patchgate.rehearsal.campaign.faults import FAULTS
from patchgate.rehearsal.campaign.ground import Grounds
from patchgate.rehearsal.campaign.mixes import draw_plan, read_mix, shape_of
from patchgate.rehearsal.campaign.plan import RunPlan
from patchgate.rehearsal.campaign.shapes import SHAPES


def plans(grounds: Grounds, mix: str, seeds: range) -> list[RunPlan]:
    drawn = read_mix(mix)
    shapes = [shape_of(seed, SHAPES) for seed in seeds]
    return [draw_plan(seed, drawn, shape, grounds.of(shape).terrain) for seed, shape in zip(seeds, shapes, strict=True)]


def test_the_named_mixes() -> None:
    assert read_mix("none").faults == ()
    assert {fault.number for fault in read_mix("all").faults} == set(FAULTS)
    assert all(fault.everyday for fault in read_mix("default").faults)
    assert [fault.number for fault in read_mix("F16, F28,F16").faults] == ["F16", "F28"]


@pytest.mark.parametrize("text", ["F99", "f99", "everything"])
def test_a_mix_that_is_none_is_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(InputError, match="that a campaign can inject") as refused:
        read_mix(text)
    assert "F16" in refused.value.remedy


def test_the_same_seed_is_the_same_plan(grounds: Grounds) -> None:
    assert plans(grounds, "all", range(40)) == plans(grounds, "all", range(40))
    assert plans(grounds, "all", range(40)) != plans(grounds, "all", range(40, 80))


def test_every_shape_is_picked() -> None:
    assert {shape_of(seed, SHAPES).name for seed in range(1000)} == {shape.name for shape in SHAPES}


def test_a_campaign_with_all_faults_goes_through_all_pairs() -> None:
    pairs = read_mix("all").pairs()
    count = len(FAULTS)
    assert len(pairs) == len(set(pairs)) == count * (count + 1) // 2


def test_the_pair_of_a_seed_is_in_its_plan(grounds: Grounds) -> None:
    pairs = read_mix("all").pairs()
    for plan in plans(grounds, "all", range(300)):
        late = plan.calm is not None  # what would begin in the calm is left out
        assert late or set(pairs[plan.seed % len(pairs)]) <= set(plan.faults)


def test_nothing_begins_in_the_calm_and_what_lasts_ends_with_it(grounds: Grounds) -> None:
    calm = [plan for plan in plans(grounds, "all", range(300)) if plan.calm is not None]
    assert len(calm) > 100
    for plan in calm:
        assert plan.calm is not None
        for injection in plan.injections:
            assert injection.begins < plan.calm
            if FAULTS[injection.fault].lasts and injection.ends is None:
                continue
            assert injection.ends is not None
            assert injection.begins < injection.ends <= max(plan.calm, injection.begins + 1)


def test_without_faults_nothing_is_injected(grounds: Grounds) -> None:
    assert all(plan.injections == () for plan in plans(grounds, "none", range(20)))


def test_a_plan_is_plain_values(grounds: Grounds) -> None:
    plan = plans(grounds, "all", range(1))[0]
    assert plan.as_json()["injections"] == tuple(dataclasses.asdict(each) for each in plan.injections)
