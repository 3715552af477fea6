"""What AWS Backup accepts in a request, and how its lists come in pages.

https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Operations_AWS_Backup.html
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING

from patchgate.emulator.clock_changes import read_occurrences
from patchgate.emulator.cloud import Params, Result, paginate
from patchgate.emulator.errors import AwsError
from patchgate.schedule import parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from patchgate.emulator.assumptions import ClockReading
    from patchgate.emulator.backup_resources import Shape

VAULT_NAME = r"[a-zA-Z0-9\-_]{2,50}"
NAME = r"[a-zA-Z0-9\-_.]{1,50}"
MAXIMUM_LIFETIME_MINUTES = 52_560_000


def required(params: Params, name: str) -> str:
    """A required text parameter; AwsError MissingParameterValueException when it is missing or empty."""
    if not params.get(name):
        raise AwsError("MissingParameterValueException", f"Missing required parameter: {name}")
    return str(params[name])


def check_windows(start_minutes: int, completion_minutes: int) -> None:
    """A start window is 60 minutes or more, both are at most 100 years; else AwsError."""
    if not 60 <= start_minutes <= MAXIMUM_LIFETIME_MINUTES:
        raise AwsError("InvalidParameterValueException", "Invalid start window: it must be at least 60 minutes.")
    if not 1 <= completion_minutes <= MAXIMUM_LIFETIME_MINUTES:
        raise AwsError("InvalidParameterValueException", "Invalid completion window.")


def check_lifecycle(lifecycle: Params) -> None:
    """At least a day, at most 100 years, and 90 days in cold storage when there is any; else AwsError."""
    cold, end = lifecycle.get("MoveToColdStorageAfterDays"), lifecycle.get("DeleteAfterDays")
    if end is not None and not 1 <= end <= 36_500:
        raise AwsError("InvalidParameterValueException", "Invalid lifecycle: DeleteAfterDays must be 1 to 36500.")
    if cold is not None and end is not None and end < cold + 90:
        raise AwsError(
            "InvalidParameterValueException",
            "Invalid lifecycle. DeleteAfterDays cannot be less than 90 days apart from MoveToColdStorageAfterDays",
        )


def page(shapes: list[Shape], params: Params, *, into: str) -> Result:
    """One page under the key ``into``, up to 1,000 items, with NextToken when more follow."""
    size = params.get("MaxResults")
    if size is not None and not 1 <= int(size) <= 1000:
        raise AwsError("InvalidParameterValueException", "MaxResults must be between 1 and 1000.")
    found, token = paginate(
        shapes,
        params,
        limit="MaxResults",
        token="NextToken",  # noqa: S106 - the name of a parameter
        default=1000,
        maximum=1000,
    )
    return {into: found} | ({"NextToken": token} if token else {})


def occurrences(rule: Shape, after: datetime, clock: ClockReading) -> Iterator[datetime]:
    """When a rule of a plan runs after ``after``; ScheduleError when its schedule is not valid."""
    schedule = parse(rule["ScheduleExpression"], "backup")
    return read_occurrences(schedule, rule["ScheduleExpressionTimezone"], after, clock)


def checked_selection(params: Params) -> Shape:
    """The BackupSelection of a request, or AwsError.

    Assumption: Conditions alone are refused, since they narrow what Resources or ListOfTags name.
    """
    given = params.get("BackupSelection") or {}
    if not re.fullmatch(NAME, required(given, "SelectionName")):
        raise AwsError("InvalidParameterValueException", f"Selection name must match ^{NAME}$")
    required(given, "IamRoleArn")
    if not given.get("Resources") and not given.get("ListOfTags"):
        raise AwsError("InvalidParameterValueException", "Resources and ListOfTags cannot be both empty")
    for tag in given.get("ListOfTags") or ():
        if tag.get("ConditionType") != "STRINGEQUALS" or not tag.get("ConditionKey"):
            raise AwsError("InvalidParameterValueException", "ListOfTags supports only STRINGEQUALS with a key.")
    for operator, conditions in (given.get("Conditions") or {}).items():
        for condition in conditions:
            if not str(condition.get("ConditionKey", "")).startswith("aws:ResourceTag/"):
                raise AwsError("InvalidParameterValueException", f"{operator}: a key begins with aws:ResourceTag/")
    for name in ("Resources", "NotResources"):
        arns = given.get(name) or ()
        if len(arns) > 500 or sum("*" in arn for arn in arns) > 30:
            raise AwsError("InvalidParameterValueException", f"{name}: at most 500 ARNs, 30 with wildcards.")
    return copy.deepcopy(dict(given))
