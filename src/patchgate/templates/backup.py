"""AWS Backup in the backup-and-patch template: role, vault, plan and selection.

Role and vault outlive the stack: without the role, recovery points can end as EXPIRED and stay billed, and a vault
holds the only way back. A later deployment then uses what is there (CreateBackupRole, CreateBackupVault).
https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources.html
"""

from __future__ import annotations

from patchgate.plan import names
from patchgate.templates.document import TIME_ZONE
from patchgate.templates.intrinsics import Node, choose, equals, get_att, negate, ref, sub, when
from patchgate.templates.parameters import BACKUP_RESOURCES, CRON, Group, Parameter, flag, number
from patchgate.templates.policies import PATCH_GROUP, role, trust

GROUP = Group(
    "Backup",
    (
        Parameter(
            "BackupVaultNamePrefix",
            "Prefix of the vault's name; operating system, environment and Region follow.",
            default="backup-vault",
            pattern="^[a-zA-Z0-9][a-zA-Z0-9_-]{0,17}$",
        ),
        Parameter(
            "BackupSchedule", "When the backups start, in local time.", default="cron(0 19 ? * 7 *)", pattern=CRON
        ),
        number("BackupStartWindowMinutes", "Minutes within which a backup job must start.", 60, 60, 1440),
        number("BackupCompletionWindowMinutes", "Minutes within which a backup job must complete.", 120, 60, 10080),
        number("RetentionDays", "Days for which backups are kept.", 7, 1, 36500),
        BACKUP_RESOURCES,
        flag("CreateBackupVault", "false: use the vault of that name, kept from an earlier deployment.", "true"),
        flag("CreateBackupRole", "false: use the role of that name, kept from an earlier deployment.", "true"),
    ),
)

CONDITIONS = {
    "CreateVault": equals(ref("CreateBackupVault"), "true"),
    "CreateRole": equals(ref("CreateBackupRole"), "true"),
    "SelectInstances": negate(equals(ref("BackupResources"), "volumes")),
    "SelectVolumes": negate(equals(ref("BackupResources"), "instances")),
}

VAULT_NAME = sub(names.BACKUP_VAULT.as_sub())
ROLE_ARN = choose(
    "CreateRole",
    get_att("AWSBackupDefaultServiceRole", "Arn"),
    sub(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role${{IamRolePath}}{names.BACKUP_ROLE.as_sub()}"),
)
_KEPT: Node = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}


def build_backup_resources() -> dict[str, Node]:
    """logical id -> resource."""
    return {
        "AWSBackupDefaultServiceRole": _role(),
        "BackupVault": _vault(),
        "BackupPlan": _plan(),
        "BackupSelection": _selection(),
    }


def _role() -> Node:
    managed = sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup")
    return role(names.BACKUP_ROLE, trust("backup.amazonaws.com"), managed=[managed], Condition="CreateRole", **_KEPT)


def _vault() -> Node:
    return {
        "Type": "AWS::Backup::BackupVault",
        "Condition": "CreateVault",
        **_KEPT,
        "Properties": {
            "BackupVaultName": VAULT_NAME,
            "EncryptionKeyArn": when("HasKey", ref("KmsKeyArn")),
        },
    }


def _plan() -> Node:
    rule = {
        "RuleName": sub(names.BACKUP_RULE.as_sub()),
        "TargetBackupVault": choose("CreateVault", ref("BackupVault"), VAULT_NAME),
        "ScheduleExpression": ref("BackupSchedule"),
        "ScheduleExpressionTimezone": TIME_ZONE,
        "StartWindowMinutes": ref("BackupStartWindowMinutes"),
        "CompletionWindowMinutes": ref("BackupCompletionWindowMinutes"),
        "Lifecycle": {"DeleteAfterDays": ref("RetentionDays")},
    }
    plan = {"BackupPlanName": sub(names.BACKUP_PLAN.as_sub()), "BackupPlanRule": [rule]}
    return {"Type": "AWS::Backup::BackupPlan", "Properties": {"BackupPlan": plan}}


def _selection() -> Node:
    """Explicit ARNs, so that the Region's service opt-in is not asked; conditions, because tags there are ANDed."""
    selection = {
        "SelectionName": sub(names.BACKUP_SELECTION.as_sub()),
        "IamRoleArn": ROLE_ARN,
        "Resources": [
            when("SelectInstances", sub("arn:${AWS::Partition}:ec2:*:*:instance/*")),
            when("SelectVolumes", sub("arn:${AWS::Partition}:ec2:*:*:volume/*")),
        ],
        "Conditions": {
            "StringEquals": [
                {"ConditionKey": f"aws:ResourceTag/{names.PATCH_GROUP_TAG_KEY}", "ConditionValue": PATCH_GROUP},
                {"ConditionKey": f"aws:ResourceTag/{names.BACKUP_TAG_KEY}", "ConditionValue": names.BACKUP_TAG_VALUE},
            ]
        },
    }
    return {
        "Type": "AWS::Backup::BackupSelection",
        "Properties": {"BackupPlanId": ref("BackupPlan"), "BackupSelection": selection},
    }
