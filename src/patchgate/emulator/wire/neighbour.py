"""Services that the cloud does not own, answered by moto."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError

from patchgate.emulator.errors import AwsError
from patchgate.emulator.wire.private import bucket_encryption

if TYPE_CHECKING:
    from collections.abc import Mapping

    from patchgate.emulator.cloud import Params, Result, Scope
    from patchgate.emulator.wire.door import WireDoor


class MotoNeighbour:
    """cloud.Neighbour on moto, through botocore's clients and the door.

    Such calls are the cloud's own doing: they take no virtual time. Streamed bodies come back as bytes.
    """

    is_restorable = False
    """Whether a snapshot of the cloud holds this neighbour's state."""

    def __init__(self, door: WireDoor) -> None:
        self._door = door

    def bucket_encryption(self, bucket: str) -> Mapping[str, str]:
        """How a bucket encrypts by default, whoever may read that; empty without a setting or such a bucket."""
        return bucket_encryption(bucket)

    def call(self, scope: Scope, service: str, operation: str, params: Params) -> Result:
        """The answer in botocore's shape. Raises AwsError, also for parameters that botocore refuses."""
        with self._door.without_latency():
            client = self._door.session(scope).client(service)
            try:
                result: dict[str, Any] = getattr(client, xform_name(operation))(**params)
            except ClientError as error:
                said = error.response["Error"]
                status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                raise AwsError(said["Code"], said["Message"], status=status) from error
            except ParamValidationError as error:
                raise AwsError("ValidationException", str(error)) from error
        del result["ResponseMetadata"]
        return {name: value.read() if hasattr(value, "read") else value for name, value in result.items()}
