"""IAM roles and policies: every statement names its resources, `*` only where AWS accepts nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from patchgate.plan import names
from patchgate.plan.names import NamePattern
from patchgate.templates.intrinsics import Node, equals, negate, ref, sub, when

ONLY_EVERY_RESOURCE = frozenset(
    {
        "backup:ListBackupJobs",
        "backup:ListRecoveryPointsByResource",
        "ec2:DescribeImages",
        "ec2:DescribeInstanceStatus",
        "ec2:DescribeInstances",
        "ec2:DescribeSnapshots",
        "ssm:CancelCommand",
        "ssm:DescribeInstanceInformation",
        "ssm:DescribeMaintenanceWindowSchedule",
        "ssm:DescribeMaintenanceWindows",
        "ssm:GetCommandInvocation",
        "ssm:ListCommandInvocations",
        "ssm:ListCommands",
    }
)
"""The actions that IAM authorises on `*` only: they have no resource type in the service authorization reference.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

PATCH_GROUP = sub(names.PATCH_GROUP.as_sub())
ROLE_CONDITIONS = {"HasBoundary": negate(equals(ref("PermissionsBoundaryArn"), ""))}


def allow(sid: str, actions: Sequence[str], resources: Any, condition: Node | None = None) -> Node:
    """One Allow statement; `resources` is an ARN, a list of ARNs, or `*` for actions of ONLY_EVERY_RESOURCE."""
    action = actions[0] if len(actions) == 1 else list(actions)
    statement: Node = {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})


def allow_reading(*actions: str) -> Node:
    """The statement for actions that accept only `*`; ValueError for any other."""
    if unknown := set(actions) - ONLY_EVERY_RESOURCE:
        raise ValueError(f"not in the allow-list of actions without a resource: {', '.join(sorted(unknown))}")
    return allow("ActionsWithoutResource", sorted(actions), "*")


def policy(statements: Sequence[Node]) -> Node:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def trust(service: str, condition: Node | None = None) -> Node:
    """The trust policy of a role that one AWS service assumes."""
    statement: Node = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return policy([statement | ({"Condition": condition} if condition else {})])


def role(
    name: NamePattern, trusted: Node, statements: Sequence[Node] = (), managed: Sequence[Any] = (), **extra: Any
) -> Node:
    """An IAM role on the operator's path, within the operator's permissions boundary."""
    properties: Node = {
        "RoleName": sub(name.as_sub()),
        "Path": ref("IamRolePath"),
        "PermissionsBoundary": when("HasBoundary", ref("PermissionsBoundaryArn")),
        "AssumeRolePolicyDocument": trusted,
    }
    if managed:
        properties["ManagedPolicyArns"] = list(managed)
    if statements:
        properties["Policies"] = [{"PolicyName": "patchgate", "PolicyDocument": policy(statements)}]
    return {"Type": "AWS::IAM::Role", **extra, "Properties": properties}


def ssm_arn(path: str) -> Node:
    """The ARN of an SSM resource of this account and Region."""
    return sub(f"arn:${{AWS::Partition}}:ssm:${{AWS::Region}}:${{AWS::AccountId}}:{path}")


def parameter_arn(path: str) -> Node:
    """The ARN of SSM parameters; `path` begins with a slash and may end in a wildcard."""
    return ssm_arn(f"parameter{path}")


def bucket_arn(key: str = "") -> Node:
    """The ARN of the log bucket, or of a key pattern in it."""
    return sub(f"arn:${{AWS::Partition}}:s3:::${{S3Bucket}}{'/' * bool(key)}{key}")


LANE_INSTANCES = sub("arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:instance/*")
LANE_INSTANCES_ONLY = {
    "StringEquals": {
        f"ssm:resourceTag/{names.PATCH_GROUP_TAG_KEY}": PATCH_GROUP,
        f"ssm:resourceTag/{names.BACKUP_TAG_KEY}": names.BACKUP_TAG_VALUE,
    }
}
READ_LEASES = allow(
    "ReadLeases",
    ["ssm:GetParameters", "ssm:GetParametersByPath"],
    [
        parameter_arn(names.GLOBAL_FREEZE_PARAMETER.as_sub()),
        parameter_arn(names.PARAMETER_ROOT.as_sub()),
        parameter_arn(names.PARAMETER_ROOT.as_sub() + "/*"),
    ],
)
READ_CALENDARS = allow(
    "ReadChangeCalendars", ["ssm:GetCalendarState"], sub("arn:${AWS::Partition}:ssm:${AWS::Region}:*:document/*")
)
WRITE_EVIDENCE = allow("WriteEvidence", ["s3:PutObject"], bucket_arn(names.EVIDENCE_PREFIX.as_sub() + "/*"))


def use_key(*actions: str) -> Node:
    """Use of the operator's own key; no statement without one."""
    return when("HasKey", allow("UseKey", sorted(actions), ref("KmsKeyArn")))


def use_bucket_key(*actions: str) -> Node:
    """Use of the log bucket's key, which is where the bucket is; no statement without one."""
    return when("HasBucketKey", allow("UseBucketKey", sorted(actions), ref("LogBucketKmsKeyArn")))
