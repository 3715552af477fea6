"""Clients that ask the cloud itself: botocore's own classes, with one method replaced.

Making a client takes botocore milliseconds. So there is one prototype per service, Region and configuration in the
process, and the clients of sessions are copies of it that share whatever no call changes. Events are a client's own as
soon as somebody looks at its ``meta``, retry quotas from its first error on.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import boto3
import botocore.loaders
import botocore.session
from botocore.hooks import first_non_none_response
from botocore.paginate import Paginator

from patchgate.emulator.direct import private
from patchgate.emulator.direct.shapes import Parameters, answer_converter
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.regions import is_pseudo, known_regions, unknown_region
from patchgate.emulator.sdk_private import isolated_session_variables

if TYPE_CHECKING:
    from patchgate.emulator.cloud import Scope
    from patchgate.emulator.direct.door import DirectDoor

SECRET = "the-embedded-aws-verifies-no-signature"  # noqa: S105 - nothing is signed here

_QUERY_ERRORS = {
    "AWS.SimpleQueueService.NonExistentQueue": "QueueDoesNotExist",
    "QueueAlreadyExists": "QueueNameExists",
}
"""Codes of services that once spoke the query protocol, with the names that their errors have since."""


class Operation:
    """What is settled once about an operation: names, converters, and which events of its prototype are heard."""

    def __init__(self, meta: Any, name: str) -> None:
        service = meta.service_model
        self.name = name
        self.model = service.operation_model(name)
        self.service = service.service_name
        self.protocol = service.resolved_protocol
        self.parameters = Parameters(self.model.input_shape)
        self.answer = answer_converter(self.model, self.protocol)
        self.begins_with_metadata = self.protocol.startswith("rest-")
        self.tokens = tuple(self.model.idempotent_members)
        self.status = int(self.model.http.get("responseCode", 200))
        self.status_member = _status_member(self.model.output_shape)
        prefix = service.service_id.hyphenize()
        self.after_call = f"after-call.{prefix}.{name}"
        self.provide_params = f"provide-client-params.{prefix}.{name}"
        self.before_build = f"before-parameter-build.{prefix}.{name}"
        self.needs_retry = f"needs-retry.{prefix}.{name}"
        given = self.model.input_shape.members if self.model.input_shape is not None else ()
        listens = functools.partial(private.is_heard, meta.events, members=given)
        self.is_prepared = listens(self.provide_params) or listens(self.before_build)
        self.is_heard_after = listens(self.after_call)

    def failure(self, error: AwsError, request_id: str) -> dict[str, Any]:
        """The parsed response of an error."""
        said = {"Message": error.message, "Code": error.code}
        if self.protocol in ("query", "ec2", "rest-xml"):
            fault = {"Type": "Sender" if error.status < 500 else "Receiver"} if self.protocol == "query" else {}
            said = fault | {"Code": error.code, "Message": error.message}
        parsed: dict[str, Any] = {"Error": said}
        parsed["ResponseMetadata"] = metadata(request_id, error.status, 0)
        shape = self.model.service_model.shape_for_error_code(error.code)
        if shape is not None and "message" in shape.members and self.protocol != "rest-xml":
            parsed["message"] = error.message
        if error.code in _QUERY_ERRORS and "awsQueryCompatible" in self.model.service_model.metadata:
            parsed["Error"] |= {"QueryErrorCode": _QUERY_ERRORS[error.code], "Type": "Sender"}
        return parsed


def metadata(request_id: str, status: int, retries: int) -> dict[str, Any]:
    """``ResponseMetadata`` as botocore makes it. Of the headers only the request's id is there."""
    headers = {"x-amzn-requestid": request_id}
    return {"RequestId": request_id, "HTTPStatusCode": status, "HTTPHeaders": headers, "RetryAttempts": retries}


class NoSuchRegion:
    """The door as a client finds it whose Region does not exist: every call gets the same error."""

    def __init__(self, door: DirectDoor, error: AwsError) -> None:
        self._door, self._error = door, error

    def __getattr__(self, name: str) -> Any:
        """Everything else is the door's."""
        return getattr(self._door, name)

    def carry_out(self, scope: Scope, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        """Raise the error."""
        raise AwsError(self._error.code, self._error.message, status=self._error.status)


class DirectClient:
    """The base class that every client here has before botocore's own."""

    _door: DirectDoor
    _scope: Scope
    _operations: dict[str, Operation]
    _shared_meta: Any
    _own: bool
    _pages: dict[str, Any]
    _rules: tuple[private.RetryDelay, Callable[..., None] | None] | None

    @property
    def meta(self) -> Any:
        """The client's ``meta``; its events are its own."""
        if not self._own and self.__dict__.get("_door") is not None:
            self._shared_meta, self._own = private.own_meta(self._shared_meta), True
        return self._shared_meta

    @meta.setter
    def meta(self, meta: Any) -> None:
        self._shared_meta, self._own = meta, False

    @property
    def _service_model(self) -> Any:
        return self._shared_meta.service_model

    def prepare(self) -> None:
        """Make this client a prototype."""
        self._operations = {}

    def copy_for(self, door: DirectDoor, scope: Scope) -> DirectClient:
        """This prototype as a client of a scope."""
        client = object.__new__(type(self))
        client.__dict__.update(self.__dict__)
        client._door, client._scope, client._own, client._rules, client._pages = door, scope, False, None, {}
        region = self._shared_meta.region_name
        if region not in known_regions() and not is_pseudo(region):
            service = self._shared_meta.service_model
            error = unknown_region(region, service.service_name, service.resolved_protocol)
            client._door = cast("DirectDoor", NoSuchRegion(door, error))
        return client

    def get_paginator(self, operation_name: str) -> Any:
        """As botocore's, made once."""
        paginator = self._pages.get(operation_name)
        if paginator is None:
            if not self.can_paginate(operation_name):  # type: ignore[attr-defined]
                return super().get_paginator(operation_name)  # type: ignore[misc]  # raises what it says
            paginator = Paginator(getattr(self, operation_name), *private.pages_of(self, operation_name))
            self._pages[operation_name] = paginator
        return paginator

    def _make_api_call(self, operation_name: str, api_params: dict[str, Any]) -> dict[str, Any]:
        operation = self._operations.get(operation_name)
        if operation is None:
            operation = self._operations[operation_name] = Operation(self._shared_meta, operation_name)
        context: dict[str, Any] = {}
        for name in operation.tokens:
            if name not in api_params:
                api_params[name] = self._door.cloud.uuid()
        if operation.is_prepared or self._own:
            context = {"client_region": self._shared_meta.region_name, "client_config": self._shared_meta.config}
            api_params = self._prepared(operation, api_params, context)
        params = operation.parameters.convert(api_params)
        return self._attempt(operation, params, context)

    def _prepared(self, operation: Operation, params: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
        """The parameters as the client's handlers leave them."""
        events, given = self._shared_meta.events, {"model": operation.model, "context": context}
        answers = events.emit(operation.provide_params, params=params, **given)
        params = first_non_none_response(answers, default=params)
        events.emit(operation.before_build, params=params, **given)
        return params

    def _attempt(self, operation: Operation, params: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
        """Ask until there is an answer, or an error that the retry rules leave."""
        door, attempt = self._door, 1
        while True:
            request_id = door.arrive(operation.service)
            try:
                result = door.carry_out(self._scope, operation.service, operation.name, params)
            except AwsError as error:
                parsed = operation.failure(error, request_id)
                delay = self._retry_delay(operation, parsed, attempt, context)
                if delay is not None and delay is not False:
                    door.sleep(delay)
                    attempt += 1
                    continue
                parsed["ResponseMetadata"]["RetryAttempts"] = attempt - 1
                self._heard(operation, parsed, error.status, context)
                code = context.get("error_code_override") or error.code
                kind = self.exceptions.from_code(code)  # type: ignore[attr-defined]
                raise kind(parsed, operation.name) from None
            break
        answer: dict[str, Any] = operation.answer(result)
        status = int(answer.get(operation.status_member, operation.status))
        about = metadata(request_id, status, attempt - 1)
        if operation.begins_with_metadata:
            answer = {"ResponseMetadata": about, **answer}
        else:
            answer["ResponseMetadata"] = about
        if self._rules is not None or operation.is_heard_after or self._own:
            self._heard(operation, answer, status, context)
        return answer

    def _retry_delay(
        self, operation: Operation, parsed: dict[str, Any], attempt: int, context: dict[str, Any]
    ) -> float | None:
        if self._rules is None:
            self._rules = private.retry_delay(self._shared_meta, shared_loader(), self._door)
        response = SimpleNamespace(status_code=parsed["ResponseMetadata"]["HTTPStatusCode"], headers={}, content=b"")
        delay: float | None = self._rules[0](
            response=(response, parsed),
            endpoint=None,
            operation=operation.model,
            attempts=attempt,
            caught_exception=None,
            request_dict={"context": context},
            event_name=operation.needs_retry,
        )
        return delay

    def _heard(self, operation: Operation, parsed: dict[str, Any], status: int, context: dict[str, Any]) -> None:
        """What follows on every call: capacity goes back to the quota, and handlers see the response."""
        response = SimpleNamespace(status_code=status, headers={}, content=b"", raw=None)
        if self._rules is not None and self._rules[1] is not None:
            self._rules[1](context=context, http_response=response)
        if operation.is_heard_after or self._own:
            self._shared_meta.events.emit(
                operation.after_call, http_response=response, parsed=parsed, model=operation.model, context=context
            )


def _status_member(shape: Any) -> str:
    members = shape.members.items() if shape else ()
    return next((name for name, member in members if member.serialization.get("location") == "statusCode"), "")


@functools.cache
def shared_loader() -> Any:
    """One for the process: it parses a service's model, which never changes, the first time it is asked for."""
    return botocore.loaders.create_loader()


def _insert_base(base_classes: list[type], **_: Any) -> None:
    base_classes.insert(0, DirectClient)


@functools.cache
def _core(region: str) -> boto3.Session:
    """The session that makes the prototypes of a Region."""
    core = botocore.session.Session(session_vars=isolated_session_variables())
    core.register_component("data_loader", shared_loader())
    core.set_credentials("AKIA0000000000000000", SECRET)
    core.register("creating-client-class", _insert_base)
    private.take_out_handlers(core)
    return boto3.Session(botocore_session=core, region_name=region)


_SETTINGS: weakref.WeakKeyDictionary[Any, tuple[dict[str, Any], str]] = weakref.WeakKeyDictionary()


def settings_of(config: Any) -> str:
    """What a ``Config`` says, as text: configurations that say the same have the same. Written once for each."""
    given = vars(config)
    known = _SETTINGS.get(config)
    if known is None or known[0] != given:
        copied = {name: dict(value) if isinstance(value, dict) else value for name, value in given.items()}
        known = _SETTINGS[config] = (copied, repr(given))
    return known[1]


_PROTOTYPES: dict[tuple[str, str, str], Any] = {}


def prototype(service: str, region: str, options: dict[str, Any]) -> Any:
    """The one client of a service, Region and ``config`` of which all others are copies."""
    config = options.get("config")
    key = (service, region, settings_of(config) if config is not None else "")
    made = _PROTOTYPES.get(key)
    if made is None:
        made = _core(region).client(service, **options)
        if made.meta.config.retries["mode"] == "adaptive":
            raise NotEmulatedError("retries of the mode adaptive through the direct door; the wire door has them")
        made.prepare()
        _PROTOTYPES[key] = made
    return made
