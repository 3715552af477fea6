"""Lists that end early: every item comes once, whatever the size of pages, and a token is always good."""

from __future__ import annotations

from typing import Any

import pytest

from patchgate.emulator.short_pages import LISTS, answer_in_short_pages, is_short, shortened_listing, smallest

NAMES = [f"/lane/{number}" for number in range(7)]


def ask(params: dict[str, Any]) -> dict[str, Any]:
    """A list of seven with pages of five."""
    start = int(params.get("NextToken", 0))
    more = {"NextToken": str(start + 5)} if start + 5 < len(NAMES) else {}
    return {"Parameters": NAMES[start : start + 5], "Path": params["Path"]} | more


def short(size: int | None, token: str = "") -> tuple[dict[str, Any], bool]:
    params = {"Path": "/lane"} | ({"NextToken": token} if token else {})
    return answer_in_short_pages("ssm", "GetParametersByPath", params, size, ask)


@pytest.mark.parametrize(("size", "pages"), [(0, 4), (1, 7), (2, 4), (4, 3), (5, 2), (9, 2), (None, 2)])
def test_every_item_comes_once(size: int | None, pages: int) -> None:
    answers = [short(size)]
    while "NextToken" in answers[-1][0]:
        answers.append(short(size, answers[-1][0]["NextToken"]))
    assert [name for answer, _ in answers for name in answer["Parameters"]] == NAMES
    assert len(answers) == pages
    assert any(cut for _, cut in answers) == (size is not None and size < 5)
    assert all(answer["Path"] == "/lane" for answer, _ in answers)


def test_a_page_may_be_empty_and_is_followed_by_the_rest() -> None:
    first, cut = short(0)
    assert (first["Parameters"], cut) == ([], True)
    rest, _ = short(0, first["NextToken"])
    assert rest["Parameters"] == NAMES[:5]


def test_a_token_is_good_when_pages_are_long_again() -> None:
    first, _ = short(2)
    rest, cut = short(None, first["NextToken"])
    assert (rest["Parameters"], cut) == (NAMES[2:5], False)


def test_only_parameters_may_have_an_empty_page() -> None:
    assert {key for key in LISTS if smallest(*key, 0) == 0} == {("ssm", "GetParametersByPath")}
    assert smallest("ssm", "GetParametersByPath", 3) == 3


def test_ec2_pages_only_where_it_is_asked_to() -> None:
    assert is_short("ec2", "DescribeInstances", {"MaxResults": 1000})
    assert not is_short("ec2", "DescribeInstances", {})
    assert not is_short("ec2", "DescribeImages", {"MaxResults": 1000})
    assert is_short("backup", "ListBackupJobs", {})


def test_a_listing_asks_for_fewer_keys_and_never_for_more() -> None:
    assert shortened_listing({"Bucket": "b"}, 2)["MaxKeys"] == 2
    assert shortened_listing({"Bucket": "b", "MaxKeys": 1}, 2)["MaxKeys"] == 1
    assert shortened_listing({"Bucket": "b"}, None) == {"Bucket": "b"}
