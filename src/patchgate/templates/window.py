"""The maintenance window: its target, its Scan and Install tasks, the role they run with, and where its id is found.

https://docs.aws.amazon.com/systems-manager/latest/userguide/maintenance-windows.html
"""

from __future__ import annotations

from typing import Any

from patchgate.plan import names
from patchgate.templates.document import TIME_ZONE
from patchgate.templates.intrinsics import Node, equals, get_att, negate, ref, sub, when
from patchgate.templates.parameters import (
    CONCURRENCY,
    ERROR_BUDGET,
    SCHEDULE,
    WINDOW_CUTOFF,
    WINDOW_DURATION,
    Group,
    Parameter,
    number,
)
from patchgate.templates.policies import (
    LANE_INSTANCES,
    LANE_INSTANCES_ONLY,
    PATCH_GROUP,
    allow,
    allow_reading,
    bucket_arn,
    role,
    ssm_arn,
    trust,
)

DELIVERY_SECONDS = 60
"""How long a command waits for an agent that does not answer: a queued command must not start late."""

REBOOT_OPTIONS = ("NoReboot", "RebootIfNeeded")
LOGS = names.LOG_PREFIX.as_sub()


def _share(name: str, description: str, default: str, pattern: str) -> Parameter:
    return Parameter(name, description, default=default, pattern=pattern)


GROUP = Group(
    "Maintenance window",
    (
        Parameter(
            "MaintenanceWindowCronSchedule",
            "When the window starts, in local time.",
            default="cron(0 23 ? * 7 *)",
            pattern=SCHEDULE,
        ),
        number("MaintenanceWindowScheduleOffset", "Days to wait after the schedule's day; cron only.", 0, 0, 6),
        WINDOW_DURATION,
        WINDOW_CUTOFF,
        Parameter("ScanRebootOption", "Reboot after a scan.", default="NoReboot", allowed=REBOOT_OPTIONS),
        Parameter(
            "InstallRebootOption",
            "Reboot after an install; NoReboot leaves patches pending.",
            default="RebootIfNeeded",
            allowed=REBOOT_OPTIONS,
        ),
        _share("ScanMaxConcurrency", "Instances scanned at once, number or percentage.", "100%", CONCURRENCY),
        _share("ScanMaxErrors", "Failed scans after which no more start.", "100%", ERROR_BUDGET),
        _share("InstallMaxConcurrency", "Instances patched at once, number or percentage.", "25%", CONCURRENCY),
        _share("InstallMaxErrors", "Failed installs after which no more start.", "25%", ERROR_BUDGET),
    ),
)


CONDITIONS = {"HasOffset": negate(equals(ref("MaintenanceWindowScheduleOffset"), "0"))}


def build_window_resources() -> dict[str, Node]:
    """logical id -> resource.

    Install comes before Scan: priorities run one after the other, and a scan waits for a node that does not answer
    until its total timeout is over, more than two hours, in which nothing would be installed.
    https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html
    """
    return {
        "SsmMaintenanceWindow": _window(),
        "SsmMaintenanceWindowTarget": _target(),
        "SsmMaintenanceWindowTaskScan": _task("Scan", 2, "RUN_COMMAND", "AWS-RunPatchBaseline", _scan()),
        "SsmMaintenanceWindowTaskInstall": _task("Install", 1, "AUTOMATION", ref("InstallRunbook"), _install()),
        "WindowIdParameter": _window_id(),
        "MaintenanceWindowRole": _role(),
    }


def _window() -> Node:
    return {
        "Type": "AWS::SSM::MaintenanceWindow",
        "Properties": {
            "Name": sub(names.MAINTENANCE_WINDOW.as_sub()),
            "Description": "Opened and closed by patchgate; inert without its lease and a proof for each instance",
            "Schedule": ref("MaintenanceWindowCronSchedule"),
            "ScheduleOffset": when("HasOffset", ref("MaintenanceWindowScheduleOffset")),
            "ScheduleTimezone": TIME_ZONE,
            "Duration": ref("MaintenanceWindowDuration"),
            "Cutoff": ref("MaintenanceWindowCutoff"),
            "AllowUnassociatedTargets": False,
            "Tags": [{"Key": names.PATCH_GROUP_TAG_KEY, "Value": PATCH_GROUP}],
        },
    }


def _target() -> Node:
    return {
        "Type": "AWS::SSM::MaintenanceWindowTarget",
        "Properties": {
            "WindowId": ref("SsmMaintenanceWindow"),
            "Name": sub(names.WINDOW_TARGET.as_sub()),
            "ResourceType": "INSTANCE",
            "Targets": [
                {"Key": f"tag:{names.PATCH_GROUP_TAG_KEY}", "Values": [PATCH_GROUP]},
                {"Key": f"tag:{names.BACKUP_TAG_KEY}", "Values": [names.BACKUP_TAG_VALUE]},
            ],
        },
    }


def _task(name: str, priority: int, task_type: str, task: Any, invocation: Node) -> Node:
    return {
        "Type": "AWS::SSM::MaintenanceWindowTask",
        "Properties": {
            "WindowId": ref("SsmMaintenanceWindow"),
            "Name": name,
            "Priority": priority,
            "TaskType": task_type,
            "TaskArn": task,
            "ServiceRoleArn": get_att("MaintenanceWindowRole", "Arn"),
            "Targets": [{"Key": "WindowTargetIds", "Values": [ref("SsmMaintenanceWindowTarget")]}],
            "MaxConcurrency": ref(f"{name}MaxConcurrency"),
            "MaxErrors": ref(f"{name}MaxErrors"),
            "CutoffBehavior": "CANCEL_TASK",
            "TaskInvocationParameters": invocation,
        },
    }


def _scan() -> Node:
    return {
        "MaintenanceWindowRunCommandParameters": {
            "Parameters": {"Operation": ["Scan"], "RebootOption": [ref("ScanRebootOption")]},
            "TimeoutSeconds": DELIVERY_SECONDS,
            "OutputS3BucketName": ref("S3Bucket"),
            "OutputS3KeyPrefix": sub(f"{LOGS}/scan"),
        }
    }


def _install() -> Node:
    return {
        "MaintenanceWindowAutomationParameters": {
            "DocumentVersion": "$DEFAULT",
            "Parameters": {
                "InstanceId": ["{{RESOURCE_ID}}"],
                "AutomationAssumeRole": [get_att("ProveRole", "Arn")],
            },
        }
    }


def _window_id() -> Node:
    """The gate lives in another stack, which no stack set can hand this one's outputs."""
    return {
        "Type": "AWS::SSM::Parameter",
        "Properties": {
            "Name": sub(names.WINDOW_ID_PARAMETER.as_sub()),
            "Type": "String",
            "Value": ref("SsmMaintenanceWindow"),
        },
    }


def _role() -> Node:
    runbook = names.RUNBOOK.as_sub()
    statements = [
        allow(
            "Scan",
            ["ssm:SendCommand"],
            [sub("arn:${AWS::Partition}:ssm:${AWS::Region}::document/AWS-RunPatchBaseline"), bucket_arn()],
        ),
        allow("ScanLaneInstances", ["ssm:SendCommand"], LANE_INSTANCES, LANE_INSTANCES_ONLY),
        allow_reading(
            "ssm:CancelCommand", "ssm:GetCommandInvocation", "ssm:ListCommandInvocations", "ssm:ListCommands"
        ),
        allow(
            "Install",
            ["ssm:StartAutomationExecution", "ssm:GetAutomationExecution", "ssm:StopAutomationExecution"],
            [
                ssm_arn(f"document/{runbook}"),
                ssm_arn(f"automation-definition/{runbook}:*"),
                ssm_arn("automation-execution/*"),
            ],
        ),
        allow(
            "PassProveRole",
            ["iam:PassRole"],
            get_att("ProveRole", "Arn"),
            {"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}},
        ),
    ]
    return role(names.WINDOW_ROLE, trust("ssm.amazonaws.com"), statements)
