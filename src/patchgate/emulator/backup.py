"""AWS Backup: what can be asked of jobs and recovery points.

https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Operations_AWS_Backup.html

Whether lists come newest first is decided by ``Assumptions.backup_lists_are_newest_first``.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from datetime import timedelta
from typing import TYPE_CHECKING

from patchgate.emulator.backup_jobs import STOPPING, Jobs
from patchgate.emulator.backup_requests import check_lifecycle, check_windows, page, required
from patchgate.emulator.backup_resources import (
    COMPLETION_WINDOW_MINUTES,
    ENDED,
    START_WINDOW_MINUTES,
    Job,
    RecoveryPoint,
    Shape,
)
from patchgate.emulator.cloud import Params, Result, Scope, operation
from patchgate.emulator.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

REMEMBERED = timedelta(days=30)
STATES = ("CREATED", "PENDING", "RUNNING", "ABORTING", *ENDED)


class Backup(Jobs):
    """The operations of AWS Backup."""

    @operation("StartBackupJob")
    def start_backup_job(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_StartBackupJob.html

        As documented, its CompleteWindowMinutes count from the job's creation.
        """
        self.vault(scope, params)
        arn, role = required(params, "ResourceArn"), required(params, "IamRoleArn")
        start = params.get("StartWindowMinutes", START_WINDOW_MINUTES)
        complete = params.get("CompleteWindowMinutes", COMPLETION_WINDOW_MINUTES)
        check_windows(start, complete)
        check_lifecycle(params.get("Lifecycle") or {})
        found = self.candidate(scope, arn)
        if found is None:
            raise AwsError("ResourceNotFoundException", f"The resource {arn} cannot be found.")
        job = self.new_job(scope, found, params["BackupVaultName"], role)
        job.start_by = self.cloud.now + timedelta(minutes=start)
        job.complete_within, job.complete_from_creation = timedelta(minutes=complete), True
        job.lifecycle = dict(params.get("Lifecycle") or {})
        job.recovery_point_tags = dict(params.get("RecoveryPointTags") or {})
        job.options = dict(params.get("BackupOptions") or {})
        self.begin(scope.as_principal(""), job)
        return {"BackupJobId": job.job_id, "CreationDate": job.created_at, "IsParent": False}

    @operation("StopBackupJob")
    def stop_backup_job(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_StopBackupJob.html"""
        job = self._job_of(scope, params)
        if job.state in (*ENDED, "ABORTING"):
            raise AwsError("InvalidRequestException", f"Backup job {job.job_id} is {job.state} and cannot be stopped.")
        self.enter(scope, job, "ABORTING", message="The backup job was stopped by a user.")
        self.cloud.kernel.after(STOPPING, self.abort, scope.as_principal(""), job)
        return {}

    @operation("DescribeBackupJob")
    def describe_backup_job(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DescribeBackupJob.html"""
        return self._job_of(scope, params).shape()

    @operation("ListBackupJobs")
    def list_backup_jobs(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListBackupJobs.html

        Jobs of the last 30 days. A page's token holds its place when new jobs are made meanwhile.
        """
        size = int(params.get("MaxResults") or 1000)
        if not 1 <= size <= 1000:
            raise AwsError("InvalidParameterValueException", "MaxResults must be between 1 and 1000.")
        region = self.region(scope)
        jobs = region.jobs
        newest_first = self.cloud.assumptions.backup_lists_are_newest_first
        oldest = self.cloud.now - REMEMBERED
        tests = _job_tests(params)
        found: list[Shape] = []
        of_resource = params.get("ByResourceArn")
        places: Sequence[int] = region.places.get(of_resource, []) if of_resource else range(len(jobs))
        if newest_first:
            places = places[: bisect_left(places, _place(params, "before", len(jobs)))][::-1]
        else:
            places = places[bisect_left(places, _place(params, "after", -1) + 1) :]
        for place in places:
            job = jobs[place]
            if job.created_at < oldest:
                if newest_first:
                    break
                continue
            if all(test(job) for test in tests):
                found.append(job.shape())
                if len(found) == size and place != places[-1]:
                    return {"BackupJobs": found, "NextToken": f"{'before' if newest_first else 'after'}-{place}"}
        return {"BackupJobs": found}

    @operation("ListRecoveryPointsByResource")
    def list_recovery_points_by_resource(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListRecoveryPointsByResource.html"""
        arn = required(params, "ResourceArn")
        region = self.region(scope)
        made = [region.jobs[place].recovery_point for place in region.places.get(arn, ())]
        points = self._in_order(region.recovery_points[one] for one in made if one in region.recovery_points)
        return page([point.by_resource() for point in points], params, into="RecoveryPoints")

    @operation("ListRecoveryPointsByBackupVault")
    def list_recovery_points_by_backup_vault(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListRecoveryPointsByBackupVault.html"""
        vault = self.vault(scope, params)
        tests: dict[str, Callable[[RecoveryPoint], bool]] = {
            "ByResourceArn": lambda point: point.job.resource_arn == params["ByResourceArn"],
            "ByResourceType": lambda point: point.job.resource_type == params["ByResourceType"],
            "ByBackupPlanId": lambda point: point.job.created_by.get("BackupPlanId") == params["ByBackupPlanId"],
            "ByCreatedBefore": lambda point: point.created_at < params["ByCreatedBefore"],
            "ByCreatedAfter": lambda point: point.created_at > params["ByCreatedAfter"],
            "ByParentRecoveryPointArn": lambda _: False,
        }
        wanted = [test for name, test in tests.items() if params.get(name)]
        points = [
            point
            for point in self._points(scope)
            if point.job.vault == vault.name and all(test(point) for test in wanted)
        ]
        return page([point.by_vault() for point in points], params, into="RecoveryPoints")

    @operation("DescribeRecoveryPoint")
    def describe_recovery_point(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DescribeRecoveryPoint.html"""
        return self._point_of(scope, params).by_vault() | {"StorageClass": "WARM"}

    @operation("DeleteRecoveryPoint")
    def delete_recovery_point(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/aws-backup/latest/devguide/API_DeleteRecoveryPoint.html

        The image is deregistered, its snapshots are deleted.
        """
        point = self._point_of(scope, params)
        if point.status == "CREATING":
            raise AwsError("InvalidRequestException", f"Recovery point {point.arn} is still being created.")
        if self.vault(scope, params).lock is not None:
            raise AwsError("InvalidRequestException", f"Backup vault {point.job.vault} is locked: {point.arn} stays.")
        self.delete_point(scope, point.arn)
        return {}

    def _points(self, scope: Scope) -> list[RecoveryPoint]:
        return self._in_order(self.region(scope).recovery_points.values())

    def _in_order(self, points: Iterable[RecoveryPoint]) -> list[RecoveryPoint]:
        newest_first = self.cloud.assumptions.backup_lists_are_newest_first
        return sorted(points, key=lambda point: (point.created_at, point.job.serial), reverse=newest_first)

    def _point_of(self, scope: Scope, params: Params) -> RecoveryPoint:
        vault, arn = self.vault(scope, params), required(params, "RecoveryPointArn")
        point = self.region(scope).recovery_points.get(arn)
        if point is None or point.job.vault != vault.name:
            raise AwsError("ResourceNotFoundException", f"Recovery point {arn} cannot be found in {vault.name}.")
        return point

    def _job_of(self, scope: Scope, params: Params) -> Job:
        job = self.region(scope).job_ids.get(required(params, "BackupJobId"))
        if job is None:
            raise AwsError("ResourceNotFoundException", f"Backup job {params['BackupJobId']} does not exist.")
        return job


def _place(params: Params, side: str, beginning: int) -> int:
    """The place of the job on whose one side ("before", "after") a page goes on; ``beginning`` without a token."""
    token = params.get("NextToken")
    if token is None:
        return beginning
    match = re.fullmatch(rf"{side}-(\d+)", str(token))
    if match is None or (side == "before" and not 0 < int(match[1]) <= beginning):
        raise AwsError("InvalidParameterValueException", "The specified NextToken is not valid.")
    return int(match[1])


def _job_tests(params: Params) -> list[Callable[[Job], bool]]:
    """What the By... parameters of ListBackupJobs ask of a job."""
    state = params.get("ByState")
    if state and state not in STATES:
        raise AwsError("InvalidParameterValueException", f"Invalid job state: {state}")
    tests: dict[str, Callable[[Job], bool]] = {
        "ByState": lambda job: job.state == state,
        "ByBackupVaultName": lambda job: job.vault == params["ByBackupVaultName"],
        "ByResourceArn": lambda job: job.resource_arn == params["ByResourceArn"],
        "ByResourceType": lambda job: params["ByResourceType"] in ("*", job.resource_type),
        "ByAccountId": lambda job: params["ByAccountId"] in ("*", job.account),
        "ByCreatedBefore": lambda job: job.created_at < params["ByCreatedBefore"],
        "ByCreatedAfter": lambda job: job.created_at > params["ByCreatedAfter"],
        "ByCompleteBefore": lambda job: job.ended_at is not None and job.ended_at < params["ByCompleteBefore"],
        "ByCompleteAfter": lambda job: job.ended_at is not None and job.ended_at > params["ByCompleteAfter"],
        "ByMessageCategory": lambda job: params["ByMessageCategory"] in ("*", job.message_category),
        "ByParentJobId": lambda _: False,
    }
    return [test for name, test in tests.items() if params.get(name)]
