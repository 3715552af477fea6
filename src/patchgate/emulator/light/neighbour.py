"""cloud.Neighbour in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from patchgate.emulator.errors import NotEmulatedError
from patchgate.emulator.light.alarms import Alarms
from patchgate.emulator.light.iam import Iam
from patchgate.emulator.light.identity import Identity
from patchgate.emulator.light.logs import Logs
from patchgate.emulator.light.s3 import S3
from patchgate.emulator.light.sns import Sns
from patchgate.emulator.light.sqs import Sqs
from patchgate.emulator.neighbour_checks import check_request
from patchgate.emulator.written_objects import describe_object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope

_SERVICES: tuple[type[Component], ...] = (S3, Iam, Identity, Sns, Sqs, Logs, Alarms)

_ANSWERS = {
    (kind.service, name): (position, method)
    for position, kind in enumerate(_SERVICES)
    for name, method in kind.operations()
}
"""(service, operation) -> the position of who answers among the services, and its method."""


class LightNeighbour:
    """S3, IAM, STS, SNS, SQS, CloudWatch Logs and alarms. Draws nothing from the run's chance: ids follow from names,
    and those of messages and versions from the seed and their number (``NumberedIds``)."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._services = [kind(cloud) for kind in _SERVICES]
        self._handlers: dict[tuple[str, str], Callable[[Scope, Params], Result]] = {}

    def _handler(self, service: str, operation: str) -> Callable[[Scope, Params], Result]:
        """Bound when it is asked; NotEmulatedError when there is none."""
        if (service, operation) not in _ANSWERS:
            raise NotEmulatedError(f"{service}:{operation}")
        position, method = _ANSWERS[service, operation]
        handler: Callable[[Scope, Params], Result] = getattr(self._services[position], method)
        self._handlers[service, operation] = handler
        return handler

    def __getstate__(self) -> dict[str, Any]:
        return {"cloud": self.cloud, "_services": self._services}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._handlers = {}

    def call(self, scope: Scope, service: str, operation: str, params: Params) -> Result:
        """The answer in botocore's shape, or AwsError; each is a request to the cloud."""
        self.cloud.requests += 1
        handler = self._handlers.get((service, operation)) or self._handler(service, operation)
        check_request(service, operation, params)
        result = handler(scope, params)
        if (service, operation) == ("s3", "PutObject"):
            body = params.get("Body", b"")
            written = describe_object(params["Bucket"], params["Key"], body, scope.principal)
            self.cloud.record(scope, "ObjectWritten", **written)
        for event, facts in facts_of(service, operation, params):
            self.cloud.record(scope, event, **facts)
        return result

    def bucket_encryption(self, bucket: str) -> Mapping[str, str]:
        """How a bucket encrypts by default, whoever may read that; empty without a setting or such a bucket."""
        (s3,) = (service for service in self._services if isinstance(service, S3))
        return s3.encryption_by_default(bucket)

    def implemented(self) -> list[tuple[str, str]]:
        """Every (service, operation) that is here, sorted."""
        return sorted(_ANSWERS)


def facts_of(service: str, operation: str, params: Params) -> list[tuple[str, dict[str, Any]]]:
    """What the history of a run must know of a request that succeeded, but for objects."""
    if (service, operation) == ("sns", "Publish"):
        topic = params.get("TopicArn") or params.get("TargetArn") or ""
        message = {"topic": topic, "subject": params.get("Subject", ""), "message": params.get("Message", "")}
        return [("MessagePublished", message)]
    return []
