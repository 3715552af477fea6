"""Whole cycles of one lane: what is patched, what is not, and what happens when a part of it all is missing."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import pytest

from patchgate.emulator.assumptions import Assumptions
from patchgate.operations.deployment import LaneSettings, deploy_lanes
from patchgate.plan import names

from .conftest import ACCOUNT, ADMIT_UNTIL, CLOSE, FRIDAY, GATE, PLAIN, REGION, START, Rehearsed

Open = Callable[..., AbstractContextManager[Rehearsed]]
LANE = {"os": "ubuntu", "env": "prd"}
WEEK = timedelta(days=7)


def never_call(run: Rehearsed, pattern: names.NamePattern) -> None:
    """Delete a schedule, as an operator might by mistake."""
    scheduler = run.stage.session(ACCOUNT, REGION).client("scheduler")
    scheduler.delete_schedule(Name=pattern.render(**LANE), GroupName=names.SCHEDULE_GROUP.render(**LANE))


def update_patch_stack(run: Rehearsed) -> None:
    """A stack update that touches the window: its cutoff changes."""
    client = run.stage.session(ACCOUNT, REGION).client("cloudformation")
    name = names.PATCH_STACK.render(**LANE)
    (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    changed = [
        {"ParameterKey": "MaintenanceWindowDuration", "ParameterValue": "4"}
        if p["ParameterKey"] == "MaintenanceWindowDuration"
        else {"ParameterKey": p["ParameterKey"], "UsePreviousValue": True}
        for p in stack["Parameters"]
    ]
    client.update_stack(
        StackName=name, UsePreviousTemplate=True, Parameters=changed, Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    (after,) = client.describe_stacks(StackName=name)["Stacks"]
    assert after["StackStatus"] == "UPDATE_COMPLETE"


def test_every_proven_instance_is_patched_and_the_window_closes(rehearsed: Open) -> None:
    with rehearsed() as run:
        run.run_until(run.script.end)
        assert run.installs() == dict.fromkeys("abcd", "Success")
        assert run.denials() == {}
        assert run.window_is_enabled() is False
        assert run.judge().held


def test_one_failed_backup_denies_that_instance_only(rehearsed: Open) -> None:
    with rehearsed(PLAIN + ", {name: e, backup: {outcome: FAILED, message: no key}}") as run:
        run.run_until(run.script.end)
        assert run.installs() == dict.fromkeys("abcd", "Success")
        assert run.denials() == {"e": "backup-failed"}
        assert run.judge().held


def test_one_failed_backup_holds_the_window_in_threshold_mode(rehearsed: Open) -> None:
    instances = PLAIN + ", {name: e, backup: {outcome: FAILED, message: no key}}"
    with rehearsed(instances, "GateMode: threshold, BackupJobThreshold: 5") as run:
        run.run_until(run.script.end)
        assert run.installs() == {}
        assert run.window_is_enabled() is False
        (hold,) = [r for r in run.stage.cloud.history.of("ParameterPut") if r["name"].endswith("/hold")]
        assert json.loads(hold["value"])["reason"] == "threshold-not-met"
        assert run.judge().held


def test_f23_a_window_that_was_just_created_installs_nothing(rehearsed: Open) -> None:
    with rehearsed(start=START - timedelta(minutes=10)) as run:
        assert run.window_is_enabled() is True
        run.run_until(START + timedelta(hours=2))
        assert run.installs() == {}
        assert run.denials() == dict.fromkeys("abcd", "no-lease")


def test_f27_without_the_gate_nothing_is_installed(rehearsed: Open) -> None:
    with rehearsed() as run:
        never_call(run, names.OPEN_SCHEDULE)
        never_call(run, names.WATCHDOG_SCHEDULE)
        run.run_until(CLOSE + timedelta(minutes=30))
        assert run.installs() == {}
        assert run.denials() == dict.fromkeys("abcd", "no-lease")
        assert run.window_is_enabled() is False
        (message,) = run.stage.cloud.history.of("MessagePublished")
        assert "no gate judged the cycle" in message["message"]


def test_f23_the_watchdog_disables_a_new_window_before_its_first_start(rehearsed: Open) -> None:
    with rehearsed() as run:
        run.run_until(GATE - timedelta(hours=1))
        assert run.window_is_enabled() is False


@pytest.mark.parametrize("enables", [True, False])
def test_f24_a_stack_update_that_enables_the_window_installs_nothing(rehearsed: Open, *, enables: bool) -> None:
    with rehearsed(cycles=2, assumptions=Assumptions(stack_update_enables_window=enables)) as run:
        run.run_until(CLOSE + timedelta(hours=1))
        assert run.window_is_enabled() is False
        first = run.stage.cloud.now
        never_call(run, names.OPEN_SCHEDULE)
        never_call(run, names.WATCHDOG_SCHEDULE)
        update_patch_stack(run)
        assert run.window_is_enabled() is enables
        run.run_until(START + WEEK + timedelta(hours=3))
        late = [r for r in run.stage.cloud.history.of("PatchStarted") if datetime.fromisoformat(r["at"]) > first]
        assert [r for r in late if r["operation"] == "Install"] == []
        assert run.denials() == (dict.fromkeys("abcd", "lease-closed") if enables else {})


def test_f24_the_watchdog_finds_a_window_that_an_update_enabled(rehearsed: Open) -> None:
    with rehearsed() as run:
        run.run_until(CLOSE + timedelta(hours=1))
        update_patch_stack(run)
        assert run.window_is_enabled() is True
        run.run_until(CLOSE + timedelta(hours=12))
        assert run.window_is_enabled() is False


def test_f31_without_the_close_nothing_is_installed_after_admit_until(rehearsed: Open) -> None:
    # One at a time, half an hour each: the fifth would begin after the cutoff.
    slow = ", ".join(f"{{name: s{n}, install_minutes: 30}}" for n in range(8))
    with rehearsed(slow, "InstallMaxConcurrency: 1", cycles=2) as run:
        never_call(run, names.CLOSE_SCHEDULE)
        never_call(run, names.WATCHDOG_SCHEDULE)
        run.run_until(START + timedelta(days=1))
        assert run.window_is_enabled() is True
        started = [r for r in run.stage.cloud.history.of("PatchStarted") if r["operation"] == "Install"]
        assert 0 < len(started) < 8
        assert all(datetime.fromisoformat(r["at"]) < ADMIT_UNTIL for r in started)
        never_call(run, names.OPEN_SCHEDULE)
        run.run_until(START + WEEK + timedelta(hours=3))
        again = [r for r in run.stage.cloud.history.of("PatchStarted") if r["operation"] == "Install"]
        assert len(again) == len(started)
        assert "lease-expired" in run.denials().values()


SLOW = ", ".join(f"{{name: s{n}, install_minutes: 50}}" for n in range(5))
BROKEN = "{name: a, patches: [{id: x, fails: broken}]}, {name: b, patches: [{id: x, fails: broken}]}"


@pytest.mark.parametrize(
    ("instances", "parameters", "unreached"),
    [
        (SLOW, "InstallMaxConcurrency: 1", 2),
        (f"{BROKEN}, {{name: c}}, {{name: d}}", "InstallMaxConcurrency: 1, InstallMaxErrors: 0", None),
    ],
    ids=["window too short", "error budget spent"],
)
def test_f57_f34_instances_that_the_window_did_not_reach_are_named(
    rehearsed: Open, instances: str, parameters: str, unreached: int | None
) -> None:
    with rehearsed(instances, parameters) as run:
        run.run_until(run.script.end)
        assert run.judge().held
        *_, message = run.stage.cloud.history.of("MessagePublished")
        assert "instances were let in and never reached in 2" in message["message"]
        if unreached:
            assert f"{unreached} instances were let in" in message["message"]


def test_f38_half_of_the_agents_offline_costs_only_their_own_instances(rehearsed: Open) -> None:
    offline = ", ".join(f"{{name: off{n}, agent: {{ping: ConnectionLost}}}}" for n in range(4))
    with rehearsed(f"{PLAIN}, {offline}") as run:
        run.run_until(run.script.end)
        assert run.installs() == dict.fromkeys("abcd", "Success")
        assert run.judge().held


def test_f39_an_instance_terminated_during_its_install_does_not_hide_the_others(rehearsed: Open) -> None:
    hours = (START - FRIDAY) / timedelta(hours=1) + 0.1
    gone = f"{{name: a, install_minutes: 20, happenings: [{{after_hours: {hours}, state: terminated}}]}}"
    with rehearsed(f"{gone}, {{name: b}}, {{name: c}}, {{name: d}}", "InstallMaxConcurrency: 1") as run:
        run.run_until(run.script.end)
        assert run.judge().held


@pytest.mark.parametrize(
    "parameters",
    [
        "MaintenanceWindowDuration: 1, MaintenanceWindowCutoff: 0",
        "MaintenanceWindowDuration: 2",
        "DisableMaintenanceWindow: cron(10 12 ? * 1 *)",
    ],
)
def test_a_close_long_after_the_window_belongs_to_it(rehearsed: Open, parameters: str) -> None:
    with rehearsed(PLAIN, parameters) as run:
        run.run_until(run.script.end)
        assert run.judge().held
        assert run.window_is_enabled() is False
        said = [record["message"] for record in run.stage.cloud.history.of("MessagePublished")]
        assert not any("no gate judged" in message for message in said)


def test_f39_instances_that_are_gone_cost_the_others_nothing(rehearsed: Open) -> None:
    hours = (START - FRIDAY) / timedelta(hours=1) + 0.1
    # Their ids come after that of d and before that of c: they wait for their turn when they go.
    names_gone = ("x2", "x6", "x11")
    gone = ", ".join(f"{{name: {n}, happenings: [{{after_hours: {hours}, state: terminated}}]}}" for n in names_gone)
    with rehearsed(f"{PLAIN}, {gone}", "InstallMaxConcurrency: 1, InstallMaxErrors: 1") as run:
        run.run_until(run.script.end)
        assert run.judge().held
        assert run.installs() == dict.fromkeys("abcd", "Success")
        assert run.denials() == dict.fromkeys(names_gone, "instance-not-running")


@pytest.mark.parametrize(("total", "ending"), [(True, "Failed"), (False, "DeliveryTimedOut")])
def test_f55_a_command_that_an_agent_takes_late_installs_nothing(rehearsed: Open, *, total: bool, ending: str) -> None:
    assumptions = Assumptions(delivery_ends_with_total_timeout=total)
    with rehearsed("{name: a}, {name: b, agent: {delivery_seconds: 150}}", assumptions=assumptions) as run:
        run.run_until(run.script.end)
        assert run.installs() == {"a": "Success"}
        document = names.COMMAND_DOCUMENT.render(**LANE)
        sent = {r["command"] for r in run.stage.cloud.history.of("CommandSent") if r["document"] == document}
        ended = [r["status"] for r in run.stage.cloud.history.of("CommandEnded") if r["command"] in sent]
        assert sorted(ended) == sorted([ending, "Success"])
        assert run.judge().held


def test_f38_an_agent_that_never_answers_does_not_keep_the_others_waiting(rehearsed: Open) -> None:
    with rehearsed(PLAIN + ", {name: off, agent: {ping: ConnectionLost}}") as run:
        run.run_until(START + timedelta(hours=1, minutes=30))
        assert run.installs() == dict.fromkeys("abcd", "Success")


def test_f55_the_node_itself_refuses_when_the_proof_has_ended(rehearsed: Open) -> None:
    with rehearsed("{name: a}, {name: b, agent: {clock_skew_seconds: 180}}") as run:
        run.run_until(run.script.end)
        assert run.installs() == {"a": "Success"}
        refused = [r for r in run.stage.cloud.history.of("CommandEnded") if r["status"] == "Failed"]
        assert len(refused) == 1
        assert run.judge().held


def test_f16_volume_attached_after_the_backup(rehearsed: Open) -> None:
    hours = (GATE - FRIDAY) / timedelta(hours=1) - 0.5
    with rehearsed(f"{{name: a}}, {{name: b, happenings: [{{after_hours: {hours}, attach_volume: true}}]}}") as run:
        run.run_until(run.script.end)
        assert run.denials() == {"b": "volume-not-covered"}
        assert run.judge().held


def test_f53_freeze_parameter_stops_a_lane(rehearsed: Open) -> None:
    with rehearsed() as run:
        ssm = run.stage.session(ACCOUNT, REGION).client("ssm")
        ssm.put_parameter(Name=names.GLOBAL_FREEZE_PARAMETER.render(), Value="quarter end", Type="String")
        run.run_until(run.script.end)
        assert run.installs() == {}
        assert run.window_is_enabled() is False
        assert run.judge().held


USUAL = Assumptions()
VARIANTS = [
    dataclasses.replace(USUAL, **{question: reading})
    for question, readings in Assumptions.variants().items()
    for reading in readings
    if reading != getattr(USUAL, question)
]


def test_seeds_draw_every_reading_of_every_open_question() -> None:
    drawn = [Assumptions.drawn(seed) for seed in range(64)]
    assert drawn == [Assumptions.drawn(seed) for seed in range(64)]
    for question, readings in Assumptions.variants().items():
        assert {getattr(one, question) for one in drawn} == set(readings)


@pytest.mark.parametrize("assumptions", VARIANTS, ids=str)
def test_the_promises_hold_under_the_other_reading_of_each_open_question(
    rehearsed: Open, assumptions: Assumptions
) -> None:
    instances = PLAIN + ", {name: e, backup: {outcome: FAILED}}, {name: f, agent: {ping: ConnectionLost}}"
    with rehearsed(instances, assumptions=assumptions) as run:
        run.run_until(run.script.end)
        assert run.installs() == dict.fromkeys("abcd", "Success")
        assert run.judge().held


def test_f28_schedules_that_fire_twice_change_nothing(rehearsed: Open) -> None:
    with rehearsed(assumptions=Assumptions(scheduler_delivers_twice=True)) as run:
        run.run_until(run.script.end)
        fired = [r for r in run.stage.cloud.history.of("FunctionInvoked") if "open" in r["function"]]
        assert len(fired) == 2
        assert run.installs() == dict.fromkeys("abcd", "Success")
        assert run.judge().held


def test_f14_recovery_point_deleted_between_gate_and_window(rehearsed: Open) -> None:
    with rehearsed() as run:
        run.run_until(GATE + timedelta(minutes=10))
        backup = run.stage.session(ACCOUNT, REGION).client("backup")
        vault = names.BACKUP_VAULT.render(vault_prefix="backup-vault", region=REGION, **LANE)
        points = backup.list_recovery_points_by_backup_vault(BackupVaultName=vault)["RecoveryPoints"]
        backup.delete_recovery_point(BackupVaultName=vault, RecoveryPointArn=points[0]["RecoveryPointArn"])
        run.run_until(run.script.end)
        assert len(run.installs()) == 3
        assert list(run.denials().values()) == ["recovery-point-gone"]
        assert run.judge().held


def test_window_output_is_the_real_name_of_the_window(rehearsed: Open) -> None:
    with rehearsed() as run:
        session = run.stage.session(ACCOUNT, REGION)
        (stack,) = session.client("cloudformation").describe_stacks(StackName=names.PATCH_STACK.render(**LANE))[
            "Stacks"
        ]
        outputs = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
        window = session.client("ssm").get_maintenance_window(WindowId=outputs["MaintenanceWindowId"])
        assert window["Name"] == outputs["MaintenanceWindowName"] == f"maintenance-window-ubuntu-prd-{REGION}"
        assert outputs["PatchGroup"] == "ubuntu-patch-group-prd"


def test_everything_can_be_deleted_and_deployed_again_around_what_is_kept(rehearsed: Open) -> None:
    with rehearsed() as run:
        run.run_until(run.script.end)
        for pattern in (names.MONITORING_STACK, names.PATCH_STACK, names.LOGS_STACK):
            run.stage.stacks.delete(ACCOUNT, REGION, pattern.render(**LANE))
        backup = run.stage.session(ACCOUNT, REGION).client("backup")
        vault = names.BACKUP_VAULT.render(vault_prefix="backup-vault", region=REGION, **LANE)
        kept = backup.list_recovery_points_by_backup_vault(BackupVaultName=vault)["RecoveryPoints"]
        assert len(kept) == 4
        (settings,) = run.deployment.lanes
        again = LaneSettings(
            settings.lane, {**settings.values, "CreateBackupVault": "false", "CreateBackupRole": "false"}
        )
        deployment = deploy_lanes([again], log_account=ACCOUNT, control=run.stage.stacks, progress=lambda _: None)
        assert [stack.status for stack in deployment.stacks] == ["CREATE_COMPLETE"] * 3
