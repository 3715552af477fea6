"""An AWS in memory, as much of it as the gate reads and writes, with small pages and faults on demand."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

Json = dict[str, Any]

ACCOUNT, REGION, WINDOW = "111111111111", "eu-central-1", "mw-0123456789abcdef0"
GATE = datetime(2026, 7, 4, 20, 30, tzinfo=UTC)
START = datetime(2026, 7, 4, 21, 0, tzinfo=UTC)
BACKUP = datetime(2026, 7, 4, 17, 5, tzinfo=UTC)
CYCLE = "20260704T203000Z"
LANE = "/patchgate/ubuntu/prd/"
VAULT = "backup-vault-ubuntu-prd-eu-central-1"
NAME = "maintenance-window-ubuntu-prd-eu-central-1"
TAGS = {"PatchGroup": "ubuntu-patch-group-prd", "ToBackupAndPatch": "true"}


def client_error(code: str, operation: str = "Operation") -> ClientError:
    """The error that the SDK raises for an error code."""
    return ClientError({"Error": {"Code": code, "Message": code}}, operation)


class FakeAws:
    """The state, and ``client`` as boto3 has it. Every list is served in pages of ``page_size``."""

    def __init__(self) -> None:
        self.now = GATE
        self.page_size = 2
        self.parameters: dict[str, str] = {LANE + "window-id": WINDOW}
        self.windows: list[Json] = [{"WindowId": WINDOW, "Name": NAME, "Enabled": False}]
        self.next_start: str | None = START.isoformat()
        self.schedule: dict[str, Any] = {"Schedule": "cron(0 21 ? * SAT *)", "ScheduleTimezone": "Etc/UTC"}
        self.instances: dict[str, Json] = {}
        self.agents: dict[str, str] = {}
        self.agent_version: str | None = "3.3.2299.0"
        self.platform = "Linux"
        self.jobs: list[Json] = []
        self.points: dict[str, Json] = {}
        self.images: dict[str, Json] = {}
        self.snapshots: dict[str, Json] = {}
        self.objects: dict[str, str] = {}
        self.messages: list[Json] = []
        self.closed_calendars: set[str] = set()
        self.schedules = {"open": "ENABLED", "close": "ENABLED"}
        self.upcoming: list[Json] = []
        self.errors: dict[str, list[ClientError]] = defaultdict(list)
        self.before: dict[str, Callable[[], None]] = {}
        self.ignored: set[str] = set()
        self.calls: list[str] = []

    def add_instance(self, name: str, *, volumes: tuple[str, ...] = ("vol-a",), state: str = "running") -> str:
        """A running target of the lane with an agent; no backup yet."""
        identifier = f"i-{name}"
        self.instances[identifier] = {
            "InstanceId": identifier,
            "State": {"Name": state},
            "RootDeviceType": "ebs",
            "Tags": [{"Key": k, "Value": v} for k, v in TAGS.items()],
            "BlockDeviceMappings": [{"Ebs": {"VolumeId": f"{v}-{name}", "Status": "attached"}} for v in volumes],
        }
        self.agents[identifier] = "Online"
        return identifier

    def add_backup(self, name: str, *, state: str = "COMPLETED", at: datetime = BACKUP, **job: Any) -> Json:
        """A job of an instance; a completed one leaves a recovery point, an image and its snapshots."""
        number = len(self.jobs)
        arn = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-{name}"
        entry: Json = {"BackupJobId": f"job-{number}", "ResourceArn": arn, "State": state, "CreationDate": at}
        if state == "COMPLETED":
            image = f"ami-{name}-{number}"
            entry |= {"MessageCategory": "SUCCESS", "RecoveryPointArn": f"arn:aws:ec2:{REGION}::image/{image}"}
            disks = []
            for mapping in self.instances[f"i-{name}"]["BlockDeviceMappings"]:
                volume = mapping["Ebs"]["VolumeId"]
                snapshot = f"snap-{volume}-{number}"
                self.snapshots[snapshot] = {
                    "SnapshotId": snapshot,
                    "VolumeId": volume,
                    "State": "completed",
                    "StartTime": at,
                }
                disks.append({"Ebs": {"SnapshotId": snapshot}})
            self.images[image] = {
                "ImageId": image,
                "State": "available",
                "BlockDeviceMappings": [*disks, {"VirtualName": "ephemeral0"}],
            }
            point = {"BackupVaultName": VAULT, "Status": "COMPLETED", "ResourceArn": arn}
            self.points[entry["RecoveryPointArn"]] = point
        self.jobs.append(entry | job)
        return self.jobs[-1]

    def protect(self, *names: str, **instance: Any) -> None:
        """Instances with a completed backup each."""
        for name in names:
            self.add_instance(name, **instance)
            self.add_backup(name)

    def client(self, service: str, **_: Any) -> FakeClient:
        """As ``boto3.client``."""
        return FakeClient(self, service)

    def window(self) -> Json:
        """The lane's window."""
        return self.windows[0]


class FakeClient:
    """One service; operations are the functions below, named ``service_operation``."""

    def __init__(self, aws: FakeAws, service: str) -> None:
        self.aws, self.service = aws, service
        self.exceptions = SimpleNamespace(ParameterAlreadyExists=ParameterAlreadyExistsError)

    def __getattr__(self, operation: str) -> Callable[..., Json]:
        def call(**params: Any) -> Json:
            self.aws.calls.append(operation)
            if hook := self.aws.before.pop(operation, None):
                hook()
            if self.aws.errors[operation]:
                raise self.aws.errors[operation].pop(0)
            return OPERATIONS[f"{self.service}_{operation}"](self.aws, **params)

        return call

    def get_paginator(self, operation: str) -> FakePaginator:
        return FakePaginator(self, operation)


class FakePaginator:
    """Splits what an operation answers into pages; an empty answer is one empty page."""

    def __init__(self, client: FakeClient, operation: str) -> None:
        self.client, self.operation = client, operation

    def paginate(self, *, PaginationConfig: Json | None = None, **params: Any) -> Iterator[Json]:  # noqa: N803
        ((key, items),) = getattr(self.client, self.operation)(**params).items()
        size = self.client.aws.page_size
        for start in range(0, len(items) or 1, size):
            yield {key: items[start : start + size]}


class ParameterAlreadyExistsError(ClientError):  # type: ignore[misc]
    """As ``client.exceptions.ParameterAlreadyExists``."""


def _get_parameter(aws: FakeAws, Name: str) -> Json:  # noqa: N803
    if Name not in aws.parameters:
        raise client_error("ParameterNotFound", "GetParameter")
    return {"Parameter": {"Name": Name, "Value": aws.parameters[Name]}}


def _get_parameters(aws: FakeAws, Names: list[str]) -> Json:  # noqa: N803
    found = [{"Name": name, "Value": aws.parameters[name]} for name in Names if name in aws.parameters]
    return {"Parameters": found, "InvalidParameters": [name for name in Names if name not in aws.parameters]}


def _by_path(aws: FakeAws, Path: str, Recursive: bool) -> Json:  # noqa: N803
    assert Recursive
    found = [{"Name": n, "Value": v} for n, v in sorted(aws.parameters.items()) if n.startswith(Path)]
    return {"Parameters": found}


def _put_parameter(aws: FakeAws, Name: str, Value: str, Type: str, Overwrite: bool) -> Json:  # noqa: N803
    assert Type == "String"
    assert len(Value.encode()) <= 4096
    if Name in aws.parameters and not Overwrite:
        raise ParameterAlreadyExistsError({"Error": {"Code": "ParameterAlreadyExists"}}, "PutParameter")
    if "put_parameter" not in aws.ignored:
        aws.parameters[Name] = Value
    return {"Version": 1}


def _delete_parameter(aws: FakeAws, Name: str) -> Json:  # noqa: N803
    del aws.parameters[Name]
    return {}


def _schedule(aws: FakeAws, Name: str, GroupName: str) -> Json:  # noqa: N803
    assert GroupName == "patchgate-ubuntu-prd"
    return {"State": aws.schedules[Name]}


def _windows(aws: FakeAws, Filters: list[Json]) -> Json:  # noqa: N803
    (only,) = Filters
    assert only["Key"] == "Name"
    # AWS filters by a prefix here: names that merely begin alike come too.
    return {"WindowIdentities": [w for w in aws.windows if w["Name"].startswith(only["Values"][0])]}


def _get_window(aws: FakeAws, WindowId: str) -> Json:  # noqa: N803
    (window,) = (w for w in aws.windows if w["WindowId"] == WindowId)
    answer = window | {"Duration": 3, "Cutoff": 1} | aws.schedule
    return answer | ({"NextExecutionTime": aws.next_start} if window["Enabled"] and aws.next_start else {})


def _update_window(aws: FakeAws, WindowId: str, Enabled: bool) -> Json:  # noqa: N803
    (window,) = (w for w in aws.windows if w["WindowId"] == WindowId)
    if "update_maintenance_window" not in aws.ignored:
        window["Enabled"] = Enabled
    return {}


def _instances(aws: FakeAws, Filters: list[Json]) -> Json:  # noqa: N803
    chosen = []
    for instance in aws.instances.values():
        tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
        facts = {f"tag:{k}": v for k, v in tags.items()} | {"instance-state-name": instance["State"]["Name"]}
        facts["instance-id"] = instance["InstanceId"]
        if all(facts.get(f["Name"]) in f["Values"] for f in Filters):
            chosen.append({"Instances": [instance]})
    return {"Reservations": chosen}


def _agents(aws: FakeAws, Filters: list[Json]) -> Json:  # noqa: N803
    (only,) = Filters
    if only["Key"] == "tag:PatchGroup":
        assert only["Values"] == [TAGS["PatchGroup"]]
    found = {i: s for i, s in aws.agents.items() if only["Key"] != "InstanceIds" or i in only["Values"]}
    version = aws.agent_version
    return {
        "InstanceInformationList": [
            {"InstanceId": i, "PingStatus": s, "PlatformType": aws.platform}
            | ({"AgentVersion": version} if version else {})
            for i, s in found.items()
        ]
    }


def _jobs(
    aws: FakeAws,
    ByBackupVaultName: str,  # noqa: N803
    ByCreatedAfter: datetime | None = None,  # noqa: N803
    ByResourceArn: str | None = None,  # noqa: N803
) -> Json:
    assert ByBackupVaultName == VAULT
    since = ByCreatedAfter or aws.now - timedelta(days=30)
    found = [j for j in aws.jobs if j["CreationDate"] > since and ByResourceArn in (None, j["ResourceArn"])]
    return {"BackupJobs": found}


def _points(aws: FakeAws, ResourceArn: str) -> Json:  # noqa: N803
    found = [p | {"RecoveryPointArn": arn} for arn, p in aws.points.items() if p["ResourceArn"] == ResourceArn]
    return {"RecoveryPoints": found}


def _point(aws: FakeAws, BackupVaultName: str, RecoveryPointArn: str) -> Json:  # noqa: N803
    assert aws.points[RecoveryPointArn]["BackupVaultName"] == BackupVaultName
    return aws.points[RecoveryPointArn]


def _images(aws: FakeAws, Filters: list[Json]) -> Json:  # noqa: N803
    return {"Images": [aws.images[i] for i in Filters[0]["Values"] if i in aws.images]}


def _snapshots(aws: FakeAws, Filters: list[Json]) -> Json:  # noqa: N803
    assert Filters[0]["Values"]
    return {"Snapshots": [aws.snapshots[i] for i in Filters[0]["Values"] if i in aws.snapshots]}


def _calendar(aws: FakeAws, CalendarNames: list[str], AtTime: str) -> Json:  # noqa: N803
    assert AtTime.endswith("Z")
    return {"State": "CLOSED" if aws.closed_calendars & set(CalendarNames) else "OPEN"}


def _put_object(aws: FakeAws, Bucket: str, Key: str, Body: bytes) -> Json:  # noqa: N803
    assert Bucket == "log-bucket"
    aws.objects[Key] = Body.decode()
    return {}


def _get_object(aws: FakeAws, Bucket: str, Key: str) -> Json:  # noqa: N803
    assert Bucket == "log-bucket"
    if Key not in aws.objects:
        raise client_error("NoSuchKey", "GetObject")
    return {"Body": io.BytesIO(aws.objects[Key].encode())}


def _list_objects(aws: FakeAws, Bucket: str, Prefix: str) -> Json:  # noqa: N803
    assert Bucket == "log-bucket"
    return {"Contents": [{"Key": key} for key in sorted(aws.objects) if key.startswith(Prefix)]}


def _publish(aws: FakeAws, **message: Any) -> Json:
    assert len(message["Message"].encode()) <= 262_144
    assert len(message["Subject"]) <= 100
    aws.messages.append(message)
    return {}


OPERATIONS: dict[str, Callable[..., Json]] = {
    "ssm_get_parameter": _get_parameter,
    "ssm_get_parameters": _get_parameters,
    "ssm_get_parameters_by_path": _by_path,
    "ssm_put_parameter": _put_parameter,
    "ssm_delete_parameter": _delete_parameter,
    "ssm_describe_maintenance_windows": _windows,
    "ssm_get_maintenance_window": _get_window,
    "ssm_update_maintenance_window": _update_window,
    "ssm_describe_maintenance_window_schedule": lambda aws, **_: {"ScheduledWindowExecutions": aws.upcoming},
    "ssm_describe_instance_information": _agents,
    "ssm_get_calendar_state": _calendar,
    "scheduler_get_schedule": _schedule,
    "ec2_describe_instances": _instances,
    "ec2_describe_images": _images,
    "ec2_describe_snapshots": _snapshots,
    "backup_list_backup_jobs": _jobs,
    "backup_list_recovery_points_by_resource": _points,
    "backup_describe_recovery_point": _point,
    "s3_put_object": _put_object,
    "s3_get_object": _get_object,
    "s3_list_objects_v2": _list_objects,
    "sns_publish": _publish,
}

ENVIRONMENT = {
    "OPERATING_SYSTEM": "ubuntu",
    "ENVIRONMENT": "prd",
    "BACKUP_VAULT_NAME": VAULT,
    "MAINTENANCE_WINDOW_NAME": NAME,
    "GATE_MODE": "coverage",
    "BACKUP_JOB_THRESHOLD": "3",
    "MINIMUM_COVERAGE_PERCENT": "80",
    "LOOK_BACK_HOURS": "12",
    "MAXIMUM_LEAD_MINUTES": "180",
    "BACKUP_RESOURCES": "instances",
    "FREEZE_CALENDARS": "",
    "WAIVED_MESSAGE_CATEGORIES": "",
    "LOG_BUCKET": "log-bucket",
    "TOPIC_ARN": f"arn:aws:sns:{REGION}:{ACCOUNT}:patchgate-ubuntu-prd",
    "GATE_HASH": "0123456789abcdef",
    "OPEN_SCHEDULE_NAME": "open",
    "CLOSE_SCHEDULE_NAME": "close",
    "SCHEDULE_GROUP": "patchgate-ubuntu-prd",
}
CONTEXT = SimpleNamespace(invoked_function_arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:patchgate-open-ubuntu-prd")


def install(aws: FakeAws, module: Any, monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
    """Give a gate script this AWS, this clock and this environment."""

    class FakeDatetime(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return aws.now.astimezone(tz)

    monkeypatch.setattr(module, "boto3", SimpleNamespace(client=aws.client))
    monkeypatch.setattr(module, "datetime", FakeDatetime)
    for key, value in (ENVIRONMENT | environment).items():
        monkeypatch.setenv(key, value)
