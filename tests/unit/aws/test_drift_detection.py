"""Drift detection through CloudFormation: begun everywhere, waited for, and refused with the way on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from patchgate.aws.drift_detection import CloudFormationDrift
from patchgate.aws.refusals import RefusedError

STACK = ("111111111111", "eu-central-1", "patchgate-patch-ubuntu-dev")


@dataclass
class Client:
    """Answers with these statuses, the last one again and again. ``refusal``: how the detection is refused."""

    statuses: list[str]
    refusal: str = ""
    asked: list[str] = field(default_factory=list)

    def detect_stack_drift(self, **request: Any) -> dict[str, Any]:
        return self._begin(f"stack {request['StackName']}", "StackDriftDetectionId")

    def detect_stack_set_drift(self, **request: Any) -> dict[str, Any]:
        return self._begin(f"set {request['StackSetName']}", "OperationId")

    def describe_stack_drift_detection_status(self, **request: Any) -> dict[str, Any]:
        assert request == {"StackDriftDetectionId": "1"}
        return {"DetectionStatus": self._next(), "DetectionStatusReason": "cannot read the window"}

    def describe_stack_set_operation(self, **request: Any) -> dict[str, Any]:
        assert request["OperationId"] == "1"
        return {"StackSetOperation": {"Status": self._next()}}

    def _begin(self, what: str, name: str) -> dict[str, Any]:
        if self.refusal:
            raise ClientError({"Error": {"Code": self.refusal, "Message": "no"}}, "Detect")
        self.asked.append(what)
        return {name: "1"}

    def _next(self) -> str:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


def detection(client: Client, waited: list[float]) -> CloudFormationDrift:
    return CloudFormationDrift(
        lambda *_: client, client, waited.append, timedelta(seconds=5), patience=timedelta(seconds=20)
    )


def test_every_stack_and_set_is_looked_at_and_waited_for() -> None:
    client, waited = Client(["DETECTION_IN_PROGRESS", "DETECTION_IN_PROGRESS", "DETECTION_COMPLETE"]), list[float]()
    detection(client, waited).detect_stacks([STACK])
    assert (client.asked, waited) == ([f"stack {STACK[2]}"], [5.0, 5.0])
    client, waited = Client(["QUEUED", "RUNNING", "SUCCEEDED"]), list[float]()
    detection(client, waited).detect_sets(["one"])
    assert (client.asked, waited) == (["set one"], [5.0, 5.0])


@pytest.mark.parametrize(
    ("client", "said"),
    [
        (Client(["DETECTION_FAILED"]), f"{'/'.join(STACK)} ended as DETECTION_FAILED: cannot read the window"),
        (Client(["DETECTION_IN_PROGRESS"]), "did not end within 0:00:20"),
        (Client([""], "AccessDenied"), f"detecting the drift of stack {'/'.join(STACK)} was refused: AccessDenied: no"),
    ],
)
def test_what_goes_wrong_is_told(client: Client, said: str) -> None:
    with pytest.raises(RefusedError, match=said) as refused:
        detection(client, []).detect_stacks([STACK])
    assert refused.value.remedy
