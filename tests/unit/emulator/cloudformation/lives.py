"""The life of a resource of each type: what it is made with, what an update changes, and every call of it all."""

from __future__ import annotations

from typing import Any

from tests.unit.emulator.cloudformation.test_schemas import WINDOW

POLICY: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
OTHER = POLICY | {"Id": "other"}
ROLE_ARN = "arn:aws:iam::111122223333:role/role"
QUEUE_ARN = "arn:aws:sqs:eu-central-1:111122223333:queue"
TOPIC_ARN = "arn:aws:sns:eu-central-1:111122223333:topic"
KEY_ARN = "arn:aws:kms:eu-central-1:111122223333:key/1"
TAGS, TAGS_AFTER = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}], [{"Key": "a", "Value": "3"}]
RULE: dict[str, Any] = {
    "RuleName": "daily",
    "TargetBackupVault": "vault",
    "ScheduleExpression": "cron(0 19 ? * 7 *)",
    "StartWindowMinutes": 60,
    "CompletionWindowMinutes": 180,
    "Lifecycle": {"DeleteAfterDays": 35},
    "CopyActions": [{"DestinationBackupVaultArn": "arn", "Lifecycle": {"DeleteAfterDays": 7}}],
}
FUNCTION: dict[str, Any] = {
    "FunctionName": "open",
    "Handler": "index.handler",
    "Runtime": "python3.13",
    "Role": ROLE_ARN,
    "Code": {"ZipFile": "def handler(event, context): pass\n"},
    "Timeout": 900,
}
SCHEDULE: dict[str, Any] = {
    "Name": "open",
    "GroupName": "group",
    "ScheduleExpression": "rate(1 day)",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {"Arn": QUEUE_ARN, "RoleArn": ROLE_ARN, "RetryPolicy": {"MaximumRetryAttempts": 2}},
    "StartDate": "2026-08-01T00:00:00Z",
}
TASK: dict[str, Any] = {
    "WindowId": "mw-0123456789abcdef0",
    "Priority": 1,
    "TaskType": "RUN_COMMAND",
    "TaskArn": "AWS-RunPatchBaseline",
    "Targets": [{"Key": "WindowTargetIds", "Values": ["target"]}],
    "LoggingInfo": {"S3Bucket": "bucket", "S3Prefix": "logs", "Region": "eu-central-1"},
    "TaskInvocationParameters": {
        "MaintenanceWindowRunCommandParameters": {"TimeoutSeconds": 60, "Parameters": {"Operation": ["Scan"], "N": [1]}}
    },
}
ALARM: dict[str, Any] = {
    "AlarmName": "alarm",
    "Namespace": "n",
    "MetricName": "m",
    "Statistic": "Sum",
    "Period": 300,
    "EvaluationPeriods": 1,
    "Threshold": 1,
    "ComparisonOperator": "LessThanThreshold",
}
FILTER: dict[str, Any] = {
    "FilterName": "filter",
    "LogGroupName": "group",
    "FilterPattern": "ERROR",
    "MetricTransformations": [
        {"MetricName": "m", "MetricNamespace": "n", "MetricValue": "1", "Dimensions": [{"Key": "k", "Value": "$.v"}]}
    ],
}

LIVES: list[tuple[str, dict[str, Any], dict[str, Any], list[str]]] = [
    (
        "AWS::S3::Bucket",
        {"BucketName": "bucket", "VersioningConfiguration": {"Status": "Enabled"}, "Tags": TAGS},
        {"LoggingConfiguration": {"DestinationBucketName": "other"}, "Tags": TAGS_AFTER},
        [
            "CreateBucket",
            "PutBucketVersioning",
            "PutBucketTagging",
            "PutBucketLogging",
            "PutBucketTagging",
            "DeleteBucket",
        ],
    ),
    (
        "AWS::S3::BucketPolicy",
        {"Bucket": "bucket", "PolicyDocument": POLICY},
        {"PolicyDocument": OTHER},
        ["PutBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"],
    ),
    (
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": POLICY,
            "RoleName": "role",
            "ManagedPolicyArns": ["arn:aws:iam::aws:policy/One"],
            "Policies": [{"PolicyName": "p", "PolicyDocument": POLICY}],
            "PermissionsBoundary": "arn:aws:iam::aws:policy/Boundary",
            "Tags": TAGS,
        },
        {
            "AssumeRolePolicyDocument": OTHER,
            "Description": "d",
            "ManagedPolicyArns": ["arn:aws:iam::aws:policy/Two"],
            "Policies": [{"PolicyName": "q", "PolicyDocument": POLICY}],
            "PermissionsBoundary": None,
            "Tags": TAGS_AFTER,
        },
        [
            "CreateRole",
            "AttachRolePolicy",
            "PutRolePolicy",
            "UpdateAssumeRolePolicy",
            "UpdateRole",
            "DeleteRolePermissionsBoundary",
            "TagRole",
            "UntagRole",
            "AttachRolePolicy",
            "DetachRolePolicy",
            "PutRolePolicy",
            "DeleteRolePolicy",
            "ListAttachedRolePolicies",
            "DetachRolePolicy",
            "ListRolePolicies",
            "DeleteRolePolicy",
            "DeleteRole",
        ],
    ),
    (
        "AWS::IAM::ManagedPolicy",
        {"ManagedPolicyName": "policy", "PolicyDocument": POLICY, "Roles": ["one"]},
        {"PolicyDocument": OTHER, "Roles": ["two"]},
        [
            "CreatePolicy",
            "AttachRolePolicy",
            "ListPolicyVersions",
            "DeletePolicyVersion",
            "CreatePolicyVersion",
            "AttachRolePolicy",
            "DetachRolePolicy",
            "ListEntitiesForPolicy",
            "DetachRolePolicy",
            "ListPolicyVersions",
            *["DeletePolicyVersion"] * 4,
            "DeletePolicy",
        ],
    ),
    (
        "AWS::IAM::Policy",
        {"PolicyName": "p", "PolicyDocument": POLICY, "Roles": ["one"]},
        {"PolicyDocument": OTHER, "Roles": ["two"]},
        ["PutRolePolicy", "PutRolePolicy", "DeleteRolePolicy", "ListRolePolicies", "DeleteRolePolicy"],
    ),
    (
        "AWS::IAM::RolePolicy",
        {"PolicyName": "p", "RoleName": "role", "PolicyDocument": POLICY},
        {"PolicyDocument": OTHER},
        ["PutRolePolicy", "PutRolePolicy", "DeleteRolePolicy"],
    ),
    (
        "AWS::Backup::BackupVault",
        {"BackupVaultName": "vault", "AccessPolicy": POLICY, "BackupVaultTags": {"a": "1", "b": "2"}},
        {"AccessPolicy": None, "LockConfiguration": {"MinRetentionDays": 1}, "BackupVaultTags": {"a": "3"}},
        [
            "CreateBackupVault",
            "PutBackupVaultAccessPolicy",
            "TagResource",
            "UntagResource",
            "DeleteBackupVaultAccessPolicy",
            "PutBackupVaultLockConfiguration",
            "DeleteBackupVault",
        ],
    ),
    (
        "AWS::Backup::BackupPlan",
        {"BackupPlan": {"BackupPlanName": "plan", "BackupPlanRule": [RULE]}},
        {"BackupPlan": {"BackupPlanName": "plan", "BackupPlanRule": [RULE | {"StartWindowMinutes": 90}]}},
        ["CreateBackupPlan", "UpdateBackupPlan", "DeleteBackupPlan"],
    ),
    (
        "AWS::Backup::BackupSelection",
        {"BackupPlanId": "plan", "BackupSelection": {"SelectionName": "one", "IamRoleArn": ROLE_ARN}},
        {"BackupSelection": {"SelectionName": "two", "IamRoleArn": ROLE_ARN}},
        ["CreateBackupSelection", "CreateBackupSelection", "DeleteBackupSelection", "DeleteBackupSelection"],
    ),
    (
        "AWS::SSM::PatchBaseline",
        {"Name": "base", "OperatingSystem": "UBUNTU", "PatchGroups": ["one"], "Tags": TAGS},
        {"Description": "d", "PatchGroups": ["two"], "Tags": TAGS_AFTER},
        [
            "CreatePatchBaseline",
            "RegisterPatchBaselineForPatchGroup",
            "UpdatePatchBaseline",
            "AddTagsToResource",
            "RemoveTagsFromResource",
            "DeregisterPatchBaselineForPatchGroup",
            "RegisterPatchBaselineForPatchGroup",
            "GetPatchBaselineForPatchGroup",
            "DeregisterPatchBaselineForPatchGroup",
            "DeletePatchBaseline",
        ],
    ),
    (
        "AWS::SSM::Document",
        {"Name": "document", "Content": {"schemaVersion": "2.2"}, "UpdateMethod": "NewVersion"},
        {"Content": {"schemaVersion": "2.2", "description": "d"}},
        ["CreateDocument", "UpdateDocument", "UpdateDocumentDefaultVersion", "DeleteDocument"],
    ),
    (
        "AWS::SSM::Parameter",
        {"Name": "/a/b", "Type": "String", "Value": "x", "Tags": {"a": "1"}},
        {"Value": "y", "Tags": {}},
        ["PutParameter", "PutParameter", "RemoveTagsFromResource", "DeleteParameter"],
    ),
    (
        "AWS::SSM::MaintenanceWindow",
        WINDOW["Properties"],
        {"Duration": 4},
        ["CreateMaintenanceWindow", "UpdateMaintenanceWindow", "DeleteMaintenanceWindow"],
    ),
    (
        "AWS::SSM::MaintenanceWindowTarget",
        {
            "WindowId": "mw-0123456789abcdef0",
            "ResourceType": "INSTANCE",
            "Targets": [{"Key": "tag:a", "Values": ["b"]}],
        },
        {"Targets": [{"Key": "tag:a", "Values": ["c"]}]},
        [
            "RegisterTargetWithMaintenanceWindow",
            "UpdateMaintenanceWindowTarget",
            "DeregisterTargetFromMaintenanceWindow",
        ],
    ),
    (
        "AWS::SSM::MaintenanceWindowTask",
        TASK,
        {"Priority": 2},
        ["RegisterTaskWithMaintenanceWindow", "UpdateMaintenanceWindowTask", "DeregisterTaskFromMaintenanceWindow"],
    ),
    (
        "AWS::Lambda::Function",
        FUNCTION | {"ReservedConcurrentExecutions": 1, "Tags": TAGS},
        {"Code": {"ZipFile": "x = 1\n"}, "Timeout": 300, "ReservedConcurrentExecutions": None, "Tags": TAGS_AFTER},
        [
            "CreateFunction",
            "PutFunctionConcurrency",
            "UpdateFunctionCode",
            "UpdateFunctionConfiguration",
            "TagResource",
            "UntagResource",
            "DeleteFunctionConcurrency",
            "DeleteFunction",
        ],
    ),
    (
        "AWS::Lambda::Permission",
        {"FunctionName": "open", "Action": "lambda:InvokeFunction", "Principal": "scheduler.amazonaws.com"},
        {"Principal": "events.amazonaws.com"},
        ["AddPermission", "AddPermission", "RemovePermission", "RemovePermission"],
    ),
    (
        "AWS::Lambda::EventInvokeConfig",
        {"FunctionName": "open", "Qualifier": "$LATEST", "MaximumRetryAttempts": 1},
        {"MaximumRetryAttempts": 0, "DestinationConfig": {"OnFailure": {"Destination": QUEUE_ARN}}},
        ["PutFunctionEventInvokeConfig", "PutFunctionEventInvokeConfig", "DeleteFunctionEventInvokeConfig"],
    ),
    (
        "AWS::Scheduler::Schedule",
        SCHEDULE,
        {"State": "DISABLED"},
        ["CreateSchedule", "UpdateSchedule", "DeleteSchedule"],
    ),
    (
        "AWS::Scheduler::ScheduleGroup",
        {"Name": "group", "Tags": TAGS},
        {"Tags": TAGS_AFTER},
        ["CreateScheduleGroup", "TagResource", "UntagResource", "DeleteScheduleGroup"],
    ),
    (
        "AWS::SNS::Topic",
        {"TopicName": "topic", "DisplayName": "d", "KmsMasterKeyId": "key", "Tags": TAGS},
        {"DisplayName": "e", "KmsMasterKeyId": None, "Tags": TAGS_AFTER},
        ["CreateTopic", "SetTopicAttributes", "SetTopicAttributes", "TagResource", "UntagResource", "DeleteTopic"],
    ),
    (
        "AWS::SNS::Subscription",
        {"TopicArn": TOPIC_ARN, "Protocol": "sqs", "Endpoint": QUEUE_ARN, "FilterPolicy": {"a": ["b"]}},
        {"RawMessageDelivery": True},
        ["Subscribe", "SetSubscriptionAttributes", "Unsubscribe"],
    ),
    (
        "AWS::SNS::TopicPolicy",
        {"Topics": [TOPIC_ARN], "PolicyDocument": POLICY},
        {"PolicyDocument": OTHER},
        ["SetTopicAttributes", "SetTopicAttributes", "SetTopicAttributes"],
    ),
    (
        "AWS::SQS::Queue",
        {"QueueName": "queue", "VisibilityTimeout": 60, "RedrivePolicy": {"maxReceiveCount": 3}, "Tags": TAGS},
        {"VisibilityTimeout": None, "Tags": TAGS_AFTER},
        ["CreateQueue", "SetQueueAttributes", "TagQueue", "UntagQueue", "DeleteQueue"],
    ),
    (
        "AWS::SQS::QueuePolicy",
        {"Queues": ["https://one"], "PolicyDocument": POLICY},
        {"Queues": ["https://two"]},
        ["SetQueueAttributes"] * 4,
    ),
    (
        "AWS::Logs::LogGroup",
        {"LogGroupName": "group", "RetentionInDays": 365, "Tags": TAGS},
        {"RetentionInDays": None, "KmsKeyId": KEY_ARN, "Tags": TAGS_AFTER},
        [
            "CreateLogGroup",
            "PutRetentionPolicy",
            "AssociateKmsKey",
            "TagResource",
            "UntagResource",
            "DeleteRetentionPolicy",
            "DeleteLogGroup",
        ],
    ),
    (
        "AWS::Logs::MetricFilter",
        FILTER,
        {"FilterPattern": "WARN"},
        ["PutMetricFilter", "PutMetricFilter", "DeleteMetricFilter"],
    ),
    (
        "AWS::CloudWatch::Alarm",
        ALARM | {"Tags": TAGS},
        {"Threshold": 2, "Tags": TAGS_AFTER},
        ["PutMetricAlarm", "PutMetricAlarm", "TagResource", "UntagResource", "DeleteAlarms"],
    ),
    (
        "AWS::KMS::Key",
        {"KeyPolicy": POLICY, "EnableKeyRotation": True, "Tags": TAGS},
        {"Description": "d", "KeyPolicy": OTHER, "EnableKeyRotation": False, "Enabled": False, "Tags": TAGS_AFTER},
        [
            "CreateKey",
            "EnableKeyRotation",
            "UpdateKeyDescription",
            "PutKeyPolicy",
            "TagResource",
            "UntagResource",
            "DisableKeyRotation",
            "DisableKey",
            "ScheduleKeyDeletion",
        ],
    ),
    (
        "AWS::KMS::Alias",
        {"AliasName": "alias/x", "TargetKeyId": "key-1"},
        {"TargetKeyId": "key-2"},
        ["CreateAlias", "UpdateAlias", "DeleteAlias"],
    ),
    (
        "AWS::Events::Rule",
        {"Name": "nightly", "ScheduleExpression": "rate(1 day)", "Targets": [{"Id": "1", "Arn": "a"}], "Tags": TAGS},
        {"State": "DISABLED", "Targets": [{"Id": "2", "Arn": "b"}], "Tags": TAGS_AFTER},
        [
            "PutRule",
            "PutTargets",
            "PutRule",
            "RemoveTargets",
            "PutTargets",
            "TagResource",
            "UntagResource",
            "RemoveTargets",
            "DeleteRule",
        ],
    ),
]
"""Type, properties, what an update changes (None takes away), and every call of create, update and delete."""
