"""The proof at the point of use: the first step of every instance's install runbook.

Reads the lease, the freezes, the instance, its recovery point and its volumes, and answers admit or deny with the
reason. Everything is read in one pass after `started`; `NotAfter` ends that proof's life: the step fails when it is
over by then, and the node refuses to install after it. Errors are raised: the step fails, and nothing is installed.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config

from patchgate.gate.rules import (
    Denied,
    Json,
    attached_volumes,
    check_agent,
    check_coverage,
    check_history,
    check_instance,
    check_job,
    check_lease,
    format_instant,
    is_newer,
    lane_tags,
    protected_resources,
    read_leases,
    recovered_snapshots,
)

RETRIES = Config(retries={"mode": "standard", "max_attempts": 8})


def script_handler(events: Json, context: Any) -> Json:  # noqa: ARG001 - the signature of script steps
    """The step: admits one instance or denies it, and writes the evidence before it answers."""
    proof = Proof(events)
    started = datetime.now(UTC)
    answer = {"Decision": "deny", "Reason": "", "Detail": "", "Cycle": "", "NotAfter": "0000000000"}
    try:
        answer["Cycle"], until = proof.lease(started)
        proof.check_freeze(started)
        answer["Detail"] = proof.recovery_points(started)
        not_after = min(until, started + timedelta(seconds=int(events["ProofMaxAgeSeconds"])))
        answer |= {"Decision": "admit", "NotAfter": str(int(not_after.timestamp()))}
    except Denied as denied:
        answer |= {"Reason": denied.reason, "Detail": denied.detail}
    proof.write_evidence(answer, started)
    if answer["Decision"] == "admit" and datetime.now(UTC).timestamp() >= int(answer["NotAfter"]):
        raise TimeoutError(f"the proof that began {format_instant(started)} is over: its reads took too long")
    return answer


class Proof:
    """What is read for one instance. `events` is the step's InputPayload."""

    def __init__(self, events: Json) -> None:
        self.given = events
        self.instance_id = events["InstanceId"]
        self.lane = (events["OperatingSystem"], events["Environment"])
        self.prefix = "/patchgate/{}/{}/".format(*self.lane)
        region = events["Region"]
        self.arn_prefix = f"arn:{events['Partition']}:ec2:{region}:{events['AccountId']}"
        self.ssm, self.ec2, self.backup, self.s3 = (
            boto3.client(service, region_name=region, config=RETRIES) for service in ("ssm", "ec2", "backup", "s3")
        )

    def lease(self, now: datetime) -> tuple[str, datetime]:
        """(cycle, admit_until) of the lease in force."""
        pages = self.ssm.get_paginator("get_parameters_by_path").paginate(Path=self.prefix, Recursive=True)
        return check_lease(read_leases([p for page in pages for p in page["Parameters"]], self.prefix), now)

    def check_freeze(self, now: datetime) -> None:
        """Raises Denied while a freeze parameter exists or a change calendar is closed."""
        frozen = self.ssm.get_parameters(Names=["/patchgate/freeze", self.prefix + "freeze"])["Parameters"]
        if frozen:
            raise Denied("frozen", frozen[0]["Value"][:200])
        calendars = [name for name in self.given["FreezeCalendars"].split(",") if name]
        if calendars:
            state = self.ssm.get_calendar_state(CalendarNames=calendars, AtTime=format_instant(now))
            if state["State"] != "OPEN":
                raise Denied("frozen", ", ".join(calendars))

    def recovery_points(self, now: datetime) -> str:
        """The recovery points that prove the instance, in words; raises Denied when they do not."""
        instance = self.instance()
        check_instance(instance, lane_tags(*self.lane))
        filters = [{"Key": "InstanceIds", "Values": [self.instance_id]}]
        check_agent(self.ssm.describe_instance_information(Filters=filters)["InstanceInformationList"])
        points: list[str] = []
        held: list[str] = []
        for arn in protected_resources(instance, self.arn_prefix, self.given["BackupResources"]):
            point = self.recovery_point(arn)
            points.append(point)
            held += recovered_snapshots(point, self.images(point))
        known = self.snapshots(held)
        maximum_age = timedelta(minutes=int(self.given["MaximumProofAgeMinutes"]))
        oldest = check_coverage(attached_volumes(self.instance()), held, known, now, maximum_age)
        return f"{' '.join(points)} of {format_instant(oldest)}"

    def instance(self) -> Json:
        """The instance as it is now; read a second time at the end, so that the volumes are the newest known."""
        by_id = [{"Name": "instance-id", "Values": [self.instance_id]}]
        found = self.ec2.describe_instances(Filters=by_id)["Reservations"]
        if not found:
            raise Denied("instance-not-running", "gone")
        instance: Json = found[0]["Instances"][0]
        return instance

    def recovery_point(self, arn: str) -> str:
        """The recovery point of a resource's newest job in the lane's vault, complete and still there."""
        vault, newest = self.given["BackupVaultName"], None
        jobs: list[Json] = []
        pages = self.backup.get_paginator("list_backup_jobs").paginate(ByResourceArn=arn, ByBackupVaultName=vault)
        for job in (job for page in pages for job in page["BackupJobs"]):
            jobs.append(job)
            newest = job if is_newer(job, newest) else newest
        check_history(jobs)
        point = check_job(newest, self.given["WaivedMessageCategories"].split(","))
        pages = self.backup.get_paginator("list_recovery_points_by_resource").paginate(ResourceArn=arn)
        kept = [p for page in pages for p in page["RecoveryPoints"] if p["BackupVaultName"] == vault]
        if point not in [p["RecoveryPointArn"] for p in kept]:
            raise Denied("recovery-point-gone", point)
        state = self.backup.describe_recovery_point(BackupVaultName=vault, RecoveryPointArn=point)["Status"]
        if state not in ("COMPLETED", "AVAILABLE"):
            raise Denied("recovery-point-incomplete", f"{point} is {state}")
        return point

    def images(self, point: str) -> dict[str, Json]:
        """image id -> the image behind a recovery point; empty when it has none."""
        identifier = point.rsplit("/", 1)[-1]
        if not identifier.startswith("ami-"):
            return {}
        found = self.ec2.describe_images(Filters=[{"Name": "image-id", "Values": [identifier]}])["Images"]
        return {image["ImageId"]: image for image in found}

    def snapshots(self, identifiers: list[str]) -> dict[str, Json]:
        """snapshot id -> snapshot, for those that still exist."""
        if not identifiers:
            return {}
        found = self.ec2.describe_snapshots(Filters=[{"Name": "snapshot-id", "Values": identifiers}])["Snapshots"]
        return {snapshot["SnapshotId"]: snapshot for snapshot in found}

    def write_evidence(self, answer: Json, started: datetime) -> None:
        """The answer and what it rests on, beside the verdict of its cycle."""
        given, cycle = self.given, answer["Cycle"] or "no-cycle"
        place = "/".join((*self.lane, given["AccountId"], given["Region"], cycle, self.instance_id))
        row = answer | {"InstanceId": self.instance_id, "ProofStarted": format_instant(started)}
        body = json.dumps(row | {"ExecutionId": given["ExecutionId"]}).encode()
        self.s3.put_object(Bucket=given["LogBucket"], Key=f"evidence/{place}.json", Body=body)
