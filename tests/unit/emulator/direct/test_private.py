"""One test for each undocumented name of botocore that the direct door uses; see direct/private.py."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.client
import botocore.discovery
import botocore.handlers
import botocore.loaders
import botocore.retries.standard
import botocore.session
import pytest

from patchgate.emulator.direct import private
from patchgate.emulator.sdk_private import virtual_time

OPERATION = SimpleNamespace(name="X", service_model=SimpleNamespace(service_name="ssm"), error_shapes=[])


class Clock:
    """sdk_private.Waiting whose dice always fall alike."""

    def sleep(self, seconds: float) -> None:
        raise AssertionError

    def time(self) -> float:
        raise AssertionError

    def random(self) -> float:
        return 0.25


@pytest.fixture(scope="module")
def client() -> Any:
    return boto3.Session("AKIA", "x", region_name="eu-west-1").client("ssm")


def failed(code: str, status: int, attempt: int, context: dict[str, Any]) -> dict[str, Any]:
    response = SimpleNamespace(status_code=status, headers={}, content=b"")
    parsed = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    given = {"response": (response, parsed), "endpoint": None, "operation": OPERATION, "attempts": attempt}
    return given | {"caught_exception": None, "request_dict": {"context": context}, "event_name": "needs-retry.ssm.X"}


def with_retries(client: Any, **retries: Any) -> Any:
    return SimpleNamespace(config=SimpleNamespace(retries=retries), service_model=client.meta.service_model)


def test_every_call_goes_through_make_api_call() -> None:
    parameters = inspect.signature(botocore.client.BaseClient._make_api_call).parameters
    assert list(parameters) == ["self", "operation_name", "api_params"]


def test_base_classes_can_be_added_to_a_client() -> None:
    class Base:
        def _make_api_call(self, operation_name: str, api_params: dict[str, Any]) -> Any:
            return operation_name, api_params

    session = botocore.session.Session()
    session.set_credentials("AKIA", "x")
    session.register("creating-client-class", lambda base_classes, **_: base_classes.insert(0, Base))
    made = session.create_client("ssm", region_name="eu-west-1")
    assert made.get_parameter(Name="/a") == ("GetParameter", {"Name": "/a"})


def test_clients_know_their_model(client: Any) -> None:
    assert client._service_model.service_name == "ssm"


def test_paginators_are_made_of_names_and_settings(client: Any) -> None:
    assert client.can_paginate("get_parameters_by_path")
    config, model = private.pages_of(client, "get_parameters_by_path")
    assert (config["result_key"], model.name) == ("Parameters", "GetParametersByPath")


def test_a_meta_can_be_made_with_events_of_its_own(client: Any) -> None:
    own, seen = private.own_meta(client.meta), list[str]()
    own.events.register("after-call", lambda **_: seen.append("own"))
    about: dict[str, Any] = {"context": {}, "http_response": None}
    client.meta.events.emit("after-call.ssm.X", **about)
    assert seen == []
    own.events.emit("after-call.ssm.X", **about)
    assert seen == ["own"]
    assert (own.region_name, own.service_model) == (client.meta.region_name, client.meta.service_model)


def test_handlers_that_would_get_in_the_way_are_taken_out() -> None:
    session = botocore.session.Session()
    tokens = ("before-parameter-build", botocore.handlers.generate_idempotent_uuid)
    policies = ("after-call.iam", botocore.handlers.json_decode_policies)
    assert tokens in botocore.handlers.BUILTIN_HANDLERS
    assert policies in botocore.handlers.BUILTIN_HANDLERS
    private.take_out_handlers(session)
    params: dict[str, Any] = {}
    session.get_component("event_emitter").emit(
        "before-parameter-build.ssm.X", params=params, model=SimpleNamespace(idempotent_members=["T"], http_checksum={})
    )
    assert params == {}


def test_it_is_known_who_listens(client: Any) -> None:
    events = private.own_meta(client.meta).events
    assert not private.is_heard(events, "after-call.ssm.GetParameter", ())
    events.register("after-call.ssm", lambda **_: None)
    assert private.is_heard(events, "after-call.ssm.GetParameter", ())
    assert not private.is_heard(events, "after-call.s3.GetObject", ())


def test_who_renames_a_parameter_listens_where_the_operation_has_it() -> None:
    session = botocore.session.Session()
    private.take_out_handlers(session)
    events = session.create_client("ec2", region_name="eu-central-1").meta.events
    assert private.is_heard(events, "before-parameter-build.ec2.DescribeInstances", ("Filter",))
    assert not private.is_heard(events, "before-parameter-build.ec2.DescribeInstances", ("Filters",))


def test_idle_handlers_are_known_by_name() -> None:
    known = {getattr(entry[1], "__name__", "") for entry in botocore.handlers.BUILTIN_HANDLERS}
    elsewhere = (botocore.discovery, botocore.retries.standard.RetryQuotaChecker)
    assert {
        name for name in private._IDLE if name in known or any(hasattr(o, name) for o in elsewhere)
    } == private._IDLE


def test_standard_retries_back_off_with_our_dice_and_keep_a_quota(client: Any) -> None:
    before = botocore.retries.standard.ExponentialBackoff
    meta, clock = with_retries(client, mode="standard", total_max_attempts=4), Clock()
    decide, give_back = private.retry_delay(meta, None, clock)
    assert botocore.retries.standard.ExponentialBackoff is before
    delays = [decide(**failed("ThrottlingException", 400, attempt, {})) for attempt in (1, 2, 3, 4)]
    assert delays[3] is None
    assert all(isinstance(delay, float | int) for delay in delays[:3])
    assert delays[:3] == [private.retry_delay(meta, None, clock)[0](**failed("ThrottlingException", 400, n, {}))
                          for n in (1, 2, 3)]  # fmt: skip
    assert decide(**failed("ValidationException", 400, 1, {})) is None
    assert give_back is not None
    give_back(context={}, http_response=SimpleNamespace(status_code=200))


def test_legacy_retries_follow_botocores_rules(client: Any) -> None:
    meta, clock = with_retries(client, mode="legacy", total_max_attempts=3), Clock()
    loader = botocore.loaders.create_loader()
    with virtual_time(clock):
        decide, give_back = private.retry_delay(meta, loader, clock)
        assert [decide(**failed("Throttling", 400, attempt, {})) for attempt in (1, 2, 3)] == [0.25, 0.5, None]
    assert give_back is None


def test_other_modes_are_refused(client: Any) -> None:
    with pytest.raises(ValueError, match="adaptive"):
        private.retry_delay(with_retries(client, mode="adaptive"), None, Clock())
