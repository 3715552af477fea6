"""The gate's rules: what is evidence, who may be patched, what a lease admits. Pure: `now` is always passed in."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

Json = dict[str, Any]

# Every reason for which an instance or a whole cycle is not admitted, and the fault that it answers.
REASONS = {
    "agent-offline": "F38",
    "agent-too-old": "F38",
    "backup-aborted": "F02",
    "backup-expired": "F02",
    "backup-failed": "F02",
    "backup-never-finishes": "F58",
    "backup-partial": "F03",
    "backup-running": "F01",
    "backup-with-issues": "F04",
    "coverage-too-low": "F08",
    "frozen": "F53",
    "instance-not-running": "F39",
    "instance-store-root": "F08",
    "jobs-not-completed": "F02",
    "lease-closed": "F32",
    "lease-expired": "F31",
    "no-backup-job": "F08",
    "no-evidence": "F06",
    "no-lease": "F23",
    "no-targets": "F18",
    "not-in-lane": "F43",
    "proof-too-old": "F13",
    "recovery-point-gone": "F14",
    "recovery-point-incomplete": "F14",
    "threshold-not-met": "F02",
    "volume-not-covered": "F16",
    "window-not-due": "F27",
    "window-not-started": "F25",
}
_JOB_DENIALS = {
    "CREATED": "backup-running",
    "PENDING": "backup-running",
    "RUNNING": "backup-running",
    "ABORTING": "backup-aborted",
    "ABORTED": "backup-aborted",
    "EXPIRED": "backup-expired",
    "PARTIAL": "backup-partial",
}
CLOCK_SLACK = timedelta(minutes=1)
OLDEST_AGENT = (3, 0, 502)  # the first that stops a document where a step says `onFailure: exit`


class Finding(NamedTuple):
    """What the gate found of one instance: proven, denied, undecided, or unreachable (proven, but no agent)."""

    instance: str
    status: str
    reason: str = ""
    detail: str = ""


class Verdict(NamedTuple):
    """The decision for a lane and cycle: open or hold, and why it holds."""

    decision: str
    reason: str = ""
    detail: str = ""


class Denied(Exception):  # noqa: N818 - an answer, not a failure
    """An instance or a cycle is not admitted: a reason of `REASONS`, and the particulars."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


def parse_instant(text: str) -> datetime:
    """The instant that an ISO-8601 text names, as AWS writes them; one without an offset raises ValueError."""
    instant = datetime.fromisoformat(re.sub(r"\[[\w/+-]+\]$", "", text))
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no UTC offset")
    return instant.astimezone(UTC)


def format_instant(instant: datetime) -> str:
    """An instant as leases and evidence write it: UTC, whole seconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def cycle_key(scheduled: datetime) -> str:
    """The key of the cycle whose gate was scheduled at that instant."""
    return scheduled.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def lane_tags(operating_system: str, environment: str) -> dict[str, str]:
    """The tags that make an instance a target of the lane."""
    return {"PatchGroup": f"{operating_system}-patch-group-{environment}", "ToBackupAndPatch": "true"}


def tags_of(resource: Json) -> dict[str, str]:
    """An EC2 resource's tags as a map."""
    return {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}


def attached_volumes(instance: Json) -> set[str]:
    """The ids of all volumes in DescribeInstances' mappings, whatever their status: attaching ones count too."""
    return {m["Ebs"]["VolumeId"] for m in instance.get("BlockDeviceMappings", []) if "Ebs" in m}


def check_instance(instance: Json, tags: dict[str, str]) -> None:
    """Raises Denied unless the instance (as DescribeInstances gives it) is a running target of the lane."""
    have = tags_of(instance)
    wrong = sorted(key for key, value in tags.items() if have.get(key) != value)
    if wrong:
        raise Denied("not-in-lane", ", ".join(wrong))
    if instance["State"]["Name"] != "running":
        raise Denied("instance-not-running", instance["State"]["Name"])
    if instance.get("RootDeviceType") != "ebs":
        raise Denied("instance-store-root")


def check_agent(agents: Sequence[Json]) -> None:
    """Raises Denied unless DescribeInstanceInformation's answer for one instance shows an agent that can refuse."""
    if not agents or agents[0]["PingStatus"] != "Online":
        raise Denied("agent-offline", agents[0]["PingStatus"] if agents else "not managed")
    version = agents[0].get("AgentVersion", "")
    if [int(part) for part in re.findall(r"\d+", version)] < [*OLDEST_AGENT]:
        raise Denied("agent-too-old", version)
    if agents[0].get("PlatformType") not in ("Linux", "Windows"):  # the others skip the steps that refuse
        raise Denied("agent-too-old", f"{version} on {agents[0].get('PlatformType')}")


def protected_resources(instance: Json, arn_prefix: str, backup_resources: str) -> list[str]:
    """The ARNs whose recovery points prove the instance: its own, or each volume's where only those are backed up."""
    if backup_resources == "volumes":
        return [f"{arn_prefix}:volume/{volume}" for volume in sorted(attached_volumes(instance))]
    return [f"{arn_prefix}:instance/{instance['InstanceId']}"]


def is_newer(job: Json, other: Json | None) -> bool:
    """Whether a backup job was created after another one (None: there is no other)."""
    return other is None or job["CreationDate"] > other["CreationDate"]


def is_unfinished(job: Json | None) -> bool:
    """Whether a backup job may still complete."""
    return job is not None and _JOB_DENIALS.get(job["State"]) == "backup-running"


def check_job(job: Json | None, waived: Sequence[str]) -> str:
    """The recovery point's ARN of a resource's newest backup job; raises Denied unless it completed without issues."""
    if job is None:
        raise Denied("no-backup-job")
    state, issue = job["State"], job.get("MessageCategory") or "NONE"
    if state != "COMPLETED":
        raise Denied(_JOB_DENIALS.get(state, "backup-failed"), job.get("StatusMessage") or state)
    if issue != "SUCCESS" and issue not in waived:
        raise Denied("backup-with-issues", job.get("StatusMessage") or issue)
    if not job.get("RecoveryPointArn"):
        raise Denied("recovery-point-gone", job["BackupJobId"])
    return job["RecoveryPointArn"]


def check_history(jobs: Iterable[Json]) -> None:
    """Raises Denied when the two newest jobs of a resource were both aborted: a window too short aborts them all."""
    newest = sorted(jobs, key=lambda job: job["CreationDate"], reverse=True)[:2]
    if len(newest) == 2 and all(job["State"] in ("ABORTING", "ABORTED") for job in newest):
        raise Denied("backup-never-finishes", newest[0].get("StatusMessage") or "ABORTED")


def image_snapshots(image: Json) -> list[str]:
    """The snapshots that an image holds; ephemeral mappings have none."""
    disks = [mapping.get("Ebs", {}) for mapping in image.get("BlockDeviceMappings", [])]
    return [disk["SnapshotId"] for disk in disks if "SnapshotId" in disk]


def recovered_snapshots(recovery_point: str, images: Mapping[str, Json]) -> list[str]:
    """The snapshot ids behind a recovery point; raises Denied when it is gone. `images` maps image id to image."""
    identifier = recovery_point.rsplit("/", 1)[-1]
    if identifier.startswith("snap-"):
        return [identifier]
    image = images.get(identifier)
    if image is None:
        raise Denied("recovery-point-gone", identifier)
    if image["State"] != "available":
        raise Denied("recovery-point-incomplete", f"{identifier} is {image['State']}")
    return image_snapshots(image)


def check_coverage(
    volumes: set[str],
    identifiers: Sequence[str],
    snapshots: Mapping[str, Json],
    now: datetime,
    maximum_age: timedelta,
) -> datetime:
    """The oldest start of the snapshots; raises Denied unless all are complete, young enough and hold every volume.

    `snapshots` maps snapshot id to snapshot; the age counts from the oldest `StartTime`.
    """
    found = []
    for identifier in identifiers:
        snapshot = snapshots.get(identifier)
        if snapshot is None:
            raise Denied("recovery-point-gone", identifier)
        if snapshot["State"] != "completed":
            raise Denied("recovery-point-incomplete", f"{identifier} is {snapshot['State']}")
        found.append(snapshot)
    missing = sorted(volumes - {snapshot["VolumeId"] for snapshot in found})
    if missing or not found:
        raise Denied("volume-not-covered", ", ".join(missing) or "no volume at all")
    oldest = min(snapshot["StartTime"] for snapshot in found)
    if not -CLOCK_SLACK <= now - oldest <= maximum_age:
        raise Denied("proof-too-old", f"taken {format_instant(oldest)}")
    return oldest


def decide_coverage(findings: Sequence[Finding], minimum_percent: int) -> Verdict:
    """Open if enough of the running targets are proven, or have a backup still running."""
    running = [f for f in findings if f.reason != "instance-not-running"]
    covered = sum(f.status in ("proven", "undecided", "unreachable") for f in running)
    share = f"{covered} of {len(running)}"
    if not running:
        return Verdict("hold", "no-targets")
    if all(f.reason == "no-backup-job" for f in running):
        return Verdict("hold", "no-evidence", share)
    if covered * 100 < minimum_percent * len(running):
        return Verdict("hold", "coverage-too-low", f"{share}, {minimum_percent} % needed")
    return Verdict("open", detail=share)


def decide_threshold(findings: Sequence[Finding], states: Sequence[str], threshold: int) -> Verdict:
    """The source document's gate: enough completed jobs, and none that is not.

    `states` are those of each target's newest job.
    """
    completed = sum(state == "COMPLETED" for state in states)
    if findings and not states:
        return Verdict("hold", "no-evidence")
    if all(f.reason == "instance-not-running" for f in findings):
        return Verdict("hold", "no-targets")
    if completed < threshold:
        return Verdict("hold", "threshold-not-met", f"{completed} completed, {threshold} needed")
    if completed < len(states):
        return Verdict("hold", "jobs-not-completed", f"{len(states) - completed} of {len(states)}")
    return Verdict("open", detail=f"{completed} completed")


def window_times(
    window: Json, cycle: datetime, now: datetime, maximum_lead: timedelta
) -> tuple[datetime, datetime, datetime]:
    """(start, end, admit_until) of the occurrence that this gate opens; raises Denied when none is due.

    `window` is what GetMaintenanceWindow answers once enabled: without a next execution in the lead nothing opens.
    """
    upcoming = window.get("NextExecutionTime")
    if not window["Enabled"] or not upcoming:
        raise Denied("window-not-due", "it has no next execution")
    start = parse_instant(upcoming)
    if not now < start <= cycle + maximum_lead:
        raise Denied("window-not-due", f"its next start is {format_instant(start)}")
    end = start + timedelta(hours=window["Duration"])
    return start, end, end - timedelta(hours=window["Cutoff"])


def read_leases(parameters: Iterable[Json], prefix: str) -> dict[str, dict[str, str]]:
    """cycle -> {"open": text, "closed": text, "hold": text} from the parameters below the lane's prefix."""
    leases: dict[str, dict[str, str]] = {}
    for parameter in parameters:
        cycle, _, kind = parameter["Name"][len(prefix) :].partition("/")
        if kind:
            leases.setdefault(cycle, {})[kind] = parameter["Value"]
    return leases


def is_live(lease: Mapping[str, str], now: datetime) -> bool:
    """Whether a lease is open, not closed, and its window has not ended."""
    if "open" not in lease or "closed" in lease:
        return False
    return now < parse_instant(json.loads(lease["open"])["window_end"])


def check_lease(leases: Mapping[str, Mapping[str, str]], now: datetime) -> tuple[str, datetime]:
    """(cycle, admit_until) of the lease that admits installs now; raises Denied when none does."""
    opened = sorted(cycle for cycle, lease in leases.items() if "open" in lease)
    if not opened:
        raise Denied("no-lease")
    cycle, lease = opened[-1], leases[opened[-1]]
    terms = json.loads(lease["open"])
    start, until = parse_instant(terms["window_start"]), parse_instant(terms["admit_until"])
    if terms["verdict"] != "open" or terms["cycle"] != cycle:
        raise ValueError(f"the lease of {cycle} is not a lease")
    if "closed" in lease:
        raise Denied("lease-closed", f"cycle {cycle}")
    if now >= until:
        raise Denied("lease-expired", f"cycle {cycle}, at {terms['admit_until']}")
    if now < start - CLOCK_SLACK:
        raise Denied("window-not-started", f"cycle {cycle}, at {terms['window_start']}")
    return cycle, until


def metrics_line(record: Json, dimensions: dict[str, str], metrics: dict[str, int], now: datetime) -> str:
    """One log line: the record, and its metrics in CloudWatch's embedded metric format."""
    directive = {
        "Namespace": "patchgate",
        "Dimensions": [list(dimensions)],
        "Metrics": [{"Name": name, "Unit": "Count"} for name in metrics],
    }
    embedded = {"Timestamp": int(now.timestamp() * 1000), "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": embedded} | dimensions | metrics | record)
