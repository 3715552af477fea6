"""Bucket policies: who may do what, and what is refused rather than guessed."""

from __future__ import annotations

from typing import Any

import pytest

from patchgate.emulator.bucket_policy import Answer, ObjectRequest, evaluate_bucket_policy
from patchgate.emulator.errors import NotEmulatedError

GATE = "arn:aws:iam::111111111111:role/patchgate-gate-open-ubuntu-prd-eu-central-1"
AGENT = "arn:aws:iam::222222222222:role/web-server"
POLICY: dict[str, Any] = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::logs/*",
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-mine"}},
        },
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["s3:PutObject*", "s3:DeleteObject*"],
            "Resource": "arn:aws:s3:::logs/evidence/*",
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*patchgate-gate-*"}},
        },
        {
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "s3:*",
            "Resource": ["arn:aws:s3:::logs", "arn:aws:s3:::logs/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ]
}


def answer(principal: str, key: str, *, action: str = "s3:PutObject", **context: str) -> Answer:
    known = {"aws:principalarn": principal, "aws:principalorgid": "o-mine", "aws:securetransport": "true"}
    request = ObjectRequest(principal, action, f"arn:aws:s3:::logs/{key}", known | context)
    return evaluate_bucket_policy(POLICY, request)


def test_members_of_the_organization_write_logs() -> None:
    assert answer(AGENT, "logs/a") == "allow"


def test_strangers_are_not_mentioned() -> None:
    assert answer(AGENT, "logs/a", **{"aws:principalorgid": "o-other"}) == "silent"


def test_f59_only_the_gate_writes_evidence() -> None:
    assert answer(AGENT, "evidence/a") == "deny"
    assert answer(AGENT, "evidence/a", action="s3:DeleteObjectVersion") == "deny"
    assert answer(GATE, "evidence/a") == "allow"


def test_without_tls_everything_is_denied() -> None:
    assert answer(GATE, "evidence/a", **{"aws:securetransport": "false"}) == "deny"


def test_a_key_that_the_request_lacks_fails_a_test_and_passes_a_negated_one() -> None:
    request = ObjectRequest(AGENT, "s3:PutObject", "arn:aws:s3:::logs/evidence/a", {})
    assert evaluate_bucket_policy(POLICY, request) == "deny"
    assert evaluate_bucket_policy({"Statement": POLICY["Statement"][0]}, request) == "silent"


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ({"AWS": "222222222222"}, "allow"),
        ({"AWS": "arn:aws:iam::222222222222:root"}, "allow"),
        ({"AWS": [AGENT]}, "allow"),
        ({"AWS": GATE}, "silent"),
        ({"Service": "ssm.amazonaws.com"}, "silent"),
    ],
)
def test_principals(principal: dict[str, Any], expected: Answer) -> None:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "S3:putobject", "Resource": "*"}
    request = ObjectRequest(AGENT, "s3:PutObject", "arn:aws:s3:::logs/a", {})
    assert evaluate_bucket_policy({"Statement": [statement]}, request) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"NotAction": "s3:GetObject"},
        {"NotPrincipal": "*"},
        {"NotResource": "*"},
        {"Condition": {"NumericLessThan": {"s3:max-keys": "1"}}},
        {"Resource": "arn:aws:s3:::logs/${aws:username}/*"},
    ],
)
def test_what_is_not_known_is_refused(change: dict[str, Any]) -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "*"} | change
    request = ObjectRequest(AGENT, "s3:PutObject", "arn:aws:s3:::logs/a", {"s3:max-keys": "0"})
    with pytest.raises(NotEmulatedError):
        evaluate_bucket_policy({"Statement": [statement]}, request)


OWN = {
    "Effect": "Allow",
    "Principal": "*",
    "Action": "s3:PutObject",
    "Resource": "arn:aws:s3:::logs/evidence/*/${aws:PrincipalAccount}/*",
}


@pytest.mark.parametrize(
    ("key", "context", "expected"),
    [
        ("evidence/ubuntu/111111111111/a", {"aws:principalaccount": "111111111111"}, "allow"),
        ("evidence/ubuntu/111111111111/a", {"aws:principalaccount": "222222222222"}, "silent"),
        ("evidence/ubuntu/${aws:PrincipalAccount}/a", {"aws:principalaccount": "222222222222"}, "silent"),
        ("evidence/ubuntu/111111111111/a", {}, "silent"),
    ],
)
def test_f59_a_resource_knows_the_account_of_who_asks(key: str, context: dict[str, str], expected: Answer) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html"""
    request = ObjectRequest(GATE, "s3:PutObject", f"arn:aws:s3:::logs/{key}", context)
    assert evaluate_bucket_policy({"Statement": OWN}, request) == expected
