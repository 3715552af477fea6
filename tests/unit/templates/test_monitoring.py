"""The monitoring template: functions, schedules, retries, failures, alarms."""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import Any

import pytest

from patchgate.templates import Template
from patchgate.templates.gate_code import build_bundle

FUNCTIONS = {"EnableMaintenance": ("open_window", 900), "DisableMaintenance": ("close_window", 300)}
QUEUE = {"Fn::GetAtt": ["FailureQueue", "Arn"]}


def _of_type(template: Template, resource_type: str) -> dict[str, dict[str, Any]]:
    return {
        name: resource["Properties"]
        for name, resource in template.resources.items()
        if resource["Type"] == resource_type
    }


@pytest.mark.parametrize("prefix", FUNCTIONS)
def test_a_function_runs_its_bundle(monitoring: Template, prefix: str) -> None:
    script, timeout = FUNCTIONS[prefix]
    function = monitoring.resources[f"{prefix}Lambda"]["Properties"]
    assert function["Code"] == {"ZipFile": build_bundle(script)}
    assert function["Handler"] == "index.handler"
    assert (function["Runtime"], function["Timeout"], function["MemorySize"]) == ("python3.13", timeout, 512)
    assert function["LoggingConfig"] == {"LogGroup": {"Ref": f"{prefix}LogGroup"}}
    assert function["Role"] == {"Fn::GetAtt": [f"{prefix}LambdaRole", "Arn"]}


@pytest.mark.parametrize("prefix", FUNCTIONS)
def test_its_invocations_are_bounded_and_end_in_the_queue(monitoring: Template, prefix: str) -> None:
    config = monitoring.resources[f"{prefix}InvokeConfig"]["Properties"]
    assert config["MaximumRetryAttempts"] == 2
    assert config["MaximumEventAgeInSeconds"] <= 21_600
    assert config["DestinationConfig"] == {"OnFailure": {"Destination": QUEUE}}


@pytest.mark.parametrize("prefix", FUNCTIONS)
def test_its_logs_have_a_retention(monitoring: Template, prefix: str) -> None:
    assert monitoring.resources[f"{prefix}LogGroup"]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_the_schedules_say_what_is_to_be_done_and_when_it_was_due(monitoring: Template) -> None:
    schedules = _of_type(monitoring, "AWS::Scheduler::Schedule")
    assert {name: json.loads(s["Target"]["Input"])["mode"] for name, s in schedules.items()} == {
        "EnableMaintenanceSchedule": "open",
        "DisableMaintenanceSchedule": "close",
        "WatchdogMaintenanceSchedule": "watchdog",
    }
    for schedule in schedules.values():
        payload = json.loads(schedule["Target"]["Input"])
        assert payload["scheduled_time"] == "<aws.scheduler.scheduled-time>"
        assert payload["attempt"] == "<aws.scheduler.attempt-number>"


def test_the_schedules_are_exact_and_their_retries_bounded(monitoring: Template) -> None:
    for schedule in _of_type(monitoring, "AWS::Scheduler::Schedule").values():
        assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
        assert schedule["Target"]["RetryPolicy"]["MaximumRetryAttempts"] <= 185
        assert schedule["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 21_600
        assert schedule["Target"]["DeadLetterConfig"] == {"Arn": QUEUE}


def test_the_watchdog_is_the_close_function(monitoring: Template) -> None:
    target = monitoring.resources["WatchdogMaintenanceSchedule"]["Properties"]["Target"]
    assert target["Arn"] == {"Fn::GetAtt": ["DisableMaintenanceLambda", "Arn"]}


def test_every_alarm_reaches_the_topic(monitoring: Template) -> None:
    alarms = _of_type(monitoring, "AWS::CloudWatch::Alarm")
    assert {tuple(alarm["AlarmActions"][0].items()) for alarm in alarms.values()} == {(("Ref", "NotificationTopic"),)}
    assert set(alarms) == {
        "FailureQueueAlarm",
        "CyclesWithoutVerdictAlarm",
        "WatchdogSilentAlarm",
    }


def test_a_silent_watchdog_is_an_alarm_within_the_look_back_of_alarms(monitoring: Template) -> None:
    alarm = monitoring.resources["WatchdogSilentAlarm"]["Properties"]
    assert alarm["TreatMissingData"] == "breaching"
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    hours = alarm["Period"] * alarm["EvaluationPeriods"] / 3600
    assert 25 < hours <= 7 * 24


def test_the_gates_alarms_look_at_metrics_that_it_writes(monitoring: Template) -> None:
    source = resources.files("patchgate.gate").joinpath("close_window.py").read_text(encoding="utf-8")
    for alarm in _of_type(monitoring, "AWS::CloudWatch::Alarm").values():
        if alarm["Namespace"] == "patchgate":
            assert re.search(rf"[\"']{alarm['MetricName']}[\"']", source)
            assert [dimension["Name"] for dimension in alarm["Dimensions"]] == ["OperatingSystem", "Environment"]


def test_a_topic_without_a_customer_key_is_not_encrypted(monitoring: Template) -> None:
    """Alarms cannot publish to a topic that is encrypted with AWS's own key."""
    key = monitoring.resources["NotificationTopic"]["Properties"]["KmsMasterKeyId"]
    assert key == {"Fn::If": ["HasKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}


def test_only_alarms_of_the_account_publish(monitoring: Template) -> None:
    (statement,) = monitoring.resources["NotificationTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_the_queue_is_encrypted_with_or_without_a_customer_key(monitoring: Template) -> None:
    queue = monitoring.resources["FailureQueue"]["Properties"]
    assert queue["SqsManagedSseEnabled"] == {"Fn::If": ["HasKey", False, True]}
    assert queue["KmsMasterKeyId"] == {"Fn::If": ["HasKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}


def test_the_names_that_it_derives_are_those_of_the_patch_stack(monitoring: Template, patching: Template) -> None:
    told = monitoring.resources["EnableMaintenanceLambda"]["Properties"]["Environment"]["Variables"]
    window = patching.resources["SsmMaintenanceWindow"]["Properties"]["Name"]
    assert told["MAINTENANCE_WINDOW_NAME"]["Fn::If"][2] == window
    vault = patching.resources["BackupVault"]["Properties"]["BackupVaultName"]["Fn::Sub"]
    prefix = next(p.default for p in patching.parameters if p.name == "BackupVaultNamePrefix")
    assert told["BACKUP_VAULT_NAME"]["Fn::If"][2] == {"Fn::Sub": vault.replace("${BackupVaultNamePrefix}", str(prefix))}


def test_reserved_concurrency_is_optional(monitoring: Template) -> None:
    for prefix in FUNCTIONS:
        reserved = monitoring.resources[f"{prefix}Lambda"]["Properties"]["ReservedConcurrentExecutions"]
        assert reserved["Fn::If"][0] == "HasReservedConcurrency"
