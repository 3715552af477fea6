"""What a role must be allowed for the operations with which people, tools and CloudFormation make and read things.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html

Assumption: where the request does not name the resource (a list of all, a tag's id of whatever kind, an organization's
units), the action is asked on ``*``, which is stricter than AWS for policies that name resources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from patchgate.emulator.functions_resources import plain_name
from patchgate.emulator.iam.requirements import EVERYTHING, Need, Requirement, Table, without_resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from patchgate.emulator.cloud import Cloud, Params, Scope


def _on(action: str, arn: Callable[[Scope, Params], str | list[str]]) -> Requirement:
    def needs(_cloud: Cloud, scope: Scope, params: Params) -> Iterator[Need]:
        found = arn(scope, params)
        for resource in [found] if isinstance(found, str) else found:
            yield Need(action, resource)

    return needs


def _all(service: str, arn: Callable[[Scope, Params], str | list[str]], *names: str) -> Table:
    return {(service, name): _on(f"{service}:{name}", arn) for name in names}


def _member(service: str, resource: str, member: str) -> Callable[[Scope, Params], str]:
    """The ARN of the resource that a member names, or that it is; ``*`` when the request has none."""

    def arn(scope: Scope, params: Params) -> str:
        name = str(params.get(member) or "")
        if not name:
            return EVERYTHING
        return name if name.startswith("arn:") else scope.arn(service, resource.format(name))

    return arn


def _function(scope: Scope, params: Params) -> str:
    return scope.arn("lambda", f"function:{plain_name(scope, str(params['FunctionName']))}")


def _schedule(scope: Scope, params: Params) -> str:
    return scope.arn("scheduler", f"schedule/{params.get('GroupName') or 'default'}/{params['Name']}")


def _rule(member: str) -> Callable[[Scope, Params], str]:
    def arn(scope: Scope, params: Params) -> str:
        bus = str(params.get("EventBusName") or "default").rpartition("/")[2]
        return scope.arn("events", f"rule/{params[member]}" if bus == "default" else f"rule/{bus}/{params[member]}")

    return arn


def _instances(scope: Scope, params: Params) -> list[str]:
    return [scope.arn("ec2", f"instance/{name}") for name in params["InstanceIds"]]


_STACK = _member("cloudformation", "stack/{}/*", "StackName")
_STACK_SET = _member("cloudformation", "stackset/{}:*", "StackSetName")
_WINDOW = _member("ssm", "maintenancewindow/{}", "WindowId")
_DOCUMENT = _member("ssm", "document/{}", "Name")
_BASELINE = _member("ssm", "patchbaseline/{}", "BaselineId")
_PLAN = _member("backup", "backup-plan:{}", "BackupPlanId")
_VAULT = _member("backup", "backup-vault:{}", "BackupVaultName")

OPEN = {
    "backup": ("CreateBackupPlan",),
    "cloudwatch": ("GetMetricData", "ListMetrics", "PutMetricData"),
    "ec2": ("DeleteTags",),
    "organizations": (
        "DescribeAccount", "DescribeOrganizationalUnit", "ListAccountsForParent", "ListChildren",
        "ListOrganizationalUnitsForParent", "ListParents",
    ),
    "ssm": ("AddTagsToResource", "ListTagsForResource", "RemoveTagsFromResource", "CancelMaintenanceWindowExecution"),
}  # fmt: skip
"""service -> operations that have resource types and are asked on ``*``: see the module."""

_WITHOUT = {
    "backup": (
        "DescribeBackupJob", "DescribeRegionSettings", "ListBackupPlans", "ListBackupVaults", "StopBackupJob",
        "UpdateRegionSettings",
    ),
    "cloudformation": (
        "ActivateOrganizationsAccess", "CreateStackSet", "DeactivateOrganizationsAccess", "DescribeOrganizationsAccess",
        "DescribeStackDriftDetectionStatus", "ListExports", "ListImports", "ListStackSets", "ListStacks",
        "ValidateTemplate",
    ),
    "cloudwatch": ("GetMetricStatistics",),
    "events": ("ListRules",),
    "lambda": ("ListFunctions",),
    "organizations": ("DescribeOrganization", "ListAccounts", "ListRoots"),
    "scheduler": ("ListScheduleGroups", "ListSchedules"),
    "ssm": (
        "CreateMaintenanceWindow", "CreatePatchBaseline", "DescribeAutomationExecutions",
        "DescribeInstancePatchStatesForPatchGroup", "DescribeMaintenanceWindowExecutionTaskInvocations",
        "DescribeMaintenanceWindowExecutionTasks", "DescribeParameters", "DescribePatchBaselines",
        "DescribePatchGroups", "GetMaintenanceWindowExecution", "GetMaintenanceWindowExecutionTask",
        "GetMaintenanceWindowExecutionTaskInvocation", "GetPatchBaselineForPatchGroup", "ListDocuments",
    ),
}  # fmt: skip

_TABLES: tuple[Table, ...] = (
    *(without_resource(service, *names) for table in (OPEN, _WITHOUT) for service, names in table.items()),
    _all("backup", _PLAN, "CreateBackupSelection", "DeleteBackupPlan", "DeleteBackupSelection", "GetBackupPlan",
         "GetBackupSelection", "ListBackupSelections", "UpdateBackupPlan"),
    _all("backup", _VAULT, "CreateBackupVault", "DeleteBackupVault", "DeleteBackupVaultLockConfiguration",
         "DescribeBackupVault", "ListRecoveryPointsByBackupVault", "PutBackupVaultLockConfiguration",
         "StartBackupJob"),
    _all("backup", _member("backup", "{}", "ResourceArn"), "ListTags", "TagResource", "UntagResource"),
    _all("cloudformation", _STACK, "ContinueUpdateRollback", "CreateChangeSet", "CreateStack", "DeleteChangeSet",
         "DeleteStack", "DescribeChangeSet", "DescribeStackEvents", "DescribeStackResource",
         "DescribeStackResourceDrifts", "DescribeStackResources", "DescribeStacks", "DetectStackDrift",
         "DetectStackResourceDrift", "ExecuteChangeSet", "GetTemplate", "GetTemplateSummary", "ListChangeSets",
         "ListStackResources", "UpdateStack", "UpdateTerminationProtection"),
    _all("cloudformation", _STACK_SET, "CreateStackInstances", "DeleteStackInstances", "DeleteStackSet",
         "DescribeStackInstance", "DescribeStackSet", "DescribeStackSetOperation", "DetectStackSetDrift",
         "ListStackInstanceResourceDrifts", "ListStackInstances", "ListStackSetAutoDeploymentTargets",
         "ListStackSetOperationResults", "ListStackSetOperations", "StopStackSetOperation", "UpdateStackInstances",
         "UpdateStackSet"),
    _all("ec2", _instances, "RebootInstances", "StartInstances", "StopInstances", "TerminateInstances"),
    _all("events", _rule("Name"), "DeleteRule", "DescribeRule", "DisableRule", "EnableRule", "PutRule"),
    _all("events", _rule("Rule"), "ListTargetsByRule", "PutTargets", "RemoveTargets"),
    _all("events", _member("events", "{}", "ResourceARN"), "ListTagsForResource", "TagResource", "UntagResource"),
    _all("lambda", _function, "AddPermission", "CreateFunction", "DeleteFunction", "DeleteFunctionEventInvokeConfig",
         "GetFunction", "GetFunctionConfiguration", "GetFunctionEventInvokeConfig", "GetPolicy",
         "PutFunctionEventInvokeConfig", "RemovePermission", "UpdateFunctionCode", "UpdateFunctionConfiguration",
         "UpdateFunctionEventInvokeConfig", "DeleteFunctionConcurrency", "GetFunctionConcurrency",
         "PutFunctionConcurrency"),
    _all("lambda", _member("lambda", "{}", "Resource"), "ListTags", "TagResource", "UntagResource"),
    _all("scheduler", _schedule, "CreateSchedule", "DeleteSchedule", "UpdateSchedule"),
    _all("scheduler", _member("scheduler", "schedule-group/{}", "Name"), "CreateScheduleGroup", "DeleteScheduleGroup",
         "GetScheduleGroup"),
    _all("scheduler", _member("scheduler", "{}", "ResourceArn"), "ListTagsForResource", "TagResource",
         "UntagResource"),
    _all("ssm", _DOCUMENT, "CreateDocument", "DeleteDocument", "DescribeDocument", "GetDocument", "UpdateDocument",
         "UpdateDocumentDefaultVersion"),
    _all("ssm", _BASELINE, "DeletePatchBaseline", "DeregisterPatchBaselineForPatchGroup", "GetDefaultPatchBaseline",
         "GetPatchBaseline", "RegisterDefaultPatchBaseline", "RegisterPatchBaselineForPatchGroup",
         "UpdatePatchBaseline"),
    _all("ssm", _member("ec2", "instance/{}", "InstanceId"), "DescribeInstancePatches"),
    _all("ssm", _member("ssm", "automation-execution/{}", "AutomationExecutionId"),
         "DescribeAutomationStepExecutions"),
    _all("ssm", _WINDOW, "DeleteMaintenanceWindow", "DeregisterTargetFromMaintenanceWindow",
         "DeregisterTaskFromMaintenanceWindow", "DescribeMaintenanceWindowExecutions",
         "DescribeMaintenanceWindowTargets", "DescribeMaintenanceWindowTasks", "GetMaintenanceWindowTask",
         "RegisterTargetWithMaintenanceWindow", "RegisterTaskWithMaintenanceWindow", "UpdateMaintenanceWindowTarget",
         "UpdateMaintenanceWindowTask"),
    _all("cloudwatch", lambda scope, params: [scope.arn("cloudwatch", f"alarm:{name}") for name in
         params.get("AlarmNames") or [params.get("AlarmName") or "*"]],
         "DeleteAlarms", "DescribeAlarms", "PutMetricAlarm", "SetAlarmState"),
    {("sts", "AssumeRole"): _on("sts:AssumeRole", lambda _scope, params: str(params["RoleArn"]))},
)  # fmt: skip

OWNED_REQUIREMENTS: Table = {name: needs for table in _TABLES for name, needs in table.items()}
"""(service, operation) -> what it needs, beside ``requirements`` and ``requirements_ssm``."""
