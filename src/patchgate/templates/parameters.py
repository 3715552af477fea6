"""The templates' parameters: each with its type, safe default and description, and the group it is shown in.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from patchgate.domain.environments import ENVIRONMENTS
from patchgate.domain.operating_systems import operating_systems
from patchgate.templates.intrinsics import Node, equals, negate, ref


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a template; `default` None means that it must be given."""

    name: str
    description: str
    type: str = "String"
    default: str | int | None = None
    allowed: tuple[str | int, ...] = ()
    pattern: str = ""
    minimum: int | None = None
    maximum: int | None = None

    def body(self) -> Node:
        """The parameter as the template declares it."""
        facts: dict[str, Any] = {"Type": self.type, "Description": self.description}
        if self.default is not None:
            facts["Default"] = self.default
        if self.allowed:
            facts["AllowedValues"] = list(self.allowed)
        if self.pattern:
            facts["AllowedPattern"] = self.pattern
        if self.minimum is not None:
            facts["MinValue"] = self.minimum
        if self.maximum is not None:
            facts["MaxValue"] = self.maximum
        return facts

    def problem(self, value: str) -> str:
        """Why CloudFormation would refuse the value; '' when it takes it."""
        if self.allowed and value not in map(str, self.allowed):
            return f"'{value}' is none of {', '.join(map(str, self.allowed))}"
        if self.type == "Number":
            return self._number_problem(value)
        if self.pattern and not re.fullmatch(self.pattern, value):
            return f"'{value}' does not match {self.pattern}"
        return ""

    def _number_problem(self, value: str) -> str:
        if not re.fullmatch(r"[+-]?[0-9]+", value):
            return f"'{value}' is not a whole number"
        if self.minimum is not None and int(value) < self.minimum:
            return f"{value} is less than {self.minimum}"
        if self.maximum is not None and int(value) > self.maximum:
            return f"{value} is more than {self.maximum}"
        return ""


@dataclass(frozen=True, slots=True)
class Group:
    """Parameters that the console shows together, under a title."""

    title: str
    parameters: tuple[Parameter, ...]


def is_given(parameter: str) -> Node:
    """The condition that an optional parameter is not blank."""
    return negate(equals(ref(parameter), ""))


def number(name: str, description: str, default: int, minimum: int, maximum: int) -> Parameter:
    return Parameter(name, description, "Number", default, minimum=minimum, maximum=maximum)


def flag(name: str, description: str, default: str) -> Parameter:
    return Parameter(name, description, default=default, allowed=("true", "false"))


BUCKET_NAME = "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"
CRON = r"^cron\(.+\)$"
SCHEDULE = r"^(cron|rate|at)\(.+\)$"
CONCURRENCY = "^([1-9][0-9]*|[1-9][0-9]?%|100%)$"
ERROR_BUDGET = "^([0-9]+|[0-9]{1,2}%|100%)$"
NAMES = "^$|^[a-zA-Z0-9_.:/-]+(,[a-zA-Z0-9_.:/-]+)*$"

ENVIRONMENT = Parameter("Environment", "Deployment environment.", allowed=ENVIRONMENTS)
OPERATING_SYSTEM = Parameter(
    "TargetOperatingSystem",
    "Operating system of the instances that are patched.",
    allowed=tuple(family.name for family in operating_systems()),
)
TIME_ZONE_OVERRIDE = Parameter(
    "TimeZone",
    "IANA time zone of all schedules; blank: that of the Region.",
    default="",
    pattern="^$|^[A-Za-z_]+(/[A-Za-z0-9_+-]+)*$",
)
LOG_BUCKET = Parameter("S3Bucket", "Log bucket: output BucketName of aws-create-s3-stack.", pattern=BUCKET_NAME)
BACKUP_RESOURCES = Parameter(
    "BackupResources",
    "What is backed up. An instance's backup already holds all its volumes.",
    default="instances",
    allowed=("instances", "volumes", "instances-and-volumes"),
)
FREEZE_CALENDARS = Parameter(
    "FreezeCalendars",
    "SSM change calendars, comma separated; nothing is patched while one is closed.",
    default="",
    pattern=NAMES,
)
WAIVED_CATEGORIES = Parameter(
    "WaivedMessageCategories",
    "Backup message categories, comma separated, that count as success although the backup had issues.",
    default="",
    pattern=NAMES,
)
MAXIMUM_PROOF_AGE = number(
    "MaximumProofAgeMinutes", "Oldest backup, in minutes, that an install may rest on.", 720, 60, 10080
)
WINDOW_DURATION = number("MaintenanceWindowDuration", "Length of the maintenance window in hours.", 3, 1, 24)
WINDOW_CUTOFF = number(
    "MaintenanceWindowCutoff", "Hours before the window's end in which no install starts any more.", 1, 0, 23
)
BOUNDARY = Parameter(
    "PermissionsBoundaryArn",
    "Permissions boundary of every role; blank: none.",
    default="",
    pattern="^$|^arn:[a-z-]+:iam::([0-9]{12}|aws):policy/.+$",
)
ROLE_PATH = Parameter("IamRolePath", "Path of every role and policy.", default="/", pattern="^/([!-~]+/)?$")


def customer_key(description: str, name: str = "KmsKeyArn") -> Parameter:
    """A key of the operator's own, of the Region of what it encrypts; blank where there is none."""
    return Parameter(
        name, description, default="", pattern="^$|^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[a-zA-Z0-9-]+$"
    )


BUCKET_KEY = customer_key("Key of the log bucket, in the bucket's Region; blank: none.", "LogBucketKmsKeyArn")
