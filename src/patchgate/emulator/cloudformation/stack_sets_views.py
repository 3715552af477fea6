"""Stack sets, their instances and operations in the shapes of the API."""

from __future__ import annotations

from patchgate.emulator.cloudformation.stack_sets_state import PlaceResult, SetOperation, StackInstance, StackSet
from patchgate.emulator.cloudformation.views import Shape, present


def _model(item: StackSet) -> Shape:
    shape: Shape = {"PermissionModel": "SERVICE_MANAGED" if item.service_managed else "SELF_MANAGED"}
    if item.service_managed:
        automatic: Shape = {"Enabled": item.auto_deployment}
        if item.auto_deployment:
            automatic["RetainStacksOnAccountRemoval"] = item.retain_on_removal
        shape["AutoDeployment"] = automatic
    return shape | {"ManagedExecution": {"Active": False}}


def set_shape(item: StackSet, arn: str) -> Shape:
    """A set as DescribeStackSet returns it."""
    return _model(item) | present({
        "StackSetName": item.name,
        "StackSetId": item.id,
        "StackSetARN": arn,
        "Description": item.description,
        "Status": item.status,
        "TemplateBody": item.template,
        "Parameters": item.described_parameters,
        "Capabilities": list(item.capabilities),
        "Tags": [{"Key": key, "Value": value} for key, value in item.tags.items()],
        "AdministrationRoleARN": item.administration_role,
        "ExecutionRoleName": item.execution_role,
        "StackSetDriftDetectionDetails": drift_details(item),
        "OrganizationalUnitIds": list(item.targets),
        "Regions": item.regions(),
    })  # fmt: skip


def set_summary(item: StackSet) -> Shape:
    """A set as ListStackSets returns it."""
    return _model(item) | present({
        "StackSetName": item.name,
        "StackSetId": item.id,
        "Description": item.description,
        "Status": item.status,
        **_drift_of_set(item),
    })  # fmt: skip


def _drift_of_set(item: StackSet) -> Shape:
    """What a set's summary says of its drift."""
    last = item.last_drift_detection()
    return {"DriftStatus": found_drift(last) if last else "NOT_CHECKED"} | (
        {"LastDriftCheckTimestamp": last.ended_at} if last else {}
    )


def drift_details(item: StackSet) -> Shape:
    """A set's drift as the last detection that came to its end found it."""
    last = item.last_drift_detection()
    if last is None:
        return {"DriftStatus": "NOT_CHECKED", "TotalStackInstancesCount": len(item.instances)}
    return operation_drift_details(last)


def operation_drift_details(item: SetOperation) -> Shape:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackSetDriftDetectionDetails.html"""
    results, failed = list(item.results.values()), item.in_status("FAILED")
    if item.status in ("RUNNING", "STOPPING"):
        status = "IN_PROGRESS"
    elif item.status == "SUCCEEDED":
        status = "PARTIAL_SUCCESS" if failed else "COMPLETED"
    else:
        status = item.status
    return present({
        "DriftStatus": found_drift(item),
        "DriftDetectionStatus": status,
        "LastDriftCheckTimestamp": item.ended_at,
        "TotalStackInstancesCount": len(results),
        "DriftedStackInstancesCount": sum(result.drift_status == "DRIFTED" for result in results),
        "InSyncStackInstancesCount": sum(result.drift_status == "IN_SYNC" for result in results),
        "InProgressStackInstancesCount": len(item.in_status("PENDING", "RUNNING")),
        "FailedStackInstancesCount": len(failed),
    })  # fmt: skip


def found_drift(item: SetOperation) -> str:
    """A set is drifted when one of its instances is."""
    found = {result.drift_status for result in item.results.values()}
    return next((status for status in ("DRIFTED", "IN_SYNC") if status in found), "NOT_CHECKED")


def instance_summary(stack_set: StackSet, item: StackInstance) -> Shape:
    """An instance as ListStackInstances returns it."""
    return present({
        "StackSetId": stack_set.id,
        "Account": item.account,
        "Region": item.region,
        "StackId": item.stack_id,
        "Status": item.status,
        "StatusReason": item.reason,
        "StackInstanceStatus": {"DetailedStatus": item.detailed_status},
        "OrganizationalUnitId": item.unit,
        "DriftStatus": item.drift_status,
        "LastDriftCheckTimestamp": item.drift_checked_at,
        "LastOperationId": item.operation,
    })  # fmt: skip


def instance_shape(stack_set: StackSet, item: StackInstance) -> Shape:
    """An instance as DescribeStackInstance returns it."""
    overrides = [{"ParameterKey": key, "ParameterValue": value} for key, value in item.overrides.items()]
    return instance_summary(stack_set, item) | {"ParameterOverrides": overrides}


def operation_summary(item: SetOperation) -> Shape:
    """An operation as ListStackSetOperations returns it."""
    return present({
        "OperationId": item.id,
        "Action": item.action,
        "Status": item.status,
        "StatusReason": item.reason,
        "CreationTimestamp": item.created_at,
        "EndTimestamp": item.ended_at,
        "StatusDetails": {"FailedStackInstancesCount": len(item.in_status("FAILED"))},
        "OperationPreferences": dict(item.preferences),
    })  # fmt: skip


def operation_shape(stack_set: StackSet, item: SetOperation) -> Shape:
    """An operation as DescribeStackSetOperation returns it."""
    return operation_summary(item) | present({
        "StackSetId": stack_set.id,
        "RetainStacks": item.retain if item.action == "DELETE" else None,
        "AdministrationRoleARN": stack_set.administration_role,
        "ExecutionRoleName": stack_set.execution_role,
        "DeploymentTargets": item.targets,
        "StackSetDriftDetectionDetails": operation_drift_details(item) if item.action == "DETECT_DRIFT" else None,
    })  # fmt: skip


def result_shape(item: PlaceResult) -> Shape:
    """One place's result, as ListStackSetOperationResults returns it."""
    gate = {"Status": "SKIPPED", "StatusReason": "Function not found"}
    return present({
        "Account": item.account,
        "Region": item.region,
        "Status": item.status,
        "StatusReason": item.reason,
        "AccountGateResult": None if item.status == "PENDING" else gate,
        "OrganizationalUnitId": item.unit,
    })  # fmt: skip
