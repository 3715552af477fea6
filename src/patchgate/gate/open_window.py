"""The open function: after the backups and before the window, decides whether the lane's window may patch.

It enables the window, reads back when it will run, writes the evidence, and creates the lease; without a lease
nothing is installed, so a crash anywhere leaves the cycle closed. Errors are raised, never caught: Lambda retries,
and a retry reads what is there and goes on.
"""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config

from patchgate.gate.rules import (
    Denied,
    Finding,
    Json,
    Verdict,
    check_instance,
    check_job,
    cycle_key,
    decide_coverage,
    decide_threshold,
    format_instant,
    is_newer,
    is_unfinished,
    lane_tags,
    metrics_line,
    parse_instant,
    protected_resources,
    read_leases,
    window_times,
)

RETRIES = Config(retries={"mode": "standard", "max_attempts": 8})
JOB_FIELDS = ("BackupJobId", "CreationDate", "State", "MessageCategory", "StatusMessage", "RecoveryPointArn")
MESSAGE_BYTES = 200_000  # SNS takes 262,144


def handler(event: Json, context: Any) -> Json:
    """One invocation by EventBridge Scheduler; returns the verdict as it is logged."""
    lane, now = Lane(os.environ, context.invoked_function_arn), datetime.now(UTC)
    scheduled = parse_instant(event["scheduled_time"])
    cycle = cycle_key(scheduled)
    window_id = lane.window_id()
    lease = lane.leases().get(cycle, {})
    if "open" in lease or "closed" in lease:
        return lane.obey(cycle, lease)
    findings, states = lane.findings(scheduled)
    verdict = lane.decide(findings, states)
    times: Sequence[datetime] = ()
    try:
        if verdict.decision == "open":
            times = window_times(lane.enable_window(window_id, enabled=True), scheduled, datetime.now(UTC), lane.lead)
            lane.check_freeze(times[0])
    except Denied as denied:
        verdict = Verdict("hold", denied.reason, denied.detail)
    record = lane.record(cycle, window_id, verdict, findings, now)
    lane.write_evidence(cycle, record, findings)
    if verdict.decision == "open":
        lane.report(record, findings)  # whoever dies after the lease is there has said whom it leaves out
        record["lease"] = lane.create_lease(cycle, record, times)
        if not record["lease"]:
            return lane.obey(cycle, lane.leases()[cycle])
    else:
        lease = lane.leases().get(cycle, {})
        if "open" in lease:
            return lane.obey(cycle, lease)
        lane.enable_window(window_id, enabled=False)
        lane.write_hold(cycle, record)
        lane.report(record, findings)
    if verdict.reason != "window-not-due" or lane.is_due(scheduled):
        lane.notify(record, findings)
    if record.get("lease", {}).get("left_out"):
        lane.mark_told(cycle)
    return record


def standing(instance: Json, tags: dict[str, str]) -> Denied | None:
    """What speaks against an instance before its backup is looked at; all that is kept of it."""
    try:
        check_instance(instance, tags)
    except Denied as denied:
        return denied
    return None


class Lane:
    """The lane as the function's environment describes it, and its AWS."""

    def __init__(self, environment: Mapping[str, str], arn: str) -> None:
        self.env = environment
        self.os, self.stage = environment["OPERATING_SYSTEM"], environment["ENVIRONMENT"]
        _, partition, _, self.region, self.account, *_ = arn.split(":")
        self.arn_prefix = f"arn:{partition}:ec2:{self.region}:{self.account}"
        self.prefix = f"/patchgate/{self.os}/{self.stage}/"
        self.lead = timedelta(minutes=int(environment["MAXIMUM_LEAD_MINUTES"]))
        self.ssm, self.ec2, self.backup, self.s3, self.sns = (
            boto3.client(service, config=RETRIES) for service in ("ssm", "ec2", "backup", "s3", "sns")
        )

    def window_id(self) -> str:
        """The id that the patch stack wrote; raises unless exactly that window carries the lane's name."""
        window_id = self.ssm.get_parameter(Name=self.prefix + "window-id")["Parameter"]["Value"]
        name = self.env["MAINTENANCE_WINDOW_NAME"]
        pages = self.ssm.get_paginator("describe_maintenance_windows").paginate(
            Filters=[{"Key": "Name", "Values": [name]}]
        )
        named = [w["WindowId"] for page in pages for w in page["WindowIdentities"] if w["Name"] == name]
        if named != [window_id]:
            raise RuntimeError(f"expected one window {name} with id {window_id}, found {named or 'none'}")
        return window_id

    def leases(self) -> dict[str, dict[str, str]]:
        """Every lease of the lane that is kept."""
        pages = self.ssm.get_paginator("get_parameters_by_path").paginate(Path=self.prefix, Recursive=True)
        return read_leases([p for page in pages for p in page["Parameters"]], self.prefix)

    def obey(self, cycle: str, lease: Mapping[str, str]) -> Json:
        """A duplicate or late invocation changes nothing: what the first one decided is in force.

        When that one died before people were told whom it left out, they are told where to look.
        """
        left_out = json.loads(lease.get("open", "{}")).get("left_out")
        if left_out and "told" not in lease:
            self.publish("open", f"cycle {cycle}: instances left out: {left_out} ... and more: see the evidence")
            self.mark_told(cycle)
        return self.report({"cycle": cycle, "decision": "closed" if "closed" in lease else "open", "repeated": True})

    def mark_told(self, cycle: str) -> None:
        """Remember that people were told whom a verdict leaves out."""
        self.ssm.put_parameter(Name=f"{self.prefix}{cycle}/told", Value="gate", Type="String", Overwrite=True)

    def parameters(self, *names: str) -> list[str]:
        """The values of those parameters that exist."""
        return [found["Value"] for found in self.ssm.get_parameters(Names=names)["Parameters"]]

    def is_due(self, scheduled: datetime) -> bool:
        """Whether a window may be due: the watchdog does not know that the next one is for a later gate."""
        remembered = self.parameters(self.prefix + "due")
        return not any(parse_instant(due.partition(" ")[0]) > scheduled + self.lead for due in remembered)

    def check_freeze(self, at: datetime) -> None:
        """Raises Denied while a freeze parameter exists or a change calendar is closed at that instant."""
        for frozen in self.parameters("/patchgate/freeze", self.prefix + "freeze"):
            raise Denied("frozen", frozen[:200])
        calendars = [name for name in self.env["FREEZE_CALENDARS"].split(",") if name]
        if calendars:
            state = self.ssm.get_calendar_state(CalendarNames=calendars, AtTime=format_instant(at))
            if state["State"] != "OPEN":
                raise Denied("frozen", ", ".join(calendars))

    def findings(self, scheduled: datetime) -> tuple[list[Finding], list[str]]:
        """A finding for every instance with the lane's tags, and the states of their newest backup jobs."""
        tags, agents = lane_tags(self.os, self.stage), self.agents()
        filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in tags.items()]
        filters.append({"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]})
        pages = self.ec2.get_paginator("describe_instances").paginate(
            Filters=filters, PaginationConfig={"PageSize": 1000}
        )
        targets = [
            (i["InstanceId"], standing(i, tags), protected_resources(i, self.arn_prefix, self.env["BACKUP_RESOURCES"]))
            for page in pages
            for r in page["Reservations"]
            for i in r["Instances"]
        ]
        jobs = self.newest_jobs({arn for _, _, arns in targets for arn in arns}, scheduled)
        found = [self.finding(*target, jobs, agents) for target in targets]
        return found, [job["State"] for job in jobs.values()]

    def finding(
        self, instance: str, denied: Denied | None, arns: list[str], jobs: dict[str, Json], agents: dict[str, str]
    ) -> Finding:
        """What is known of one instance: the first thing that speaks against it, or its recovery points.

        A backup that still runs speaks last. Without anything that is backed up there is no backup.
        """
        try:
            if denied:
                raise denied
            waived = self.env["WAIVED_MESSAGE_CATEGORIES"].split(",")
            found = sorted((jobs.get(arn) for arn in arns or [""]), key=is_unfinished)
            points = [check_job(job, waived) for job in found]
        except Denied as reason:
            status = "undecided" if reason.reason == "backup-running" else "denied"
            return Finding(instance, status, reason.reason, reason.detail[:200])
        if agents.get(instance) != "Online":
            return Finding(instance, "unreachable", "agent-offline", agents.get(instance, "not managed"))
        return Finding(instance, "proven", detail=" ".join(points))

    def newest_jobs(self, arns: set[str], scheduled: datetime) -> dict[str, Json]:
        """resource ARN -> its newest job since the look-back, which counts from the gate's schedule; streamed."""
        since = scheduled - timedelta(hours=int(self.env["LOOK_BACK_HOURS"]))
        pages = self.backup.get_paginator("list_backup_jobs").paginate(
            ByBackupVaultName=self.env["BACKUP_VAULT_NAME"],
            ByCreatedAfter=since,
            PaginationConfig={"PageSize": 1000},
        )
        newest: dict[str, Json] = {}
        for page in pages:
            for job in page["BackupJobs"]:
                arn = job["ResourceArn"]
                if arn in arns and is_newer(job, newest.get(arn)):
                    newest[arn] = {key: job[key] for key in JOB_FIELDS if key in job}
        return newest

    def agents(self) -> dict[str, str]:
        """instance id -> ping status of the lane's managed instances."""
        group = lane_tags(self.os, self.stage)["PatchGroup"]
        pages = self.ssm.get_paginator("describe_instance_information").paginate(
            Filters=[{"Key": "tag:PatchGroup", "Values": [group]}], PaginationConfig={"PageSize": 50}
        )
        return {i["InstanceId"]: i["PingStatus"] for page in pages for i in page["InstanceInformationList"]}

    def decide(self, findings: list[Finding], states: list[str]) -> Verdict:
        """The verdict of the configured mode."""
        if self.env["GATE_MODE"] == "threshold":
            return decide_threshold(findings, states, int(self.env["BACKUP_JOB_THRESHOLD"]))
        return decide_coverage(findings, int(self.env["MINIMUM_COVERAGE_PERCENT"]))

    def enable_window(self, window_id: str, *, enabled: bool) -> Json:
        """Set the window's state and read it back; raises when it is not what was asked for."""
        self.ssm.update_maintenance_window(WindowId=window_id, Enabled=enabled)
        window = self.ssm.get_maintenance_window(WindowId=window_id)
        if window["Enabled"] is not enabled:
            raise RuntimeError(f"window {window_id} is not enabled={enabled}")
        return window

    def record(self, cycle: str, window_id: str, verdict: Verdict, findings: list[Finding], now: datetime) -> Json:
        """The verdict as evidence, log line and message carry it."""
        statuses = [finding.status for finding in findings]
        return {
            "cycle": cycle,
            "lane": f"{self.account}/{self.region}/{self.os}/{self.stage}",
            **verdict._asdict(),
            "mode": self.env["GATE_MODE"],
            "window_id": window_id,
            "at": format_instant(now),
            "targets": len(findings),
            **{each: statuses.count(each) for each in ("proven", "denied", "undecided", "unreachable")},
            "gate": self.env["GATE_HASH"],
        }

    def write_evidence(self, cycle: str, record: Json, findings: list[Finding]) -> None:
        """The verdict and a row for every instance, as JSON lines in the log bucket."""
        rows = [record] + [finding._asdict() for finding in findings]
        key = f"evidence/{self.os}/{self.stage}/{self.account}/{self.region}/{cycle}/{record['decision']}.jsonl"
        body = "".join(json.dumps(row) + "\n" for row in rows)
        self.s3.put_object(Bucket=self.env["LOG_BUCKET"], Key=key, Body=body.encode())

    def create_lease(self, cycle: str, record: Json, times: Sequence[datetime]) -> Json:
        """Create the lease once, and read it back; returns its terms, none where a concurrent gate's was first."""
        start, end, until = (format_instant(t) for t in times)
        terms: Json = {"verdict": "open", "cycle": cycle, "window_id": record["window_id"], "window_start": start}
        terms |= {"window_end": end, "admit_until": until, "gate": record["gate"]}
        terms |= {"left_out": record["targets"] - record["proven"]}
        name = f"{self.prefix}{cycle}/open"
        try:
            self.ssm.put_parameter(Name=name, Value=json.dumps(terms), Type="String", Overwrite=False)
        except self.ssm.exceptions.ParameterAlreadyExists:
            return {}
        return json.loads(self.ssm.get_parameter(Name=name)["Parameter"]["Value"])

    def write_hold(self, cycle: str, record: Json) -> None:
        """Remember that this cycle was judged, so that the watchdog does not report it as missed."""
        name = f"{self.prefix}{cycle}/hold"
        self.ssm.put_parameter(Name=name, Value=json.dumps(record), Type="String", Overwrite=True)

    def notify(self, record: Json, findings: list[Finding]) -> None:
        """Tell people when the gate holds or somebody is left out; a lane in which all are proven is silent."""
        left_out = [f for f in findings if f.status != "proven"]
        if record["decision"] == "open" and not left_out:
            return
        why = f" because {record['reason']}" if record["reason"] else ""
        lines = [f"{record['lane']}, cycle {record['cycle']}: {record['decision']}{why}. {record['detail']}", ""]
        lines += [f"{f.instance}  {f.status}: {f.reason} {f.detail}" for f in left_out]
        while len("\n".join(lines).encode()) > MESSAGE_BYTES:
            lines = [*lines[: len(lines) // 2], "... and more: see the evidence"]
        self.publish(record["decision"], "\n".join(lines))

    def publish(self, decision: str, message: str) -> None:
        """Send a message to the lane's topic."""
        subject = f"patchgate {decision}: {self.os} {self.stage} {self.region}"
        self.sns.publish(TopicArn=self.env["TOPIC_ARN"], Subject=subject, Message=message)

    def report(self, record: Json, findings: Sequence[Finding] = ()) -> Json:
        """Print the one structured log line, with its metrics, and return the record."""
        metrics = {"Open": int(record["decision"] == "open"), "Hold": int(record["decision"] == "hold")}
        for name in ("proven", "denied", "undecided"):
            metrics[f"Targets{name.capitalize()}"] = record.get(name, 0)
        rows = [list(f) for f in findings if f.status != "proven"][:500]
        dimensions = {"OperatingSystem": self.os, "Environment": self.stage}
        print(metrics_line(record | {"left_out": rows}, dimensions, metrics, datetime.now(UTC)))
        return record
