"""``patchgate emulator``, as a person starts it, and boto3 over HTTP as its client."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.serving import Served, command_of, served

from .conftest import ACCOUNT, PLAIN, REGION, WORLD

TEMPLATES = Path(__file__).parents[2] / "templates"
LANE = {"TargetOperatingSystem": "ubuntu", "Environment": "prd"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("world")
    (directory / "world.yaml").write_text(WORLD.replace("INSTANCES", PLAIN), encoding="utf-8")
    return directory


@pytest.fixture(scope="module")
def server(world: Path) -> Iterator[Served]:
    with served("--world", str(world), "--start", "2026-07-10T12:00Z", "--seed", "1") as server:
        yield server


@pytest.fixture
def fresh(server: Served) -> Served:
    server.ask("reset", {})
    return server


class Aws:
    """boto3's clients of an account, over HTTP."""

    def __init__(self, server: Served, key: str = "") -> None:
        self._url = server.url
        key = key or server.settings["AWS_ACCESS_KEY_ID"]
        self._session = boto3.Session(key, "any", region_name=server.settings["AWS_DEFAULT_REGION"])

    def client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self._url)

    def deploy(self, template: str, **parameters: str) -> dict[str, str]:
        """Create a stack of the template and return its outputs."""
        cloudformation = self.client("cloudformation")
        cloudformation.create_stack(
            StackName=template,
            TemplateBody=(TEMPLATES / f"{template}.yaml").read_text(encoding="utf-8"),
            Parameters=[{"ParameterKey": name, "ParameterValue": text} for name, text in parameters.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        cloudformation.get_waiter("stack_create_complete").wait(StackName=template)
        (stack,) = cloudformation.describe_stacks(StackName=template)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def test_it_says_what_to_export(server: Served) -> None:
    assert server.url.startswith("http://127.0.0.1:")
    assert server.settings == {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": f"AKIA{ACCOUNT}",
        "AWS_SECRET_ACCESS_KEY": "patchgate",
        "AWS_DEFAULT_REGION": REGION,
    }
    assert Aws(server).client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"


def test_a_cycle_of_the_three_templates(fresh: Served) -> None:
    aws = Aws(fresh)
    bucket = aws.deploy("aws-create-s3-stack", PrincipalOrgID="o-a1b2c3d4e5", **LANE)["BucketName"]
    window = aws.deploy("aws-backup-and-patch-stackset", S3Bucket=bucket, **LANE)["MaintenanceWindowId"]
    aws.deploy("aws-monitoring-backup-stackset", S3Bucket=bucket, **LANE)
    fresh.advance_to("2026-07-12T12:00:00Z")
    jobs = aws.client("backup").list_backup_jobs()["BackupJobs"]
    assert [job["State"] for job in jobs] == ["COMPLETED"] * 4
    executions = aws.client("ssm").describe_maintenance_window_executions(WindowId=window)["WindowExecutions"]
    assert [execution["Status"] for execution in executions] == ["SUCCESS"]
    objects = aws.client("s3").list_objects_v2(Bucket=bucket, Prefix="evidence/")["Contents"]
    assert len(objects) == 5
    assert len([record for record in fresh.history() if record["event"] == "InstanceRebooted"]) == 4


def test_the_same_seed_is_the_same_aws(fresh: Served) -> None:
    put = {"Name": "/a", "Value": "1", "Type": "String"}
    histories = []
    for _ in range(2):
        fresh.ask("reset", {})
        Aws(fresh).client("ssm").put_parameter(**put)
        Aws(fresh).client("ssm").create_maintenance_window(
            Name="nightly",
            Schedule="rate(1 day)",
            Duration=2,
            Cutoff=0,
            AllowUnassociatedTargets=True,
            ClientToken="token",
        )
        fresh.advance_to("2026-07-14T00:00:00Z")
        histories.append(fresh.history())
    assert histories[0] == histories[1]
    assert len(histories[0]) > 6


def test_accounts_and_regions_are_apart(fresh: Served) -> None:
    Aws(fresh, "AKIA444455556666").client("ssm").put_parameter(Name="/a", Value="1", Type="String")
    with pytest.raises(ClientError, match="ParameterNotFound"):
        Aws(fresh).client("ssm").get_parameter(Name="/a")


def test_a_role_that_was_assumed_is_of_its_account(fresh: Served) -> None:
    trust = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}'
    )
    Aws(fresh, "444455556666").client("iam").create_role(RoleName="audit", AssumeRolePolicyDocument=trust)
    sts = Aws(fresh).client("sts")
    handed_out = sts.assume_role(RoleArn="arn:aws:iam::444455556666:role/audit", RoleSessionName="me")["Credentials"]
    assert Aws(fresh, handed_out["AccessKeyId"]).client("sts").get_caller_identity()["Account"] == "444455556666"


def test_a_stack_set_reaches_the_accounts_of_the_world(fresh: Served) -> None:
    cloudformation = Aws(fresh, "AKIA999999999999").client("cloudformation")
    cloudformation.create_stack_set(
        StackSetName="logs",
        TemplateBody=(TEMPLATES / "aws-create-s3-stack.yaml").read_text(encoding="utf-8"),
        Parameters=[
            {"ParameterKey": name, "ParameterValue": text}
            for name, text in ({"PrincipalOrgID": "o-a1b2c3d4e5"} | LANE).items()
        ],
        Capabilities=["CAPABILITY_NAMED_IAM"],
        PermissionModel="SERVICE_MANAGED",
        AutoDeployment={"Enabled": False},
    )
    operation = cloudformation.create_stack_instances(
        StackSetName="logs", DeploymentTargets={"OrganizationalUnitIds": ["r-root"]}, Regions=[REGION]
    )["OperationId"]
    fresh.ask("clock", {"advance": "PT1H"})
    asked = cloudformation.describe_stack_set_operation(StackSetName="logs", OperationId=operation)
    assert asked["StackSetOperation"]["Status"] == "SUCCEEDED"
    (bucket,) = Aws(fresh).client("s3").list_buckets()["Buckets"]
    assert bucket["Name"].startswith("aws-mgt-patching-logs-ubuntu-prd-")


def test_a_world_is_loaded_while_it_runs(fresh: Served) -> None:
    text = WORLD.replace("INSTANCES", "{name: later, happenings: [{after_hours: 1, state: stopped}]}")
    assert fresh.ask("world", text=text) == (200, {"instances": 1})
    fresh.ask("clock", {"advance": "PT2H"})
    reservations = Aws(fresh).client("ec2").describe_instances()["Reservations"]
    states = {tag["Value"]: i["State"]["Name"] for r in reservations for i in r["Instances"] for tag in i["Tags"]}
    assert states["later"] == "stopped"
    assert states["a"] == "running"
    status, answer = fresh.ask("world", text=text)
    assert (status, answer["error"]) == (400, f"instance 'later' of {ACCOUNT}/{REGION} is there already")
    status, answer = fresh.ask("world", text="version: 2")
    assert status == 400
    assert "world:1" in answer["error"]


def test_a_port_in_use_is_one_line(server: Served) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            command_of("--port", str(port)), capture_output=True, text=True, encoding="utf-8", check=False
        )
    assert done.returncode == 2
    first, remedy = done.stderr.splitlines()
    assert first.startswith(f"patchgate: cannot listen on 127.0.0.1 port {port}: ")
    assert "--port 0" in remedy
    assert not done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to whole consoles only")
def test_ctrl_c_stops_it_also_while_the_clock_runs() -> None:
    with served() as server, ThreadPoolExecutor(1) as pool:
        Aws(server).client("ssm").create_maintenance_window(
            Name="often", Schedule="rate(5 minutes)", Duration=1, Cutoff=0, AllowUnassociatedTargets=True
        )
        moving = pool.submit(server.ask, "clock", {"advance": "P36500D"})
        while server.ask("health")[0] != 200 or not moving.running():
            pass
        with pytest.raises(subprocess.TimeoutExpired):
            server.process.wait(0.5)
        server.process.send_signal(signal.SIGINT)
        assert moving.result()[0] == 503
        assert server.process.wait(20) == 0
        assert server.process.stderr is not None
        assert server.process.stderr.read().splitlines()[-1] == "stopped"
