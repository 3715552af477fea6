"""DriftDetector on CloudFormation.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DetectStackDrift.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DetectStackSetDrift.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from patchgate.aws.accounts import fan_out
from patchgate.aws.refusals import RefusedError, refusals
from patchgate.operations.rollout.facts import StackKey

ClientFor = Callable[[str, str], Any]
"""Account and Region -> CloudFormation client."""


@dataclass(frozen=True, slots=True)
class CloudFormationDrift:
    """DriftDetector. ``sets``: a client where the stack sets are; ``pause(seconds)`` lets time pass.

    It is asked every ``poll`` whether a detection is over, for ``patience`` at most.
    """

    client_for: ClientFor
    sets: Any
    pause: Callable[[float], None]
    poll: timedelta = timedelta(seconds=5)
    patience: timedelta = timedelta(hours=1)

    def detect_stacks(self, stacks: Iterable[StackKey]) -> None:
        """See DriftDetector."""
        fan_out(self._stack, stacks)

    def detect_sets(self, sets: Iterable[str]) -> None:
        """See DriftDetector."""
        fan_out(self._set, sets)

    def _stack(self, key: StackKey) -> None:
        account, region, name = key
        client, what = self.client_for(account, region), f"detecting the drift of stack {'/'.join(key)}"
        with refusals(what):
            begun = client.detect_stack_drift(StackName=name)["StackDriftDetectionId"]

        def status() -> tuple[str, str]:
            with refusals(what):
                found = client.describe_stack_drift_detection_status(StackDriftDetectionId=begun)
            return found["DetectionStatus"], found.get("DetectionStatusReason", "")

        self._await(what, status, ("DETECTION_IN_PROGRESS",), "DETECTION_COMPLETE")

    def _set(self, name: str) -> None:
        what = f"detecting the drift of stack set {name}"
        with refusals(what):
            preferences = {"RegionConcurrencyType": "PARALLEL", "MaxConcurrentCount": 10}
            begun = self.sets.detect_stack_set_drift(StackSetName=name, OperationPreferences=preferences)["OperationId"]

        def status() -> tuple[str, str]:
            with refusals(what):
                found = self.sets.describe_stack_set_operation(StackSetName=name, OperationId=begun)
            return found["StackSetOperation"]["Status"], found["StackSetOperation"].get("StatusReason", "")

        self._await(what, status, ("RUNNING", "QUEUED", "STOPPING"), "SUCCEEDED")

    def _await(self, what: str, ask: Callable[[], tuple[str, str]], running: tuple[str, ...], good: str) -> None:
        waited = timedelta()
        while (found := ask())[0] in running:
            if waited >= self.patience:
                raise RefusedError(f"{what} did not end within {self.patience}", remedy="plan without --detect-drift")
            self.pause(self.poll.total_seconds())
            waited += self.poll
        if found[0] != good:
            reason = f": {found[1]}" if found[1] else ""
            raise RefusedError(
                f"{what} ended as {found[0]}{reason}",
                remedy="it needs permission to read every resource of the stack; plan without --detect-drift",
            )
