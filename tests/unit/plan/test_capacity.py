"""How many instances and windows one account and Region can carry at once."""

from __future__ import annotations

import pytest

from patchgate.plan.capacity import (
    Capacity,
    LaneLoad,
    compute_capacity,
    concurrent_targets,
    find_crowding,
    lane_capacity,
)

HOUR = 3600


def load(name: str, *starts: int, instances: int | None = None, concurrency: str = "25%", hours: int = 3) -> LaneLoad:
    spans = tuple((start, start + hours * HOUR) for start in starts or (0,))
    return LaneLoad(name, spans, hours, 1, concurrency, instances)


@pytest.mark.parametrize(
    ("concurrency", "instances", "at_once"),
    [("25%", 100, 25), ("25%", 3, 1), ("25%", 7, 1), ("100%", 7, 7), ("10", 7, 7), ("10", 70, 10), ("25%", 0, 0)],
)
def test_a_percentage_is_rounded_down_and_is_at_least_one(concurrency: str, instances: int, at_once: int) -> None:
    assert concurrent_targets(concurrency, instances) == at_once


@pytest.mark.parametrize(
    ("hours", "cutoff", "install_minutes", "rounds"),
    [(3, 1, 30, 4), (3, 1, 115, 1), (3, 1, 114, 2), (1, 0, 30, 2), (2, 1, 60, 1), (1, 1, 30, 0), (24, 0, 1440, 1)],
)
def test_rounds_count_that_begin_between_the_scan_and_the_cutoff(
    hours: int, cutoff: int, install_minutes: int, rounds: int
) -> None:
    lane = LaneLoad("a", ((0, hours * HOUR),), hours, cutoff, "25%", 40)
    assert lane_capacity(lane, 10, scan_minutes=5, install_minutes=install_minutes) == 10 * rounds


def test_a_lane_by_itself_has_the_capacity_of_its_concurrency() -> None:
    (found,) = compute_capacity([load("a", instances=40)])
    assert found == Capacity("a", 40, 10, 40)
    assert found.left_over == 0


def test_a_hundred_automations_are_the_most_of_one_lane() -> None:
    (found,) = compute_capacity([load("a", instances=1000)])
    assert (found.at_once, found.capacity, found.left_over) == (100, 400, 600)


def test_lanes_that_run_at_once_share_the_automations_and_others_do_not() -> None:
    lanes = [load("a", instances=400), load("b", instances=400), load("c", 5 * HOUR, instances=400)]
    found = {one.lane: one for one in compute_capacity(lanes)}
    assert (found["a"].at_once, found["a"].shared_with) == (50, ("b",))
    assert (found["b"].at_once, found["b"].shared_with) == (50, ("a",))
    assert (found["c"].at_once, found["c"].shared_with) == (100, ())


def test_lanes_whose_instances_are_not_known_have_no_capacity() -> None:
    assert compute_capacity([load("a"), load("b", instances=4)]) == (Capacity("b", 4, 1, 4),)


def test_five_windows_may_run_at_once() -> None:
    assert find_crowding([load(name) for name in "abcde"]) is None
    assert find_crowding([]) is None


def test_six_may_not_and_the_sixth_is_told_how_much_later_to_start() -> None:
    crowding = find_crowding([load(name, HOUR, 100 * HOUR) for name in "abcdef"])
    assert crowding is not None
    assert (crowding.first, crowding.most) == (HOUR, 6)
    assert crowding.lanes == tuple("abcdef")
    assert crowding.delays == (("f", 3),)


def test_eleven_are_staggered_in_three_steps() -> None:
    crowding = find_crowding([load(name) for name in "abcdefghijk"])
    assert crowding is not None
    assert dict(crowding.delays) == {**dict.fromkeys("fghij", 3), "k": 6}


def test_the_mend_of_too_many_windows_mends_them() -> None:
    names = "abcdefghijk"
    crowding = find_crowding([load(name) for name in names])
    assert crowding is not None
    delays = dict(crowding.delays)
    assert find_crowding([load(name, delays.get(name, 0) * HOUR) for name in names]) is None


def test_a_window_that_ends_as_another_begins_does_not_run_with_it() -> None:
    lanes = [load(name) for name in "abcde"] + [load("f", 3 * HOUR)]
    assert find_crowding(lanes) is None
    assert find_crowding([*lanes[:5], load("f", 3 * HOUR - 1)]) is not None
