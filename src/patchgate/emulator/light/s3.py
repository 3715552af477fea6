"""S3: buckets with their settings and policies, and objects without versions.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from patchgate.emulator.bucket_policy import ObjectRequest, evaluate_bucket_policy
from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation
from patchgate.emulator.errors import AwsError
from patchgate.emulator.light.requests import refuse_others

_NAME = re.compile(r"(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_WRITTEN = ("ContentType", "ContentEncoding", "CacheControl", "Metadata", "ServerSideEncryption", "SSEKMSKeyId")
_PUT = {"Bucket", "Key", "Body", "ACL", "ChecksumAlgorithm", "ContentMD5", "ContentLength", "IfNoneMatch", *_WRITTEN}


@dataclass(slots=True)
class StoredObject:
    """One object. ``details`` are those of ``_WRITTEN`` that its writer gave."""

    content: bytes
    etag: str
    modified: datetime
    details: dict[str, Any]


@dataclass(slots=True)
class Bucket:
    """One bucket; ``settings`` by the operation that puts them."""

    name: str
    owner: str
    region: str
    created: datetime
    policy: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    objects: dict[str, StoredObject] = field(default_factory=dict)


class S3(Component):
    """Bucket names are global to the cloud. Only its owner's account configures a bucket; objects are other accounts'
    business where the bucket's policy allows it."""

    service = "s3"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._buckets: dict[str, Bucket] = {}

    # Buckets

    @operation("CreateBucket")
    def create_bucket(self, scope: Scope, params: Params) -> Result:
        known = ("Bucket", "ACL", "CreateBucketConfiguration", "ObjectLockEnabledForBucket", "ObjectOwnership")
        refuse_others(params, "s3:CreateBucket", known)
        name = params["Bucket"]
        if not _NAME.fullmatch(name):
            raise AwsError("InvalidBucketName", "The specified bucket is not valid.")
        region = (params.get("CreateBucketConfiguration") or {}).get("LocationConstraint") or "us-east-1"
        if region != scope.region:
            message = f"The {region} location constraint is incompatible for the region specific endpoint this request "
            raise AwsError("IllegalLocationConstraintException", f"{message}was sent to.")
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
        return {"Location": f"http://{name}.s3.amazonaws.com/" if region != "us-east-1" else f"/{name}"}

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
        try:
            policy = json.loads(params["Policy"])
        except ValueError:
            policy = None
        if not isinstance(policy, dict) or "Statement" not in policy:
            raise AwsError("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")
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
        content = params.get("Body", b"")
        etag = f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
        details = {name: params[name] for name in _WRITTEN if name in params}
        bucket.objects[key] = StoredObject(content, etag, self.cloud.now, details)
        return {"ETag": etag}

    @operation("GetObject")
    def get_object(self, scope: Scope, params: Params) -> Result:
        refuse_others(params, "s3:GetObject", ("Bucket", "Key", "ChecksumMode"))
        found = self._object(scope, params, "NoSuchKey", "The specified key does not exist.")
        return _head(found) | {"Body": found.content}

    @operation("HeadObject")
    def head_object(self, scope: Scope, params: Params) -> Result:
        refuse_others(params, "s3:HeadObject", ("Bucket", "Key", "ChecksumMode"))
        return _head(self._object(scope, params, "404", "Not Found"))

    @operation("DeleteObject")
    def delete_object(self, scope: Scope, params: Params) -> Result:
        refuse_others(params, "s3:DeleteObject", ("Bucket", "Key"))
        bucket = self._bucket(params)
        self._check(scope, bucket, "s3:DeleteObject", f"/{params['Key']}")
        bucket.objects.pop(params["Key"], None)
        return {}

    @operation("ListObjectsV2")
    def list_objects(self, scope: Scope, params: Params) -> Result:
        known = ("Bucket", "Prefix", "MaxKeys", "ContinuationToken", "StartAfter", "EncodingType")
        refuse_others(params, "s3:ListObjectsV2", known)
        bucket = self._bucket(params)
        self._check(scope, bucket, "s3:ListBucket", "")
        prefix, size = params.get("Prefix", ""), min(params.get("MaxKeys", 1000), 1000)
        after = params.get("ContinuationToken") or params.get("StartAfter") or ""
        keys = [key for key in sorted(bucket.objects) if key.startswith(prefix) and key > after]
        shown = quote if params.get("EncodingType") == "url" else str
        contents = [_listed(shown(key), bucket.objects[key]) for key in keys[:size]]
        result = {"Name": bucket.name, "Prefix": shown(prefix), "MaxKeys": size, "KeyCount": len(contents)}
        result |= {"IsTruncated": len(keys) > size} | ({"Contents": contents} if contents else {})
        result |= {"EncodingType": "url"} if shown is quote else {}
        return result | ({"NextContinuationToken": keys[size - 1]} if len(keys) > size else {})

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

    def _object(self, scope: Scope, params: Params, code: str, message: str) -> StoredObject:
        bucket = self._bucket(params)
        self._check(scope, bucket, "s3:GetObject", f"/{params['Key']}")
        found = bucket.objects.get(params["Key"])
        if found is None:
            raise AwsError(code, message, status=404)
        return found

    def _check(self, scope: Scope, bucket: Bucket, action: str, path: str, acl: str = "") -> None:
        """The bucket's policy, and other accounts only where it allows."""
        answer = "silent"
        if bucket.policy:
            principal = scope.principal or f"arn:{scope.partition}:iam::{scope.account}:root"
            context = {"aws:principalarn": principal, "aws:securetransport": "true"}
            if self.cloud.organization_id:
                context["aws:principalorgid"] = self.cloud.organization_id
            if acl:
                context["s3:x-amz-acl"] = acl
            request = ObjectRequest(principal, action, f"arn:{scope.partition}:s3:::{bucket.name}{path}", context)
            answer = evaluate_bucket_policy(bucket.policy, request)
        if answer == "deny" or (answer == "silent" and bucket.owner != scope.account):
            raise AwsError("AccessDenied", "Access Denied", status=403)


def _head(found: StoredObject) -> Result:
    given = {"ContentType": "binary/octet-stream", "Metadata": {}} | deepcopy(found.details)
    return {"ETag": found.etag, "LastModified": found.modified, "ContentLength": len(found.content)} | given


def _listed(key: str, found: StoredObject) -> dict[str, Any]:
    size = len(found.content)
    return {"Key": key, "LastModified": found.modified, "ETag": found.etag, "Size": size, "StorageClass": "STANDARD"}


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
