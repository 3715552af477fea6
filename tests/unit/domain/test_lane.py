"""The lane."""

from __future__ import annotations

from patchgate.domain.lane import Lane

LANE = Lane("111122223333", "eu-west-1", "ubuntu", "prd", account_name="shop")


def test_people_read_the_accounts_name() -> None:
    assert LANE.name == "shop/eu-west-1/ubuntu/prd"


def test_without_a_name_they_read_its_id() -> None:
    assert Lane("111122223333", "eu-west-1", "ubuntu", "prd").name == "111122223333/eu-west-1/ubuntu/prd"


def test_the_accounts_name_does_not_make_another_lane() -> None:
    assert Lane(*LANE.key) == LANE
    assert len({Lane(*LANE.key), LANE}) == 1


def test_lanes_are_sorted_by_account_region_operating_system_and_environment() -> None:
    later = Lane("111122223333", "eu-west-1", "windows", "dev")
    assert sorted([later, LANE]) == [LANE, later]
