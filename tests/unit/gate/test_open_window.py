"""The open function, one case or more for each fault that it answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from .conftest import findings, lease
from .fake_aws import BACKUP, CYCLE, GATE, LANE, NAME, START, WINDOW, FakeAws, Json, client_error

OpenGate = Callable[..., Json]


def test_opens_for_proven_instances(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a", "b", "c")
    record = open_gate()
    assert (record["decision"], record["proven"], record["denied"]) == ("open", 3, 0)
    assert aws.window()["Enabled"] is True
    terms = lease(aws, CYCLE)
    assert terms["window_start"] == "2026-07-04T21:00:00Z"
    assert terms["window_end"] == "2026-07-05T00:00:00Z"
    assert terms["admit_until"] == "2026-07-04T23:00:00Z"
    assert aws.messages == []


def test_log_line_is_json_with_metrics(aws: FakeAws, open_gate: OpenGate, capsys: pytest.CaptureFixture[str]) -> None:
    aws.protect("a", "b", "c", "d")
    aws.add_instance("e")
    open_gate()
    (line,) = capsys.readouterr().out.splitlines()
    entry = json.loads(line)
    names = {metric["Name"] for metric in entry["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert names == {"Open", "Hold", "TargetsProven", "TargetsDenied", "TargetsUndecided"}
    assert (entry["Open"], entry["TargetsProven"], entry["TargetsDenied"]) == (1, 4, 1)
    assert entry["left_out"] == [["i-e", "denied", "no-backup-job", ""]]


@pytest.mark.parametrize("state", ["CREATED", "PENDING", "RUNNING"])
def test_f01_backup_still_running_is_undecided(aws: FakeAws, open_gate: OpenGate, state: str) -> None:
    aws.protect("a")
    aws.add_instance("b")
    aws.add_backup("b", state=state)
    assert open_gate()["decision"] == "open"
    assert findings(aws)["i-b"] == ("undecided", "backup-running")


@pytest.mark.parametrize(
    ("state", "reason"),
    [("FAILED", "backup-failed"), ("ABORTED", "backup-aborted"), ("EXPIRED", "backup-expired")],
)
def test_f02_failed_backup_is_denied_and_named(aws: FakeAws, open_gate: OpenGate, state: str, reason: str) -> None:
    aws.protect("a", "b", "c", "d")
    aws.add_instance("e")
    aws.add_backup("e", state=state, StatusMessage="no access to the key")
    assert open_gate()["decision"] == "open"
    assert findings(aws)["i-e"] == ("denied", reason)
    assert f"i-e  denied: {reason} no access to the key" in aws.messages[0]["Message"]


def test_f03_partial_backup_is_denied(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.add_instance("a")
    aws.add_backup("a", state="PARTIAL")
    open_gate()
    assert findings(aws)["i-a"] == ("denied", "backup-partial")


@pytest.mark.parametrize("category", ["VSSError", None])
def test_f04_completed_with_issues_is_denied(aws: FakeAws, open_gate: OpenGate, category: str | None) -> None:
    aws.add_instance("a")
    aws.add_backup("a", MessageCategory=category)
    open_gate()
    assert findings(aws)["i-a"] == ("denied", "backup-with-issues")


def test_f04_waived_category_is_proven(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.add_instance("a")
    aws.add_backup("a", MessageCategory="VSSError")
    assert open_gate(WAIVED_MESSAGE_CATEGORIES="Other,VSSError")["proven"] == 1


def test_f05_retry_that_completed_counts(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.add_instance("a")
    aws.add_backup("a", state="FAILED", at=BACKUP)
    aws.add_backup("a", at=BACKUP + timedelta(hours=1))
    aws.jobs.reverse()
    open_gate()
    assert findings(aws)["i-a"] == ("proven", "")


def test_f06_no_job_at_all_holds(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.add_instance("a")
    aws.add_instance("b")
    record = open_gate()
    assert (record["decision"], record["reason"]) == ("hold", "no-evidence")
    assert aws.window()["Enabled"] is False
    assert f"{LANE}{CYCLE}/open" not in aws.parameters
    assert lease(aws, CYCLE, "hold")["reason"] == "no-evidence"
    assert "hold because no-evidence" in aws.messages[0]["Message"]


def test_f07_other_resources_jobs_prove_nothing(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a")
    aws.instances["i-other"] = aws.instances.pop("i-a") | {"InstanceId": "i-other"}
    assert open_gate()["reason"] == "no-evidence"


def test_f08_target_without_a_job_is_denied(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a", "b", "c", "d")
    aws.add_instance("new")
    open_gate()
    assert findings(aws)["i-new"] == ("denied", "no-backup-job")


@pytest.mark.parametrize(("proven", "decision"), [(4, "open"), (3, "hold")])
def test_f08_coverage_at_its_edge(aws: FakeAws, open_gate: OpenGate, proven: int, decision: str) -> None:
    aws.protect(*"abcd"[:proven])
    for name in "vwxyz"[: 5 - proven]:
        aws.add_instance(name)
    assert open_gate()["decision"] == decision


def test_f09_failed_job_before_the_look_back_is_not_the_latest(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a")
    aws.add_backup("a", state="FAILED", at=GATE - timedelta(hours=13))
    open_gate()
    assert findings(aws)["i-a"] == ("proven", "")


@pytest.mark.parametrize(("hours", "minutes", "status"), [(12, 1, "denied"), (11, 59, "proven")])
def test_f10_look_back_counts_from_the_schedule_not_from_the_clock(
    aws: FakeAws, open_gate: OpenGate, hours: int, minutes: int, status: str
) -> None:
    aws.protect("b")
    aws.add_instance("a")
    aws.add_backup("a", at=GATE - timedelta(hours=hours, minutes=minutes))
    aws.now = GATE + timedelta(minutes=20)
    open_gate()
    assert findings(aws)["i-a"][0] == status


def test_f11_instants_of_other_offsets_are_the_same_instants(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a")
    aws.next_start = "2026-07-04T23:00+02:00"
    record = open_gate(scheduled="2026-07-04T22:30:00+02:00")
    assert record["cycle"] == CYCLE
    assert lease(aws, CYCLE)["window_start"] == "2026-07-04T21:00:00Z"


@pytest.mark.parametrize("stamp", ["2026-07-04T21:00Z", "2026-07-04T21:00:00.000Z", "2026-07-04T21:00Z[UTC]"])
def test_f11_next_execution_time_in_every_form_that_aws_writes(aws: FakeAws, open_gate: OpenGate, stamp: str) -> None:
    aws.protect("a")
    aws.next_start = stamp
    open_gate()
    assert lease(aws, CYCLE)["window_start"] == "2026-07-04T21:00:00Z"


def test_f11_time_without_offset_is_refused(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a")
    aws.next_start = "2026-07-04T21:00:00"
    with pytest.raises(ValueError, match="no UTC offset"):
        open_gate()
    assert f"{LANE}{CYCLE}/open" not in aws.parameters


def test_f17_volumes_jobs_do_not_stand_for_the_instance(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a")
    aws.add_instance("b")
    aws.jobs.append(aws.jobs[0] | {"ResourceArn": "arn:aws:ec2:eu-central-1:111111111111:volume/vol-a-b"})
    open_gate(BACKUP_RESOURCES="instances-and-volumes")
    assert findings(aws) == {"i-a": ("proven", ""), "i-b": ("denied", "no-backup-job")}


def test_volumes_mode_needs_a_job_for_every_volume(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.add_instance("a", volumes=("vol-1", "vol-2"))
    job = aws.add_backup("a")
    aws.jobs = [job | {"ResourceArn": "arn:aws:ec2:eu-central-1:111111111111:volume/vol-1-a"}]
    open_gate(BACKUP_RESOURCES="volumes")
    assert findings(aws)["i-a"] == ("denied", "no-backup-job")


@pytest.mark.parametrize("states", [("RUNNING", "FAILED"), ("FAILED", "RUNNING")])
def test_f02_a_volume_without_a_backup_denies_whatever_still_runs(
    aws: FakeAws, open_gate: OpenGate, states: tuple[str, str]
) -> None:
    aws.add_instance("a", volumes=("vol-1", "vol-2"))
    aws.jobs = [
        aws.add_backup("a", state=state)
        | {"ResourceArn": f"arn:aws:ec2:eu-central-1:111111111111:volume/vol-{number}-a"}
        for number, state in enumerate(states, 1)
    ]
    open_gate(BACKUP_RESOURCES="volumes")
    assert findings(aws)["i-a"] == ("denied", "backup-failed")


def test_f01_a_volume_whose_backup_still_runs_is_undecided(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.add_instance("a", volumes=("vol-1", "vol-2"))
    aws.jobs = [
        aws.add_backup("a", state=state)
        | {"ResourceArn": f"arn:aws:ec2:eu-central-1:111111111111:volume/vol-{number}-a"}
        for number, state in enumerate(("RUNNING", "COMPLETED"), 1)
    ]
    open_gate(BACKUP_RESOURCES="volumes")
    assert findings(aws)["i-a"] == ("undecided", "backup-running")


def test_f08_a_machine_without_volumes_has_no_backup_of_them(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a")
    aws.add_instance("b", volumes=())
    open_gate(BACKUP_RESOURCES="volumes")
    assert findings(aws)["i-b"] == ("denied", "no-backup-job")


def test_f18_lane_without_targets_holds(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a")
    aws.instances["i-a"]["Tags"][1]["Value"] = "True"
    assert open_gate()["reason"] == "no-targets"


def test_f20_window_name_that_does_not_match_fails_loudly(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a")
    aws.window()["Name"] = NAME.removesuffix("-eu-central-1")
    with pytest.raises(RuntimeError, match="found none"):
        open_gate()
    assert aws.window()["Enabled"] is False


def test_f20_window_of_another_id_fails_loudly(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.parameters[LANE + "window-id"] = "mw-00000000000000000"
    with pytest.raises(RuntimeError, match="expected one window"):
        open_gate()


def test_f21_window_beyond_the_first_page_is_found(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a")
    aws.windows.append({"WindowId": "mw-1", "Name": NAME + "-old", "Enabled": False})
    aws.windows.append({"WindowId": "mw-2", "Name": NAME + "-older", "Enabled": False})
    aws.parameters[LANE + "window-id"] = "mw-3"
    aws.windows.append({"WindowId": "mw-3", "Name": NAME, "Enabled": False})
    aws.windows.pop(0)
    assert open_gate()["decision"] == "open"
    assert [w["Enabled"] for w in aws.windows] == [False, False, True]


def test_f22_two_windows_of_one_name_are_refused(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a")
    aws.windows.append({"WindowId": "mw-2", "Name": NAME, "Enabled": False})
    with pytest.raises(RuntimeError, match="mw-2"):
        open_gate()


@pytest.mark.parametrize("start", [START + timedelta(days=7), GATE + timedelta(minutes=181), None])
def test_f25_window_that_is_not_due_holds_and_stays_disabled(
    aws: FakeAws, open_gate: OpenGate, start: datetime | None
) -> None:
    aws.protect("a")
    aws.next_start = start.isoformat() if start else None
    record = open_gate()
    assert (record["decision"], record["reason"]) == ("hold", "window-not-due")
    assert aws.window()["Enabled"] is False


@pytest.mark.parametrize(
    ("due", "told"),
    [
        (None, True),
        (START, True),
        (GATE + timedelta(minutes=180), True),
        (GATE + timedelta(minutes=180, seconds=1), False),
        (START + timedelta(days=7), False),
        (START - timedelta(days=7), True),
    ],
)
def test_f25_a_gate_that_fires_more_often_than_its_window_is_silent_when_none_is_due(
    aws: FakeAws, open_gate: OpenGate, due: datetime | None, *, told: bool
) -> None:
    aws.protect("a")
    aws.next_start = (START + timedelta(days=7)).isoformat()
    if due is not None:
        aws.parameters[LANE + "due"] = due.isoformat()
    assert open_gate()["reason"] == "window-not-due"
    assert bool(aws.messages) is told
    assert aws.window()["Enabled"] is False


def test_f02_a_hold_for_another_reason_is_told_even_when_no_window_is_due(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.add_instance("a")
    aws.add_backup("a", state="FAILED")
    aws.parameters[LANE + "due"] = (START + timedelta(days=7)).isoformat()
    assert open_gate()["decision"] == "hold"
    assert len(aws.messages) == 1


def test_f25_lead_at_its_edge_opens(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a")
    aws.next_start = (GATE + timedelta(minutes=180)).isoformat()
    assert open_gate()["decision"] == "open"


@pytest.mark.parametrize("late", [timedelta(minutes=30), timedelta(hours=2), timedelta(hours=5)])
def test_f27_after_the_start_nothing_opens(aws: FakeAws, open_gate: OpenGate, late: timedelta) -> None:
    aws.protect("a")
    aws.now = GATE + late
    aws.next_start = (START + timedelta(days=7)).isoformat()
    assert open_gate()["reason"] == "window-not-due"


def test_f27_start_in_this_very_instant_is_too_late(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a")
    aws.now = START
    assert open_gate()["reason"] == "window-not-due"


def test_f28_duplicate_reads_and_obeys(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a")
    open_gate()
    before = dict(aws.parameters)
    aws.window()["Enabled"] = False  # somebody stopped the window by hand
    aws.jobs.clear()
    aws.messages.clear()
    record = open_gate()
    assert record == {"cycle": CYCLE, "decision": "open", "repeated": True}
    assert aws.parameters == before
    assert aws.window()["Enabled"] is False
    assert aws.messages == []


def test_f44_a_gate_that_could_not_tell_people_tells_them_on_its_next_try(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a", "b", "c", "d")
    aws.add_instance("e")
    aws.errors["publish"].append(client_error("AuthorizationError"))
    with pytest.raises(ClientError):
        open_gate()
    assert lease(aws, CYCLE)["left_out"] == 1
    assert open_gate()["repeated"] is True
    (message,) = aws.messages
    assert message["Subject"] == "patchgate open: ubuntu prd eu-central-1"
    assert message["Message"] == f"cycle {CYCLE}: instances left out: 1 ... and more: see the evidence"
    open_gate()
    assert len(aws.messages) == 1


def test_f28_a_duplicate_tells_nobody_again(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a", "b", "c", "d")
    aws.add_instance("e")
    open_gate()
    open_gate()
    assert len(aws.messages) == 1


def test_f28_duplicate_of_a_closed_cycle_opens_nothing(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a")
    aws.parameters[f"{LANE}{CYCLE}/closed"] = "{}"
    assert open_gate()["decision"] == "closed"
    assert aws.window()["Enabled"] is False


def test_f28_concurrent_gate_that_created_the_lease_first_is_obeyed(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a")
    first = {"verdict": "open", "cycle": CYCLE, "window_end": "2026-07-05T00:00:00Z", "by": "the other"}
    aws.before["put_parameter"] = lambda: aws.parameters.update({f"{LANE}{CYCLE}/open": json.dumps(first)})
    assert open_gate() == {"cycle": CYCLE, "decision": "open", "repeated": True}
    assert lease(aws, CYCLE) == first
    assert (aws.messages, f"{LANE}{CYCLE}/told" in aws.parameters) == ([], False)


def test_f28_who_lost_the_race_tells_whom_the_lease_in_force_leaves_out(aws: FakeAws, open_gate: OpenGate) -> None:
    """The first one may have died before it did: the second marks as told only what it has told."""
    aws.protect("a")
    first = {"verdict": "open", "cycle": CYCLE, "window_end": "2026-07-05T00:00:00Z", "left_out": 3}
    aws.before["put_parameter"] = lambda: aws.parameters.update({f"{LANE}{CYCLE}/open": json.dumps(first)})
    open_gate()
    (message,) = aws.messages
    assert message["Message"] == f"cycle {CYCLE}: instances left out: 3 ... and more: see the evidence"
    assert f"{LANE}{CYCLE}/told" in aws.parameters


def test_f28_hold_does_not_overrule_a_concurrent_open(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.add_instance("a")
    first = json.dumps({"verdict": "open", "window_end": "2026-07-05T00:00:00Z"})

    def other_gate() -> None:
        aws.parameters[f"{LANE}{CYCLE}/open"] = first
        aws.window()["Enabled"] = True

    aws.before["put_object"] = other_gate
    assert open_gate()["decision"] == "open"
    assert aws.window()["Enabled"] is True
    assert [key.rpartition("/")[2] for key in aws.objects] == ["hold.jsonl"]


def test_f28_hold_becomes_open_when_the_evidence_arrives(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.add_instance("a")
    assert open_gate()["decision"] == "hold"
    aws.add_backup("a")
    assert open_gate()["decision"] == "open"


@pytest.mark.parametrize(
    "operation",
    [
        "get_parameter",
        "describe_maintenance_windows",
        "get_parameters_by_path",
        "describe_instances",
        "describe_instance_information",
        "list_backup_jobs",
        "get_maintenance_window",
        "get_parameters",
    ],
)
def test_f29_failed_read_is_raised_and_leaves_no_lease(aws: FakeAws, open_gate: OpenGate, operation: str) -> None:
    aws.protect("a")
    aws.errors[operation].append(client_error("ThrottlingException"))
    with pytest.raises(ClientError, match="ThrottlingException"):
        open_gate()
    assert f"{LANE}{CYCLE}/open" not in aws.parameters


@pytest.mark.parametrize("operation", ["update_maintenance_window", "put_object", "put_parameter"])
def test_f30_failed_write_is_raised_and_a_retry_opens(aws: FakeAws, open_gate: OpenGate, operation: str) -> None:
    aws.protect("a")
    aws.errors[operation].append(client_error("ThrottlingException"))
    with pytest.raises(ClientError):
        open_gate()
    assert f"{LANE}{CYCLE}/open" not in aws.parameters
    assert open_gate()["decision"] == "open"


def test_f30_window_state_is_read_back(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a")
    aws.ignored.add("update_maintenance_window")
    with pytest.raises(RuntimeError, match=f"window {WINDOW} is not enabled=True"):
        open_gate()


def test_who_is_left_out_is_logged_before_the_lease(
    aws: FakeAws, open_gate: OpenGate, capsys: pytest.CaptureFixture[str]
) -> None:
    """A gate that dies once the lease is there is not asked again: its retry finds the lease."""
    aws.protect("a", "b", "c")
    aws.add_instance("d")
    aws.errors["put_parameter"].append(client_error("InternalServerError"))
    with pytest.raises(ClientError):
        open_gate(MINIMUM_COVERAGE_PERCENT="50")
    (line,) = capsys.readouterr().out.splitlines()
    said = json.loads(line)
    assert (said["decision"], [row[0] for row in said["left_out"]]) == ("open", ["i-d"])


def test_f30_lease_is_read_back(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a")
    aws.ignored.add("put_parameter")
    with pytest.raises(ClientError, match="ParameterNotFound"):
        open_gate()


def test_f38_offline_agent_is_named_and_counts_as_proven(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a", "b")
    aws.agents["i-a"] = "ConnectionLost"
    del aws.agents["i-b"]
    record = open_gate()
    assert (record["decision"], record["unreachable"]) == ("open", 2)
    assert findings(aws)["i-a"] == ("unreachable", "agent-offline")


def test_f39_stopped_instance_is_no_error_of_the_fleet(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a")
    for name in "bcd":
        aws.add_instance(name, state="stopped")
    assert open_gate()["decision"] == "open"
    assert findings(aws)["i-b"] == ("denied", "instance-not-running")


def test_instance_store_root_is_denied(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a")
    aws.instances["i-a"]["RootDeviceType"] = "instance-store"
    open_gate()
    assert findings(aws)["i-a"] == ("denied", "instance-store-root")


@pytest.mark.parametrize("name", ["/patchgate/freeze", LANE + "freeze"])
def test_f53_freeze_parameter_holds(aws: FakeAws, open_gate: OpenGate, name: str) -> None:
    aws.protect("a")
    aws.parameters[name] = "quarter end " + "x" * 4000
    record = open_gate()
    assert (record["decision"], record["reason"]) == ("hold", "frozen")
    assert record["detail"].startswith("quarter end")
    assert aws.window()["Enabled"] is False


@pytest.mark.parametrize(("closed", "decision"), [({"holidays"}, "hold"), (set(), "open")])
def test_f53_change_calendar(aws: FakeAws, open_gate: OpenGate, closed: set[str], decision: str) -> None:
    aws.protect("a")
    aws.closed_calendars = closed
    assert open_gate(FREEZE_CALENDARS="releases,holidays")["decision"] == decision


def test_f53_error_while_reading_the_freeze_opens_nothing(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a")
    aws.errors["get_calendar_state"].append(client_error("InvalidDocument"))
    with pytest.raises(ClientError):
        open_gate(FREEZE_CALENDARS="gone")
    assert f"{LANE}{CYCLE}/open" not in aws.parameters


def test_threshold_mode_counts_completed_jobs(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a", "b")
    record = open_gate(GATE_MODE="threshold")
    assert (record["decision"], record["reason"]) == ("hold", "threshold-not-met")
    aws.protect("c")
    assert open_gate(GATE_MODE="threshold")["decision"] == "open"


def test_threshold_mode_holds_for_one_job_that_is_not_completed(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a", "b", "c")
    aws.add_instance("d")
    aws.add_backup("d", state="FAILED")
    assert open_gate(GATE_MODE="threshold")["reason"] == "jobs-not-completed"


def test_f06_threshold_mode_without_any_job_names_it(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.add_instance("a")
    assert open_gate(GATE_MODE="threshold")["reason"] == "no-evidence"


def test_threshold_mode_without_running_targets_holds(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect("a", state="stopped")
    assert open_gate(GATE_MODE="threshold", BACKUP_JOB_THRESHOLD="1")["reason"] == "no-targets"


def test_message_stays_within_what_sns_takes(aws: FakeAws, open_gate: OpenGate) -> None:
    for number in range(1200):
        aws.add_instance(f"n{number}")
        aws.add_backup(f"n{number}", state="FAILED", StatusMessage="x" * 1000)
    aws.page_size = 1000
    open_gate()
    (message,) = aws.messages
    assert message["Message"].endswith("... and more: see the evidence")


def test_lists_are_read_once_whatever_the_number_of_targets(aws: FakeAws, open_gate: OpenGate) -> None:
    aws.protect(*(f"n{number}" for number in range(50)))
    open_gate()
    assert len(aws.calls) == 12
