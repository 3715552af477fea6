"""Lambda functions as they are kept: settings, code, policy; and what their requests may say.

https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zipfile
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from patchgate.emulator.cloud import Params, Scope
from patchgate.emulator.errors import AwsError, NotEmulatedError

Shape = dict[str, Any]

RUNTIMES = ("python3.10", "python3.11", "python3.12", "python3.13", "python3.14")
"""Those that can still be created; https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"""

RESERVED_VARIABLES = re.compile(
    r"AWS_(REGION|DEFAULT_REGION|ACCESS_KEY|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|EXECUTION_ENV|LAMBDA_.*)"
    r"|_HANDLER|_X_AMZN_TRACE_ID|LAMBDA_(TASK_ROOT|RUNTIME_DIR)"
)
MAXIMUM_VARIABLES_BYTES = 4096
PASSED_ON = ("DeadLetterConfig", "EphemeralStorage", "KMSKeyArn", "LoggingConfig", "TracingConfig")
"""Settings that are kept and given back; of them DeadLetterConfig and LoggingConfig have an effect here."""

NOT_EMULATED = (
    "CapacityProviderConfig",
    "CodeSigningConfigArn",
    "DurableConfig",
    "FileSystemConfigs",
    "ImageConfig",
    "Layers",
    "Publish",
    "SnapStart",
    "TenancyConfig",
    "VpcConfig",
)


@dataclass(frozen=True, slots=True)
class Package:
    """A function's code: the text of its modules by name, and what AWS says of the archive.

    ``archive`` is the whole of it, where more of it is run than the modules at its top.
    """

    modules: dict[str, str]
    size: int
    sha256: str
    archive: bytes = b""


@dataclass(slots=True)
class Function:
    """One function, version $LATEST. ``timeout`` is in seconds, ``memory`` in MB."""

    name: str
    arn: str
    role: str
    runtime: str
    handler: str
    package: Package
    modified_at: datetime
    revision: str
    description: str = ""
    timeout: int = 3
    memory: int = 128
    variables: dict[str, str] = field(default_factory=dict)
    architectures: list[str] = field(default_factory=lambda: ["x86_64"])
    passed_on: Shape = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    statements: dict[str, Shape] = field(default_factory=dict)
    event_config: Shape | None = None
    event_config_at: datetime | None = None
    reserved: int | None = None

    @property
    def log_group(self) -> str:
        """Where its log lines go."""
        return str((self.passed_on.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{self.name}")

    def configuration(self) -> Shape:
        """https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html"""
        shape: Shape = {
            "FunctionName": self.name,
            "FunctionArn": self.arn,
            "Runtime": self.runtime,
            "Role": self.role,
            "Handler": self.handler,
            "CodeSize": self.package.size,
            "CodeSha256": self.package.sha256,
            "Description": self.description,
            "Timeout": self.timeout,
            "MemorySize": self.memory,
            "LastModified": self.modified_at.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
            "Version": "$LATEST",
            "TracingConfig": {"Mode": "PassThrough"},
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": self.log_group},
            "EphemeralStorage": {"Size": 512},
            "RevisionId": self.revision,
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "PackageType": "Zip",
            "Architectures": list(self.architectures),
        }
        if self.variables:
            shape["Environment"] = {"Variables": dict(self.variables)}
        return shape | {name: value for name, value in self.passed_on.items() if value}


def invalid(message: str) -> AwsError:
    """The error of a parameter that Lambda does not take."""
    return AwsError("InvalidParameterValueException", message)


def not_found(arn: str) -> AwsError:
    """The error of a function that is not there."""
    return AwsError("ResourceNotFoundException", f"Function not found: {arn}", status=404)


def plain_name(scope: Scope, reference: str) -> str:
    """The name of a function given by name, partial ARN or ARN; its qualifier can only be $LATEST."""
    match = re.fullmatch(
        r"(?:arn:[\w-]+:lambda:)?(?:(?P<region>[a-z][\w-]+-\d):)?(?:(?P<account>\d{12}):)?(?:function:)?"
        r"(?P<name>[\w-]{1,64})(?::(?P<qualifier>\$LATEST|[\w-]+))?",
        reference,
    )
    if match is None:
        raise AwsError("ValidationException", f"Value '{reference}' at 'functionName' is not a function's name.")
    elsewhere = (match["region"] or scope.region, match["account"] or scope.account) != (scope.region, scope.account)
    if elsewhere or (match["qualifier"] or "$LATEST") != "$LATEST":
        raise not_found(reference)
    return match["name"]


def read_archive(content: bytes, *, whole: bool = False) -> Package:
    """The Python modules at the top of a zip archive; with ``whole``, all that is in it.

    Without, Python packages are a NotEmulatedError, and other files are left out: a program that opens one is refused.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            texts = {name: archive.read(name) for name in names if name.endswith(".py") and "/" not in name}
    except zipfile.BadZipFile as error:
        raise invalid("Could not unzip uploaded file. Please check your file, then try to upload again.") from error
    others = set(names) - set(texts)
    if not whole and any(name.endswith(".py") for name in others):
        raise NotEmulatedError("Python packages in the archive of a Lambda function without --runtime faithful")
    modules = {name.removesuffix(".py"): text.decode() for name, text in texts.items()}
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    return Package(modules, len(content), digest, content if whole and others else b"")


def read_inline(source: str) -> Package:
    """The package of inline source, which becomes ``index.py``. The same text has the same hash."""
    content = source.encode()
    return Package({"index": source}, len(content), base64.b64encode(hashlib.sha256(content).digest()).decode())


def apply_settings(function: Function, params: Params) -> None:
    """Check the settings that a request names and set them; raises AwsError before anything is changed."""
    refused = [name for name in NOT_EMULATED if params.get(name)]
    if refused:
        raise NotEmulatedError(f"{', '.join(refused)} of Lambda functions")
    runtime, handler = params.get("Runtime", function.runtime), params.get("Handler", function.handler)
    role, variables = params.get("Role", function.role), function.variables
    timeout, memory = params.get("Timeout", function.timeout), params.get("MemorySize", function.memory)
    _check_runtime(runtime)
    if not re.fullmatch(r"arn:[\w-]+:iam::\d{12}:role/?[\w+=,.@/-]+", role or ""):
        raise AwsError("ValidationException", f"Value '{role}' at 'role' is not the ARN of a role.")
    inside = function.package.archive
    if not re.fullmatch(r"[\w./-]*[\w-]+\.\w+" if inside else r"[\w-]+\.\w+", handler or ""):
        raise NotEmulatedError(f"the handler {handler!r}: it is <module>.<function>")
    if not 1 <= timeout <= 900 or not 128 <= memory <= 10_240:
        raise AwsError("ValidationException", "'timeout' is 1 to 900 seconds, 'memorySize' 128 to 10240 MB.")
    if "Environment" in params:
        variables = dict((params["Environment"] or {}).get("Variables") or {})
        _check_variables(variables)
    function.runtime, function.handler, function.role = runtime, handler, role
    function.timeout, function.memory, function.variables = timeout, memory, variables
    function.description = params.get("Description", function.description)
    function.passed_on |= {name: params[name] for name in PASSED_ON if name in params}


def _check_runtime(runtime: str | None) -> None:
    if not runtime:
        raise invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
    if not runtime.startswith("python"):
        raise NotEmulatedError(f"the Lambda runtime {runtime}")
    if runtime not in RUNTIMES:
        raise invalid(
            f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. "
            "We recommend you use a supported runtime while creating or updating functions."
        )


def _check_variables(variables: dict[str, str]) -> None:
    reserved = sorted(name for name in variables if RESERVED_VARIABLES.fullmatch(name))
    if reserved:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided contains reserved keys that are currently not supported for modification. Reserved keys used in "
            f"this request: {', '.join(reserved)}"
        )
    if any(not re.fullmatch(r"[a-zA-Z]\w+", name) for name in variables):
        raise AwsError("ValidationException", "Names of environment variables match [a-zA-Z]([a-zA-Z0-9_])+")
    if sum(len(name.encode()) + len(value.encode()) for name, value in variables.items()) > MAXIMUM_VARIABLES_BYTES:
        raise invalid("Lambda was unable to configure your environment variables because they exceed the 4KB limit.")
