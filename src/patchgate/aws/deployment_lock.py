"""DeploymentLock as an SSM parameter in the log account: created once, it is the one compare-and-set there.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from patchgate.aws.refusals import is_said, refusals
from patchgate.errors import PatchgateError
from patchgate.operations.rollout.ports import LockedError, LockHolder
from patchgate.plan.names import DEPLOYMENT_LOCK


class ParameterLock:
    """DeploymentLock with an SSM client of the account and Region that hold it."""

    def __init__(self, ssm: Any) -> None:
        self._ssm = ssm
        self._name = DEPLOYMENT_LOCK.render()
        self._value = ""

    def acquire(self, holder: LockHolder, *, take_over: bool = False) -> None:
        """See DeploymentLock."""
        content = {"who": holder.who, "where": holder.where, "since": holder.since.isoformat(), "plan": holder.plan}
        value = json.dumps(content)
        with refusals(f"taking the lock {self._name}"):
            try:
                self._ssm.put_parameter(
                    Name=self._name,
                    Type="String",
                    Value=value,
                    Overwrite=take_over,
                    Description="Somebody deploys with patchgate; it goes when they are done.",
                )
            except ClientError as error:
                if not is_said(error, "ParameterAlreadyExists"):
                    raise
                raise LockedError(self._holder(self._read())) from error
        self._value = value

    def release(self) -> None:
        """See DeploymentLock."""
        with refusals(f"giving back the lock {self._name}"):
            if self._value and self._read() == self._value:
                self._ssm.delete_parameter(Name=self._name)

    def _read(self) -> str:
        try:
            return str(self._ssm.get_parameter(Name=self._name)["Parameter"]["Value"])
        except ClientError as error:
            if is_said(error, "ParameterNotFound"):
                return ""
            raise

    def _holder(self, value: str) -> LockHolder:
        if not value:
            raise PatchgateError(f"the lock {self._name} was just given back", remedy="run this again")
        try:
            said = json.loads(value)
            since = datetime.fromisoformat(said["since"])
            return LockHolder(str(said["who"]), str(said["where"]), since, str(said["plan"]))
        except (ValueError, KeyError, TypeError) as error:
            raise PatchgateError(
                f"the parameter {self._name} is not a lock that patchgate made", remedy="look at it, and delete it"
            ) from error
