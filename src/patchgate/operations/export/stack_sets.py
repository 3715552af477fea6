"""Stack sets as input of the AWS CLI: the set's definition, and a file for every call that makes instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from patchgate.operations.deployment import CAPABILITIES
from patchgate.operations.export.files import (
    BUCKET,
    BUCKET_PARAMETER,
    ExportedFile,
    as_json,
    pairs,
    tags_of,
    template_path,
)
from patchgate.operations.rollout.comparison import compare_instance, compare_set
from patchgate.operations.rollout.facts import Kept, StackKey
from patchgate.operations.rollout.set_execution import group_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from patchgate.operations.rollout.desired import DesiredStack
    from patchgate.operations.rollout.sets import Rectangle
    from patchgate.operations.rollout.steps import SetAdministration, Stage

PREFERENCES = {
    "RegionConcurrencyType": "PARALLEL",
    "FailureToleranceCount": 0,
    "MaxConcurrentCount": 10,
    "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
}


@dataclass(frozen=True, slots=True)
class SetFiles:
    """One stack set: where its template is, its definition, its instances; ``bucket_of``: whose bucket it is given."""

    name: str
    stage: Stage
    template: str
    definition: ExportedFile
    instances: tuple[ExportedFile, ...]
    bucket_of: StackKey


def build_set(members: Sequence[DesiredStack], administration: SetAdministration, bucket_of: StackKey) -> SetFiles:
    """The files of the set that carries these stacks."""
    change = compare_set(list(members), None)
    parameters = dict(change.parameters) | ({BUCKET_PARAMETER: BUCKET} if change.bucket_of else {})
    first = members[0]
    definition: dict[str, Any] = {
        "StackSetName": change.name,
        "Description": "made from files that patchgate wrote",
        "Parameters": pairs(parameters),
        "Capabilities": list(CAPABILITIES),
        "Tags": tags_of(first),
    }
    if administration.mode == "service-managed":
        definition |= {"PermissionModel": "SERVICE_MANAGED", "AutoDeployment": {"Enabled": False}}
    if administration.administration_role:
        definition["AdministrationRoleARN"] = administration.administration_role
    if administration.execution_role:
        definition["ExecutionRoleName"] = administration.execution_role
    steps = [compare_instance(each, change, None, Kept()) for each in members]
    groups = [
        ExportedFile(
            f"stack-sets/{change.name}-instances-{number}.json",
            as_json(
                {"StackSetName": change.name}
                | _targets(at, administration)
                | {"ParameterOverrides": pairs(dict(overrides)), "OperationPreferences": PREFERENCES}
            ),
        )
        for number, (overrides, at) in enumerate(group_steps(steps), 1)
    ]
    return SetFiles(
        change.name,
        first.stage,
        template_path(first),
        ExportedFile(f"stack-sets/{change.name}.json", as_json(definition)),
        tuple(groups),
        bucket_of,
    )


def _targets(at: Rectangle, administration: SetAdministration) -> dict[str, Any]:
    accounts, regions = at
    if administration.mode == "self-managed":
        return {"Accounts": list(accounts), "Regions": list(regions)}
    targets = {
        "OrganizationalUnitIds": [administration.root],
        "Accounts": list(accounts),
        "AccountFilterType": "INTERSECTION",
    }
    return {"DeploymentTargets": targets, "Regions": list(regions)}
