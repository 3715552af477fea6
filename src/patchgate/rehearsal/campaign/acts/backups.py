"""What befalls backups: how jobs fare, and recovery points that somebody makes or deletes."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import TYPE_CHECKING

from patchgate.emulator.backup import Backup
from patchgate.emulator.world import BackupBehaviour
from patchgate.rehearsal.campaign.acts.scene import Given, Harm, Scene, Shows, act, happened, respec

if TYPE_CHECKING:
    from patchgate.emulator.ec2_resources import Instance
    from patchgate.emulator.history import Record

OTHER_VAULT = "another-vault"


@act
def backup(scene: Scene, given: Given) -> Harm | None:
    """How AWS Backup fares with one machine from now on: outcome, minutes, category, message.

    ``volume``: with one of its volumes only, where those are backed up.
    """
    behaviour = BackupBehaviour(
        outcome=str(given.get("outcome", "COMPLETED")),  # type: ignore[arg-type]
        minutes=int(str(given.get("minutes", 25))),
        message_category=str(given.get("category", "SUCCESS")),
        message=str(given.get("message", "")),
    )
    instance = scene.instance(given)
    if instance is None:
        return None
    meant = _volumes(instance, given)
    if "volume" not in given:
        named = {f"instance/{instance.instance_id}", *(f"volume/{each}" for each in meant)}
        return respec(scene, given, _fared(scene, named, behaviour), backup=behaviour)
    if not meant:
        return None
    backups = {**instance.spec.volume_backups, **dict.fromkeys(meant, behaviour)}
    named = {f"volume/{each}" for each in meant}
    return respec(scene, given, _fared(scene, named, behaviour), volume_backups=backups)


def _volumes(instance: Instance, given: Given) -> list[str]:
    """The volumes that an injection means: all that are attached, or the one that ``volume`` counts to, from the
    beginning again behind the last.
    """
    attached = [volume.volume_id for volume in instance.volumes]
    if "volume" not in given or not attached:
        return attached
    return [attached[int(str(given["volume"])) % len(attached)]]


def _fared(scene: Scene, named: Container[str], behaviour: BackupBehaviour) -> Shows:
    """Whether the backups of these resources have fared so: jobs that ended that way, or none where some was due."""
    since = scene.cloud.now

    def shows(records: Sequence[Record]) -> bool:
        jobs = [each for each in records if each["event"] == "BackupJobStateChanged"]
        jobs = [job for job in jobs if job["resource"].rpartition(":")[2] in named]
        match behaviour.outcome:
            case "NONE":
                due = any(since <= cycle.backup < scene.cloud.now for cycle in scene.terrain.cycles)
                return due and not any(job["state"] == "CREATED" for job in jobs)
            case "COMPLETED" if behaviour.message_category != "SUCCESS":
                categories = [job["message_category"] for job in jobs if job["state"] == "COMPLETED"]
                return behaviour.message_category in categories
            case "COMPLETED":
                return any(job["state"] == "CREATED" for job in jobs)
            case ended:
                return any(job["state"] == ended for job in jobs)

    return shows


@act
def back_up_now(scene: Scene, given: Given) -> Harm | None:
    """An operator backs up a machine on demand: itself, or each of its volumes where the lane backs those up.

    ``volumes``: its volumes in any lane; ``part``: only the first of them; ``volume``: that one alone; ``elsewhere``:
    not into the lane's vault.
    """
    instance = scene.instance(given)
    if instance is None:
        return None
    scope, terrain = scene.terrain.scope, scene.terrain
    if not terrain.lane.vault or not terrain.backup_role:
        return None
    resources = [f"instance/{instance.instance_id}"]
    if given.get("volumes") or given.get("part") or terrain.facts.backup_resources == "volumes":
        resources = [f"volume/{each}" for each in _volumes(instance, given)][: 1 if given.get("part") else None]
    vault = _other_vault(scene) if given.get("elsewhere") else terrain.lane.vault
    for resource in resources:
        arn = scope.arn("ec2", resource)
        scene.call(
            "backup",
            "StartBackupJob",
            BackupVaultName=vault,
            ResourceArn=arn,
            IamRoleArn=terrain.backup_role,
        )
    return Harm() if resources else None


def _other_vault(scene: Scene) -> str:
    """A vault of the account that is not the lane's."""
    known = scene.call("backup", "ListBackupVaults")["BackupVaultList"]
    if not any(each["BackupVaultName"] == OTHER_VAULT for each in known):
        scene.call("backup", "CreateBackupVault", BackupVaultName=OTHER_VAULT)
    return OTHER_VAULT


@act
def strip_backup_role(scene: Scene, given: Given) -> Harm | None:  # noqa: ARG001 - as every act
    """The backup role loses its policies: what reaches the end of its retention is EXPIRED instead of deleted."""
    if not scene.terrain.backup_role:
        return None
    role = {"RoleName": scene.terrain.backup_role.rpartition("/")[2]}
    attached = [each["PolicyArn"] for each in scene.call("iam", "ListAttachedRolePolicies", **role)["AttachedPolicies"]]
    if not attached:
        return None
    for arn in attached:
        scene.call("iam", "DetachRolePolicy", **role, PolicyArn=arn)

    def undo() -> None:
        for arn in attached:
            scene.call("iam", "AttachRolePolicy", **role, PolicyArn=arn)

    return Harm(undo, happened("RecoveryPointExpired"))


@act
def delete_recovery_points(scene: Scene, given: Given) -> Harm | None:
    """Somebody deletes the recovery points of a machine and of its volumes; ``newest``: the newest only.

    ``volume``: those of one volume.
    """
    instance = scene.instance(given)
    if instance is None:
        return None
    backup_service, scope = scene.cloud.component(Backup), scene.terrain.scope
    resources = {*_volumes(instance, given)}
    if "volume" not in given:
        resources.add(instance.instance_id)
    points = [p for p in backup_service.region(scope).recovery_points.values() if p.job.resource_id in resources]
    points = [point for point in points if point.status == "COMPLETED"]
    for point in points[-1:] if given.get("newest") else points:
        scene.call("backup", "DeleteRecoveryPoint", BackupVaultName=point.job.vault, RecoveryPointArn=point.arn)
    return Harm() if points else None
