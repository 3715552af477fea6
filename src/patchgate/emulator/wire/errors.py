"""An AwsError on the wire: the bytes from which botocore makes a ClientError of the same code and message."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from patchgate.emulator.errors import AwsError
from patchgate.errors import PatchgateError

if TYPE_CHECKING:
    from collections.abc import Callable

    from patchgate.emulator.wire.private import Response


class NetworkRefusedError(PatchgateError):
    """A request would have left the machine. The embedded AWS never lets one."""

    def __init__(self, url: str) -> None:
        super().__init__(
            f"refused a request to {url}: the embedded AWS reaches no network",
            remedy="only AWS endpoints are answered, and only while the door is open",
        )


_BAD_TOKEN = "The security token included in the request is invalid."  # noqa: S105 - AWS's message


def unknown_key(service: str, protocol: str) -> AwsError:
    """What AWS answers to an access key that it does not know.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html (AuthFailure) and
    https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html (InvalidClientTokenId). That the JSON
    services say UnrecognizedClientException follows their own lists of common errors.
    """
    if service == "ec2":
        message = "AWS was not able to validate the provided access credentials"
        return AwsError("AuthFailure", message, status=401)
    if service == "s3":
        message = "The AWS Access Key Id you provided does not exist in our records."
        return AwsError("InvalidAccessKeyId", message, status=403)
    if protocol == "query":
        return AwsError("InvalidClientTokenId", _BAD_TOKEN, status=403)
    status = 403 if protocol == "rest-json" else 400
    return AwsError("UnrecognizedClientException", _BAD_TOKEN, status=status)


def unsigned() -> AwsError:
    """What AWS answers to a request without a signature."""
    return AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", status=403)


def encode_error(error: AwsError, protocol: str, request_id: str) -> Response:
    """The response that says ``error`` in a protocol, named as botocore names protocols."""
    headers, body = _ENCODERS[protocol](error, request_id)
    return error.status, {"x-amzn-requestid": request_id, **headers}, body


def _json(error: AwsError, _: str) -> tuple[dict[str, str], str]:
    body = json.dumps({"__type": error.code, "message": error.message})
    return {"content-type": "application/x-amz-json-1.1", "x-amzn-errortype": error.code}, body


def _detail(error: AwsError) -> str:
    return f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"


def _query(error: AwsError, request_id: str) -> tuple[dict[str, str], str]:
    fault = "Sender" if error.status < 500 else "Receiver"
    body = (
        f"<ErrorResponse><Error><Type>{fault}</Type>{_detail(error)}</Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return {"content-type": "text/xml"}, body


def _ec2(error: AwsError, request_id: str) -> tuple[dict[str, str], str]:
    body = f"<Response><Errors><Error>{_detail(error)}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    return {"content-type": "text/xml"}, body


def _s3(error: AwsError, request_id: str) -> tuple[dict[str, str], str]:
    return {"content-type": "application/xml"}, f"<Error>{_detail(error)}<RequestId>{request_id}</RequestId></Error>"


_ENCODERS: dict[str, Callable[[AwsError, str], tuple[dict[str, str], str]]] = {
    "json": _json,
    "rest-json": _json,
    "query": _query,
    "ec2": _ec2,
    "rest-xml": _s3,
}
