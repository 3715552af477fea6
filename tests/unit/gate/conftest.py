"""The three scripts of the gate on an AWS in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from patchgate.gate import close_window, open_window, prove

from .fake_aws import ACCOUNT, CONTEXT, GATE, LANE, REGION, START, VAULT, FakeAws, Json, install


@pytest.fixture
def aws() -> FakeAws:
    return FakeAws()


@pytest.fixture
def open_gate(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Json]:
    """Invoke the open function; environment variables as keywords."""

    def invoke(*, scheduled: str = GATE.isoformat(), **environment: str) -> Json:
        install(aws, open_window, monkeypatch, **environment)
        return open_window.handler({"mode": "open", "scheduled_time": scheduled}, CONTEXT)

    return invoke


@pytest.fixture
def close_gate(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Json]:
    """Invoke the close function at the instant of the fake clock."""

    def invoke(mode: str = "close", **environment: str) -> Json:
        install(aws, close_window, monkeypatch, **environment)
        return close_window.handler({"mode": mode, "scheduled_time": aws.now.isoformat()}, CONTEXT)

    return invoke


@pytest.fixture
def prove_instance(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Json]:
    """Run the prove step for an instance, five minutes into the window unless the clock says otherwise."""

    def invoke(name: str, **payload: str) -> Json:
        if aws.now == GATE:
            aws.now = START + timedelta(minutes=5)
        install(aws, prove, monkeypatch)
        given = {
            "InstanceId": f"i-{name}",
            "OperatingSystem": "ubuntu",
            "Environment": "prd",
            "BackupVaultName": VAULT,
            "BackupResources": "instances",
            "MaximumProofAgeMinutes": "720",
            "ProofMaxAgeSeconds": "120",
            "FreezeCalendars": "",
            "WaivedMessageCategories": "",
            "LogBucket": "log-bucket",
            "AccountId": ACCOUNT,
            "Region": REGION,
            "Partition": "aws",
            "ExecutionId": "execution-1",
        }
        return prove.script_handler(given | payload, None)

    return invoke


def findings(aws: FakeAws) -> dict[str, tuple[str, str]]:
    """instance -> (status, reason) as the evidence in the bucket has them."""
    ((_, body),) = [(key, body) for key, body in aws.objects.items() if key.endswith(".jsonl")]
    rows: list[dict[str, Any]] = [json.loads(line) for line in body.splitlines()[1:]]
    return {row["instance"]: (row["status"], row["reason"]) for row in rows}


def lease(aws: FakeAws, cycle: str, kind: str = "open") -> Json:
    """The terms of a lease parameter."""
    terms: Json = json.loads(aws.parameters[f"{LANE}{cycle}/{kind}"])
    return terms
