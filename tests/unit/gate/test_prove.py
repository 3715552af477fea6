"""The proof at the point of use."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from .fake_aws import BACKUP, CYCLE, GATE, LANE, START, VAULT, FakeAws, Json, client_error

Prove = Callable[..., Json]


@pytest.fixture(autouse=True)
def opened(aws: FakeAws, open_gate: Callable[..., Json]) -> None:
    """A cycle that was opened for an instance with two volumes."""
    aws.add_instance("a", volumes=("vol-1", "vol-2"))
    aws.add_backup("a")
    open_gate()


def reason(answer: Json) -> str:
    assert answer["Decision"] == "deny"
    assert answer["NotAfter"] == "0000000000"
    return str(answer["Reason"])


def evidence(aws: FakeAws, cycle: str = CYCLE) -> Json:
    row: Json = json.loads(aws.objects[f"evidence/ubuntu/prd/111111111111/eu-central-1/{cycle}/i-a.json"])
    return row


def test_admits_a_proven_instance(aws: FakeAws, prove_instance: Prove) -> None:
    answer = prove_instance("a")
    assert (answer["Decision"], answer["Reason"], answer["Cycle"]) == ("admit", "", CYCLE)
    assert int(answer["NotAfter"]) == int((START + timedelta(minutes=5, seconds=120)).timestamp())
    assert evidence(aws)["Decision"] == "admit"
    assert evidence(aws)["ExecutionId"] == "execution-1"


def test_life_of_the_proof_ends_with_the_lease(aws: FakeAws, prove_instance: Prove) -> None:
    aws.now = START + timedelta(hours=2) - timedelta(seconds=10)
    assert int(prove_instance("a")["NotAfter"]) == int((START + timedelta(hours=2)).timestamp())


def test_f01_backup_that_finished_since_the_gate_is_proof(aws: FakeAws, prove_instance: Prove) -> None:
    aws.jobs[0]["State"] = "RUNNING"
    assert reason(prove_instance("a")) == "backup-running"
    aws.jobs[0]["State"] = "COMPLETED"
    assert prove_instance("a")["Decision"] == "admit"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"State": "FAILED"}, "backup-failed"),
        ({"State": "EXPIRED"}, "backup-expired"),
        ({"State": "ABORTED"}, "backup-aborted"),
        ({"State": "PARTIAL"}, "backup-partial"),
        ({"State": "SOMETHING_NEW"}, "backup-failed"),
        ({"MessageCategory": "VSSError"}, "backup-with-issues"),
        ({"RecoveryPointArn": None}, "recovery-point-gone"),
    ],
)
def test_f02_f03_f04_job_that_does_not_prove(aws: FakeAws, prove_instance: Prove, change: Json, expected: str) -> None:
    aws.jobs[0] |= change
    assert reason(prove_instance("a")) == expected


def test_f04_waived_category(aws: FakeAws, prove_instance: Prove) -> None:
    aws.jobs[0]["MessageCategory"] = "VSSError"
    assert prove_instance("a", WaivedMessageCategories="VSSError")["Decision"] == "admit"


def test_f08_no_job(aws: FakeAws, prove_instance: Prove) -> None:
    aws.jobs.clear()
    assert reason(prove_instance("a")) == "no-backup-job"


def test_f07_recovery_point_of_another_vault(aws: FakeAws, prove_instance: Prove) -> None:
    for point in aws.points.values():
        point["BackupVaultName"] = VAULT + "-copy"
    assert reason(prove_instance("a")) == "recovery-point-gone"


@pytest.mark.parametrize(("minutes", "decision"), [(0, "admit"), (1, "deny")])
def test_f13_age_counts_from_the_oldest_snapshot(
    aws: FakeAws, prove_instance: Prove, minutes: int, decision: str
) -> None:
    aws.now = START + timedelta(minutes=5)
    oldest = aws.snapshots["snap-vol-2-a-0"]
    oldest["StartTime"] = aws.now - timedelta(minutes=720 + minutes)
    answer = prove_instance("a")
    assert answer["Decision"] == decision
    if minutes:
        assert answer["Reason"] == "proof-too-old"


def test_f13_snapshot_from_the_future_is_no_proof(aws: FakeAws, prove_instance: Prove) -> None:
    for snapshot in aws.snapshots.values():
        snapshot["StartTime"] = START + timedelta(hours=1)
    assert reason(prove_instance("a")) == "proof-too-old"


@pytest.mark.parametrize("lost", ["points", "images", "snapshots"])
def test_f14_recovery_point_deleted_before_the_patch(aws: FakeAws, prove_instance: Prove, lost: str) -> None:
    getattr(aws, lost).clear()
    assert reason(prove_instance("a")) == "recovery-point-gone"


def test_f14_recovery_point_that_is_expiring(aws: FakeAws, prove_instance: Prove) -> None:
    for point in aws.points.values():
        point["Status"] = "DELETING"
    assert reason(prove_instance("a")) == "recovery-point-incomplete"


def test_f14_image_or_snapshot_not_complete(aws: FakeAws, prove_instance: Prove) -> None:
    aws.snapshots["snap-vol-1-a-0"]["State"] = "pending"
    assert reason(prove_instance("a")) == "recovery-point-incomplete"
    aws.images["ami-a-0"]["State"] = "pending"
    assert reason(prove_instance("a")) == "recovery-point-incomplete"


@pytest.mark.parametrize("status", ["attached", "attaching"])
def test_f16_volume_attached_after_the_backup(aws: FakeAws, prove_instance: Prove, status: str) -> None:
    aws.instances["i-a"]["BlockDeviceMappings"].append({"Ebs": {"VolumeId": "vol-new", "Status": status}})
    answer = prove_instance("a")
    assert reason(answer) == "volume-not-covered"
    assert answer["Detail"] == "vol-new"


def test_f16_volume_attached_while_the_proof_is_read(aws: FakeAws, prove_instance: Prove) -> None:
    mappings = aws.instances["i-a"]["BlockDeviceMappings"]
    aws.before["describe_snapshots"] = lambda: mappings.append({"Ebs": {"VolumeId": "vol-new"}})
    assert reason(prove_instance("a")) == "volume-not-covered"


def test_image_without_snapshots_is_no_proof(aws: FakeAws, prove_instance: Prove) -> None:
    aws.images["ami-a-0"]["BlockDeviceMappings"] = [{"VirtualName": "ephemeral0"}]
    assert reason(prove_instance("a")) == "volume-not-covered"


def test_f17_volumes_mode_reads_each_volumes_own_recovery_point(aws: FakeAws, prove_instance: Prove) -> None:
    job = aws.jobs.pop()
    aws.points.clear()
    for volume in ("vol-1-a", "vol-2-a"):
        arn = f"arn:aws:ec2:eu-central-1:111111111111:volume/{volume}"
        point = f"arn:aws:ec2:eu-central-1::snapshot/snap-{volume}-0"
        aws.jobs.append(job | {"ResourceArn": arn, "RecoveryPointArn": point})
        aws.points[point] = {"BackupVaultName": VAULT, "Status": "AVAILABLE", "ResourceArn": arn}
    assert prove_instance("a", BackupResources="volumes")["Decision"] == "admit"
    aws.jobs.pop()
    assert reason(prove_instance("a", BackupResources="volumes")) == "no-backup-job"


def test_f23_without_a_lease_nothing_is_admitted(aws: FakeAws, prove_instance: Prove) -> None:
    del aws.parameters[f"{LANE}{CYCLE}/open"]
    aws.parameters[f"{LANE}{CYCLE}/hold"] = "{}"
    answer = prove_instance("a")
    assert reason(answer) == "no-lease"
    assert evidence(aws, "no-cycle")["Reason"] == "no-lease"


def test_f31_lease_expires_by_itself(aws: FakeAws, prove_instance: Prove) -> None:
    aws.now = START + timedelta(hours=2)
    assert reason(prove_instance("a")) == "lease-expired"


def test_f32_closed_lease_admits_nothing(aws: FakeAws, prove_instance: Prove) -> None:
    aws.parameters[f"{LANE}{CYCLE}/closed"] = "{}"
    assert reason(prove_instance("a")) == "lease-closed"


def test_f25_before_the_window_nothing_is_admitted(aws: FakeAws, prove_instance: Prove) -> None:
    aws.now = GATE + timedelta(minutes=10)
    assert reason(prove_instance("a")) == "window-not-started"


def test_lease_that_is_not_one_is_an_error(aws: FakeAws, prove_instance: Prove) -> None:
    terms = json.loads(aws.parameters[f"{LANE}{CYCLE}/open"])
    aws.parameters[f"{LANE}{CYCLE}/open"] = json.dumps(terms | {"cycle": "20260101T000000Z"})
    with pytest.raises(ValueError, match="is not a lease"):
        prove_instance("a")


def test_newest_lease_counts(aws: FakeAws, prove_instance: Prove) -> None:
    old = json.loads(aws.parameters[f"{LANE}{CYCLE}/open"]) | {"cycle": "20260627T203000Z"}
    aws.parameters[f"{LANE}20260627T203000Z/open"] = json.dumps(old | {"admit_until": "2026-06-27T23:00:00Z"})
    assert prove_instance("a")["Decision"] == "admit"


@pytest.mark.parametrize("ping", ["ConnectionLost", "Inactive"])
def test_f38_agent_that_does_not_answer(aws: FakeAws, prove_instance: Prove, ping: str) -> None:
    aws.agents["i-a"] = ping
    answer = prove_instance("a")
    assert (reason(answer), answer["Detail"]) == ("agent-offline", ping)


def test_f38_instance_without_an_agent(aws: FakeAws, prove_instance: Prove) -> None:
    aws.agents.clear()
    assert reason(prove_instance("a")) == "agent-offline"


@pytest.mark.parametrize(
    ("version", "decision"),
    [("3.0.502.0", "admit"), ("3.3.10.0", "admit"), ("3.0.431.0", "deny"), ("2.9.999.0", "deny"), (None, "deny")],
)
def test_f38_agent_that_would_not_refuse_a_late_install(
    aws: FakeAws, prove_instance: Prove, version: str | None, decision: str
) -> None:
    aws.agent_version = version
    answer = prove_instance("a")
    assert answer["Decision"] == decision
    assert answer["Reason"] == ("" if decision == "admit" else "agent-too-old")


@pytest.mark.parametrize(
    ("platform", "decision"), [("Linux", "admit"), ("Windows", "admit"), ("MacOS", "deny"), ("", "deny")]
)
def test_f38_platform_on_which_nothing_refuses_a_late_install(
    aws: FakeAws, prove_instance: Prove, platform: str, decision: str
) -> None:
    aws.platform = platform
    answer = prove_instance("a")
    assert (answer["Decision"], answer["Reason"]) == (decision, "" if decision == "admit" else "agent-too-old")


def test_f39_instance_that_stopped(aws: FakeAws, prove_instance: Prove) -> None:
    aws.instances["i-a"]["State"]["Name"] = "stopping"
    assert reason(prove_instance("a")) == "instance-not-running"


def test_f39_instance_that_is_gone_is_denied_and_no_error(aws: FakeAws, prove_instance: Prove) -> None:
    del aws.instances["i-a"]
    answer = prove_instance("a")
    assert (reason(answer), answer["Detail"]) == ("instance-not-running", "gone")


def test_f43_instance_that_left_the_lane(aws: FakeAws, prove_instance: Prove) -> None:
    aws.instances["i-a"]["Tags"] = []
    answer = prove_instance("a")
    assert reason(answer) == "not-in-lane"
    assert answer["Detail"] == "PatchGroup, ToBackupAndPatch"


@pytest.mark.parametrize("name", ["/patchgate/freeze", LANE + "freeze"])
def test_f53_freeze_after_the_gate(aws: FakeAws, prove_instance: Prove, name: str) -> None:
    aws.parameters[name] = "incident 7"
    answer = prove_instance("a")
    assert reason(answer) == "frozen"
    assert answer["Detail"] == "incident 7"


def test_f53_change_calendar(aws: FakeAws, prove_instance: Prove) -> None:
    assert prove_instance("a", FreezeCalendars="holidays")["Decision"] == "admit"
    aws.closed_calendars = {"holidays"}
    assert reason(prove_instance("a", FreezeCalendars="holidays")) == "frozen"


def test_f55_f56_node_is_told_when_the_proof_ends(aws: FakeAws, prove_instance: Prove) -> None:
    late = prove_instance("a", ProofMaxAgeSeconds="30")
    assert int(late["NotAfter"]) == int(aws.now.timestamp()) + 30


@pytest.mark.parametrize(("seconds", "fails"), [(119, False), (120, True), (600, True)])
def test_f29_a_proof_that_is_over_before_its_reads_are_admits_nothing(
    aws: FakeAws, prove_instance: Prove, seconds: int, fails: bool
) -> None:
    """The node would refuse it, if its clock is right."""

    def pass_by() -> None:
        aws.now += timedelta(seconds=seconds)

    aws.before["put_object"] = pass_by
    if fails:
        with pytest.raises(TimeoutError, match="is over: its reads took too long"):
            prove_instance("a")
    else:
        assert prove_instance("a")["Decision"] == "admit"


def test_f29_a_denial_may_take_its_time(aws: FakeAws, prove_instance: Prove) -> None:
    def pass_by() -> None:
        aws.now += timedelta(seconds=600)

    aws.before["put_object"] = pass_by
    aws.jobs.clear()
    assert reason(prove_instance("a")) == "no-backup-job"


def test_f58_backups_that_are_aborted_time_after_time(aws: FakeAws, prove_instance: Prove) -> None:
    aws.jobs[0] |= {"State": "ABORTED", "StatusMessage": "completion window exceeded"}
    aws.add_backup("a", state="COMPLETED", at=BACKUP - timedelta(days=7))
    assert reason(prove_instance("a")) == "backup-aborted"
    aws.jobs[1]["State"] = "ABORTED"
    answer = prove_instance("a")
    assert reason(answer) == "backup-never-finishes"
    assert answer["Detail"] == "completion window exceeded"


@pytest.mark.parametrize(
    "operation",
    [
        "get_parameters_by_path",
        "get_parameters",
        "describe_instances",
        "describe_instance_information",
        "list_backup_jobs",
        "list_recovery_points_by_resource",
        "describe_recovery_point",
        "describe_images",
        "describe_snapshots",
        "put_object",
    ],
)
def test_f29_any_error_is_raised(aws: FakeAws, prove_instance: Prove, operation: str) -> None:
    aws.errors[operation].append(client_error("AccessDenied"))
    with pytest.raises(ClientError, match="AccessDenied"):
        prove_instance("a")


def test_a_proof_is_eleven_calls(aws: FakeAws, prove_instance: Prove) -> None:
    aws.calls.clear()
    prove_instance("a")
    assert len(aws.calls) == 11
