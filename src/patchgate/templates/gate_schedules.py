"""When the gate runs: EventBridge Scheduler in local time, with bounded retries and a queue for what fails for good.

Scheduler invokes a function asynchronously: its own queue sees only what it could not hand over, the function's
failure destination the rest. Both are the same queue, and an alarm watches it.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
"""

from __future__ import annotations

import json

from patchgate.plan import names
from patchgate.plan.names import NamePattern
from patchgate.templates.document import TIME_ZONE
from patchgate.templates.gate_functions import CLOSE, OPEN, GateFunction
from patchgate.templates.intrinsics import Node, choose, get_att, ref, sub, when
from patchgate.templates.parameters import SCHEDULE, Group, Parameter
from patchgate.templates.policies import allow, role, trust, use_key


def _when(name: str, description: str, default: str) -> Parameter:
    return Parameter(name, description, default=default, pattern=SCHEDULE)


GROUP = Group(
    "Schedules, in local time",
    (
        _when(
            "CheckBackUpJobAndEnableMaintenanceWindow",
            "When the gate opens the window: after the backups, before the window.",
            "cron(30 22 ? * 7 *)",
        ),
        _when("DisableMaintenanceWindow", "When the window is closed: after its end.", "cron(10 4 ? * 1 *)"),
        _when("WatchdogSchedule", "When the watchdog looks for what was left open; daily.", "cron(0 12 * * ? *)"),
    ),
)


def build_schedule_resources() -> dict[str, Node]:
    """logical id -> resource."""
    return {
        "ScheduleGroup": {
            "Type": "AWS::Scheduler::ScheduleGroup",
            "Properties": {"Name": sub(names.SCHEDULE_GROUP.as_sub())},
        },
        "EnableMaintenanceSchedule": _schedule(
            names.OPEN_SCHEDULE, "CheckBackUpJobAndEnableMaintenanceWindow", OPEN, "open"
        ),
        "DisableMaintenanceSchedule": _schedule(names.CLOSE_SCHEDULE, "DisableMaintenanceWindow", CLOSE, "close"),
        "WatchdogMaintenanceSchedule": _schedule(names.WATCHDOG_SCHEDULE, "WatchdogSchedule", CLOSE, "watchdog"),
        "SchedulerRole": _role(),
        "FailureQueue": _queue(),
    }


def _schedule(name: NamePattern, parameter: str, function: GateFunction, mode: str) -> Node:
    payload = {
        "mode": mode,
        "scheduled_time": "<aws.scheduler.scheduled-time>",
        "attempt": "<aws.scheduler.attempt-number>",
    }
    return {
        "Type": "AWS::Scheduler::Schedule",
        "Properties": {
            "Name": sub(name.as_sub()),
            "GroupName": ref("ScheduleGroup"),
            "ScheduleExpression": ref(parameter),
            "ScheduleExpressionTimezone": TIME_ZONE,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "State": "ENABLED",
            "Target": {
                "Arn": function.arn,
                "RoleArn": get_att("SchedulerRole", "Arn"),
                "Input": json.dumps(payload, separators=(",", ":")),
                "RetryPolicy": {"MaximumRetryAttempts": 20, "MaximumEventAgeInSeconds": function.event_age},
                "DeadLetterConfig": {"Arn": get_att("FailureQueue", "Arn")},
            },
        },
    }


def _role() -> Node:
    group = "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule-group/"
    trusted = trust(
        "scheduler.amazonaws.com",
        {
            "StringEquals": {
                "aws:SourceAccount": ref("AWS::AccountId"),
                "aws:SourceArn": sub(group + names.SCHEDULE_GROUP.as_sub()),
            }
        },
    )
    statements = [
        allow("InvokeGate", ["lambda:InvokeFunction"], [OPEN.arn, CLOSE.arn]),
        allow("ReportFailure", ["sqs:SendMessage"], get_att("FailureQueue", "Arn")),
        use_key("kms:Decrypt", "kms:GenerateDataKey"),
    ]
    return role(names.SCHEDULER_ROLE, trusted, statements)


def _queue() -> Node:
    return {
        "Type": "AWS::SQS::Queue",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {
            "QueueName": sub(names.FAILURE_QUEUE.as_sub()),
            "MessageRetentionPeriod": 1_209_600,
            "SqsManagedSseEnabled": choose("HasKey", then=False, otherwise=True),
            "KmsMasterKeyId": when("HasKey", ref("KmsKeyArn")),
        },
    }
