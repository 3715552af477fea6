"""What goes into the wire comes out of it: every operation of every owned service, through parser and serialiser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore import xform_name

from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation
from patchgate.emulator.wire import WireDoor

SERVICES = ("ec2", "backup", "ssm", "scheduler", "lambda", "cloudformation", "organizations", "events")
ACCOUNT, REGION = "111122223333", "eu-west-1"
GLOBAL = {"organizations": "us-east-1"}
"""Services with one endpoint in each partition, and the Region that requests to it are signed for."""


class EchoingCloud(Cloud):
    """Remembers what it was asked and answers what it is told, whatever the operation."""

    asked: dict[str, Any]
    answer: dict[str, Any]

    def invoke(self, scope: Scope, service: str, operation: str, params: Params) -> Result:
        self.asked = {"scope": scope, "service": service, "operation": operation, "params": dict(params)}
        return self.answer


def owner(named: str) -> type[Component]:
    class Owner(Component):
        service = named

        @operation("Nothing")
        def nothing(self, scope: Scope, params: Params) -> Result:
            raise AssertionError("the cloud answers by itself")

    return Owner


@pytest.fixture(scope="module")
def door() -> Iterator[WireDoor]:
    cloud = EchoingCloud(tuple(owner(name) for name in SERVICES), start=datetime(2026, 7, 1, tzinfo=UTC))
    with WireDoor(cloud) as door:
        yield door


@pytest.mark.parametrize("service", SERVICES)
def test_params_and_results_survive(service: str, door: WireDoor, sampled: Callable[[Any], dict[str, Any]]) -> None:
    client = door.session(ACCOUNT, REGION).client(service)
    cloud: Any = door.cloud
    differences = []
    for name in client.meta.service_model.operation_names:
        model = client.meta.service_model.operation_model(name)
        if model.has_event_stream_output:
            continue
        params, cloud.answer = sampled(model.input_shape), sampled(model.output_shape)
        params.pop("UserData", None)  # botocore itself encodes it on the way
        params.pop("EndpointId", None)  # a host name, with which botocore leaves the Region
        _status_as_http(cloud.answer, model.output_shape)
        result = getattr(client, xform_name(name))(**params)
        del result["ResponseMetadata"]
        result = {key: value.read() if hasattr(value, "read") else value for key, value in result.items()}
        scope = Scope(ACCOUNT, GLOBAL.get(service, REGION))
        expected = {"scope": scope, "service": service, "operation": name, "params": params}
        differences += [name for got, sent in ((cloud.asked, expected), (result, cloud.answer)) if got != sent]
    assert differences == []


def _status_as_http(answer: dict[str, Any], shape: Any) -> None:
    for name, member in (shape.members if shape else {}).items():
        if member.serialization.get("location") == "statusCode":
            answer[name] = 202
