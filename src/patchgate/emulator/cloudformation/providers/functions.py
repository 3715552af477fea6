"""AWS::Lambda::*."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from patchgate.emulator.cloudformation.parameters import as_text
from patchgate.emulator.cloudformation.providers.base import (
    Physical,
    Properties,
    Provider,
    Request,
    pick,
    tag_map,
)
from patchgate.emulator.errors import AwsError, NotEmulatedError

_GONE = frozenset({"ResourceNotFoundException"})
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


class Function(Provider):
    """AWS::Lambda::Function with inline code, which becomes ``index.py``; Ref is its name.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-function-code.html
    """

    type = "AWS::Lambda::Function"
    name_property = "FunctionName"
    gone = _GONE
    _settings = (
        "DeadLetterConfig", "Description", "Environment", "EphemeralStorage", "Handler", "LoggingConfig",
        "MemorySize", "Role", "Runtime", "Timeout", "TracingConfig",
    )  # fmt: skip
    supported = frozenset({
        *_settings, "Architectures", "Code", "FunctionName", "KmsKeyArn", "PackageType",
        "ReservedConcurrentExecutions", "Tags",
    })  # fmt: skip
    attributes = frozenset({"Arn"})

    def create(self, request: Request) -> Physical:
        name, properties = request.name("FunctionName", 64), request.properties
        tags = tag_map(properties.get("Tags"))
        answer = request.call("lambda", "CreateFunction", {
            "FunctionName": name,
            "Code": {"ZipFile": _archive(properties)},
            "Tags": tags or None,
            **pick(properties, "Architectures", "PackageType"),
            **self._configuration(properties),
        })  # fmt: skip
        physical = request.claim(name, {"Arn": answer["FunctionArn"]})
        self._reserve(request, name)
        return physical

    def update(self, request: Request) -> Physical:
        name, target = request.physical_id, {"FunctionName": request.physical_id}
        if request.changed("Code", "Architectures"):
            code = {"ZipFile": _archive(request.properties)} | pick(request.properties, "Architectures")
            request.call("lambda", "UpdateFunctionCode", target | code)
        old, new = self._configuration(request.previous), self._configuration(request.properties)
        if old != new:
            request.call("lambda", "UpdateFunctionConfiguration", target | _RESET | new)
        arn = request.attributes["Arn"]
        tags, removed = request.tag_changes()
        if tags:
            request.call("lambda", "TagResource", {"Resource": arn, "Tags": tags})
        if removed:
            request.call("lambda", "UntagResource", {"Resource": arn, "TagKeys": removed})
        self._reserve(request, name)
        return Physical(name, request.attributes)

    def delete(self, request: Request) -> None:
        request.call("lambda", "DeleteFunction", {"FunctionName": request.physical_id})

    def _configuration(self, properties: Properties) -> dict[str, Any]:
        settings = pick(properties, *self._settings)
        if "Environment" in settings:
            settings["Environment"] = {"Variables": _variables(settings["Environment"].get("Variables") or {})}
        return settings | ({"KMSKeyArn": properties["KmsKeyArn"]} if "KmsKeyArn" in properties else {})

    def _reserve(self, request: Request, name: str) -> None:
        if not request.changed("ReservedConcurrentExecutions"):
            return
        reserved = request.properties.get("ReservedConcurrentExecutions")
        operation = "DeleteFunctionConcurrency" if reserved is None else "PutFunctionConcurrency"
        params = {"FunctionName": name, "ReservedConcurrentExecutions": reserved}
        request.call("lambda", operation, params)


def _variables(given: Mapping[str, Any]) -> dict[str, str]:
    """Environment variables as strings: a template may give numbers and booleans, which its schema lets pass."""
    for name, value in given.items():
        if isinstance(value, dict | list):
            raise NotEmulatedError(f"AWS::Lambda::Function with {type(value).__name__} as the variable {name}; text is")
    return {name: as_text(value) for name, value in given.items()}


_RESET = {"Description": "", "Timeout": 3, "MemorySize": 128, "Environment": {"Variables": {}}}
"""What an update sets where the new properties say nothing."""


def _archive(properties: Properties) -> bytes:
    """The deployment package that CloudFormation makes of inline code. The same text is the same bytes."""
    code, runtime = properties["Code"], properties.get("Runtime", "")
    if set(code) != {"ZipFile"}:
        raise NotEmulatedError(f"AWS::Lambda::Function with Code of {', '.join(code)}; ZipFile is")
    if not runtime.startswith("python"):
        raise NotEmulatedError(f"AWS::Lambda::Function with inline code in Runtime {runtime}; Python is")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as package:
        package.writestr(zipfile.ZipInfo("index.py", _ZIP_TIME), code["ZipFile"])
    return archive.getvalue()


class Permission(Provider):
    """AWS::Lambda::Permission; Ref is its statement id. Every property is create-only."""

    type = "AWS::Lambda::Permission"
    gone = _GONE
    _settings = (
        "FunctionName", "Action", "Principal", "SourceArn", "SourceAccount", "EventSourceToken", "PrincipalOrgID",
        "FunctionUrlAuthType",
    )  # fmt: skip
    supported = frozenset(_settings)
    attributes = frozenset({"Id"})

    def create(self, request: Request) -> Physical:
        statement = request.name("", 100)
        params = pick(request.properties, *self._settings) | {"StatementId": statement}
        request.call("lambda", "AddPermission", params)
        return Physical(statement, {"Id": statement})

    def delete(self, request: Request) -> None:
        params = {"FunctionName": request.properties["FunctionName"], "StatementId": request.physical_id}
        request.call("lambda", "RemovePermission", params)


class EventInvokeConfig(Provider):
    """AWS::Lambda::EventInvokeConfig; its physical id is ``<FunctionName>|<Qualifier>``."""

    type = "AWS::Lambda::EventInvokeConfig"
    gone = _GONE
    supported = frozenset({
        "DestinationConfig", "FunctionName", "MaximumEventAgeInSeconds", "MaximumRetryAttempts", "Qualifier",
    })  # fmt: skip

    def create(self, request: Request) -> Physical:
        return self._put(request)

    def update(self, request: Request) -> Physical:
        return self._put(request)

    def delete(self, request: Request) -> None:
        params = pick(request.properties, "FunctionName", "Qualifier")
        request.call("lambda", "DeleteFunctionEventInvokeConfig", params)

    def _put(self, request: Request) -> Physical:
        if request.properties["Qualifier"] != "$LATEST":
            raise AwsError("ResourceNotFoundException", "versions and aliases of functions are not emulated")
        request.call("lambda", "PutFunctionEventInvokeConfig", dict(request.properties))
        return Physical(f"{request.properties['FunctionName']}|{request.properties['Qualifier']}")


PROVIDERS = (Function(), Permission(), EventInvokeConfig())
