"""AWS::S3::*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patchgate.emulator.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    Request,
    document,
    renamed,
)
from patchgate.emulator.cloudformation.pseudo import url_suffix
from patchgate.emulator.errors import NotEmulatedError

_ENCRYPTION = {
    "BucketKeyEnabled": "BucketKeyEnabled",
    "ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault",
}
_LIFECYCLE = {
    "Id", "Status", "Prefix", "ExpirationInDays", "ExpiredObjectDeleteMarker", "NoncurrentVersionExpiration",
    "NoncurrentVersionExpirationInDays", "AbortIncompleteMultipartUpload", "Transitions",
    "NoncurrentVersionTransitions", "TagFilters", "ObjectSizeGreaterThan", "ObjectSizeLessThan",
}  # fmt: skip


class Bucket(Provider):
    """AWS::S3::Bucket, the parts that a log bucket has."""

    type = "AWS::S3::Bucket"
    name_property = "BucketName"
    gone = frozenset({"NoSuchBucket", "404"})
    supported = frozenset({
        "BucketName", "BucketEncryption", "LifecycleConfiguration", "LoggingConfiguration", "OwnershipControls",
        "PublicAccessBlockConfiguration", "Tags", "VersioningConfiguration", "AccessControl", "ObjectLockEnabled",
    })  # fmt: skip
    attributes = frozenset({"Arn", "DomainName", "DualStackDomainName", "RegionalDomainName", "WebsiteURL"})

    def create(self, request: Request) -> Physical:
        properties, scope = request.properties, request.scope
        if properties.get("AccessControl", "Private") != "Private":
            raise NotEmulatedError(f"AWS::S3::Bucket with AccessControl {properties['AccessControl']}")
        name = request.name("BucketName", 63, lower=True)
        away = scope.region != "us-east-1"
        request.call("s3", "CreateBucket", {
            "Bucket": name,
            "CreateBucketConfiguration": {"LocationConstraint": scope.region} if away else None,
            "ObjectLockEnabledForBucket": properties.get("ObjectLockEnabled"),
            "ObjectOwnership": None,
        })  # fmt: skip
        physical = request.claim(name, _bucket_attributes(request, name))
        self._configure(request, name)
        return physical

    def update(self, request: Request) -> Physical:
        self._configure(request, request.physical_id)
        return Physical(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        request.call("s3", "DeleteBucket", {"Bucket": request.physical_id})

    def _configure(self, request: Request, name: str) -> None:
        """Put every configuration that differs from what the bucket has; take away what is no longer there."""
        for key, (put, member, build, remove) in _CONFIGURATIONS.items():
            if not request.changed(key):
                continue
            value = request.properties.get(key)
            if value is not None:
                request.call("s3", put, {"Bucket": name, member: build(value)})
            elif isinstance(remove, str):
                request.call("s3", remove, {"Bucket": name})
            else:
                request.call("s3", put, {"Bucket": name, member: remove})


def _bucket_attributes(request: Request, name: str) -> dict[str, str]:
    region, suffix = request.scope.region, url_suffix(request.scope.partition)
    return {
        "Arn": f"arn:{request.scope.partition}:s3:::{name}",
        "DomainName": f"{name}.s3.{suffix}",
        "DualStackDomainName": f"{name}.s3.dualstack.{region}.{suffix}",
        "RegionalDomainName": f"{name}.s3.{region}.{suffix}",
        "WebsiteURL": f"http://{name}.s3-website-{region}.{suffix}",
    }


def _encryption(value: Properties) -> dict[str, Any]:
    rules = []
    for rule in value["ServerSideEncryptionConfiguration"]:
        shaped = renamed(rule, _ENCRYPTION, "AWS::S3::Bucket BucketEncryption")
        rules.append(shaped)
    return {"Rules": rules}


def _lifecycle(value: Properties) -> dict[str, Any]:
    return {"Rules": [_lifecycle_rule(rule) for rule in value.get("Rules", ())]}


def _lifecycle_rule(rule: Properties) -> dict[str, Any]:
    unknown = rule.keys() - _LIFECYCLE
    if unknown:
        raise NotEmulatedError(f"AWS::S3::Bucket LifecycleConfiguration with {', '.join(sorted(unknown))}")
    shaped: dict[str, Any] = {"Status": rule["Status"], "Filter": _lifecycle_filter(rule)}
    if "Id" in rule:
        shaped["ID"] = rule["Id"]
    expiration = {
        "Days": rule.get("ExpirationInDays"),
        "ExpiredObjectDeleteMarker": rule.get("ExpiredObjectDeleteMarker"),
    }
    if any(item is not None for item in expiration.values()):
        shaped["Expiration"] = {key: item for key, item in expiration.items() if item is not None}
    if "NoncurrentVersionExpirationInDays" in rule:
        shaped["NoncurrentVersionExpiration"] = {"NoncurrentDays": rule["NoncurrentVersionExpirationInDays"]}
    for key in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if key in rule:
            shaped[key] = dict(rule[key])
    for key, days in (("Transitions", "Days"), ("NoncurrentVersionTransitions", "NoncurrentDays")):
        if key in rule:
            names = {
                "TransitionInDays": days,
                "StorageClass": "StorageClass",
                "NewerNoncurrentVersions": "NewerNoncurrentVersions",
            }
            shaped[key] = [renamed(item, names, f"AWS::S3::Bucket {key}") for item in rule[key]]
    return shaped


def _lifecycle_filter(rule: Properties) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    if "Prefix" in rule:
        parts["Prefix"] = rule["Prefix"]
    for key in ("ObjectSizeGreaterThan", "ObjectSizeLessThan"):
        if key in rule:
            parts[key] = int(rule[key])
    tags = [dict(tag) for tag in rule.get("TagFilters", ())]
    if len(tags) == 1 and not parts:
        return {"Tag": tags[0]}
    if tags or len(parts) > 1:
        return {"And": parts | ({"Tags": tags} if tags else {})}
    return parts or {"Prefix": ""}


def _logging(value: Properties) -> dict[str, Any]:
    names = {"DestinationBucketName": "TargetBucket", "LogFilePrefix": "TargetPrefix"}
    target = renamed(value, names, "AWS::S3::Bucket LoggingConfiguration")
    return {"LoggingEnabled": {"TargetPrefix": ""} | target}


def _as_it_is(value: Properties) -> dict[str, Any]:
    return dict(value)


_CONFIGURATIONS: Mapping[str, tuple[str, str, Any, Any]] = {
    "OwnershipControls": (
        "PutBucketOwnershipControls", "OwnershipControls", _as_it_is, "DeleteBucketOwnershipControls",
    ),
    "PublicAccessBlockConfiguration": (
        "PutPublicAccessBlock", "PublicAccessBlockConfiguration", _as_it_is, "DeletePublicAccessBlock",
    ),
    "BucketEncryption": (
        "PutBucketEncryption", "ServerSideEncryptionConfiguration", _encryption, "DeleteBucketEncryption",
    ),
    "VersioningConfiguration": (
        "PutBucketVersioning", "VersioningConfiguration", _as_it_is, {"Status": "Suspended"},
    ),
    "LifecycleConfiguration": (
        "PutBucketLifecycleConfiguration", "LifecycleConfiguration", _lifecycle, "DeleteBucketLifecycle",
    ),
    "LoggingConfiguration": ("PutBucketLogging", "BucketLoggingStatus", _logging, {}),
    "Tags": ("PutBucketTagging", "Tagging", lambda tags: {"TagSet": list(tags)}, "DeleteBucketTagging"),
}  # fmt: skip
"""Property to (operation, its member, how to shape it, the operation or value that takes it away)."""


class BucketPolicy(Provider):
    """AWS::S3::BucketPolicy; its physical id is the bucket's name."""

    type = "AWS::S3::BucketPolicy"
    gone = frozenset({"NoSuchBucket", "NoSuchBucketPolicy"})
    supported = frozenset({"Bucket", "PolicyDocument"})

    def create(self, request: Request) -> Physical:
        return self._put(request)

    def update(self, request: Request) -> Physical:
        return self._put(request)

    def delete(self, request: Request) -> None:
        request.call("s3", "DeleteBucketPolicy", {"Bucket": request.properties["Bucket"]})

    def _put(self, request: Request) -> Physical:
        bucket = request.properties["Bucket"]
        policy = document(request.properties["PolicyDocument"])
        request.call("s3", "PutBucketPolicy", {"Bucket": bucket, "Policy": policy})
        return Physical(bucket)


PROVIDERS = (Bucket(), BucketPolicy())
