"""Every part of moto, botocore and responses that is no documented interface and that the wire door uses.

What both doors use alike is in emulator/sdk_private.py, and what messages and alarms need of moto in
wire/private_messages.py. Nothing else in ``emulator.wire`` touches these names. Each
has a test that fails when an upgrade removes it or changes its shape: the door must fail there and not in the middle of
somebody's rehearsal.

==============================================  ====================================================================
name                                            what the door needs it for
==============================================  ====================================================================
``moto.core.models.botocore_stubber``           the one object through which every intercepted request passes;
                                                its ``process_request`` is replaced while the door is open
``moto.core.models.responses_mock``             lets unknown hosts through to the network: its ``_real_send``
                                                refuses while the door is open
``moto.core.models.MockAWS._nested_count``      whether moto's mock is already running
``moto.core.request.normalize_request``         request parser, first half: one request type
``moto.core.routing.get_service_router``        request parser, second half: which operation is meant
``moto.core.parse.PROTOCOL_PARSERS``            request parser, third half: parameters in botocore's shape
``moto.core.request.determine_request_protocol``  which protocol a request speaks
``moto.core.serialize.get_serializer_class``    response serialiser of a protocol; ``SerializationContext``
``moto.core.utils.get_service_model``           the service model that parser and serialiser work on
``moto.iam.models.iam_backends``                whose access keys moto's own IAM and STS have handed out
``moto.iam.models.IAMBackend``                  reads AWS's managed policies anew for every account and partition, in
                                                ``_init_aws_policies``: replaced, to read them once
``moto.iam.responses.IamResponse.region_regex``  moto reads the partition from the endpoint's name, which does not
                                                say it in aws-us-gov: here from the signature
``moto.s3.models.FakeBucket.get_permission``    moto's reading of bucket policies skips conditions: replaced
``moto.s3.models.s3_backends``                  ``bucket_accounts``, objects' content and buckets' encryption, as moto
                                                keeps them
``moto.core.utils.datetime``                    where moto's ``utcnow`` and ``unix_time`` read the time
``moto.s3.models.datetime``                     where moto's buckets read it themselves
``moto.sts.models.utcnow``                      when credentials expire: by the clients' clock, the host's
``moto.s3.models.utcnow``                       when versions were written, which moto sorts them by
``moto.s3.models.S3Backend._set_delete_marker``  fails for an object that was never there: replaced
``moto.sqs.models.SQSBackend.receive_message``  polls in real time: replaced
``moto.sqs.models.unix_time``                   when queues were created, which AWS tells in whole seconds
``moto.sqs.models.generate_receipt_handle``     receipts, numbered alike behind both doors
``moto.{s3,sqs}.models.random``,                where these services draw identifiers, numbered alike behind both
``moto.sns.{models,utils}.mock_random``         doors
``moto.iam.access_control.PermissionResult``    what that method answers
``moto.moto_api._internal.mock_random``         the source of moto's identifiers, seeded for replay
``botocore.endpoint.time``                      where retries sleep
``botocore.retries.standard``                   ``ExponentialBackoff`` (jitter) and ``RetryHandler`` (sleep)
``botocore.retries.bucket``                     ``Clock`` and ``TokenBucket`` of adaptive retries
``botocore.utils.get_tzinfo_options``,          in which zone instants come back: the machine's, here always UTC
``botocore.utils._parse_timestamp_with_tzinfo``
``botocore.httpsession.URLLib3Session.send``    the last step before a socket: refuses
``botocore.handlers.generate_idempotent_uuid``  draws client tokens from the system's randomness: replaced
==============================================  ====================================================================
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import botocore.handlers
import botocore.httpsession
import botocore.retries.bucket
import botocore.retries.standard
import botocore.utils
import moto.core.models
import moto.core.parse
import moto.core.request
import moto.core.routing
import moto.core.serialize
import moto.core.utils
import moto.iam.access_control
import moto.iam.models
import moto.iam.responses
import moto.moto_api._internal
import moto.s3.models
import moto.sns.models
import moto.sns.utils
import moto.sqs.models
import moto.sts.models
from botocore.exceptions import CapacityNotAvailableError

from patchgate.emulator import sdk_private
from patchgate.emulator.numbered_ids import NumberedIds
from patchgate.emulator.sdk_private import Waiting, replaced

Response = tuple[int, dict[str, str], str | bytes]
"""Status, headers, body: what moto's handlers answer with."""


def moto_is_running() -> bool:
    """Whether somebody has already started moto's mock in this process."""
    return bool(moto.core.models.MockAWS._nested_count > 0)  # noqa: SLF001


@contextmanager
def diverted_requests(process: Callable[[Any], Response]) -> Iterator[Callable[[Any], Response | None]]:
    """Hand every request that moto intercepts to ``process``; yields what moto itself would do with one."""
    stubber = moto.core.models.botocore_stubber
    original = stubber.process_request
    stubber.process_request = process  # on the one instance: the class stays as it is
    try:
        yield original
    finally:
        del stubber.process_request


@contextmanager
def closed_network(refuse: Callable[[str], None]) -> Iterator[None]:
    """Requests that nobody intercepts end in ``refuse(url)``, which raises: from botocore as from requests."""

    def refuse_botocores(_session: Any, request: Any) -> None:
        refuse(request.url)

    def refuse_requests(_adapter: Any, request: Any, **_: Any) -> None:
        refuse(request.url)

    with (
        replaced(botocore.httpsession.URLLib3Session, "send", refuse_botocores),
        replaced(moto.core.models.responses_mock, "_real_send", refuse_requests),
    ):
        yield


@contextmanager
def guarded_buckets(guard: Callable[[str, bytes | None, str, str], None]) -> Iterator[None]:
    """``guard(owner, policy, action, resource)`` reads bucket policies instead of moto; it raises to refuse."""

    def get_permission(bucket: Any, action: str, resource: str) -> Any:
        guard(bucket.account_id, bucket.policy, action, resource)
        return moto.iam.access_control.PermissionResult.NEUTRAL

    with replaced(moto.s3.models.FakeBucket, "get_permission", get_permission):
        yield


def object_content(bucket: str, key: str) -> bytes:
    """What moto keeps under a key, whatever the request was encoded in; KeyError when there is nothing."""
    return bytes(_bucket(bucket).keys[key].value)


def bucket_encryption(bucket: str) -> Mapping[str, str]:
    """How moto's bucket encrypts by default; empty without a setting or such a bucket."""
    if bucket not in moto.s3.models.s3_backends.bucket_accounts:
        return {}
    found: dict[str, Any] = _bucket(bucket).encryption or {}
    default: Mapping[str, str] = found["Rule"]["ApplyServerSideEncryptionByDefault"] if found else {}
    return default


def _bucket(name: str) -> Any:
    partition, account = moto.s3.models.s3_backends.bucket_accounts[name]
    return moto.s3.models.s3_backends[account][partition].buckets[name]


@contextmanager
def iam_of_the_signing_partition() -> Iterator[None]:
    """moto's IAM answers for the partition of the Region that a request is signed for."""
    with replaced(moto.iam.responses.IamResponse, "region_regex", re.compile(r"(?!)")):
        yield


@functools.cache
def _managed_policies() -> dict[str, dict[str, Any]]:
    """Name of each policy that AWS manages -> the rest of its arguments but for account and Region."""
    return {
        name: {
            "default_version_id": data.get("DefaultVersionId"),
            "path": data.get("Path"),
            "document": json.dumps(data.get("Document")),
            "create_date": datetime.fromisoformat(data["CreateDate"]),
            "update_date": datetime.fromisoformat(data["UpdateDate"]),
        }
        for name, data in json.loads(moto.iam.models.aws_managed_policies_data).items()
    }


@contextmanager
def managed_policies_read_once() -> Iterator[None]:
    """moto's IAM has one backend for each account and partition, and each read all that AWS manages: 5 MB of JSON."""

    def init_aws_policies(backend: Any) -> list[Any]:
        return [
            moto.iam.models.AWSManagedPolicy(name, account_id=backend.account_id, region=backend.region_name, **rest)
            for name, rest in _managed_policies().items()
        ]

    with replaced(moto.iam.models.IAMBackend, "_init_aws_policies", init_aws_policies):
        yield


@contextmanager
def unconfigured_sdk() -> Iterator[None]:
    """moto makes boto3 sessions of its own, which read the environment: no profile and no file of the operator's."""
    names = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")
    before = {name: os.environ.pop(name) for name in names if name in os.environ}
    os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    try:
        yield
    finally:
        for name in names:
            os.environ.pop(name, None)
        os.environ |= before


@contextmanager
def seeded_identifiers(seed: int) -> Iterator[None]:
    """moto draws its identifiers from ``seed``; its own state comes back afterwards."""
    source = moto.moto_api._internal.mock_random  # noqa: SLF001
    state = source.getstate()
    source.seed(seed)
    try:
        yield
    finally:
        source.setstate(state)


class _Numbered:
    """moto's source of chance, but for UUIDs."""

    def __init__(self, ids: NumberedIds) -> None:
        self.uuid4 = ids.draw

    def __getattr__(self, name: str) -> Any:
        return getattr(moto.moto_api._internal.mock_random, name)  # noqa: SLF001


@contextmanager
def numbered_identifiers(seed: int) -> Iterator[None]:
    """Versions of objects, messages, subscriptions and receipts are called what the light neighbour calls them."""
    sns = _Numbered(NumberedIds(seed, "sns"))
    with (
        replaced(moto.s3.models, "random", _Numbered(NumberedIds(seed, "s3"))),
        replaced(moto.sns.models, "mock_random", sns),
        replaced(moto.sns.utils, "mock_random", sns),
        replaced(moto.sqs.models, "random", _Numbered(NumberedIds(seed, "sqs"))),
        replaced(moto.sqs.models, "generate_receipt_handle", NumberedIds(seed, "sqs receipt").draw),
    ):
        yield


@contextmanager
def markers_over_nothing() -> Iterator[None]:
    """Deleting an object that is not there leaves a marker too.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
    """
    original = moto.s3.models.S3Backend._set_delete_marker  # noqa: SLF001

    def set_delete_marker(backend: Any, bucket_name: str, key_name: str) -> Any:
        keys = backend.get_bucket(bucket_name).keys
        if key_name in keys:
            return original(backend, bucket_name, key_name)
        keys[key_name] = moto.s3.models.FakeDeleteMarker(key=SimpleNamespace(name=key_name))
        return keys[key_name]

    with replaced(moto.s3.models.S3Backend, "_set_delete_marker", set_delete_marker):
        yield


class _VirtualClock:
    """botocore.retries.bucket.Clock on the virtual clock."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting

    def sleep(self, amount: float) -> None:
        self._waiting.sleep(amount)

    def current_time(self) -> float:
        return self._waiting.time()


class _VirtualTokenBucket(botocore.retries.bucket.TokenBucket):  # type: ignore[misc]
    """The bucket of adaptive retries; the original waits on a thread's condition, in real time."""

    def acquire(self, amount: int = 1, block: bool = True) -> bool:  # noqa: FBT001, FBT002 - botocore's signature
        while True:
            try:
                return bool(super().acquire(amount, block=False))
            except CapacityNotAvailableError:
                if not block:
                    raise
            before = self._clock.current_time()
            self._clock.sleep(self._sleep_amount(amount))
            if self._clock.current_time() <= before:  # time cannot pass here: nobody to wait for
                return True


def _only_utc() -> tuple[Any]:
    return (botocore.utils.tzutc,)


def _virtual_datetime(waiting: Waiting) -> SimpleNamespace:
    """The module ``datetime`` with another present."""

    class VirtualDatetime(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.fromtimestamp(waiting.time(), tz or UTC).replace(tzinfo=tz)

        @classmethod
        def utcnow(cls) -> Any:
            return cls.now()

    return SimpleNamespace(**{**vars(dt), "datetime": VirtualDatetime})


def _host_utcnow() -> datetime:
    """The time of clients: an SDK whose credentials have expired for the host's clock refuses to use them."""
    return datetime.now(UTC).replace(tzinfo=None)


def _parsing_utc() -> Callable[[Any, Any], dt.datetime]:
    """On a machine in UTC the original calls the zone of some instants "local", which a printed answer shows."""
    original = botocore.utils._parse_timestamp_with_tzinfo  # noqa: SLF001

    def parse(value: Any, tzinfo: Any) -> dt.datetime:
        parsed: dt.datetime = original(value, tzinfo)
        return parsed if parsed.tzinfo is None else parsed.astimezone(botocore.utils.tzutc())

    return parse


def _later_and_later(waiting: Waiting) -> Callable[[], dt.datetime]:
    """The present, and a microsecond more each time it is the same: moto sorts versions by when they were written."""
    last = datetime.min  # noqa: DTZ901 - moto's instants have no zone

    def now() -> dt.datetime:
        nonlocal last
        present = datetime.fromtimestamp(waiting.time(), UTC).replace(tzinfo=None)
        last = max(present, last + timedelta(microseconds=1))
        return last

    return now


def _receiving(waiting: Waiting) -> Callable[..., list[Any]]:
    """Long polls look once a virtual second; where time does not pass, once."""
    original = moto.sqs.models.SQSBackend.receive_message

    def receive(backend: Any, queue_name: str, count: int, wait: int, *others: Any, **named: Any) -> list[Any]:
        end = waiting.time() + int(wait or 0)
        while True:
            found: list[Any] = original(backend, queue_name, count, 0, *others, **named)
            before = waiting.time()
            if found or before >= end:
                return found
            waiting.sleep(1)
            if waiting.time() <= before:
                return found

    return receive


@contextmanager
def virtual_time(waiting: Waiting) -> Iterator[None]:
    """Retries and waiters of botocore sleep and throw dice with ``waiting``, and instants come back in UTC.

    moto's S3, IAM, SNS, SQS, CloudWatch and CloudWatch Logs read the same clock; its services that read the host's by
    themselves go on doing so, and so does STS: clients compare the expiration of its credentials with the host's.

    Retries: for clients made inside.
    """
    standard, bucket = botocore.retries.standard, botocore.retries.bucket
    backoff = partial(standard.ExponentialBackoff, random=waiting.random)
    with ExitStack() as stack:
        stack.enter_context(sdk_private.virtual_time(waiting))
        for holder, name, value in (
            (botocore.endpoint, "time", SimpleNamespace(sleep=waiting.sleep)),
            (standard, "ExponentialBackoff", backoff),
            (standard, "RetryHandler", partial(standard.RetryHandler, sleep=waiting.sleep)),
            (botocore.utils, "get_tzinfo_options", _only_utc),
            (botocore.utils, "_parse_timestamp_with_tzinfo", _parsing_utc()),
            (bucket, "Clock", partial(_VirtualClock, waiting)),
            (bucket, "TokenBucket", _VirtualTokenBucket),
            (moto.core.utils, "datetime", _virtual_datetime(waiting)),
            (moto.s3.models, "datetime", _virtual_datetime(waiting)),
            (moto.s3.models, "utcnow", _later_and_later(waiting)),
            (moto.sts.models, "utcnow", _host_utcnow),
            (moto.sqs.models, "unix_time", lambda: int(waiting.time())),
            (moto.sqs.models.SQSBackend, "receive_message", _receiving(waiting)),
        ):
            stack.enter_context(replaced(holder, name, value))
        yield


def draw_client_tokens_from(session: Any, draw: Callable[[], str]) -> None:
    """Idempotency tokens that botocore fills in by itself come from ``draw``, for clients of this session."""

    def fill(params: dict[str, Any], model: Any, **_: Any) -> None:
        for name in model.idempotent_members:
            if name not in params:
                params[name] = draw()

    event = "before-parameter-build"
    session.unregister(event, botocore.handlers.generate_idempotent_uuid)
    session.get_component("event_emitter").register_first(event, fill)


def key_owner(access_key: str) -> tuple[str, str] | None:
    """(account, ARN of the assumed role or "") of an access key that moto's IAM or STS handed out."""
    for account, partitions in list(moto.iam.models.iam_backends.items()):
        for backend in list(partitions.values()):
            key = backend.access_keys.get(access_key)
            if key is not None:
                return str(account), str(getattr(key, "role_arn", None) or "")
    return None


normalize_request = moto.core.request.normalize_request
determine_request_protocol = moto.core.request.determine_request_protocol
get_service_router = moto.core.routing.get_service_router
get_service_model = moto.core.utils.get_service_model
get_serializer_class = moto.core.serialize.get_serializer_class
SerializationContext = moto.core.serialize.SerializationContext
PROTOCOL_PARSERS = moto.core.parse.PROTOCOL_PARSERS
