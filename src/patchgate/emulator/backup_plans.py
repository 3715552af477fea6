"""AWS Backup's vaults, plans and selections, and the schedule that starts jobs.

https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Operations_AWS_Backup.html

At a local time that a clock change skips or repeats, ``backup_at_skipped_time`` and ``backup_at_repeated_time`` decide.

Assumption: a job is created up to 5 minutes after its schedule's time (AWS spreads them and names no number).
"""

from __future__ import annotations

import copy
import re
from abc import abstractmethod
from datetime import datetime, timedelta
from itertools import islice
from typing import ClassVar

from patchgate.emulator.backup_requests import (
    NAME,
    VAULT_NAME,
    check_lifecycle,
    check_windows,
    checked_selection,
    occurrences,
    page,
    required,
)
from patchgate.emulator.backup_resources import (
    COMPLETION_WINDOW_MINUTES,
    DEFAULT_RULE,
    START_WINDOW_MINUTES,
    Candidate,
    Plan,
    RecoveryPoint,
    Region,
    Selection,
    Shape,
    Vault,
    chosen,
)
from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.schedule import ScheduleError

JITTER_SECONDS = 300


class Plans(Component):
    """Vaults, plans, selections and their tags."""

    service: ClassVar[str] = "backup"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._regions: dict[tuple[str, str], Region] = {}

    @abstractmethod
    def schedule_job(
        self, scope: Scope, plan: Plan, rule: Shape, role_arn: str, candidate: Candidate, scheduled: datetime
    ) -> None:
        """Make a job for a resource that a plan's rule selects at its time."""

    def region(self, scope: Scope) -> Region:
        """The state of a scope, empty when nothing was ever there."""
        return self._regions.setdefault(scope.key, Region())

    def vault(self, scope: Scope, params: Params) -> Vault:
        """The vault that a request names; AwsError ResourceNotFoundException when there is none."""
        name = required(params, "BackupVaultName")
        vault = self.region(scope).vaults.get(name)
        if vault is None:
            raise AwsError("ResourceNotFoundException", f"Backup vault {name} does not exist.")
        return vault

    @operation("CreateBackupVault")
    def create_backup_vault(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CreateBackupVault.html"""
        name = required(params, "BackupVaultName")
        if not re.fullmatch(VAULT_NAME, name):
            raise AwsError("InvalidParameterValueException", f"Backup vault name {name!r} must match ^{VAULT_NAME}$")
        vaults = self.region(scope).vaults
        if name in vaults:
            known = vaults[name].creator_request
            if not known or known != params.get("CreatorRequestId"):
                raise AwsError("AlreadyExistsException", f"Backup vault with the same name already exists: {name}")
        else:
            arn = scope.arn("backup", f"backup-vault:{name}")
            vaults[name] = Vault(name, arn, self.cloud.now, tags=dict(params.get("BackupVaultTags") or {}))
            vaults[name].key_arn = params.get("EncryptionKeyArn") or ""
            vaults[name].creator_request = params.get("CreatorRequestId") or ""
        vault = vaults[name]
        return {"BackupVaultName": name, "BackupVaultArn": vault.arn, "CreationDate": vault.created_at}

    @operation("DescribeBackupVault")
    def describe_backup_vault(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DescribeBackupVault.html"""
        return self._described(scope, self.vault(scope, params))

    @operation("ListBackupVaults")
    def list_backup_vaults(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListBackupVaults.html

        Every vault here is an ordinary one of its own account.
        """
        other = params.get("ByVaultType") not in (None, "BACKUP_VAULT") or params.get("ByShared")
        vaults = [] if other else self.region(scope).vaults.values()
        return page([self._described(scope, vault) for vault in vaults], params, into="BackupVaultList")

    def _described(self, scope: Scope, vault: Vault) -> Shape:
        points = [point for point in self.region(scope).recovery_points.values() if point.job.vault == vault.name]
        shape = {
            "BackupVaultName": vault.name,
            "BackupVaultArn": vault.arn,
            "VaultType": "BACKUP_VAULT",
            "VaultState": "AVAILABLE",
            "CreationDate": vault.created_at,
            "NumberOfRecoveryPoints": len(points),
            "Locked": vault.lock is not None,
        }
        optional = {"EncryptionKeyArn": vault.key_arn, "CreatorRequestId": vault.creator_request}
        locked = vault.lock.shape() if vault.lock is not None else {}
        return shape | {name: value for name, value in optional.items() if value} | locked

    @operation("DeleteBackupVault")
    def delete_backup_vault(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DeleteBackupVault.html"""
        vault, region = self.vault(scope, params), self.region(scope)
        if any(point.job.vault == vault.name for point in region.recovery_points.values()):
            raise AwsError(
                "InvalidRequestException", "Backup vault cannot be deleted because it contains recovery points."
            )
        del region.vaults[vault.name]
        return {}

    @operation("CreateBackupPlan")
    def create_backup_plan(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CreateBackupPlan.html"""
        document = self._checked_plan(scope, params)
        plans = self.region(scope).plans
        for known in plans.values():
            if known.deleted_at is None and _without_ids(known.document) == _without_ids(document):
                raise AwsError("AlreadyExistsException", "Backup plan with the same plan document already exists")
        plan_id = self.cloud.uuid()
        plan = Plan(
            plan_id=plan_id,
            arn=scope.arn("backup", f"backup-plan:{plan_id}"),
            version=self.cloud.identifier("", 48),
            document=document,
            created_at=self.cloud.now,
            creator_request=params.get("CreatorRequestId") or "",
            tags=dict(params.get("BackupPlanTags") or {}),
        )
        plans[plan_id] = plan
        self._plan_rules(scope, plan)
        return plan.identity() | {"CreationDate": plan.created_at}

    @operation("UpdateBackupPlan")
    def update_backup_plan(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_UpdateBackupPlan.html"""
        plan = self.plan(scope, params)
        plan.document = self._checked_plan(scope, params)
        plan.version = self.cloud.identifier("", 48)
        self._plan_rules(scope, plan)
        return plan.identity() | {"CreationDate": plan.created_at}

    @operation("GetBackupPlan")
    def get_backup_plan(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_GetBackupPlan.html"""
        plan = self.plan(scope, params)
        if params.get("VersionId", plan.version) != plan.version:
            raise NotEmulatedError("earlier versions of backup plans")
        preview = int(params.get("MaxScheduledRunsPreview") or 0)
        runs = sorted(
            (when, rule["RuleId"])
            for rule in plan.document["Rules"]
            for when in islice(occurrences(rule, self.cloud.now, self.cloud.assumptions.backup_clock), preview)
        )
        shape = plan.identity() | {"BackupPlan": copy.deepcopy(plan.document), "CreationDate": plan.created_at}
        if preview:
            shape["ScheduledRunsPreview"] = [
                {"ExecutionTime": when, "RuleId": rule_id, "RuleExecutionType": "SNAPSHOTS"}
                for when, rule_id in runs[:preview]
            ]
        return shape | ({"LastExecutionDate": plan.executed_at} if plan.executed_at else {})

    @operation("DeleteBackupPlan")
    def delete_backup_plan(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DeleteBackupPlan.html"""
        plan = self.plan(scope, params)
        if plan.selections:
            raise AwsError(
                "InvalidRequestException",
                "Related backup plan selections must be deleted prior to backup plan deletion",
            )
        plan.deleted_at = self.cloud.now
        return plan.identity() | {"DeletionDate": plan.deleted_at}

    @operation("ListBackupPlans")
    def list_backup_plans(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListBackupPlans.html"""
        plans = self.region(scope).plans.values()
        shapes = [plan.summary() for plan in plans if params.get("IncludeDeleted") or plan.deleted_at is None]
        return page(shapes, params, into="BackupPlansList")

    @operation("CreateBackupSelection")
    def create_backup_selection(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CreateBackupSelection.html"""
        plan = self.plan(scope, params)
        document = checked_selection(params)
        role = document["IamRoleArn"]
        if not self.cloud.authority.trusts(scope.as_principal(role), role, "backup.amazonaws.com"):
            raise AwsError("InvalidParameterValueException", f"IAM Role {role} cannot be assumed by AWS Backup")
        if any(known.document["SelectionName"] == document["SelectionName"] for known in plan.selections.values()):
            raise AwsError(
                "AlreadyExistsException", f"Backup selection {document['SelectionName']} already exists in the plan"
            )
        selection = Selection(self.cloud.uuid(), document, self.cloud.now, params.get("CreatorRequestId") or "")
        plan.selections[selection.selection_id] = selection
        return {
            "SelectionId": selection.selection_id,
            "BackupPlanId": plan.plan_id,
            "CreationDate": selection.created_at,
        }

    @operation("GetBackupSelection")
    def get_backup_selection(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_GetBackupSelection.html"""
        plan = self.plan(scope, params)
        selection = _selection(plan, params)
        return {
            "BackupSelection": copy.deepcopy(selection.document),
            "SelectionId": selection.selection_id,
            "BackupPlanId": plan.plan_id,
            "CreationDate": selection.created_at,
        }

    @operation("DeleteBackupSelection")
    def delete_backup_selection(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DeleteBackupSelection.html"""
        plan = self.plan(scope, params)
        del plan.selections[_selection(plan, params).selection_id]
        return {}

    @operation("ListBackupSelections")
    def list_backup_selections(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListBackupSelections.html"""
        plan = self.plan(scope, params)
        shapes = [selection.summary(plan.plan_id) for selection in plan.selections.values()]
        return page(shapes, params, into="BackupSelectionsList")

    @operation("DescribeRegionSettings")
    def describe_region_settings(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DescribeRegionSettings.html"""
        return {"ResourceTypeOptInPreference": dict(self.region(scope).opt_in), "ResourceTypeManagementPreference": {}}

    @operation("UpdateRegionSettings")
    def update_region_settings(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_UpdateRegionSettings.html"""
        self.region(scope).opt_in.update(params.get("ResourceTypeOptInPreference") or {})
        return {}

    @operation("ListTags")
    def list_tags(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListTags.html"""
        return {"Tags": dict(self._tags(scope, params))}

    @operation("TagResource")
    def tag_resource(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_TagResource.html"""
        self._tags(scope, params).update(params.get("Tags") or {})
        return {}

    @operation("UntagResource")
    def untag_resource(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_UntagResource.html"""
        tags = self._tags(scope, params)
        for key in params.get("TagKeyList") or ():
            tags.pop(key, None)
        return {}

    def plan(self, scope: Scope, params: Params) -> Plan:
        """The plan that a request names; AwsError ResourceNotFoundException when there is none."""
        plan = self.region(scope).plans.get(required(params, "BackupPlanId"))
        if plan is None or plan.deleted_at is not None:
            raise AwsError("ResourceNotFoundException", f"Backup plan {params['BackupPlanId']} does not exist.")
        return plan

    def _tags(self, scope: Scope, params: Params) -> dict[str, str]:
        arn, region = required(params, "ResourceArn"), self.region(scope)
        plans = [plan for plan in region.plans.values() if plan.deleted_at is None]
        owners: list[Vault | Plan | RecoveryPoint] = [*region.vaults.values(), *plans, *region.recovery_points.values()]
        for owner in owners:
            if owner.arn == arn:
                return owner.tags
        raise AwsError("ResourceNotFoundException", f"Resource {arn} does not exist.")

    def _checked_plan(self, scope: Scope, params: Params) -> Shape:
        """The plan's document with defaults and rule ids, or AwsError."""
        given = params.get("BackupPlan") or {}
        required(given, "BackupPlanName")
        if not given.get("Rules"):
            raise AwsError("MissingParameterValueException", "Missing required parameter: Rules")
        document = copy.deepcopy(dict(given))
        document["Rules"] = [self._checked_rule(scope, rule) for rule in given["Rules"]]
        return document

    def _checked_rule(self, scope: Scope, given: Params) -> Shape:
        for name in ("EnableContinuousBackup", "CopyActions", "TargetLogicallyAirGappedBackupVaultArn"):
            if given.get(name):
                raise NotEmulatedError(f"{name} of backup rules")
        rule = DEFAULT_RULE | copy.deepcopy(dict(given)) | {"RuleId": self.cloud.uuid()}
        if not re.fullmatch(NAME, required(rule, "RuleName")):
            raise AwsError("InvalidParameterValueException", f"Rule name {rule['RuleName']!r} must match ^{NAME}$")
        if required(rule, "TargetBackupVaultName") not in self.region(scope).vaults:
            raise AwsError(
                "InvalidParameterValueException", f"Backup vault {rule['TargetBackupVaultName']} does not exist."
            )
        rule.setdefault("StartWindowMinutes", START_WINDOW_MINUTES)
        rule.setdefault("CompletionWindowMinutes", COMPLETION_WINDOW_MINUTES)
        check_windows(rule["StartWindowMinutes"], rule["CompletionWindowMinutes"])
        check_lifecycle(rule.get("Lifecycle") or {})
        try:
            next(occurrences(rule, self.cloud.now, self.cloud.assumptions.backup_clock), None)
        except ScheduleError as error:
            raise AwsError("InvalidParameterValueException", f"Invalid cron expression: {error}") from error
        return rule

    def _plan_rules(self, scope: Scope, plan: Plan) -> None:
        for rule in plan.document["Rules"]:
            self._plan_next(scope.as_principal(""), plan, rule)

    def _plan_next(self, scope: Scope, plan: Plan, rule: Shape) -> None:
        when = next(occurrences(rule, self.cloud.now, self.cloud.assumptions.backup_clock), None)
        if when is not None:
            self.cloud.kernel.at(when, self._rule_due, scope, plan.plan_id, plan.version, rule["RuleId"])

    def _rule_due(self, scope: Scope, plan_id: str, version: str, rule_id: str) -> None:
        region = self.region(scope)
        plan = region.plans[plan_id]
        if plan.deleted_at is not None or plan.version != version:
            return
        rule = plan.rule(rule_id)
        plan.executed_at = self.cloud.now
        done: set[str] = set()
        for selection in plan.selections.values():
            for candidate in self.candidates(scope):
                if candidate.arn not in done and chosen(selection.document, candidate, region.opt_in):
                    done.add(candidate.arn)
                    jitter = timedelta(seconds=self.cloud.random.randint(1, JITTER_SECONDS))
                    role = selection.document["IamRoleArn"]
                    args = (scope, plan, rule, role, candidate, self.cloud.now)
                    self.cloud.kernel.after(jitter, self.schedule_job, *args)
        self._plan_next(scope, plan, rule)

    def candidates(self, scope: Scope) -> list[Candidate]:
        """Everything there that can be selected: instances that are not terminated, and volumes."""
        ec2 = self.cloud.component(Ec2)
        instances = [Candidate(item.arn, "EC2", item.spec.name, dict(item.tags)) for item in ec2.instances(scope)]
        volumes = [
            Candidate(item.arn, "EBS", item.tags.get("Name", ""), dict(item.tags)) for item in ec2.volumes(scope)
        ]
        return instances + volumes

    def candidate(self, scope: Scope, arn: str) -> Candidate | None:
        """The one of ``candidates`` with that ARN."""
        region, identifier = self.cloud.component(Ec2).region(scope), arn.rpartition("/")[2]
        instance, volume = region.instances.get(identifier), region.volumes.get(identifier)
        if instance is not None and instance.arn == arn and instance.state != "terminated":
            return Candidate(arn, "EC2", instance.spec.name, dict(instance.tags))
        if volume is not None and volume.arn == arn:
            return Candidate(arn, "EBS", volume.tags.get("Name", ""), dict(volume.tags))
        return None


def _without_ids(document: Shape) -> Shape:
    rules = [{key: value for key, value in rule.items() if key != "RuleId"} for rule in document["Rules"]]
    return document | {"Rules": rules}


def _selection(plan: Plan, params: Params) -> Selection:
    selection = plan.selections.get(required(params, "SelectionId"))
    if selection is None:
        raise AwsError("ResourceNotFoundException", f"Backup selection {params['SelectionId']} does not exist.")
    return selection
