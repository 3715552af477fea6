"""Automation: runbooks, started by hand or by a maintenance window.

https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-automation.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patchgate.emulator.cloud import Cloud, Params, Result, Scope, operation
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.ssm_automation_engine import AutomationEngine
from patchgate.emulator.ssm_automation_state import AutomationRun, Listener, StepRun
from patchgate.emulator.ssm_automation_values import UnresolvedError, as_text, interpolate
from patchgate.emulator.ssm_constraints import instant, matching, one_of, page, required, tag_map, unsupported
from patchgate.emulator.ssm_document_content import Content
from patchgate.emulator.ssm_document_parameters import bind_parameters
from patchgate.emulator.ssm_document_steps import EMULATED_ACTIONS
from patchgate.emulator.ssm_documents import REFERENCE, VERSION, Document, Documents, DocumentVersion
from patchgate.emulator.ssm_tags import ResourceTags

_INVALID = "InvalidAutomationExecutionParametersException"
_ROLE = r"arn:(aws[a-z-]*):iam::\d{12}:role/[\w+=,.@/-]+"


class Automation(AutomationEngine):
    """The operations of Automation."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._tokens: dict[tuple[tuple[str, str], str], tuple[dict[str, Any], str]] = {}

    def start(
        self,
        scope: Scope,
        params: Params,
        *,
        listener: Listener | None = None,
        target: str = "",
        window_execution: str = "",
    ) -> str:
        """StartAutomationExecution for other components; returns the execution's id.

        ``listener`` is called with status and failure message at the end; ``target`` is the machine that it is about.
        """
        document, version, content = self._runbook(scope, params)
        given = _parameter_lists(params.get("Parameters"))
        bound = bind_parameters(content.parameters, given, _INVALID)
        execution_id = self.cloud.uuid()
        assumed = _assumed_role(content, bound)
        if assumed:
            self._check_role(scope, assumed, execution_id)
        run = AutomationRun(
            execution_id,
            scope.as_principal(assumed or scope.principal),
            scope.principal,
            document.name,
            str(version.number),
            content,
            bound,
            {step.name: StepRun(step, self.cloud.uuid()) for step in content.steps},
            target,
            window_execution,
            listener,
            requested=self.cloud.now,
            assumed=assumed,
        )
        self.accept(run)
        return run.execution_id

    @operation("StartAutomationExecution")
    def start_automation_execution(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartAutomationExecution.html"""
        required(params, "DocumentName")
        matching(params, "DocumentName", REFERENCE)
        matching(params, "DocumentVersion", VERSION)
        if one_of(params, "Mode", ("Auto", "Interactive")) == "Interactive":
            raise NotEmulatedError("interactive automations")
        unsupported(
            params,
            "StartAutomationExecution",
            "TargetParameterName",
            "Targets",
            "TargetMaps",
            "TargetLocations",
            "TargetLocationsURL",
            "AlarmConfiguration",
        )
        token = matching(params, "ClientToken", r"[a-fA-F0-9-]{36}")
        given = {key: value for key, value in params.items() if key != "ClientToken"}
        if token and (scope.key, token) in self._tokens:
            known, execution_id = self._tokens[scope.key, token]
            if known != given:
                raise AwsError("IdempotentParameterMismatch", "The client token was used with other parameters.")
            return {"AutomationExecutionId": execution_id}
        tags = tag_map(params.get("Tags"))
        execution_id = self.start(scope, params)
        self.cloud.component(ResourceTags).put(scope, "Automation", execution_id, tags)
        if token:
            self._tokens[scope.key, token] = (given, execution_id)
        return {"AutomationExecutionId": execution_id}

    @operation("GetAutomationExecution")
    def get_automation_execution(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetAutomationExecution.html"""
        return {"AutomationExecution": self._run(scope, params).shape()}

    @operation("DescribeAutomationExecutions")
    def describe_automation_executions(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeAutomationExecutions.html

        Newest first.
        """
        found = list(reversed(self.runs(scope).values()))
        for item in params.get("Filters") or ():
            found = [run for run in found if self._fits(scope, run, item)]
        shapes = [run.metadata() | {"AutomationType": "Local"} for run in found]
        return page(shapes, params, "AutomationExecutionMetadataList", least=1, default=50, most=50)

    @operation("DescribeAutomationStepExecutions")
    def describe_automation_step_executions(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeAutomationStepExecutions.html

        Steps that were never reached are listed as Pending.
        """
        steps = list(self._run(scope, params).steps.values())
        for item in params.get("Filters") or ():
            steps = [step for step in steps if _step_fits(step, item)]
        if params.get("ReverseOrder"):
            steps.reverse()
        return page([step.shape() for step in steps], params, "StepExecutions", least=1, default=50, most=50)

    @operation("StopAutomationExecution")
    def stop_automation_execution(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StopAutomationExecution.html"""
        run = self._run(scope, params)
        if one_of(params, "Type", ("Complete", "Cancel")) == "Complete":
            raise NotEmulatedError("StopAutomationExecution of type Complete")
        if run.final:
            raise AwsError(
                "InvalidAutomationStatusUpdateException", f"The execution has ended with {run.status} already."
            )
        self.stop(run)
        return {}

    def _check_role(self, scope: Scope, role_arn: str, execution_id: str) -> None:
        """AwsError unless the caller may pass the assume role on, and Automation may assume it."""
        if scope.principal:
            self.cloud.authority.check(scope, self.service, "PassRole", {"RoleArn": role_arn})
        source = scope.arn("ssm", f"automation-execution/{execution_id}")
        if not self.cloud.authority.trusts(scope, role_arn, "ssm.amazonaws.com", source):
            raise AwsError(_INVALID, "The defined assume role is unable to be assumed.")

    def _runbook(self, scope: Scope, params: Params) -> tuple[Document, DocumentVersion, Content]:
        name = params["DocumentName"]
        try:
            found = self.cloud.component(Documents).content(
                scope, str(name), params.get("DocumentVersion"), "Automation"
            )
        except AwsError as error:
            kind = "Version" if error.code == "InvalidDocumentVersion" else ""
            raise AwsError(f"AutomationDefinition{kind}NotFoundException", error.message) from None
        for step in found[2].steps:
            if step.action not in EMULATED_ACTIONS:
                raise NotEmulatedError(f"the action {step.action}")
        return found

    def _run(self, scope: Scope, params: Params) -> AutomationRun:
        required(params, "AutomationExecutionId")
        wanted = params["AutomationExecutionId"]
        if wanted not in self.runs(scope):
            raise AwsError("AutomationExecutionNotFoundException", f"There is no automation execution {wanted}.")
        return self.runs(scope)[wanted]

    def _fits(self, scope: Scope, run: AutomationRun, item: Params) -> bool:
        key, values = str(item.get("Key")), [str(value) for value in item.get("Values") or ()]
        began = run.started or run.requested
        if key == "DocumentNamePrefix":
            return any(run.document.startswith(value) for value in values)
        if key in ("StartTimeBefore", "StartTimeAfter") and began is not None:
            edges = [instant(value, "filters.values") for value in values]
            return all(began <= edge if key == "StartTimeBefore" else began >= edge for edge in edges)
        if key == "TagKey":
            tags = self.cloud.component(ResourceTags).of(scope, "Automation", run.execution_id)
            return any(value in tags for value in values)
        known = {
            "ExecutionStatus": run.status,
            "ExecutionId": run.execution_id,
            "CurrentAction": run.metadata().get("CurrentAction", ""),
            "AutomationType": "Local",
        }
        if key not in known:
            raise AwsError("InvalidFilterKey", f"The filter key {key} is not valid.")
        return known[key] in values


def _parameter_lists(raw: Any) -> dict[str, list[str]]:
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        raise AwsError(_INVALID, "Parameters must be a map of lists.")
    for name, values in raw.items():
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise AwsError(_INVALID, f"Parameter {name} must be a list of strings.")
    return {str(name): list(values) for name, values in raw.items()}


def _assumed_role(content: Content, bound: Mapping[str, Any]) -> str:
    """The ARN of the role that the execution acts as, or "" when the runbook has none."""
    try:
        role = as_text(interpolate(content.assume_role, bound))
    except UnresolvedError as error:
        raise AwsError(_INVALID, f"The assume role cannot be resolved: {error}") from None
    if role:
        matching({"AssumeRole": role}, "AssumeRole", _ROLE)
    return role


def _step_fits(step: StepRun, item: Params) -> bool:
    key, values = str(item.get("Key")), [str(value) for value in item.get("Values") or ()]
    known = {
        "StepExecutionStatus": step.status,
        "StepExecutionId": step.step_execution_id,
        "StepName": step.step.name,
        "Action": step.step.action,
    }
    if key not in known:
        raise AwsError("InvalidFilterKey", f"The filter key {key} is not valid.")
    return known[key] in values
