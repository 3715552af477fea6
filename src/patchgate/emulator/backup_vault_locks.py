"""AWS Backup Vault Lock: how long a vault keeps its recovery points, whatever plans and people ask for.

https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html

A job whose retention is outside of the lock's bounds fails; recovery points of a locked vault are not deleted by a call
before their lifecycle ends them. From its lock date on, ``ChangeableForDays`` after the last change, a lock stays.

Assumptions: a job without DeleteAfterDays keeps for ever, which is longer than every maximum; the job fails when it
would start, and not when it is created; the texts of messages are ours.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from patchgate.emulator.backup import Backup
from patchgate.emulator.backup_resources import VaultLock
from patchgate.emulator.cloud import Component, Params, Result, Scope, operation
from patchgate.emulator.errors import AwsError

if TYPE_CHECKING:
    from patchgate.emulator.backup_resources import Vault

SHORTEST_COOLING_OFF_DAYS = 3
LONGEST_DAYS = 36_500


class VaultLocks(Component):
    """The operations on the locks of vaults."""

    service = "backup"

    @operation("PutBackupVaultLockConfiguration")
    def put_backup_vault_lock_configuration(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_PutBackupVaultLockConfiguration.html"""
        vault = self.cloud.component(Backup).vault(scope, params)
        given = {name: params.get(name) for name in ("MinRetentionDays", "MaxRetentionDays", "ChangeableForDays")}
        for name, days in given.items():
            least = SHORTEST_COOLING_OFF_DAYS if name == "ChangeableForDays" else 1
            if days is not None and not least <= days <= LONGEST_DAYS:
                raise AwsError(
                    "InvalidParameterValueException", f"{name} must be between {least} and {LONGEST_DAYS} days."
                )
        shortest, longest, changeable = given.values()
        if shortest is not None and longest is not None and shortest > longest:
            raise AwsError("InvalidParameterValueException", "MinRetentionDays is longer than MaxRetentionDays.")
        self._refuse_immutable(vault)
        locks_at = None if changeable is None else self.cloud.now + timedelta(days=changeable)
        vault.lock = VaultLock(shortest, longest, locks_at)
        return {}

    @operation("DeleteBackupVaultLockConfiguration")
    def delete_backup_vault_lock_configuration(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DeleteBackupVaultLockConfiguration.html"""
        vault = self.cloud.component(Backup).vault(scope, params)
        self._refuse_immutable(vault)
        vault.lock = None
        return {}

    def _refuse_immutable(self, vault: Vault) -> None:
        if vault.lock is not None and vault.lock.locks_at is not None and vault.lock.locks_at <= self.cloud.now:
            raise AwsError(
                "InvalidRequestException", f"The lock configuration of backup vault {vault.name} is immutable."
            )
