"""What the open function costs as a lane grows: calls, time, peak memory at 1,000 to 100,000 backup jobs.

Every target has one completed job. The AWS here makes its pages as they are asked for, so that what is measured is
the gate's own. Run: ``make bench``.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from patchgate.gate import open_window

GATE = datetime(2026, 7, 4, 20, 30, tzinfo=UTC)
ARN = "arn:aws:ec2:eu-central-1:111111111111"
TAGS = [{"Key": "PatchGroup", "Value": "ubuntu-patch-group-prd"}, {"Key": "ToBackupAndPatch", "Value": "true"}]
PAGES = {"list_backup_jobs": 1000, "describe_instances": 1000, "describe_instance_information": 50}
ENVIRONMENT = {
    "OPERATING_SYSTEM": "ubuntu",
    "ENVIRONMENT": "prd",
    "BACKUP_VAULT_NAME": "vault",
    "MAINTENANCE_WINDOW_NAME": "window",
    "GATE_MODE": "coverage",
    "MINIMUM_COVERAGE_PERCENT": "80",
    "LOOK_BACK_HOURS": "12",
    "MAXIMUM_LEAD_MINUTES": "180",
    "BACKUP_RESOURCES": "instances",
    "FREEZE_CALENDARS": "",
    "WAIVED_MESSAGE_CATEGORIES": "",
    "LOG_BUCKET": "logs",
    "TOPIC_ARN": "topic",
    "GATE_HASH": "0123456789abcdef",
}


class LargeAws:
    """A lane of ``size`` proven instances; counts its calls."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.calls = 0
        self.lease = ""

    def client(self, _service: str, **_: Any) -> LargeAws:
        return self

    def get_paginator(self, operation: str) -> SimpleNamespace:
        return SimpleNamespace(paginate=lambda **_: self._pages(operation))

    def _pages(self, operation: str) -> Iterator[dict[str, Any]]:
        size = PAGES.get(operation, self.size)
        for start in range(0, self.size, size):
            self.calls += 1
            yield ANSWERS[operation](range(start, min(start + size, self.size)))
            if operation not in PAGES:
                return

    def get_parameter(self, Name: str) -> dict[str, Any]:  # noqa: N803
        self.calls += 1
        return {"Parameter": {"Value": self.lease if Name.endswith("/open") else "mw-1"}}

    def get_parameters(self, **_: Any) -> dict[str, Any]:
        self.calls += 1
        return {"Parameters": []}

    def put_parameter(self, Value: str, **_: Any) -> None:  # noqa: N803
        self.calls += 1
        self.lease = Value

    def get_maintenance_window(self, **_: Any) -> dict[str, Any]:
        self.calls += 1
        start = (datetime.now(UTC) + timedelta(minutes=30)).isoformat()
        return {"Enabled": True, "NextExecutionTime": start, "Duration": 3, "Cutoff": 1}

    def update_maintenance_window(self, **_: Any) -> None:
        self.calls += 1

    put_object = publish = update_maintenance_window
    exceptions = SimpleNamespace(ParameterAlreadyExists=LookupError)


def _instance(number: int) -> dict[str, Any]:
    disk = {"Ebs": {"VolumeId": f"vol-{number:017x}", "Status": "attached"}}
    return {
        "InstanceId": f"i-{number:017x}",
        "State": {"Name": "running"},
        "RootDeviceType": "ebs",
        "Tags": list(TAGS),
        "BlockDeviceMappings": [disk],
    }


def _job(number: int) -> dict[str, Any]:
    return {
        "BackupJobId": f"job-{number}",
        "ResourceArn": f"{ARN}:instance/i-{number:017x}",
        "State": "COMPLETED",
        "MessageCategory": "SUCCESS",
        "CreationDate": GATE,
        "RecoveryPointArn": f"arn:aws:ec2:eu-central-1::image/ami-{number:017x}",
    }


def _agent(number: int) -> dict[str, Any]:
    return {"InstanceId": f"i-{number:017x}", "PingStatus": "Online"}


ANSWERS: dict[str, Callable[[range], dict[str, Any]]] = {
    "list_backup_jobs": lambda page: {"BackupJobs": [_job(n) for n in page]},
    "describe_instances": lambda page: {"Reservations": [{"Instances": [_instance(n)]} for n in page]},
    "describe_instance_information": lambda page: {"InstanceInformationList": [_agent(n) for n in page]},
    "describe_maintenance_windows": lambda _: {"WindowIdentities": [{"WindowId": "mw-1", "Name": "window"}]},
    "get_parameters_by_path": lambda _: {"Parameters": []},
}


def invoke(size: int) -> LargeAws:
    """One invocation of the open function over a lane of that size; it must open."""
    aws = LargeAws(size)
    setattr(open_window, "boto3", aws)  # noqa: B010 - the script names the SDK, and here it is this one
    event = {"mode": "open", "scheduled_time": datetime.now(UTC).isoformat()}
    context = SimpleNamespace(invoked_function_arn="arn:aws:lambda:eu-central-1:111111111111:function:open")
    with contextlib.redirect_stdout(io.StringIO()):
        record = open_window.handler(event, context)
    if (record["decision"], record["proven"]) != ("open", size):
        raise SystemExit(f"the gate did not open: {json.dumps(record)}")
    return aws


def main() -> None:
    """Print the table."""
    os.environ.update(ENVIRONMENT)
    print("open function (this machine, AWS's own latency not included)")
    print(f"{'jobs = targets':>14} {'API calls':>10} {'seconds':>8} {'peak MB':>8}")
    for size in (1_000, 10_000, 100_000):
        began = time.perf_counter()
        aws = invoke(size)
        seconds = time.perf_counter() - began
        tracemalloc.start()
        invoke(size)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        print(f"{size:>14,} {aws.calls:>10,} {seconds:>8.2f} {peak / 1e6:>8.1f}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
