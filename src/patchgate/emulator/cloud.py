"""The cloud: every account and Region of a run, behind one entry, ``Cloud.call``.

A *component* implements some operations of one AWS service. Its state is kept apart per scope (account and Region).
Services that no component implements go to the *neighbour*, a port behind which somebody else's model of them stands.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Protocol, TypeVar
from uuid import uuid4

from patchgate.emulator import snapshot
from patchgate.emulator.assumptions import Assumptions
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.history import History
from patchgate.emulator.kernel import Kernel
from patchgate.emulator.meddling import Meddler
from patchgate.emulator.snapshot import Snapshot

Params = Mapping[str, Any]
Result = dict[str, Any]


@dataclass(frozen=True, order=True, slots=True)
class Scope:
    """Where a call happens: one account in one Region, and the role or user that calls ("" is the operator)."""

    account: str
    region: str
    principal: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What state is kept by: principals share it."""
        return self.account, self.region

    @property
    def partition(self) -> str:
        return partition_of(self.region)

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a regional resource here."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def as_principal(self, principal: str) -> Scope:
        """The same place, seen by a role."""
        return Scope(self.account, self.region, principal)


class Neighbour(Protocol):
    """Somebody else's model of the services that the cloud does not own (S3, IAM, SNS, SQS, Logs, CloudWatch)."""

    def call(self, scope: Scope, service: str, operation: str, params: Params) -> Result:
        """The answer in botocore's shape, or AwsError."""

    def bucket_encryption(self, bucket: str) -> Mapping[str, str]:
        """How a bucket encrypts unless a request says otherwise: SSEAlgorithm and KMSMasterKeyID, as its owner wrote.

        S3 itself asks, so that nobody's permission matters. Empty without a setting, and without such a bucket.
        """


class NoNeighbour:
    """A cloud on its own: whatever it does not own is not there."""

    def call(self, scope: Scope, service: str, operation: str, params: Params) -> Result:  # noqa: ARG002
        raise NotEmulatedError(f"{service}:{operation}")

    def bucket_encryption(self, bucket: str) -> Mapping[str, str]:  # noqa: ARG002
        """No bucket is there."""
        return {}


class Authority(Protocol):
    """Decides what roles may do, and which services may assume them. The operator may do everything."""

    def check(self, scope: Scope, service: str, operation: str, params: Params) -> None:
        """Raise AwsError, in the words of the service, unless the scope's principal may make the call."""

    def trusts(self, scope: Scope, role_arn: str, service: str, source_arn: str | None = None) -> bool:
        """Whether the role exists and lets a service (``ssm.amazonaws.com``) assume it for a resource in ``scope``.

        ``source_arn`` is what AWS gives as aws:SourceArn, beside aws:SourceAccount; None where it is not documented.
        """

    def check_assuming(self, scope: Scope, params: Params) -> None:
        """Raise AwsError unless the caller may assume the role of an sts:AssumeRole's ``params``."""

    def forget(self) -> None:
        """Roles or policies have changed."""


class NoAuthority:
    """A cloud without IAM: everybody may do everything."""

    def check(self, scope: Scope, service: str, operation: str, params: Params) -> None:
        """Nothing is denied."""

    def trusts(self, scope: Scope, role_arn: str, service: str, source_arn: str | None = None) -> bool:  # noqa: ARG002
        """Every role is there for every service."""
        return True

    def check_assuming(self, scope: Scope, params: Params) -> None:
        """Nothing is denied."""

    def forget(self) -> None:
        """Nothing is remembered."""


Handler = Callable[[Any, Scope, Params], Result]
Item = TypeVar("Item")
_Component = TypeVar("_Component", bound="Component")


def operation(name: str) -> Callable[[Handler], Handler]:
    """Marks a component's method as the implementation of an AWS operation, named as botocore names it.

    The method takes ``(self, scope, params)`` in botocore's input shape and returns the output shape, without
    ``ResponseMetadata``.
    """

    def mark(method: Handler) -> Handler:
        method.operation_name = name  # type: ignore[attr-defined]
        return method

    return mark


class Component:
    """Implements operations of one service. Subclasses name the ``service`` as botocore does."""

    service: ClassVar[str]
    _operations: ClassVar[tuple[tuple[str, str], ...]]

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    @classmethod
    def operations(cls) -> tuple[tuple[str, str], ...]:
        """Every (operation name, method name) of this component."""
        if "_operations" not in vars(cls):
            named = ((getattr(getattr(cls, attribute), "operation_name", None), attribute) for attribute in dir(cls))
            cls._operations = tuple((name, attribute) for name, attribute in named if name is not None)
        return cls._operations


class Cloud:
    """One embedded AWS. ``assumptions`` say how it behaves where AWS does not document what it does."""

    def __init__(
        self,
        components: tuple[type[Component], ...],
        *,
        start: datetime,
        seed: int = 0,
        neighbour: Neighbour | None = None,
        assumptions: Assumptions | None = None,
        organization_id: str = "",
    ) -> None:
        self.kernel = Kernel(start)
        self.history = History()
        self.seed = seed
        self.random = random.Random(seed)  # noqa: S311 - replayable by design, never a secret
        self.neighbour: Neighbour = neighbour or NoNeighbour()
        self.assumptions = assumptions or Assumptions()
        self.authority: Authority = NoAuthority()
        """Who is asked before a call of a role is carried out; a door with an IAM behind it puts its own here."""
        self.organization_id = organization_id
        """The organization of which every account of the cloud is a member; "" for none."""
        self.api_latency = 0.02
        """Virtual seconds that each API call of code running in a process takes before it arrives."""
        self.stack_resource_seconds = 0.0
        """Virtual seconds that an update of a stack takes for each resource that it changes, where a process asks for
        it: its status is UPDATE_IN_PROGRESS meanwhile. Who is no process finds it done when the call returns."""
        self.iam_version = ""
        """Names what IAM holds: no two changes of IAM, in whichever cloud, leave the same name. In no history."""
        self.requests = 0
        """Requests to the cloud so far, through the direct door or to its neighbour: what request ids are made from."""
        self.sdk: Any = None
        """The open door: where code taken from templates gets its SDK sessions (``SdkProvider``); None when shut."""
        self.meddler: Meddler | None = None
        """Who makes things go wrong, if anybody; no part of a snapshot."""
        self._components: dict[type[Component], Component] = {kind: kind(self) for kind in components}
        self._handlers: dict[tuple[str, str], Callable[[Scope, Params], Result]] = {}
        self.bind_handlers()
        self.owned_services = frozenset(component.service for component in self._components.values())

    def bind_handlers(self) -> None:
        """Look up which component answers what; ValueError when two answer the same. Each is bound when it is asked."""
        self._answers, self._handlers = _answers_of(tuple(self._components)), {}

    def _handler(self, service: str, operation: str) -> Callable[[Scope, Params], Result] | None:
        answer = self._answers.get((service, operation))
        if answer is None:
            return None
        kind, method = answer
        handler: Callable[[Scope, Params], Result] = getattr(self._components[kind], method)
        self._handlers[service, operation] = handler
        return handler

    def snapshot(self) -> Snapshot:
        """The state of this cloud while it is quiet: see ``snapshot.take``."""
        return snapshot.take(self)

    def restore(self, taken: Snapshot) -> None:
        """Take on the state of a snapshot: see ``snapshot.restore``."""
        snapshot.restore(self, taken)

    @property
    def now(self) -> datetime:
        """The present instant of the virtual clock."""
        return self.kernel.now

    def call(
        self, account: str, region: str, service: str, operation: str, params: Params, *, principal: str = ""
    ) -> Result:
        """Carry out one AWS operation and return its output shape, or raise AwsError.

        ``principal`` is the ARN of the role that calls, "" for the operator of the run.
        """
        return self.invoke(Scope(account, region, principal), service, operation, params)

    def invoke(self, scope: Scope, service: str, operation: str, params: Params) -> Result:
        """``call`` for callers that have a scope at hand."""
        if scope.principal:
            self.authority.check(scope, service, operation, params)
        handler = self._handlers.get((service, operation)) or self._handler(service, operation)
        if handler is not None:
            return handler(scope, params)
        if service in self.owned_services:
            raise NotEmulatedError(f"{service}:{operation}")
        result = self.neighbour.call(scope, service, operation, params)
        if service == "iam" and not operation.startswith(("Get", "List")):
            self.authority.forget()
            self.iam_version = uuid4().hex
        return result

    def component(self, kind: type[_Component]) -> _Component:
        """The one instance of a component: how components of the cloud reach each other."""
        return self._components[kind]  # type: ignore[return-value]

    def has_component(self, kind: type[Component]) -> bool:
        """Whether this cloud was made with that component."""
        return kind in self._components

    def implemented(self) -> list[tuple[str, str]]:
        """Every (service, operation) that the cloud itself implements, sorted."""
        return sorted(self._answers)

    def record(self, scope: Scope, event: str, **facts: Any) -> None:
        """Append to the history, at the present instant."""
        self.history.append(self.kernel.now, scope.account, scope.region, event, **facts)

    def identifier(self, prefix: str, length: int = 17) -> str:
        """A new identifier such as ``i-0123456789abcdef0``, drawn from the seed."""
        return f"{prefix}{self.random.getrandbits(4 * length):0{length}x}"

    def uuid(self) -> str:
        """A new UUID, drawn from the seed."""
        digits = f"{self.random.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


_Answers = dict[tuple[str, str], tuple[type[Component], str]]
_KNOWN_ANSWERS: dict[tuple[type[Component], ...], _Answers] = {}


def _answers_of(components: tuple[type[Component], ...]) -> _Answers:
    """(service, operation) -> the component that answers, and its method."""
    known = _KNOWN_ANSWERS.get(components)
    if known is None:
        known = {}
        for kind in components:
            for name, method in kind.operations():
                if (kind.service, name) in known:
                    raise ValueError(f"two components implement {kind.service}:{name}")
                known[kind.service, name] = (kind, method)
        _KNOWN_ANSWERS[components] = known
    return known


_PARTITIONS = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("eusc-", "aws-eusc"))


@cache
def partition_of(region: str) -> str:
    """The partition that a Region of the public partitions belongs to."""
    return next((name for prefix, name in _PARTITIONS if region.startswith(prefix)), "aws")


def paginate(
    items: list[Item], params: Params, *, limit: str, token: str, default: int, maximum: int
) -> tuple[list[Item], str | None]:
    """One page of ``items`` and the token of the next, as AWS pages: at most ``params[limit]`` of them.

    The token is opaque to callers; one that was not handed out raises AwsError InvalidNextToken.
    """
    size = min(int(params.get(limit) or default), maximum)
    raw = params.get(token)
    if raw is None:
        start = 0
    else:
        match = re.fullmatch(r"page-(\d+)", str(raw))
        if not match:
            raise AwsError("InvalidNextToken", "The specified token is not valid.")
        start = int(match[1])
    end = start + size
    return items[start:end], (f"page-{end}" if end < len(items) else None)
