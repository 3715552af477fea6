"""Vault locks: which jobs they fail, what they keep, and until when they can be changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from patchgate.emulator.backup import Backup
from patchgate.emulator.backup_vault_locks import VaultLocks
from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.errors import AwsError
from patchgate.emulator.world import InstanceSpec, VolumeSpec

START = datetime(2026, 7, 4, 12, 0, tzinfo=UTC)
SCOPE = Scope("111122223333", "eu-central-1")
ROLE = "arn:aws:iam::111122223333:role/backup"
INSTANCE = "arn:aws:ec2:eu-central-1:111122223333:instance/i-00000000000000001"
VAULT = {"BackupVaultName": "locked"}


@pytest.fixture
def cloud() -> Cloud:
    cloud = Cloud((Ec2, Backup, VaultLocks), start=START, seed=1)
    volumes = (VolumeSpec("vol-00000000000000001", "/dev/xvda", 10),)
    spec = InstanceSpec("i-00000000000000001", "web", "UBUNTU", "Linux", volumes=volumes)
    cloud.component(Ec2).add_instance(SCOPE, spec)
    call(cloud, "CreateBackupVault", **VAULT)
    return cloud


def call(cloud: Cloud, operation: str, **params: Any) -> dict[str, Any]:
    return cloud.invoke(SCOPE, "backup", operation, params)


def lock(cloud: Cloud, **settings: int) -> None:
    call(cloud, "PutBackupVaultLockConfiguration", **VAULT, **settings)


def backed_up(cloud: Cloud, **lifecycle: int) -> dict[str, Any]:
    """The end of a backup job with that lifecycle."""
    given = {"Lifecycle": lifecycle} if lifecycle else {}
    job = call(cloud, "StartBackupJob", **VAULT, ResourceArn=INSTANCE, IamRoleArn=ROLE, **given)
    cloud.kernel.run_until(cloud.now + timedelta(hours=1))
    return call(cloud, "DescribeBackupJob", BackupJobId=job["BackupJobId"])


@pytest.mark.parametrize(
    ("settings", "lifecycle", "state"),
    [
        ({"MinRetentionDays": 35}, {"DeleteAfterDays": 34}, "FAILED"),
        ({"MinRetentionDays": 35}, {"DeleteAfterDays": 35}, "COMPLETED"),
        ({"MinRetentionDays": 35}, {}, "COMPLETED"),
        ({"MaxRetentionDays": 35}, {"DeleteAfterDays": 36}, "FAILED"),
        ({"MaxRetentionDays": 35}, {"DeleteAfterDays": 35}, "COMPLETED"),
        ({"MaxRetentionDays": 35}, {}, "FAILED"),
        ({}, {"DeleteAfterDays": 1}, "COMPLETED"),
        ({}, {}, "COMPLETED"),
    ],
)
def test_a_job_outside_of_the_bounds_fails(
    cloud: Cloud, settings: dict[str, int], lifecycle: dict[str, int], state: str
) -> None:
    lock(cloud, **settings)
    job = backed_up(cloud, **lifecycle)
    assert job["State"] == state
    if state == "FAILED":
        assert "outside of the valid range of the lock of backup vault locked" in job["StatusMessage"]
        assert call(cloud, "ListRecoveryPointsByBackupVault", **VAULT)["RecoveryPoints"] == []


def test_a_lock_is_described(cloud: Cloud) -> None:
    assert call(cloud, "DescribeBackupVault", **VAULT)["Locked"] is False
    lock(cloud, MinRetentionDays=7, MaxRetentionDays=30, ChangeableForDays=3)
    described = call(cloud, "DescribeBackupVault", **VAULT)
    assert described["Locked"] is True
    assert (described["MinRetentionDays"], described["MaxRetentionDays"]) == (7, 30)
    assert described["LockDate"] == START + timedelta(days=3)
    (listed,) = call(cloud, "ListBackupVaults")["BackupVaultList"]
    assert listed["LockDate"] == START + timedelta(days=3)


def test_recovery_points_of_a_locked_vault_stay(cloud: Cloud) -> None:
    point = backed_up(cloud, DeleteAfterDays=8)["RecoveryPointArn"]
    lock(cloud, MinRetentionDays=7)
    with pytest.raises(AwsError, match="is locked") as caught:
        call(cloud, "DeleteRecoveryPoint", **VAULT, RecoveryPointArn=point)
    assert caught.value.code == "InvalidRequestException"
    call(cloud, "DeleteBackupVaultLockConfiguration", **VAULT)
    call(cloud, "DeleteRecoveryPoint", **VAULT, RecoveryPointArn=point)


def test_the_lifecycle_still_ends_a_recovery_point(cloud: Cloud) -> None:
    backed_up(cloud, DeleteAfterDays=8)
    lock(cloud, MinRetentionDays=7)
    cloud.kernel.run_until(START + timedelta(days=9))
    assert call(cloud, "ListRecoveryPointsByBackupVault", **VAULT)["RecoveryPoints"] == []


def test_from_its_lock_date_on_a_lock_stays(cloud: Cloud) -> None:
    lock(cloud, MinRetentionDays=7, ChangeableForDays=3)
    cloud.kernel.run_until(START + timedelta(days=2))
    lock(cloud, MinRetentionDays=8, ChangeableForDays=3)
    cloud.kernel.run_until(START + timedelta(days=5))
    for change in ("PutBackupVaultLockConfiguration", "DeleteBackupVaultLockConfiguration"):
        with pytest.raises(AwsError, match="immutable") as caught:
            call(cloud, change, **VAULT)
        assert caught.value.code == "InvalidRequestException"
    assert call(cloud, "DescribeBackupVault", **VAULT)["MinRetentionDays"] == 8


@pytest.mark.parametrize(
    "settings",
    [
        {"MinRetentionDays": 0},
        {"MaxRetentionDays": 36_501},
        {"ChangeableForDays": 2},
        {"MinRetentionDays": 8, "MaxRetentionDays": 7},
    ],
)
def test_what_is_no_lock_is_refused(cloud: Cloud, settings: dict[str, int]) -> None:
    with pytest.raises(AwsError) as caught:
        lock(cloud, **settings)
    assert caught.value.code == "InvalidParameterValueException"
    assert call(cloud, "DescribeBackupVault", **VAULT)["Locked"] is False


def test_a_lock_is_of_a_vault(cloud: Cloud) -> None:
    for change in ("PutBackupVaultLockConfiguration", "DeleteBackupVaultLockConfiguration"):
        with pytest.raises(AwsError) as caught:
            call(cloud, change, BackupVaultName="other")
        assert caught.value.code == "ResourceNotFoundException"
