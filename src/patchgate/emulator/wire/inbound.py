"""Requests that came in over HTTP, as the prepared requests that a client of this process would have sent to AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders

from patchgate.emulator.wire.identity import signature_of
from patchgate.emulator.wire.services import host_of

if TYPE_CHECKING:
    from collections.abc import Iterable


def prepare_request(method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes) -> AWSPreparedRequest:
    """The request as AWS's own endpoint would have got it: the credential scope says which service and Region.

    ``target`` is the request line's: path and query as they were sent. Buckets are named by the path. An unsigned
    request goes to a service that there is none of. The domain is the same in every partition: moto knows no other.
    """
    kept = HTTPHeaders()
    for name, value in headers:
        kept[name] = value
    request = AWSPreparedRequest(method, f"https://unsigned.invalid{_path_of(target)}", kept, body, stream_output=False)
    signature = signature_of(request)
    if signature is not None:
        host = host_of(signature.service, signature.region, request)
        request.url = f"https://{host}{_path_of(target)}"
        del kept["Host"]
        kept["Host"] = host
    return request


def _path_of(target: str) -> str:
    """Path and query; a target in absolute form, as a proxy gets it, loses its scheme and host."""
    if target.startswith("/"):
        return target
    parts = urlsplit(target)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
