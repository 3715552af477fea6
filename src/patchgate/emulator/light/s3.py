"""S3: buckets with their settings and policies, and what is done with their objects.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from patchgate.emulator.bucket_policy import ObjectRequest, evaluate_bucket_policy
from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.light.requests import refuse_others
from patchgate.emulator.light.s3_objects import (
    NO_VERSION,
    ObjectStore,
    StoredObject,
    default_encryption,
    encryption_of,
    head_of,
    listed,
    listed_version,
    read_version,
)
from patchgate.emulator.numbered_ids import NumberedIds

_WRITTEN = ("ContentType", "ContentEncoding", "CacheControl", "Metadata", "ServerSideEncryption", "SSEKMSKeyId")
_PUT = {"Bucket", "Key", "Body", "ACL", "ChecksumAlgorithm", "ContentMD5", "ContentLength", "IfNoneMatch", *_WRITTEN}


@dataclass(slots=True)
class Bucket:
    """One bucket; ``settings`` by the operation that puts them."""

    name: str
    owner: str
    region: str
    created: datetime
    policy: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    objects: ObjectStore = field(default_factory=ObjectStore)

    @property
    def has_versions(self) -> bool:
        return (self.settings.get("BucketVersioning") or {}).get("Status") == "Enabled"


class S3(Component):
    """Bucket names are global to the cloud. Only its owner's account configures a bucket; objects are other accounts'
    business where the bucket's policy allows it."""

    service = "s3"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._buckets: dict[str, Bucket] = {}
        self._ids = NumberedIds(cloud.seed, self.service)

    # Buckets

    @operation("CreateBucket")
    def create_bucket(self, scope: Scope, params: Params) -> Result:
        known = ("Bucket", "ACL", "CreateBucketConfiguration", "ObjectLockEnabledForBucket", "ObjectOwnership")
        refuse_others(params, "s3:CreateBucket", known)
        if params.get("ObjectLockEnabledForBucket"):
            raise NotEmulatedError("s3:CreateBucket with ObjectLockEnabledForBucket")
        name = params["Bucket"]
        given = (params.get("CreateBucketConfiguration") or {}).get("LocationConstraint")
        region = given or "us-east-1"
        if region != scope.region:
            message = (
                f"The {given or 'unspecified'} location constraint is incompatible for the region specific endpoint"
            )
            raise AwsError("IllegalLocationConstraintException", f"{message} this request was sent to.")
        there = self._buckets.get(name)
        if there is not None and there.owner == scope.account:
            message = "Your previous request to create the named bucket succeeded and you already own it."
            raise AwsError("BucketAlreadyOwnedByYou", message, status=409)
        if there is not None:
            message = (
                "The requested bucket name is not available. The bucket namespace is shared by all users of the "
                "system. Please select a different name and try again"
            )
            raise AwsError("BucketAlreadyExists", message, status=409)
        self._buckets[name] = Bucket(name, scope.account, region, self.cloud.now)
        return {"Location": f"/{name}"}

    @operation("DeleteBucket")
    def delete_bucket(self, scope: Scope, params: Params) -> Result:
        bucket = self._owned(scope, params)
        if bucket.objects:
            raise AwsError("BucketNotEmpty", "The bucket you tried to delete is not empty", status=409)
        del self._buckets[bucket.name]
        return {}

    @operation("HeadBucket")
    def head_bucket(self, scope: Scope, params: Params) -> Result:
        bucket = self._buckets.get(params["Bucket"])
        if bucket is None:
            raise AwsError("404", "Not Found", status=404)
        self._check(scope, bucket, "s3:ListBucket", "")
        return {"BucketRegion": bucket.region}

    @operation("ListBuckets")
    def list_buckets(self, scope: Scope, params: Params) -> Result:
        refuse_others(params, "s3:ListBuckets", ())
        owned = sorted((b for b in self._buckets.values() if b.owner == scope.account), key=lambda b: b.name)
        listed = [{"Name": bucket.name, "CreationDate": bucket.created} for bucket in owned]
        return {"Buckets": listed, "Owner": {"ID": scope.account}}

    @operation("GetBucketLocation")
    def get_bucket_location(self, scope: Scope, params: Params) -> Result:
        region = self._owned(scope, params).region
        return {"LocationConstraint": None if region == "us-east-1" else region}

    @operation("PutBucketPolicy")
    def put_bucket_policy(self, scope: Scope, params: Params) -> Result:
        bucket = self._owned(scope, params)
        bucket.policy = params["Policy"]
        return {}

    @operation("GetBucketPolicy")
    def get_bucket_policy(self, scope: Scope, params: Params) -> Result:
        bucket = self._owned(scope, params)
        if not bucket.policy:
            raise AwsError("NoSuchBucketPolicy", "The bucket policy does not exist", status=404)
        return {"Policy": bucket.policy}

    @operation("DeleteBucketPolicy")
    def delete_bucket_policy(self, scope: Scope, params: Params) -> Result:
        self._owned(scope, params).policy = ""
        return {}

    # Objects

    @operation("PutObject")
    def put_object(self, scope: Scope, params: Params) -> Result:
        refuse_others(params, "s3:PutObject", _PUT)
        bucket, key = self._bucket(params), params["Key"]
        self._check(scope, bucket, "s3:PutObject", f"/{key}", params.get("ACL", ""))
        if params.get("IfNoneMatch") == "*" and key in bucket.objects:
            message = "At least one of the pre-conditions you specified did not hold"
            raise AwsError("PreconditionFailed", message, status=412)
        written = self._new(bucket)
        written.content = params.get("Body", b"")
        written.etag = f'"{hashlib.md5(written.content, usedforsecurity=False).hexdigest()}"'
        written.algorithm = params.get("ChecksumAlgorithm", "CRC32")
        encryption = encryption_of(dict(params), bucket.settings.get("BucketEncryption") or {})
        written.details = {name: params[name] for name in _WRITTEN if name in params} | encryption
        answer = {"ETag": written.etag} | written.checksum | encryption | written.shown_version
        bucket.objects.put(key, written)
        return answer

    def _new(self, bucket: Bucket) -> StoredObject:
        return StoredObject(self.cloud.now, self._ids.draw() if bucket.has_versions else NO_VERSION)

    @operation("GetObject")
    def get_object(self, scope: Scope, params: Params) -> Result:
        refuse_others(params, "s3:GetObject", ("Bucket", "Key", "ChecksumMode", "VersionId"))
        found = self._object(scope, params, is_head=False)
        return head_of(found, with_checksum=True) | {"Body": found.content}

    @operation("HeadObject")
    def head_object(self, scope: Scope, params: Params) -> Result:
        refuse_others(params, "s3:HeadObject", ("Bucket", "Key", "ChecksumMode", "VersionId"))
        return head_of(self._object(scope, params, is_head=True), with_checksum="ChecksumMode" in params)

    @operation("DeleteObject")
    def delete_object(self, scope: Scope, params: Params) -> Result:
        refuse_others(params, "s3:DeleteObject", ("Bucket", "Key", "VersionId"))
        bucket, key, version = self._bucket(params), params["Key"], params.get("VersionId")
        action = "s3:DeleteObjectVersion" if version else "s3:DeleteObject"
        self._check(scope, bucket, action, f"/{key}")
        if not version and not bucket.has_versions:
            bucket.objects.drop(key, NO_VERSION)
            return {}
        if not version:
            marker = self._new(bucket)
            marker.is_marker = True
            bucket.objects.put(key, marker)
            return {"DeleteMarker": True, "VersionId": marker.version}
        if not bucket.has_versions:
            raise NotEmulatedError("s3:DeleteObject with VersionId in a bucket without versions")
        found = bucket.objects.find(key, version)
        bucket.objects.drop(key, version)
        was_marker = {"DeleteMarker": True} if found is not None and found.is_over_marker else {}
        return was_marker | {"VersionId": version}

    @operation("ListObjectVersions")
    def list_object_versions(self, scope: Scope, params: Params) -> Result:
        known = ("Bucket", "Prefix", "MaxKeys", "EncodingType", "KeyMarker", "VersionIdMarker")
        refuse_others(params, "s3:ListObjectVersions", known)
        bucket, prefix = self._bucket(params), params.get("Prefix", "")
        self._check(scope, bucket, "s3:ListBucketVersions", "")
        size, after = min(params.get("MaxKeys", 1000), 1000), params.get("KeyMarker", "")
        after_version = params.get("VersionIdMarker", "")
        found = [item for item in bucket.objects.versions() if item[0].startswith(prefix)]
        places = [place for place, (key, item, _) in enumerate(found) if (key, item.version) == (after, after_version)]
        if after:
            found = found[places[0] + 1 :] if places else [item for item in found if item[0] > after]
        page = found[:size]
        shown = [listed_version(key, item, is_latest=latest) for key, item, latest in page]
        kinds = {
            name: [item for item, (_, stored, _) in zip(shown, page, strict=True) if stored.is_marker == is_marker]
            for name, is_marker in (("Versions", False), ("DeleteMarkers", True))
        }
        cut = bool(size) and len(found) > size
        result: Result = {"IsTruncated": cut, "KeyMarker": after, "VersionIdMarker": after_version}
        result |= {"NextKeyMarker": page[-1][0], "NextVersionIdMarker": page[-1][1].version} if cut else {}
        result |= {name: items for name, items in kinds.items() if items}
        return result | {"Name": bucket.name, "Prefix": prefix, "MaxKeys": size}

    @operation("ListObjectsV2")
    def list_objects(self, scope: Scope, params: Params) -> Result:
        known = ("Bucket", "Prefix", "MaxKeys", "ContinuationToken", "StartAfter", "EncodingType")
        refuse_others(params, "s3:ListObjectsV2", known)
        bucket = self._bucket(params)
        self._check(scope, bucket, "s3:ListBucket", "")
        prefix, size = params.get("Prefix", ""), min(params.get("MaxKeys", 1000), 1000)
        after = params.get("ContinuationToken") or params.get("StartAfter") or ""
        found = [item for item in bucket.objects.items() if item[0].startswith(prefix) and item[0] > after]
        shown = quote if params.get("EncodingType") == "url" else str
        contents = [listed(shown(key), item) for key, item in found[:size]]
        result = {"Name": bucket.name, "Prefix": shown(prefix), "MaxKeys": size, "KeyCount": len(contents)}
        cut = bool(size) and len(found) > size
        result |= {"IsTruncated": cut} | ({"Contents": contents} if contents else {})
        result |= {"EncodingType": "url"} if shown is quote else {}
        return result | ({"NextContinuationToken": found[size - 1][0]} if cut else {})

    def encryption_by_default(self, bucket: str) -> Mapping[str, str]:
        """How a bucket encrypts what nobody says otherwise of; empty without a setting or such a bucket."""
        found = self._buckets.get(bucket)
        configuration = found.settings.get("BucketEncryption", {}) if found is not None else {}
        return default_encryption(configuration)

    # Who may

    def _bucket(self, params: Params) -> Bucket:
        bucket = self._buckets.get(params["Bucket"])
        if bucket is None:
            raise AwsError("NoSuchBucket", "The specified bucket does not exist", status=404)
        return bucket

    def _owned(self, scope: Scope, params: Params) -> Bucket:
        bucket = self._bucket(params)
        if bucket.owner != scope.account:
            raise AwsError("AccessDenied", "Access Denied", status=403)
        return bucket

    def _object(self, scope: Scope, params: Params, *, is_head: bool) -> StoredObject:
        bucket, version = self._bucket(params), params.get("VersionId")
        self._check(scope, bucket, "s3:GetObjectVersion" if version else "s3:GetObject", f"/{params['Key']}")
        return read_version(bucket.objects, params["Key"], version, is_head=is_head)

    def _check(self, scope: Scope, bucket: Bucket, action: str, path: str, acl: str = "") -> None:
        """The bucket's policy, and other accounts only where it allows."""
        answer = "silent"
        if bucket.policy:
            principal = scope.principal or f"arn:{scope.partition}:iam::{scope.account}:root"
            context = {
                "aws:principalaccount": scope.account,
                "aws:principalarn": principal,
                "aws:securetransport": "true",
            }
            if self.cloud.organization_id:
                context["aws:principalorgid"] = self.cloud.organization_id
            if acl:
                context["s3:x-amz-acl"] = acl
            request = ObjectRequest(principal, action, f"arn:{scope.partition}:s3:::{bucket.name}{path}", context)
            answer = evaluate_bucket_policy(bucket.policy, request)
        if answer == "deny" or (answer == "silent" and bucket.owner != scope.account):
            raise AwsError("AccessDenied", "Access Denied", status=403)


_SETTINGS: tuple[tuple[str, str, str, str, str], ...] = (
    ("BucketEncryption", "ServerSideEncryptionConfiguration", "DeleteBucketEncryption",
     "ServerSideEncryptionConfigurationNotFoundError", "The server side encryption configuration was not found"),
    ("BucketOwnershipControls", "OwnershipControls", "DeleteBucketOwnershipControls",
     "OwnershipControlsNotFoundError", "The bucket ownership controls were not found"),
    ("PublicAccessBlock", "PublicAccessBlockConfiguration", "DeletePublicAccessBlock",
     "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found"),
    ("BucketLifecycleConfiguration", "LifecycleConfiguration", "DeleteBucketLifecycle",
     "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
    ("BucketTagging", "Tagging", "DeleteBucketTagging", "NoSuchTagSet", "The TagSet does not exist"),
    ("BucketVersioning", "VersioningConfiguration", "", "", ""),
    ("BucketLogging", "BucketLoggingStatus", "", "", ""),
)  # fmt: skip
"""What is put and read, under which member, what deletes it, and the error of one that is not there."""


_READ_BY_OTHERS = {"BucketEncryption": "s3:GetEncryptionConfiguration"}
"""Settings that other accounts read where the bucket's policy lets them, and the action that it must allow."""


def _putter(setting: str, member: str) -> Callable[[S3, Scope, Params], Result]:
    def put(self: S3, scope: Scope, params: Params) -> Result:
        refuse_others(params, f"s3:Put{setting}", ("Bucket", member, "ChecksumAlgorithm", "ContentMD5"))
        if setting == "BucketVersioning":
            refuse_others(params[member], "s3:PutBucketVersioning", ("Status",))
            if params[member].get("Status") != "Enabled":
                raise NotEmulatedError("s3:PutBucketVersioning that suspends versions")
        self._owned(scope, params).settings[setting] = deepcopy(params[member])
        return {}

    return put


def _getter(setting: str, member: str, code: str, message: str) -> Callable[[S3, Scope, Params], Result]:
    wrapped = setting in ("BucketEncryption", "BucketOwnershipControls", "PublicAccessBlock")

    def get(self: S3, scope: Scope, params: Params) -> Result:
        bucket = self._bucket(params) if setting in _READ_BY_OTHERS else self._owned(scope, params)
        if setting in _READ_BY_OTHERS:
            self._check(scope, bucket, _READ_BY_OTHERS[setting], "")
        value = bucket.settings.get(setting)
        if value is None and code:
            raise AwsError(code, message, status=404)
        return {member: deepcopy(value)} if wrapped else deepcopy(value or {})

    return get


def _remover(setting: str) -> Callable[[S3, Scope, Params], Result]:
    def remove(self: S3, scope: Scope, params: Params) -> Result:
        self._owned(scope, params).settings.pop(setting, None)
        return {}

    return remove


for _setting, _member, _removal, _code, _message in _SETTINGS:
    setattr(S3, f"put_{_setting}", operation(f"Put{_setting}")(_putter(_setting, _member)))
    setattr(S3, f"get_{_setting}", operation(f"Get{_setting}")(_getter(_setting, _member, _code, _message)))
    if _removal:
        setattr(S3, f"remove_{_setting}", operation(_removal)(_remover(_setting)))
