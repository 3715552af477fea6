"""STS GetCallerIdentity of whoever has a key of the door's: moto does not know it, and would name a user of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from patchgate.emulator.cloud import Scope
from patchgate.emulator.light.identity import describe_caller
from patchgate.emulator.wire import private
from patchgate.emulator.wire.protocol import decode, encode

if TYPE_CHECKING:
    from patchgate.emulator.wire.identity import Identity, Signature


def answer_caller(identity: Identity, signature: Signature, request: Any, request_id: str) -> private.Response | None:
    """The answer to an operator or a role that asks STS who it is; None for everybody and everything else: moto's."""
    if signature.service != "sts" or private.key_owner(signature.access_key) is not None:
        return None
    call = decode("sts", request)
    if call.operation != "GetCallerIdentity":
        return None
    caller = describe_caller(Scope(identity.account, signature.region, identity.principal))
    return encode(call, caller, request_id)
