"""Clients for accounts: own credentials, a role elsewhere; and what the SDK refuses, in words."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    NoRegionError,
    PartialCredentialsError,
    UnauthorizedSSOTokenError,
)

from patchgate.aws.accounts import Accounts, MemberRole, fan_out
from patchgate.aws.refusals import RefusedError, describe_refusal, is_said, refusals

OWN, OTHER = "111111111111", "222222222222"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"AKIA{OWN}")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
    return monkeypatch


def test_a_profile_that_is_not_there_is_named(settings: pytest.MonkeyPatch) -> None:
    with pytest.raises(RefusedError, match=r"profile \(nobody\) could not be found") as refused:
        Accounts("Role", "eu-central-1", "aws", profile="nobody")
    assert refused.value.remedy == "aws configure list-profiles lists those that are there"


def test_without_an_answer_the_network_is_looked_at(settings: pytest.MonkeyPatch) -> None:
    settings.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    waits: list[float] = []
    settings.setattr("botocore.endpoint.time", SimpleNamespace(sleep=waits.append, time=time.time))
    with pytest.raises(RefusedError, match="asking who you are") as refused:
        Accounts("Role", "eu-central-1", "aws").caller()
    assert "AWS_ENDPOINT_URL" in refused.value.remedy
    assert "hush-hush" not in str(refused.value)
    assert len(waits) == 7, "asked 8 times, with a wait before each but the first"


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (PartialCredentialsError(provider="env", cred_var="x"), "log in"),
        (UnauthorizedSSOTokenError(), "log in again: aws sso login"),
        (NoRegionError(), "name a Region with AWS_DEFAULT_REGION"),
        (
            ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow"}}, "X"),
            "wait a few minutes, and run this again: AWS limits how often it is asked",
        ),
        (ClientError({"Error": {"Code": "ExpiredToken", "Message": "old"}}, "X"), "renew your credentials"),
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "X"), "allow this call to the role"),
        (ClientError({"Error": {"Code": "Odd", "Message": "no"}}, "X"), "correct what the message names"),
    ],
)
def test_every_refusal_has_a_way_on(error: Exception, remedy: str) -> None:
    said, way = describe_refusal("asking", error)
    assert said.startswith("asking ")
    assert way.startswith(remedy)
    with pytest.raises(RefusedError, match="asking"), refusals("asking"):
        raise error


def test_only_what_aws_said_is_compared() -> None:
    assert not is_said(ValueError("NoSuchEntity"), "NoSuchEntity")
    assert is_said(ClientError({"Error": {"Code": "NoSuchEntity", "Message": "x y"}}, "X"), "NoSuchEntity", "y")


def test_everything_is_asked_at_once_in_order_and_the_first_refusal_ends_it() -> None:
    assert fan_out(lambda number: number * 2, range(40), workers=4) == [number * 2 for number in range(40)]

    def refuse(number: int) -> int:
        if number == 3:
            raise RefusedError("three")
        return number

    with pytest.raises(RefusedError, match="three"):
        fan_out(refuse, range(10), workers=2)


class FakeSts:
    """Answers AssumeRole, or refuses it."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked: list[dict[str, Any]] = []

    def assume_role(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        if self.error is not None:
            raise self.error
        expiration = datetime.now(UTC) + timedelta(hours=1)
        secret = {"AccessKeyId": "ASIA1", "SecretAccessKey": "hush", "SessionToken": "t", "Expiration": expiration}
        return {"Credentials": secret}


def test_a_members_role_is_assumed_when_it_is_needed() -> None:
    sts = FakeSts()
    credentials = MemberRole(sts, f"arn:aws:iam::{OTHER}:role/Role").load()
    assert sts.asked == []
    assert credentials.get_frozen_credentials().access_key == "ASIA1"
    assert sts.asked == [{"RoleArn": f"arn:aws:iam::{OTHER}:role/Role", "RoleSessionName": "patchgate"}]


def test_a_members_role_that_is_refused_is_named_with_the_way_on() -> None:
    sts = FakeSts(ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, "AssumeRole"))
    credentials = MemberRole(sts, f"arn:aws:iam::{OTHER}:role/Role").load()
    with pytest.raises(RefusedError, match=f"assuming the role arn:aws:iam::{OTHER}:role/Role was refused") as refused:
        credentials.get_frozen_credentials()
    assert "--member-role" in refused.value.remedy
