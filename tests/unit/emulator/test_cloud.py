"""The cloud's one entry: dispatch, scopes, pages, identifiers, history."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from patchgate.emulator.cloud import (
    Cloud,
    Component,
    NoNeighbour,
    Params,
    Result,
    Scope,
    operation,
    paginate,
    partition_of,
)
from patchgate.emulator.errors import AwsError, NotEmulatedError

START = datetime(2026, 7, 4, 19, 0, tzinfo=UTC)
SCOPE = Scope("111122223333", "eu-central-1")


class Greeter(Component):
    service = "greeter"

    @operation("Greet")
    def greet(self, scope: Scope, params: Params) -> Result:
        return {"Text": f"{params['Name']} in {scope.region} by {scope.principal or 'operator'}"}


class AnotherGreeter(Greeter):
    pass


class Elsewhere(NoNeighbour):
    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    def call(self, scope: Scope, service: str, operation: str, params: Params) -> Result:
        self.calls.append((service, operation))
        return {"From": "neighbour"}


def test_call_reaches_the_component_with_its_scope_and_principal() -> None:
    cloud = Cloud((Greeter,), start=START)
    answer = cloud.call("111122223333", "eu-central-1", "greeter", "Greet", {"Name": "Ada"}, principal="arn:role")
    assert answer == {"Text": "Ada in eu-central-1 by arn:role"}


def test_an_operation_missing_from_an_owned_service_is_not_emulated() -> None:
    neighbour = Elsewhere()
    cloud = Cloud((Greeter,), start=START, neighbour=neighbour)
    with pytest.raises(NotEmulatedError, match="greeter:Wave"):
        cloud.invoke(SCOPE, "greeter", "Wave", {})
    assert neighbour.calls == []


def test_other_services_go_to_the_neighbour_and_are_refused_without_one() -> None:
    neighbour = Elsewhere()
    assert Cloud((Greeter,), start=START, neighbour=neighbour).invoke(SCOPE, "s3", "PutObject", {}) == {
        "From": "neighbour"
    }
    assert neighbour.calls == [("s3", "PutObject")]
    with pytest.raises(NotEmulatedError):
        Cloud((Greeter,), start=START).invoke(SCOPE, "s3", "PutObject", {})


def test_two_components_cannot_implement_one_operation() -> None:
    with pytest.raises(ValueError, match="greeter:Greet"):
        Cloud((Greeter, AnotherGreeter), start=START)


def test_identifiers_come_from_the_seed() -> None:
    first, second, other = (Cloud((), start=START, seed=seed) for seed in (7, 7, 8))
    drawn = [(cloud.identifier("i-"), cloud.uuid()) for cloud in (first, second, other)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(drawn[0][0]) == len("i-") + 17
    assert [len(part) for part in drawn[0][1].split("-")] == [8, 4, 4, 4, 12]


def test_history_is_plain_json_in_order() -> None:
    cloud = Cloud((), start=START)
    cloud.record(SCOPE, "Thing", when=START, items=(1, {"at": START}))
    cloud.record(SCOPE, "Other")
    lines = [json.loads(line) for line in cloud.history.to_json_lines().splitlines()]
    assert lines[0] == {
        "seq": 0,
        "at": "2026-07-04T19:00:00.000Z",
        "account": "111122223333",
        "region": "eu-central-1",
        "event": "Thing",
        "when": "2026-07-04T19:00:00.000Z",
        "items": [1, {"at": "2026-07-04T19:00:00.000Z"}],
    }
    assert [record["seq"] for record in cloud.history.of("Other")] == [1]


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-central-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_partitions(region: str, partition: str) -> None:
    assert partition_of(region) == partition
    assert Scope("1", region).arn("ec2", "instance/i-1") == f"arn:{partition}:ec2:{region}:1:instance/i-1"


def _pages(items: list[dict[str, Any]], params: dict[str, Any]) -> tuple[list[dict[str, Any]], str | None]:
    return paginate(items, params, limit="MaxResults", token="NextToken", default=2, maximum=3)


def test_pages_follow_each_other_to_the_end() -> None:
    items = [{"n": n} for n in range(5)]
    first, token = _pages(items, {})
    second, token2 = _pages(items, {"NextToken": token, "MaxResults": 50})
    assert first + second == items
    assert token2 is None


def test_a_token_that_was_never_handed_out_is_refused() -> None:
    with pytest.raises(AwsError) as caught:
        _pages([], {"NextToken": "guess"})
    assert caught.value.code == "InvalidNextToken"
