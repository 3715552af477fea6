"""Patch baselines and patch groups: which patches are approved for which node.

https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-patch-baselines.html
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, ClassVar

from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation
from patchgate.emulator.errors import AwsError
from patchgate.emulator.ssm_baseline_rules import Baseline, build_baseline, predefined_baseline
from patchgate.emulator.ssm_constraints import (
    OPERATING_SYSTEMS,
    matching,
    one_of,
    page,
    required,
    tag_map,
    violation,
)
from patchgate.emulator.ssm_tags import ResourceTags

if TYPE_CHECKING:
    from patchgate.emulator.ec2_resources import Instance

BASELINE_ID = r"[a-zA-Z0-9_\-:/]{20,128}"
PATCH_GROUP = r"[\w\s.:/=+\-@]{1,256}"
MAXIMUM_BASELINES = 50
MAXIMUM_GROUPS = 25
PATCH_GROUP_TAGS = ("PatchGroup", "Patch Group")


class Baselines(Component):
    """The baselines of every scope, the group registrations, and the default of each operating system."""

    service: ClassVar[str] = "ssm"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._baselines: dict[tuple[str, str], dict[str, Baseline]] = {}
        self._groups: dict[tuple[str, str], dict[tuple[str, str], str]] = {}
        self._defaults: dict[tuple[str, str], dict[str, str]] = {}

    # What the agent and the inventory ask

    def of_node(self, scope: Scope, instance: Instance) -> tuple[str, Baseline]:
        """The patch group of a node ("" when it has none) and the baseline that it gets.

        A group without a baseline for the node's operating system gets the account's default one.
        """
        group = next((instance.tags[tag] for tag in PATCH_GROUP_TAGS if tag in instance.tags), "")
        return group, self._for_group(scope, group, instance.spec.operating_system)

    # Operations

    @operation("CreatePatchBaseline")
    def create_patch_baseline(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreatePatchBaseline.html"""
        baselines = self._baselines.setdefault(scope.key, {})
        if len(baselines) >= MAXIMUM_BASELINES:
            raise AwsError(
                "ResourceLimitExceededException", f"You can have at most {MAXIMUM_BASELINES} patch baselines."
            )
        tags = tag_map(params.get("Tags"))
        baseline = build_baseline(self.cloud.identifier("pb-"), params, self.cloud.now)
        baselines[baseline.baseline_id] = baseline
        self.cloud.component(ResourceTags).put(scope, "PatchBaseline", baseline.baseline_id, tags)
        return {"BaselineId": baseline.baseline_id}

    @operation("UpdatePatchBaseline")
    def update_patch_baseline(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdatePatchBaseline.html"""
        required(params, "BaselineId")
        old = self._own(scope, str(params["BaselineId"]))
        given = {key: value for key, value in params.items() if key not in ("BaselineId", "Replace")}
        kept = {} if params.get("Replace") else dict(old.settings)
        merged = kept | given | {"OperatingSystem": old.operating_system}
        new = build_baseline(old.baseline_id, merged, old.created, modified=self.cloud.now)
        self._baselines[scope.key][old.baseline_id] = new
        return new.shape()

    @operation("GetPatchBaseline")
    def get_patch_baseline(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetPatchBaseline.html"""
        required(params, "BaselineId")
        baseline = self._find(scope, str(matching(params, "BaselineId", BASELINE_ID)))
        return baseline.shape() | {"PatchGroups": self._groups_of(scope, baseline.baseline_id)}

    @operation("DeletePatchBaseline")
    def delete_patch_baseline(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeletePatchBaseline.html"""
        required(params, "BaselineId")
        baseline_id = str(matching(params, "BaselineId", BASELINE_ID))
        if self._groups_of(scope, baseline_id) or baseline_id in self._defaults.get(scope.key, {}).values():
            raise AwsError("ResourceInUseException", f"Patch baseline {baseline_id} is in use.")
        self._baselines.get(scope.key, {}).pop(baseline_id, None)
        self.cloud.component(ResourceTags).forget(scope, "PatchBaseline", baseline_id)
        return {"BaselineId": baseline_id}

    @operation("DescribePatchBaselines")
    def describe_patch_baselines(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribePatchBaselines.html"""
        own = sorted(self._baselines.get(scope.key, {}).values(), key=lambda item: item.name)
        predefined = [self._predefined(scope, name) for name in sorted(OPERATING_SYSTEMS)]
        found = [(item, "Self") for item in own] + [(item, "AWS") for item in predefined]
        for item in params.get("Filters") or ():
            found = [pair for pair in found if _selected(pair[0], pair[1], item)]
        identities = [self._identity(scope, baseline) for baseline, _ in found]
        return page(identities, params, "BaselineIdentities", least=1, default=50, most=100)

    @operation("RegisterDefaultPatchBaseline")
    def register_default_patch_baseline(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_RegisterDefaultPatchBaseline.html"""
        required(params, "BaselineId")
        baseline = self._find(scope, str(matching(params, "BaselineId", BASELINE_ID)))
        self._defaults.setdefault(scope.key, {})[baseline.operating_system] = baseline.baseline_id
        return {"BaselineId": baseline.baseline_id}

    @operation("GetDefaultPatchBaseline")
    def get_default_patch_baseline(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetDefaultPatchBaseline.html"""
        name = one_of(params, "OperatingSystem", OPERATING_SYSTEMS) or "WINDOWS"
        return {"BaselineId": self._default(scope, name).baseline_id, "OperatingSystem": name}

    @operation("RegisterPatchBaselineForPatchGroup")
    def register_patch_baseline_for_patch_group(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_RegisterPatchBaselineForPatchGroup.html

        One baseline for each patch group and operating system.
        """
        baseline, group = self._registration(scope, params)
        groups = self._groups.setdefault(scope.key, {})
        if (group, baseline.operating_system) in groups:
            raise AwsError(
                "AlreadyExistsException",
                f"Patch Group {group} already has a baseline registered for {baseline.operating_system}.",
            )
        if len(self._groups_of(scope, baseline.baseline_id)) >= MAXIMUM_GROUPS:
            raise AwsError(
                "ResourceLimitExceededException", f"A patch baseline has at most {MAXIMUM_GROUPS} patch groups."
            )
        groups[group, baseline.operating_system] = baseline.baseline_id
        return {"BaselineId": baseline.baseline_id, "PatchGroup": group}

    @operation("DeregisterPatchBaselineForPatchGroup")
    def deregister_patch_baseline_for_patch_group(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeregisterPatchBaselineForPatchGroup.html"""
        baseline, group = self._registration(scope, params)
        groups = self._groups.get(scope.key, {})
        if groups.get((group, baseline.operating_system)) != baseline.baseline_id:
            raise AwsError("DoesNotExistException", f"Patch Group {group} is not registered with this baseline.")
        del groups[group, baseline.operating_system]
        return {"BaselineId": baseline.baseline_id, "PatchGroup": group}

    @operation("GetPatchBaselineForPatchGroup")
    def get_patch_baseline_for_patch_group(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetPatchBaselineForPatchGroup.html"""
        required(params, "PatchGroup")
        group = str(matching(params, "PatchGroup", PATCH_GROUP))
        name = one_of(params, "OperatingSystem", OPERATING_SYSTEMS) or "WINDOWS"
        baseline = self._for_group(scope, group, name)
        return {"BaselineId": baseline.baseline_id, "PatchGroup": group, "OperatingSystem": name}

    @operation("DescribePatchGroups")
    def describe_patch_groups(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribePatchGroups.html"""
        mappings = [
            {"PatchGroup": group, "BaselineIdentity": self._identity(scope, self._find(scope, baseline_id))}
            for (group, _), baseline_id in sorted(self._groups.get(scope.key, {}).items())
        ]
        for item in params.get("Filters") or ():
            mappings = [mapping for mapping in mappings if _group_selected(mapping, item)]
        return page(mappings, params, "Mappings", least=1, default=50, most=100)

    # Inside

    def _registration(self, scope: Scope, params: Params) -> tuple[Baseline, str]:
        required(params, "BaselineId", "PatchGroup")
        baseline = self._find(scope, str(matching(params, "BaselineId", BASELINE_ID)))
        return baseline, str(matching(params, "PatchGroup", PATCH_GROUP))

    def _own(self, scope: Scope, baseline_id: str) -> Baseline:
        found = self._baselines.get(scope.key, {}).get(baseline_id)
        if found is None:
            raise AwsError("DoesNotExistException", f"Patch Baseline {baseline_id} does not exist.")
        return found

    def _find(self, scope: Scope, baseline_id: str) -> Baseline:
        if baseline_id.startswith("arn:"):
            for name in OPERATING_SYSTEMS:
                if _predefined_id(scope, name) == baseline_id:
                    return self._predefined(scope, name)
        return self._own(scope, baseline_id)

    def _predefined(self, scope: Scope, operating_system: str) -> Baseline:
        return predefined_baseline(_predefined_id(scope, operating_system), operating_system)

    def _default(self, scope: Scope, operating_system: str) -> Baseline:
        chosen = self._defaults.get(scope.key, {}).get(operating_system)
        return self._find(scope, chosen) if chosen else self._predefined(scope, operating_system)

    def _for_group(self, scope: Scope, group: str, operating_system: str) -> Baseline:
        registered = self._groups.get(scope.key, {}).get((group, operating_system))
        return self._find(scope, registered) if registered else self._default(scope, operating_system)

    def _groups_of(self, scope: Scope, baseline_id: str) -> list[str]:
        return sorted(group for (group, _), found in self._groups.get(scope.key, {}).items() if found == baseline_id)

    def _identity(self, scope: Scope, baseline: Baseline) -> dict[str, Any]:
        default = self._default(scope, baseline.operating_system).baseline_id == baseline.baseline_id
        identity: dict[str, Any] = {
            "BaselineId": baseline.baseline_id,
            "BaselineName": baseline.name,
            "OperatingSystem": baseline.operating_system,
            "DefaultBaseline": default,
        }
        description = baseline.settings.get("Description")
        return identity | ({"BaselineDescription": description} if description else {})


def _predefined_id(scope: Scope, operating_system: str) -> str:
    digest = hashlib.sha256(f"{scope.region}/{operating_system}".encode()).hexdigest()[:17]
    return f"arn:{scope.partition}:ssm:{scope.region}:000000000000:patchbaseline/pb-{digest}"


def _selected(baseline: Baseline, owner: str, item: Params) -> bool:
    key, values = item.get("Key"), [str(value) for value in item.get("Values") or ()]
    if key == "NAME_PREFIX":
        return any(baseline.name.startswith(value) for value in values)
    if key == "OPERATING_SYSTEM":
        return baseline.operating_system in values
    if key == "OWNER":
        return "All" in values or owner in values
    raise violation("filters.key", key, "Member must satisfy enum value set: [NAME_PREFIX, OPERATING_SYSTEM, OWNER]")


def _group_selected(mapping: dict[str, Any], item: Params) -> bool:
    key, values = item.get("Key"), [str(value) for value in item.get("Values") or ()]
    if key == "NAME_PREFIX":
        return any(mapping["PatchGroup"].startswith(value) for value in values)
    if key == "OPERATING_SYSTEM":
        return mapping["BaselineIdentity"]["OperatingSystem"] in values
    raise violation("filters.key", key, "Member must satisfy enum value set: [NAME_PREFIX, OPERATING_SYSTEM]")
