"""Every name that AWS sees, as one pattern each, rendered as ``!Sub`` in templates or as a string by the operator.

A pattern is text with ``${os}``, ``${env}``, ``${region}`` and, where it needs them, ``${vault_prefix}``,
``${bucket_prefix}``, ``${stack_suffix}`` (the last group of the stack id's UUID), ``${baseline}``, ``${account}``,
``${cycle}`` and ``${alarm}``. Each carries the limits that AWS sets for that kind of name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from string import Template

_IN_TEMPLATES = {
    "os": "${TargetOperatingSystem}",
    "env": "${Environment}",
    "region": "${AWS::Region}",
    "account": "${AWS::AccountId}",
    "vault_prefix": "${BackupVaultNamePrefix}",
    "bucket_prefix": "${PatchingLogsBucketName}",
    "stack_suffix": "${StackSuffix}",
}


@dataclass(frozen=True, slots=True)
class NamePattern:
    """A name as text with placeholders, and AWS's limits: characters (a full-match regex) and length."""

    kind: str
    text: str
    characters: str
    maximum: int
    minimum: int = 1

    @property
    def fields(self) -> tuple[str, ...]:
        """The placeholders of the pattern, in their order."""
        return tuple(re.findall(r"\$\{(\w+)\}", self.text))

    def render(self, **values: str) -> str:
        """The name with its placeholders filled; KeyError names the one that is missing."""
        return Template(self.text).substitute(values)

    def as_sub(self, **values: str) -> str:
        """The pattern as the text of a ``!Sub``; `values` fills what is known when the template is built."""
        return Template(self.text).substitute(_IN_TEMPLATES | values)

    def problem(self, name: str) -> str:
        """Why AWS would refuse that name; '' when it takes it."""
        if not self.minimum <= len(name) <= self.maximum:
            return f"{self.kind} {name!r} has {len(name)} characters, allowed are {self.minimum} to {self.maximum}"
        if not re.fullmatch(self.characters, name):
            return f"{self.kind} {name!r} has characters that AWS does not allow"
        return ""


_STACK = r"[a-zA-Z][a-zA-Z0-9-]*"
_SSM = r"[a-zA-Z0-9_\-.]+"
_IAM = r"[\w+=,.@-]+"
_SCHEDULER = r"[0-9a-zA-Z_.-]+"
_FUNCTION = r"[a-zA-Z0-9_-]+"
_TAG_VALUE = r"[\w\s_.:/=+@-]+"
_PARAMETER = r"/(?!aws|ssm)[a-zA-Z0-9_.\-/]+"
_KEY = r"[a-zA-Z0-9!_.*'()/-]+"

LOG_BUCKET = NamePattern(
    "log bucket", "${bucket_prefix}-${os}-${env}-${stack_suffix}", r"[a-z0-9][a-z0-9-]*[a-z0-9]", 63, 3
)
BACKUP_VAULT = NamePattern("backup vault", "${vault_prefix}-${os}-${env}-${region}", r"[a-zA-Z0-9_-]+", 50, 2)
BACKUP_PLAN = NamePattern("backup plan", "backup-plan-${os}-${env}-${region}", r"[a-zA-Z0-9_.-]+", 50)
BACKUP_RULE = NamePattern("backup rule", "pre-patch-${os}-${env}", r"[a-zA-Z0-9_.-]+", 50)
BACKUP_SELECTION = NamePattern("backup selection", "backup-target-${os}-${env}-${region}", r"[a-zA-Z0-9_.-]+", 50)
BACKUP_ROLE = NamePattern("backup role", "AWSBackup-patchgate-${os}-${env}-${region}", _IAM, 64)
MAINTENANCE_WINDOW = NamePattern("maintenance window", "maintenance-window-${os}-${env}-${region}", _SSM, 128, 3)
WINDOW_TARGET = NamePattern("window target", "patchgate-${os}-${env}", _SSM, 128, 3)
WINDOW_ROLE = NamePattern("window role", "patchgate-window-${os}-${env}-${region}", _IAM, 64)
PATCH_GROUP = NamePattern("patch group", "${os}-patch-group-${env}", _TAG_VALUE, 256)
PATCH_BASELINE = NamePattern("patch baseline", "patch-baseline-${baseline}-${env}-${region}", _SSM, 128, 3)
INSTANCE_POLICY = NamePattern("instance policy", "patchgate-logs-${os}-${env}-${region}", _IAM, 128)
RUNBOOK = NamePattern("install runbook", "patchgate-install-${os}-${env}", _SSM, 128, 3)
COMMAND_DOCUMENT = NamePattern("command document", "patchgate-patch-${os}-${env}", _SSM, 128, 3)
PROVE_ROLE = NamePattern("prove role", "patchgate-gate-prove-${os}-${env}-${region}", _IAM, 64)
OPEN_ROLE = NamePattern("open role", "patchgate-gate-open-${os}-${env}-${region}", _IAM, 64)
CLOSE_ROLE = NamePattern("close role", "patchgate-gate-close-${os}-${env}-${region}", _IAM, 64)
GATE_POLICY = NamePattern("gate policy", "patchgate-gate-${os}-${env}-${region}", _IAM, 128)
SCHEDULER_ROLE = NamePattern("scheduler role", "patchgate-schedule-${os}-${env}-${region}", _IAM, 64)
OPEN_FUNCTION = NamePattern("open function", "patchgate-open-${os}-${env}", _FUNCTION, 64)
CLOSE_FUNCTION = NamePattern("close function", "patchgate-close-${os}-${env}", _FUNCTION, 64)
OPEN_LOG_GROUP = NamePattern("open log group", "/aws/lambda/patchgate-open-${os}-${env}", r"[\w./#-]+", 512)
CLOSE_LOG_GROUP = NamePattern("close log group", "/aws/lambda/patchgate-close-${os}-${env}", r"[\w./#-]+", 512)
SCHEDULE_GROUP = NamePattern("schedule group", "patchgate-${os}-${env}", _SCHEDULER, 64)
OPEN_SCHEDULE = NamePattern("open schedule", "patchgate-open-${os}-${env}", _SCHEDULER, 64)
CLOSE_SCHEDULE = NamePattern("close schedule", "patchgate-close-${os}-${env}", _SCHEDULER, 64)
WATCHDOG_SCHEDULE = NamePattern("watchdog schedule", "patchgate-watchdog-${os}-${env}", _SCHEDULER, 64)
TOPIC = NamePattern("topic", "patchgate-${os}-${env}", _FUNCTION, 256)
FAILURE_QUEUE = NamePattern("failure queue", "patchgate-failures-${os}-${env}", _FUNCTION, 80)
ALARM = NamePattern("alarm", "patchgate-${alarm}-${os}-${env}", r"[ -~]+", 255)

PARAMETER_ROOT = NamePattern("lane's parameters", "/patchgate/${os}/${env}", _PARAMETER, 900)
WINDOW_ID_PARAMETER = NamePattern("window id parameter", "/patchgate/${os}/${env}/window-id", _PARAMETER, 900)
OPEN_PARAMETER = NamePattern("open lease", "/patchgate/${os}/${env}/${cycle}/open", _PARAMETER, 900)
CLOSED_PARAMETER = NamePattern("closed lease", "/patchgate/${os}/${env}/${cycle}/closed", _PARAMETER, 900)
TOLD_PARAMETER = NamePattern("told verdict", "/patchgate/${os}/${env}/${cycle}/told", _PARAMETER, 900)
HOLD_PARAMETER = NamePattern("hold", "/patchgate/${os}/${env}/${cycle}/hold", _PARAMETER, 900)
DUE_PARAMETER = NamePattern("watchdog's memory", "/patchgate/${os}/${env}/due", _PARAMETER, 900)
FREEZE_PARAMETER = NamePattern("lane's freeze", "/patchgate/${os}/${env}/freeze", _PARAMETER, 900)
GLOBAL_FREEZE_PARAMETER = NamePattern("freeze", "/patchgate/freeze", _PARAMETER, 900)
DEPLOYMENT_LOCK = NamePattern("deployment lock", "/patchgate/deployment", _PARAMETER, 900)

FREEZE_CALENDAR = NamePattern("freeze calendar", "patchgate-freezes-${os}-${env}", _SSM, 128, 3)

LOGS_STACK = NamePattern("stack of the log bucket", "patchgate-logs-${os}-${env}", _STACK, 128)
PATCH_STACK = NamePattern("backup-and-patch stack", "patchgate-patch-${os}-${env}", _STACK, 128)
MONITORING_STACK = NamePattern("monitoring stack", "patchgate-monitoring-${os}-${env}", _STACK, 128)
FREEZE_STACK = NamePattern("stack of the freeze calendar", "patchgate-freezes-${os}-${env}", _STACK, 128)

EVIDENCE_PREFIX = NamePattern("evidence prefix", "evidence/${os}/${env}/${account}/${region}", _KEY, 900)
LOG_PREFIX = NamePattern("log prefix", "logs/${os}/${env}/${account}/${region}", _KEY, 900)

PATTERNS: tuple[NamePattern, ...] = tuple(value for value in list(globals().values()) if isinstance(value, NamePattern))
"""All of them, for the tests of every os x env x Region."""

BACKUP_TAG_KEY = "ToBackupAndPatch"
BACKUP_TAG_VALUE = "true"
PATCH_GROUP_TAG_KEY = "PatchGroup"


def lane_tags(os: str, env: str) -> dict[str, str]:
    """The two tags that make an instance a target of the lane."""
    return {PATCH_GROUP_TAG_KEY: PATCH_GROUP.render(os=os, env=env), BACKUP_TAG_KEY: BACKUP_TAG_VALUE}
