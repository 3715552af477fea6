"""EC2: what a world puts there, and what the operations say of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.world import AgentBehaviour, InstanceSpec, VolumeSpec

START = datetime(2026, 7, 4, 19, 0, tzinfo=UTC)
SCOPE = Scope("111122223333", "eu-central-1")
ONE, TWO, THREE = (f"i-{n:017x}" for n in (1, 2, 3))
ROOT, DATA = f"vol-{1:017x}", f"vol-{2:017x}"


def spec(instance_id: str, **changes: Any) -> InstanceSpec:
    values: dict[str, Any] = {
        "name": "web-1",
        "operating_system": "AMAZON_LINUX_2",
        "platform_type": "Linux",
        "tags": {"PatchGroup": "amazonlinux-patch-group-prd"},
    }
    return InstanceSpec(instance_id=instance_id, **(values | changes))


@pytest.fixture
def cloud() -> Cloud:
    return Cloud((Ec2,), start=START)


def call(cloud: Cloud, operation: str, **params: Any) -> dict[str, Any]:
    return cloud.invoke(SCOPE, "ec2", operation, params)


def refused(cloud: Cloud, operation: str, **params: Any) -> str:
    with pytest.raises(AwsError) as caught:
        call(cloud, operation, **params)
    return caught.value.code


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["InstanceId"] for reservation in answer["Reservations"] for item in reservation["Instances"]]


def test_an_added_instance_is_described_and_recorded(cloud: Cloud) -> None:
    ec2 = cloud.component(Ec2)
    instance = ec2.add_instance(SCOPE, spec(ONE, volumes=(VolumeSpec(ROOT, "/dev/xvda", 20),)))
    shape = call(cloud, "DescribeInstances")["Reservations"][0]["Instances"][0]
    assert shape["State"] == {"Code": 16, "Name": "running"}
    assert shape["RootDeviceType"] == "ebs"
    assert shape["RootDeviceName"] == "/dev/xvda"
    assert shape["LaunchTime"] == START
    assert shape["Tags"] == [
        {"Key": "Name", "Value": "web-1"},
        {"Key": "PatchGroup", "Value": "amazonlinux-patch-group-prd"},
    ]
    assert shape["BlockDeviceMappings"] == [
        {
            "DeviceName": "/dev/xvda",
            "Ebs": {"VolumeId": ROOT, "Status": "attached", "AttachTime": START, "DeleteOnTermination": True},
        }
    ]
    assert instance.arn == f"arn:aws:ec2:eu-central-1:111122223333:instance/{ONE}"
    record = next(cloud.history.of("InstanceLaunched"))
    assert record["volumes"] == [ROOT]
    assert record["operating_system"] == "AMAZON_LINUX_2"


def test_malformed_and_taken_identifiers_are_refused(cloud: Cloud) -> None:
    ec2 = cloud.component(Ec2)
    ec2.add_instance(SCOPE, spec(ONE, volumes=(VolumeSpec(ROOT, "/dev/xvda"),)))
    for bad in (spec("web-1"), spec(ONE), spec(TWO, volumes=(VolumeSpec(ROOT, "/dev/xvda"),))):
        with pytest.raises(ValueError, match="malformed or taken"):
            ec2.add_instance(SCOPE, bad)
    with pytest.raises(ValueError, match="has a volume at"):
        ec2.attach(SCOPE, ONE, VolumeSpec(DATA, "/dev/xvda"))


def test_scopes_do_not_see_each_other(cloud: Cloud) -> None:
    cloud.component(Ec2).add_instance(Scope("111122223333", "us-east-1"), spec(ONE))
    assert ids(call(cloud, "DescribeInstances")) == []
    assert refused(cloud, "DescribeInstances", InstanceIds=[ONE]) == "InvalidInstanceID.NotFound"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([("tag:PatchGroup", ["amazonlinux-patch-group-prd"])], [ONE, THREE]),
        ([("tag:PatchGroup", ["*-prd"])], [ONE, THREE]),
        ([("tag:PatchGroup", ["amazonlinux-patch-group-pr?", "none"])], [ONE, THREE]),
        ([("tag:PatchGroup", ["AMAZONLINUX-patch-group-prd"])], []),
        ([("tag:PatchGroup", ["\\*-prd"])], []),
        ([("tag-key", ["PatchGroup"]), ("instance-state-name", ["running"])], [ONE]),
        ([("instance-state-name", ["stopped"])], [THREE]),
        ([("instance-id", [TWO])], [TWO]),
        ([("block-device-mapping.volume-id", [ROOT])], [ONE]),
    ],
)
def test_filters(cloud: Cloud, filters: list[tuple[str, list[str]]], expected: list[str]) -> None:
    ec2 = cloud.component(Ec2)
    ec2.add_instance(SCOPE, spec(ONE, volumes=(VolumeSpec(ROOT, "/dev/xvda"),)))
    ec2.add_instance(SCOPE, spec(TWO, tags={}))
    ec2.add_instance(SCOPE, spec(THREE, state="stopped"))
    asked = [{"Name": name, "Values": values} for name, values in filters]
    assert ids(call(cloud, "DescribeInstances", Filters=asked)) == expected


def test_strict_about_filters_ids_and_sizes(cloud: Cloud) -> None:
    cloud.component(Ec2).add_instance(SCOPE, spec(ONE))
    assert refused(cloud, "DescribeInstances", InstanceIds=["i-123"]) == "InvalidInstanceID.Malformed"
    assert refused(cloud, "DescribeInstances", MaxResults=4) == "InvalidParameterValue"
    assert refused(cloud, "DescribeInstances", MaxResults=1001) == "InvalidParameterValue"
    assert refused(cloud, "DescribeInstances", MaxResults=5, InstanceIds=[ONE]) == "InvalidParameterCombination"
    assert refused(cloud, "DescribeInstances", Filters=[{"Name": "tag:a", "Values": []}]) == "InvalidParameterValue"
    many = [{"Name": "instance-id", "Values": [str(n) for n in range(201)]}]
    assert refused(cloud, "DescribeInstances", Filters=many) == "FilterLimitExceeded"
    assert refused(cloud, "DescribeInstances", DryRun=True) == "DryRunOperation"
    with pytest.raises(NotEmulatedError):
        call(cloud, "DescribeInstances", Filters=[{"Name": "instance-sate-name", "Values": ["running"]}])


def test_missing_ids_are_named_together(cloud: Cloud) -> None:
    with pytest.raises(AwsError) as caught:
        call(cloud, "DescribeInstances", InstanceIds=[ONE, TWO])
    assert caught.value.message == f"The instance IDs '{ONE}, {TWO}' do not exist"


def test_pages(cloud: Cloud) -> None:
    wanted = [f"i-{n:017x}" for n in range(1, 13)]
    for instance_id in wanted:
        cloud.component(Ec2).add_instance(SCOPE, spec(instance_id))
    found, token = [], None
    for _ in range(3):
        answer = call(cloud, "DescribeInstances", MaxResults=5, **({"NextToken": token} if token else {}))
        found += ids(answer)
        token = answer.get("NextToken")
    assert found == wanted
    assert token is None


def test_a_volume_is_attaching_before_it_is_attached(cloud: Cloud) -> None:
    ec2 = cloud.component(Ec2)
    instance = ec2.add_instance(SCOPE, spec(ONE, volumes=(VolumeSpec(ROOT, "/dev/xvda"),)))
    ec2.attach(SCOPE, ONE, VolumeSpec(DATA, "/dev/sdf", encrypted=True))
    statuses = [mapping["Ebs"]["Status"] for mapping in instance.mappings()]
    assert statuses == ["attached", "attaching"]
    cloud.kernel.run_until(START + timedelta(seconds=5))
    described = call(cloud, "DescribeVolumes", Filters=[{"Name": "attachment.instance-id", "Values": [ONE]}])
    assert [(item["VolumeId"], item["Attachments"][0]["State"]) for item in described["Volumes"]] == [
        (ROOT, "attached"),
        (DATA, "attached"),
    ]
    assert next(cloud.history.of("VolumeAttached"))["volume"] == DATA


def test_a_detached_volume_stays_available(cloud: Cloud) -> None:
    ec2 = cloud.component(Ec2)
    ec2.add_instance(SCOPE, spec(ONE, volumes=(VolumeSpec(ROOT, "/dev/xvda"), VolumeSpec(DATA, "/dev/sdf"))))
    ec2.detach(SCOPE, ONE, DATA)
    volume = call(cloud, "DescribeVolumes", VolumeIds=[DATA])["Volumes"][0]
    assert (volume["State"], volume["Attachments"]) == ("available", [])
    assert next(cloud.history.of("VolumeDetached"))["volume"] == DATA
    assert refused(cloud, "DescribeVolumes", VolumeIds=[f"vol-{9:017x}"]) == "InvalidVolume.NotFound"
    with pytest.raises(ValueError, match="not attached"):
        ec2.detach(SCOPE, ONE, DATA)


def status_of(cloud: Cloud, **params: Any) -> list[str]:
    return [
        item["InstanceStatus"]["Status"] for item in call(cloud, "DescribeInstanceStatus", **params)["InstanceStatuses"]
    ]


def test_status_checks_through_a_reboot(cloud: Cloud) -> None:
    instance = cloud.component(Ec2).add_instance(SCOPE, spec(ONE))
    assert status_of(cloud) == ["ok"]
    call(cloud, "RebootInstances", InstanceIds=[ONE])
    assert status_of(cloud) == ["initializing"]
    assert instance.rebooting
    cloud.kernel.run_until(START + timedelta(minutes=1))
    call(cloud, "RebootInstances", InstanceIds=[ONE])
    cloud.kernel.run_until(START + timedelta(minutes=2))
    assert status_of(cloud) == ["initializing"]
    cloud.kernel.run_until(START + timedelta(minutes=3))
    assert status_of(cloud) == ["ok"]
    assert len(list(cloud.history.of("InstanceRebooted"))) == 2


def test_status_of_impaired_and_stopped_instances(cloud: Cloud) -> None:
    ec2 = cloud.component(Ec2)
    ec2.add_instance(SCOPE, spec(ONE))
    ec2.add_instance(SCOPE, spec(TWO, state="stopped"))
    ec2.set_impaired(SCOPE, ONE, impaired=True)
    assert status_of(cloud) == ["impaired"]
    assert status_of(cloud, IncludeAllInstances=True) == ["impaired", "not-applicable"]
    assert status_of(cloud, Filters=[{"Name": "instance-status.status", "Values": ["ok"]}]) == []
    ec2.set_impaired(SCOPE, ONE, impaired=False)
    assert status_of(cloud) == ["ok"]
    told = [(record["instance"], record["status"]) for record in cloud.history.of("InstanceStatusChanged")]
    assert told == [(ONE, "impaired"), (ONE, "ok")]


def test_stop_start_and_terminate_go_through_their_states(cloud: Cloud) -> None:
    ec2 = cloud.component(Ec2)
    instance = ec2.add_instance(SCOPE, spec(ONE, volumes=(VolumeSpec(ROOT, "/dev/xvda"),)))
    change = call(cloud, "StopInstances", InstanceIds=[ONE])["StoppingInstances"][0]
    assert (change["PreviousState"]["Name"], change["CurrentState"]["Name"]) == ("running", "stopping")
    cloud.kernel.run_until(START + timedelta(minutes=1))
    assert ec2.instance(SCOPE, ONE).state == "stopped"
    call(cloud, "StartInstances", InstanceIds=[ONE])
    cloud.kernel.run_until(START + timedelta(minutes=2))
    assert (ec2.instance(SCOPE, ONE).state, instance.rebooting) == ("running", True)
    call(cloud, "TerminateInstances", InstanceIds=[ONE])
    cloud.kernel.run_until(START + timedelta(minutes=3))
    assert instance.state == "terminated"
    assert ids(call(cloud, "DescribeInstances")) == [ONE]
    assert call(cloud, "DescribeVolumes")["Volumes"] == []
    assert ec2.instances(SCOPE) == []
    cloud.kernel.run_until(START + timedelta(hours=2))
    assert ids(call(cloud, "DescribeInstances")) == []
    states = [record["state"] for record in cloud.history.of("InstanceStateChanged")]
    assert states == ["stopping", "stopped", "pending", "running", "shutting-down", "terminated"]


def test_what_cannot_be_stopped_or_rebooted(cloud: Cloud) -> None:
    ec2 = cloud.component(Ec2)
    ec2.add_instance(SCOPE, spec(ONE, state="stopped"))
    ec2.add_instance(SCOPE, spec(TWO, root_device="instance-store"))
    assert refused(cloud, "RebootInstances", InstanceIds=[ONE]) == "IncorrectInstanceState"
    assert refused(cloud, "StopInstances", InstanceIds=[TWO]) == "UnsupportedOperation"
    assert refused(cloud, "StopInstances", InstanceIds=[]) == "MissingParameter"


def test_tags_of_instances_and_volumes(cloud: Cloud) -> None:
    instance = cloud.component(Ec2).add_instance(SCOPE, spec(ONE, volumes=(VolumeSpec(ROOT, "/dev/xvda"),)))
    call(cloud, "CreateTags", Resources=[ONE, ROOT], Tags=[{"Key": "Team", "Value": "a"}, {"Key": "Empty"}])
    assert instance.tags["Team"] == instance.volumes[0].tags["Team"] == "a"
    assert instance.tags["Empty"] == ""
    call(cloud, "DeleteTags", Resources=[ONE], Tags=[{"Key": "Team", "Value": "b"}, {"Key": "Empty"}])
    assert "Empty" not in instance.tags
    assert instance.tags["Team"] == "a"
    call(cloud, "DeleteTags", Resources=[ROOT])
    assert instance.volumes[0].tags == {}
    assert instance.volumes[0].tags is not instance.tags


def test_tag_errors(cloud: Cloud) -> None:
    instance = cloud.component(Ec2).add_instance(SCOPE, spec(ONE))
    tag = [{"Key": "a", "Value": "b"}]
    assert refused(cloud, "CreateTags", Resources=[TWO], Tags=tag) == "InvalidInstanceID.NotFound"
    assert refused(cloud, "CreateTags", Resources=[f"ami-{1:017x}"], Tags=tag) == "InvalidAMIID.NotFound"
    assert refused(cloud, "CreateTags", Resources=[f"snap-{1:017x}"], Tags=tag) == "InvalidSnapshot.NotFound"
    assert refused(cloud, "CreateTags", Resources=["x-1"], Tags=tag) == "InvalidID"
    assert refused(cloud, "CreateTags", Resources=[ONE], Tags=[]) == "MissingParameter"
    assert refused(cloud, "CreateTags", Resources=[], Tags=tag) == "MissingParameter"
    assert (
        refused(cloud, "CreateTags", Resources=[ONE], Tags=[{"Key": "aws:x", "Value": ""}]) == "InvalidParameterValue"
    )
    many = [{"Key": str(n), "Value": ""} for n in range(49)]
    assert refused(cloud, "CreateTags", Resources=[ONE], Tags=many) == "TagLimitExceeded"
    assert len(instance.tags) == 2


@pytest.fixture
def imaged(cloud: Cloud) -> str:
    ec2 = cloud.component(Ec2)
    volumes = (VolumeSpec(ROOT, "/dev/sda1", 8), VolumeSpec(DATA, "/dev/sdf", 100, encrypted=True))
    instance = ec2.add_instance(SCOPE, spec(ONE, operating_system="UBUNTU", volumes=volumes))
    return ec2.begin_image(SCOPE, instance, "AwsBackup_1", {"made": "by backup"}).image_id


def test_an_image_has_a_snapshot_of_every_volume_and_ephemeral_mappings(cloud: Cloud, imaged: str) -> None:
    image = call(cloud, "DescribeImages", ImageIds=[imaged])["Images"][0]
    assert image["State"] == "pending"
    assert image["CreationDate"] == "2026-07-04T19:00:00.000Z"
    assert [mapping.get("VirtualName") for mapping in image["BlockDeviceMappings"]] == [
        None,
        None,
        "ephemeral0",
        "ephemeral1",
    ]
    snapshot_ids = [mapping["Ebs"]["SnapshotId"] for mapping in image["BlockDeviceMappings"] if "Ebs" in mapping]
    cloud.kernel.run_until(START + timedelta(minutes=5))
    cloud.component(Ec2).finish_image(SCOPE, imaged)
    assert call(cloud, "DescribeImages", ImageIds=[imaged])["Images"][0]["State"] == "available"
    snapshots = call(cloud, "DescribeSnapshots", SnapshotIds=snapshot_ids)["Snapshots"]
    assert [item["VolumeId"] for item in snapshots] == [ROOT, DATA]
    assert [(item["State"], item["Progress"], item["Encrypted"]) for item in snapshots] == [
        ("completed", "100%", False),
        ("completed", "100%", True),
    ]
    assert {item["StartTime"] for item in snapshots} == {START}
    assert {item["CompletionTime"] for item in snapshots} == {START + timedelta(minutes=5)}


def test_missing_images_and_snapshots(cloud: Cloud, imaged: str) -> None:
    gone = f"ami-{1:017x}"
    assert refused(cloud, "DescribeImages", ImageIds=[gone]) == "InvalidAMIID.NotFound"
    assert call(cloud, "DescribeImages", Filters=[{"Name": "image-id", "Values": [gone]}]) == {"Images": []}
    missing = f"snap-{1:017x}"
    assert refused(cloud, "DescribeSnapshots", SnapshotIds=[missing]) == "InvalidSnapshot.NotFound"
    by_filter = [{"Name": "snapshot-id", "Values": [missing]}]
    assert call(cloud, "DescribeSnapshots", Filters=by_filter) == {"Snapshots": []}
    by_volume = [{"Name": "volume-id", "Values": [DATA]}]
    pending = call(cloud, "DescribeSnapshots", Filters=by_volume)["Snapshots"]
    assert [(item["State"], item["Progress"]) for item in pending] == [("pending", "0%")]
    assert call(cloud, "DescribeImages", Owners=["self"])["Images"][0]["ImageId"] == imaged
    assert call(cloud, "DescribeImages", Owners=["amazon"])["Images"] == []


def test_only_backup_deletes_what_backup_made(cloud: Cloud, imaged: str) -> None:
    ec2 = cloud.component(Ec2)
    snapshot_id = ec2.image(SCOPE, imaged).snapshot_ids[0]
    assert refused(cloud, "DeleteSnapshot", SnapshotId=snapshot_id) == "InvalidSnapshot.InUse"
    assert refused(cloud, "DeregisterImage", ImageId=imaged) == "InvalidParameterValue"
    ec2.remove_image(SCOPE, imaged)
    assert call(cloud, "DescribeSnapshots")["Snapshots"] == []
    assert refused(cloud, "DeregisterImage", ImageId=imaged) == "InvalidAMIID.NotFound"


def test_images_of_ones_own_can_be_deregistered(cloud: Cloud, imaged: str) -> None:
    ec2 = cloud.component(Ec2)
    image = ec2.image(SCOPE, imaged)
    image.owner_service = ""
    ids_before = list(image.snapshot_ids)
    for snapshot_id in ids_before:
        ec2.snapshot(SCOPE, snapshot_id).owner_service = ""
    assert call(cloud, "DeregisterImage", ImageId=imaged) == {"Return": True, "DeleteSnapshotResults": []}
    call(cloud, "DeleteSnapshot", SnapshotId=ids_before[0])
    assert refused(cloud, "DescribeSnapshots", SnapshotIds=[ids_before[0]]) == "InvalidSnapshot.NotFound"


def test_what_changes_about_an_instance_is_recorded(cloud: Cloud) -> None:
    ec2 = cloud.component(Ec2)
    ec2.add_instance(SCOPE, spec(ONE, volumes=(VolumeSpec(ROOT, "/dev/xvda"),)))
    (launched,) = cloud.history.of("InstanceLaunched")
    assert (launched["agent"]["ping"], launched["agent"]["version"]) == ("Online", AgentBehaviour().version)
    call(cloud, "CreateTags", Resources=[ONE, ROOT], Tags=[{"Key": "Team", "Value": "a"}])
    call(cloud, "DeleteTags", Resources=[ONE, ROOT])
    tagged = list(cloud.history.of("InstanceTagged"))
    assert [record["instance"] for record in tagged] == [ONE, ONE]
    assert tagged[0]["tags"]["Team"] == "a"
    assert tagged[1]["tags"] == {}
    ec2.set_agent(SCOPE, ONE, AgentBehaviour(ping="ConnectionLost"))
    assert [record["agent"]["ping"] for record in cloud.history.of("AgentChanged")] == ["ConnectionLost"]
    assert ec2.instance(SCOPE, ONE).spec.agent.ping == "ConnectionLost"
    call(cloud, "RebootInstances", InstanceIds=[ONE])
    assert [record["ready_at"] for record in cloud.history.of("InstanceRebooted")] == ["2026-07-04T19:02:00.000Z"]
    ec2.set_state(SCOPE, ONE, "stopped")
    ec2.set_state(SCOPE, ONE, "running")
    assert [r.get("ready_at") for r in cloud.history.of("InstanceStateChanged")] == [None, "2026-07-04T19:02:00.000Z"]
