"""Both ways of running functions give the same answers, errors, log lines, times and history, byte for byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from patchgate.emulator.cloud import Scope
from patchgate.emulator.errors import AwsError
from patchgate.emulator.meddling import Call

from .cases import CASES, FAILING, INTERLEAVED, PACKAGES
from .lab import Lab, opened

pytest.importorskip("awslambdaric", reason="the faithful mode needs awslambdaric, which is for Linux only")
pytest.importorskip("runtime_client", reason="the faithful mode needs awslambdaric, which is for Linux only")


class Throttling:
    """Every first and second call of an operation of SSM is throttled: the SDK waits with jitter, and asks again."""

    def __init__(self) -> None:
        self.seen: dict[str, int] = {}

    def before(self, call: Call) -> None:
        self.seen[call.operation] = self.seen.get(call.operation, 0) + 1
        if call.service == "ssm" and self.seen[call.operation] <= 2:
            raise AwsError("ThrottlingException", "Rate exceeded")

    def after(self, call: Call) -> None:
        """Nothing is lost."""

    def deliveries(self, scope: Scope, schedule: str, scheduled_at: datetime) -> Sequence[timedelta]:
        return (timedelta(0),)

    def page_size(self, call: Call) -> int | None:
        return None

    def was_cut(self, call: Call) -> None:
        """Nothing is cut."""

    def refuses(self, scope: Scope, schedule: str) -> bool:
        return False

    def throttles(self, scope: Scope, function: str) -> bool:
        return False


def drive(lab: Lab) -> Mapping[str, Any]:
    """Everything that a function can do, in one cloud; what its callers were told."""
    told: dict[str, Any] = {}
    for case in CASES:
        lab.create(case.name, PACKAGES[case.package], case.handler, **case.settings)
        told[case.name] = [lab.invoke(case.name, event) for event in case.events]
    lab.cloud.meddler = Throttling()
    lab.create("sdk", PACKAGES["sdk"])
    told["sdk"] = lab.invoke("sdk", {"topic": lab.topic})
    lab.cloud.meddler = None
    lab.create("interleaved", {"index": INTERLEAVED})
    for event in ("a", "b"):
        lab.send("interleaved", event)
    lab.create("failing", {"index": FAILING})
    lab.client("lambda").put_function_event_invoke_config(
        FunctionName="failing", DestinationConfig={"OnFailure": {"Destination": lab.queue}}
    )
    lab.send("failing", {"instance": "i-1"})
    lab.run(hours=1)
    told["queue"] = lab.queued()
    told["logs"] = {name: lab.log_lines(name) for name in ("behaviours", "failing", "times-out")}
    return told


@pytest.fixture(scope="module")
def both() -> tuple[Mapping[str, Any], list[str], Mapping[str, Any], list[str]]:
    with opened(faithful=False) as lab:
        fast, fast_history = drive(lab), lab.history()
    with opened(faithful=True) as lab:
        faithful, history = drive(lab), lab.history()
    return fast, fast_history, faithful, history


Both = tuple[Mapping[str, Any], list[str], Mapping[str, Any], list[str]]


def test_the_histories_are_the_same(both: Both) -> None:
    _, fast, _, faithful = both
    for one, other in zip(fast, faithful, strict=True):
        assert other == one


def test_callers_are_told_the_same(both: Both) -> None:
    fast, _, faithful, _ = both
    for name, told in fast.items():
        assert faithful[name] == told, name


def test_what_they_are_told_is_what_lambda_tells(both: Both) -> None:
    _, _, told, _ = both
    slept, in_time = told["times-out"]
    assert slept[0]["errorType"] == "Sandbox.Timedout"
    assert slept[0]["errorMessage"].endswith("Task timed out after 5.00 seconds")
    assert in_time == (None, None)
    assert told["swallows"][0][0]["errorType"] == "Sandbox.Timedout"
    assert [answer["errorMessage"].split("Error: ")[1] for answer, _ in told["exits"]] == [
        "Runtime exited with error: exit status 3",
        "Runtime exited without providing a reason",
    ]
    assert told["breaks-at-first"][0][0] == {
        "errorMessage": "cold",
        "errorType": "OSError",
        "requestId": "",
        "stackTrace": ["  File \"/var/task/index.py\", line 2, in <module>\n    raise OSError('cold')\n"],
    }
    kinds = {name: told[name][0][0]["errorType"] for name in ("misspelt", "lacks-a-module", "no-such-handler")}
    assert kinds == {
        "misspelt": "Runtime.UserCodeSyntaxError",
        "lacks-a-module": "Runtime.ImportModuleError",
        "no-such-handler": "Runtime.HandlerNotFound",
    }
    ways = {name: told[name][0][0]["errorMessage"].split("exited ")[1] for name in ("dies", "interrupts-itself")}
    assert ways == {"dies": "with error: exit status 1", "interrupts-itself": "with error: signal: interrupt"}
    assert told["built-in-module"][0][0]["errorType"] == "Runtime.BuiltInModuleConflict"


def test_a_role_is_checked_and_a_denial_is_an_error_of_the_sdk(both: Both) -> None:
    _, _, told, history = both
    answer, failure = told["sdk"]
    assert failure is None
    assert "ParameterNotFound" in answer
    assert "arn:aws:sts::111122223333:assumed-role/gate/" in "".join(str(item) for item in answer)
    assert any('"action": "ssm:DeleteParameter"' in record and '"event": "CallDenied"' in record for record in history)


def test_retries_and_the_failure_destination(both: Both) -> None:
    _, _, told, history = both
    assert sum('"function": "failing"' in record and "FunctionEnded" in record for record in history) == 3
    (letter,) = told["queue"]
    assert letter["requestContext"]["condition"] == "RetriesExhausted"
    assert letter["requestContext"]["approximateInvokeCount"] == 3
    assert letter["responsePayload"]["errorMessage"] == "no backup of i-1"


def test_retries_of_the_sdk_wait_virtually_with_the_runs_own_dice(both: Both) -> None:
    fast, _, _, _ = both
    waited, attempts, *_ = fast["sdk"][0]
    assert attempts == 2
    assert waited > 0.1


def test_log_lines_and_their_frame(both: Both) -> None:
    _, _, told, _ = both
    start, before, reason, end, report, *after = told["logs"]["times-out"]
    assert start.startswith("START RequestId: ")
    assert before == "before"
    assert reason.endswith(" Task timed out after 5.00 seconds")
    assert end.startswith("END RequestId: ")
    assert report.endswith("\tDuration: 5000.00 ms")
    assert "too late" in after
    assert any(line.endswith("\tof index: {'a': 1}") for line in told["logs"]["behaviours"])
