"""What AWS Backup keeps: vaults, plans, selections, jobs, recovery points, and the shapes in which it describes them.

https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Types_AWS_Backup.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from patchgate.emulator.errors import AwsError

Shape = dict[str, Any]

DEFAULT_RULE = {"ScheduleExpression": "cron(0 5 ? * * *)", "ScheduleExpressionTimezone": "Etc/UTC"}
START_WINDOW_MINUTES = 8 * 60
COMPLETION_WINDOW_MINUTES = 7 * 24 * 60
ENDED = ("ABORTED", "COMPLETED", "FAILED", "EXPIRED", "PARTIAL")


@dataclass(frozen=True, slots=True)
class VaultLock:
    """A vault's lock: the bounds of what it keeps, in days, and when it becomes immutable (None for never)."""

    shortest_days: int | None = None
    longest_days: int | None = None
    locks_at: datetime | None = None

    def refuses(self, lifecycle: Shape) -> bool:
        """Whether a job with that lifecycle keeps its recovery point too short or too long."""
        kept = lifecycle.get("DeleteAfterDays")
        if kept is None:
            return self.longest_days is not None
        return bool(kept < (self.shortest_days or kept) or kept > (self.longest_days or kept))

    def shape(self) -> Shape:
        """What DescribeBackupVault says of it."""
        optional = {
            "MinRetentionDays": self.shortest_days,
            "MaxRetentionDays": self.longest_days,
            "LockDate": self.locks_at,
        }
        return {name: value for name, value in optional.items() if value is not None}


@dataclass(slots=True)
class Vault:
    """One backup vault."""

    name: str
    arn: str
    created_at: datetime
    key_arn: str = ""
    creator_request: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    lock: VaultLock | None = None


@dataclass(slots=True)
class Selection:
    """One resource selection of a plan; ``document`` is its BackupSelection."""

    selection_id: str
    document: Shape
    created_at: datetime
    creator_request: str = ""

    def summary(self, plan_id: str) -> Shape:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupSelectionsListMember.html"""
        shape = {
            "SelectionId": self.selection_id,
            "SelectionName": self.document["SelectionName"],
            "BackupPlanId": plan_id,
            "CreationDate": self.created_at,
            "IamRoleArn": self.document["IamRoleArn"],
        }
        return shape | ({"CreatorRequestId": self.creator_request} if self.creator_request else {})


@dataclass(slots=True)
class Plan:
    """One backup plan; ``document`` is its BackupPlan with a RuleId in every rule."""

    plan_id: str
    arn: str
    version: str
    document: Shape
    created_at: datetime
    creator_request: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    selections: dict[str, Selection] = field(default_factory=dict)
    deleted_at: datetime | None = None
    executed_at: datetime | None = None

    def rule(self, rule_id: str) -> Shape:
        """The rule with that id; KeyError when the plan has none."""
        rules: dict[str, Shape] = {rule["RuleId"]: rule for rule in self.document["Rules"]}
        return rules[rule_id]

    def identity(self) -> Shape:
        """What the answers of the plan's operations begin with."""
        return {"BackupPlanId": self.plan_id, "BackupPlanArn": self.arn, "VersionId": self.version}

    def summary(self) -> Shape:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupPlansListMember.html"""
        dates = {"DeletionDate": self.deleted_at, "LastExecutionDate": self.executed_at}
        shape = {"BackupPlanName": self.document["BackupPlanName"], "CreationDate": self.created_at}
        return self.identity() | shape | {name: date for name, date in dates.items() if date}


@dataclass(slots=True)
class Job:
    """One backup job. ``serial`` counts the jobs of a scope; ``snapshots`` are (volume id, snapshot id) as made."""

    serial: int
    job_id: str
    account: str
    resource_arn: str
    resource_type: str
    resource_name: str
    vault: str
    vault_arn: str
    role_arn: str
    created_at: datetime
    start_by: datetime
    complete_within: timedelta
    complete_from_creation: bool
    lifecycle: Shape
    created_by: Shape
    options: dict[str, str]
    recovery_point_tags: dict[str, str]
    state: str = "CREATED"
    message: str = ""
    message_category: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    recovery_point: str = ""
    size_bytes: int = 0
    snapshots: list[tuple[str, str]] = field(default_factory=list)

    @property
    def resource_id(self) -> str:
        """The instance or volume id at the end of the ARN."""
        return self.resource_arn.rpartition("/")[2]

    @property
    def complete_by(self) -> datetime:
        """When a job that still runs is cancelled."""
        begun = self.created_at if self.complete_from_creation else (self.started_at or self.created_at)
        return begun + self.complete_within

    def shape(self) -> Shape:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupJob.html"""
        shape: Shape = {
            "AccountId": self.account,
            "BackupJobId": self.job_id,
            "BackupVaultName": self.vault,
            "BackupVaultArn": self.vault_arn,
            "ResourceArn": self.resource_arn,
            "ResourceType": self.resource_type,
            "ResourceName": self.resource_name,
            "CreationDate": self.created_at,
            "InitiationDate": self.created_at,
            "StartBy": self.start_by,
            "State": self.state,
            "PercentDone": "100.0" if self.state == "COMPLETED" else "0.0",
            "IamRoleArn": self.role_arn,
            "IsParent": False,
            "RecoveryPointLifecycle": self.lifecycle,
            "BackupOptions": self.options,
        }
        optional = {
            "RecoveryPointArn": self.recovery_point,
            "CompletionDate": self.ended_at,
            "StatusMessage": self.message,
            "MessageCategory": self.message_category,
            "BackupSizeInBytes": self.size_bytes,
            "CreatedBy": self.created_by,
        }
        return shape | {name: value for name, value in optional.items() if value}


@dataclass(slots=True)
class RecoveryPoint:
    """One recovery point: the image or the snapshot that a job makes, CREATING until the job completes."""

    arn: str
    job: Job
    region: str
    encrypted: bool
    status: str = "CREATING"
    completed_at: datetime | None = None
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def made_id(self) -> str:
        """The image or snapshot id at the end of the ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def created_at(self) -> datetime:
        return self.job.created_at

    @property
    def delete_at(self) -> datetime | None:
        """When its lifecycle ends it, None for never."""
        days = self.job.lifecycle.get("DeleteAfterDays")
        return self.created_at + timedelta(days=days) if days else None

    def by_resource(self) -> Shape:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_RecoveryPointByResource.html"""
        return {
            "RecoveryPointArn": self.arn,
            "CreationDate": self.created_at,
            "Status": self.status,
            "BackupSizeBytes": self.job.size_bytes,
            "BackupVaultName": self.job.vault,
            "IsParent": False,
            "ResourceName": self.job.resource_name,
            "VaultType": "BACKUP_VAULT",
        }

    def by_vault(self) -> Shape:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_RecoveryPointByBackupVault.html"""
        job = self.job
        shape: Shape = {
            "RecoveryPointArn": self.arn,
            "BackupVaultName": job.vault,
            "BackupVaultArn": job.vault_arn,
            "ResourceArn": job.resource_arn,
            "ResourceType": job.resource_type,
            "ResourceName": job.resource_name,
            "IamRoleArn": job.role_arn,
            "Status": self.status,
            "CreationDate": self.created_at,
            "InitiationDate": job.created_at,
            "BackupSizeInBytes": job.size_bytes,
            "Lifecycle": job.lifecycle,
            "IsEncrypted": self.encrypted,
            "IsParent": False,
            "VaultType": "BACKUP_VAULT",
        }
        optional = {
            "CompletionDate": self.completed_at,
            "CreatedBy": job.created_by,
            "CalculatedLifecycle": {"DeleteAt": self.delete_at} if self.delete_at else None,
        }
        return shape | {name: value for name, value in optional.items() if value}


@dataclass(slots=True)
class Region:
    """What AWS Backup keeps for one account in one Region."""

    vaults: dict[str, Vault] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    job_ids: dict[str, Job] = field(default_factory=dict)
    places: dict[str, list[int]] = field(default_factory=dict)
    """By ARN of a resource: where its jobs are in ``jobs``, ascending."""
    recovery_points: dict[str, RecoveryPoint] = field(default_factory=dict)
    opt_in: dict[str, bool] = field(default_factory=lambda: {"EC2": True, "EBS": True})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A resource that a selection may choose. ``type`` is EC2 or EBS."""

    arn: str
    type: str
    name: str
    tags: dict[str, str]


def chosen(document: Shape, candidate: Candidate, opt_in: dict[str, bool]) -> bool:
    """Whether a BackupSelection covers a resource.

    (any of Resources, or any of ListOfTags) and all of Conditions and none of NotResources. A resource that only a
    pattern without its type (``*``, ``arn:aws:ec2:*``) or a tag names needs the Region's opt-in for its type.
    https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources-json.html; that Resources and ListOfTags
    are a union, and not a filter, is what their users see.
    """
    patterns = [pattern for pattern in document.get("Resources") or () if _like(candidate.arn, pattern)]
    explicit = any(re.search(r":(instance|volume)/", pattern) for pattern in patterns)
    tagged = any(
        candidate.tags.get(tag["ConditionKey"].removeprefix("aws:ResourceTag/")) == tag["ConditionValue"]
        for tag in document.get("ListOfTags") or ()
    )
    if not (patterns or tagged) or not (explicit or opt_in.get(candidate.type)):
        return False
    if any(_like(candidate.arn, pattern) for pattern in document.get("NotResources") or ()):
        return False
    return all(
        _holds(operator, candidate.tags, condition)
        for operator, conditions in (document.get("Conditions") or {}).items()
        for condition in conditions
    )


def _like(text: str, pattern: str) -> bool:
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), text, re.DOTALL) is not None


def _holds(operator: str, tags: dict[str, str], condition: Shape) -> bool:
    """One condition. A resource without the tag matches neither the plain operators nor, as documented, the Not ones
    that compare "only those resources that you tagged"."""
    value = tags.get(condition["ConditionKey"].removeprefix("aws:ResourceTag/"))
    if value is None:
        return False
    wanted = str(condition["ConditionValue"])
    match operator:
        case "StringEquals":
            return value == wanted
        case "StringNotEquals":
            return value != wanted
        case "StringLike":
            return _like(value, wanted)
        case "StringNotLike":
            return not _like(value, wanted)
    raise AwsError("InvalidParameterValueException", f"Unknown condition operator: {operator}")
