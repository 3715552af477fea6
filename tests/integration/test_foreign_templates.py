"""Templates that others wrote, of the same resource types: they deploy, run and go, or what is missing is named."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.wire import WireDoor
from patchgate.emulator.world import BackupBehaviour, InstanceSpec, Patch, VolumeSpec

FOREIGN = Path(__file__).parent / "foreign"
SCOPE = Scope("111122223333", "eu-west-1")
FIRST_SATURDAY = datetime(2026, 7, 4, 6, tzinfo=UTC)


class Account:
    """One account with two tagged servers; the backups of the second fail."""

    def __init__(self, door: WireDoor) -> None:
        self.cloud = door.cloud
        self.client = door.session(SCOPE).client
        for number, outcome in ((1, "COMPLETED"), (2, "FAILED")):
            self.cloud.component(Ec2).add_instance(SCOPE, server(number, outcome))

    def deploy(self, name: str, text: str = "") -> dict[str, str]:
        """The outputs of a stack of one of the files."""
        cloudformation = self.client("cloudformation")
        text = text or (FOREIGN / name).read_text(encoding="utf-8")
        cloudformation.create_stack(
            StackName="foreign", TemplateBody=text, Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]
        )
        stack = cloudformation.describe_stacks(StackName="foreign")["Stacks"][0]
        assert stack["StackStatus"] == "CREATE_COMPLETE", self.failures()
        return {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}

    def failures(self) -> list[Any]:
        events = self.client("cloudformation").describe_stack_events(StackName="foreign")["StackEvents"]
        return [
            (e["LogicalResourceId"], e.get("ResourceStatusReason")) for e in events if "FAILED" in e["ResourceStatus"]
        ]

    def delete(self) -> None:
        cloudformation = self.client("cloudformation")
        cloudformation.delete_stack(StackName="foreign")
        assert cloudformation.describe_stacks()["Stacks"] == [], self.failures()

    def later(self, **duration: float) -> None:
        self.cloud.kernel.run_until(self.cloud.now + timedelta(**duration))


def server(number: int, outcome: Any) -> InstanceSpec:
    return InstanceSpec(
        instance_id=f"i-{number:017x}",
        name=f"server-{number}",
        operating_system="AMAZON_LINUX_2023",
        platform_type="Linux",
        tags={"Patching": "weekly", "Backup": "true"},
        volumes=(VolumeSpec(f"vol-{number:017x}", "/dev/xvda", tags={}),),
        patches=(Patch("openssl"),),
        backup=BackupBehaviour(outcome=outcome),
    )


@pytest.fixture
def account() -> Iterator[Account]:
    with WireDoor(Cloud(COMPONENTS, start=FIRST_SATURDAY)) as door:
        yield Account(door)


def test_a_patching_window_with_a_switch(account: Account) -> None:
    window = account.deploy("patching-window.yaml")["WindowId"]
    account.later(days=8)
    ssm = account.client("ssm")
    executions = ssm.describe_maintenance_window_executions(WindowId=window)["WindowExecutions"]
    assert [(e["Status"], e["StartTime"].day) for e in executions] == [("SUCCESS", 4)]
    assert ssm.get_maintenance_window(WindowId=window)["Enabled"] is False
    states = ssm.describe_instance_patch_states(InstanceIds=[server(1, "COMPLETED").instance_id])
    assert states["InstancePatchStates"][0]["InstalledCount"] == 1
    ended = [record["result"] for record in account.cloud.history.of("FunctionEnded")]
    assert [bool(result and "true" in str(result).lower()) for result in ended] == [True, False]
    account.delete()


def test_nightly_backups(account: Account) -> None:
    account.deploy("nightly-backup.yaml")
    account.later(days=1)
    backup = account.client("backup")
    jobs = backup.list_backup_jobs(ByBackupVaultName="nightly-eu-west-1")["BackupJobs"]
    assert {job["ResourceArn"].rsplit("/")[-1]: job["State"] for job in jobs} == {
        server(1, "").instance_id: "COMPLETED",
        server(2, "").instance_id: "FAILED",
    }
    points = backup.list_recovery_points_by_backup_vault(BackupVaultName="nightly-eu-west-1")["RecoveryPoints"]
    for point in points:
        arn = point["RecoveryPointArn"]
        backup.delete_recovery_point(BackupVaultName="nightly-eu-west-1", RecoveryPointArn=arn)
    account.delete()


def test_a_vault_that_keeps_longer_than_its_plan_fails_every_backup(account: Account) -> None:
    text = (FOREIGN / "nightly-backup.yaml").read_text(encoding="utf-8")
    locked = text.replace(
        "      BackupVaultTags:", "      LockConfiguration: {MinRetentionDays: 60}\n      BackupVaultTags:"
    )
    assert locked != text
    account.deploy("", locked)
    account.later(days=1)
    backup = account.client("backup")
    described = backup.describe_backup_vault(BackupVaultName="nightly-eu-west-1")
    assert (described["Locked"], described["MinRetentionDays"]) == (True, 60)
    jobs = backup.list_backup_jobs(ByBackupVaultName="nightly-eu-west-1")["BackupJobs"]
    assert [job["State"] for job in jobs] == ["FAILED", "FAILED"]
    assert all("outside of the valid range of the lock" in job["StatusMessage"] for job in jobs)
    account.delete()


def test_a_log_bucket(account: Account) -> None:
    outputs = account.deploy("log-bucket.json")
    assert outputs == {
        "Bucket": "acme-logs-111122223333-eu-west-1",
        "Arn": "arn:aws:s3:::acme-logs-111122223333-eu-west-1",
    }
    s3 = account.client("s3")
    s3.put_object(Bucket=outputs["Bucket"], Key="a", Body=b"line")
    found = s3.get_object(Bucket=outputs["Bucket"], Key="a")
    assert (found["Body"].read(), found["ServerSideEncryption"]) == (b"line", "AES256")
    assert "OnlyTls" in s3.get_bucket_policy(Bucket=outputs["Bucket"])["Policy"]
    s3.delete_object(Bucket=outputs["Bucket"], Key="a")
    for kind in ("Versions", "DeleteMarkers"):
        for item in s3.list_object_versions(Bucket=outputs["Bucket"])[kind]:
            s3.delete_object(Bucket=outputs["Bucket"], Key="a", VersionId=item["VersionId"])
    account.delete()


def test_a_function_behind_a_rule(account: Account) -> None:
    account.deploy("nightly-report.yaml")
    account.later(hours=2)
    backup = account.client("backup")
    backup.create_backup_vault(BackupVaultName="vault")
    arn = SCOPE.arn("ec2", f"instance/{server(2, '').instance_id}")
    backup.start_backup_job(BackupVaultName="vault", ResourceArn=arn, IamRoleArn=backup_role(account))
    account.later(days=1)
    told = [record["subject"] for record in account.cloud.history.of("MessagePublished")]
    assert told == ["0 backups failed", "1 backups failed"]
    assert [record["rule"] for record in account.cloud.history.of("RuleFired")] == [told_by(account)] * 2
    account.delete()


def told_by(account: Account) -> str:
    """The physical id of the rule."""
    found = account.client("cloudformation").describe_stack_resource(StackName="foreign", LogicalResourceId="Morning")
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


def backup_role(account: Account) -> str:
    trust = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
        '"Principal": {"Service": "backup.amazonaws.com"}}]}'
    )
    iam = account.client("iam")
    arn = str(iam.create_role(RoleName="AWSBackup", AssumeRolePolicyDocument=trust)["Role"]["Arn"])
    policy = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
    iam.attach_role_policy(RoleName="AWSBackup", PolicyArn=policy)
    return arn


TABLE = """
Resources:
  Jobs:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema: [{AttributeName: id, KeyType: HASH}]
"""
REPLICATED = """
Resources:
  Logs:
    Type: AWS::S3::Bucket
    Properties: {ReplicationConfiguration: {Role: "arn:aws:iam::111122223333:role/r", Rules: []}}
"""
RUN_COMMAND = """
Resources:
  Rule:
    Type: AWS::Events::Rule
    Properties:
      ScheduleExpression: rate(1 day)
      Targets:
        - Id: patch
          Arn: !Sub "arn:aws:ssm:${AWS::Region}::document/AWS-RunPatchBaseline"
"""
MACRO = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Topic: {Type: AWS::SNS::Topic}
"""


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (TABLE, "the resource types [AWS::DynamoDB::Table]"),
        (REPLICATED, "AWS::S3::Bucket with ReplicationConfiguration (resource Logs)"),
        (MACRO, "Transform"),
    ],
)
def test_what_is_refused_before_anything_is_made(account: Account, text: str, named: str) -> None:
    cloudformation = account.client("cloudformation")
    with pytest.raises(cloudformation.exceptions.ClientError) as refusal:
        cloudformation.create_stack(StackName="foreign", TemplateBody=text)
    assert named in str(refusal.value)
    assert cloudformation.describe_stacks()["Stacks"] == []


def test_what_is_refused_by_the_service_itself(account: Account) -> None:
    account.client("cloudformation").create_stack(StackName="foreign", TemplateBody=RUN_COMMAND)
    assert "the target arn:aws:ssm:eu-west-1::document/AWS-RunPatchBaseline of a rule" in str(account.failures())
