"""The EC2 service: describe and tag everything; reboot, stop, start and terminate instances; delete images.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/

Assumption: a terminated instance is described for one hour more (AWS: "usually less than one hour").
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from patchgate.emulator.cloud import Params, Result, Scope, operation
from patchgate.emulator.ec2_estate import Estate
from patchgate.emulator.ec2_filters import (
    IMAGE,
    IMAGE_FIELDS,
    INSTANCE,
    INSTANCE_FIELDS,
    SNAPSHOT,
    SNAPSHOT_FIELDS,
    STATUS_FIELDS,
    VOLUME,
    VOLUME_FIELDS,
    narrowed,
    page,
    pick,
    refuse_dry_run,
    select,
)
from patchgate.emulator.ec2_resources import STATE_CODES, Instance, Snapshot, Volume
from patchgate.emulator.errors import AwsError

REMEMBERED = timedelta(hours=1)
MAXIMUM_TAGS = 50


class Ec2(Estate):
    """The operations of EC2."""

    @operation("DescribeInstances")
    def describe_instances(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html

        Every reservation holds one instance.
        """
        refuse_dry_run(params)
        chosen = select(self._described(scope, params), params, fields=INSTANCE_FIELDS, tags=lambda item: item.tags)
        return page(chosen, _reservation, params, into="Reservations", ids="InstanceIds")

    @operation("DescribeInstanceStatus")
    def describe_instance_status(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceStatus.html"""
        refuse_dry_run(params)
        instances = self._described(scope, params)
        if not params.get("IncludeAllInstances"):
            instances = [item for item in instances if item.state == "running"]
        chosen = select(instances, params, fields=STATUS_FIELDS, tags=lambda item: item.tags)
        return page(chosen, Instance.status_shape, params, into="InstanceStatuses", ids="InstanceIds")

    @operation("DescribeVolumes")
    def describe_volumes(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVolumes.html"""
        refuse_dry_run(params)
        known = self.region(scope).volumes
        named = params.get("VolumeIds")
        volumes = pick(known, named, VOLUME) if named else narrowed(known, params, "volume-id")
        chosen = select(volumes, params, fields=VOLUME_FIELDS, tags=lambda item: item.tags)
        return page(chosen, Volume.shape, params, into="Volumes", ids="VolumeIds")

    @operation("DescribeImages")
    def describe_images(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html"""
        refuse_dry_run(params)
        region = self.region(scope)
        named = params.get("ImageIds")
        images = pick(region.images, named, IMAGE) if named else narrowed(region.images, params, "image-id")
        owned = [item for item in images if _owned(scope, params.get("Owners"))]
        chosen = select(owned, params, fields=IMAGE_FIELDS, tags=lambda item: item.tags)
        return page(chosen, lambda item: item.shape(region.snapshots), params, into="Images", ids="", least=1)

    @operation("DescribeSnapshots")
    def describe_snapshots(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSnapshots.html"""
        refuse_dry_run(params)
        known = self.region(scope).snapshots
        named = params.get("SnapshotIds")
        snapshots = pick(known, named, SNAPSHOT) if named else narrowed(known, params, "snapshot-id")
        owned = [item for item in snapshots if _owned(scope, params.get("OwnerIds"))]
        chosen = select(owned, params, fields=SNAPSHOT_FIELDS, tags=lambda item: item.tags)
        return page(chosen, Snapshot.shape, params, into="Snapshots", ids="SnapshotIds")

    @operation("CreateTags")
    def create_tags(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html"""
        refuse_dry_run(params)
        new = {tag["Key"]: tag.get("Value") or "" for tag in params.get("Tags") or ()}
        if not new:
            raise AwsError("MissingParameter", "The request must contain the parameter Tag")
        if any(key.lower().startswith("aws:") for key in new):
            raise AwsError("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
        targets = self._tagged(scope, params)
        if any(len(tags | new) > MAXIMUM_TAGS for tags in targets):
            raise AwsError("TagLimitExceeded", f"The maximum number of Tags for a resource is {MAXIMUM_TAGS}")
        for tags in targets:
            tags.update(new)
        self._record_tags(scope, params)
        return {}

    @operation("DeleteTags")
    def delete_tags(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html

        Without Tags, all go. A tag given with a value goes only when it has that value.
        """
        refuse_dry_run(params)
        for tags in self._tagged(scope, params):
            if not params.get("Tags"):
                tags.clear()
            for tag in params.get("Tags") or ():
                if tag["Key"] in tags and tag.get("Value") in (None, tags[tag["Key"]]):
                    del tags[tag["Key"]]
        self._record_tags(scope, params)
        return {}

    @operation("RebootInstances")
    def reboot_instances(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RebootInstances.html"""
        for instance in self._named(scope, params, allowed=("running",)):
            self.reboot(scope, instance.instance_id)
        return {}

    @operation("StartInstances")
    def start_instances(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StartInstances.html"""
        instances = self._named(scope, params, allowed=("pending", "running", "stopped"))
        return {"StartingInstances": self.turn(scope, instances, "pending", "running")}

    @operation("StopInstances")
    def stop_instances(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StopInstances.html"""
        instances = self._named(scope, params, allowed=("running", "stopping", "stopped"))
        if any(instance.spec.root_device == "instance-store" for instance in instances):
            raise AwsError(
                "UnsupportedOperation",
                "The instance does not have an 'ebs' root device type and cannot be stopped",
            )
        return {"StoppingInstances": self.turn(scope, instances, "stopping", "stopped")}

    @operation("TerminateInstances")
    def terminate_instances(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TerminateInstances.html"""
        instances = self._named(scope, params, allowed=tuple(STATE_CODES))
        return {"TerminatingInstances": self.turn(scope, instances, "shutting-down", "terminated")}

    @operation("DeregisterImage")
    def deregister_image(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeregisterImage.html

        Assumption: images that AWS Backup manages are refused with InvalidParameterValue.
        """
        refuse_dry_run(params)
        image = self.image(scope, params["ImageId"])
        if image.owner_service == "backup":
            raise AwsError(
                "InvalidParameterValue",
                "This image is managed by AWS Backup and cannot be deleted via EC2 APIs. To delete this image, please "
                "use the AWS Backup APIs, CLI, or console.",
            )
        snapshots = image.snapshot_ids if params.get("DeleteAssociatedSnapshots") else []
        del self.region(scope).images[image.image_id]
        for snapshot_id in snapshots:
            self.remove_snapshot(scope, snapshot_id)
        return {
            "Return": True,
            "DeleteSnapshotResults": [{"SnapshotId": item, "ReturnCode": "success"} for item in snapshots],
        }

    @operation("DeleteSnapshot")
    def delete_snapshot(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSnapshot.html"""
        refuse_dry_run(params)
        snapshot = self.snapshot(scope, params["SnapshotId"])
        for image in self.region(scope).images.values():
            if snapshot.snapshot_id in image.snapshot_ids:
                raise AwsError(
                    "InvalidSnapshot.InUse",
                    f"The snapshot {snapshot.snapshot_id} is currently in use by {image.image_id}",
                )
        if snapshot.owner_service == "backup":
            raise AwsError(
                "InvalidParameterValue",
                "This snapshot is managed by the AWS Backup service and cannot be deleted via EC2 APIs. If you wish to "
                "delete this snapshot, please do so via the Backup console.",
            )
        self.remove_snapshot(scope, snapshot.snapshot_id)
        return {}

    def _described(self, scope: Scope, params: Params) -> list[Instance]:
        """The instances named in InstanceIds, or all, without those terminated long ago."""
        known, now = self.region(scope).instances, self.cloud.now
        named = params.get("InstanceIds")
        asked = [known[each] for each in named if each in known] if named else narrowed(known, params, "instance-id")
        visible = [one for one in asked if one.terminated_at is None or now < one.terminated_at + REMEMBERED]
        return pick({one.instance_id: one for one in visible}, named, INSTANCE) if named else visible

    def _named(self, scope: Scope, params: Params, *, allowed: tuple[str, ...]) -> list[Instance]:
        """The instances that an operation is to change; all must be in an allowed state."""
        refuse_dry_run(params)
        if not params.get("InstanceIds"):
            raise AwsError("MissingParameter", "The request must contain the parameter InstanceId")
        instances = self._described(scope, params)
        for instance in instances:
            if instance.state not in allowed:
                raise AwsError(
                    "IncorrectInstanceState",
                    f"The instance '{instance.instance_id}' is not in a state from which it can be changed so: "
                    f"{instance.state}",
                )
        return instances

    def _tagged(self, scope: Scope, params: Params) -> list[dict[str, str]]:
        """The live tags of every resource that the request names."""
        if not params.get("Resources"):
            raise AwsError("MissingParameter", "The request must contain the parameter resourceIdSet")
        region = self.region(scope)
        found: list[dict[str, str]] = []
        for resource in params["Resources"]:
            match str(resource).split("-")[0]:
                case "i":
                    found += [item.tags for item in pick(region.instances, [resource], INSTANCE)]
                case "vol":
                    found += [item.tags for item in pick(region.volumes, [resource], VOLUME)]
                case "ami":
                    found += [item.tags for item in pick(region.images, [resource], IMAGE)]
                case "snap":
                    found += [item.tags for item in pick(region.snapshots, [resource], SNAPSHOT)]
                case _:
                    raise AwsError("InvalidID", f"The ID '{resource}' is not valid")
        return found

    def _record_tags(self, scope: Scope, params: Params) -> None:
        """Record the tags that each named instance has now."""
        for resource in params["Resources"]:
            instance = self.region(scope).instances.get(str(resource))
            if instance is not None:
                self.cloud.record(scope, "InstanceTagged", instance=instance.instance_id, tags=dict(instance.tags))


def _owned(scope: Scope, owners: list[str] | None) -> bool:
    """Whether resources of this account belong to one of ``owners``; all here do when none is named."""
    return not owners or "self" in owners or scope.account in owners


def _reservation(instance: Instance) -> dict[str, Any]:
    return {
        "ReservationId": instance.reservation_id,
        "OwnerId": instance.account,
        "Groups": [],
        "Instances": [instance.shape()],
    }
