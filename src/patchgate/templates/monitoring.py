"""The template aws-monitoring-backup-stackset: the gate that opens and closes the window, and who is told."""

from __future__ import annotations

from patchgate.templates import alarms, gate_functions, gate_schedules
from patchgate.templates.document import (
    BUCKET_KEY_CONDITIONS,
    KEY_CONDITIONS,
    TIME_ZONE_CONDITIONS,
    Template,
    time_zones,
)
from patchgate.templates.intrinsics import ref
from patchgate.templates.parameters import (
    BOUNDARY,
    BUCKET_KEY,
    ENVIRONMENT,
    LOG_BUCKET,
    OPERATING_SYSTEM,
    ROLE_PATH,
    TIME_ZONE_OVERRIDE,
    Group,
    customer_key,
)
from patchgate.templates.policies import ROLE_CONDITIONS

_KEY = customer_key(
    "Customer key of topic, queue, logs and functions; its policy admits cloudwatch and logs. Blank: AWS's own."
)


def build_monitoring_template() -> Template:
    """The monitoring template."""
    lane = (OPERATING_SYSTEM, ENVIRONMENT, TIME_ZONE_OVERRIDE, LOG_BUCKET, *gate_functions.LANE_PARAMETERS)
    return Template(
        name="aws-monitoring-backup-stackset",
        description="patchgate: the gate of one lane: opens the maintenance window on proof, closes it, watches it",
        groups=(
            Group("Lane", lane),
            gate_schedules.GROUP,
            gate_functions.GROUP,
            alarms.GROUP,
            Group("Security", (_KEY, BUCKET_KEY, BOUNDARY, ROLE_PATH)),
        ),
        mappings=time_zones(),
        conditions={
            **KEY_CONDITIONS,
            **BUCKET_KEY_CONDITIONS,
            **TIME_ZONE_CONDITIONS,
            **ROLE_CONDITIONS,
            **gate_functions.CONDITIONS,
            **alarms.CONDITIONS,
        },
        resources={
            **gate_functions.build_function_resources(),
            **gate_schedules.build_schedule_resources(),
            **alarms.build_alarm_resources(),
        },
        outputs={
            "NotificationTopicArn": ("Topic of all notifications", ref("NotificationTopic")),
            "FailureQueueUrl": ("Queue of invocations that failed for good", ref("FailureQueue")),
            "EnableMaintenanceLambdaArn": ("ARN of the open function", gate_functions.OPEN.arn),
            "DisableMaintenanceLambdaArn": ("ARN of the close function", gate_functions.CLOSE.arn),
        },
    )
