"""What moto is asked to do and the history of a run must know: objects written and messages published."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from patchgate.emulator.neighbour_checks import CHECKED_SERVICES
from patchgate.emulator.wire.protocol import decode, route

Fact = tuple[str, dict[str, Any]]

_READS = re.compile(rb"Action=(Get|List|Simulate)")
_ENCRYPTION = {
    "ServerSideEncryption": "x-amz-server-side-encryption",
    "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
}
_WRITES = frozenset({"PutObject", "CopyObject", "CompleteMultipartUpload"})


def facts_of(service: str, request: Any) -> list[Fact]:
    """The events that the request makes if it succeeds: ObjectWritten (only bucket and key, the rest is read from moto
    then) and MessagePublished. Cheap for all others."""
    if service == "s3" and request.method in ("PUT", "POST"):
        operation, labels = route(service, request)
        if operation in _WRITES:
            return [("ObjectWritten", {"bucket": labels["Bucket"], "key": labels["Key"]})]
    if service == "sns" and b"Action=Publish" in _bytes(request.body):
        call = decode(service, request)
        params = call.params
        entries = params.get("PublishBatchRequestEntries", [params])
        topic = params.get("TopicArn") or params.get("TargetArn") or ""
        return [_message(topic, entry) for entry in entries]
    return []


def question_of(service: str, request: Any) -> tuple[str, dict[str, Any]]:
    """The operation that a request asks moto for, and its parameters; of S3's only what authorisation looks at."""
    if service != "s3":
        call = decode(service, request)
        return call.operation, call.params
    operation, labels = route(service, request)
    acl = _text(request.headers.get("x-amz-acl") or "")
    query = parse_qs(urlsplit(request.url).query)
    prefix, version = query.get("prefix", [""])[0], query.get("versionId", [""])[0]
    encryption = {name: _text(request.headers.get(header) or "") for name, header in _ENCRYPTION.items()}
    given = {"ACL": acl, "Prefix": prefix, "VersionId": version, **encryption}
    return operation, labels | {name: value for name, value in given.items() if value}


def checked_question(service: str, request: Any) -> tuple[str, dict[str, Any]]:
    """The operation and parameters of a request that ``neighbour_checks`` may look at; no operation for all others."""
    if service not in CHECKED_SERVICES or (service == "s3" and not _is_about_a_bucket(request)):
        return "", {}
    operation, params = question_of(service, request)
    return operation, params | ({"Policy": _bytes(request.body).decode()} if operation == "PutBucketPolicy" else {})


def _is_about_a_bucket(request: Any) -> bool:
    """Whether a bucket, named by host or path, is put or changed; an object with a short key may look like one."""
    return request.method == "PUT" and "/" not in urlsplit(request.url).path.strip("/")


def list_fewer_keys(url: str, most: int) -> str:
    """The URL of a ListObjectsV2 that asks for that many keys at most."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    asked = min(most, int(query.get("max-keys", most)))
    return urlunsplit(parts._replace(query=urlencode(query | {"max-keys": str(asked)})))


def changes_iam(service: str, request: Any) -> bool:
    """Whether a request may change roles or policies."""
    return service == "iam" and not _READS.search(_bytes(request.body))


def _message(topic: str, entry: dict[str, Any]) -> Fact:
    facts = {"topic": topic, "subject": entry.get("Subject", ""), "message": entry.get("Message", "")}
    return "MessagePublished", facts


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else body or b""
