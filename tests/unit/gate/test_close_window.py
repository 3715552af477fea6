"""The close function and the watchdog."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from patchgate.gate.rules import format_instant

from .fake_aws import CYCLE, GATE, LANE, START, WINDOW, FakeAws, Json, client_error

CloseGate = Callable[..., Json]
OpenGate = Callable[..., Json]
CLOSE = START + timedelta(hours=3, minutes=10)
NEXT_WEEK = "20260711T203000Z"
NEXT_START = "2026-07-11T21:00:00Z"
SCHEDULE = " cron(0 21 ? * SAT *) Etc/UTC None"
MISSED = f"no gate judged the window that was due at {NEXT_START}"
DUE = "2026-07-18T21:00:00Z"


@pytest.fixture(autouse=True)
def opened(aws: FakeAws, open_gate: OpenGate) -> None:
    """A cycle that was opened for one proven instance, whose proof was read."""
    aws.protect("a")
    open_gate()
    leave_proof(aws, "i-a")
    aws.now, aws.next_start = CLOSE, NEXT_START


def leave_proof(aws: FakeAws, instance: str) -> None:
    aws.objects[f"evidence/ubuntu/prd/111111111111/eu-central-1/{CYCLE}/{instance}.json"] = "{}"


def is_closed(aws: FakeAws, cycle: str = CYCLE) -> bool:
    return f"{LANE}{cycle}/closed" in aws.parameters


def add_lease(aws: FakeAws, cycle: str, start: datetime) -> None:
    terms = {"verdict": "open", "cycle": cycle, "window_start": start.isoformat()}
    terms |= {"window_end": (start + timedelta(hours=3)).isoformat()}
    aws.parameters[f"{LANE}{cycle}/open"] = json.dumps(terms)


def test_closes_lease_and_window_after_the_end(aws: FakeAws, close_gate: CloseGate) -> None:
    record = close_gate()
    assert record["closed"] == [CYCLE]
    assert record["problems"] == []
    assert is_closed(aws)
    assert aws.window()["Enabled"] is False
    assert aws.messages == []


def test_a_second_close_changes_nothing(aws: FakeAws, close_gate: CloseGate) -> None:
    close_gate()
    before = dict(aws.parameters)
    record = close_gate()
    assert (record["closed"], record["window_disabled"]) == ([], False)
    assert aws.parameters == before
    assert aws.messages == []


def test_the_log_line_is_written_before_people_are_told(
    aws: FakeAws, close_gate: CloseGate, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    aws.parameters = {key: value for key, value in aws.parameters.items() if not key.startswith(f"{LANE}{CYCLE}")}
    aws.errors["publish"].append(client_error("NotFound"))
    with pytest.raises(ClientError):
        close_gate()
    assert json.loads(capsys.readouterr().out)["problems"]


def test_log_line_carries_the_metrics(aws: FakeAws, close_gate: CloseGate, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    close_gate("watchdog")
    entry = json.loads(capsys.readouterr().out)
    assert (entry["Closed"], entry["WindowsFoundOpen"], entry["WatchdogRan"]) == (1, 1, 1)


def test_f26_close_in_the_minute_of_the_opening_only_makes_stricter(aws: FakeAws, close_gate: CloseGate) -> None:
    aws.now = START
    close_gate()
    assert is_closed(aws)
    assert aws.window()["Enabled"] is False


def test_f26_close_before_the_window_leaves_the_coming_cycle(aws: FakeAws, close_gate: CloseGate) -> None:
    aws.now = START - timedelta(minutes=10)
    close_gate()
    assert not is_closed(aws)
    assert aws.window()["Enabled"] is True


def test_f28_late_duplicate_of_last_weeks_close_leaves_this_weeks_lease(
    aws: FakeAws, close_gate: CloseGate, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_lease(aws, NEXT_WEEK, START + timedelta(days=7))
    assert close_gate()["closed"] == [CYCLE]
    assert not is_closed(aws, NEXT_WEEK)
    assert aws.window()["Enabled"] is True


def test_f57_instances_that_the_window_did_not_reach_are_named(
    aws: FakeAws, close_gate: CloseGate, open_gate: OpenGate
) -> None:
    aws.now, aws.next_start = GATE, format_instant(START)
    aws.parameters = {LANE + "window-id": WINDOW}
    aws.protect("b", "c", "off", "down")
    aws.agents["i-off"] = "ConnectionLost"
    aws.instances["i-down"]["State"]["Name"] = "stopped"
    aws.add_instance("late")
    aws.add_backup("late", state="RUNNING")
    open_gate()
    leave_proof(aws, "i-b")
    aws.messages.clear()
    aws.now = CLOSE
    record = close_gate()
    assert record["unreached"] == ["i-c", "i-off", "i-late"]
    assert aws.window()["Enabled"] is False
    assert (
        f"3 instances were let in and never reached in {CYCLE}, for example i-c i-off i-late"
        in aws.messages[0]["Message"]
    )


def test_f57_a_close_ten_hours_after_the_window_belongs_to_its_cycle(aws: FakeAws, close_gate: CloseGate) -> None:
    del aws.objects[f"evidence/ubuntu/prd/111111111111/eu-central-1/{CYCLE}/i-a.json"]
    aws.now = START + timedelta(hours=13)
    record = close_gate()
    assert record["unreached"] == ["i-a"]
    assert not any(problem.startswith("no gate judged") for problem in record["problems"])


def test_f27_a_daily_lanes_cycle_of_the_day_before_is_not_todays(aws: FakeAws, close_gate: CloseGate) -> None:
    aws.now = CLOSE + timedelta(days=1)
    assert close_gate()["problems"] == ["no gate judged the cycle that ended by 2026-07-06T00:10:00Z"]


def test_f57_a_second_try_of_a_close_names_them_again(aws: FakeAws, close_gate: CloseGate) -> None:
    del aws.objects[f"evidence/ubuntu/prd/111111111111/eu-central-1/{CYCLE}/i-a.json"]
    aws.errors["list_objects_v2"].append(client_error("SlowDown"))
    with pytest.raises(ClientError):
        close_gate()
    record = close_gate()
    assert (record["closed"], record["unreached"]) == ([], ["i-a"])


def test_f57_who_was_named_is_not_named_again(aws: FakeAws, close_gate: CloseGate) -> None:
    del aws.objects[f"evidence/ubuntu/prd/111111111111/eu-central-1/{CYCLE}/i-a.json"]
    assert close_gate()["unreached"] == ["i-a"]
    told = len(aws.messages)
    assert close_gate()["unreached"] == close_gate("watchdog")["unreached"] == []
    assert len(aws.messages) == told


@pytest.mark.parametrize("call", ["update_maintenance_window", "list_objects_v2", "get_schedule", "publish"])
def test_f31_a_watchdog_that_died_half_way_is_repeated_whole(aws: FakeAws, close_gate: CloseGate, call: str) -> None:
    del aws.objects[f"evidence/ubuntu/prd/111111111111/eu-central-1/{CYCLE}/i-a.json"]
    aws.now = CLOSE + timedelta(hours=10)
    aws.errors[call].append(client_error("AccessDeniedException"))
    with pytest.raises(ClientError):
        close_gate("watchdog")
    assert is_closed(aws)
    aws.messages.clear()
    record = close_gate("watchdog")
    assert (record["closed"], record["told"], record["unreached"]) == ([], [CYCLE], ["i-a"])
    assert aws.window()["Enabled"] is False
    assert f"never reached in {CYCLE}, for example i-a" in aws.messages[-1]["Message"]
    assert "no close ended well" in aws.messages[-1]["Message"]


def test_f31_a_close_that_never_ended_is_told_by_the_watchdog(aws: FakeAws, close_gate: CloseGate) -> None:
    del aws.objects[f"evidence/ubuntu/prd/111111111111/eu-central-1/{CYCLE}/i-a.json"]
    for _ in range(3):
        aws.errors["list_objects_v2"].append(client_error("AccessDenied"))
        with pytest.raises(ClientError):
            close_gate()
    aws.now = CLOSE + timedelta(hours=10)
    assert close_gate("watchdog")["unreached"] == ["i-a"]
    assert close_gate("watchdog")["unreached"] == []


def test_what_cannot_be_told_for_two_weeks_is_removed(aws: FakeAws, close_gate: CloseGate) -> None:
    aws.objects = {key: body for key, body in aws.objects.items() if not key.endswith(".jsonl")}
    with pytest.raises(ClientError, match="NoSuchKey"):
        close_gate()
    aws.now = GATE + timedelta(days=14)
    with pytest.raises(ClientError, match="NoSuchKey"):
        close_gate("watchdog")
    aws.now += timedelta(seconds=1)
    assert close_gate("watchdog")["unreached"] == []


def test_f59_verdict_that_is_gone_is_an_error_after_everything_is_closed(aws: FakeAws, close_gate: CloseGate) -> None:
    aws.objects = {key: body for key, body in aws.objects.items() if not key.endswith(".jsonl")}
    with pytest.raises(ClientError, match="NoSuchKey"):
        close_gate()
    assert is_closed(aws)
    assert aws.window()["Enabled"] is False


def test_f30_window_that_stays_enabled_is_an_error_and_the_lease_is_closed_first(
    aws: FakeAws, close_gate: CloseGate
) -> None:
    aws.ignored.add("update_maintenance_window")
    with pytest.raises(RuntimeError, match=f"window {WINDOW} was disabled and is still enabled"):
        close_gate()
    assert is_closed(aws)


def test_f31_failed_close_is_raised_and_the_watchdog_repairs_it(aws: FakeAws, close_gate: CloseGate) -> None:
    aws.errors["get_parameters_by_path"].append(client_error("ThrottlingException"))
    with pytest.raises(ClientError):
        close_gate()
    aws.now = CLOSE + timedelta(hours=10)
    record = close_gate("watchdog")
    assert record["closed"] == [CYCLE]
    assert aws.window()["Enabled"] is False
    assert f"no close ended well; the watchdog closed window {WINDOW} and its lease" in aws.messages[-1]["Message"]


def test_f31_watchdog_in_the_window_leaves_it(aws: FakeAws, close_gate: CloseGate) -> None:
    aws.now = START + timedelta(hours=1)
    record = close_gate("watchdog")
    assert (record["closed"], record["window_disabled"]) == ([], False)
    assert aws.window()["Enabled"] is True


def test_f31_watchdog_closes_at_the_very_end(aws: FakeAws, close_gate: CloseGate) -> None:
    aws.now = START + timedelta(hours=3)
    assert close_gate("watchdog")["closed"] == [CYCLE]


def test_f24_watchdog_disables_a_window_that_a_stack_update_enabled(aws: FakeAws, close_gate: CloseGate) -> None:
    close_gate()
    aws.window()["Enabled"] = True
    aws.now += timedelta(days=1)
    record = close_gate("watchdog")
    assert record["window_disabled"] is True
    assert aws.window()["Enabled"] is False
    assert aws.messages


def test_f27_close_reports_a_cycle_that_no_gate_judged(aws: FakeAws, close_gate: CloseGate) -> None:
    aws.now = CLOSE + timedelta(days=7)
    record = close_gate()
    assert record["problems"] == ["no gate judged the cycle that ended by 2026-07-12T00:10:00Z"]
    assert "no gate judged" in aws.messages[0]["Message"]


@pytest.mark.parametrize(("due", "problems"), [(START + timedelta(days=14), 0), (START + timedelta(days=7), 1)])
def test_f27_a_close_that_fires_more_often_than_the_window_reports_only_due_cycles(
    aws: FakeAws, close_gate: CloseGate, due: datetime, problems: int
) -> None:
    aws.now = CLOSE + timedelta(days=7)
    aws.parameters[LANE + "due"] = due.isoformat() + SCHEDULE
    assert len(close_gate()["problems"]) == problems


def test_f27_a_held_cycle_was_judged(aws: FakeAws, close_gate: CloseGate) -> None:
    aws.now = CLOSE + timedelta(days=7)
    aws.parameters[f"{LANE}{NEXT_WEEK}/hold"] = "{}"
    assert close_gate()["problems"] == []


def test_f27_watchdog_remembers_what_is_due_and_reports_it(aws: FakeAws, close_gate: CloseGate) -> None:
    aws.upcoming = [{"ExecutionTime": "2026-07-11T21:00Z"}]
    close_gate("watchdog")
    assert aws.parameters[LANE + "due"] == NEXT_START + SCHEDULE
    aws.now = START + timedelta(days=6)
    assert close_gate("watchdog")["problems"] == []
    aws.upcoming = [{"ExecutionTime": "2026-07-18T21:00Z"}]
    aws.now = START + timedelta(days=7, hours=13)
    record = close_gate("watchdog")
    assert record["problems"] == [MISSED]
    assert aws.parameters[LANE + "due"] == DUE + SCHEDULE


@pytest.mark.parametrize("mode", ["close", "watchdog"])
def test_f27_whoever_sees_the_window_enabled_remembers_its_next_start(
    aws: FakeAws, close_gate: CloseGate, mode: str
) -> None:
    """AWS may name none once the window is disabled."""
    aws.upcoming = []
    close_gate(mode)
    assert aws.window()["Enabled"] is False
    assert aws.parameters[LANE + "due"] == NEXT_START + SCHEDULE
    close_gate("watchdog")
    assert aws.parameters[LANE + "due"] == NEXT_START + SCHEDULE


def test_f27_gate_and_close_that_are_both_lost_are_reported_once(aws: FakeAws, close_gate: CloseGate) -> None:
    close_gate()
    aws.upcoming = []
    aws.now = START + timedelta(days=7, hours=13)
    assert close_gate("watchdog")["problems"] == [MISSED]
    aws.now += timedelta(days=1)
    assert close_gate("watchdog")["problems"] == []


def test_f27_what_a_close_reports_the_watchdog_still_waits_for(aws: FakeAws, close_gate: CloseGate) -> None:
    close_gate()
    aws.upcoming = [{"ExecutionTime": DUE}]
    aws.now = CLOSE + timedelta(days=7)
    assert len(close_gate()["problems"]) == 1
    assert aws.parameters[LANE + "due"] == NEXT_START + SCHEDULE
    assert close_gate("watchdog")["problems"] == [MISSED]
    assert aws.parameters[LANE + "due"] == DUE + SCHEDULE


@pytest.mark.parametrize("call", ["update_maintenance_window", "publish", "describe_maintenance_window_schedule"])
def test_f27_what_a_close_that_died_found_its_retry_remembers(aws: FakeAws, close_gate: CloseGate, call: str) -> None:
    """The mark says it: the window, which is disabled by then, may not."""
    del aws.objects[f"evidence/ubuntu/prd/111111111111/eu-central-1/{CYCLE}/i-a.json"]
    aws.upcoming = []
    aws.errors[call].append(client_error("ThrottlingException"))
    with pytest.raises(ClientError):
        close_gate()
    aws.window()["Enabled"] = False
    close_gate()
    assert aws.parameters[LANE + "due"] == NEXT_START + SCHEDULE


def test_f27_what_is_remembered_of_another_schedule_is_forgotten(aws: FakeAws, close_gate: CloseGate) -> None:
    aws.upcoming = []
    close_gate()
    aws.schedule["Schedule"] = "cron(0 21 ? * SUN *)"
    close_gate()
    assert aws.parameters[LANE + "due"] == "1970-01-01T00:00:00Z cron(0 21 ? * SUN *) Etc/UTC None"
    aws.now = CLOSE + timedelta(days=1)
    assert close_gate()["problems"] == ["no gate judged the cycle that ended by 2026-07-06T00:10:00Z"]


@pytest.mark.parametrize("mode", ["close", "watchdog"])
def test_f31_what_is_remembered_is_read_when_all_is_closed(aws: FakeAws, close_gate: CloseGate, mode: str) -> None:
    aws.parameters[LANE + "due"] = "soon" + SCHEDULE
    aws.now = CLOSE + timedelta(hours=10)
    with pytest.raises(ValueError, match="soon"):
        close_gate(mode)
    assert is_closed(aws)
    assert aws.window()["Enabled"] is False


def test_f27_a_watchdog_that_died_before_it_told_still_waits(aws: FakeAws, close_gate: CloseGate) -> None:
    close_gate()
    aws.now = START + timedelta(days=7, hours=13)
    aws.errors["publish"].append(client_error("NotFound"))
    with pytest.raises(ClientError):
        close_gate("watchdog")
    assert close_gate("watchdog")["problems"] == [MISSED]


@pytest.mark.parametrize(
    ("upcoming", "due"), [("2026-07-18T20:00Z", "2026-07-18T20:00:00Z"), ("2026-07-19T21:00Z", DUE)]
)
def test_f27_watchdog_waits_for_the_earlier_window_of_a_new_schedule(
    aws: FakeAws, close_gate: CloseGate, upcoming: str, due: str
) -> None:
    aws.next_start = DUE
    close_gate()
    assert aws.parameters[LANE + "due"] == DUE + SCHEDULE
    aws.upcoming = [{"ExecutionTime": upcoming}]
    assert close_gate("watchdog")["problems"] == []
    assert aws.parameters[LANE + "due"] == due + SCHEDULE


def test_f27_watchdog_is_silent_about_a_due_cycle_with_a_verdict(aws: FakeAws, close_gate: CloseGate) -> None:
    aws.parameters[LANE + "due"] = START.isoformat() + SCHEDULE
    close_gate()
    assert close_gate("watchdog")["problems"] == []
    assert aws.parameters[LANE + "due"] == NEXT_START + SCHEDULE


@pytest.mark.parametrize(("days", "problems"), [(13, 1), (15, 0)])
def test_a_window_that_was_due_before_leases_were_removed_is_not_reported(
    aws: FakeAws, close_gate: CloseGate, days: int, problems: int
) -> None:
    close_gate()
    aws.parameters = {key: value for key, value in aws.parameters.items() if CYCLE not in key}
    aws.parameters[LANE + "due"] = format_instant(START) + SCHEDULE
    aws.now = START + timedelta(days=days)
    assert len(close_gate("watchdog")["problems"]) == problems


def test_watchdog_reports_a_schedule_that_is_off(aws: FakeAws, close_gate: CloseGate) -> None:
    close_gate()
    aws.schedules["open"] = "DISABLED"
    assert close_gate("watchdog")["problems"] == ["schedule open is DISABLED"]


def test_watchdog_removes_leases_that_are_long_over(aws: FakeAws, close_gate: CloseGate) -> None:
    close_gate()
    aws.parameters[f"{LANE}{CYCLE}/hold"] = "{}"
    aws.now = GATE + timedelta(days=14)
    close_gate("watchdog")
    assert f"{LANE}{CYCLE}/open" in aws.parameters
    aws.now += timedelta(seconds=1)
    close_gate("watchdog")
    assert sorted(aws.parameters) == [LANE + "due", LANE + "window-id"]


def test_a_close_is_twelve_calls_and_an_idle_watchdog_seven(aws: FakeAws, close_gate: CloseGate) -> None:
    aws.calls.clear()
    close_gate()
    assert len(aws.calls) == 12
    aws.calls.clear()
    close_gate("watchdog")
    assert len(aws.calls) == 7
