"""Parameter Store of Systems Manager.

https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-parameter-store.html

There are String and StringList parameters, versions, tags and the standard and advanced tiers. SecureString, labels,
policies and data types other than text are not emulated. Assumption: lists come ordered by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation, paginate
from patchgate.emulator.errors import AwsError, NotEmulatedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

MAXIMUM_PARAMETERS = 10_000
MAXIMUM_VERSIONS = 100
MAXIMUM_LEVELS = 15
MAXIMUM_NAME = 1011
TIER_SIZES = {"Standard": 4096, "Advanced": 8192}


@dataclass(slots=True)
class _Version:
    number: int
    value: str
    modified_at: datetime
    principal: str


@dataclass(slots=True)
class _Parameter:
    name: str
    type: str
    description: str = ""
    allowed_pattern: str = ""
    tier: str = "Standard"
    versions: list[_Version] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The name as a path: a name without hierarchy lies at the root."""
        return "/" + self.name.lstrip("/")

    @property
    def newest(self) -> _Version:
        return self.versions[-1]


class Parameters(Component):
    """The operations of Parameter Store."""

    service: ClassVar[str] = "ssm"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._stores: dict[tuple[str, str], dict[str, _Parameter]] = {}

    def tags(self, scope: Scope, name: str) -> dict[str, str]:
        """The live tags of a parameter, for whoever implements the tagging of Systems Manager.

        Raises AwsError InvalidResourceId when it does not exist.
        """
        parameter = self._store(scope).get(name)
        if parameter is None:
            raise AwsError("InvalidResourceId", f"The resource ID '{name}' is not valid.")
        return parameter.tags

    @operation("PutParameter")
    def put_parameter(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html"""
        _refuse_unknown(params)
        name = _checked_name(params)
        store = self._store(scope)
        known = store.get(name)
        if params.get("Tags") and params.get("Overwrite"):
            raise AwsError(
                "ValidationException",
                "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please "
                "remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or "
                "RemoveTagsFromResource.",
            )
        if known is not None and not params.get("Overwrite"):
            raise AwsError(
                "ParameterAlreadyExists",
                "The parameter already exists. To overwrite this value, set the overwrite option in the request to "
                "true.",
            )
        parameter = self._created(store, name, params) if known is None else known
        if params.get("Type") and params["Type"] != parameter.type:
            raise AwsError("HierarchyTypeMismatchException", "Changing the type of a parameter is not supported.")
        value, tier = _checked_value(params, parameter), params.get("Tier") or parameter.tier
        store[name] = parameter
        parameter.tier = parameter.tier if tier == "Intelligent-Tiering" else tier
        parameter.description = params.get("Description", parameter.description)
        parameter.allowed_pattern = params.get("AllowedPattern", parameter.allowed_pattern)
        number = parameter.newest.number + 1 if parameter.versions else 1
        parameter.versions.append(_Version(number, value, self.cloud.now, scope.principal))
        del parameter.versions[:-MAXIMUM_VERSIONS]
        self.cloud.record(scope, "ParameterPut", name=name, value=value, version=number, principal=scope.principal)
        return {"Version": number, "Tier": parameter.tier}

    @operation("GetParameter")
    def get_parameter(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html"""
        _required(params, "Name")
        return {"Parameter": self._found(scope, params["Name"])}

    @operation("GetParameters")
    def get_parameters(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html

        Names that lead nowhere come back in InvalidParameters.
        """
        found, invalid = [], []
        for name in _names(params):
            try:
                found.append(self._found(scope, name))
            except AwsError as error:
                if error.code not in ("ParameterNotFound", "ParameterVersionNotFound"):
                    raise
                invalid.append(name)
        return {"Parameters": found, "InvalidParameters": invalid}

    @operation("GetParametersByPath")
    def get_parameters_by_path(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParametersByPath.html"""
        _required(params, "Path")
        if params.get("ParameterFilters"):
            raise NotEmulatedError("ParameterFilters of ssm:GetParametersByPath")
        recursive = bool(params.get("Recursive"))
        matching = _under(self._sorted(scope), params["Path"], recursive=recursive)
        shapes = [_shape(scope, parameter, parameter.newest) for parameter in matching]
        return _page(shapes, params, maximum=10)

    @operation("DeleteParameter")
    def delete_parameter(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteParameter.html"""
        _required(params, "Name")
        if not self._deleted(scope, params["Name"]):
            raise AwsError("ParameterNotFound", f"Parameter {params['Name']} not found.")
        return {}

    @operation("DeleteParameters")
    def delete_parameters(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteParameters.html"""
        answers = [(name, self._deleted(scope, name)) for name in _names(params)]
        return {
            "DeletedParameters": [name for name, deleted in answers if deleted],
            "InvalidParameters": [name for name, deleted in answers if not deleted],
        }

    @operation("DescribeParameters")
    def describe_parameters(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeParameters.html

        Filters: Name (Equals, BeginsWith, Contains), Path (OneLevel, Recursive), Type, Tier, tag:KEY.
        """
        chosen = self._sorted(scope)
        for entry in params.get("ParameterFilters") or ():
            chosen = _filtered(chosen, entry)
        for entry in params.get("Filters") or ():
            chosen = _filtered(chosen, {"Key": entry["Key"], "Option": "BeginsWith", "Values": entry["Values"]})
        return _page([_metadata(scope, parameter) for parameter in chosen], params, maximum=50)

    def _store(self, scope: Scope) -> dict[str, _Parameter]:
        return self._stores.setdefault(scope.key, {})

    def _sorted(self, scope: Scope) -> list[_Parameter]:
        store = self._store(scope)
        return [store[name] for name in sorted(store)]

    def _created(self, store: dict[str, _Parameter], name: str, params: Params) -> _Parameter:
        if params.get("Type") not in ("String", "StringList"):
            raise AwsError("ValidationException", "A parameter type is required when you create a parameter.")
        if len(store) >= MAXIMUM_PARAMETERS:
            raise AwsError("ParameterLimitExceeded", "You have exceeded the number of parameters for this account.")
        tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags") or ()}
        return _Parameter(name, params["Type"], tags=tags)

    def _found(self, scope: Scope, reference: str) -> dict[str, Any]:
        """One parameter, named or by ARN, the newest version or the one after a colon."""
        name, _, version = _plain_name(scope, reference).partition(":")
        parameter = self._store(scope).get(name)
        if parameter is None:
            raise AwsError("ParameterNotFound", f"Parameter {reference} not found.")
        if not version:
            return _shape(scope, parameter, parameter.newest)
        if not version.isdecimal():
            raise NotEmulatedError("labels of ssm parameters")
        for candidate in parameter.versions:
            if candidate.number == int(version):
                return _shape(scope, parameter, candidate) | {"Selector": f":{version}"}
        raise AwsError("ParameterVersionNotFound", f"Systems Manager could not find version {version} of {name}.")

    def _deleted(self, scope: Scope, name: str) -> bool:
        if self._store(scope).pop(name, None) is None:
            return False
        self.cloud.record(scope, "ParameterDeleted", name=name)
        return True


def _required(params: Params, name: str) -> None:
    if not params.get(name):
        raise AwsError(
            "ValidationException",
            f"1 validation error detected: Value at '{name[0].lower()}{name[1:]}' failed to satisfy constraint: Member "
            "must not be null or empty",
        )


def _names(params: Params) -> list[str]:
    names = list(params.get("Names") or ())
    if not 1 <= len(names) <= 10:
        raise AwsError(
            "ValidationException",
            "1 validation error detected: Value at 'names' failed to satisfy constraint: Member must have length "
            "between 1 and 10, inclusive",
        )
    return names


def _refuse_unknown(params: Params) -> None:
    for name in ("Policies", "KeyId"):
        if params.get(name):
            raise NotEmulatedError(f"{name} of ssm:PutParameter")
    if params.get("Type") == "SecureString":
        raise NotEmulatedError("ssm parameters of type SecureString")
    if params.get("DataType", "text") != "text":
        raise NotEmulatedError(f"ssm parameters of data type {params['DataType']}")


def _checked_name(params: Params) -> str:
    """https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html"""
    _required(params, "Name")
    name = str(params["Name"])
    bare = name.lstrip("/")
    if re.match("(?i)aws", bare):
        raise AwsError("AccessDeniedException", f"No access to reserved parameter name: {name}.")
    if not re.fullmatch(r"(/?[a-zA-Z0-9_.-]+)(/[a-zA-Z0-9_.-]+)*", name) or re.match("(?i)ssm", bare):
        raise AwsError(
            "ValidationException",
            'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of '
            "sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the "
            "following 3 symbols .-_",
        )
    if "/" in name and not name.startswith("/"):
        raise AwsError("ValidationException", "Parameter name must be a fully qualified name.")
    if len(name) > MAXIMUM_NAME:
        raise AwsError("ValidationException", f"Parameter name must be at most {MAXIMUM_NAME} characters long.")
    if name.count("/") > MAXIMUM_LEVELS:
        raise AwsError(
            "HierarchyLevelLimitExceededException", f"A hierarchy can have a maximum of {MAXIMUM_LEVELS} levels."
        )
    return name


def _checked_value(params: Params, parameter: _Parameter) -> str:
    _required(params, "Value")
    value = str(params["Value"])
    tier = params.get("Tier") or parameter.tier
    limit = TIER_SIZES["Advanced"] if tier != "Standard" else TIER_SIZES["Standard"]
    if len(value.encode()) > limit:
        raise AwsError(
            "ValidationException",
            f"{tier} tier parameters support a maximum parameter value of {limit} characters. To create a larger "
            "parameter value, upgrade the parameter to use the advanced-parameter tier.",
        )
    if re.search(r"\{\{.*\}\}", value, re.DOTALL):
        raise AwsError("ValidationException", 'Parameter value can\'t nest another parameter: do not use "{{}}".')
    pattern = params.get("AllowedPattern", parameter.allowed_pattern)
    try:
        matches = not pattern or re.fullmatch(pattern, value)
    except re.error as error:
        raise AwsError("InvalidAllowedPatternException", f"The regular expression is not valid: {error}") from error
    if not matches:
        raise AwsError(
            "ParameterPatternMismatchException",
            f"Parameter value, cannot be validated against allowedPattern: {pattern}",
        )
    return value


def _plain_name(scope: Scope, reference: str) -> str:
    """What an ARN or a name refers to, as a name, the version still after its colon."""
    prefix = scope.arn("ssm", "parameter")
    if not reference.startswith(prefix):
        return reference
    rest = reference.removeprefix(prefix)
    return rest if rest.count("/") > 1 else rest.removeprefix("/")


def _under(parameters: Iterable[_Parameter], path: str, *, recursive: bool) -> list[_Parameter]:
    if not path.startswith("/"):
        raise AwsError(
            "ValidationException", "The parameter doesn't meet the parameter name requirements: it must begin with /."
        )
    prefix = path.rstrip("/") + "/"
    return [
        parameter
        for parameter in parameters
        if parameter.path.startswith(prefix) and (recursive or "/" not in parameter.path.removeprefix(prefix))
    ]


def _filtered(parameters: list[_Parameter], entry: Params) -> list[_Parameter]:
    key, values = entry["Key"], list(entry.get("Values") or ())
    option = entry.get("Option") or ("OneLevel" if key == "Path" else "Equals")
    if key == "Path":
        if option not in ("OneLevel", "Recursive"):
            raise AwsError("InvalidFilterOption", f"The filter option {option} is not valid for Path.")
        below = [_under(parameters, value, recursive=option == "Recursive") for value in values]
        return [parameter for parameter in parameters if any(parameter in some for some in below)]
    compare = _COMPARISONS.get(option)
    if compare is None:
        raise AwsError("InvalidFilterOption", f"The filter option {option} is not valid.")
    return [item for item in parameters if any(compare(_filter_text(item, key), value) for value in values)]


_COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "Equals": str.__eq__,
    "BeginsWith": lambda text, value: text.startswith(value),
    "Contains": lambda text, value: value in text,
}


def _filter_text(parameter: _Parameter, key: str) -> str:
    match key:
        case "Name":
            return parameter.name
        case "Type":
            return parameter.type
        case "Tier":
            return parameter.tier
        case _ if key.startswith("tag:"):
            return parameter.tags.get(key.removeprefix("tag:"), "")
    raise AwsError("InvalidFilterKey", f"The filter key {key} is not valid.")


def _arn(scope: Scope, parameter: _Parameter) -> str:
    return scope.arn("ssm", f"parameter{parameter.path}")


def _shape(scope: Scope, parameter: _Parameter, version: _Version) -> dict[str, Any]:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Parameter.html"""
    return {
        "Name": parameter.name,
        "Type": parameter.type,
        "Value": version.value,
        "Version": version.number,
        "LastModifiedDate": version.modified_at,
        "ARN": _arn(scope, parameter),
        "DataType": "text",
    }


def _metadata(scope: Scope, parameter: _Parameter) -> dict[str, Any]:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterMetadata.html"""
    shape = {
        "Name": parameter.name,
        "ARN": _arn(scope, parameter),
        "Type": parameter.type,
        "LastModifiedDate": parameter.newest.modified_at,
        "LastModifiedUser": parameter.newest.principal or f"arn:{scope.partition}:iam::{scope.account}:root",
        "Version": parameter.newest.number,
        "Tier": parameter.tier,
        "Policies": [],
        "DataType": "text",
    }
    optional = {"Description": parameter.description, "AllowedPattern": parameter.allowed_pattern}
    return shape | {key: value for key, value in optional.items() if value}


def _page(shapes: list[dict[str, Any]], params: Params, *, maximum: int) -> Result:
    size = params.get("MaxResults")
    if size is not None and not 1 <= int(size) <= maximum:
        raise AwsError("ValidationException", f"Value '{size}' at 'maxResults' must be between 1 and {maximum}.")
    found, token = paginate(
        shapes,
        params,
        limit="MaxResults",
        token="NextToken",  # noqa: S106 - the name of a parameter
        default=maximum,
        maximum=maximum,
    )
    return {"Parameters": found} | ({"NextToken": token} if token else {})
