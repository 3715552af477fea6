"""What moto is asked to do and the history of a run must know: objects written and messages published."""

from __future__ import annotations

from typing import Any

from patchgate.emulator.wire.protocol import decode, route

Fact = tuple[str, dict[str, Any]]

_WRITES = frozenset({"PutObject", "CopyObject", "CompleteMultipartUpload"})


def facts_of(service: str, request: Any) -> list[Fact]:
    """The events that the request makes if it succeeds: ObjectWritten and MessagePublished. Cheap for all others."""
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


def _message(topic: str, entry: dict[str, Any]) -> Fact:
    facts = {"topic": topic, "subject": entry.get("Subject", ""), "message": entry.get("Message", "")}
    return "MessagePublished", facts


def _bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else body or b""
