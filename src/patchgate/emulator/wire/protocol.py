"""Requests to operations and results to responses, with moto's parser and serialiser, in every protocol of ours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import UnknownServiceError
from botocore.utils import parse_timestamp
from botocore.validate import ParamValidator
from werkzeug.exceptions import NotFound

from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.wire import private
from patchgate.errors import PatchgateError

_VALIDATOR = ParamValidator()
_LOWER_BOUND = re.compile(r"Invalid (length|value) for parameter .*, valid min (length|value): ")


class ModelMismatchError(PatchgateError):
    """An answer does not have the shape that botocore's service model demands: a fault of the embedded AWS."""

    def __init__(self, service: str, operation: str, report: str) -> None:
        super().__init__(
            f"the embedded AWS answered {service}:{operation} in a shape that AWS has not: {report}",
            remedy="correct the component that implements it",
        )


@dataclass(frozen=True, slots=True)
class WireCall:
    """One request as an operation with parameters in botocore's input shape."""

    service: str
    operation: str
    params: dict[str, Any]
    protocol: str
    model: Any


def protocol_of(service: str, content_type: str) -> str:
    """The protocol that a request speaks, by its content's type. (moto keeps botocore from speaking CBOR.)"""
    if service in ("s3", "s3control"):
        return "rest-xml"
    if content_type.startswith("application/x-amz-json"):
        return "json"
    if content_type.startswith("application/x-www-form-urlencoded"):
        return "ec2" if service == "ec2" else "query"
    return "rest-json"


def route(service: str, request: Any) -> tuple[str, dict[str, Any]]:
    """The operation of a prepared request and the labels in its path, without reading its body. AwsError if none."""
    bare = AWSPreparedRequest(request.method, request.url, request.headers, b"", stream_output=False)
    operation, labels = _match(service, private.normalize_request(bare))
    return str(operation.name), labels


def decode(service: str, request: Any) -> WireCall:
    """Parse a prepared request. Raises AwsError UnknownOperationException when the service has no such operation."""
    normal = private.normalize_request(request)
    operation, labels = _match(service, normal)
    protocol = str(private.determine_request_protocol(operation.service_model, normal.content_type))
    values = normal.values
    parser = private.PROTOCOL_PARSERS[protocol](operation, timestamp_parser=_parse_instant)
    params = parser.parse(
        {
            "method": normal.method,
            "values": values.to_dict() if protocol in ("query", "ec2") else values,
            "headers": normal.headers,
            "body": normal.data if protocol not in ("query", "ec2") else b"",
            "url_path": normal.path,
            "url_params": labels,
        }
    )
    if protocol.startswith("rest-"):
        params = _without_absent_members(params, operation.input_shape)
    return WireCall(service, operation.name, params, protocol, operation)


def encode(call: WireCall, result: dict[str, Any], request_id: str) -> private.Response:
    """Serialise a result in botocore's output shape."""
    serializer_class = private.get_serializer_class(call.service, call.protocol)
    context = private.SerializationContext(request_id)
    response = serializer_class(call.model, context=context, value_picker=_pick).serialize(result)
    status = _status_member(call.model.output_shape)
    return (
        int(result.get(status, response["status_code"])),
        {"x-amzn-requestid": request_id, **response["headers"]},
        response["body"],
    )


def _status_member(shape: Any) -> str:
    """The output's member that travels as the status of HTTP, "" if there is none."""
    members = shape.members.items() if shape else ()
    return next((name for name, member in members if member.serialization.get("location") == "statusCode"), "")


def check_answer(service: str, operation: str, result: dict[str, Any], shape: Any) -> None:
    """Raise ModelMismatchError when a result has not the output shape of the model.

    Lower bounds of lengths and values do not count: AWS states them for answers too and then sends empty lists.
    """
    if shape is None:
        report = [f"no output is modelled, got {result}"] if result else []
    else:
        lines = _VALIDATOR.validate(result, shape).generate_report().splitlines()
        report = [line for line in lines if not _LOWER_BOUND.match(line)]
    if report:
        raise ModelMismatchError(service, operation, "; ".join(report))


def _pick(place: Any) -> Any:
    value = place.obj.get(place.key)
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        model = place.operation_model
        raise ModelMismatchError(model.service_model.service_name, model.name, f"{place.key} has no time zone")
    return value.astimezone(UTC)


def _match(service: str, normal: Any) -> tuple[Any, dict[str, Any]]:
    try:
        operation, labels = private.get_service_router(service).match(normal)
    except UnknownServiceError as error:
        raise NotEmulatedError(f"the service {service}") from error
    except NotFound as error:
        raise AwsError("UnknownOperationException", status=404) from error
    return operation, labels


def _parse_instant(value: Any) -> datetime:
    instant: datetime = parse_timestamp(value)
    return instant


def _without_absent_members(params: dict[str, Any], shape: Any) -> dict[str, Any]:
    """Without the empty lists and maps that moto's parser makes of query arguments and headers that were not sent."""
    located = {
        name
        for name, member in (shape.members.items() if shape else ())
        if member.serialization.get("location") in ("querystring", "headers", "uri", "header")
    }
    return {name: value for name, value in params.items() if name not in located or value not in ([], {}, None)}
