"""Who may assume a role: STS asks its trust policy, and the caller's own permissions."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from patchgate.emulator.wire import WireDoor

ACCOUNT, OTHER, REGION = "111122223333", "444455556666", "eu-west-1"
ASSUME = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def make_role(door: WireDoor, name: str, principal: Any, *statements: dict[str, Any], **trust: Any) -> str:
    iam = door.session(ACCOUNT, REGION).client("iam")
    trusted = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **trust}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trusted))
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(*statements))
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def assume(session: Any, role: str, **params: str) -> Any:
    given = session.client("sts", region_name=REGION).assume_role(RoleArn=role, RoleSessionName="me", **params)
    found = given["Credentials"]
    return boto3.Session(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], REGION)


def refusal(session: Any, role: str, **params: str) -> str:
    with pytest.raises(ClientError) as caught:
        assume(session, role, **params)
    error = caught.value.response["Error"]
    assert error["Code"] == "AccessDenied"
    assert error["Message"].endswith(f"is not authorized to perform: sts:AssumeRole on resource: {role}")
    return str(error["Message"])


def test_a_role_that_is_not_there_or_trusts_others_is_denied(door: WireDoor) -> None:
    operator = door.session(ACCOUNT, REGION)
    assert f"arn:aws:iam::{ACCOUNT}:root" in refusal(operator, f"arn:aws:iam::{ACCOUNT}:role/none")
    refusal(operator, make_role(door, "service", {"Service": "ssm.amazonaws.com"}))
    refusal(door.session(OTHER, REGION), make_role(door, "mine", {"AWS": ACCOUNT}))


@pytest.mark.parametrize("principal", [{"AWS": OTHER}, {"AWS": f"arn:aws:iam::{OTHER}:root"}, {"AWS": "*"}, "*"])
def test_an_account_that_is_trusted_may(door: WireDoor, principal: Any) -> None:
    session = assume(door.session(OTHER, REGION), make_role(door, "open", principal))
    assert session.client("sts").get_caller_identity()["Account"] == ACCOUNT


def test_a_role_needs_trust_and_permission(door: WireDoor) -> None:
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    target = make_role(door, "target", root)
    poor = assume(door.session(ACCOUNT, REGION), make_role(door, "poor", root))
    rich = assume(door.session(ACCOUNT, REGION), make_role(door, "rich", root, ASSUME))
    assert "assumed-role/poor/" in refusal(poor, target)
    assume(rich, target)
    refusal(rich, make_role(door, "closed", {"AWS": OTHER}))
    assume(poor, make_role(door, "named", {"AWS": f"arn:aws:iam::{ACCOUNT}:role/poor"}))


def test_an_external_id_is_asked_for(door: WireDoor) -> None:
    condition = {"StringEquals": {"sts:ExternalId": "agreed"}}
    role = make_role(door, "external", {"AWS": OTHER}, Condition=condition)
    other = door.session(OTHER, REGION)
    refusal(other, role)
    refusal(other, role, ExternalId="guessed")
    assume(other, role, ExternalId="agreed")


def test_what_is_no_role_is_invalid(door: WireDoor) -> None:
    with pytest.raises(ClientError, match="ValidationError"):
        assume(door.session(ACCOUNT, REGION), f"arn:aws:iam::{ACCOUNT}:user/somebody")
