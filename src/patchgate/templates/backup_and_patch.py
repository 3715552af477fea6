"""The template aws-backup-and-patch-stackset: backups, baselines, the window, and the runbook that installs."""

from __future__ import annotations

from patchgate.plan import names
from patchgate.templates import backup, baselines, runbook, window
from patchgate.templates.document import (
    BUCKET_KEY_CONDITIONS,
    KEY_CONDITIONS,
    TIME_ZONE,
    TIME_ZONE_CONDITIONS,
    Template,
    time_zones,
)
from patchgate.templates.intrinsics import ref, sub
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
from patchgate.templates.policies import PATCH_GROUP, ROLE_CONDITIONS

_KEY = customer_key("Customer key of the backup vault, in its Region; blank: AWS's own.")


def build_backup_and_patch_template() -> Template:
    """The backup-and-patch template."""
    return Template(
        name="aws-backup-and-patch-stackset",
        description="patchgate: backups, patch baselines, maintenance window and install runbook of one lane",
        groups=(
            Group("Lane", (OPERATING_SYSTEM, ENVIRONMENT, TIME_ZONE_OVERRIDE, LOG_BUCKET)),
            backup.GROUP,
            window.GROUP,
            runbook.GROUP,
            baselines.GROUP,
            Group("Security", (_KEY, BUCKET_KEY, BOUNDARY, ROLE_PATH)),
        ),
        mappings=time_zones(),
        conditions={
            **KEY_CONDITIONS,
            **BUCKET_KEY_CONDITIONS,
            **window.CONDITIONS,
            **TIME_ZONE_CONDITIONS,
            **ROLE_CONDITIONS,
            **backup.CONDITIONS,
            **baselines.CONDITIONS,
        },
        resources={
            **backup.build_backup_resources(),
            **baselines.build_baseline_resources(),
            **window.build_window_resources(),
            **runbook.build_runbook_resources(),
        },
        outputs={
            "BackupVaultName": ("Name of the backup vault", backup.VAULT_NAME),
            "MaintenanceWindowName": ("Name of the maintenance window", sub(names.MAINTENANCE_WINDOW.as_sub())),
            "MaintenanceWindowId": ("Id of the maintenance window", ref("SsmMaintenanceWindow")),
            "PatchGroup": ("Value of the instances' tag PatchGroup", PATCH_GROUP),
            "TimeZone": ("Time zone of the schedules", TIME_ZONE),
            "InstallRunbookName": ("Name of the install runbook", ref("InstallRunbook")),
            "InstanceLogPolicyArn": ("Policy to attach to the instance profile", ref("InstanceLogPolicy")),
        },
    )
