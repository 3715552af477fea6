"""STS GetCallerIdentity of operators: their keys are not moto's, which would make them users that are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from patchgate.emulator.cloud import partition_of
from patchgate.emulator.wire import private
from patchgate.emulator.wire.protocol import decode, encode

if TYPE_CHECKING:
    from patchgate.emulator.wire.identity import Identity, Signature


def answer_operator(identity: Identity, signature: Signature, request: Any, request_id: str) -> private.Response | None:
    """The answer to an operator who asks STS who he is; None for everybody and everything else: those are moto's.

    An operator is the root of his account: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    if signature.service != "sts" or identity.principal or private.key_owner(signature.access_key) is not None:
        return None
    call = decode("sts", request)
    if call.operation != "GetCallerIdentity":
        return None
    arn = f"arn:{partition_of(signature.region)}:iam::{identity.account}:root"
    return encode(call, {"UserId": identity.account, "Account": identity.account, "Arn": arn}, request_id)
