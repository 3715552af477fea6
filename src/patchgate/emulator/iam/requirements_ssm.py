"""What a role must be allowed for the operations of Systems Manager.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html

Assumptions: SendCommand is authorised on the bucket of its output as well, when it names one; StartAutomationExecution
on the document and on executions, and, when the runbook has an assume role, iam:PassRole on that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.iam.requirements import Need, Requirement, Table, tag_facts, without_resource
from patchgate.emulator.ssm_owned_documents import OWNED_DOCUMENTS
from patchgate.emulator.ssm_tags import ResourceTags
from patchgate.emulator.ssm_targets import resolve_targets

if TYPE_CHECKING:
    from patchgate.emulator.cloud import Cloud, Params, Scope


def _parameter_arn(scope: Scope, name: str) -> str:
    """The ARN of a parameter given by name or ARN, without the version or label that may follow the name."""
    if name.startswith("arn:"):
        return name
    plain = name.partition(":")[0]
    return scope.arn("ssm", f"parameter{plain}" if plain.startswith("/") else f"parameter/{plain}")


def _parameters(action: str, member: str) -> Requirement:
    def needs(_cloud: Cloud, scope: Scope, params: Params) -> Iterator[Need]:
        named = params[member]
        for name in [named] if isinstance(named, str) else named:
            yield Need(action, _parameter_arn(scope, name))

    return needs


def _window(action: str) -> Requirement:
    def needs(cloud: Cloud, scope: Scope, params: Params) -> Iterator[Need]:
        window = str(params["WindowId"])
        tags = cloud.component(ResourceTags).of(scope, "MaintenanceWindow", window)
        yield Need(action, scope.arn("ssm", f"maintenancewindow/{window}"), tag_facts(tags, "ssm:resourcetag"))

    return needs


def _document_arn(scope: Scope, name: str) -> str:
    """The ARN of a document given by name or ARN; AWS's own belong to no account."""
    if name.startswith("arn:"):
        return name
    if name in OWNED_DOCUMENTS:
        return f"arn:{scope.partition}:ssm:{scope.region}::document/{name}"
    return scope.arn("ssm", f"document/{name}")


def _instance(cloud: Cloud, scope: Scope, action: str, name: str) -> Need:
    instance = cloud.component(Ec2).region(scope).instances.get(name)
    facts = tag_facts(instance.tags, "ssm:resourcetag") if instance is not None else {}
    return Need(action, scope.arn("ec2", f"instance/{name}"), facts)


def _send_command(cloud: Cloud, scope: Scope, params: Params) -> Iterator[Need]:
    action = "ssm:SendCommand"
    yield Need(action, _document_arn(scope, str(params["DocumentName"])))
    for name in params.get("InstanceIds") or resolve_targets(cloud, scope, params.get("Targets") or ()):
        yield _instance(cloud, scope, action, str(name))
    if params.get("OutputS3BucketName"):
        yield Need(action, f"arn:{scope.partition}:s3:::{params['OutputS3BucketName']}")


def _start_automation(_cloud: Cloud, scope: Scope, params: Params) -> Iterator[Need]:
    action = "ssm:StartAutomationExecution"
    yield Need(action, _document_arn(scope, str(params["DocumentName"])))
    yield Need(action, scope.arn("ssm", "automation-execution/*"))


def _automation(action: str) -> Requirement:
    return lambda _cloud, scope, params: (
        Need(action, scope.arn("ssm", f"automation-execution/{params['AutomationExecutionId']}")),
    )


def _calendars(_cloud: Cloud, scope: Scope, params: Params) -> Iterator[Need]:
    for name in params["CalendarNames"]:
        yield Need("ssm:GetCalendarState", _document_arn(scope, str(name)))


def _patch_states(cloud: Cloud, scope: Scope, params: Params) -> Iterator[Need]:
    for name in params["InstanceIds"]:
        yield _instance(cloud, scope, "ssm:DescribeInstancePatchStates", str(name))


def pass_role(role_arn: str, service: str) -> Need:
    """Handing a role to a service. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html"""
    return Need("iam:PassRole", role_arn, {"iam:passedtoservice": service})


def _pass_to_automation(_cloud: Cloud, _scope: Scope, params: Params) -> Iterator[Need]:
    yield pass_role(str(params["RoleArn"]), "ssm.amazonaws.com")


_NAMED: dict[str, Any] = {
    "DeleteParameter": _parameters("ssm:DeleteParameter", "Name"),
    "DeleteParameters": _parameters("ssm:DeleteParameters", "Names"),
    "DescribeInstancePatchStates": _patch_states,
    "GetAutomationExecution": _automation("ssm:GetAutomationExecution"),
    "GetCalendarState": _calendars,
    "GetMaintenanceWindow": _window("ssm:GetMaintenanceWindow"),
    "GetParameter": _parameters("ssm:GetParameter", "Name"),
    "GetParameters": _parameters("ssm:GetParameters", "Names"),
    "GetParametersByPath": _parameters("ssm:GetParametersByPath", "Path"),
    "PassRole": _pass_to_automation,
    "PutParameter": _parameters("ssm:PutParameter", "Name"),
    "SendCommand": _send_command,
    "StartAutomationExecution": _start_automation,
    "StopAutomationExecution": _automation("ssm:StopAutomationExecution"),
    "UpdateMaintenanceWindow": _window("ssm:UpdateMaintenanceWindow"),
}

SSM_REQUIREMENTS: Table = {("ssm", name): requirement for name, requirement in _NAMED.items()} | without_resource(
    "ssm",
    "CancelCommand",
    "DescribeInstanceInformation",
    "DescribeMaintenanceWindowSchedule",
    "DescribeMaintenanceWindows",
    "GetCommandInvocation",
    "ListCommandInvocations",
    "ListCommands",
)
"""("ssm", operation) -> what it needs. ``PassRole`` is no operation: Automation asks for it before it starts a run."""
