"""What a role must be allowed for operations of the services that the cloud does not own: what the light neighbour has.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html

Behind the wire door moto has more operations of these services, and more services: a role that calls one of those is
refused by name, unless it may do everything, because what AWS would ask for is not known here.

Assumption: lists of everything (queues, topics, roles, log groups) are asked on ``*``, which is stricter than AWS for
policies that name resources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from patchgate.emulator.errors import AwsError
from patchgate.emulator.iam.requirements import Need, Requirement, Table, on_everything, without_resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from patchgate.emulator.cloud import Cloud, Params, Scope

LISTED = {"logs": ("DescribeLogGroups",), "sqs": ("ListQueues",), "iam": ("ListRoles",), "sns": ("ListTopics",)}
"""service -> operations that have resource types and are asked on ``*``: see the module."""


def _on(action: str, naming: Callable[[Cloud, Scope, Params], str]) -> Requirement:
    def needs(cloud: Cloud, scope: Scope, params: Params) -> Iterator[Need]:
        yield Need(action, naming(cloud, scope, params))

    return needs


def _each(service: str, naming: Callable[[Cloud, Scope, Params], str], *names: str) -> Table:
    return {(service, name): _on(f"{service}:{name}", naming) for name in names}


# S3: actions are not always named as operations are


def _bucket(_cloud: Cloud, scope: Scope, params: Params) -> str:
    return f"arn:{scope.partition}:s3:::{params['Bucket']}"


_BUCKET_ACTIONS = {
    "CreateBucket": "CreateBucket",
    "DeleteBucket": "DeleteBucket",
    "DeleteBucketPolicy": "DeleteBucketPolicy",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketLocation": "GetBucketLocation",
    "GetBucketLogging": "GetBucketLogging",
    "GetBucketOwnershipControls": "GetBucketOwnershipControls",
    "GetBucketPolicy": "GetBucketPolicy",
    "GetBucketTagging": "GetBucketTagging",
    "GetBucketVersioning": "GetBucketVersioning",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketLogging": "PutBucketLogging",
    "PutBucketOwnershipControls": "PutBucketOwnershipControls",
    "PutBucketPolicy": "PutBucketPolicy",
    "PutBucketTagging": "PutBucketTagging",
    "PutBucketVersioning": "PutBucketVersioning",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
}
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html"""


# SQS, SNS, Logs, CloudWatch


def _queue(_cloud: Cloud, scope: Scope, params: Params) -> str:
    *_, account, name = str(params["QueueUrl"]).split("/")
    return f"arn:{scope.partition}:sqs:{scope.region}:{account}:{name}"


def _named_queue(_cloud: Cloud, scope: Scope, params: Params) -> str:
    account = params.get("QueueOwnerAWSAccountId") or scope.account
    return f"arn:{scope.partition}:sqs:{scope.region}:{account}:{params['QueueName']}"


def _arn(member: str) -> Callable[[Cloud, Scope, Params], str]:
    return lambda _cloud, _scope, params: str(params[member])


def _topic_of_subscription(_cloud: Cloud, _scope: Scope, params: Params) -> str:
    return str(params["SubscriptionArn"]).rpartition(":")[0]


def _log_group(_cloud: Cloud, scope: Scope, params: Params) -> str:
    group = params.get("logGroupIdentifier") or params["logGroupName"]
    return str(group) if str(group).startswith("arn:") else scope.arn("logs", f"log-group:{group}")


def _log_stream(cloud: Cloud, scope: Scope, params: Params) -> str:
    return f"{_log_group(cloud, scope, params)}:log-stream:{params['logStreamName']}"


# IAM


def _role(cloud: Cloud, scope: Scope, params: Params) -> str:
    """The role's ARN, with its path: of a new one as the request says, else as it is."""
    name = str(params["RoleName"])
    try:
        owner = type(scope)(scope.account, scope.region)
        role = cloud.neighbour.call(owner, "iam", "GetRole", {"RoleName": name})["Role"]
    except AwsError as error:
        if error.code not in ("NoSuchEntity", "NoSuchEntityException"):
            raise
        return f"arn:{scope.partition}:iam::{scope.account}:role{params.get('Path') or '/'}{name}"
    return str(role["Arn"])


def _policy(_cloud: Cloud, scope: Scope, params: Params) -> str:
    return f"arn:{scope.partition}:iam::{scope.account}:policy{params.get('Path') or '/'}{params['PolicyName']}"


def _on_role(action: str) -> Requirement:
    """With the condition keys by which policies bound what may be given to roles."""
    keys = {"iam:policyarn": "PolicyArn", "iam:permissionsboundary": "PermissionsBoundary"}

    def needs(cloud: Cloud, scope: Scope, params: Params) -> Iterator[Need]:
        facts = {key: str(params[member]) for key, member in keys.items() if params.get(member)}
        yield Need(action, _role(cloud, scope, params), facts)

    return needs


_ON_ROLES = (
    "AttachRolePolicy", "CreateRole", "DeleteRole", "DeleteRolePermissionsBoundary", "DeleteRolePolicy",
    "DetachRolePolicy", "GetRole", "GetRolePolicy", "ListAttachedRolePolicies", "ListRolePolicies", "ListRoleTags",
    "PutRolePermissionsBoundary", "PutRolePolicy", "TagRole", "UntagRole", "UpdateAssumeRolePolicy", "UpdateRole",
)  # fmt: skip
_ON_POLICIES = (
    "CreatePolicyVersion", "DeletePolicy", "DeletePolicyVersion", "GetPolicy", "GetPolicyVersion",
    "ListEntitiesForPolicy", "ListPolicyVersions",
)  # fmt: skip

_TABLES: tuple[Table, ...] = (
    {("s3", "ListBuckets"): on_everything("s3:ListAllMyBuckets")},
    {("s3", name): _on(f"s3:{action}", _bucket) for name, action in _BUCKET_ACTIONS.items()},
    _each("sqs", _queue, "DeleteMessage", "DeleteQueue", "GetQueueAttributes", "ListQueueTags", "PurgeQueue",
          "ReceiveMessage", "SetQueueAttributes", "TagQueue", "UntagQueue"),
    _each("sqs", _named_queue, "CreateQueue", "GetQueueUrl"),
    _each("sns", lambda _cloud, scope, params: scope.arn("sns", str(params["Name"])), "CreateTopic"),
    _each("sns", _arn("TopicArn"), "DeleteTopic", "GetTopicAttributes", "ListSubscriptionsByTopic",
          "SetTopicAttributes", "Subscribe"),
    _each("sns", _topic_of_subscription, "SetSubscriptionAttributes", "Unsubscribe"),
    _each("sns", _arn("ResourceArn"), "ListTagsForResource", "TagResource", "UntagResource"),
    _each("logs", _log_group, "AssociateKmsKey", "DeleteLogGroup", "DeleteRetentionPolicy", "DescribeLogStreams",
          "DisassociateKmsKey", "FilterLogEvents", "PutRetentionPolicy"),
    _each("logs", _log_stream, "GetLogEvents"),
    _each("logs", _arn("resourceArn"), "ListTagsForResource", "TagResource", "UntagResource"),
    _each("cloudwatch", _arn("ResourceARN"), "ListTagsForResource", "TagResource", "UntagResource"),
    {("iam", name): _on_role(f"iam:{name}") for name in _ON_ROLES},
    _each("iam", _policy, "CreatePolicy"),
    _each("iam", _arn("PolicyArn"), *_ON_POLICIES),
    *(without_resource(service, *names) for service, names in LISTED.items()),
)  # fmt: skip

NEIGHBOUR_REQUIREMENTS: Table = {name: needs for table in _TABLES for name, needs in table.items()}
"""(service, operation) -> what it needs, beside ``requirements`` and ``requirements_owned``."""
