"""Buckets are their owner's, and others' only where the policy says so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from patchgate.emulator.cloud import Cloud
from patchgate.emulator.wire import WireDoor

OWNER, MEMBER, REGION, BUCKET = "111122223333", "444455556666", "eu-west-1", "patching-logs"
ORGANIZATION = "o-abcdefghij"
GATE = f"arn:aws:iam::{MEMBER}:role/gate"


@pytest.fixture
def door() -> Iterator[WireDoor]:
    cloud = Cloud((), start=datetime(2026, 7, 4, tzinfo=UTC), organization_id=ORGANIZATION)
    with WireDoor(cloud) as door:
        owner = door.session(OWNER, REGION).client("s3")
        owner.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield door


def allow(door: WireDoor, **conditions: Any) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
        "Condition": conditions,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    door.session(OWNER, REGION).client("s3").put_bucket_policy(Bucket=BUCKET, Policy=policy)


def write(door: WireDoor, account: str, principal: str = "", **more: Any) -> str:
    """ "" when the write was taken, else the code of its refusal."""
    s3 = door.session(account, REGION, principal).client("s3")
    try:
        s3.put_object(Bucket=BUCKET, Key="evidence/a", Body=b"x", **more)
    except ClientError as refusal:
        return str(refusal.response["Error"]["Code"])
    return ""


def test_without_a_policy_only_the_owner_writes(door: WireDoor) -> None:
    assert [write(door, OWNER), write(door, MEMBER)] == ["", "AccessDenied"]


@pytest.mark.parametrize(("organization", "answer"), [(ORGANIZATION, ""), ("o-zzzzzzzzzz", "AccessDenied")])
def test_a_policy_may_name_the_organization(door: WireDoor, organization: str, answer: str) -> None:
    allow(door, StringEquals={"aws:PrincipalOrgID": organization})
    assert write(door, MEMBER) == answer


def test_a_policy_may_name_roles(door: WireDoor, allow_everything: Callable[[str], None]) -> None:
    allow(door, ArnLike={"aws:PrincipalArn": GATE})
    allow_everything(GATE)
    assert [write(door, MEMBER, GATE), write(door, MEMBER)] == ["", "AccessDenied"]


def test_a_policy_may_ask_for_an_acl(door: WireDoor) -> None:
    allow(door, StringEquals={"s3:x-amz-acl": "bucket-owner-full-control"})
    assert write(door, MEMBER) == "AccessDenied"
    assert write(door, MEMBER, ACL="bucket-owner-full-control") == ""


def test_a_refused_write_leaves_no_trace(door: WireDoor) -> None:
    assert write(door, MEMBER) == "AccessDenied"
    assert [record["event"] for record in door.cloud.history] == []
    assert "Contents" not in door.session(OWNER, REGION).client("s3").list_objects_v2(Bucket=BUCKET)
