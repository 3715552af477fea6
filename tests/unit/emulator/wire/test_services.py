"""Signing names and services, and what the engine does not foresee."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any, get_args

import botocore.session
import moto.backends
import pytest
from botocore.exceptions import ClientError

from patchgate.emulator.cloud import Cloud
from patchgate.emulator.wire import WireDoor
from patchgate.emulator.wire.inbound import prepare_request
from patchgate.emulator.wire.services import SERVICES

ACCOUNT, REGION = "111122223333", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/gate"


def test_the_table_is_what_the_models_of_botocore_say() -> None:
    loader = botocore.session.get_session().get_component("data_loader")
    moto_has = set(re.findall(r"'([^']+)'", str(get_args(moto.backends.SERVICE_NAMES))))
    by_signing_name = defaultdict(set)
    for service in set(loader.list_available_services("service-2")) & moto_has:
        metadata = loader.load_service_model(service, "service-2")["metadata"]
        by_signing_name[metadata.get("signingName") or metadata["endpointPrefix"]].add(service)
    wanted = {name: found for name, found in by_signing_name.items() if found != {name}}
    assert {name: set(services) for name, services in SERVICES.items()} == wanted


@pytest.mark.parametrize(
    ("service", "method", "params", "answer"),
    [
        ("cloudwatch", "describe_alarms", {}, "MetricAlarms"),
        ("elbv2", "describe_load_balancers", {}, "LoadBalancers"),
        ("elb", "describe_load_balancers", {}, "LoadBalancerDescriptions"),
        ("ses", "list_identities", {}, "Identities"),
        ("sesv2", "list_contact_lists", {}, "ContactLists"),
        ("stepfunctions", "list_state_machines", {}, "stateMachines"),
        ("dynamodbstreams", "list_streams", {}, "Streams"),
        ("s3control", "list_access_points", {"AccountId": ACCOUNT}, "AccessPointList"),
        ("s3", "list_buckets", {}, "Buckets"),
    ],
)
def test_a_role_reaches_services_whose_signing_name_is_another(
    door: WireDoor,
    allow_everything: Callable[[str], None],
    service: str,
    method: str,
    params: dict[str, Any],
    answer: str,
) -> None:
    allow_everything(ROLE)
    assert answer in getattr(door.session(ACCOUNT, REGION, ROLE).client(service), method)(**params)


@pytest.mark.parametrize(
    ("signing_name", "target", "extra", "host"),
    [
        ("monitoring", "/", {}, "monitoring.eu-west-1.amazonaws.com"),
        ("ses", "/v2/email/identities", {}, "email.eu-west-1.amazonaws.com"),
        ("s3", "/b/k", {}, "s3.eu-west-1.amazonaws.com"),
        ("s3", "/v20180820/x", {"x-amz-account-id": ACCOUNT}, f"{ACCOUNT}.s3-control.eu-west-1.amazonaws.com"),
    ],
)
def test_what_comes_in_over_http_goes_to_the_services_endpoint(
    signing_name: str, target: str, extra: dict[str, str], host: str
) -> None:
    credential = f"AWS4-HMAC-SHA256 Credential=AKIAX/20260704/{REGION}/{signing_name}/aws4_request, Signature=x"
    headers = {"Host": "localhost", "Authorization": credential, **extra}
    request = prepare_request("GET", target, headers.items(), b"")
    assert request.url == f"https://{host}{target}"


def test_an_error_that_nobody_foresaw_is_that_calls(
    cloud: Cloud, door: WireDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> None:
        raise KeyError("deep inside")

    monkeypatch.setattr(cloud, "invoke", break_down)
    said: list[ClientError] = []

    def body() -> None:
        with pytest.raises(ClientError) as caught:
            door.session(ACCOUNT, REGION).client("ssm").get_parameter(Name="/a")
        said.append(caught.value)

    cloud.kernel.spawn("body", body)
    cloud.kernel.run_until(cloud.now.replace(year=cloud.now.year + 1))
    error = said[0].response
    assert error["Error"]["Code"] == "EngineFailure"
    assert "ssm:GetParameter" in error["Error"]["Message"]
    assert "KeyError: 'deep inside'" in error["Error"]["Message"]
    assert error["ResponseMetadata"]["RetryAttempts"] == 0
    with pytest.raises(KeyError, match="deep inside"):
        door.session(ACCOUNT, REGION).client("ssm").get_parameter(Name="/a")


def test_an_alarm_begins_without_data_and_changes_when_it_is_told(door: WireDoor) -> None:
    alarms = door.session(ACCOUNT, REGION).client("cloudwatch")
    alarms.put_metric_alarm(
        AlarmName="a",
        MetricName="m",
        Namespace="n",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    assert alarms.describe_alarms()["MetricAlarms"][0]["StateValue"] == "INSUFFICIENT_DATA"
    alarms.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="told")
    assert alarms.describe_alarms()["MetricAlarms"][0]["StateValue"] == "ALARM"
