"""What a role must be allowed for an operation: the actions, each on the resources that the request names.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html

An action without a resource type is authorised on ``*`` alone. An operation that is not in the table is refused by name
when a role calls it: what AWS would ask for is never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from patchgate.emulator.functions_resources import plain_name

if TYPE_CHECKING:
    from patchgate.emulator.cloud import Cloud, Params, Scope

EVERYTHING = "*"


class Need(NamedTuple):
    """One action on one resource; ``facts`` are the condition keys that belong to it, in lower case."""

    action: str
    resource: str = EVERYTHING
    facts: Mapping[str, str] = {}


Requirement = Callable[["Cloud", "Scope", "Params"], Iterable[Need]]
Table = dict[tuple[str, str], Requirement]


def on_everything(action: str) -> Requirement:
    """An action that has no resource type."""
    need = (Need(action),)
    return lambda _cloud, _scope, _params: need


def tag_facts(tags: Mapping[str, str], *families: str) -> dict[str, str]:
    """The condition keys of a resource's tags: ``aws:ResourceTag`` and the service's own families."""
    return {
        f"{family}/{key}".lower(): value for family in ("aws:resourcetag", *families) for key, value in tags.items()
    }


def without_resource(service: str, *operations: str) -> Table:
    """Operations whose action is of their own name and has no resource type."""
    return {(service, name): on_everything(f"{service}:{name}") for name in operations}


# Lambda, EventBridge Scheduler, AWS Backup


def _invoke(_cloud: Cloud, scope: Scope, params: Params) -> Iterator[Need]:
    yield Need("lambda:InvokeFunction", scope.arn("lambda", f"function:{plain_name(scope, params['FunctionName'])}"))


def _get_schedule(_cloud: Cloud, scope: Scope, params: Params) -> Iterator[Need]:
    group = params.get("GroupName") or "default"
    yield Need("scheduler:GetSchedule", scope.arn("scheduler", f"schedule/{group}/{params['Name']}"))


def _recovery_point(action: str) -> Requirement:
    return lambda _cloud, _scope, params: (Need(action, str(params["RecoveryPointArn"])),)


# CloudWatch Logs, SNS, SQS, S3


def _log_stream(action: str) -> Requirement:
    def needs(_cloud: Cloud, scope: Scope, params: Params) -> Iterator[Need]:
        stream = f"log-group:{params['logGroupName']}:log-stream:{params['logStreamName']}"
        yield Need(action, scope.arn("logs", stream))

    return needs


def _create_log_group(_cloud: Cloud, scope: Scope, params: Params) -> Iterator[Need]:
    yield Need("logs:CreateLogGroup", scope.arn("logs", f"log-group:{params['logGroupName']}"))


def _publish(_cloud: Cloud, _scope: Scope, params: Params) -> Iterator[Need]:
    yield Need("sns:Publish", str(params.get("TopicArn") or params.get("TargetArn") or EVERYTHING))


def _send_message(_cloud: Cloud, scope: Scope, params: Params) -> Iterator[Need]:
    *_, account, name = str(params["QueueUrl"]).split("/")
    yield Need("sqs:SendMessage", f"arn:{scope.partition}:sqs:{scope.region}:{account}:{name}")


def _object(action: str, *, of_version: str = "") -> Requirement:
    """``of_version`` is the action for an object's version that the request names."""

    def needs(_cloud: Cloud, scope: Scope, params: Params) -> Iterator[Need]:
        acl = {"s3:x-amz-acl": str(params["ACL"])} if params.get("ACL") else {}
        resource = f"arn:{scope.partition}:s3:::{params['Bucket']}/{params['Key']}"
        asked = of_version if of_version and params.get("VersionId") else action
        for each in (asked, *(("s3:PutObjectAcl",) if acl else ())):
            yield Need(each, resource, acl)

    return needs


def _listing(_cloud: Cloud, scope: Scope, params: Params) -> Iterator[Need]:
    resource = f"arn:{scope.partition}:s3:::{params['Bucket']}"
    yield Need("s3:ListBucket", resource, {"s3:prefix": str(params.get("Prefix", ""))})


def _bucket(action: str) -> Requirement:
    return lambda _cloud, scope, params: (Need(action, f"arn:{scope.partition}:s3:::{params['Bucket']}"),)


def _nothing(_cloud: Cloud, _scope: Scope, _params: Params) -> Iterable[Need]:
    """Operations that need no permission."""
    return ()


# EC2, as AWS Backup calls it with a backup's role


def _create_image(_cloud: Cloud, scope: Scope, params: Params) -> Iterator[Need]:
    yield Need("ec2:CreateImage", scope.arn("ec2", f"instance/{params['InstanceId']}"))
    for kind in ("image", "snapshot"):
        yield Need("ec2:CreateImage", _ownerless(scope, f"{kind}/*"))


def _create_snapshot(_cloud: Cloud, scope: Scope, params: Params) -> Iterator[Need]:
    yield Need("ec2:CreateSnapshot", scope.arn("ec2", f"volume/{params['VolumeId']}"))
    yield Need("ec2:CreateSnapshot", _ownerless(scope, "snapshot/*"))


def _create_tags(_cloud: Cloud, scope: Scope, params: Params) -> Iterator[Need]:
    kinds = {"ami": "image", "snap": "snapshot", "i": "instance", "vol": "volume"}
    for name in params["Resources"]:
        resource = f"{kinds[name.partition('-')[0]]}/{name}"
        owned = resource.startswith(("instance", "volume"))
        yield Need("ec2:CreateTags", scope.arn("ec2", resource) if owned else _ownerless(scope, resource))


def _ownerless(scope: Scope, resource: str) -> str:
    """The ARN of an image or snapshot, which names no account."""
    return f"arn:{scope.partition}:ec2:{scope.region}::{resource}"


def _made(action: str, member: str, kind: str) -> Requirement:
    return lambda _cloud, scope, params: (Need(action, _ownerless(scope, f"{kind}/{params[member]}")),)


def _table(*parts: Mapping[tuple[str, str], Any]) -> Table:
    return {operation: requirement for part in parts for operation, requirement in part.items()}


REQUIREMENTS: Table = _table(
    without_resource(
        "ec2", "DescribeImages", "DescribeInstanceStatus", "DescribeInstances", "DescribeSnapshots", "DescribeVolumes"
    ),
    without_resource("backup", "ListBackupJobs", "ListRecoveryPointsByResource"),
    {
        ("backup", "DescribeRecoveryPoint"): _recovery_point("backup:DescribeRecoveryPoint"),
        ("backup", "DeleteRecoveryPoint"): _recovery_point("backup:DeleteRecoveryPoint"),
        ("ec2", "CreateImage"): _create_image,
        ("ec2", "CreateSnapshot"): _create_snapshot,
        ("ec2", "CreateTags"): _create_tags,
        ("ec2", "DeregisterImage"): _made("ec2:DeregisterImage", "ImageId", "image"),
        ("ec2", "DeleteSnapshot"): _made("ec2:DeleteSnapshot", "SnapshotId", "snapshot"),
        ("lambda", "Invoke"): _invoke,
        ("logs", "CreateLogGroup"): _create_log_group,
        ("logs", "CreateLogStream"): _log_stream("logs:CreateLogStream"),
        ("logs", "PutLogEvents"): _log_stream("logs:PutLogEvents"),
        ("s3", "DeleteObject"): _object("s3:DeleteObject", of_version="s3:DeleteObjectVersion"),
        ("s3", "GetBucketEncryption"): _bucket("s3:GetEncryptionConfiguration"),
        ("s3", "GetObject"): _object("s3:GetObject", of_version="s3:GetObjectVersion"),
        ("s3", "HeadObject"): _object("s3:GetObject", of_version="s3:GetObjectVersion"),
        ("s3", "ListObjectsV2"): _listing,
        ("s3", "PutObject"): _object("s3:PutObject"),
        ("scheduler", "GetSchedule"): _get_schedule,
        ("sns", "Publish"): _publish,
        ("sqs", "SendMessage"): _send_message,
        ("sts", "GetCallerIdentity"): _nothing,
    },
)
"""(service, operation) -> what it needs, for all services but Systems Manager (``requirements_ssm``)."""
