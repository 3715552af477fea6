"""The Lambda service's functions: create, change, describe, permit, delete.

https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html

Versions, aliases, layers, images and code in S3 are not emulated.
"""

from __future__ import annotations

import json
from typing import ClassVar

from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation, paginate
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.functions_resources import (
    Function,
    Package,
    Shape,
    apply_settings,
    invalid,
    not_found,
    plain_name,
    read_archive,
    read_inline,
)
from patchgate.emulator.functions_targets import check_target

ACCOUNT_CONCURRENCY = 1000
UNRESERVED_CONCURRENCY = 100
NOT_ASSUMABLE = "The role defined for the function cannot be assumed by Lambda."
EVENT_CONFIG = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")


class FunctionSettings(Component):
    """The state of Lambda and everything about functions but their invocation."""

    service: ClassVar[str] = "lambda"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._functions: dict[tuple[str, str], dict[str, Function]] = {}
        self.runs_archives = False
        """Whether functions run with all that is in their archives, or with the modules at the top."""

    def function(self, scope: Scope, reference: str, qualifier: str | None = None) -> Function:
        """The function of that name or ARN; AwsError ResourceNotFoundException when there is none."""
        name = plain_name(scope, reference)
        found = self._functions.get(scope.key, {}).get(name)
        if found is None or (qualifier or "$LATEST") != "$LATEST":
            raise not_found(scope.arn("lambda", f"function:{name}"))
        return found

    def check_role(self, scope: Scope, role_arn: str) -> None:
        """Raise AwsError InvalidParameterValueException unless Lambda can assume the role."""
        if not self.cloud.authority.trusts(scope, role_arn, "lambda.amazonaws.com"):
            raise invalid(NOT_ASSUMABLE)

    def _check_letters(self, role_arn: str, params: Params) -> None:
        """The dead-letter queue that a request sets must be there for the role."""
        target = (params.get("DeadLetterConfig") or {}).get("TargetArn")
        if target:
            check_target(self.cloud, role_arn, target, whose="provided execution role")

    def create_inline(self, scope: Scope, params: Params, source_text: str) -> Result:
        """CreateFunction with source text, as CloudFormation's inline ZipFile: it becomes ``index.py``."""
        return self._create(scope, params, read_inline(source_text))

    def update_inline(self, scope: Scope, name: str, source_text: str) -> Result:
        """UpdateFunctionCode with source text."""
        function = self.function(scope, name)
        function.package = read_inline(source_text)
        return self._modified(function)

    @operation("CreateFunction")
    def create_function(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html"""
        return self._create(scope, params, self._package(params.get("Code") or {}))

    @operation("UpdateFunctionCode")
    def update_function_code(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html"""
        function = self.function(scope, params["FunctionName"])
        package = self._package(params)
        if params.get("DryRun"):
            return function.configuration()
        function.package = package
        function.architectures = list(params.get("Architectures") or function.architectures)
        return self._modified(function)

    @operation("UpdateFunctionConfiguration")
    def update_function_configuration(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html"""
        function = self.function(scope, params["FunctionName"])
        role = params.get("Role") or function.role
        if params.get("Role"):
            self.check_role(scope, role)
        self._check_letters(role, params)
        apply_settings(function, params)
        return self._modified(function)

    @operation("GetFunction")
    def get_function(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html"""
        function = self.function(scope, params["FunctionName"], params.get("Qualifier"))
        place = f"https://awslambda-{scope.region}-tasks.s3.{scope.region}.amazonaws.com"
        shape: Result = {
            "Configuration": function.configuration(),
            "Code": {"RepositoryType": "S3", "Location": f"{place}/snapshots/{scope.account}/{function.name}"},
        }
        if function.tags:
            shape["Tags"] = dict(function.tags)
        if function.reserved is not None:
            shape["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved}
        return shape

    @operation("GetFunctionConfiguration")
    def get_function_configuration(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html"""
        return self.function(scope, params["FunctionName"], params.get("Qualifier")).configuration()

    @operation("ListFunctions")
    def list_functions(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html: 50 a page."""
        functions = self._functions.get(scope.key, {})
        found, marker = paginate(
            [functions[name].configuration() for name in sorted(functions)],
            params,
            limit="MaxItems",
            token="Marker",  # noqa: S106 - the name of a parameter
            default=50,
            maximum=50,
        )
        return {"Functions": found} | ({"NextMarker": marker} if marker else {})

    @operation("DeleteFunction")
    def delete_function(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html: what runs, runs on."""
        function = self.function(scope, params["FunctionName"], params.get("Qualifier"))
        del self._functions[scope.key][function.name]
        self.cloud.record(scope, "FunctionDeleted", function=function.name)
        return {}

    @operation("AddPermission")
    def add_permission(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html

        Policies are kept and given back; that nobody may call without one is not enforced.
        """
        function = self.function(scope, params["FunctionName"], params.get("Qualifier"))
        statement_id, principal = params["StatementId"], params["Principal"]
        if statement_id in function.statements:
            raise AwsError(
                "ResourceConflictException",
                f"The statement id ({statement_id}) provided already exists. Please provide a new statement id, or "
                "remove the existing statement.",
                status=409,
            )
        kind = "Service" if ".amazonaws.com" in principal else "AWS"
        statement: Shape = {
            "Sid": statement_id,
            "Effect": "Allow",
            "Principal": "*" if principal == "*" else {kind: principal},
            "Action": params["Action"],
            "Resource": function.arn,
        }
        conditions = {
            "SourceArn": ("ArnLike", "AWS:SourceArn"),
            "SourceAccount": ("StringEquals", "AWS:SourceAccount"),
            "PrincipalOrgID": ("StringEquals", "aws:PrincipalOrgID"),
            "EventSourceToken": ("StringEquals", "lambda:EventSourceToken"),
            "FunctionUrlAuthType": ("StringEquals", "lambda:FunctionUrlAuthType"),
        }
        for name, (operator, key) in conditions.items():
            if params.get(name):
                statement.setdefault("Condition", {}).setdefault(operator, {})[key] = params[name]
        function.statements[statement_id] = statement
        return {"Statement": json.dumps(statement)}

    @operation("RemovePermission")
    def remove_permission(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/lambda/latest/api/API_RemovePermission.html"""
        function = self.function(scope, params["FunctionName"], params.get("Qualifier"))
        if function.statements.pop(params["StatementId"], None) is None:
            raise AwsError(
                "ResourceNotFoundException",
                f"Statement {params['StatementId']} is not found in resource policy.",
                status=404,
            )
        return {}

    @operation("GetPolicy")
    def get_policy(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/lambda/latest/api/API_GetPolicy.html"""
        function = self.function(scope, params["FunctionName"], params.get("Qualifier"))
        if not function.statements:
            raise AwsError("ResourceNotFoundException", "The resource you requested does not exist.", status=404)
        policy = {"Version": "2012-10-17", "Id": "default", "Statement": list(function.statements.values())}
        return {"Policy": json.dumps(policy), "RevisionId": function.revision}

    @operation("PutFunctionEventInvokeConfig")
    def put_function_event_invoke_config(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html"""
        function = self.function(scope, params["FunctionName"], params.get("Qualifier"))
        return self._set_event_config(function, {name: params[name] for name in EVENT_CONFIG if name in params})

    @operation("UpdateFunctionEventInvokeConfig")
    def update_function_event_invoke_config(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionEventInvokeConfig.html"""
        function = _with_event_config(self.function(scope, params["FunctionName"], params.get("Qualifier")))
        changes = {name: params[name] for name in EVENT_CONFIG if name in params}
        return self._set_event_config(function, (function.event_config or {}) | changes)

    @operation("GetFunctionEventInvokeConfig")
    def get_function_event_invoke_config(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionEventInvokeConfig.html"""
        return _event_config(_with_event_config(self.function(scope, params["FunctionName"], params.get("Qualifier"))))

    @operation("DeleteFunctionEventInvokeConfig")
    def delete_function_event_invoke_config(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionEventInvokeConfig.html"""
        function = _with_event_config(self.function(scope, params["FunctionName"], params.get("Qualifier")))
        function.event_config = function.event_config_at = None
        return {}

    @operation("PutFunctionConcurrency")
    def put_function_concurrency(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html"""
        function, wanted = self.function(scope, params["FunctionName"]), int(params["ReservedConcurrentExecutions"])
        others = [item.reserved or 0 for item in self._functions[scope.key].values() if item is not function]
        if wanted < 0 or sum(others) + wanted > ACCOUNT_CONCURRENCY - UNRESERVED_CONCURRENCY:
            raise invalid(
                "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
                f"below its minimum value of [{UNRESERVED_CONCURRENCY}]."
            )
        function.reserved = wanted
        return {"ReservedConcurrentExecutions": wanted}

    @operation("GetFunctionConcurrency")
    def get_function_concurrency(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConcurrency.html"""
        reserved = self.function(scope, params["FunctionName"]).reserved
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    @operation("DeleteFunctionConcurrency")
    def delete_function_concurrency(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunctionConcurrency.html"""
        self.function(scope, params["FunctionName"]).reserved = None
        return {}

    @operation("ListTags")
    def list_tags(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/lambda/latest/api/API_ListTags.html"""
        return {"Tags": dict(self.function(scope, params["Resource"]).tags)}

    @operation("TagResource")
    def tag_resource(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/lambda/latest/api/API_TagResource.html"""
        self.function(scope, params["Resource"]).tags.update(params["Tags"])
        return {}

    @operation("UntagResource")
    def untag_resource(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/lambda/latest/api/API_UntagResource.html"""
        tags = self.function(scope, params["Resource"]).tags
        for key in params["TagKeys"]:
            tags.pop(key, None)
        return {}

    def _create(self, scope: Scope, params: Params, package: Package) -> Result:
        name = plain_name(scope, params.get("FunctionName") or "")
        functions = self._functions.setdefault(scope.key, {})
        if name in functions:
            raise AwsError("ResourceConflictException", f"Function already exist: {name}", status=409)
        if params.get("PackageType", "Zip") != "Zip":
            raise NotEmulatedError("Lambda functions of container images")
        function = Function(
            name=name,
            arn=scope.arn("lambda", f"function:{name}"),
            role="",
            runtime="",
            handler="",
            package=package,
            modified_at=self.cloud.now,
            revision=self.cloud.uuid(),
            architectures=list(params.get("Architectures") or ["x86_64"]),
            tags=dict(params.get("Tags") or {}),
        )
        apply_settings(function, params)
        self.check_role(scope, function.role)
        self._check_letters(function.role, params)
        functions[name] = function
        self.cloud.record(scope, "FunctionCreated", function=name)
        return function.configuration()

    def _package(self, code: Params) -> Package:
        if not code.get("ZipFile"):
            if code.get("S3Bucket") or code.get("ImageUri"):
                raise NotEmulatedError("code of Lambda functions outside of ZipFile")
            raise invalid("Please provide a source for function code.")
        return read_archive(bytes(code["ZipFile"]), whole=self.runs_archives)

    def _modified(self, function: Function) -> Result:
        function.modified_at, function.revision = self.cloud.now, self.cloud.uuid()
        return function.configuration()

    def _set_event_config(self, function: Function, config: Shape) -> Result:
        retries, age = config.get("MaximumRetryAttempts", 2), config.get("MaximumEventAgeInSeconds", 21_600)
        if not 0 <= retries <= 2 or not 60 <= age <= 21_600:
            raise AwsError(
                "ValidationException", "'maximumRetryAttempts' is 0 to 2, 'maximumEventAgeInSeconds' 60 to 21600."
            )
        for destination in (config.get("DestinationConfig") or {}).values():
            if destination.get("Destination"):
                whose = "function execution role"
                check_target(self.cloud, function.role, destination["Destination"], whose=whose)
        function.event_config, function.event_config_at = config, self.cloud.now
        return _event_config(function)


def _with_event_config(function: Function) -> Function:
    if function.event_config is None:
        raise AwsError(
            "ResourceNotFoundException",
            f"The function {function.arn}:$LATEST doesn't have an EventInvokeConfig",
            status=404,
        )
    return function


def _event_config(function: Function) -> Result:
    shape = {"FunctionArn": f"{function.arn}:$LATEST", "LastModified": function.event_config_at}
    return shape | (function.event_config or {})
