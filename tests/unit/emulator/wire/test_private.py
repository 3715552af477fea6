"""One test for each undocumented name of moto, botocore and responses that the wire door uses.

When one of these fails after an upgrade, wire/private.py has to follow before anything else is looked at.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from types import ModuleType
from typing import Any

import boto3
import botocore.endpoint
import botocore.handlers
import botocore.httpsession
import botocore.retries.adaptive
import botocore.retries.bucket
import botocore.retries.standard
import botocore.retryhandler
import botocore.session
import botocore.utils
import botocore.waiter
import moto.cloudwatch.models
import moto.core.models
import moto.core.parse
import moto.core.serialize
import moto.core.utils
import moto.iam.models
import moto.moto_api._internal
import pytest
import requests
from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders

from patchgate.emulator.numbered_ids import NumberedIds
from patchgate.emulator.wire import private, private_messages


class Clock:
    """sdk_private.Waiting that only counts."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def time(self) -> float:
        return self.now

    def random(self) -> float:
        return 0.25


def request_of(url: str, body: bytes = b"", **headers: str) -> AWSPreparedRequest:
    carried = HTTPHeaders()
    for name, value in headers.items():
        carried[name.replace("_", "-")] = value
    return AWSPreparedRequest("POST", url, carried, body, stream_output=False)


def test_the_stubber_passes_botocores_requests_through_process_request() -> None:
    stubber = moto.core.models.botocore_stubber
    seen: list[Any] = []

    def process(request: Any) -> private.Response:
        seen.append(request)
        return 204, {}, b""

    with private.diverted_requests(process):
        stubber.enabled, before = True, stubber.enabled
        try:
            request = request_of("https://ssm.eu-west-1.amazonaws.com/")
            assert stubber(event_name="before-send.ssm.GetParameter", request=request).status_code == 204
        finally:
            stubber.enabled = before
        assert seen == [request]
    assert "process_request" not in vars(stubber)


def test_the_stubber_is_a_handler_of_every_new_session() -> None:
    handlers = [spec[1] for spec in botocore.handlers.BUILTIN_HANDLERS if spec[0] == "before-send"]
    assert moto.core.models.botocore_stubber in handlers


def test_the_stubber_comes_back_after_an_error() -> None:
    def process(request: Any) -> private.Response:
        raise AssertionError

    with pytest.raises(ZeroDivisionError), private.diverted_requests(process):
        raise ZeroDivisionError
    assert "process_request" not in vars(moto.core.models.botocore_stubber)


def test_requests_from_the_requests_library_go_the_same_way() -> None:
    source = inspect.getsource(type(moto.core.models.botocore_stubber).process_prepared_request)
    assert "self.process_request(" in source


def test_moto_counts_its_mocks() -> None:
    assert not private.moto_is_running()
    with moto.mock_aws():
        assert private.moto_is_running()


def test_responses_sends_what_it_does_not_know_with_real_send() -> None:
    refused: list[Any] = []

    def refuse(url: str) -> None:
        refused.append(url)
        raise ZeroDivisionError

    with (
        moto.mock_aws(),
        private.closed_network(refuse),
        pytest.raises(ZeroDivisionError),
    ):
        requests.get("https://example.org/", timeout=1)
    assert refused == ["https://example.org/"]


def test_http_sessions_send() -> None:
    assert list(inspect.signature(botocore.httpsession.URLLib3Session.send).parameters) == ["self", "request"]


def test_parser_takes_a_request_apart() -> None:
    body, content = b'{"Name": "/a"}', "application/x-amz-json-1.1"
    request = request_of(
        "https://ssm.eu-west-1.amazonaws.com/", body, X_Amz_Target="AmazonSSM.GetParameter", Content_Type=content
    )
    normal = private.normalize_request(request)
    operation, labels = private.get_service_router("ssm").match(normal)
    assert (operation.name, labels) == ("GetParameter", {})
    protocol = private.determine_request_protocol(operation.service_model, normal.content_type)
    parser = private.PROTOCOL_PARSERS[protocol](operation, timestamp_parser=None)
    whole = {"method": "POST", "values": normal.values, "headers": normal.headers, "body": normal.data}
    assert parser.parse(whole | {"url_path": "/", "url_params": labels}) == {"Name": "/a"}


@pytest.mark.parametrize("protocol", ["ec2", "json", "query", "rest-json"])
def test_there_is_a_parser_and_a_serialiser_for_each_protocol(protocol: str) -> None:
    assert protocol in moto.core.parse.PROTOCOL_PARSERS
    assert private.get_serializer_class("ssm", protocol) is moto.core.serialize.SERIALIZERS[protocol]


def test_serialiser_builds_a_response() -> None:
    operation = private.get_service_model("ssm").operation_model("DeleteMaintenanceWindow")
    context = private.SerializationContext("id")
    serializer = private.get_serializer_class("ssm", "json")(
        operation, context=context, value_picker=lambda place: place.obj.get(place.key)
    )
    response = serializer.serialize({"WindowId": "mw-1"})
    assert (response["status_code"], response["body"]) == (200, '{"WindowId": "mw-1"}')
    assert "json" in response["headers"]["Content-Type"]


def test_iam_knows_whose_a_key_is() -> None:
    with moto.mock_aws():
        sts = boto3.client("sts", region_name="eu-west-1")
        role = "arn:aws:iam::444455556666:role/audit"
        key = sts.assume_role(RoleArn=role, RoleSessionName="audit")["Credentials"]["AccessKeyId"]
        assert private.key_owner(key) == ("444455556666", role)
        assert private.key_owner("AKIAIOSFODNN7EXAMPLE") is None


def test_moto_asks_buckets_for_permission() -> None:
    asked: list[tuple[str, bytes | None, str, str]] = []
    with moto.mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="patching-logs")
        with private.guarded_buckets(lambda *question: asked.append(question)):
            s3.put_object(Bucket="patching-logs", Key="k", Body=b"")
    assert ("123456789012", None, "s3:PutObject", "arn:aws:s3:::patching-logs/k") in asked


def test_motos_s3_gives_back_what_it_keeps() -> None:
    with moto.mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="patching-logs")
        s3.put_object(Bucket="patching-logs", Key="a/k", Body=b"content")
        assert private.object_content("patching-logs", "a/k") == b"content"


@pytest.mark.parametrize(
    ("region", "partition"), [("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn"), ("eu-west-1", "aws")]
)
def test_motos_iam_is_of_the_partition_that_a_request_is_signed_for(region: str, partition: str) -> None:
    with moto.mock_aws(), private.iam_of_the_signing_partition():
        role = boto3.client("iam", region_name=region).create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]
        assert role["Arn"] == f"arn:{partition}:iam::123456789012:role/r"


def test_moto_forgets_the_state_of_an_alarm_that_is_put_again_and_here_it_does_not() -> None:
    backend = moto.cloudwatch.models.CloudWatchBackend("eu-west-1", "111111111111")
    signature = inspect.signature(backend.put_metric_alarm)
    needed = [name for name, item in signature.parameters.items() if item.default is inspect.Parameter.empty]
    given: dict[str, Any] = dict.fromkeys(needed) | {"name": "a", "dimensions": [], "alarm_actions": []}
    with private_messages.alarms_without_data():
        backend.put_metric_alarm(**given)
        assert backend.alarms["a"].state_value == "INSUFFICIENT_DATA"
        backend.set_alarm_state("a", "told", "{}", "ALARM")
        backend.put_metric_alarm(**given)
        assert (backend.alarms["a"].state_value, backend.alarms["a"].state_reason) == ("ALARM", "told")
    backend.put_metric_alarm(**given)
    assert backend.alarms["a"].state_value == "OK", "moto keeps the state by itself now"


def test_managed_policies_read_once_are_those_that_moto_reads_for_each_backend() -> None:
    with moto.mock_aws(config={"iam": {"load_aws_managed_policies": True}}), private.seeded_identifiers(1):
        (theirs,) = backends("aws-cn")
    with (
        moto.mock_aws(config={"iam": {"load_aws_managed_policies": True}}),
        private.managed_policies_read_once(),
        private.seeded_identifiers(1),
    ):
        ours, others = backends("aws-cn", "aws-cn")
    assert len(theirs) > 500
    assert [shape_of(each) for each in ours] == [shape_of(each) for each in theirs]
    assert not {id(each) for each in ours} & {id(each) for each in others}, "an attachment would count everywhere"


def backends(*partitions: str) -> list[list[Any]]:
    """The managed policies of new backends."""
    made = [moto.iam.models.IAMBackend(partition, "111111111111") for partition in partitions]
    return [list(each.managed_policies.values()) for each in made]


def shape_of(policy: Any) -> dict[str, Any]:
    return {**vars(policy), "arn": policy.arn, "versions": [vars(each) for each in policy.versions]}


def test_identifiers_are_seeded_and_motos_own_state_comes_back() -> None:
    source = moto.moto_api._internal.mock_random
    before = source.getstate()
    with private.seeded_identifiers(3):
        assert source.random() == Random(3).random()  # noqa: S311
    assert source.getstate() == before


@pytest.mark.parametrize("module", [botocore.endpoint, botocore.waiter])
def test_retries_and_waiters_sleep_with_the_modules_time(module: ModuleType) -> None:
    clock = Clock()
    assert "time.sleep(" in inspect.getsource(module)
    with private.virtual_time(clock):
        module.time.sleep(3)
    assert clock.slept == [3]
    assert module.time.__name__ == "time"


def test_legacy_jitter() -> None:
    with private.virtual_time(Clock()):
        delay = botocore.retryhandler.delay_exponential(base="rand", growth_factor=2, attempts=3)
    assert delay == 0.25 * 2**2


def test_standard_jitter_and_sleep() -> None:
    standard = botocore.retries.standard
    source = inspect.getsource(standard.register_retry_handler)
    assert "ExponentialBackoff(" in source
    assert "RetryHandler(" in source
    clock = Clock()
    with private.virtual_time(clock):
        assert standard.ExponentialBackoff()._random() == 0.25
        handler = standard.RetryHandler(None, None, None)
        handler._sleep(2)
    assert clock.slept == [2]


def test_adaptive_bucket_waits_on_the_given_clock() -> None:
    source = inspect.getsource(botocore.retries.adaptive.register_retry_handler)
    assert "bucket.Clock()" in source
    assert "bucket.TokenBucket(" in source
    waiting, bucket = Clock(), botocore.retries.bucket
    with private.virtual_time(waiting):
        tokens = bucket.TokenBucket(max_rate=1, clock=bucket.Clock())
        assert tokens.acquire()
        assert tokens.acquire()
    assert sum(waiting.slept) == pytest.approx(2)


def test_adaptive_bucket_does_not_hang_where_time_stands_still() -> None:
    waiting, bucket = Clock(), botocore.retries.bucket
    waiting.sleep = lambda seconds: None  # type: ignore[method-assign]
    with private.virtual_time(waiting):
        assert bucket.TokenBucket(max_rate=1, clock=bucket.Clock()).acquire()


def test_instants_come_back_in_utc() -> None:
    with private.virtual_time(Clock()):
        assert str(botocore.utils.parse_timestamp(0)) == "1970-01-01 00:00:00+00:00"
        assert botocore.utils.get_tzinfo_options() == (botocore.utils.tzutc,)
        assert "tzutc()" in repr(botocore.utils.parse_timestamp("2026-07-04T12:00:00.000Z"))
    assert botocore.utils.get_tzinfo_options() != (botocore.utils.tzutc,)


def test_client_tokens_are_drawn() -> None:
    session = botocore.session.Session()
    private.draw_client_tokens_from(session, lambda: "drawn")
    model = session.get_service_model("ssm").operation_model("CreateMaintenanceWindow")
    for given, expected in (({}, "drawn"), ({"ClientToken": "mine"}, "mine")):
        params = dict(given)
        session.get_component("event_emitter").emit(
            "before-parameter-build.ssm.CreateMaintenanceWindow", params=params, model=model, context={}
        )
        assert params["ClientToken"] == expected


AT = {"region_name": "eu-west-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock()
    with moto.mock_aws(), private.virtual_time(clock):
        yield clock


def test_motos_services_read_the_virtual_clock(clock: Clock) -> None:
    then = datetime.fromtimestamp(clock.now, UTC)
    s3, iam, cloudwatch = (boto3.client(service, **AT) for service in ("s3", "iam", "cloudwatch"))
    s3.create_bucket(Bucket="b-1", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert s3.list_buckets()["Buckets"][0]["CreationDate"] == then
    assert iam.create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["CreateDate"] == then
    cloudwatch.put_metric_alarm(
        AlarmName="a", MetricName="m", Namespace="n", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    assert cloudwatch.describe_alarms()["MetricAlarms"][0]["StateUpdatedTimestamp"] == then


def test_motos_queues_read_the_virtual_clock_and_wait_by_it(clock: Clock) -> None:
    sqs = boto3.client("sqs", **AT)
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    created = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["CreatedTimestamp"])["Attributes"]
    assert created == {"CreatedTimestamp": "1000"}
    sqs.send_message(QueueUrl=url, MessageBody="m", DelaySeconds=600)
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)
    assert sum(clock.slept) == 20
    clock.now = 1599.0
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    clock.now = 1600.0
    (message,) = sqs.receive_message(QueueUrl=url, AttributeNames=["SentTimestamp"])["Messages"]
    assert message["Attributes"] == {"SentTimestamp": "1000000"}


def test_a_long_poll_does_not_hang_where_time_stands_still(clock: Clock) -> None:
    clock.sleep = lambda seconds: None  # type: ignore[method-assign]
    sqs = boto3.client("sqs", **AT)
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)


def test_the_clock_of_moto_comes_back() -> None:
    with private.virtual_time(Clock()):
        assert moto.core.utils.utcnow() == datetime.fromtimestamp(1000, UTC).replace(tzinfo=None)
        assert moto.core.utils.unix_time() == 1000
    assert moto.core.utils.unix_time() > 1_600_000_000


def test_messages_subscriptions_and_receipts_are_numbered() -> None:
    def names() -> list[str]:
        with moto.mock_aws(), private.numbered_identifiers(7):
            sns, sqs = boto3.client("sns", **AT), boto3.client("sqs", **AT)
            topic = sns.create_topic(Name="t")["TopicArn"]
            subscribed = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.org")["SubscriptionArn"]
            published = sns.publish(TopicArn=topic, Message="m")["MessageId"]
            url = sqs.create_queue(QueueName="q")["QueueUrl"]
            sent = sqs.send_message(QueueUrl=url, MessageBody="m")["MessageId"]
            receipt = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
            return [subscribed, published, sent, receipt]

    expected = [NumberedIds(7, name) for name in ("sns", "sqs", "sqs receipt")]
    topic = "arn:aws:sns:eu-west-1:123456789012:t"
    assert names() == [f"{topic}:{expected[0].draw()}", *(ids.draw() for ids in expected)]


def test_batches_of_a_topic_name_the_empty_message() -> None:
    with moto.mock_aws(), private_messages.checked_messages():
        sns = boto3.client("sns", **AT)
        topic = sns.create_topic(Name="t")["TopicArn"]
        entries = [{"Id": "1", "Message": "m"}, {"Id": "2", "Message": ""}]
        answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert [item["Id"] for item in answer["Successful"]] == ["1"]
    assert [(item["Id"], item["Code"]) for item in answer["Failed"]] == [("2", "InvalidParameter")]


def test_functions_get_what_motos_topics_let_through_and_the_web_gets_nothing() -> None:
    got: list[tuple[str, str, str]] = []

    def invoke(function: str, envelope: dict[str, Any], subscription: str) -> None:
        got.append((function.rpartition(":")[2], envelope["Message"], subscription))

    with moto.mock_aws(), private_messages.delivered_notifications(invoke):
        sns = boto3.client("sns", **AT)
        topic = sns.create_topic(Name="t")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="https", Endpoint="https://example.org")
        arn = "arn:aws:lambda:eu-west-1:123456789012:function:f"
        policy = {"FilterPolicy": '{"k": ["v"]}'}
        named = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn, Attributes=policy)["SubscriptionArn"]
        for value in ("v", "w"):
            attributes = {"k": {"DataType": "String", "StringValue": value}}
            message = json.dumps({"default": "d", "lambda": value})
            sns.publish(TopicArn=topic, Message=message, MessageAttributes=attributes, MessageStructure="json")
    assert got == [("f", "v", named)]


def test_a_queue_of_motos_forgets_what_is_over(clock: Clock) -> None:
    with private_messages.kept_messages():
        sqs = boto3.client("sqs", **AT)
        url = sqs.create_queue(QueueName="q", Attributes={"MessageRetentionPeriod": "60"})["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="m")
        sqs.receive_message(QueueUrl=url)
        counted = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = []
        for _ in range(2):
            shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=counted)["Attributes"]
            found.append([shown[name] for name in counted])
            clock.sleep(61)
    assert found == [["0", "1"], ["0", "0"]]


def test_versions_are_numbered_and_the_last_written_is_the_latest(clock: Clock) -> None:
    with private.numbered_identifiers(7), private.markers_over_nothing():
        s3, ids = boto3.client("s3", **AT), NumberedIds(7, "s3")
        s3.create_bucket(Bucket="b-2", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_bucket_versioning(Bucket="b-2", VersioningConfiguration={"Status": "Enabled"})
        written = [s3.put_object(Bucket="b-2", Key="a", Body=b"")["VersionId"] for _ in range(2)]
        deleted = s3.delete_object(Bucket="b-2", Key="never")
        listed = s3.list_object_versions(Bucket="b-2", Prefix="a")["Versions"]
    assert written == [ids.draw(), ids.draw()]
    assert (deleted["DeleteMarker"], deleted["VersionId"]) == (True, ids.draw())
    assert [item["VersionId"] for item in listed if item["IsLatest"]] == [written[1]]
    assert listed[0]["LastModified"] == datetime.fromtimestamp(clock.now, UTC)
