"""A CloudFormation with a neighbour that records every call, holds it against botocore's model, and answers plainly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from patchgate.emulator.assumptions import Assumptions
from patchgate.emulator.cloud import Cloud, NoNeighbour, Params, Result, Scope
from patchgate.emulator.cloudformation import CloudFormation
from patchgate.emulator.errors import AwsError

START = datetime(2026, 7, 4, 12, tzinfo=UTC)
ACCOUNT, REGION = "111122223333", "eu-central-1"
TOPIC = {"Type": "AWS::SNS::Topic"}
LOG_GROUP = {"Type": "AWS::Logs::LogGroup"}


@cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


class Neighbour(NoNeighbour):
    """Records (service, operation, params, principal). ``fail`` maps an operation to the error it answers with."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, dict[str, Any], str]] = []
        self.fail: dict[str, AwsError] = {}
        self.parameters: dict[str, str] = {}
        self.window_enabled = False
        self._serial = 0

    def call(self, scope: Scope, service: str, operation: str, params: Params) -> Result:
        shape = _model(service).operation_model(operation).input_shape
        report = ParamValidator().validate(dict(params), shape)
        assert not report.has_errors(), f"{service}:{operation}: {report.generate_report()}"
        self.calls.append((service, operation, dict(params), scope.principal))
        if operation in self.fail:
            raise self.fail[operation]
        self._serial += 1
        answer = getattr(self, f"_{service}_{operation}", None)
        return answer(scope, params, self._serial) if answer else {}

    def names(self) -> list[str]:
        """The operations called, in order."""
        return [operation for _, operation, _, _ in self.calls]

    def last(self, operation: str) -> dict[str, Any]:
        """The parameters of the operation's last call."""
        return next(params for _, name, params, _ in reversed(self.calls) if name == operation)

    def _ssm_GetParameter(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        name = params["Name"]
        if name not in self.parameters:
            raise AwsError("ParameterNotFound", "")
        return {"Parameter": {"Name": name, "Type": "String", "Value": self.parameters[name]}}

    def _ssm_CreatePatchBaseline(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        return {"BaselineId": f"pb-{serial:017x}"}

    def _ssm_GetPatchBaselineForPatchGroup(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        baseline = next(p["BaselineId"] for _, name, p, _ in self.calls if name == "RegisterPatchBaselineForPatchGroup")
        return {"BaselineId": baseline}

    def _ssm_CreateMaintenanceWindow(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        return {"WindowId": f"mw-{serial:017x}"}

    def _ssm_GetMaintenanceWindow(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        return {"WindowId": params["WindowId"], "Enabled": self.window_enabled}

    def _ssm_RegisterTargetWithMaintenanceWindow(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        return {"WindowTargetId": f"{serial:036d}"}

    def _ssm_RegisterTaskWithMaintenanceWindow(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        return {"WindowTaskId": f"{serial:036d}"}

    def _ssm_UpdateDocument(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        return {"DocumentDescription": {"Name": params["Name"], "DocumentVersion": "2"}}

    def _backup_CreateBackupVault(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        return {"BackupVaultArn": scope.arn("backup", f"backup-vault:{params['BackupVaultName']}")}

    def _backup_CreateBackupPlan(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        arn = scope.arn("backup", f"backup-plan:plan-{serial}")
        return {"BackupPlanId": f"plan-{serial}", "BackupPlanArn": arn, "VersionId": f"v{serial}"}

    def _backup_UpdateBackupPlan(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        plan = params["BackupPlanId"]
        return {"BackupPlanId": plan, "BackupPlanArn": scope.arn("backup", plan), "VersionId": f"v{serial}"}

    def _backup_CreateBackupSelection(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        return {"SelectionId": f"selection-{serial}"}

    def _scheduler_CreateSchedule(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        group = params.get("GroupName", "default")
        return {"ScheduleArn": scope.arn("scheduler", f"schedule/{group}/{params['Name']}")}

    _scheduler_UpdateSchedule = _scheduler_CreateSchedule  # noqa: N815

    def _events_PutRule(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        return {"RuleArn": scope.arn("events", f"rule/{params['Name']}")}

    def _scheduler_CreateScheduleGroup(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        return {"ScheduleGroupArn": scope.arn("scheduler", f"schedule-group/{params['Name']}")}

    def _lambda_CreateFunction(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        return {"FunctionArn": scope.arn("lambda", f"function:{params['FunctionName']}")}

    def _iam_CreateRole(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        return {"Role": {"Arn": f"arn:aws:iam::{ACCOUNT}:role/{params['RoleName']}", "RoleId": f"AROA{serial}"}}

    def _iam_ListAttachedRolePolicies(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        arns = [p["PolicyArn"] for _, name, p, _ in self.calls if name == "AttachRolePolicy"]
        return {"AttachedPolicies": [{"PolicyArn": arn} for arn in arns]}

    def _iam_ListRolePolicies(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        return {"PolicyNames": [p["PolicyName"] for _, name, p, _ in self.calls if name == "PutRolePolicy"]}

    def _iam_CreatePolicy(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        arn = f"arn:aws:iam::{ACCOUNT}:policy/{params['PolicyName']}"
        return {"Policy": {"Arn": arn, "PolicyId": f"ANPA{serial}", "DefaultVersionId": "v1"}}

    def _iam_CreatePolicyVersion(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        return {"PolicyVersion": {"VersionId": "v6"}}

    def _iam_ListPolicyVersions(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        return {"Versions": [{"VersionId": f"v{n}", "IsDefaultVersion": n == 5} for n in range(1, 6)]}

    def _iam_ListEntitiesForPolicy(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        return {"PolicyRoles": [{"RoleName": p["RoleName"]} for _, n, p, _ in self.calls if n == "AttachRolePolicy"]}

    def _sns_CreateTopic(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        return {"TopicArn": scope.arn("sns", params["Name"])}

    def _sns_Subscribe(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        return {"SubscriptionArn": f"{params['TopicArn']}:{serial}"}

    def _sqs_CreateQueue(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        return {"QueueUrl": f"https://sqs.{scope.region}.amazonaws.com/{scope.account}/{params['QueueName']}"}

    def _kms_CreateKey(self, scope: Scope, params: Params, serial: int) -> Result:  # noqa: N802
        return {"KeyMetadata": {"KeyId": f"key-{serial}", "Arn": scope.arn("kms", f"key/key-{serial}")}}


class Lab:
    """One account and Region, and short ways to say what tests say often."""

    def __init__(self, *, region: str = REGION, assumptions: Assumptions | None = None) -> None:
        self.neighbour = Neighbour()
        self.cloud = Cloud((CloudFormation,), start=START, neighbour=self.neighbour, assumptions=assumptions)
        self.scope = Scope(ACCOUNT, region)

    def call(self, operation: str, **params: Any) -> Result:
        return self.cloud.invoke(self.scope, "cloudformation", operation, params)

    def refused(self, operation: str, **params: Any) -> AwsError:
        with pytest.raises(AwsError) as caught:
            self.call(operation, **params)
        return caught.value

    def create(
        self, template: Any, *, name: str = "stack", given: Mapping[str, str] | None = None, **params: Any
    ) -> str:
        """Create a stack of a template (text, or a value that becomes JSON) and return its status."""
        self.call("CreateStack", **_request(template, name, given), **params)
        return self.status(name)

    def create_refused(self, template: Any, *, given: Mapping[str, str] | None = None, **params: Any) -> str:
        """The message of a CreateStack that is refused with ValidationError."""
        error = self.refused("CreateStack", **_request(template, "stack", given), **params)
        assert error.code == "ValidationError"
        assert self.call("DescribeStacks")["Stacks"] == []
        return error.message

    def update(
        self, template: Any, *, name: str = "stack", given: Mapping[str, str] | None = None, **params: Any
    ) -> str:
        self.call("UpdateStack", **_request(template, name, given), **params)
        return self.status(name)

    def status(self, name: str = "stack") -> str:
        return str(self.stack(name)["StackStatus"])

    def stack(self, name: str = "stack") -> dict[str, Any]:
        """A stack by name, or the newest deleted one of that name."""
        ids = [item["StackId"] for item in self.call("ListStacks")["StackSummaries"] if item["StackName"] == name]
        found: dict[str, Any] = self.call("DescribeStacks", StackName=ids[0])["Stacks"][0]
        return found

    def outputs(self, name: str = "stack") -> dict[str, str]:
        return {item["OutputKey"]: item["OutputValue"] for item in self.stack(name).get("Outputs", [])}

    def events(self, name: str = "stack") -> list[tuple[str, str]]:
        """(logical id, status), oldest first."""
        events = self.call("DescribeStackEvents", StackName=self.stack(name)["StackId"])["StackEvents"]
        return [(item["LogicalResourceId"], item["ResourceStatus"]) for item in reversed(events)]

    def reason(self, logical_id: str, status: str, name: str = "stack") -> str:
        """The reason of a resource's newest event of that status."""
        events = self.call("DescribeStackEvents", StackName=self.stack(name)["StackId"])["StackEvents"]
        return next(
            str(item.get("ResourceStatusReason", ""))
            for item in events
            if (item["LogicalResourceId"], item["ResourceStatus"]) == (logical_id, status)
        )

    def value_of(self, node: Any, **sections: Any) -> str:
        """What an output with that value becomes in a stack of its own."""
        template = {"Resources": {"Topic": TOPIC}, "Outputs": {"It": {"Value": node}}} | sections
        assert self.create(template, name="value") == "CREATE_COMPLETE", self.stack("value")["StackStatusReason"]
        return self.outputs("value")["It"]


def _request(template: Any, name: str, given: Mapping[str, str] | None) -> dict[str, Any]:
    body = template if isinstance(template, str) else json.dumps(template)
    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in (given or {}).items()]
    return {"StackName": name, "TemplateBody": body, "Parameters": parameters}


def only(resource: Mapping[str, Any], **properties: Any) -> dict[str, Any]:
    """A template with one resource named It; ``properties`` are merged into the resource's."""
    merged = {**resource.get("Properties", {}), **properties}
    return {"Resources": {"It": {**resource, "Properties": merged}}}
