"""Regions that do not exist are refused behind both doors, in the same words; those of the catalogue are there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from patchgate.domain.regions import regions
from patchgate.emulator.cloud import Cloud
from patchgate.emulator.direct import DirectDoor
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.regions import known_regions
from patchgate.emulator.wire import WireDoor

START = datetime(2026, 7, 4, 12, tzinfo=UTC)
CALLS = {
    "ssm": ("get_parameter", {"Name": "a"}),
    "lambda": ("list_functions", {}),
    "cloudformation": ("list_stacks", {}),
    "ec2": ("describe_instances", {}),
    "s3": ("list_buckets", {}),
    "sqs": ("list_queues", {}),
    "sns": ("list_topics", {}),
    "logs": ("describe_log_groups", {}),
    "cloudwatch": ("describe_alarms", {}),
    "sts": ("get_caller_identity", {}),
}


def answers(door: Any, region: str) -> dict[str, tuple[str, str, int]]:
    session, found = door.session("111122223333", region), {}
    for service, (method, params) in CALLS.items():
        with pytest.raises(ClientError) as caught:
            getattr(session.client(service), method)(**params)
        response = caught.value.response
        said = (response["Error"]["Code"], response["Error"]["Message"], response["ResponseMetadata"]["HTTPStatusCode"])
        found[service] = said
    assert session.client("iam").list_roles()["Roles"] == [], "IAM has one endpoint for all Regions"
    return found


def test_a_region_that_does_not_exist_is_refused_alike_behind_both_doors() -> None:
    found = []
    for kind in (DirectDoor, WireDoor):
        with kind(Cloud(COMPONENTS, start=START)) as door:
            found.append(answers(door, "us-east-9"))
            door.session("111122223333", "us-west-2").client("ssm").describe_parameters()
    assert found[0] == found[1]
    wrong = "Credential should be scoped to a valid region, not 'us-east-9'."
    assert found[0]["ssm"] == ("InvalidSignatureException", wrong, 400)
    assert found[0]["lambda"] == ("InvalidSignatureException", wrong, 403)
    assert found[0]["cloudformation"] == ("SignatureDoesNotMatch", wrong, 403)
    assert found[0]["ec2"] == ("AuthFailure", wrong, 401)
    assert found[0]["s3"][0] == "AuthorizationHeaderMalformed"


def test_one_client_of_a_session_may_be_for_a_region_that_does_not_exist() -> None:
    for kind in (DirectDoor, WireDoor):
        with kind(Cloud(COMPONENTS, start=START)) as door:
            session = door.session("111122223333", "eu-west-1")
            assert session.client("ssm").describe_parameters()["Parameters"] == []
            with pytest.raises(ClientError, match="InvalidSignatureException"):
                session.client("ssm", region_name="eu-west-9").describe_parameters()


def test_every_region_of_the_catalogue_is_there() -> None:
    assert {region.name for region in regions()} <= known_regions()
    assert "aws-global" not in known_regions()


def test_stack_sets_refuse_regions_that_their_partition_has_not() -> None:
    with DirectDoor(Cloud(COMPONENTS, start=START)) as door:
        cloudformation = door.session("111122223333", "eu-west-1").client("cloudformation")
        body = '{"Resources": {"P": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "v"}}}}'
        cloudformation.create_stack_set(StackSetName="s", TemplateBody=body)
        for region in ("us-east-9", "cn-north-1", "aws-global"):
            with pytest.raises(ClientError, match=rf"Invalid Regions: \[{region}\]"):
                cloudformation.create_stack_instances(
                    StackSetName="s", Accounts=["111122223333"], Regions=["eu-west-1", region]
                )
