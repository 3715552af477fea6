"""Lambda: functions, synchronous and asynchronous invocations, retries, destinations, concurrency, logs."""

from __future__ import annotations

import base64
import copy
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from patchgate.emulator.cloud import Cloud, NoNeighbour, Params, Result, Scope
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.functions import Functions
from patchgate.emulator.functions_programs import LambdaContext
from patchgate.emulator.kernel import ThrownByKernel

START = datetime(2026, 7, 4, 20, 30, tzinfo=UTC)
SCOPE = Scope("111122223333", "eu-central-1")
ROLE = "arn:aws:iam::111122223333:role/patchgate-gate-open"
ARN = "arn:aws:lambda:eu-central-1:111122223333:function:gate"
QUEUE = "arn:aws:sqs:eu-central-1:111122223333:patchgate-failures"


class Neighbours(NoNeighbour):
    """Logs, queues and topics that remember what was sent to them."""

    def __init__(self) -> None:
        self.groups: set[str] = set()
        self.queues = {"patchgate-failures"}
        self.calls: list[tuple[str, str, Params]] = []
        self.trouble: AwsError | None = None

    def call(self, scope: Scope, service: str, operation: str, params: Params) -> Result:
        if service == "logs" and self.trouble:
            raise self.trouble
        if service == "logs" and params["logGroupName"] not in self.groups:
            raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
        if operation == "GetQueueUrl":
            if params["QueueName"] not in self.queues:
                raise AwsError("AWS.SimpleQueueService.NonExistentQueue")
            return {"QueueUrl": f"https://{params['QueueName']}"}
        self.calls.append((service, operation, params))
        return {}

    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(params["MessageBody"]) for _, operation, params in self.calls if operation == "SendMessage"]

    def log_lines(self) -> list[str]:
        sent = [params["logEvents"] for _, operation, params in self.calls if operation == "PutLogEvents"]
        return [event["message"] for events in sent for event in events]


@pytest.fixture
def neighbour() -> Neighbours:
    return Neighbours()


@pytest.fixture
def cloud(neighbour: Neighbours) -> Cloud:
    return Cloud((Functions,), start=START, seed=3, neighbour=neighbour)


def call(cloud: Cloud, operation: str, **params: Any) -> dict[str, Any]:
    return cloud.invoke(SCOPE, "lambda", operation, params)


def refused(cloud: Cloud, operation: str, **params: Any) -> str:
    with pytest.raises(AwsError) as caught:
        call(cloud, operation, **params)
    return caught.value.code


def archive(**modules: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        for name, text in modules.items():
            package.writestr(f"{name}.py", text)
    return content.getvalue()


def create(cloud: Cloud, source: str, name: str = "gate", **changes: Any) -> dict[str, Any]:
    params = {"FunctionName": name, "Runtime": "python3.13", "Role": ROLE, "Handler": "index.handler", "Timeout": 900}
    return cloud.component(Functions).create_inline(SCOPE, params | changes, source)


def invoke(cloud: Cloud, payload: Any = None, name: str = "gate") -> tuple[Any, str | None]:
    body = b"" if payload is None else json.dumps(payload).encode()
    answer = cloud.component(Functions).invoke_and_wait(SCOPE, name, body)
    return json.loads(answer["Payload"]), answer.get("FunctionError")


def send(cloud: Cloud, payload: Any, name: str = "gate") -> None:
    answer = call(cloud, "Invoke", FunctionName=name, InvocationType="Event", Payload=json.dumps(payload).encode())
    assert answer["StatusCode"] == 202


def ended(cloud: Cloud) -> list[dict[str, Any]]:
    return list(cloud.history.of("FunctionEnded"))


ECHO = "def handler(event, context):\n    return {'got': event}\n"
BROKEN = "def handler(event, context):\n    print('trying')\n    raise ValueError('no backup')\n"
COUNTING = """import time
count = 0
def handler(seconds, context):
    global count
    count += 1
    time.sleep(seconds)
    return count
"""
SLOW = "import time\ndef handler(event, context):\n    time.sleep(event['seconds'])\n    return 'slept'\n"


# Settings


def test_a_created_function_is_described(cloud: Cloud) -> None:
    created = create(cloud, ECHO, Environment={"Variables": {"STAGE": "prd"}}, Tags={"a": "b"}, MemorySize=512)
    assert created["FunctionArn"] == ARN
    assert created["Environment"] == {"Variables": {"STAGE": "prd"}}
    assert (created["Timeout"], created["MemorySize"], created["State"]) == (900, 512, "Active")
    got = call(cloud, "GetFunction", FunctionName=ARN)
    assert got["Configuration"] == created == call(cloud, "GetFunctionConfiguration", FunctionName="gate")
    assert got["Tags"] == {"a": "b"}
    assert [item["FunctionName"] for item in call(cloud, "ListFunctions")["Functions"]] == ["gate"]


def test_real_archives_with_several_modules(cloud: Cloud) -> None:
    source = "import rules\ndef handler(event, context):\n    return rules.answer\n"
    code = {"ZipFile": archive(index=source, rules="answer = 42\n")}
    params = {"FunctionName": "gate", "Runtime": "python3.13", "Role": ROLE, "Handler": "index.handler", "Code": code}
    created = call(cloud, "CreateFunction", **params)
    assert created["CodeSize"] == len(code["ZipFile"])
    assert invoke(cloud) == (42, None)
    call(cloud, "UpdateFunctionCode", FunctionName="gate", ZipFile=archive(index=ECHO))
    assert invoke(cloud, 1) == ({"got": 1}, None)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Runtime": "python3.9"}, "InvalidParameterValueException"),
        ({"Runtime": ""}, "InvalidParameterValueException"),
        ({"Runtime": "nodejs24.x"}, "NotEmulated"),
        ({"Role": "role"}, "ValidationException"),
        ({"Timeout": 901}, "ValidationException"),
        ({"Timeout": 0}, "ValidationException"),
        ({"MemorySize": 64}, "ValidationException"),
        ({"Handler": "handler"}, "NotEmulated"),
        ({"FunctionName": "a b"}, "ValidationException"),
        ({"FunctionName": "x" * 65}, "ValidationException"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException"),
        ({"Environment": {"Variables": {"1A": "x"}}}, "ValidationException"),
        ({"Environment": {"Variables": {"BIG": "x" * 4096}}}, "InvalidParameterValueException"),
        ({"Layers": ["arn"]}, "NotEmulated"),
        ({"PackageType": "Image"}, "NotEmulated"),
        ({"Code": {}}, "InvalidParameterValueException"),
        ({"Code": {"S3Bucket": "b", "S3Key": "k"}}, "NotEmulated"),
        ({"Code": {"ZipFile": b"not a zip"}}, "InvalidParameterValueException"),
    ],
)
def test_what_cannot_be_created(cloud: Cloud, changes: dict[str, Any], code: str) -> None:
    params = {
        "FunctionName": "gate",
        "Runtime": "python3.13",
        "Role": ROLE,
        "Handler": "index.handler",
        "Code": {"ZipFile": archive(index=ECHO)},
    }
    assert refused(cloud, "CreateFunction", **(params | changes)) == code
    assert call(cloud, "ListFunctions")["Functions"] == []


def test_functions_that_are_not_there(cloud: Cloud) -> None:
    create(cloud, ECHO)
    with pytest.raises(AwsError) as caught:
        create(cloud, ECHO)
    assert (caught.value.code, caught.value.status) == ("ResourceConflictException", 409)
    elsewhere = ARN.replace("eu-central-1", "us-east-1")
    for name in ("other", elsewhere, ARN + ":7", "gate:live"):
        assert refused(cloud, "GetFunction", FunctionName=name) == "ResourceNotFoundException"
    assert refused(cloud, "GetFunction", FunctionName="gate", Qualifier="1") == "ResourceNotFoundException"
    call(cloud, "DeleteFunction", FunctionName="111122223333:function:gate")
    assert refused(cloud, "Invoke", FunctionName="gate") == "ResourceNotFoundException"


def test_configuration_is_updated_and_kept_when_refused(cloud: Cloud) -> None:
    create(cloud, "import os\ndef handler(event, context):\n    return os.environ.get('STAGE')\n")
    assert invoke(cloud) == (None, None)
    call(cloud, "UpdateFunctionConfiguration", FunctionName="gate", Environment={"Variables": {"STAGE": "prd"}})
    assert invoke(cloud) == ("prd", None)
    assert refused(cloud, "UpdateFunctionConfiguration", FunctionName="gate", Timeout=1000) == "ValidationException"
    assert call(cloud, "GetFunctionConfiguration", FunctionName="gate")["Timeout"] == 900
    cloud.component(Functions).update_inline(SCOPE, "gate", ECHO)
    assert invoke(cloud, 1) == ({"got": 1}, None)


def test_permissions(cloud: Cloud) -> None:
    create(cloud, ECHO)
    permission = {
        "FunctionName": "gate",
        "StatementId": "scheduler",
        "Action": "lambda:InvokeFunction",
        "Principal": "scheduler.amazonaws.com",
        "SourceArn": "arn:aws:scheduler:eu-central-1:111122223333:schedule-group/g",
        "SourceAccount": "111122223333",
    }
    assert refused(cloud, "GetPolicy", FunctionName="gate") == "ResourceNotFoundException"
    statement = json.loads(call(cloud, "AddPermission", **permission)["Statement"])
    assert statement["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert statement["Condition"]["ArnLike"] == {"AWS:SourceArn": permission["SourceArn"]}
    assert refused(cloud, "AddPermission", **permission) == "ResourceConflictException"
    policy = json.loads(call(cloud, "GetPolicy", FunctionName="gate")["Policy"])
    assert policy["Statement"] == [statement]
    call(cloud, "RemovePermission", FunctionName="gate", StatementId="scheduler")
    gone = refused(cloud, "RemovePermission", FunctionName="gate", StatementId="scheduler")
    assert gone == "ResourceNotFoundException"


def test_tags_event_configuration_and_concurrency_are_kept(cloud: Cloud) -> None:
    create(cloud, ECHO)
    call(cloud, "TagResource", Resource=ARN, Tags={"a": "1", "b": "2"})
    call(cloud, "UntagResource", Resource=ARN, TagKeys=["a"])
    assert call(cloud, "ListTags", Resource=ARN) == {"Tags": {"b": "2"}}
    assert refused(cloud, "GetFunctionEventInvokeConfig", FunctionName="gate") == "ResourceNotFoundException"
    destination = {"OnFailure": {"Destination": QUEUE}}
    call(cloud, "PutFunctionEventInvokeConfig", FunctionName="gate", DestinationConfig=destination)
    call(cloud, "UpdateFunctionEventInvokeConfig", FunctionName="gate", MaximumRetryAttempts=1)
    kept = call(cloud, "GetFunctionEventInvokeConfig", FunctionName="gate", Qualifier="$LATEST")
    assert (kept["MaximumRetryAttempts"], kept["DestinationConfig"]) == (1, destination)
    assert kept["FunctionArn"] == ARN + ":$LATEST"
    for wrong in ({"MaximumRetryAttempts": 3}, {"MaximumEventAgeInSeconds": 59}):
        assert refused(cloud, "PutFunctionEventInvokeConfig", FunctionName="gate", **wrong) == "ValidationException"
    call(cloud, "DeleteFunctionEventInvokeConfig", FunctionName="gate")
    assert refused(cloud, "DeleteFunctionEventInvokeConfig", FunctionName="gate") == "ResourceNotFoundException"
    call(cloud, "PutFunctionConcurrency", FunctionName="gate", ReservedConcurrentExecutions=900)
    assert call(cloud, "GetFunctionConcurrency", FunctionName="gate") == {"ReservedConcurrentExecutions": 900}
    assert call(cloud, "GetFunction", FunctionName="gate")["Concurrency"] == {"ReservedConcurrentExecutions": 900}
    create(cloud, ECHO, "other")
    code = refused(cloud, "PutFunctionConcurrency", FunctionName="other", ReservedConcurrentExecutions=1)
    assert code == "InvalidParameterValueException"
    call(cloud, "DeleteFunctionConcurrency", FunctionName="gate")
    assert call(cloud, "GetFunctionConcurrency", FunctionName="gate") == {}


# Synchronous invocations


def test_invoke_and_wait_runs_the_kernel_until_the_function_ends(cloud: Cloud) -> None:
    create(cloud, SLOW)
    assert invoke(cloud, {"seconds": 30}) == ("slept", None)
    assert cloud.now == START + timedelta(seconds=30)
    invoked = next(cloud.history.of("FunctionInvoked"))
    assert (invoked["function"], invoked["payload"]) == ("gate", {"seconds": 30})
    assert ended(cloud)[0]["request_id"] == invoked["request_id"]
    assert (ended(cloud)[0]["status"], ended(cloud)[0]["result"]) == ("Success", "slept")


def test_a_synchronous_invoke_needs_a_process(cloud: Cloud) -> None:
    create(cloud, ECHO)
    with pytest.raises(NotEmulatedError, match="invoke_and_wait"):
        call(cloud, "Invoke", FunctionName="gate")
    answers: list[dict[str, Any]] = []
    cloud.kernel.spawn(
        "caller", lambda: answers.append(call(cloud, "Invoke", FunctionName="gate", Payload=b"1", LogType="Tail"))
    )
    cloud.kernel.run_until(START + timedelta(seconds=1))
    assert answers[0]["StatusCode"] == 200
    assert json.loads(answers[0]["Payload"]) == {"got": 1}
    assert answers[0]["LogResult"] == ""


def test_dry_runs_and_bad_requests(cloud: Cloud) -> None:
    create(cloud, ECHO)
    assert call(cloud, "Invoke", FunctionName="gate", InvocationType="DryRun")["StatusCode"] == 204
    assert refused(cloud, "Invoke", FunctionName="gate", Payload=b"{") == "InvalidRequestContentException"
    large = b'"' + b"x" * (1024 * 1024) + b'"'
    code = refused(cloud, "Invoke", FunctionName="gate", InvocationType="Event", Payload=large)
    assert code == "RequestTooLargeException"
    assert ended(cloud) == []


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        (BROKEN, "ValueError", "no backup"),
        ("def", "Runtime.UserCodeSyntaxError", "Syntax error in module 'index'"),
        ("import nowhere_to_be_found", "Runtime.ImportModuleError", "Unable to import module 'index'"),
        ("import socket", "Runtime.ImportModuleError", "does not let programs import 'socket'"),
        ("x = 1", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'index'"),
        ("raise OSError('cold')", "OSError", "cold"),
        ("def handler(e, c):\n    return {1, 2}", "Runtime.MarshalError", "Unable to marshal response"),
        ("import sys\ndef handler(e, c):\n    sys.exit(3)", "Runtime.ExitError", "exited with error: exit status 3"),
        ("import boto3\ndef handler(e, c):\n    boto3.client('ssm')", "NotEmulatedError", "without an open door"),
    ],
)
def test_how_functions_fail(cloud: Cloud, source: str, kind: str, message: str) -> None:
    create(cloud, source)
    error, marker = invoke(cloud)
    assert marker == "Unhandled"
    assert error["errorType"] == kind
    assert message in error["errorMessage"]
    assert ended(cloud)[0]["status"] == "Error"
    assert ended(cloud)[0]["error"] == error


def test_a_failure_is_in_the_log_with_the_functions_own_frames_only(cloud: Cloud) -> None:
    create(cloud, BROKEN)
    error, _ = invoke(cloud)
    frame = "  File \"/var/task/index.py\", line 3, in handler\n    raise ValueError('no backup')\n"
    assert error["stackTrace"] == [frame]
    assert ended(cloud)[0]["log"] == [
        "trying",
        "[ERROR] ValueError: no backup",
        "Traceback (most recent call last):",
        '\u00a0\u00a0File "/var/task/index.py", line 3, in handler',
        "\u00a0\u00a0\u00a0\u00a0raise ValueError('no backup')",
    ]


def test_a_function_that_takes_too_long_is_killed(cloud: Cloud) -> None:
    create(cloud, SLOW, Timeout=3)
    error, marker = invoke(cloud, {"seconds": 10})
    assert marker == "Unhandled"
    assert error["errorMessage"].endswith("Task timed out after 3.00 seconds")
    assert cloud.now == START + timedelta(seconds=3)
    assert ended(cloud)[0]["status"] == "Timeout"
    cloud.kernel.run_until(START + timedelta(minutes=1))
    assert len(ended(cloud)) == 1


def test_the_context_and_the_environment(cloud: Cloud) -> None:
    source = """
import os, time
def handler(event, context):
    before = context.get_remaining_time_in_millis()
    time.sleep(1)
    return [context.function_name, context.function_version, context.invoked_function_arn, context.memory_limit_in_mb,
            before, context.get_remaining_time_in_millis(), os.environ["AWS_REGION"], os.environ["_HANDLER"],
            os.environ["AWS_LAMBDA_LOG_STREAM_NAME"] == context.log_stream_name, context.log_group_name,
            len(context.aws_request_id)]
"""
    create(cloud, source, Timeout=60)
    assert invoke(cloud)[0] == [
        *("gate", "$LATEST", ARN, "128", 60000, 59000, "eu-central-1", "index.handler", True, "/aws/lambda/gate", 36),
    ]


def test_warm_functions_keep_their_globals_for_a_while(cloud: Cloud) -> None:
    counter = "count = 0\ndef handler(event, context):\n    global count\n    count += 1\n    return count\n"
    create(cloud, counter)
    assert [invoke(cloud)[0], invoke(cloud)[0]] == [1, 2]
    cloud.kernel.run_until(cloud.now + timedelta(minutes=14))
    assert invoke(cloud)[0] == 3
    cloud.kernel.run_until(cloud.now + timedelta(minutes=15))
    assert invoke(cloud)[0] == 1
    cloud.component(Functions).update_inline(SCOPE, "gate", counter)
    assert invoke(cloud)[0] == 1


def test_simultaneous_invocations_have_environments_of_their_own(cloud: Cloud) -> None:
    create(cloud, COUNTING)
    send(cloud, 9)
    send(cloud, 9)
    cloud.kernel.run_until(START + timedelta(seconds=10))
    assert [record["result"] for record in ended(cloud)] == [1, 1]
    send(cloud, 9)
    cloud.kernel.run_until(START + timedelta(seconds=20))
    assert ended(cloud)[-1]["result"] == 2


def test_a_timed_out_environment_is_not_used_again(cloud: Cloud) -> None:
    create(cloud, COUNTING, Timeout=5)
    invoke(cloud, 10)
    assert invoke(cloud, 0) == (1, None)


def test_copies_of_a_quiet_cloud_begin_cold_and_go_their_own_way(cloud: Cloud) -> None:
    create(cloud, "count = 0\ndef handler(e, c):\n    global count\n    count += 1\n    return count")
    assert invoke(cloud)[0] == 1
    cloud.kernel.run_until(cloud.now + timedelta(hours=1))
    restored = copy.deepcopy(cloud)
    assert invoke(restored)[0] == 1
    assert len(ended(restored)) == 2
    assert len(ended(cloud)) == 1


def test_the_sdk_of_a_function_acts_as_its_role(cloud: Cloud) -> None:
    seen: list[Scope] = []

    def session(scope: Scope, /) -> Any:
        seen.append(scope)
        return SimpleNamespace(client=lambda service: service)

    cloud.sdk = SimpleNamespace(session=session)
    create(cloud, "import boto3\ndef handler(e, c):\n    return boto3.client('ssm')")
    assert invoke(cloud) == ("ssm", None)
    assert seen == [Scope("111122223333", "eu-central-1", ROLE)]


# Events


def test_an_event_runs_at_once(cloud: Cloud) -> None:
    create(cloud, ECHO)
    send(cloud, {"mode": "open"})
    assert ended(cloud) == []
    cloud.kernel.run_until(START)
    assert ended(cloud)[0]["result"] == {"got": {"mode": "open"}}


def test_a_failing_event_is_retried_after_one_and_two_minutes_and_then_discarded(
    cloud: Cloud, neighbour: Neighbours
) -> None:
    create(cloud, BROKEN)
    destination = {"OnFailure": {"Destination": QUEUE}}
    call(cloud, "PutFunctionEventInvokeConfig", FunctionName="gate", DestinationConfig=destination)
    send(cloud, {"mode": "open"})
    cloud.kernel.run_until(START + timedelta(hours=1))
    assert [record["at"][11:19] for record in ended(cloud)] == ["20:30:00", "20:31:00", "20:33:00"]
    assert len({record["request_id"] for record in ended(cloud)}) == 1
    message = neighbour.messages()[0]
    assert message["requestContext"]["condition"] == "RetriesExhausted"
    assert message["requestContext"]["approximateInvokeCount"] == 3
    assert message["requestPayload"] == {"mode": "open"}
    assert message["responsePayload"]["errorMessage"] == "no backup"
    discarded = list(cloud.history.of("FunctionDiscarded"))
    assert [(record["destination"], record["problem"]) for record in discarded] == [(QUEUE, "")]


@pytest.mark.parametrize(("retries", "runs"), [(0, 1), (1, 2), (2, 3)])
def test_retries_are_bounded(cloud: Cloud, retries: int, runs: int) -> None:
    create(cloud, BROKEN)
    call(cloud, "PutFunctionEventInvokeConfig", FunctionName="gate", MaximumRetryAttempts=retries)
    send(cloud, 1)
    cloud.kernel.run_until(START + timedelta(hours=1))
    assert len(ended(cloud)) == runs
    assert [record["destination"] for record in cloud.history.of("FunctionDiscarded")] == [""]


def test_an_event_that_grew_old_is_not_retried(cloud: Cloud, neighbour: Neighbours) -> None:
    create(cloud, SLOW + "    \n", Timeout=100)
    config = {"MaximumEventAgeInSeconds": 120, "DestinationConfig": {"OnFailure": {"Destination": QUEUE}}}
    call(cloud, "PutFunctionEventInvokeConfig", FunctionName="gate", **config)
    send(cloud, {"seconds": 1000})
    cloud.kernel.run_until(START + timedelta(hours=1))
    assert [record["status"] for record in ended(cloud)] == ["Timeout"]
    assert neighbour.messages()[0]["requestContext"]["condition"] == "EventAgeExceeded"


def test_a_retry_that_succeeds_ends_it(cloud: Cloud, neighbour: Neighbours) -> None:
    create(cloud, COUNTING.replace("return count", "return 1 // (count - 1)"))
    destination = {"OnSuccess": {"Destination": "arn:aws:sns:eu-central-1:111122223333:topic"}}
    call(cloud, "PutFunctionEventInvokeConfig", FunctionName="gate", DestinationConfig=destination)
    send(cloud, 1)
    cloud.kernel.run_until(START + timedelta(hours=1))
    assert [record["status"] for record in ended(cloud)] == ["Error", "Success"]
    assert list(cloud.history.of("FunctionDiscarded")) == []
    published = [params for _, operation, params in neighbour.calls if operation == "Publish"]
    assert json.loads(published[0]["Message"])["requestContext"]["condition"] == "Success"


def test_dead_letters_carry_the_event_itself(cloud: Cloud, neighbour: Neighbours) -> None:
    create(cloud, BROKEN, DeadLetterConfig={"TargetArn": QUEUE})
    send(cloud, {"mode": "open"})
    cloud.kernel.run_until(START + timedelta(hours=1))
    assert neighbour.messages() == [{"mode": "open"}]


def test_a_destination_that_takes_nothing_is_recorded(cloud: Cloud, neighbour: Neighbours) -> None:
    create(cloud, BROKEN, DeadLetterConfig={"TargetArn": QUEUE})
    neighbour.queues.clear()
    send(cloud, 1)
    cloud.kernel.run_until(START + timedelta(hours=1))
    discarded = next(cloud.history.of("FunctionDiscarded"))
    assert discarded["destination"] == QUEUE
    assert "NonExistentQueue" in discarded["problem"]


def test_a_function_can_be_a_destination(cloud: Cloud) -> None:
    create(cloud, BROKEN)
    create(cloud, ECHO, "listener")
    listener = {"OnFailure": {"Destination": ARN.replace("gate", "listener")}}
    call(cloud, "PutFunctionEventInvokeConfig", FunctionName="gate", MaximumRetryAttempts=0, DestinationConfig=listener)
    send(cloud, 1)
    cloud.kernel.run_until(START + timedelta(minutes=1))
    assert [(record["function"], record["status"]) for record in ended(cloud)] == [
        ("gate", "Error"),
        ("listener", "Success"),
    ]


def test_other_destinations_are_refused(cloud: Cloud) -> None:
    create(cloud, ECHO)
    bus = {"OnFailure": {"Destination": "arn:aws:events:eu-central-1:111122223333:event-bus/b"}}
    with pytest.raises(NotEmulatedError):
        call(cloud, "PutFunctionEventInvokeConfig", FunctionName="gate", DestinationConfig=bus)


def test_events_beyond_the_reserved_concurrency_wait(cloud: Cloud) -> None:
    create(cloud, SLOW)
    call(cloud, "PutFunctionConcurrency", FunctionName="gate", ReservedConcurrentExecutions=1)
    send(cloud, {"seconds": 5})
    send(cloud, {"seconds": 5})
    cloud.kernel.run_until(START + timedelta(seconds=1))
    assert len(list(cloud.history.of("FunctionInvoked"))) == 1
    with pytest.raises(AwsError, match="TooManyRequestsException"):
        cloud.component(Functions).invoke_and_wait(SCOPE, "gate", b"1")
    cloud.kernel.run_until(START + timedelta(minutes=1))
    assert [record["at"][11:19] for record in cloud.history.of("FunctionInvoked")] == ["20:30:00", "20:30:07"]


def test_nothing_runs_with_a_reserved_concurrency_of_zero(cloud: Cloud, neighbour: Neighbours) -> None:
    create(cloud, ECHO, DeadLetterConfig={"TargetArn": QUEUE})
    call(cloud, "PutFunctionConcurrency", FunctionName="gate", ReservedConcurrentExecutions=0)
    send(cloud, 1)
    cloud.kernel.run_until(START + timedelta(hours=1))
    assert ended(cloud) == []
    assert [params["MessageBody"] for _, operation, params in neighbour.calls if operation == "SendMessage"] == ["1"]


def test_throttled_events_end_with_their_age(cloud: Cloud) -> None:
    create(cloud, SLOW)
    call(cloud, "PutFunctionConcurrency", FunctionName="gate", ReservedConcurrentExecutions=1)
    call(cloud, "PutFunctionEventInvokeConfig", FunctionName="gate", MaximumEventAgeInSeconds=60)
    send(cloud, {"seconds": 800})
    send(cloud, {"seconds": 1})
    cloud.kernel.run_until(START + timedelta(minutes=2))
    assert len(list(cloud.history.of("FunctionInvoked"))) == 1
    assert len(list(cloud.history.of("FunctionDiscarded"))) == 1


def test_events_of_a_deleted_function_are_dropped(cloud: Cloud) -> None:
    create(cloud, BROKEN)
    send(cloud, 1)
    cloud.kernel.run_until(START)
    call(cloud, "DeleteFunction", FunctionName="gate")
    cloud.kernel.run_until(START + timedelta(hours=1))
    assert len(ended(cloud)) == 1
    assert len(list(cloud.history.of("FunctionDiscarded"))) == 1


# Logs


def test_lines_go_to_the_log_group_when_there_is_one(cloud: Cloud, neighbour: Neighbours) -> None:
    neighbour.groups.add("/aws/lambda/gate")
    create(cloud, "def handler(event, context):\n    print('decided', event)\n    print()\n")
    invoke(cloud, 7)
    invoke(cloud, 8)
    streams = [params for _, operation, params in neighbour.calls if operation == "CreateLogStream"]
    assert len(streams) == 1
    assert streams[0]["logStreamName"].startswith("2026/07/04/[$LATEST]")
    lines = [line for line in neighbour.log_lines() if "RequestId" not in line]
    assert lines == ["decided 7", "decided 8"]
    assert ended(cloud)[0]["log"] == ["decided 7", ""]


def test_a_log_group_of_ones_own_name(cloud: Cloud, neighbour: Neighbours) -> None:
    neighbour.groups.add("/patchgate/gate")
    create(cloud, ECHO, LoggingConfig={"LogGroup": "/patchgate/gate"})
    invoke(cloud, 1)
    assert len(neighbour.log_lines()) == 3


def test_only_a_missing_log_group_is_tolerated(cloud: Cloud, neighbour: Neighbours) -> None:
    create(cloud, ECHO)
    assert invoke(cloud, 1) == ({"got": 1}, None)
    neighbour.trouble = AwsError("ThrottlingException", "Rate exceeded")
    with pytest.raises(AwsError, match="ThrottlingException"):
        invoke(cloud, 1)


def test_the_tail_of_the_log_comes_with_the_answer(cloud: Cloud) -> None:
    create(cloud, "def handler(event, context):\n    print('hello')\n")
    answers: list[dict[str, Any]] = []
    cloud.kernel.spawn("caller", lambda: answers.append(call(cloud, "Invoke", FunctionName="gate", LogType="Tail")))
    cloud.kernel.run_until(START + timedelta(seconds=1))
    assert base64.b64decode(answers[0]["LogResult"]) == b"hello"


def test_log_records_name_their_request_as_the_runtime_does(cloud: Cloud) -> None:
    source = """
import logging
logging.basicConfig(level="DEBUG")
log = logging.getLogger()
log.warning("cold")
def handler(event, context):
    print("no end", end="")
    log.setLevel("INFO")
    log.info("of %s", event)
    context.log("last\\n")
"""
    create(cloud, source)
    invoke(cloud, 7)
    request = ended(cloud)[0]["request_id"]
    assert ended(cloud)[0]["log"] == [
        "[WARNING]\t2026-07-04T20:30:00.000Z\t\tcold",
        "no end",
        f"[INFO]\t2026-07-04T20:30:00.000Z\t{request}\tof 7",
        "last",
    ]


def test_tracebacks_that_a_function_prints_have_its_lines(cloud: Cloud) -> None:
    source = """
import traceback
def handler(event, context):
    try:
        return event["missing"]
    except KeyError:
        traceback.print_exc()
        return traceback.format_exc().splitlines()[2].strip()
"""
    create(cloud, source)
    assert invoke(cloud, {}) == ('return event["missing"]', None)
    assert '    return event["missing"]' in ended(cloud)[0]["log"]


def test_answers_are_marshalled_as_the_runtime_does(cloud: Cloud) -> None:
    source = """
import collections, decimal
Point = collections.namedtuple("Point", "x y")
def handler(event, context):
    if event:
        return event.encode()
    return {"d": decimal.Decimal("1.10"), "p": Point(1, 2), "t": (1, decimal.Decimal("7")), "b": b"text", 1: None}
"""
    create(cloud, source)
    assert invoke(cloud, "") == ({"d": 1.1, "p": {"x": 1, "y": 2}, "t": [1, 7], "b": "text", "1": None}, None)
    assert invoke(cloud, '{"a": 1}') == ({"a": 1}, None)
    error, marker = invoke(cloud, "<html>")
    assert (error["errorType"], marker) == ("NotEmulatedError", "Unhandled")


def test_what_a_function_does_after_its_time_has_no_effect(cloud: Cloud) -> None:
    source = """
import time
def handler(event, context):
    try:
        print("begun")
        time.sleep(10)
    except BaseException:
        print("too late")
        try:
            time.sleep(1)
        except BaseException:
            pass
    return "as if nothing had happened"
"""
    create(cloud, source, Timeout=3)
    error, _ = invoke(cloud)
    assert error["errorType"] == "Sandbox.Timedout"
    assert ended(cloud)[0]["log"] == ["begun", error["errorMessage"]]
    assert cloud.now == START + timedelta(seconds=3)


def test_an_error_that_no_handler_catches_ends_the_process(cloud: Cloud) -> None:
    source = """
class Own(BaseException): pass
def handler(event, context):
    try:
        return event["missing"]
    except KeyError as error:
        raise Own("no way") from error
"""
    create(cloud, source)
    error, marker = invoke(cloud, {})
    assert (error["errorType"], marker) == ("Runtime.ExitError", "Unhandled")
    assert error["errorMessage"].endswith("Error: Runtime exited with error: exit status 1")
    assert ended(cloud)[0]["log"] == [
        "Traceback (most recent call last):",
        '  File "/var/task/index.py", line 5, in handler',
        '    return event["missing"]',
        "KeyError: 'missing'",
        "The above exception was the direct cause of the following exception:",
        "Traceback (most recent call last):",
        '  File "/var/task/index.py", line 7, in handler',
        '    raise Own("no way") from error',
        "index.Own: no way",
        error["errorMessage"],
    ]
    assert invoke(cloud, {"missing": 1}) == (1, None)


def test_an_interrupt_of_a_functions_own_is_no_ctrl_c(cloud: Cloud) -> None:
    create(cloud, "def handler(event, context):\n    raise KeyboardInterrupt\n")
    error, _ = invoke(cloud)
    assert error["errorMessage"].endswith("Error: Runtime exited with error: signal: interrupt")


def test_an_error_that_no_handler_catches_after_the_time_is_up_is_a_timeout(cloud: Cloud) -> None:
    source = """
import time
def handler(event, context):
    try:
        time.sleep(10)
    except BaseException:
        raise GeneratorExit
"""
    create(cloud, source, Timeout=3)
    assert invoke(cloud)[0]["errorType"] == "Sandbox.Timedout"


@pytest.mark.parametrize("thrown", [KeyboardInterrupt, ThrownByKernel])
def test_what_is_not_the_functions_own_passes_it(
    cloud: Cloud, neighbour: Neighbours, monkeypatch: pytest.MonkeyPatch, thrown: type[BaseException]
) -> None:
    """A person's Ctrl-C comes while a function computes: here, while it asks how long it may."""

    def throw(_: object) -> int:
        raise thrown

    monkeypatch.setattr(LambdaContext, "get_remaining_time_in_millis", throw)
    create(cloud, "def handler(event, context):\n    context.get_remaining_time_in_millis()\n")
    with pytest.raises(thrown):
        invoke(cloud)
    assert ended(cloud) == []
    assert neighbour.messages() == []


def test_the_context_is_printed_as_by_the_runtimes_client(cloud: Cloud) -> None:
    create(cloud, "def handler(event, context):\n    print(context)\n    return str(context.identity)\n")
    identity = "CognitoIdentity([cognito_identity_id=None,cognito_identity_pool_id=None])"
    assert invoke(cloud) == (identity, None)
    (line,) = ended(cloud)[0]["log"]
    request = ended(cloud)[0]["request_id"]
    assert line.startswith(f"LambdaContext([aws_request_id={request},log_group_name=/aws/lambda/gate,log_stream_name=")
    assert line.endswith(
        ",function_name=gate,memory_limit_in_mb=128,function_version=$LATEST,"
        f"invoked_function_arn={ARN},client_context=None,identity={identity},tenant_id=None])"
    )


def test_addresses_of_objects_are_not_in_a_log(cloud: Cloud) -> None:
    source = """
class Own: pass
def handler(event, context):
    print(Own(), "at 0x7f3a12345678", [handler])
    raise ValueError(Own())
"""
    create(cloud, source)
    error, _ = invoke(cloud)
    log = ended(cloud)[0]["log"]
    assert log[0].startswith("<index.Own object at 0x0000")
    assert "at 0x7f3a12345678 [<function handler at 0x0000" in log[0]
    assert error["errorMessage"].startswith("<index.Own object at 0x0000")
    assert log[1] == f"[ERROR] ValueError: {error['errorMessage']}"


@pytest.mark.parametrize(
    ("leaves", "reason"),
    [
        ("os._exit(4)", "Runtime exited with error: exit status 4"),
        ("sys.exit()", "Runtime exited without providing a reason"),
        ("sys.exit('stop')", "Runtime exited with error: exit status 1"),
    ],
)
def test_leaving_is_leaving_the_function(cloud: Cloud, leaves: str, reason: str) -> None:
    create(cloud, f"import os, sys\ndef handler(event, context):\n    {leaves}\n")
    assert invoke(cloud)[0]["errorMessage"].endswith(f"Error: {reason}")
    assert ("stop" in ended(cloud)[0]["log"]) == ("stop" in leaves)


def test_functions_start_no_programs(cloud: Cloud) -> None:
    create(cloud, "import os\ndef handler(event, context):\n    os.system('true')\n")
    assert invoke(cloud)[0]["errorType"] == "PermissionError"


def test_a_tracing_header_follows_from_the_request(cloud: Cloud) -> None:
    create(cloud, "import os\ndef handler(event, context):\n    return os.environ['_X_AMZN_TRACE_ID']\n")
    header = invoke(cloud)[0]
    digits = ended(cloud)[0]["request_id"].replace("-", "")
    assert header == f"Root=1-6a496d48-{digits[:24]};Parent={digits[-16:]};Sampled=0"
