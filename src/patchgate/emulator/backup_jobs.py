"""The life of a backup job, from its creation to the end of its recovery point.

A job is CREATED, starts within its start window or is EXPIRED, runs as long as its resource's ``BackupBehaviour`` says,
and is ABORTED when its completion window is over first. An instance's recovery point is an image with a snapshot of
every volume attached at the start; a volume's is its snapshot. Until the job completes, the point is CREATING.

Assumptions: a job starts 1 to 5 minutes after its creation; the texts of messages, and the category FAILURE of a job
that did not complete, are ours; so is which calls of EC2 a backup makes with its role.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from patchgate.emulator.backup_keys import key_denial
from patchgate.emulator.backup_plans import Plans
from patchgate.emulator.backup_resources import ENDED, Candidate, Job, Plan, RecoveryPoint, Shape
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.world import BackupBehaviour

if TYPE_CHECKING:
    from patchgate.emulator.cloud import Scope
    from patchgate.emulator.ec2_resources import Volume

STOPPING = timedelta(seconds=30)
DELETION_SPREAD_SECONDS = 8 * 3600
GIB = 1024**3
Calls = Sequence[tuple[str, dict[str, Any]]]

_CALLS: dict[str, Callable[[str], Calls]] = {
    "EC2": lambda instance: (
        ("DescribeInstances", {}),
        ("CreateImage", {"InstanceId": instance}),
        ("CreateTags", {"Resources": ["ami-*", "snap-*"]}),
        ("DescribeImages", {}),
        ("DescribeSnapshots", {}),
    ),
    "EBS": lambda volume: (
        ("DescribeVolumes", {}),
        ("CreateSnapshot", {"VolumeId": volume}),
        ("CreateTags", {"Resources": ["snap-*"]}),
        ("DescribeSnapshots", {}),
    ),
}
"""resource type -> the calls of EC2 that a backup makes with its role."""


class Jobs(Plans):
    """Makes jobs, moves them through their states, and makes and deletes what they leave."""

    def schedule_job(
        self, scope: Scope, plan: Plan, rule: Shape, role_arn: str, candidate: Candidate, scheduled: datetime
    ) -> None:
        """Make the job of one resource; none when its behaviour is NONE."""
        if self._behaviour(scope, candidate.arn, candidate.type).outcome == "NONE":
            return
        created_by = {
            "BackupPlanId": plan.plan_id,
            "BackupPlanArn": plan.arn,
            "BackupPlanName": plan.document["BackupPlanName"],
            "BackupPlanVersion": plan.version,
            "BackupRuleId": rule["RuleId"],
            "BackupRuleName": rule["RuleName"],
            "BackupRuleCron": rule["ScheduleExpression"],
            "BackupRuleTimezone": rule["ScheduleExpressionTimezone"],
        }
        options = [
            setting["BackupOptions"]
            for setting in plan.document.get("AdvancedBackupSettings") or ()
            if setting["ResourceType"] == candidate.type
        ]
        job = self.new_job(scope, candidate, rule["TargetBackupVaultName"], role_arn)
        job.start_by = scheduled + timedelta(minutes=rule["StartWindowMinutes"])
        job.complete_within = timedelta(minutes=rule["CompletionWindowMinutes"])
        job.lifecycle = dict(rule.get("Lifecycle") or {})
        job.recovery_point_tags = dict(rule.get("RecoveryPointTags") or {})
        job.created_by = created_by
        job.options = dict(options[0]) if options else {}
        self.begin(scope, job)

    def new_job(self, scope: Scope, candidate: Candidate, vault: str, role_arn: str) -> Job:
        """A job of a resource, kept and not begun: its windows, lifecycle and options are still to be set."""
        region = self.region(scope)
        job = Job(
            serial=len(region.jobs),
            job_id=self.cloud.uuid().upper(),
            account=scope.account,
            resource_arn=candidate.arn,
            resource_type=candidate.type,
            resource_name=candidate.name,
            vault=vault,
            vault_arn=scope.arn("backup", f"backup-vault:{vault}"),
            role_arn=role_arn,
            created_at=self.cloud.now,
            start_by=self.cloud.now,
            complete_within=timedelta(0),
            complete_from_creation=self.cloud.assumptions.completion_counts_from_creation,
            lifecycle={},
            created_by={},
            options={},
            recovery_point_tags={},
        )
        region.places.setdefault(job.resource_arn, []).append(len(region.jobs))
        region.jobs.append(job)
        region.job_ids[job.job_id] = job
        return job

    def begin(self, scope: Scope, job: Job) -> None:
        """The job is CREATED now and will start, or expire."""
        self.enter(scope, job, "CREATED")
        behaviour = self._behaviour(scope, job.resource_arn, job.resource_type)
        queued = self.cloud.now + timedelta(seconds=self.cloud.random.randint(60, 300))
        if behaviour.outcome == "EXPIRED" or queued > job.start_by:
            self.cloud.kernel.at(job.start_by, self._expire, scope, job)
        else:
            self.cloud.kernel.at(queued, self._start, scope, job)

    def _expire(self, scope: Scope, job: Job) -> None:
        if job.state == "CREATED":
            behaviour = self._behaviour(scope, job.resource_arn, job.resource_type)
            message = behaviour.message or "Backup job expired before it could start."
            self._end(scope, job, "EXPIRED", message, behaviour.message_category)

    def _start(self, scope: Scope, job: Job) -> None:
        if job.state != "CREATED":
            return
        job.started_at = self.cloud.now
        refusal = self._refusal(scope, job)
        if refusal:
            self._end(scope, job, "FAILED", refusal, "FAILURE")
            return
        self._make_recovery_point(scope, job)
        self.enter(scope, job, "RUNNING")
        done = self.cloud.now + timedelta(minutes=self._behaviour(scope, job.resource_arn, job.resource_type).minutes)
        if done > job.complete_by:
            self.cloud.kernel.at(job.complete_by, self._overrun, scope, job)
        else:
            self.cloud.kernel.at(done, self._finish, scope, job)

    def _refusal(self, scope: Scope, job: Job) -> str:
        """Why a job cannot start, or nothing."""
        if self.candidate(scope, job.resource_arn) is None:
            return f"The resource {job.resource_arn} no longer exists."
        vault = self.region(scope).vaults.get(job.vault)
        if vault is None:
            return f"The backup vault {job.vault} no longer exists."
        if vault.lock is not None and vault.lock.refuses(job.lifecycle):
            return f"The lifecycle is outside of the valid range of the lock of backup vault {job.vault}."
        if job.resource_type == "EC2":
            instance = self.cloud.component(Ec2).instance(scope, job.resource_id)
            if instance.spec.root_device == "instance-store":
                return "Instance store-backed Amazon EC2 instances are not supported."
            volumes = list(instance.volumes)
        else:
            volumes = [self.cloud.component(Ec2).volume(scope, job.resource_id)]
        denial = self._denial(scope, job, _CALLS[job.resource_type](job.resource_id))
        return denial or key_denial(self.cloud, scope.as_principal(job.role_arn), volumes)

    def _denial(self, scope: Scope, job: Job, calls: Calls) -> str:
        """Why the job's role cannot be used for these calls, or nothing."""
        acting = scope.as_principal(job.role_arn)
        if not self.cloud.authority.trusts(acting, job.role_arn, "backup.amazonaws.com"):
            return f"IAM Role {job.role_arn} cannot be assumed by AWS Backup."
        try:
            for operation, params in calls:
                self.cloud.authority.check(acting, "ec2", operation, params)
        except NotEmulatedError:
            raise
        except AwsError as error:
            text = f"IAM Role {job.role_arn} does not have sufficient permissions to execute the backup."
            return f"{text} {error.message}"
        return ""

    def _make_recovery_point(self, scope: Scope, job: Job) -> None:
        ec2 = self.cloud.component(Ec2)
        tags = dict(job.recovery_point_tags)
        name = f"AwsBackup_{job.resource_id}_{job.job_id}"
        if job.resource_type == "EC2":
            instance = ec2.instance(scope, job.resource_id)
            volumes = list(instance.volumes)
            image = ec2.begin_image(scope, instance, name, tags)
            snapshots, resource = image.snapshot_ids, f"image/{image.image_id}"
        else:
            volumes = [ec2.volume(scope, job.resource_id)]
            snapshots = [ec2.begin_snapshot(scope, volumes[0], f"Created by AWS Backup for {name}", tags).snapshot_id]
            resource = f"snapshot/{snapshots[0]}"
        job.snapshots = [(volume.volume_id, made) for volume, made in zip(volumes, snapshots, strict=True)]
        job.size_bytes = sum(volume.size_gib for volume in volumes) * GIB
        job.recovery_point = f"arn:{scope.partition}:ec2:{scope.region}::{resource}"
        point = RecoveryPoint(job.recovery_point, job, scope.region, _encrypted(volumes), tags=tags)
        self.region(scope).recovery_points[point.arn] = point

    def _finish(self, scope: Scope, job: Job) -> None:
        if job.state != "RUNNING":
            return
        behaviour = self._behaviour(scope, job.resource_arn, job.resource_type)
        if behaviour.outcome == "ABORTED":
            self.abort(scope, job)
        elif behaviour.outcome in ("FAILED", "PARTIAL"):
            message = behaviour.message or "The backup job failed."
            self._end(scope, job, behaviour.outcome, message, behaviour.message_category)
        else:
            self._complete(scope, job, behaviour)

    def _complete(self, scope: Scope, job: Job, behaviour: BackupBehaviour) -> None:
        ec2 = self.cloud.component(Ec2)
        point = self.region(scope).recovery_points[job.recovery_point]
        if job.resource_type == "EC2":
            ec2.finish_image(scope, point.made_id)
        else:
            ec2.finish_snapshot(scope, point.made_id)
        point.status, point.completed_at = "COMPLETED", self.cloud.now
        job.ended_at, job.message_category = self.cloud.now, behaviour.message_category
        self.enter(scope, job, "COMPLETED", message=behaviour.message)
        if point.delete_at is not None:
            spread = timedelta(seconds=self.cloud.random.randint(0, DELETION_SPREAD_SECONDS))
            self.cloud.kernel.at(point.delete_at + spread, self._retire, scope, point.arn)

    def _retire(self, scope: Scope, arn: str) -> None:
        """The end of a point's lifecycle: it is deleted, or EXPIRED when its role may not do that any more."""
        point = self.region(scope).recovery_points.get(arn)
        if point is None:
            return
        if self._denial(scope, point.job, _deletions(point)):
            point.status = "EXPIRED"
            self.cloud.record(scope, "RecoveryPointExpired", recovery_point=arn, vault=point.job.vault)
        else:
            self.delete_point(scope, arn)

    def _overrun(self, scope: Scope, job: Job) -> None:
        if job.state == "RUNNING":
            message = "Backup job was cancelled: it did not complete within its completion window."
            self._end(scope, job, "ABORTED", message, "FAILURE")

    def abort(self, scope: Scope, job: Job) -> None:
        """End a job that has not ended as ABORTED."""
        if job.state not in ENDED:
            behaviour = self._behaviour(scope, job.resource_arn, job.resource_type)
            message = job.message or behaviour.message or "The backup job was aborted."
            self._end(scope, job, "ABORTED", message, "FAILURE")

    def _end(self, scope: Scope, job: Job, state: str, message: str, category: str) -> None:
        """End a job that leaves nothing behind."""
        point = self.region(scope).recovery_points.pop(job.recovery_point, None)
        if point is not None:
            self._remove_made(scope, point)
        job.ended_at = self.cloud.now
        job.message_category = category if category != "SUCCESS" else "FAILURE"
        job.recovery_point, job.snapshots, job.size_bytes = "", [], 0
        self.enter(scope, job, state, message=message)

    def enter(self, scope: Scope, job: Job, state: str, *, message: str = "") -> None:
        """Put a job into a state, and record it."""
        job.state = state
        job.message = message
        self.cloud.record(
            scope,
            "BackupJobStateChanged",
            job=job.job_id,
            resource=job.resource_arn,
            vault=job.vault,
            state=state,
            message_category=job.message_category,
            message=message,
            recovery_point=job.recovery_point,
            snapshots=[
                {"volume": volume, "snapshot": made, "started": job.started_at} for volume, made in job.snapshots
            ],
        )

    def _behaviour(self, scope: Scope, arn: str, kind: str) -> BackupBehaviour:
        """How the backup of a resource fares: a volume fares as its instance does, unless the world says otherwise."""
        ec2 = self.cloud.component(Ec2)
        identifier = arn.rpartition("/")[2]
        region = ec2.region(scope)
        owner = identifier
        if kind == "EBS":
            volume = region.volumes.get(identifier)
            owner = volume.instance_id if volume else ""
        instance = region.instances.get(owner)
        if instance is None:
            return BackupBehaviour()
        return instance.spec.volume_backups.get(identifier, instance.spec.backup)

    def delete_point(self, scope: Scope, arn: str) -> None:
        """Delete a recovery point with its image and snapshots; nothing when it is gone already."""
        point = self.region(scope).recovery_points.pop(arn, None)
        if point is not None:
            self._remove_made(scope, point)
            self.cloud.record(scope, "RecoveryPointDeleted", recovery_point=arn, vault=point.job.vault)

    def _remove_made(self, scope: Scope, point: RecoveryPoint) -> None:
        ec2 = self.cloud.component(Ec2)
        if point.job.resource_type == "EC2":
            ec2.remove_image(scope, point.made_id)
        else:
            ec2.remove_snapshot(scope, point.made_id)


def _deletions(point: RecoveryPoint) -> Calls:
    """The calls of EC2 with which a recovery point is deleted."""
    snapshots = [("DeleteSnapshot", {"SnapshotId": made}) for _, made in point.job.snapshots]
    return [
        *([("DeregisterImage", {"ImageId": point.made_id})] if point.job.resource_type == "EC2" else []),
        *snapshots,
    ]


def _encrypted(volumes: list[Volume]) -> bool:
    """A recovery point of EC2 inherits its volumes' encryption: it is encrypted when all of them are."""
    return bool(volumes) and all(volume.encrypted for volume in volumes)
