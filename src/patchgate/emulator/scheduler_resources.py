"""Schedules and groups of EventBridge Scheduler, and what their requests may say.

https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from patchgate.emulator.cloud import Params
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.schedule import ScheduleError, parse

Shape = dict[str, Any]

NAME = r"[0-9a-zA-Z\-_.]{1,64}"
RETRY_POLICY = {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
SETTINGS = {
    "ScheduleExpressionTimezone": "UTC",
    "State": "ENABLED",
    "ActionAfterCompletion": "NONE",
}
OPTIONAL = ("StartDate", "EndDate", "Description", "KmsKeyArn")


@dataclass(slots=True)
class Group:
    """One schedule group."""

    name: str
    arn: str
    created_at: datetime
    tags: dict[str, str] = field(default_factory=dict)

    def shape(self) -> Shape:
        """https://docs.aws.amazon.com/scheduler/latest/APIReference/API_ScheduleGroupSummary.html"""
        dates = {"CreationDate": self.created_at, "LastModificationDate": self.created_at}
        return {"Arn": self.arn, "Name": self.name, "State": "ACTIVE"} | dates


@dataclass(slots=True)
class Schedule:
    """One schedule; ``document`` is what was asked for, with defaults. ``revision`` counts its updates."""

    name: str
    group: str
    arn: str
    document: Shape
    created_at: datetime
    modified_at: datetime
    revision: int = 1

    def next_time(self, after: datetime) -> datetime | None:
        """When it fires next after ``after``, whatever its state; None for never again."""
        return next(schedule_times(self.document, self.created_at, after), None)

    def shape(self) -> Shape:
        """GetSchedule's answer."""
        dates = {"CreationDate": self.created_at, "LastModificationDate": self.modified_at}
        return {"Arn": self.arn, "GroupName": self.group, "Name": self.name} | dates | copy.deepcopy(self.document)

    def summary(self) -> Shape:
        """https://docs.aws.amazon.com/scheduler/latest/APIReference/API_ScheduleSummary.html"""
        return {
            "Arn": self.arn,
            "Name": self.name,
            "GroupName": self.group,
            "State": self.document["State"],
            "CreationDate": self.created_at,
            "LastModificationDate": self.modified_at,
            "Target": {"Arn": self.document["Target"]["Arn"]},
        }


def schedule_times(document: Mapping[str, Any], created_at: datetime, after: datetime) -> Iterator[datetime]:
    """When a schedule fires after ``after`` (exclusive), ascending, whatever its state: between its StartDate and its
    EndDate. ``document`` is what was asked for, or GetSchedule's answer.
    """
    start, end = document.get("StartDate"), document.get("EndDate")
    schedule, zone = parse(document["ScheduleExpression"], "scheduler"), document["ScheduleExpressionTimezone"]
    for when in schedule.occurrences(zone, after, anchor=start or created_at):
        if end is not None and when > end:
            return
        if start is None or when >= start:
            yield when


def invalid(message: str) -> AwsError:
    """The error of a request that Scheduler does not take."""
    return AwsError("ValidationException", message)


def checked_name(params: Params, key: str = "Name", default: str | None = None) -> str:
    """A name of the right form, or AwsError ValidationException."""
    name = params.get(key) or default or ""
    if not re.fullmatch(NAME, name):
        raise invalid(f"Value '{name}' at '{key}' failed to satisfy constraint: ^{NAME}$")
    return name


def checked_document(params: Params, now: datetime) -> Shape:
    """What a request says of a schedule, with defaults for what it does not say, or AwsError."""
    window = params.get("FlexibleTimeWindow") or {}
    if window.get("Mode") == "FLEXIBLE":
        raise NotEmulatedError("flexible time windows of schedules")
    if window.get("Mode") != "OFF":
        raise invalid("FlexibleTimeWindow must have the Mode OFF or FLEXIBLE.")
    document: Shape = {name: params.get(name) or default for name, default in SETTINGS.items()}
    document |= {name: params[name] for name in OPTIONAL if params.get(name) is not None}
    document["ScheduleExpression"] = params.get("ScheduleExpression") or ""
    document["FlexibleTimeWindow"] = {"Mode": "OFF"}
    document["Target"] = _checked_target(params.get("Target") or {})
    if document["State"] not in ("ENABLED", "DISABLED"):
        raise invalid("State must be ENABLED or DISABLED.")
    _check_dates(document.get("StartDate"), document.get("EndDate"), now)
    try:
        parsed = parse(document["ScheduleExpression"], "scheduler")
        next(parsed.occurrences(document["ScheduleExpressionTimezone"], now, anchor=now), None)
    except ScheduleError as error:
        raise invalid(f"Invalid Schedule Expression {document['ScheduleExpression']}: {error}") from error
    return document


def _check_dates(start: datetime | None, end: datetime | None, now: datetime) -> None:
    if end is not None and (end <= now or (start is not None and end <= start)):
        raise invalid("The EndDate you specify must come after the StartDate and the present.")


def _checked_target(given: Params) -> Shape:
    target = copy.deepcopy(dict(given))
    if not re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+", target.get("RoleArn") or ""):
        raise invalid(f"Value '{target.get('RoleArn')}' at 'target.roleArn' is not the ARN of a role.")
    arn = target.get("Arn") or ""
    if not arn:
        raise invalid("Target must have an Arn.")
    if not re.fullmatch(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[\w-]+(:\$LATEST)?", arn):
        raise NotEmulatedError(f"the schedule target {arn}: Lambda functions are")
    unknown = target.keys() - {"Arn", "RoleArn", "Input", "RetryPolicy", "DeadLetterConfig"}
    if unknown:
        raise NotEmulatedError(f"{', '.join(sorted(unknown))} of schedule targets")
    target["RetryPolicy"] = RETRY_POLICY | (target.get("RetryPolicy") or {})
    age, retries = (target["RetryPolicy"][name] for name in RETRY_POLICY)
    if not 60 <= age <= 86_400 or not 0 <= retries <= 185:
        raise invalid("MaximumEventAgeInSeconds is 60 to 86400, MaximumRetryAttempts 0 to 185.")
    letters = (target.get("DeadLetterConfig") or {}).get("Arn")
    if letters is not None and not re.fullmatch(r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[\w-]+", letters):
        raise invalid(f"Value '{letters}' at 'target.deadLetterConfig.arn' is not the ARN of a queue.")
    return target
