"""AWS Backup: vaults, plans, selections, the life of a job, recovery points."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from patchgate.emulator.assumptions import Assumptions
from patchgate.emulator.backup import Backup
from patchgate.emulator.backup_resources import Candidate, chosen
from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.world import BackupBehaviour, InstanceSpec, VolumeSpec

START = datetime(2026, 7, 4, 12, 0, tzinfo=UTC)
"""A Saturday."""
SCOPE = Scope("111122223333", "eu-central-1")
VAULT = "backup-vault-amazonlinux-prd-eu-central-1"
ROLE = "arn:aws:iam::111122223333:role/AWSBackup-patchgate-amazonlinux-prd"
ONE, TWO, THREE = (f"i-{n:017x}" for n in (1, 2, 3))
INSTANCES = "arn:aws:ec2:*:*:instance/*"
PREFIX = "arn:aws:ec2:eu-central-1:111122223333:"
TAGS = {"PatchGroup": "amazonlinux-patch-group-prd", "ToBackupAndPatch": "true"}


@pytest.fixture
def cloud() -> Cloud:
    cloud = Cloud((Ec2, Backup), start=START, seed=1)
    call(cloud, "CreateBackupVault", BackupVaultName=VAULT)
    return cloud


def call(cloud: Cloud, operation: str, **params: Any) -> dict[str, Any]:
    return cloud.invoke(SCOPE, "backup", operation, params)


def refused(cloud: Cloud, operation: str, **params: Any) -> str:
    with pytest.raises(AwsError) as caught:
        call(cloud, operation, **params)
    return caught.value.code


def add(cloud: Cloud, instance_id: str, **changes: Any) -> None:
    number = int(instance_id[-1])
    values: dict[str, Any] = {
        "name": f"web-{number}",
        "operating_system": "AMAZON_LINUX_2",
        "platform_type": "Linux",
        "tags": TAGS,
        "volumes": (VolumeSpec(f"vol-{number:017x}", "/dev/xvda", 10),),
    }
    cloud.component(Ec2).add_instance(SCOPE, InstanceSpec(instance_id=instance_id, **(values | changes)))


def rule(**changes: Any) -> dict[str, Any]:
    return {
        "RuleName": "before-patching",
        "TargetBackupVaultName": VAULT,
        "ScheduleExpression": "cron(0 19 ? * 7 *)",
        "ScheduleExpressionTimezone": "Europe/Berlin",
        "StartWindowMinutes": 60,
        "CompletionWindowMinutes": 120,
        "Lifecycle": {"DeleteAfterDays": 35},
    } | changes


def plan(cloud: Cloud, *rules: dict[str, Any], name: str = "plan") -> str:
    document = {"BackupPlanName": name, "Rules": list(rules) or [rule()]}
    plan_id: str = call(cloud, "CreateBackupPlan", BackupPlan=document)["BackupPlanId"]
    return plan_id


def selection(**changes: Any) -> dict[str, Any]:
    condition = {"ConditionKey": "aws:ResourceTag/ToBackupAndPatch", "ConditionValue": "true"}
    return {
        "SelectionName": "target",
        "IamRoleArn": ROLE,
        "Resources": [INSTANCES],
        "Conditions": {"StringEquals": [condition]},
    } | changes


def planned(cloud: Cloud, *rules: dict[str, Any], **changes: Any) -> str:
    plan_id = plan(cloud, *rules)
    call(cloud, "CreateBackupSelection", BackupPlanId=plan_id, BackupSelection=selection(**changes))
    return plan_id


def jobs(cloud: Cloud, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call(cloud, "ListBackupJobs", **params)["BackupJobs"]
    return found


def states(cloud: Cloud) -> list[str]:
    return [record["state"] for record in cloud.history.of("BackupJobStateChanged")]


DUE = datetime(2026, 7, 4, 17, 0, tzinfo=UTC)
"""19:00 in Berlin."""


# Vaults


def test_vaults_are_created_once_and_described(cloud: Cloud) -> None:
    described = call(cloud, "DescribeBackupVault", BackupVaultName=VAULT)
    assert described["BackupVaultArn"] == f"arn:aws:backup:eu-central-1:111122223333:backup-vault:{VAULT}"
    assert described["NumberOfRecoveryPoints"] == 0
    assert refused(cloud, "CreateBackupVault", BackupVaultName=VAULT) == "AlreadyExistsException"
    for bad in ("x", "a b", "a" * 51, "a.b"):
        assert refused(cloud, "CreateBackupVault", BackupVaultName=bad) == "InvalidParameterValueException"
    assert refused(cloud, "CreateBackupVault") == "MissingParameterValueException"
    assert refused(cloud, "DescribeBackupVault", BackupVaultName="other") == "ResourceNotFoundException"


def test_the_same_request_for_a_vault_is_answered_again(cloud: Cloud) -> None:
    first = call(cloud, "CreateBackupVault", BackupVaultName="other", CreatorRequestId="r", EncryptionKeyArn="arn:key")
    assert call(cloud, "CreateBackupVault", BackupVaultName="other", CreatorRequestId="r") == first
    assert call(cloud, "DescribeBackupVault", BackupVaultName="other")["EncryptionKeyArn"] == "arn:key"


def test_a_vault_with_recovery_points_stays(cloud: Cloud) -> None:
    add(cloud, ONE)
    planned(cloud)
    cloud.kernel.run_until(DUE + timedelta(hours=1))
    assert refused(cloud, "DeleteBackupVault", BackupVaultName=VAULT) == "InvalidRequestException"
    point = jobs(cloud)[0]["RecoveryPointArn"]
    call(cloud, "DeleteRecoveryPoint", BackupVaultName=VAULT, RecoveryPointArn=point)
    assert call(cloud, "DeleteBackupVault", BackupVaultName=VAULT) == {}
    assert refused(cloud, "DescribeBackupVault", BackupVaultName=VAULT) == "ResourceNotFoundException"


def test_tags_of_vaults_and_plans(cloud: Cloud) -> None:
    arn = call(cloud, "DescribeBackupVault", BackupVaultName=VAULT)["BackupVaultArn"]
    call(cloud, "TagResource", ResourceArn=arn, Tags={"a": "1", "b": "2"})
    call(cloud, "UntagResource", ResourceArn=arn, TagKeyList=["b"])
    assert call(cloud, "ListTags", ResourceArn=arn) == {"Tags": {"a": "1"}}
    assert refused(cloud, "ListTags", ResourceArn=arn + "x") == "ResourceNotFoundException"


# Plans and selections


def test_plans_are_kept_with_rule_ids_and_previewed(cloud: Cloud) -> None:
    plan_id = plan(cloud)
    got = call(cloud, "GetBackupPlan", BackupPlanId=plan_id, MaxScheduledRunsPreview=2)
    kept = got["BackupPlan"]["Rules"][0]
    assert kept | rule() == kept
    assert [run["ExecutionTime"] for run in got["ScheduledRunsPreview"]] == [DUE, DUE + timedelta(days=7)]
    assert [run["RuleId"] for run in got["ScheduledRunsPreview"]] == [kept["RuleId"]] * 2
    assert [item["BackupPlanId"] for item in call(cloud, "ListBackupPlans")["BackupPlansList"]] == [plan_id]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"RuleName": "a b"}, "InvalidParameterValueException"),
        ({"RuleName": ""}, "MissingParameterValueException"),
        ({"TargetBackupVaultName": "nowhere"}, "InvalidParameterValueException"),
        ({"ScheduleExpression": "cron(0 19 * * 7 *)"}, "InvalidParameterValueException"),
        ({"ScheduleExpression": "rate(1 day)"}, "InvalidParameterValueException"),
        ({"ScheduleExpressionTimezone": "Mars/Olympus"}, "InvalidParameterValueException"),
        ({"StartWindowMinutes": 59}, "InvalidParameterValueException"),
        ({"CompletionWindowMinutes": 0}, "InvalidParameterValueException"),
        ({"Lifecycle": {"DeleteAfterDays": 0}}, "InvalidParameterValueException"),
        (
            {"Lifecycle": {"MoveToColdStorageAfterDays": 30, "DeleteAfterDays": 119}},
            "InvalidParameterValueException",
        ),
        ({"EnableContinuousBackup": True}, "NotEmulated"),
        ({"CopyActions": [{"DestinationBackupVaultArn": "arn"}]}, "NotEmulated"),
    ],
)
def test_what_no_plan_may_say(cloud: Cloud, changes: dict[str, Any], code: str) -> None:
    document = {"BackupPlanName": "plan", "Rules": [rule(**changes)]}
    assert refused(cloud, "CreateBackupPlan", BackupPlan=document) == code
    assert call(cloud, "ListBackupPlans")["BackupPlansList"] == []


def test_plan_errors(cloud: Cloud) -> None:
    plan_id = plan(cloud)
    same = {"BackupPlanName": "plan", "Rules": [rule()]}
    assert refused(cloud, "CreateBackupPlan", BackupPlan=same) == "AlreadyExistsException"
    assert refused(cloud, "CreateBackupPlan", BackupPlan={"BackupPlanName": "p"}) == "MissingParameterValueException"
    assert refused(cloud, "GetBackupPlan", BackupPlanId="other") == "ResourceNotFoundException"
    with pytest.raises(NotEmulatedError):
        call(cloud, "GetBackupPlan", BackupPlanId=plan_id, VersionId="old")


def test_a_plan_goes_only_after_its_selections(cloud: Cloud) -> None:
    plan_id = planned(cloud)
    assert refused(cloud, "DeleteBackupPlan", BackupPlanId=plan_id) == "InvalidRequestException"
    listed = call(cloud, "ListBackupSelections", BackupPlanId=plan_id)["BackupSelectionsList"]
    assert [(item["SelectionName"], item["IamRoleArn"]) for item in listed] == [("target", ROLE)]
    selection_id = listed[0]["SelectionId"]
    got = call(cloud, "GetBackupSelection", BackupPlanId=plan_id, SelectionId=selection_id)
    assert got["BackupSelection"] == selection()
    call(cloud, "DeleteBackupSelection", BackupPlanId=plan_id, SelectionId=selection_id)
    gone = refused(cloud, "GetBackupSelection", BackupPlanId=plan_id, SelectionId=selection_id)
    assert gone == "ResourceNotFoundException"
    call(cloud, "DeleteBackupPlan", BackupPlanId=plan_id)
    assert call(cloud, "ListBackupPlans")["BackupPlansList"] == []
    assert len(call(cloud, "ListBackupPlans", IncludeDeleted=True)["BackupPlansList"]) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"SelectionName": "a b"},
        {"SelectionName": "a" * 51},
        {"Resources": []},
        {"Conditions": {"StringEquals": [{"ConditionKey": "ToBackupAndPatch", "ConditionValue": "true"}]}},
        {"ListOfTags": [{"ConditionType": "STRINGLIKE", "ConditionKey": "a", "ConditionValue": "b"}]},
        {"Resources": [f"arn:aws:ec2:*:*:instance/i-{n}*" for n in range(31)]},
    ],
)
def test_what_no_selection_may_say(cloud: Cloud, changes: dict[str, Any]) -> None:
    plan_id, document = plan(cloud), selection(**changes)
    code = refused(cloud, "CreateBackupSelection", BackupPlanId=plan_id, BackupSelection=document)
    assert code == "InvalidParameterValueException"


def test_names_of_selections_are_unique_in_a_plan(cloud: Cloud) -> None:
    plan_id = planned(cloud)
    code = refused(cloud, "CreateBackupSelection", BackupPlanId=plan_id, BackupSelection=selection())
    assert code == "AlreadyExistsException"


def condition(operator: str, value: str, key: str = "aws:ResourceTag/PatchGroup") -> dict[str, Any]:
    return {operator: [{"ConditionKey": key, "ConditionValue": value}]}


def tag(key: str, value: str) -> dict[str, str]:
    return {"ConditionType": "STRINGEQUALS", "ConditionKey": key, "ConditionValue": value}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"Resources": [INSTANCES]}, True),
        ({"Resources": ["arn:aws:ec2:*:*:volume/*"]}, False),
        ({"Resources": [PREFIX + "instance/" + ONE]}, True),
        ({"Resources": [PREFIX + "instance/" + TWO]}, False),
        ({"Resources": ["*"]}, True),
        ({"ListOfTags": [tag("PatchGroup", "no"), tag("ToBackupAndPatch", "true")]}, True),
        ({"ListOfTags": [tag("aws:ResourceTag/ToBackupAndPatch", "true")]}, True),
        ({"ListOfTags": [tag("ToBackupAndPatch", "True")]}, False),
        ({"Resources": [PREFIX + "volume/*"], "ListOfTags": [tag("ToBackupAndPatch", "true")]}, True),
        ({"Resources": [INSTANCES], "NotResources": [PREFIX + "instance/" + ONE]}, False),
        ({"Resources": [INSTANCES], "Conditions": condition("StringEquals", TAGS["PatchGroup"])}, True),
        ({"Resources": [INSTANCES], "Conditions": condition("StringEquals", "x")}, False),
        ({"Resources": [INSTANCES], "Conditions": condition("StringLike", "amazonlinux-*-prd")}, True),
        ({"Resources": [INSTANCES], "Conditions": condition("StringNotLike", "amazonlinux-*-prd")}, False),
        ({"Resources": [INSTANCES], "Conditions": condition("StringNotEquals", "x")}, True),
        ({"Resources": [INSTANCES], "Conditions": condition("StringNotEquals", "x", "aws:ResourceTag/None")}, False),
        (
            {
                "Resources": [INSTANCES],
                "Conditions": condition("StringEquals", TAGS["PatchGroup"]) | condition("StringLike", "windows*"),
            },
            False,
        ),
    ],
)
def test_what_a_selection_chooses(document: dict[str, Any], expected: bool) -> None:
    candidate = Candidate(PREFIX + "instance/" + ONE, "EC2", "web", dict(TAGS))
    assert chosen(document, candidate, {"EC2": True, "EBS": True}) is expected


def test_opt_in_matters_unless_the_type_is_named() -> None:
    candidate = Candidate(PREFIX + "instance/" + ONE, "EC2", "web", dict(TAGS))
    out = {"EC2": False, "EBS": True}
    assert not chosen({"ListOfTags": [tag("ToBackupAndPatch", "true")]}, candidate, out)
    assert not chosen({"Resources": ["*"]}, candidate, out)
    assert not chosen({"Resources": ["arn:aws:ec2:*"]}, candidate, out)
    assert chosen({"Resources": [INSTANCES]}, candidate, out)


def test_an_unknown_condition_operator_is_refused() -> None:
    candidate = Candidate(PREFIX + "instance/" + ONE, "EC2", "web", dict(TAGS))
    with pytest.raises(AwsError, match="InvalidParameterValueException"):
        chosen({"Resources": ["*"], "Conditions": condition("StringSounds", "x")}, candidate, {"EC2": True})


# The life of a job


def test_a_scheduled_job_runs_to_its_end(cloud: Cloud) -> None:
    data = VolumeSpec(f"vol-{9:017x}", "/dev/sdf", 90)
    add(cloud, ONE, volumes=(VolumeSpec(f"vol-{1:017x}", "/dev/xvda", 10), data))
    planned(cloud)
    cloud.kernel.run_until(DUE)
    assert jobs(cloud) == []
    cloud.kernel.run_until(DUE + timedelta(minutes=59))
    job = jobs(cloud)[0]
    assert job["State"] == "COMPLETED"
    assert job["MessageCategory"] == "SUCCESS"
    assert job["ResourceArn"] == PREFIX + "instance/" + ONE
    assert job["ResourceType"] == "EC2"
    assert job["BackupSizeInBytes"] == 100 * 1024**3
    assert DUE < job["CreationDate"] <= DUE + timedelta(minutes=5)
    assert job["StartBy"] == DUE + timedelta(minutes=60)
    assert job["CreatedBy"]["BackupRuleName"] == "before-patching"
    assert job["CreatedBy"]["BackupRuleTimezone"] == "Europe/Berlin"
    assert call(cloud, "DescribeBackupJob", BackupJobId=job["BackupJobId"]) == job
    assert states(cloud) == ["CREATED", "RUNNING", "COMPLETED"]


def test_snapshots_and_image_are_those_of_the_start(cloud: Cloud) -> None:
    add(cloud, ONE)
    planned(cloud)
    cloud.kernel.run_until(DUE + timedelta(minutes=20))
    cloud.component(Ec2).attach(SCOPE, ONE, VolumeSpec(f"vol-{9:017x}", "/dev/sdf"))
    running = jobs(cloud)[0]
    assert running["State"] == "RUNNING"
    assert "MessageCategory" not in running
    point = call(cloud, "DescribeRecoveryPoint", BackupVaultName=VAULT, RecoveryPointArn=running["RecoveryPointArn"])
    assert point["Status"] == "CREATING"
    cloud.kernel.run_until(DUE + timedelta(minutes=59))
    arn = jobs(cloud)[0]["RecoveryPointArn"]
    image_id = arn.removeprefix("arn:aws:ec2:eu-central-1::image/")
    images = cloud.invoke(SCOPE, "ec2", "DescribeImages", {"ImageIds": [image_id]})["Images"]
    snapshot_ids = [mapping["Ebs"]["SnapshotId"] for mapping in images[0]["BlockDeviceMappings"]]
    snapshot = cloud.invoke(SCOPE, "ec2", "DescribeSnapshots", {"SnapshotIds": snapshot_ids})["Snapshots"][0]
    started = next(r for r in cloud.history.of("BackupJobStateChanged") if r["state"] == "RUNNING")
    assert (snapshot["VolumeId"], snapshot["State"]) == (f"vol-{1:017x}", "completed")
    assert snapshot["StartTime"].strftime("%H:%M:%S") == started["at"][11:19]
    assert started["snapshots"] == [
        {"volume": f"vol-{1:017x}", "snapshot": snapshot["SnapshotId"], "started": started["at"]}
    ]


@pytest.mark.parametrize(
    ("behaviour", "state", "category", "message"),
    [
        (BackupBehaviour("FAILED", message="no access"), "FAILED", "FAILURE", "no access"),
        (
            BackupBehaviour("FAILED", message_category="AccessDenied"),
            "FAILED",
            "AccessDenied",
            "The backup job failed.",
        ),
        (BackupBehaviour("ABORTED"), "ABORTED", "FAILURE", "The backup job was aborted."),
        (
            BackupBehaviour("EXPIRED"),
            "EXPIRED",
            "FAILURE",
            "Backup job expired before it could start.",
        ),
        (
            BackupBehaviour(message_category="VSS_ERROR", message="Windows VSS Backup Job Error encountered"),
            "COMPLETED",
            "VSS_ERROR",
            "Windows VSS Backup Job Error encountered",
        ),
        (
            BackupBehaviour(minutes=121),
            "ABORTED",
            "FAILURE",
            "Backup job was cancelled: it did not complete within its completion window.",
        ),
        (BackupBehaviour(minutes=120), "COMPLETED", "SUCCESS", None),
    ],
)
def test_how_jobs_end(cloud: Cloud, behaviour: BackupBehaviour, state: str, category: str, message: str | None) -> None:
    add(cloud, ONE, backup=behaviour)
    planned(cloud)
    cloud.kernel.run_until(DUE + timedelta(hours=4))
    job = jobs(cloud)[0]
    assert (job["State"], job["MessageCategory"], job.get("StatusMessage")) == (state, category, message)
    points = call(cloud, "ListRecoveryPointsByBackupVault", BackupVaultName=VAULT)["RecoveryPoints"]
    assert len(points) == (state == "COMPLETED")
    images = cloud.invoke(SCOPE, "ec2", "DescribeImages", {})["Images"]
    snapshots = cloud.invoke(SCOPE, "ec2", "DescribeSnapshots", {})["Snapshots"]
    assert len(images) == len(snapshots) == (state == "COMPLETED")


def test_an_expired_job_waits_for_its_start_window(cloud: Cloud) -> None:
    add(cloud, ONE, backup=BackupBehaviour("EXPIRED"))
    planned(cloud)
    cloud.kernel.run_until(DUE + timedelta(minutes=59))
    assert jobs(cloud)[0]["State"] == "CREATED"
    cloud.kernel.run_until(DUE + timedelta(minutes=60))
    assert jobs(cloud)[0]["State"] == "EXPIRED"


def test_what_is_never_backed_up(cloud: Cloud) -> None:
    add(cloud, ONE, backup=BackupBehaviour("NONE"))
    add(cloud, TWO, tags={})
    add(cloud, THREE, root_device="instance-store", volumes=())
    planned(cloud)
    cloud.kernel.run_until(DUE + timedelta(hours=1))
    found = jobs(cloud)
    assert [(job["ResourceArn"], job["State"]) for job in found] == [(PREFIX + "instance/" + THREE, "FAILED")]
    assert found[0]["StatusMessage"] == "Instance store-backed Amazon EC2 instances are not supported."


def test_an_instance_that_goes_before_the_start_fails_its_job(cloud: Cloud) -> None:
    add(cloud, ONE)
    planned(cloud)
    while not jobs(cloud):
        cloud.kernel.run_until(cloud.now + timedelta(seconds=1))
    cloud.component(Ec2).set_state(SCOPE, ONE, "terminated")
    cloud.kernel.run_until(cloud.now + timedelta(minutes=10))
    assert jobs(cloud)[0]["State"] == "FAILED"
    assert "no longer exists" in jobs(cloud)[0]["StatusMessage"]


def test_volumes_are_backed_up_as_snapshots(cloud: Cloud) -> None:
    add(cloud, ONE, volumes=(VolumeSpec(f"vol-{1:017x}", "/dev/xvda", encrypted=True),))
    planned(cloud, Resources=["arn:aws:ec2:*:*:volume/*"])
    cloud.kernel.run_until(DUE + timedelta(hours=1))
    job = jobs(cloud)[0]
    assert (job["ResourceType"], job["State"]) == ("EBS", "COMPLETED")
    assert job["RecoveryPointArn"].startswith("arn:aws:ec2:eu-central-1::snapshot/snap-")
    point = call(cloud, "ListRecoveryPointsByResource", ResourceArn=PREFIX + f"volume/vol-{1:017x}")["RecoveryPoints"]
    assert [(item["RecoveryPointArn"], item["Status"]) for item in point] == [(job["RecoveryPointArn"], "COMPLETED")]
    call(cloud, "DeleteRecoveryPoint", BackupVaultName=VAULT, RecoveryPointArn=job["RecoveryPointArn"])
    assert cloud.invoke(SCOPE, "ec2", "DescribeSnapshots", {})["Snapshots"] == []


def test_plans_run_again_and_stop_when_updated_or_deleted(cloud: Cloud) -> None:
    add(cloud, ONE)
    plan_id = planned(cloud)
    cloud.kernel.run_until(DUE + timedelta(days=8))
    assert len(jobs(cloud)) == 2
    updated = {"BackupPlanName": "plan", "Rules": [rule(ScheduleExpression="cron(0 10 ? * 2 *)")]}
    call(cloud, "UpdateBackupPlan", BackupPlanId=plan_id, BackupPlan=updated)
    cloud.kernel.run_until(DUE + timedelta(days=15))
    monday = datetime(2026, 7, 13, 8, 0, tzinfo=UTC)
    created = sorted(job["CreationDate"] for job in jobs(cloud))
    assert len(created) == 3
    assert monday < created[-1] <= monday + timedelta(minutes=5)
    selection_id = call(cloud, "ListBackupSelections", BackupPlanId=plan_id)["BackupSelectionsList"][0]["SelectionId"]
    call(cloud, "DeleteBackupSelection", BackupPlanId=plan_id, SelectionId=selection_id)
    call(cloud, "DeleteBackupPlan", BackupPlanId=plan_id)
    cloud.kernel.run_until(DUE + timedelta(days=29))
    assert len(jobs(cloud)) == 3


def test_one_job_for_a_resource_that_two_selections_choose(cloud: Cloud) -> None:
    add(cloud, ONE)
    plan_id = planned(cloud)
    again = selection(SelectionName="again")
    call(cloud, "CreateBackupSelection", BackupPlanId=plan_id, BackupSelection=again)
    cloud.kernel.run_until(DUE + timedelta(hours=1))
    assert len(jobs(cloud)) == 1


def test_windows_vss_options_reach_the_job(cloud: Cloud) -> None:
    add(cloud, ONE)
    document = {
        "BackupPlanName": "plan",
        "Rules": [rule()],
        "AdvancedBackupSettings": [{"ResourceType": "EC2", "BackupOptions": {"WindowsVSS": "enabled"}}],
    }
    plan_id = call(cloud, "CreateBackupPlan", BackupPlan=document)["BackupPlanId"]
    call(cloud, "CreateBackupSelection", BackupPlanId=plan_id, BackupSelection=selection())
    cloud.kernel.run_until(DUE + timedelta(hours=1))
    assert jobs(cloud)[0]["BackupOptions"] == {"WindowsVSS": "enabled"}


# On demand


def test_a_job_on_demand(cloud: Cloud) -> None:
    add(cloud, ONE, backup=BackupBehaviour("NONE"))
    arn = PREFIX + "instance/" + ONE
    answer = call(cloud, "StartBackupJob", BackupVaultName=VAULT, ResourceArn=arn, IamRoleArn=ROLE)
    cloud.kernel.run_until(START + timedelta(hours=1))
    job = call(cloud, "DescribeBackupJob", BackupJobId=answer["BackupJobId"])
    assert job["State"] == "COMPLETED"
    assert "CreatedBy" not in job
    missing = arn[:-1] + "9"
    params = {"BackupVaultName": VAULT, "IamRoleArn": ROLE}
    assert refused(cloud, "StartBackupJob", ResourceArn=missing, **params) == "ResourceNotFoundException"
    short = refused(cloud, "StartBackupJob", ResourceArn=arn, StartWindowMinutes=10, **params)
    assert short == "InvalidParameterValueException"
    assert refused(cloud, "DescribeBackupJob", BackupJobId="x") == "ResourceNotFoundException"


def test_stopping_a_job(cloud: Cloud) -> None:
    add(cloud, ONE)
    planned(cloud)
    cloud.kernel.run_until(DUE + timedelta(minutes=20))
    job_id = jobs(cloud)[0]["BackupJobId"]
    call(cloud, "StopBackupJob", BackupJobId=job_id)
    assert jobs(cloud)[0]["State"] == "ABORTING"
    assert refused(cloud, "StopBackupJob", BackupJobId=job_id) == "InvalidRequestException"
    cloud.kernel.run_until(DUE + timedelta(hours=2))
    job = jobs(cloud)[0]
    assert (job["State"], job["StatusMessage"]) == ("ABORTED", "The backup job was stopped by a user.")
    assert states(cloud) == ["CREATED", "RUNNING", "ABORTING", "ABORTED"]


# Lists


def test_filters_of_jobs(cloud: Cloud) -> None:
    add(cloud, ONE)
    add(cloud, TWO, backup=BackupBehaviour("FAILED"))
    planned(cloud)
    cloud.kernel.run_until(DUE + timedelta(hours=1))
    one, two = PREFIX + "instance/" + ONE, PREFIX + "instance/" + TWO

    def found(**params: Any) -> set[str]:
        return {job["ResourceArn"] for job in jobs(cloud, **params)}

    assert found() == {one, two}
    assert found(ByResourceArn=one) == {one}
    assert found(ByState="FAILED") == {two}
    assert found(ByBackupVaultName=VAULT) == {one, two}
    assert found(ByBackupVaultName="other") == set()
    assert found(ByResourceType="EBS") == set()
    assert found(ByAccountId="444455556666") == set()
    assert found(ByCreatedAfter=DUE + timedelta(minutes=10)) == set()
    assert found(ByCreatedBefore=DUE + timedelta(minutes=10)) == {one, two}
    assert found(ByCompleteAfter=DUE, ByMessageCategory="SUCCESS") == {one}
    assert found(ByCompleteBefore=DUE) == set()
    assert found(ByParentJobId="x") == set()
    assert refused(cloud, "ListBackupJobs", ByState="DONE") == "InvalidParameterValueException"
    assert refused(cloud, "ListBackupJobs", MaxResults=1001) == "InvalidParameterValueException"
    assert refused(cloud, "ListBackupJobs", NextToken="page-1") == "InvalidParameterValueException"


def test_pages_of_jobs_keep_their_place(cloud: Cloud) -> None:
    wanted = [f"i-{n:016x}1" for n in range(5)]
    for number, instance_id in enumerate(wanted):
        add(cloud, instance_id, volumes=(VolumeSpec(f"vol-{number:017x}", "/dev/xvda"),))
    planned(cloud)
    cloud.kernel.run_until(DUE + timedelta(hours=1))
    first = call(cloud, "ListBackupJobs", MaxResults=2)
    arn = PREFIX + "instance/" + wanted[0]
    call(cloud, "StartBackupJob", BackupVaultName=VAULT, ResourceArn=arn, IamRoleArn=ROLE)
    second = call(cloud, "ListBackupJobs", MaxResults=50, NextToken=first["NextToken"])
    seen = [job["ResourceArn"].rpartition("/")[2] for job in first["BackupJobs"] + second["BackupJobs"]]
    assert sorted(seen) == sorted(wanted)
    assert "NextToken" not in second
    dates = [job["CreationDate"] for job in jobs(cloud)]
    assert dates == sorted(dates, reverse=True)


def test_lists_may_come_oldest_first(cloud: Cloud) -> None:
    cloud.assumptions = Assumptions(backup_lists_are_newest_first=False)
    add(cloud, ONE)
    add(cloud, TWO, volumes=(VolumeSpec(f"vol-{2:017x}", "/dev/xvda"),))
    planned(cloud)
    cloud.kernel.run_until(DUE + timedelta(days=7, hours=1))
    dates = [job["CreationDate"] for job in jobs(cloud)]
    assert len(dates) == 4
    assert dates == sorted(dates)
    paged: list[Any] = []
    token: dict[str, Any] = {}
    for _ in range(4):
        answer = call(cloud, "ListBackupJobs", MaxResults=1, **token)
        paged += answer["BackupJobs"]
        token = {"NextToken": answer.get("NextToken")}
    assert paged == jobs(cloud)
    assert token == {"NextToken": None}
    assert refused(cloud, "ListBackupJobs", NextToken="before-1") == "InvalidParameterValueException"
    points = call(cloud, "ListRecoveryPointsByResource", ResourceArn=PREFIX + "instance/" + ONE)["RecoveryPoints"]
    assert points[0]["CreationDate"] < points[1]["CreationDate"]
    cloud.kernel.run_until(DUE + timedelta(days=30, hours=1))
    assert {job["CreationDate"] > DUE + timedelta(days=1) for job in jobs(cloud)} == {True}


def test_jobs_are_remembered_for_thirty_days(cloud: Cloud) -> None:
    add(cloud, ONE)
    arn = PREFIX + "instance/" + ONE
    call(cloud, "StartBackupJob", BackupVaultName=VAULT, ResourceArn=arn, IamRoleArn=ROLE)
    cloud.kernel.run_until(START + timedelta(days=30))
    assert len(jobs(cloud)) == 1
    cloud.kernel.run_until(START + timedelta(days=30, seconds=1))
    assert jobs(cloud) == []


def test_recovery_points_by_resource_and_vault_newest_first(cloud: Cloud) -> None:
    add(cloud, ONE)
    planned(cloud)
    cloud.kernel.run_until(DUE + timedelta(days=7, hours=1))
    arn = PREFIX + "instance/" + ONE
    points = call(cloud, "ListRecoveryPointsByResource", ResourceArn=arn)["RecoveryPoints"]
    assert len(points) == 2
    assert points[0]["CreationDate"] > points[1]["CreationDate"]
    first = call(cloud, "ListRecoveryPointsByBackupVault", BackupVaultName=VAULT, MaxResults=1)
    after = call(cloud, "ListRecoveryPointsByBackupVault", BackupVaultName=VAULT, NextToken=first["NextToken"])
    assert [item["RecoveryPointArn"] for item in first["RecoveryPoints"] + after["RecoveryPoints"]] == [
        item["RecoveryPointArn"] for item in points
    ]

    def found(**params: Any) -> int:
        return len(call(cloud, "ListRecoveryPointsByBackupVault", BackupVaultName=VAULT, **params)["RecoveryPoints"])

    assert found(ByResourceArn=arn, ByResourceType="EC2") == 2
    assert found(ByResourceArn=arn + "x") == 0
    assert found(ByCreatedAfter=DUE + timedelta(days=1)) == 1
    assert found(ByCreatedBefore=DUE + timedelta(days=1)) == 1
    assert found(ByBackupPlanId="other") == 0
    assert found(ByParentRecoveryPointArn="x") == 0
    described = call(
        cloud, "DescribeRecoveryPoint", BackupVaultName=VAULT, RecoveryPointArn=points[0]["RecoveryPointArn"]
    )
    assert (described["Status"], described["ResourceArn"], described["IsEncrypted"]) == ("COMPLETED", arn, False)
    lifetime = described["CalculatedLifecycle"]["DeleteAt"] - described["CreationDate"]
    assert lifetime == timedelta(days=35)


def test_recovery_points_are_deleted_by_request_and_by_lifecycle(cloud: Cloud) -> None:
    add(cloud, ONE)
    planned(cloud, rule(Lifecycle={"DeleteAfterDays": 3}))
    cloud.kernel.run_until(DUE + timedelta(hours=1))
    arn = jobs(cloud)[0]["RecoveryPointArn"]
    cloud.kernel.run_until(DUE + timedelta(days=3))
    assert call(cloud, "DescribeBackupVault", BackupVaultName=VAULT)["NumberOfRecoveryPoints"] == 1
    cloud.kernel.run_until(DUE + timedelta(days=3, hours=9))
    assert call(cloud, "DescribeBackupVault", BackupVaultName=VAULT)["NumberOfRecoveryPoints"] == 0
    assert [record["recovery_point"] for record in cloud.history.of("RecoveryPointDeleted")] == [arn]
    gone = refused(cloud, "DeleteRecoveryPoint", BackupVaultName=VAULT, RecoveryPointArn=arn)
    assert gone == "ResourceNotFoundException"
    assert cloud.invoke(SCOPE, "ec2", "DescribeImages", {})["Images"] == []


def test_a_point_in_the_making_cannot_be_deleted(cloud: Cloud) -> None:
    add(cloud, ONE)
    planned(cloud)
    cloud.kernel.run_until(DUE + timedelta(minutes=20))
    arn = jobs(cloud)[0]["RecoveryPointArn"]
    code = refused(cloud, "DeleteRecoveryPoint", BackupVaultName=VAULT, RecoveryPointArn=arn)
    assert code == "InvalidRequestException"


def test_opt_in_settings_of_the_region(cloud: Cloud) -> None:
    assert call(cloud, "DescribeRegionSettings")["ResourceTypeOptInPreference"]["EC2"] is True
    call(cloud, "UpdateRegionSettings", ResourceTypeOptInPreference={"EC2": False})
    add(cloud, ONE)
    planned(cloud, Resources=[], ListOfTags=[tag("ToBackupAndPatch", "true")], Conditions={})
    cloud.kernel.run_until(DUE + timedelta(hours=1))
    assert {job["ResourceType"] for job in jobs(cloud)} == {"EBS"}


def test_the_same_seed_gives_the_same_history() -> None:
    def run(seed: int) -> str:
        cloud = Cloud((Ec2, Backup), start=START, seed=seed)
        call(cloud, "CreateBackupVault", BackupVaultName=VAULT)
        add(cloud, ONE)
        add(cloud, TWO)
        planned(cloud)
        cloud.kernel.run_until(DUE + timedelta(hours=2))
        return cloud.history.to_json_lines()

    assert run(3) == run(3) != run(4)


def test_vaults_are_listed_as_they_are_described(cloud: Cloud) -> None:
    call(cloud, "CreateBackupVault", BackupVaultName="second", BackupVaultTags={"a": "b"})
    listed = call(cloud, "ListBackupVaults", MaxResults=1)
    listed_next = call(cloud, "ListBackupVaults", NextToken=listed["NextToken"])
    assert listed["BackupVaultList"] == [call(cloud, "DescribeBackupVault", BackupVaultName=VAULT)]
    assert listed_next["BackupVaultList"] == [call(cloud, "DescribeBackupVault", BackupVaultName="second")]
    assert call(cloud, "ListBackupVaults", ByShared=True)["BackupVaultList"] == []
    assert call(cloud, "ListBackupVaults", ByVaultType="RESTORE_ACCESS_BACKUP_VAULT")["BackupVaultList"] == []
