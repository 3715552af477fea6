"""The objects of one bucket, with their versions and checksums.

Assumptions, each as moto has it behind the wire door: an object that was written before its bucket had versions shows
no version of its own; versions are UUIDs; who deletes the only marker over an object is not told that it was a marker.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from patchgate.emulator.errors import AwsError, NotEmulatedError

NO_VERSION = "null"
"""The version of what was written without versions."""


@dataclass(slots=True)
class StoredObject:
    """One version of an object, or the marker that it is deleted. ``details`` are as its reader gets them."""

    modified: datetime
    version: str
    content: bytes = b""
    etag: str = ""
    algorithm: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    is_marker: bool = False
    is_over_marker: bool = False

    @property
    def shown_version(self) -> dict[str, str]:
        """VersionId, of what has one."""
        return {} if self.version == NO_VERSION else {"VersionId": self.version}

    @property
    def checksum(self) -> dict[str, str]:
        """Such as ChecksumCRC32."""
        return {f"Checksum{self.algorithm}": checksum_of(self.content, self.algorithm)}


class ObjectStore:
    """Versions by key, oldest first. Without versions each key has one."""

    def __init__(self) -> None:
        self._versions: dict[str, list[StoredObject]] = {}

    def __bool__(self) -> bool:
        return bool(self._versions)

    def __contains__(self, key: str) -> bool:
        return key in self._versions and not self._versions[key][-1].is_marker

    def newest(self, key: str) -> StoredObject | None:
        """The newest version; None when there is none, or when it is a marker."""
        return self._versions[key][-1] if key in self else None

    def items(self) -> list[tuple[str, StoredObject]]:
        """What is not deleted, by key."""
        return [(key, self._versions[key][-1]) for key in sorted(self._versions) if key in self]

    def find(self, key: str, version: str) -> StoredObject | None:
        """That version, marker or not."""
        return next((found for found in self._versions.get(key, ()) if found.version == version), None)

    def put(self, key: str, written: StoredObject) -> None:
        """As the newest version, or instead of what was there when it has none of its own."""
        before = self._versions.get(key, []) if written.version != NO_VERSION else []
        written.is_over_marker = written.is_marker and bool(before) and before[-1].is_marker
        self._versions[key] = [*before, written]

    def drop(self, key: str, version: str) -> None:
        """Take one version away for good."""
        left = [found for found in self._versions.pop(key, []) if found.version != version]
        if left:
            self._versions[key] = left

    def versions(self) -> list[tuple[str, StoredObject, bool]]:
        """Every version and marker with its key and whether it is the latest: by key, newest first."""
        return [
            (key, found, place == 0)
            for key in sorted(self._versions)
            for place, found in enumerate(reversed(self._versions[key]))
        ]


def checksum_of(content: bytes, algorithm: str) -> str:
    """In base64, as S3 tells it.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
    """
    if algorithm == "CRC32":
        digest = zlib.crc32(content).to_bytes(4, "big")
    elif algorithm in ("SHA1", "SHA256"):
        digest = hashlib.new(algorithm, content, usedforsecurity=False).digest()
    else:
        raise NotEmulatedError(f"s3:PutObject with ChecksumAlgorithm {algorithm}")
    return base64.b64encode(digest).decode()


def default_encryption(configuration: Mapping[str, Any]) -> Mapping[str, str]:
    """What a bucket's configuration of encryption says of objects of which nobody says otherwise."""
    default: Mapping[str, str] = configuration.get("Rules", [{}])[0].get("ApplyServerSideEncryptionByDefault", {})
    return default


def encryption_of(given: dict[str, Any], configuration: dict[str, Any]) -> dict[str, Any]:
    """The members about encryption that an object written so has: its writer's, else the bucket's.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-bucket-encryption.html
    """
    rule, default = configuration.get("Rules", [{}])[0], default_encryption(configuration)
    algorithm = given.get("ServerSideEncryption") or default.get("SSEAlgorithm")
    key = given.get("SSEKMSKeyId") or default.get("KMSMasterKeyID")
    if not algorithm:
        return {}
    if algorithm != "aws:kms":
        return {"ServerSideEncryption": algorithm}
    with_key = {"SSEKMSKeyId": key} if key else {}
    with_rule = {"BucketKeyEnabled": bool(rule.get("BucketKeyEnabled", False))} if rule else {}
    return {"ServerSideEncryption": algorithm, **with_key, **with_rule}


def read_version(objects: ObjectStore, key: str, version: str | None, *, is_head: bool) -> StoredObject:
    """What GetObject or HeadObject reads; AwsError when there is none."""
    found = objects.find(key, version) if version else objects.newest(key)
    if is_head and found is not None and found.is_marker:
        raise AwsError("405", "Method Not Allowed", status=405)
    if found is None or found.is_marker:
        if is_head:
            raise AwsError("404", "Not Found", status=404)
        if version:
            raise AwsError("NoSuchVersion", "The specified version does not exist.", status=404)
        raise AwsError("NoSuchKey", "The specified key does not exist.", status=404)
    return found


def head_of(found: StoredObject, *, with_checksum: bool) -> dict[str, Any]:
    """What reading an object tells beside its content."""
    given = {"ContentType": "binary/octet-stream", "Metadata": {}} | deepcopy(found.details)
    told = {"AcceptRanges": "bytes", "LastModified": found.modified, "ContentLength": len(found.content)}
    return told | {"ETag": found.etag} | found.shown_version | given | (found.checksum if with_checksum else {})


def listed(key: str, found: StoredObject) -> dict[str, Any]:
    """An object in ListObjectsV2."""
    size, algorithm = len(found.content), {"ChecksumAlgorithm": [found.algorithm]}
    told = {"Key": key, "LastModified": found.modified, "ETag": found.etag}
    return told | algorithm | {"Size": size, "StorageClass": "STANDARD"}


_OWNER = {"ID": "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a", "DisplayName": "webfile"}
"""moto's."""


def listed_version(key: str, found: StoredObject, *, is_latest: bool) -> dict[str, Any]:
    """A version or marker in ListObjectVersions."""
    told = {"Key": key, "VersionId": found.version, "IsLatest": is_latest, "LastModified": found.modified}
    if found.is_marker:
        return {"Owner": dict(_OWNER)} | told
    return {"ETag": found.etag, "Size": len(found.content), "StorageClass": "STANDARD"} | told | {"Owner": dict(_OWNER)}
