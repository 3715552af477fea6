"""The template aws-create-s3-stack: the log bucket, and who may write where in it."""

from __future__ import annotations

from patchgate.plan import names
from patchgate.templates.document import KEY_CONDITIONS, Template
from patchgate.templates.intrinsics import Node, choose, get_att, ref, select, split, sub, when
from patchgate.templates.parameters import (
    ENVIRONMENT,
    OPERATING_SYSTEM,
    Group,
    Parameter,
    customer_key,
    number,
)
from patchgate.templates.policies import policy

_ORGANISATION = Parameter(
    "PrincipalOrgID",
    "Organization whose principals may write to the bucket.",
    pattern="^o-[a-z0-9]{10,32}$",
)
_PREFIX = Parameter(
    "PatchingLogsBucketName",
    "Prefix of the bucket's name; operating system, environment and a unique suffix follow.",
    default="aws-mgt-patching-logs",
    pattern="^[a-z0-9][a-z0-9-]{1,33}$",
)
_RETENTION = number("LogRetentionDays", "Days after which logs and evidence expire.", 365, 1, 3650)
_KEY = customer_key("Customer key of the bucket; blank: S3's own. Writers need its use.")
_BUCKET = get_att("PatchingLogsBucket", "Arn")
_OBJECTS = sub("${PatchingLogsBucket.Arn}/*")
_LOGS = sub("${PatchingLogsBucket.Arn}/logs/*")
_EVIDENCE = sub("${PatchingLogsBucket.Arn}/evidence/*")
_OWN_EVIDENCE = sub(
    "${PatchingLogsBucket.Arn}/evidence/${TargetOperatingSystem}/${Environment}/${!aws:PrincipalAccount}/*"
)
"""What is said of the machines of the account of who asks."""


def build_log_bucket_template() -> Template:
    """The log bucket's template."""
    return Template(
        name="aws-create-s3-stack",
        description="patchgate: log bucket of the backup-and-patch and monitoring stacks",
        groups=(
            Group("Lane", (OPERATING_SYSTEM, ENVIRONMENT)),
            Group("Log bucket", (_ORGANISATION, _PREFIX, _RETENTION, _KEY)),
        ),
        conditions=KEY_CONDITIONS,
        resources={"PatchingLogsBucket": _bucket(), "PatchingLogsBucketPolicy": _bucket_policy()},
        outputs={
            "BucketName": ("Name of the log bucket", ref("PatchingLogsBucket")),
            "BucketArn": ("ARN of the log bucket", _BUCKET),
        },
    )


def _bucket() -> Node:
    suffix = select(4, split("-", select(2, split("/", ref("AWS::StackId")))))
    return {
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "BucketName": sub(names.LOG_BUCKET.as_sub(), StackSuffix=suffix),
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {
                        "BucketKeyEnabled": when("HasKey", then=True),
                        "ServerSideEncryptionByDefault": {
                            "SSEAlgorithm": choose("HasKey", "aws:kms", "AES256"),
                            "KMSMasterKeyID": when("HasKey", ref("KmsKeyArn")),
                        },
                    }
                ]
            },
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
            "VersioningConfiguration": {"Status": "Enabled"},
            "LifecycleConfiguration": {
                "Rules": [
                    {
                        "Id": "expire",
                        "Status": "Enabled",
                        "ExpirationInDays": ref("LogRetentionDays"),
                        "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
                        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
                    }
                ]
            },
        },
    }


def _bucket_policy() -> Node:
    organisation = {"StringEquals": {"aws:PrincipalOrgID": ref("PrincipalOrgID")}}
    gate_roles = sub("arn:${AWS::Partition}:iam::*:role/*patchgate-gate-*-${TargetOperatingSystem}-${Environment}-*")
    close_roles = sub("arn:${AWS::Partition}:iam::*:role/*" + names.CLOSE_ROLE.as_sub(region="*"))
    statements: list[Node] = [
        {
            "Sid": "AllowSystemsManager",
            "Effect": "Allow",
            "Principal": {"Service": "ssm.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": _OBJECTS,
            "Condition": {
                "StringEquals": {
                    "s3:x-amz-acl": "bucket-owner-full-control",
                    "aws:SourceOrgID": ref("PrincipalOrgID"),
                }
            },
        },
        {
            "Sid": "AllowIamRole",
            "Effect": "Allow",
            "Principal": "*",
            "Action": ["s3:PutObject", "s3:PutObjectAcl"],
            "Resource": _LOGS,
            "Condition": organisation,
        },
        {
            "Sid": "AllowGateToWriteEvidence",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": _OWN_EVIDENCE,
            "Condition": organisation | {"ArnLike": {"aws:PrincipalArn": gate_roles}},
        },
        {
            "Sid": "AllowReadingEncryption",
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetEncryptionConfiguration",
            "Resource": _BUCKET,
            "Condition": organisation,
        },
        {
            "Sid": "AllowCloseToReadEvidence",
            "Effect": "Allow",
            "Principal": "*",
            "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": [_BUCKET, _OWN_EVIDENCE],
            "Condition": organisation | {"ArnLike": {"aws:PrincipalArn": close_roles}},
        },
        {
            "Sid": "DenyEvidenceButByGate",
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["s3:PutObject*", "s3:DeleteObject*"],
            "Resource": _EVIDENCE,
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": gate_roles}},
        },
        {
            "Sid": "DenyWithoutTLS",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [_BUCKET, _OBJECTS],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ]
    return {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": ref("PatchingLogsBucket"), "PolicyDocument": policy(statements)},
    }
