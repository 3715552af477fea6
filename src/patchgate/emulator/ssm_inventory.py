"""What Systems Manager knows of its machines: agents, and the patch states that they last reported.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html

Assumption: every machine of a world has registered its agent; names and versions of platforms are not modelled beyond
their family.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from patchgate.emulator.agent.node import last_ping, ping_status
from patchgate.emulator.agent.patching import Patching, PatchReport
from patchgate.emulator.cloud import Component, Params, Result, Scope, operation
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.ssm_constraints import INSTANCE_ID, matching, page, required, violation
from patchgate.emulator.ssm_targets import managed_among, managed_instances

if TYPE_CHECKING:
    from patchgate.emulator.ec2_resources import Instance

PLATFORM_NAMES = {
    "WINDOWS": "Microsoft Windows Server",
    "AMAZON_LINUX": "Amazon Linux AMI",
    "AMAZON_LINUX_2": "Amazon Linux",
    "AMAZON_LINUX_2022": "Amazon Linux",
    "AMAZON_LINUX_2023": "Amazon Linux",
    "UBUNTU": "Ubuntu",
    "DEBIAN": "Debian GNU/Linux",
    "REDHAT_ENTERPRISE_LINUX": "Red Hat Enterprise Linux",
    "CENTOS": "CentOS Linux",
    "ORACLE_LINUX": "Oracle Linux Server",
    "SUSE": "SLES",
    "ROCKY_LINUX": "Rocky Linux",
    "ALMA_LINUX": "AlmaLinux",
    "RASPBIAN": "Raspbian GNU/Linux",
}
PLATFORM_VERSIONS = {"AMAZON_LINUX": "2018.03", "AMAZON_LINUX_2": "2", "AMAZON_LINUX_2023": "2023"}


class Inventory(Component):
    """Descriptions of managed machines; the state belongs to EC2, the agents and their reports."""

    service: ClassVar[str] = "ssm"

    @operation("DescribeInstanceInformation")
    def describe_instance_information(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html"""
        modern, old = params.get("Filters") or [], params.get("InstanceInformationFilterList") or []
        if modern and old:
            raise AwsError("ValidationException", "Filters and InstanceInformationFilterList cannot be used together.")
        wanted = [(str(item.get("Key")), item.get("Values")) for item in modern]
        wanted += [(str(item.get("key")), item.get("valueSet")) for item in old]
        for key, values in wanted:
            if not isinstance(values, list) or not values:
                raise AwsError("InvalidInstanceInformationFilterValue", f"The filter {key} has no values.")
        named = [values for key, values in wanted if key == "InstanceIds"]
        found = managed_among(self.cloud, scope, named[0]) if named else managed_instances(self.cloud, scope)
        for key, values in wanted:
            accepted = [str(value) for value in values]
            if key.startswith("tag:"):
                name = key[4:]
                found = [instance for instance in found if instance.tags.get(name) in accepted]
            else:
                found = [instance for instance in found if self._fits(instance, key, accepted)]
        shown = page(found, params, "InstanceInformationList", least=5, default=10, most=50)
        return shown | {"InstanceInformationList": [self._information(one) for one in shown["InstanceInformationList"]]}

    @operation("DescribeInstancePatchStates")
    def describe_instance_patch_states(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstancePatchStates.html

        Machines that never reported a patch operation are left out.
        """
        required(params, "InstanceIds")
        if len(params["InstanceIds"]) > 50:
            raise violation("instanceIds", "...", "Member must have length less than or equal to 50")
        reports = self.cloud.component(Patching).reports(scope)
        found = [reports[str(item)] for item in params["InstanceIds"] if item in reports]
        return page([_state(item) for item in found], params, "InstancePatchStates", least=10, default=50, most=100)

    @operation("DescribeInstancePatchStatesForPatchGroup")
    def describe_instance_patch_states_for_patch_group(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstancePatchStatesForPatchGroup.html"""
        required(params, "PatchGroup")
        reports = self.cloud.component(Patching).reports(scope)
        shapes = [_state(item) for item in reports.values() if item.patch_group == params["PatchGroup"]]
        for item in params.get("Filters") or ():
            shapes = [shape for shape in shapes if _compare(shape, item)]
        return page(shapes, params, "InstancePatchStates", least=10, default=50, most=100)

    @operation("DescribeInstancePatches")
    def describe_instance_patches(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstancePatches.html"""
        required(params, "InstanceId")
        instance_id = str(matching(params, "InstanceId", INSTANCE_ID))
        if not managed_among(self.cloud, scope, [instance_id]):
            raise AwsError("InvalidInstanceId", f"Instance {instance_id} is not a managed instance.")
        report = self.cloud.component(Patching).reports(scope).get(instance_id)
        shapes = _patches(report) if report else []
        for item in params.get("Filters") or ():
            shapes = [shape for shape in shapes if _patch_fits(shape, item)]
        return page(shapes, params, "Patches", least=10, default=50, most=100)

    def _information(self, instance: Instance) -> dict[str, Any]:
        system = instance.spec.operating_system
        return {
            "InstanceId": instance.instance_id,
            "PingStatus": ping_status(instance, self.cloud.now),
            "LastPingDateTime": last_ping(instance, self.cloud.now),
            "AgentVersion": instance.spec.agent.version,
            "IsLatestVersion": True,
            "PlatformType": instance.spec.platform_type,
            "PlatformName": PLATFORM_NAMES.get(system, system),
            "PlatformVersion": PLATFORM_VERSIONS.get(system, ""),
            "ResourceType": "EC2Instance",
            "IPAddress": instance.private_ip,
            "ComputerName": f"ip-{instance.private_ip.replace('.', '-')}.{instance.region}.compute.internal",
            "SourceId": instance.instance_id,
            "SourceType": "AWS::EC2::Instance",
        }

    def _fits(self, instance: Instance, key: str, values: list[str]) -> bool:
        if key == "tag-key":
            return any(value in instance.tags for value in values)
        if key in ("ActivationIds", "IamRole", "AssociationStatus", "SourceIds", "SourceTypes"):
            raise NotEmulatedError(f"DescribeInstanceInformation filtered by {key}")
        match key:
            case "InstanceIds":
                value = instance.instance_id
            case "PingStatus":
                value = ping_status(instance, self.cloud.now)
            case "PlatformTypes":
                value = instance.spec.platform_type
            case "ResourceType":
                value = "EC2Instance"
            case "AgentVersion":
                value = instance.spec.agent.version
            case _:
                raise AwsError("InvalidFilterKey", f"The filter key {key} is not valid.")
        return value in values


def _state(report: PatchReport) -> dict[str, Any]:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstancePatchState.html"""
    open_patches = [patch for patch, state, _ in report.patches if state != "INSTALLED"]
    critical = sum(patch.severity == "Critical" for patch in open_patches)
    security = sum(patch.classification.startswith("Security") for patch in open_patches)
    shape: dict[str, Any] = {
        "InstanceId": report.instance_id,
        "PatchGroup": report.patch_group,
        "BaselineId": report.baseline_id,
        "InstalledCount": report.count("INSTALLED"),
        "InstalledOtherCount": 0,
        "InstalledPendingRebootCount": report.count("INSTALLED_PENDING_REBOOT"),
        "InstalledRejectedCount": 0,
        "MissingCount": report.count("MISSING"),
        "FailedCount": report.count("FAILED"),
        "UnreportedNotApplicableCount": 0,
        "NotApplicableCount": 0,
        "OperationStartTime": report.started,
        "OperationEndTime": report.ended,
        "Operation": report.operation,
        "RebootOption": report.reboot_option,
        "CriticalNonCompliantCount": critical,
        "SecurityNonCompliantCount": security,
        "OtherNonCompliantCount": len(open_patches) - security,
    }
    if report.snapshot_id:
        shape["SnapshotId"] = report.snapshot_id
    if report.last_no_reboot_install is not None:
        shape["LastNoRebootInstallOperationTime"] = report.last_no_reboot_install
    return shape


def _patches(report: PatchReport) -> list[dict[str, Any]]:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PatchComplianceData.html"""
    return [
        {
            "Title": patch.title or patch.id,
            "KBId": patch.id,
            "Classification": patch.classification,
            "Severity": patch.severity,
            "State": state,
            "InstalledTime": installed or report.started,
        }
        for patch, state, installed in report.patches
    ]


def _compare(shape: dict[str, Any], item: Params) -> bool:
    key, values, kind = str(item.get("Key")), item.get("Values") or [], item.get("Type")
    if key not in shape or not key.endswith("Count"):
        raise AwsError("InvalidFilter", f"The filter name {key} is not valid.")
    numbers = [int(value) for value in values]
    if kind == "Equal":
        return shape[key] in numbers
    if kind == "NotEqual":
        return shape[key] not in numbers
    if kind in ("LessThan", "GreaterThan") and len(numbers) == 1:
        return bool(shape[key] < numbers[0] if kind == "LessThan" else shape[key] > numbers[0])
    raise AwsError("InvalidFilter", f"The filter type {kind} is not valid.")


def _patch_fits(shape: dict[str, Any], item: Params) -> bool:
    key, values = str(item.get("Key")), [str(value) for value in item.get("Values") or ()]
    if key not in ("KBId", "Severity", "Classification", "State"):
        raise AwsError("InvalidFilter", f"The filter name {key} is not valid.")
    return shape[key] in values
