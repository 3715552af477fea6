"""The lock of deployments: one has it, the other is told who and since when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from patchgate.aws.deployment_lock import ParameterLock
from patchgate.aws.refusals import RefusedError
from patchgate.errors import PatchgateError
from patchgate.operations.rollout.ports import DeploymentLock, LockedError, LockHolder

ADA = LockHolder("arn:aws:iam::1:user/ada", "ada@desk", datetime(2026, 7, 1, 9, 30, tzinfo=UTC), "a1")
BOB = LockHolder("arn:aws:iam::1:user/bob", "bob@desk", datetime(2026, 7, 1, 9, 31, tzinfo=UTC), "b2")


class FakeSsm:
    """Parameter Store, as far as the lock needs it."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.denied = False

    def put_parameter(self, **request: Any) -> None:
        if self.denied:
            raise _error("AccessDeniedException")
        if request["Name"] in self.values and not request["Overwrite"]:
            raise _error("ParameterAlreadyExists")
        self.values[request["Name"]] = request["Value"]

    def get_parameter(self, **request: Any) -> dict[str, Any]:
        if request["Name"] not in self.values:
            raise _error("ParameterNotFound")
        return {"Parameter": {"Value": self.values[request["Name"]]}}

    def delete_parameter(self, **request: Any) -> None:
        del self.values[request["Name"]]


def _error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Operation")


def test_one_has_it_and_the_other_is_told() -> None:
    ssm = FakeSsm()
    first: DeploymentLock = ParameterLock(ssm)
    second: DeploymentLock = ParameterLock(ssm)
    first.acquire(ADA)
    with pytest.raises(LockedError, match="user/ada on ada@desk, since 2026-07-01 09:30 UTC") as locked:
        second.acquire(BOB)
    assert "--take-over" in locked.value.remedy
    second.release()  # it has none to give back
    first.release()
    second.acquire(BOB)
    assert list(ssm.values) == ["/patchgate/deployment"]
    second.release()
    assert ssm.values == {}


def test_what_was_taken_over_is_not_given_back_by_who_had_it() -> None:
    ssm = FakeSsm()
    first, second = ParameterLock(ssm), ParameterLock(ssm)
    first.acquire(ADA)
    second.acquire(BOB, take_over=True)
    first.release()
    with pytest.raises(LockedError, match="user/bob"):
        first.acquire(ADA)


def test_a_refusal_and_a_foreign_parameter_are_named() -> None:
    ssm = FakeSsm()
    ssm.values["/patchgate/deployment"] = "mine"
    with pytest.raises(PatchgateError, match="is not a lock that patchgate made"):
        ParameterLock(ssm).acquire(ADA)
    ssm.denied = True
    with pytest.raises(RefusedError, match="taking the lock /patchgate/deployment was refused: AccessDenied"):
        ParameterLock(ssm).acquire(ADA)
