"""The settings that a fleet file can give at every layer: defaults, environment, operating system, target.

Which template parameter a key becomes stands beside it: ``Sets``. The tests hold the ranges to the templates' own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, WithJsonSchema, model_validator

from patchgate.config.base import Model
from patchgate.config.freezes import Freeze
from patchgate.config.values import (
    BackupExpression,
    Boundary,
    Concurrency,
    Email,
    ErrorBudget,
    KeyArn,
    Ordinal,
    Parameters,
    ParameterValue,
    RegionName,
    RolePath,
    SchedulerExpression,
    TimeOfDay,
    Weekday,
    WindowExpression,
    ZoneName,
    schedule_refusal,
)
from patchgate.config.waivers import Waiver
from patchgate.config.words import refusal
from patchgate.schedule import ScheduleError
from patchgate.schedule.derivation import Statement, build_statement, read_statement

PATCH_TEMPLATE = "aws-backup-and-patch-stackset"
MONITORING_TEMPLATE = "aws-monitoring-backup-stackset"

RebootOption = Literal["NoReboot", "RebootIfNeeded"]
LogDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]
EXPLICIT_SCHEDULES = ("backup", "gate", "window", "close")
_TOGETHER: dict[str, JsonValue] = {
    key: [other for other in EXPLICIT_SCHEDULES if other != key] for key in EXPLICIT_SCHEDULES
}


@dataclass(frozen=True, slots=True)
class Sets:
    """The template parameter that a key sets; ``template`` where the same name means something else in another one."""

    parameter: str
    template: str = ""


class PatchStatement(Model):
    """When windows start: a cron expression of maintenance windows, or words. The other schedules are derived."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["cron"]}, {"required": ["at"]}],
            "dependentRequired": {"ordinal": ["weekday"], "weekday": ["at"]},
        }
    )

    cron: WindowExpression | None = Field(
        default=None, description="A cron expression of maintenance windows; or else `at`."
    )
    at: TimeOfDay | None = Field(default=None, description="The time of day, `HH:MM`, local.")
    weekday: Weekday | None = Field(default=None, description="With `at`: `SUN` to `SAT`. Without: every day.")
    ordinal: Ordinal | None = Field(
        default=None, description="With `weekday`: which one of the month, 1 to 5 or `last`. Without: every week."
    )
    offset_days: int = Field(default=0, ge=0, le=6, description="Whole days after that day, as in Patch Tuesday + 4.")

    @property
    def statement(self) -> Statement:
        """What the derivation starts from."""
        if self.cron is not None:
            return read_statement(self.cron, offset_days=self.offset_days)
        return build_statement(
            self.at or "", weekday=self.weekday or "", ordinal=self.ordinal or "", offset_days=self.offset_days
        )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.cron is None) == (self.at is None):
            raise refusal("patch needs a cron expression, or the time of day 'at'", "one of: cron, at")
        if self.cron is not None and (self.weekday or self.ordinal):
            raise refusal("weekday and ordinal go with 'at'; a cron expression says its days itself")
        if self.ordinal and not self.weekday:
            raise refusal(f"ordinal {self.ordinal} without a weekday", "an ordinal counts a weekday: give both")
        try:
            _ = self.statement
        except ScheduleError as error:
            raise schedule_refusal(error.expression, error) from None
        return self


CronInShort = Annotated[str, WithJsonSchema({"type": "string", "pattern": r"^cron\(.+\)$"})] | PatchStatement


def _cron_in_short(value: object) -> object:
    return {"cron": value} if isinstance(value, str) else value


class Schedule(Model):
    """When backup, gate, window and close run: derived from ``patch``, or all four given."""

    model_config = ConfigDict(
        json_schema_extra={
            "dependentRequired": {**_TOGETHER, "window_offset_days": ["window"]},
            "allOf": [
                {"not": {"required": ["patch", "window"]}},
                {"not": {"required": ["lead_minutes", "window"]}},
            ],
        }
    )

    patch: Annotated[PatchStatement, BeforeValidator(_cron_in_short, json_schema_input_type=CronInShort)] | None = (
        Field(
            default=None,
            description="When windows start; backup, gate and close are derived. A text is short for `cron`.",
        )
    )
    lead_minutes: int | None = Field(
        default=None, ge=15, le=1440, description="With `patch`: minutes from the gate to the window; 30 if not given."
    )
    backup: Annotated[BackupExpression | None, Sets("BackupSchedule")] = Field(
        default=None, description="When backups start: a cron expression of AWS Backup."
    )
    gate: Annotated[SchedulerExpression | None, Sets("CheckBackUpJobAndEnableMaintenanceWindow")] = Field(
        default=None, description="When the gate decides: an expression of EventBridge Scheduler."
    )
    window: Annotated[WindowExpression | None, Sets("MaintenanceWindowCronSchedule")] = Field(
        default=None, description="When the window starts: an expression of maintenance windows."
    )
    window_offset_days: Annotated[int | None, Sets("MaintenanceWindowScheduleOffset")] = Field(
        default=None, ge=0, le=6, description="With `window`: whole days to wait after the expression's day."
    )
    close: Annotated[SchedulerExpression | None, Sets("DisableMaintenanceWindow")] = Field(
        default=None, description="When the window is closed: an expression of EventBridge Scheduler."
    )
    watchdog: Annotated[SchedulerExpression | None, Sets("WatchdogSchedule")] = Field(
        default=None, description="When the watchdog looks for what was left open; daily."
    )
    duration_hours: Annotated[int | None, Sets("MaintenanceWindowDuration")] = Field(
        default=None, ge=1, le=24, description="Length of the window."
    )
    cutoff_hours: Annotated[int | None, Sets("MaintenanceWindowCutoff")] = Field(
        default=None, ge=0, le=23, description="Hours before the window's end in which no install starts any more."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [key for key in EXPLICIT_SCHEDULES if getattr(self, key) is not None]
        if self.patch is not None and (given or self.window_offset_days is not None):
            named = given[0] if given else "window_offset_days"
            raise refusal(
                f"patch and {named}: the four schedules are derived, or all of them given", "keep one of them"
            )
        if given and len(given) < len(EXPLICIT_SCHEDULES):
            missing = ", ".join(key for key in EXPLICIT_SCHEDULES if key not in given)
            raise refusal(
                f"{', '.join(given)} without {missing}", "give all four, or patch, from which they are derived"
            )
        if given and self.lead_minutes is not None:
            raise refusal("lead_minutes goes with patch; the four schedules say it themselves", "leave it out")
        if self.window_offset_days is not None and not given:
            raise refusal("window_offset_days goes with window", "with patch, give patch.offset_days")
        if self.duration_hours is not None and (self.cutoff_hours or 0) >= self.duration_hours:
            raise refusal(f"cutoff_hours {self.cutoff_hours} is not less than duration_hours {self.duration_hours}")
        return self


class Backup(Model):
    """What is backed up before a window, and for how long it is kept."""

    resources: Annotated[Literal["instances", "volumes", "instances-and-volumes"] | None, Sets("BackupResources")] = (
        Field(default=None, description="What is backed up: `instances`, `volumes` or `instances-and-volumes`.")
    )
    start_window_minutes: Annotated[int | None, Sets("BackupStartWindowMinutes")] = Field(
        default=None, ge=60, le=1440, description="Within which a backup job must start."
    )
    completion_window_minutes: Annotated[int | None, Sets("BackupCompletionWindowMinutes")] = Field(
        default=None, ge=60, le=10080, description="Within which a backup job must complete."
    )
    retention_days: Annotated[int | None, Sets("RetentionDays")] = Field(
        default=None, ge=1, le=36500, description="For which backups are kept."
    )
    kms_key: Annotated[KeyArn | None, Sets("KmsKeyArn", PATCH_TEMPLATE)] = Field(
        default=None, description="Customer key of the backup vault, in its Region."
    )


class Gate(Model):
    """What the gate asks for before it opens a window, and its functions."""

    mode: Annotated[Literal["coverage", "threshold"] | None, Sets("GateMode")] = Field(
        default=None, description="`coverage`: enough instances are proven. `threshold`: enough backups are completed."
    )
    minimum_coverage_percent: Annotated[int | None, Sets("MinimumCoveragePercent")] = Field(
        default=None, ge=1, le=100, description="Mode coverage: share of the running instances."
    )
    backup_job_threshold: Annotated[int | None, Sets("BackupJobThreshold")] = Field(
        default=None, ge=1, le=100000, description="Mode threshold: number of completed backup jobs."
    )
    look_back_hours: Annotated[int | None, Sets("LookBackHours")] = Field(
        default=None, ge=1, le=168, description="Before the gate, in which its backups were made."
    )
    maximum_lead_minutes: Annotated[int | None, Sets("MaximumLeadMinutes")] = Field(
        default=None, ge=5, le=1440, description="Between the gate and the window's start, at most."
    )
    maximum_proof_age_minutes: Annotated[int | None, Sets("MaximumProofAgeMinutes")] = Field(
        default=None, ge=60, le=10080, description="Oldest backup that an install may rest on."
    )
    proof_valid_seconds: Annotated[int | None, Sets("ProofMaxAgeSeconds")] = Field(
        default=None, ge=60, le=600, description="After its proof, within which an install must start."
    )
    reserved_concurrency: Annotated[int | None, Sets("ReservedConcurrency")] = Field(
        default=None, ge=1, le=999, description="Concurrency reserved for each function."
    )
    log_retention_days: Annotated[LogDays | None, Sets("LogRetentionDays", MONITORING_TEMPLATE)] = Field(
        default=None, description="For which the functions' logs are kept: one of the values of CloudWatch Logs."
    )
    kms_key: Annotated[KeyArn | None, Sets("KmsKeyArn", MONITORING_TEMPLATE)] = Field(
        default=None, description="Customer key of topic, queue, logs and functions, in their Region."
    )


class Reboot(Model):
    """Whether instances are rebooted."""

    after_scan: Annotated[RebootOption | None, Sets("ScanRebootOption")] = Field(
        default=None, description="`NoReboot` or `RebootIfNeeded`."
    )
    after_install: Annotated[RebootOption | None, Sets("InstallRebootOption")] = Field(
        default=None, description="`RebootIfNeeded`, or `NoReboot`, which leaves patches pending."
    )


class ConcurrencyLimits(Model):
    """How many instances are worked on at once: a number, or a percentage of the lane's."""

    scan: Annotated[Concurrency | None, Sets("ScanMaxConcurrency")] = Field(
        default=None, description="Scanned at once."
    )
    install: Annotated[Concurrency | None, Sets("InstallMaxConcurrency")] = Field(
        default=None, description="Patched at once."
    )


class ErrorBudgets(Model):
    """After how many failures no more start: a number, or a percentage of the lane's instances."""

    scan: Annotated[ErrorBudget | None, Sets("ScanMaxErrors")] = Field(default=None, description="Failed scans.")
    install: Annotated[ErrorBudget | None, Sets("InstallMaxErrors")] = Field(
        default=None, description="Failed installs."
    )


class Notifications(Model):
    """Who is told."""

    email: Annotated[Email | None, Sets("NotificationEmail")] = Field(
        default=None, description="Address that is told of holds, failures and what was patched."
    )


def _tag_rules(tags: dict[str, str]) -> Iterator[tuple[str, str]]:
    for key, text in tags.items():
        if key.lower().startswith("aws:"):
            yield f"tag '{key}': names that begin with aws: are AWS's own", "take another name"
        if key in ("PatchGroup", "ToBackupAndPatch"):
            yield f"tag '{key}' says which lane an instance belongs to; it is not for stacks", "take another name"
        if not 1 <= len(key) <= 128 or len(text) > 256:
            yield f"tag '{key[:40]}' is too long", "128 characters for the name, 256 for the value"


class Settings(Model):
    """What holds for lanes. Later layers win: defaults, environment, operating system, target."""

    schedule: Schedule | None = None
    time_zone: Annotated[ZoneName | None, Sets("TimeZone")] = Field(
        default=None, description="IANA time zone of all schedules. Without it: that of the Region."
    )
    time_zones: dict[RegionName, ZoneName] = Field(
        default_factory=dict, description="IANA time zones of single Regions; they win over `time_zone` beside them."
    )
    backup: Backup | None = None
    gate: Gate | None = None
    reboot: Reboot | None = None
    concurrency: ConcurrencyLimits | None = None
    error_budget: ErrorBudgets | None = None
    approval_days: Annotated[int | None, Sets("ApproveAfterDays")] = Field(
        default=None, ge=0, le=360, description="Days from a patch's release to its approval."
    )
    freezes: list[Freeze] = Field(
        default_factory=list, description="Times in which nothing is patched. Those of all layers hold."
    )
    waivers: list[Waiver] = Field(
        default_factory=list, description="Backup issues that are accepted. Those of all layers hold."
    )
    notifications: Notifications | None = None
    tags: dict[str, ParameterValue] = Field(default_factory=dict, description="Tags of the stacks, merged by name.")
    permissions_boundary: Annotated[Boundary | None, Sets("PermissionsBoundaryArn")] = Field(
        default=None,
        description="Permissions boundary of every role: an ARN, or a policy's name in the lane's account.",
    )
    role_path: Annotated[RolePath | None, Sets("IamRolePath")] = Field(
        default=None, description="IAM path of every role and policy."
    )
    parameters: Parameters = Field(
        default_factory=dict,
        description="Any other parameters of the templates, by their names; for one that has a key, use the key.",
    )

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        for message, remedy in _tag_rules(self.tags):
            raise refusal(message, remedy)
        return self

    @model_validator(mode="after")
    def _check_parameters(self) -> Self:
        for message, remedy in _parameter_rules(self):
            raise refusal(message, remedy)
        return self


OWN_PARAMETERS = ("Environment", "PrincipalOrgID", "S3Bucket", "TargetOperatingSystem")
"""What a lane's place in the fleet decides; no key of a fleet file sets these."""

DERIVED_SCHEDULES = (
    "BackupSchedule",
    "CheckBackUpJobAndEnableMaintenanceWindow",
    "MaintenanceWindowCronSchedule",
    "MaintenanceWindowScheduleOffset",
    "DisableMaintenanceWindow",
)
"""What ``schedule.patch`` decides together, or the four schedules when they are given."""


@cache
def settings_keys(
    model: type[BaseModel] = Settings, path: tuple[str, ...] = ()
) -> tuple[tuple[tuple[str, ...], Sets], ...]:
    """(path of the key, what it sets) of every key of ``Settings`` that becomes one template parameter."""
    found: list[tuple[tuple[str, ...], Sets]] = []
    for name, field in model.model_fields.items():
        below = (*path, name)
        found += [(below, entry) for entry in field.metadata if isinstance(entry, Sets)]
        for inner in models_in(field.annotation):
            if inner in (Freeze, Waiver, PatchStatement):
                continue
            found += settings_keys(inner, below)
    return tuple(found)


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every model that an annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from models_in(inner)


def value_at(settings: BaseModel, path: tuple[str, ...]) -> Any:
    """The value of a key below the settings, None where it is not given."""
    value: Any = settings
    for name in path:
        value = getattr(value, name, None)
    return value


def _parameter_rules(settings: Settings) -> Iterator[tuple[str, str]]:
    """What a layer's ``parameters`` must not say: what has been said by a key beside them."""
    for path, sets in settings_keys():
        if sets.parameter in settings.parameters and not sets.template and value_at(settings, path) is not None:
            yield f"{sets.parameter} is given twice: as a parameter and as {'.'.join(path)}", "keep one of them"
    patch = settings.schedule is not None and settings.schedule.patch is not None
    for name in settings.parameters:
        if name in OWN_PARAMETERS:
            yield f"parameter {name} is decided by the lane itself", "leave it out"
        if patch and name in DERIVED_SCHEDULES:
            yield f"{name} is derived from schedule.patch", "leave it out, or give all four schedules instead of patch"
