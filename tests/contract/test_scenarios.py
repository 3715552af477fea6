"""One small script for each component, through boto3 and the wire door, which holds every answer to botocore's model.

``SCENARIOS`` is all there is to extend: a function that uses its component as a client would.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.organizations import (
    Organization,
    OrganizationAccount,
    OrganizationalUnit,
    Organizations,
)
from patchgate.emulator.wire import WireDoor
from patchgate.emulator.world import InstanceSpec, Patch, VolumeSpec

SCOPE = Scope("111122223333", "eu-west-1")
INSTANCE, VOLUME = "i-0123456789abcdef0", "vol-0123456789abcdef0"
START = datetime(2026, 7, 4, 12, tzinfo=UTC)


def policy(statement: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statement}


class Place:
    """A Region with one instance in it, and boto3's clients of it."""

    def __init__(self, door: WireDoor) -> None:
        self.door = door
        self.cloud = door.cloud
        self.client = door.session(SCOPE).client
        self.cloud.component(Ec2).add_instance(
            SCOPE,
            InstanceSpec(
                instance_id=INSTANCE,
                name="web",
                operating_system="AMAZON_LINUX_2023",
                platform_type="Linux",
                tags={"PatchGroup": "group", "Name": "web"},
                volumes=(VolumeSpec(VOLUME, "/dev/xvda"),),
                patches=(Patch("openssl"),),
            ),
        )

    def role(self, name: str, service: str) -> str:
        """The ARN of a new role that a service may assume and that may do everything."""
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        trust = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
        iam = self.client("iam")
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(policy(trust)))["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(policy(everything)))
        return arn

    def later(self, **duration: float) -> None:
        self.cloud.kernel.run_until(self.cloud.now + timedelta(**duration))


def parameters(place: Place) -> None:
    ssm = place.client("ssm")
    assert ssm.put_parameter(Name="/a/b", Value="1", Type="String")["Version"] == 1
    with pytest.raises(ssm.exceptions.ParameterAlreadyExists):
        ssm.put_parameter(Name="/a/b", Value="2", Type="String")
    ssm.put_parameter(Name="/a/c", Value="3", Type="String")
    found = ssm.get_parameter(Name="/a/b")["Parameter"]
    assert (found["Value"], found["LastModifiedDate"]) == ("1", place.cloud.now)
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path="/a", PaginationConfig={"PageSize": 1})
    assert [p["Name"] for page in pages for p in page["Parameters"]] == ["/a/b", "/a/c"]
    answer = ssm.get_parameters(Names=["/a/b", "/none"])
    assert answer["InvalidParameters"] == ["/none"]
    assert ssm.delete_parameters(Names=["/a/b", "/a/c"])["DeletedParameters"] == ["/a/b", "/a/c"]
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name="/a/b")


def instances(place: Place) -> None:
    ec2 = place.client("ec2")
    filters = [{"Name": "tag:PatchGroup", "Values": ["group"]}]
    pages = list(ec2.get_paginator("describe_instances").paginate(Filters=filters))
    found = [i for page in pages for r in page["Reservations"] for i in r["Instances"]]
    assert [i["InstanceId"] for i in found] == [INSTANCE]
    assert [m["Ebs"]["VolumeId"] for m in found[0]["BlockDeviceMappings"]] == [VOLUME]
    volumes = ec2.describe_volumes(VolumeIds=[VOLUME])["Volumes"]
    assert volumes[0]["Attachments"][0]["InstanceId"] == INSTANCE
    place.later(minutes=10)
    ec2.create_tags(Resources=[INSTANCE], Tags=[{"Key": "k", "Value": "<v> & w"}])
    tags = ec2.describe_instances(InstanceIds=[INSTANCE])["Reservations"][0]["Instances"][0]["Tags"]
    assert {"Key": "k", "Value": "<v> & w"} in tags
    ec2.stop_instances(InstanceIds=[INSTANCE])
    assert ec2.describe_images(Filters=[{"Name": "image-id", "Values": ["ami-0"]}])["Images"] == []
    assert ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []


def backups(place: Place) -> None:
    backup = place.client("backup")
    arn = SCOPE.arn("ec2", f"instance/{INSTANCE}")
    backup.create_backup_vault(BackupVaultName="vault")
    role = place.role("AWSBackup", "backup")
    started = backup.start_backup_job(BackupVaultName="vault", ResourceArn=arn, IamRoleArn=role)
    place.later(hours=2)
    job = backup.describe_backup_job(BackupJobId=started["BackupJobId"])
    assert job["State"] == "COMPLETED"
    since = START - timedelta(hours=1)
    listed = backup.list_backup_jobs(ByBackupVaultName="vault", ByCreatedAfter=since)["BackupJobs"]
    assert [j["BackupJobId"] for j in listed] == [started["BackupJobId"]]
    points = backup.list_recovery_points_by_resource(ResourceArn=arn)["RecoveryPoints"]
    point = backup.describe_recovery_point(BackupVaultName="vault", RecoveryPointArn=points[0]["RecoveryPointArn"])
    assert point["ResourceArn"] == arn
    image = point["RecoveryPointArn"].rsplit("/", 1)[-1]
    mapping = place.client("ec2").describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"]
    snapshot = place.client("ec2").describe_snapshots(SnapshotIds=[mapping[0]["Ebs"]["SnapshotId"]])
    assert snapshot["Snapshots"][0]["VolumeId"] == VOLUME


def inventory(place: Place) -> None:
    ssm = place.client("ssm")
    filters = [{"Key": "InstanceIds", "Values": [INSTANCE]}]
    known = ssm.describe_instance_information(Filters=filters)["InstanceInformationList"]
    assert [(i["InstanceId"], i["PingStatus"]) for i in known] == [(INSTANCE, "Online")]


def baselines(place: Place) -> None:
    ssm = place.client("ssm")
    rules = {
        "PatchRules": [
            {
                "PatchFilterGroup": {"PatchFilters": [{"Key": "CLASSIFICATION", "Values": ["Security"]}]},
                "ApproveAfterDays": 0,
            }
        ]
    }
    made = ssm.create_patch_baseline(Name="baseline", OperatingSystem="AMAZON_LINUX_2023", ApprovalRules=rules)
    ssm.register_patch_baseline_for_patch_group(BaselineId=made["BaselineId"], PatchGroup="group")
    found = ssm.get_patch_baseline_for_patch_group(PatchGroup="group", OperatingSystem="AMAZON_LINUX_2023")
    assert found["BaselineId"] == made["BaselineId"]


def commands(place: Place) -> None:
    ssm = place.client("ssm")
    sent = ssm.send_command(
        DocumentName="AWS-RunPatchBaseline", InstanceIds=[INSTANCE], Parameters={"Operation": ["Scan"]}
    )["Command"]
    place.later(hours=1)
    ended = ssm.get_command_invocation(CommandId=sent["CommandId"], InstanceId=INSTANCE)
    assert ended["Status"] == "Success"
    states = ssm.describe_instance_patch_states(InstanceIds=[INSTANCE])["InstancePatchStates"]
    assert states[0]["MissingCount"] == 1


def windows(place: Place) -> None:
    ssm = place.client("ssm")
    window = ssm.create_maintenance_window(
        Name="window", Schedule="cron(0 23 ? * 7 *)", Duration=3, Cutoff=1, AllowUnassociatedTargets=False
    )["WindowId"]
    target = ssm.register_target_with_maintenance_window(
        WindowId=window,
        ResourceType="INSTANCE",
        Targets=[{"Key": "tag:PatchGroup", "Values": ["group"]}],
    )["WindowTargetId"]
    ssm.register_task_with_maintenance_window(
        WindowId=window,
        Targets=[{"Key": "WindowTargetIds", "Values": [target]}],
        TaskArn="AWS-RunPatchBaseline",
        TaskType="RUN_COMMAND",
        MaxConcurrency="100%",
        MaxErrors="100%",
        TaskInvocationParameters={"RunCommand": {"Parameters": {"Operation": ["Scan"]}}},
    )
    assert ssm.get_maintenance_window(WindowId=window)["NextExecutionTime"] == "2026-07-04T23:00Z"
    place.later(hours=12)
    ended = ssm.describe_maintenance_window_executions(WindowId=window)["WindowExecutions"]
    assert [execution["Status"] for execution in ended] == ["SUCCESS"]
    tasks = ssm.describe_maintenance_window_execution_tasks(WindowExecutionId=ended[0]["WindowExecutionId"])
    assert [task["TaskArn"] for task in tasks["WindowExecutionTaskIdentities"]] == ["AWS-RunPatchBaseline"]
    ssm.update_maintenance_window(WindowId=window, Enabled=False)
    pages = ssm.get_paginator("describe_maintenance_windows").paginate()
    listed = [w for page in pages for w in page["WindowIdentities"]]
    assert [(w["Name"], w["Enabled"], w.get("NextExecutionTime")) for w in listed] == [("window", False, None)]


def calendars(place: Place) -> None:
    ssm = place.client("ssm")
    head = ["BEGIN:VCALENDAR", "PRODID:-//AWS//Change Calendar 1.0//EN", "VERSION:2.0"]
    event = ["BEGIN:VEVENT", "DTSTART:20260704T220000Z", "DTEND:20260705T060000Z", "SUMMARY:freeze", "END:VEVENT"]

    def text(default: str) -> str:
        return "\r\n".join([*head, f"X-CALENDAR-TYPE:{default}", *event, "END:VCALENDAR"])

    named: dict[str, Any] = {"Name": "freeze", "DocumentFormat": "TEXT"}
    ssm.create_document(Content=text("DEFAULT_OPEN"), DocumentType="ChangeCalendar", **named)
    at = {"CalendarNames": ["freeze"], "AtTime": "2026-07-04T23:00:00Z"}
    assert ssm.get_calendar_state(**at)["State"] == "CLOSED"
    ssm.update_document(Content=text("DEFAULT_CLOSED"), DocumentVersion="$LATEST", **named)
    assert ssm.get_calendar_state(**at)["State"] == "OPEN"
    ssm.delete_document(Name="freeze")
    with pytest.raises(ssm.exceptions.InvalidDocument):
        ssm.get_calendar_state(**at)
    said = list(place.cloud.history.of("CalendarChanged", "CalendarDeleted"))
    assert [record.get("default") for record in said] == ["OPEN", "CLOSED", None]
    assert said[0]["exceptions"] == [["2026-07-04T22:00:00.000Z", "2026-07-05T06:00:00.000Z"]]


def automations(place: Place) -> None:
    ssm = place.client("ssm")
    content = {
        "schemaVersion": "0.3",
        "parameters": {"InstanceId": {"type": "String"}},
        "mainSteps": [
            {
                "name": "scan",
                "action": "aws:runCommand",
                "inputs": {
                    "DocumentName": "AWS-RunPatchBaseline",
                    "InstanceIds": ["{{InstanceId}}"],
                    "Parameters": {"Operation": ["Scan"]},
                },
                "isEnd": True,
            }
        ],
    }
    ssm.create_document(Name="scan", DocumentType="Automation", Content=json.dumps(content))
    started = ssm.start_automation_execution(DocumentName="scan", Parameters={"InstanceId": [INSTANCE]})
    place.later(hours=1)
    ended = ssm.get_automation_execution(AutomationExecutionId=started["AutomationExecutionId"])
    assert ended["AutomationExecution"]["AutomationExecutionStatus"] == "Success"
    steps = ended["AutomationExecution"]["StepExecutions"]
    assert [(step["StepName"], step["StepStatus"]) for step in steps] == [("scan", "Success")]


def stacks(place: Place) -> None:
    cloudformation = place.client("cloudformation")
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}
    body = {"Resources": {"Topic": topic}, "Outputs": {"Arn": {"Value": {"Ref": "Topic"}}}}
    cloudformation.create_stack(StackName="stack", TemplateBody=json.dumps(body))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="stack")
    stack = cloudformation.describe_stacks(StackName="stack")["Stacks"][0]
    arn = SCOPE.arn("sns", "t")
    assert stack["Outputs"] == [{"OutputKey": "Arn", "OutputValue": arn}]
    pages = list(cloudformation.get_paginator("list_stack_resources").paginate(StackName="stack"))
    assert [r["PhysicalResourceId"] for page in pages for r in page["StackResourceSummaries"]] == [arn]
    assert place.client("sns").list_topics()["Topics"] == [{"TopicArn": arn}]
    cloudformation.delete_stack(StackName="stack")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="stack")
    assert place.client("sns").list_topics()["Topics"] == []


def stack_sets(place: Place) -> None:
    member = "222233334444"
    unit = OrganizationalUnit("ou-root-units001", "unit")
    accounts = (OrganizationAccount(member, "member", unit.id),)
    organization = Organization("o-abcdefghij", SCOPE.account, (unit,), accounts)
    place.cloud.component(Organizations).establish(organization)
    children = place.client("organizations").list_children(ParentId=unit.id, ChildType="ACCOUNT")["Children"]
    assert [child["Id"] for child in children] == [member]
    cloudformation = place.client("cloudformation")
    body = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}}}
    cloudformation.create_stack_set(
        StackSetName="set", TemplateBody=json.dumps(body), PermissionModel="SERVICE_MANAGED"
    )
    where = {"DeploymentTargets": {"OrganizationalUnitIds": [unit.id]}, "Regions": ["eu-central-1"]}
    cloudformation.create_stack_instances(StackSetName="set", **where)
    with pytest.raises(cloudformation.exceptions.OperationInProgressException):
        cloudformation.update_stack_set(StackSetName="set", UsePreviousTemplate=True)
    place.later(hours=1)
    pages = cloudformation.get_paginator("list_stack_instances").paginate(StackSetName="set")
    assert [item["Status"] for page in pages for item in page["Summaries"]] == ["CURRENT"]
    there = place.door.session(member, "eu-central-1").client("sns").list_topics()["Topics"]
    assert [topic["TopicArn"] for topic in there] == [f"arn:aws:sns:eu-central-1:{member}:t"]
    cloudformation.delete_stack_instances(StackSetName="set", RetainStacks=False, **where)
    place.later(hours=1)
    cloudformation.delete_stack_set(StackSetName="set")


def deploy_function(place: Place, name: str, code: str) -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("index.py", code)
    made = place.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=place.role(name, "lambda"),
        Handler="index.handler",
        Timeout=60,
        Code={"ZipFile": archive.getvalue()},
    )
    return str(made["FunctionArn"])


def schedules(place: Place) -> None:
    code = """
import boto3
def handler(event, context):
    boto3.client("ssm").put_parameter(Name="/fired", Value=event["at"], Type="String")
"""
    scheduler = place.client("scheduler")
    scheduler.create_schedule_group(Name="group")
    scheduler.create_schedule(
        Name="open",
        GroupName="group",
        ScheduleExpression="cron(30 22 ? * 7 *)",
        ScheduleExpressionTimezone="Europe/Dublin",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": deploy_function(place, "fired", code),
            "RoleArn": place.role("scheduler", "scheduler"),
            "Input": '{"at": "<aws.scheduler.scheduled-time>"}',
        },
    )
    found = scheduler.get_schedule(Name="open", GroupName="group")
    assert found["ScheduleExpressionTimezone"] == "Europe/Dublin"
    place.later(hours=12)
    fired = place.client("ssm").get_parameter(Name="/fired")["Parameter"]["Value"]
    assert fired == "2026-07-04T21:30:00Z"
    scheduler.delete_schedule(Name="open", GroupName="group")
    with pytest.raises(scheduler.exceptions.ResourceNotFoundException):
        scheduler.get_schedule(Name="open", GroupName="group")


def functions(place: Place) -> None:
    code = """
import boto3, time
def handler(event, context):
    client = boto3.client("ssm")
    client.put_parameter(Name="/from/function", Value=event["say"], Type="String")
    time.sleep(20)
    return {"said": client.get_parameter(Name="/from/function")["Parameter"]["Value"]}
"""
    deploy_function(place, "speaker", code)
    client = place.client("lambda")
    began = place.cloud.now
    answer = client.invoke(FunctionName="speaker", Payload=b'{"say": "hello"}')
    assert (answer["StatusCode"], json.load(answer["Payload"])) == (200, {"said": "hello"})
    assert place.cloud.now - began >= timedelta(seconds=20)
    asynchronous = client.invoke(FunctionName="speaker", InvocationType="Event", Payload=b'{"say": "x"}')
    assert asynchronous["StatusCode"] == 202
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName="nobody", Payload=b"{}")


SCENARIOS: tuple[Callable[[Place], None], ...] = (
    parameters,
    instances,
    backups,
    inventory,
    baselines,
    commands,
    windows,
    calendars,
    automations,
    stacks,
    stack_sets,
    functions,
    schedules,
)


@pytest.fixture
def place() -> Iterator[Place]:
    with WireDoor(Cloud(COMPONENTS, start=START)) as door:
        yield Place(door)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_scenario(scenario: Callable[[Place], None], place: Place) -> None:
    scenario(place)
