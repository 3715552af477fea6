"""Every operation that the embedded AWS implements is one of AWS's, and whatever it is asked it answers as AWS would.

Both tests go through the operations of ``engine.COMPONENTS``: a new one is tested without another line here.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

import patchgate.emulator
from patchgate.emulator.cloud import Cloud, Component
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.errors import AwsError
from patchgate.emulator.wire import WireDoor

ACCOUNT, REGION = "111122223333", "eu-west-1"
START = datetime(2026, 7, 4, 12, tzinfo=UTC)
OPERATIONS = Cloud(COMPONENTS, start=START).implemented()


def component_classes() -> Iterator[type[Component]]:
    for module in pkgutil.walk_packages(patchgate.emulator.__path__, "patchgate.emulator."):
        if ".wire" not in module.name and ".light" not in module.name:  # those are the cloud's neighbours
            for _, value in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
                if issubclass(value, Component) and value.__module__ == module.name and value is not Component:
                    yield value


def test_no_component_is_left_out_of_the_whole() -> None:
    left_out = [c.__name__ for c in component_classes() if not any(issubclass(each, c) for each in COMPONENTS)]
    assert left_out == []


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    cloud = Cloud(COMPONENTS, start=START)
    with WireDoor(cloud):
        yield cloud


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_aws_has_the_operation(service: str, operation: str, conforms: Any) -> None:
    assert conforms.operation(service, operation).name == operation


@pytest.mark.parametrize("members", ["required", "all"])
@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_it_answers_or_refuses(
    cloud: Cloud, service: str, operation: str, members: str, conforms: Any, sampled: Any
) -> None:
    """Made-up parameters of the right shape: the answer has AWS's shape, or it is an error with a code."""
    params = sampled(conforms.operation(service, operation).input_shape, required_only=members == "required")
    answer = ask(cloud, service, operation, params)
    if isinstance(answer, AwsError):
        assert answer.code
        assert 400 <= answer.status < 600
    else:
        conforms.check(service, operation, params, answer)


def ask(cloud: Cloud, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any] | AwsError:
    try:
        return cloud.call(ACCOUNT, REGION, service, operation, params)
    except AwsError as refusal:
        return refusal
