"""What the history of a run keeps of an object that was written to S3, whichever door it came through."""

from __future__ import annotations

import hashlib
from typing import Any

TEXT_ENDINGS = (".json", ".jsonl")
LONGEST_TEXT = 4 * 1024 * 1024
"""Bytes. Longer objects, and those that are no JSON by their name, are kept as their digest."""


def describe_object(bucket: str, key: str, content: bytes, principal: str) -> dict[str, Any]:
    """The facts of ObjectWritten: where, by whom ("" for an account itself), size in bytes, SHA-256, text or None."""
    text = None
    if key.endswith(TEXT_ENDINGS) and len(content) <= LONGEST_TEXT:
        text = content.decode("utf-8", "replace")
    return {
        "bucket": bucket,
        "key": key,
        "principal": principal,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "text": text,
    }
