"""AWS::Backup::*."""

from __future__ import annotations

from typing import Any

from patchgate.emulator.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    Request,
    document,
    pick,
)
from patchgate.emulator.errors import NotEmulatedError

_GONE = frozenset({"ResourceNotFoundException"})
_RULE = {
    "RuleName", "TargetBackupVault", "ScheduleExpression", "ScheduleExpressionTimezone", "StartWindowMinutes",
    "CompletionWindowMinutes", "Lifecycle", "RecoveryPointTags", "CopyActions", "EnableContinuousBackup",
}  # fmt: skip


class BackupVault(Provider):
    """AWS::Backup::BackupVault; Ref is its name."""

    type = "AWS::Backup::BackupVault"
    name_property = "BackupVaultName"
    gone = _GONE
    supported = frozenset({
        "AccessPolicy", "BackupVaultName", "BackupVaultTags", "EncryptionKeyArn", "LockConfiguration", "Notifications",
    })  # fmt: skip
    attributes = frozenset({"BackupVaultArn", "BackupVaultName"})

    def create(self, request: Request) -> Physical:
        name = request.properties["BackupVaultName"]
        params = pick(request.properties, "BackupVaultName", "BackupVaultTags", "EncryptionKeyArn")
        vault = request.call("backup", "CreateBackupVault", params)
        attributes = {"BackupVaultArn": vault["BackupVaultArn"], "BackupVaultName": name}
        physical = request.claim(name, attributes)
        self._configure(request, name)
        return physical

    def update(self, request: Request) -> Physical:
        name = request.physical_id
        _tag(request, request.attributes["BackupVaultArn"], "BackupVaultTags")
        self._configure(request, name)
        return Physical(name, request.attributes)

    def delete(self, request: Request) -> None:
        request.call("backup", "DeleteBackupVault", {"BackupVaultName": request.physical_id})

    def _configure(self, request: Request, name: str) -> None:
        vault = {"BackupVaultName": name}
        if request.changed("AccessPolicy"):
            policy = request.properties.get("AccessPolicy")
            operation = "PutBackupVaultAccessPolicy" if policy else "DeleteBackupVaultAccessPolicy"
            request.call("backup", operation, vault | ({"Policy": document(policy)} if policy else {}))
        for key, noun in (("LockConfiguration", "LockConfiguration"), ("Notifications", "Notifications")):
            if request.changed(key):
                value = request.properties.get(key)
                verb = "Put" if value else "Delete"
                request.call("backup", f"{verb}BackupVault{noun}", vault | dict(value or {}))


class BackupPlan(Provider):
    """AWS::Backup::BackupPlan; Ref is its id."""

    type = "AWS::Backup::BackupPlan"
    gone = _GONE
    supported = frozenset({"BackupPlan", "BackupPlanTags"})
    attributes = frozenset({"BackupPlanArn", "BackupPlanId", "VersionId"})

    def create(self, request: Request) -> Physical:
        params = {"BackupPlan": _plan(request.properties["BackupPlan"])} | pick(request.properties, "BackupPlanTags")
        return _planned(request.call("backup", "CreateBackupPlan", params))

    def update(self, request: Request) -> Physical:
        physical = Physical(request.physical_id, request.attributes)
        if request.changed("BackupPlan"):
            params = {
                "BackupPlanId": request.physical_id,
                "BackupPlan": _plan(request.properties["BackupPlan"]),
            }
            physical = _planned(request.call("backup", "UpdateBackupPlan", params))
        _tag(request, request.attributes["BackupPlanArn"], "BackupPlanTags")
        return physical

    def delete(self, request: Request) -> None:
        request.call("backup", "DeleteBackupPlan", {"BackupPlanId": request.physical_id})


def _planned(answer: Properties) -> Physical:
    attributes = {name: answer[name] for name in ("BackupPlanArn", "BackupPlanId", "VersionId")}
    return Physical(answer["BackupPlanId"], attributes)


def _plan(plan: Properties) -> dict[str, Any]:
    unknown = plan.keys() - {"BackupPlanName", "BackupPlanRule", "AdvancedBackupSettings"}
    if unknown:
        raise NotEmulatedError(f"AWS::Backup::BackupPlan with {', '.join(sorted(unknown))}")
    rules = [_rule(rule) for rule in plan["BackupPlanRule"]]
    return {"Rules": rules} | pick(plan, "BackupPlanName", "AdvancedBackupSettings")


def _rule(rule: Properties) -> dict[str, Any]:
    unknown = rule.keys() - _RULE
    if unknown:
        raise NotEmulatedError(f"AWS::Backup::BackupPlan BackupPlanRule with {', '.join(sorted(unknown))}")
    shaped = {key: value for key, value in rule.items() if key != "TargetBackupVault"}
    shaped["TargetBackupVaultName"] = rule["TargetBackupVault"]
    for key in ("StartWindowMinutes", "CompletionWindowMinutes"):
        if key in shaped:
            shaped[key] = int(shaped[key])
    if "Lifecycle" in shaped:
        shaped["Lifecycle"] = _lifecycle(shaped["Lifecycle"])
    if "CopyActions" in shaped:
        shaped["CopyActions"] = [
            action | ({"Lifecycle": _lifecycle(action["Lifecycle"])} if "Lifecycle" in action else {})
            for action in shaped["CopyActions"]
        ]
    return shaped


def _lifecycle(lifecycle: Properties) -> dict[str, Any]:
    return {key: int(value) if key.endswith("Days") else value for key, value in lifecycle.items()}


class BackupSelection(Provider):
    """AWS::Backup::BackupSelection. Every property is create-only, so an update replaces it.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-backup-backupselection.html.
    Ref is the selection's id.

    Assumption: the attribute ``Id`` is ``<plan id>_<selection id>``.
    """

    type = "AWS::Backup::BackupSelection"
    gone = _GONE
    supported = frozenset({"BackupPlanId", "BackupSelection"})
    attributes = frozenset({"BackupPlanId", "Id", "SelectionId"})

    def create(self, request: Request) -> Physical:
        answer = request.call("backup", "CreateBackupSelection", request.properties)
        plan, selection = request.properties["BackupPlanId"], answer["SelectionId"]
        attributes = {"BackupPlanId": plan, "SelectionId": selection, "Id": f"{plan}_{selection}"}
        return Physical(selection, attributes)

    def delete(self, request: Request) -> None:
        params = {"BackupPlanId": request.properties["BackupPlanId"], "SelectionId": request.physical_id}
        request.call("backup", "DeleteBackupSelection", params)


def _tag(request: Request, arn: str, name: str) -> None:
    tags, removed = request.tag_changes(name)
    if tags:
        request.call("backup", "TagResource", {"ResourceArn": arn, "Tags": tags})
    if removed:
        request.call("backup", "UntagResource", {"ResourceArn": arn, "TagKeyList": removed})


PROVIDERS = (BackupVault(), BackupPlan(), BackupSelection())
