"""The gate's two functions: code, roles, log groups, and where a failed invocation ends.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from __future__ import annotations

from dataclasses import dataclass

from patchgate.plan import names
from patchgate.plan.names import NamePattern
from patchgate.templates.gate_code import SCRIPTS, build_bundle, gate_hash
from patchgate.templates.intrinsics import Node, choose, get_att, ref, sub, when
from patchgate.templates.parameters import (
    BACKUP_RESOURCES,
    FREEZE_CALENDARS,
    WAIVED_CATEGORIES,
    Group,
    Parameter,
    is_given,
    number,
)
from patchgate.templates.policies import (
    PATCH_GROUP,
    READ_CALENDARS,
    READ_LEASES,
    WRITE_EVIDENCE,
    allow,
    allow_reading,
    bucket_arn,
    parameter_arn,
    policy,
    role,
    ssm_arn,
    trust,
    use_bucket_key,
    use_key,
)

RUNTIME = "python3.13"

LANE_PARAMETERS = (
    Parameter(
        "BackupVaultName",
        "Name of the backup vault; blank: backup-vault-<os>-<env>-<Region>.",
        default="",
        pattern="^$|^[a-zA-Z0-9_-]{2,50}$",
    ),
    Parameter(
        "MaintenanceWindowName",
        "Name of the window; blank: as the patch stack names it.",
        default="",
        pattern="^$|^[a-zA-Z0-9_.-]{3,128}$",
    ),
)

GROUP = Group(
    "Gate",
    (
        Parameter(
            "GateMode",
            "coverage: enough instances are proven. threshold: enough backup jobs are completed.",
            default="coverage",
            allowed=("coverage", "threshold"),
        ),
        number("MinimumCoveragePercent", "Mode coverage: share of the running instances.", 80, 1, 100),
        number("BackupJobThreshold", "Mode threshold: number of completed backup jobs.", 3, 1, 100000),
        number("LookBackHours", "Hours before the gate in which its backups were made.", 12, 1, 168),
        number("MaximumLeadMinutes", "Minutes between the gate and the window's start, at most.", 180, 5, 1440),
        BACKUP_RESOURCES,
        FREEZE_CALENDARS,
        WAIVED_CATEGORIES,
        Parameter(
            "ReservedConcurrency",
            "Concurrency reserved for each function; blank: none.",
            default="",
            pattern="^([1-9][0-9]{0,2})?$",
        ),
    ),
)

CONDITIONS = {
    "HasVaultName": is_given("BackupVaultName"),
    "HasWindowName": is_given("MaintenanceWindowName"),
    "HasReservedConcurrency": is_given("ReservedConcurrency"),
}

VAULT_NAME = choose("HasVaultName", ref("BackupVaultName"), sub(names.BACKUP_VAULT.as_sub(vault_prefix="backup-vault")))
SCHEDULES = sub(
    "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule/" + names.SCHEDULE_GROUP.as_sub() + "/*"
)
WINDOW_NAME = choose("HasWindowName", ref("MaintenanceWindowName"), sub(names.MAINTENANCE_WINDOW.as_sub()))


@dataclass(frozen=True, slots=True)
class GateFunction:
    """One of the two functions; `event_age` bounds in seconds how long Lambda retries an invocation."""

    prefix: str
    script: str
    name: NamePattern
    log_group: NamePattern
    role: NamePattern
    timeout: int
    event_age: int

    @property
    def logical_id(self) -> str:
        return f"{self.prefix}Lambda"

    @property
    def arn(self) -> Node:
        return get_att(self.logical_id, "Arn")


OPEN = GateFunction(
    "EnableMaintenance",
    "open_window",
    names.OPEN_FUNCTION,
    names.OPEN_LOG_GROUP,
    names.OPEN_ROLE,
    timeout=900,
    event_age=1800,
)
CLOSE = GateFunction(
    "DisableMaintenance",
    "close_window",
    names.CLOSE_FUNCTION,
    names.CLOSE_LOG_GROUP,
    names.CLOSE_ROLE,
    timeout=300,
    event_age=21_600,
)


def build_function_resources() -> dict[str, Node]:
    """logical id -> resource."""
    return {
        "GatePolicy": _gate_policy(),
        **_function_resources(OPEN, _open_statements(), _open_variables()),
        **_function_resources(CLOSE, _close_statements(), _close_variables()),
    }


def _function_resources(function: GateFunction, statements: list[Node], environment: Node) -> dict[str, Node]:
    return {
        f"{function.prefix}LambdaRole": role(
            function.role, trust("lambda.amazonaws.com"), [*statements, _log(function)], [ref("GatePolicy")]
        ),
        f"{function.prefix}LogGroup": _log_group(function),
        function.logical_id: _function(function, environment),
        f"{function.prefix}InvokeConfig": _invoke_config(function),
        f"{function.prefix}Permission": _permission(function),
    }


def _log_group(function: GateFunction) -> Node:
    return {
        "Type": "AWS::Logs::LogGroup",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {
            "LogGroupName": sub(function.log_group.as_sub()),
            "RetentionInDays": ref("LogRetentionDays"),
            "KmsKeyId": when("HasKey", ref("KmsKeyArn")),
        },
    }


def _function(function: GateFunction, environment: Node) -> Node:
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": sub(function.name.as_sub()),
            "Runtime": RUNTIME,
            "Handler": f"index.{SCRIPTS[function.script]}",
            "Role": get_att(f"{function.prefix}LambdaRole", "Arn"),
            "Timeout": function.timeout,
            "MemorySize": 512,
            "KmsKeyArn": when("HasKey", ref("KmsKeyArn")),
            "ReservedConcurrentExecutions": when("HasReservedConcurrency", ref("ReservedConcurrency")),
            "LoggingConfig": {"LogGroup": ref(f"{function.prefix}LogGroup")},
            "Environment": {"Variables": environment | _version()},
            "Code": {"ZipFile": build_bundle(function.script)},
        },
    }


def _open_variables() -> Node:
    return {
        "OPERATING_SYSTEM": ref("TargetOperatingSystem"),
        "ENVIRONMENT": ref("Environment"),
        "BACKUP_VAULT_NAME": VAULT_NAME,
        "MAINTENANCE_WINDOW_NAME": WINDOW_NAME,
        "GATE_MODE": ref("GateMode"),
        "BACKUP_JOB_THRESHOLD": ref("BackupJobThreshold"),
        "MINIMUM_COVERAGE_PERCENT": ref("MinimumCoveragePercent"),
        "LOOK_BACK_HOURS": ref("LookBackHours"),
        "MAXIMUM_LEAD_MINUTES": ref("MaximumLeadMinutes"),
        "BACKUP_RESOURCES": ref("BackupResources"),
        "FREEZE_CALENDARS": ref("FreezeCalendars"),
        "WAIVED_MESSAGE_CATEGORIES": ref("WaivedMessageCategories"),
        "LOG_BUCKET": ref("S3Bucket"),
        "TOPIC_ARN": ref("NotificationTopic"),
    }


def _close_variables() -> Node:
    return {
        "OPERATING_SYSTEM": ref("TargetOperatingSystem"),
        "ENVIRONMENT": ref("Environment"),
        "MAXIMUM_LEAD_MINUTES": ref("MaximumLeadMinutes"),
        "SCHEDULE_GROUP": ref("ScheduleGroup"),
        "OPEN_SCHEDULE_NAME": sub(names.OPEN_SCHEDULE.as_sub()),
        "CLOSE_SCHEDULE_NAME": sub(names.CLOSE_SCHEDULE.as_sub()),
        "LOG_BUCKET": ref("S3Bucket"),
        "TOPIC_ARN": ref("NotificationTopic"),
    }


def _version() -> Node:
    return {"GATE_HASH": gate_hash()}


def _invoke_config(function: GateFunction) -> Node:
    return {
        "Type": "AWS::Lambda::EventInvokeConfig",
        "Properties": {
            "FunctionName": ref(function.logical_id),
            "Qualifier": "$LATEST",
            "MaximumRetryAttempts": 2,
            "MaximumEventAgeInSeconds": function.event_age,
            "DestinationConfig": {"OnFailure": {"Destination": get_att("FailureQueue", "Arn")}},
        },
    }


def _permission(function: GateFunction) -> Node:
    return {
        "Type": "AWS::Lambda::Permission",
        "Properties": {
            "FunctionName": ref(function.logical_id),
            "Action": "lambda:InvokeFunction",
            "Principal": "scheduler.amazonaws.com",
            "SourceAccount": ref("AWS::AccountId"),
            "SourceArn": SCHEDULES,
        },
    }


def _log(function: GateFunction) -> Node:
    return allow("Log", ["logs:CreateLogStream", "logs:PutLogEvents"], get_att(f"{function.prefix}LogGroup", "Arn"))


def _gate_policy() -> Node:
    """What both functions do: read leases, switch the window, notify, and say that they failed."""
    statements = [
        allow("ReadLeases", ["ssm:GetParameter", *READ_LEASES["Action"]], READ_LEASES["Resource"]),
        allow(
            "SwitchWindow",
            ["ssm:GetMaintenanceWindow", "ssm:UpdateMaintenanceWindow"],
            ssm_arn("maintenancewindow/*"),
            {"StringEquals": {f"aws:ResourceTag/{names.PATCH_GROUP_TAG_KEY}": PATCH_GROUP}},
        ),
        allow("Notify", ["sns:Publish"], ref("NotificationTopic")),
        allow("ReportFailure", ["sqs:SendMessage"], get_att("FailureQueue", "Arn")),
        use_key("kms:Decrypt", "kms:GenerateDataKey"),
        use_bucket_key("kms:Decrypt", "kms:GenerateDataKey"),
    ]
    return {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {
            "ManagedPolicyName": sub(names.GATE_POLICY.as_sub()),
            "Path": ref("IamRolePath"),
            "PolicyDocument": policy(statements),
        },
    }


def _open_statements() -> list[Node]:
    return [
        allow_reading(
            "backup:ListBackupJobs",
            "ec2:DescribeInstances",
            "ssm:DescribeInstanceInformation",
            "ssm:DescribeMaintenanceWindows",
        ),
        READ_CALENDARS,
        allow(
            "WriteLease",
            ["ssm:PutParameter"],
            _parameters(names.OPEN_PARAMETER, names.HOLD_PARAMETER, names.TOLD_PARAMETER),
        ),
        WRITE_EVIDENCE,
    ]


def _close_statements() -> list[Node]:
    return [
        allow_reading("ssm:DescribeMaintenanceWindowSchedule"),
        allow("CloseLease", ["ssm:PutParameter"], _parameters(names.CLOSED_PARAMETER, names.DUE_PARAMETER)),
        allow("RemoveLeases", ["ssm:DeleteParameter"], parameter_arn(names.PARAMETER_ROOT.as_sub() + "/20*")),
        allow("ReadSchedules", ["scheduler:GetSchedule"], SCHEDULES),
        allow("ReadEvidence", ["s3:GetObject"], WRITE_EVIDENCE["Resource"]),
        allow(
            "ListEvidence",
            ["s3:ListBucket"],
            bucket_arn(),
            {"StringLike": {"s3:prefix": sub(names.EVIDENCE_PREFIX.as_sub() + "/*")}},
        ),
    ]


def _parameters(*patterns: NamePattern) -> list[Node]:
    """The parameters of every cycle: its key begins with the century, which no other parameter of a lane does."""
    return [parameter_arn(pattern.as_sub(cycle="20*")) for pattern in patterns]
