"""Every operation that the embedded AWS implements is one of AWS's, and its answers have AWS's shape.

The wire door checks each answer of the cloud against botocore's model, so a scenario that runs through the door
is a contract test of every answer in it.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest

import patchgate.emulator
from patchgate.emulator.cloud import Component


def component_classes() -> list[type[Component]]:
    """Every component in the emulator's modules, the doors' excepted."""
    found = set()
    for module in pkgutil.walk_packages(patchgate.emulator.__path__, "patchgate.emulator."):
        if ".wire" in module.name:
            continue
        for _, value in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(value, Component) and value is not Component and hasattr(value, "service"):
                found.add(value)
    return sorted(found, key=lambda kind: (kind.service, kind.__qualname__))


def implemented() -> Iterator[tuple[str, str]]:
    for kind in component_classes():
        for name, _ in kind.operations():
            yield kind.service, name


OPERATIONS = sorted(implemented())


def test_no_operation_is_implemented_twice() -> None:
    assert len(OPERATIONS) == len(set(OPERATIONS))


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_aws_has_the_operation(service: str, operation: str, conforms: Any) -> None:
    assert conforms.operation(service, operation).name == operation
