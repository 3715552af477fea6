"""Tools of the contract tests: samples of the shapes in botocore's service models, and a check against them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import botocore.loaders
import pytest
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.validate import ParamValidator

from patchgate.emulator.wire.protocol import check_answer


@functools.cache
def service_model(service: str) -> ServiceModel:
    description = botocore.loaders.create_loader().load_service_model(service, "service-2")
    return ServiceModel(description, service)


class Conformance:
    """Says whether values have the shapes that botocore's models demand."""

    def operation(self, service: str, operation: str) -> OperationModel:
        """The model of an operation. Raises botocore's OperationNotFoundError when there is none of that name."""
        return service_model(service).operation_model(operation)

    def check(self, service: str, operation: str, params: dict[str, Any], result: dict[str, Any]) -> None:
        """Fail the test, naming every difference, when params or result do not fit the model."""
        model = self.operation(service, operation)
        if model.input_shape is None:
            assert params == {}, f"{service}:{operation} takes no parameters"
        else:
            report = ParamValidator().validate(params, model.input_shape)
            assert not report.has_errors(), f"{service}:{operation}: {report.generate_report()}"
        check_answer(service, operation, result, model.output_shape)
        assert _naive(result) is None, f"{service}:{operation}: {_naive(result)} has no time zone"


def _naive(value: Any) -> datetime | None:
    """The first datetime without a zone anywhere inside."""
    if isinstance(value, datetime):
        return value if value.tzinfo is None else None
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((found for item in items if (found := _naive(item)) is not None), None)


_ABSENT = object()


def sample(shape: Shape | None, *, required_only: bool = False) -> dict[str, Any]:
    """A value of a structure with every member filled in, however deep; a shape inside itself is left out.

    With ``required_only`` the outermost structure has its required members alone.
    """
    if shape is None:
        return {}
    value: dict[str, Any] = _filled(shape, ())
    wanted = shape.required_members if required_only else value
    return {name: value[name] for name in wanted}


def _filled(shape: Shape, inside: tuple[str, ...]) -> Any:
    if shape.name in inside:
        return _ABSENT
    inside = (*inside, shape.name)
    match shape.type_name:
        case "structure":
            members = list(shape.members.items())
            chosen = members[:1] if getattr(shape, "is_tagged_union", False) else members
            filled = {name: _filled(member, inside) for name, member in chosen}
            return {name: value for name, value in filled.items() if value is not _ABSENT}
        case "list":
            item = _filled(shape.member, inside)
            return _ABSENT if item is _ABSENT or item == {} else [item] * max(2, shape.metadata.get("min", 2))
        case "map":
            value = _filled(shape.value, inside)
            return _ABSENT if value is _ABSENT else {_filled(shape.key, inside): value}
    return _scalar(shape)


def _scalar(shape: Shape) -> Any:
    least = shape.metadata.get("min", 1)
    match shape.type_name:
        case "string" | "character":
            enum = getattr(shape, "enum", None)
            return enum[0] if enum else f"{shape.name} <&> \N{LATIN SMALL LETTER A WITH DIAERESIS}".ljust(least, "x")
        case "integer" | "long":
            return max(least, 1)
        case "float" | "double":
            return max(least, 1.5)
        case "boolean":
            return True
        case "timestamp":
            return datetime(2026, 7, 4, 22, 30, tzinfo=UTC)
        case "blob":
            return b"\x00bytes\xff"
    raise AssertionError(f"unknown type {shape.type_name}")


@pytest.fixture(scope="session")
def conforms() -> Conformance:
    return Conformance()


@pytest.fixture(scope="session")
def sampled() -> Callable[..., dict[str, Any]]:
    return sample
