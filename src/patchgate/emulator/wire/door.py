"""The wire door in process: botocore's requests to the cloud, by way of moto's interception."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from moto import mock_aws

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.door import Door
from patchgate.emulator.errors import AwsError, EngineFailureError, NotEmulatedError
from patchgate.emulator.neighbour_checks import check_request
from patchgate.emulator.regions import known_regions, unknown_region
from patchgate.emulator.topic_functions import invoke_subscriber
from patchgate.emulator.wire import private, private_messages
from patchgate.emulator.wire.alarms import alarm_change
from patchgate.emulator.wire.buckets import BucketGuard
from patchgate.emulator.wire.caller import answer_caller
from patchgate.emulator.wire.errors import NetworkRefusedError, encode_error, unknown_key, unsigned
from patchgate.emulator.wire.identity import Identity, KeyRing, Signature, signature_of
from patchgate.emulator.wire.neighbour import MotoNeighbour
from patchgate.emulator.wire.observation import changes_iam, checked_question, facts_of, list_fewer_keys, question_of
from patchgate.emulator.wire.protocol import check_answer, decode, encode, protocol_of
from patchgate.emulator.wire.session import DoorSession, SessionFactory
from patchgate.emulator.written_objects import describe_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import ExitStack
    from typing import Self

_MOTO = {"iam": {"load_aws_managed_policies": True}}
_MOTO_SEED = 0
_NOT_IMPLEMENTED = "Not yet implemented"
_TRUNCATED = b"<IsTruncated>true</IsTruncated>"


class WireDoor(Door[DoorSession]):
    """While open, every botocore request of this process is answered by ``cloud`` or, for services that it does not
    own, by moto; nothing reaches a network. One door is open at a time, and moto's mock must not be running already.

    A cloud without a neighbour gets moto as its neighbour. Every answer of the cloud is checked against botocore's
    model unless ``checked`` is False. ``keys`` says whose an access key is; by default those are nobody's that were
    not handed out here.
    """

    def __init__(
        self,
        cloud: Cloud,
        *,
        checked: bool = True,
        pause: Callable[[float], None] | None = None,
        keys: KeyRing | None = None,
    ) -> None:
        super().__init__(cloud, pause=pause)
        self._checked = checked
        self._keys = keys or KeyRing()
        self._factory = SessionFactory(cloud.uuid, self._guard)
        self._buckets = BucketGuard(cloud.organization_id)
        self._requests = 0
        self._quiet = 0
        self._moto: Callable[[Any], private.Response | None] = _closed

    # -- open and shut -------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        if self._open is not None or private.moto_is_running():
            raise RuntimeError("a wire door is already open, or moto's mock is running: they do not nest")
        return super().__enter__()

    def _set_up(self, stack: ExitStack) -> None:
        stack.enter_context(private.unconfigured_sdk())
        moto = mock_aws(config=_MOTO)
        stack.callback(moto.stop)
        stack.enter_context(private.managed_policies_read_once())
        moto.start()
        self._moto = stack.enter_context(private.diverted_requests(self._process))
        stack.enter_context(private.closed_network(_refuse))
        stack.enter_context(private.guarded_buckets(self._buckets.check))
        stack.enter_context(private_messages.alarms_without_data())
        stack.enter_context(private.iam_of_the_signing_partition())
        stack.enter_context(private.seeded_identifiers(_MOTO_SEED))
        stack.enter_context(private.numbered_identifiers(self.cloud.seed))
        stack.enter_context(private_messages.checked_messages())
        stack.enter_context(private_messages.kept_messages())
        stack.enter_context(private_messages.delivered_notifications(partial(invoke_subscriber, self.cloud)))
        stack.enter_context(private.markers_over_nothing())
        stack.enter_context(private.virtual_time(self))

    def _make_neighbour(self) -> MotoNeighbour:
        return MotoNeighbour(self)

    def _make_session(self, scope: Scope) -> DoorSession:
        return self._factory.make(self._keys.mint(Identity(scope.account, scope.principal)), scope.region)

    # -- waiting -------------------------------------------------------------------------------------------------

    @contextmanager
    def without_latency(self) -> Iterator[None]:
        """Requests made inside take no virtual time: the cloud's own calls of its neighbours."""
        self._quiet += 1
        try:
            yield
        finally:
            self._quiet -= 1

    def sleep(self, seconds: float) -> None:
        """Let virtual time pass for the running process; outside of one, as ``pause`` says."""
        if not self._quiet:
            super().sleep(seconds)

    # -- requests ------------------------------------------------------------------------------------------------

    def answer(self, request: Any) -> private.Response:
        """Answer a prepared request that did not come from a client of this process (see wire.inbound)."""
        if self._open is None:
            _refuse(request.url)
        return self._process(request)

    def _guard(self, request: Any, **_: Any) -> None:
        if self._open is None:
            _refuse(request.url)

    def _process(self, request: Any) -> private.Response:
        """Answer one prepared request; moto's stubber calls it for botocore's and for plain ones alike."""
        if not self._quiet and self.cloud.kernel.current is not None:
            self.cloud.kernel.sleep(self.cloud.api_latency)
        self._requests += 1
        request_id = f"{self._requests:08x}-0000-4000-8000-{self._requests:012x}"
        signature = signature_of(request)
        service = signature.service if signature else _service_of_host(request.url)
        protocol = protocol_of(service, _header(request, "Content-Type"))
        try:
            return self._answered(signature, service, protocol, request, request_id)
        except AwsError as error:
            return encode_error(error, protocol, request_id)
        except Exception as error:
            if self.cloud.kernel.current is None:
                raise
            what = f"{service} ({request.method} {request.url})"
            return encode_error(EngineFailureError(what, error), protocol, request_id)

    def _answered(
        self, signature: Signature | None, service: str, protocol: str, request: Any, request_id: str
    ) -> private.Response:
        if signature is None:
            raise unsigned()
        identity = self._keys.owner(signature.access_key)
        if identity is None:
            raise unknown_key(service, protocol)
        if signature.region not in known_regions():
            raise unknown_region(signature.region, service, protocol)
        if service in self.cloud.owned_services:
            return self._ask_cloud(identity, signature, request, request_id)
        said = answer_caller(identity, signature, request, request_id)
        return said or self._ask_moto_meddled(identity, signature, request)

    def _ask_cloud(self, identity: Identity, signature: Signature, request: Any, request_id: str) -> private.Response:
        call = decode(signature.service, request)
        scope = Scope(identity.account, signature.region, identity.principal)
        result = self.carry_out(scope, call.service, call.operation, call.params)
        if self._checked:
            check_answer(call.service, call.operation, result, call.model.output_shape)
        return encode(call, result, request_id)

    def _ask_moto_meddled(self, identity: Identity, signature: Signature, request: Any) -> private.Response:
        if self.cloud.meddler is None or self._quiet:
            return self._ask_moto(identity, signature, request)
        scope = Scope(identity.account, signature.region, identity.principal)
        question = question_of(signature.service, request)
        work = partial(self._ask_moto_paged, identity, signature, request)
        return self.meddled(scope, signature.service, *question, work)

    def _ask_moto_paged(
        self, identity: Identity, signature: Signature, request: Any, size: int | None
    ) -> tuple[private.Response, bool]:
        """(moto's answer, whether it was cut short); moto has one list that may be, ListObjectsV2."""
        if size is not None:
            request.url = list_fewer_keys(request.url, size)
        response = self._ask_moto(identity, signature, request)
        body = response[2].encode() if isinstance(response[2], str) else response[2]
        return response, size is not None and _TRUNCATED in body

    def _check(self, scope: Scope, service: str, request: Any) -> None:
        """AwsError unless the caller may make a call of moto's; which roles an operator assumes is for their trust."""
        if service != "sts" and not scope.principal:
            return
        operation, params = question_of(service, request)
        if (service, operation) == ("sts", "AssumeRole"):
            self.cloud.authority.check_assuming(scope, params)
        elif scope.principal:
            self.cloud.authority.check(scope, service, operation, params)

    def _ask_moto(self, identity: Identity, signature: Signature, request: Any) -> private.Response:
        request.headers["x-moto-account-id"] = identity.account
        events = facts_of(signature.service, request)
        scope = Scope(identity.account, signature.region, identity.principal)
        if not self._quiet:
            self._check(scope, signature.service, request)
        operation, params = checked_question(signature.service, request)
        check_request(signature.service, operation, params)
        announce = alarm_change(self.cloud, scope, signature.service, operation, params)
        self._buckets.caller, self._buckets.headers = scope, request.headers
        try:
            response = self._moto(request)
        except NotImplementedError as error:
            raise NotEmulatedError(f"this request to {signature.service}: {error}") from error
        if response is None or response[2] == _NOT_IMPLEMENTED:
            raise NotEmulatedError(f"{signature.service} ({request.method} {request.url})")
        if changes_iam(signature.service, request):
            self.cloud.authority.forget()
        if response[0] < 300:
            for event, facts in events:
                self.cloud.record(scope, event, **(_as_written(scope, facts) if event == "ObjectWritten" else facts))
            if announce is not None:
                announce()
        return response


def _as_written(scope: Scope, facts: dict[str, str]) -> dict[str, Any]:
    content = private.object_content(facts["bucket"], facts["key"])
    return describe_object(facts["bucket"], facts["key"], content, scope.principal)


def _header(request: Any, name: str) -> str:
    value = request.headers.get(name) or ""
    return value.decode() if isinstance(value, bytes) else str(value)


def _service_of_host(url: str) -> str:
    return url.split("//", 1)[-1].split(".", 1)[0].split("-", 1)[0]


def _refuse(url: str) -> NoReturn:
    raise NetworkRefusedError(url)


def _closed(request: Any) -> private.Response | None:
    _refuse(request.url)
