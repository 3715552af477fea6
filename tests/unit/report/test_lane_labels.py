"""Lanes' names where there is little room."""

from __future__ import annotations

import pytest

from patchgate.report.lane_labels import label_lanes, shorten_lane, shorten_region
from patchgate.report.screen import columns

NAMES = ["payments/us-east-1/amazonlinux/prd", "web/eu-central-1/ubuntu/stg"]
ZONES = ["EDT", "CEST"]


@pytest.mark.parametrize(
    ("region", "short"),
    [("us-east-1", "use1"), ("ap-northeast-2", "apne2"), ("us-gov-west-1", "usgw1"), ("eusc-de-east-1", "euscdee1")],
)
def test_regions_are_shortened_as_aws_does_for_its_zones(region: str, short: str) -> None:
    assert shorten_region(region) == short


def test_a_lane_is_shortened_and_any_other_name_is_not() -> None:
    assert shorten_lane("web/eu-central-1/windows/dev") == "web/euc1/win/dev"
    assert shorten_lane("web/eu-central-1") == "web/eu-central-1"


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (38, [("payments/us-east-1/amazonlinux/prd", "EDT"), ("web/eu-central-1/ubuntu/stg", "CEST")]),
        (37, [("payments/us-east-1/amazonlinux/prd", ""), ("web/eu-central-1/ubuntu/stg", "")]),
        (33, [("payments/use1/amzn/prd", ""), ("web/euc1/ubuntu/stg", "")]),
        (20, [("payme…/use1/amzn/prd", ""), ("web/euc1/ubuntu/stg", "")]),
        (10, [("payments/…", ""), ("web/euc1/…", "")]),
    ],
)
def test_zones_go_first_then_words_then_letters(width: int, expected: list[tuple[str, str]]) -> None:
    assert label_lanes(NAMES, ZONES, width) == expected


def test_labels_never_exceed_their_width_and_are_one_line() -> None:
    names = ["接続" * 20 + "/us-east-1/ubuntu/prd", "a\nb/us-east-1/ubuntu/prd"]
    for width in range(5, 60):
        labels = label_lanes(names, ["", ""], width)
        assert max(columns(name) for name, _ in labels) <= width
        assert not any("\n" in name for name, _ in labels)
