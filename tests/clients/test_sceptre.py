"""The real sceptre launches the three templates, wired by their outputs, and deletes them after a cycle."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.serving import Served

from .conftest import AFTER_THE_CYCLE, REGION, TEMPLATES, Tool

PROJECT = {
    "config/config.yaml": f"project_code: patchgate\nregion: {REGION}\n",
    "config/prd/logs.yaml": """\
template: {path: aws-create-s3-stack.yaml, type: file}
parameters:
  PrincipalOrgID: o-a1b2c3d4e5
  TargetOperatingSystem: ubuntu
  Environment: prd
""",
    "config/prd/patch.yaml": """\
template: {path: aws-backup-and-patch-stackset.yaml, type: file}
parameters:
  S3Bucket: !stack_output prd/logs.yaml::BucketName
  TargetOperatingSystem: ubuntu
  Environment: prd
""",
    "config/prd/monitoring.yaml": """\
template: {path: aws-monitoring-backup-stackset.yaml, type: file}
parameters:
  S3Bucket: !stack_output prd/logs.yaml::BucketName
  BackupVaultName: !stack_output prd/patch.yaml::BackupVaultName
  MaintenanceWindowName: !stack_output prd/patch.yaml::MaintenanceWindowName
  TargetOperatingSystem: ubuntu
  Environment: prd
  MinimumCoveragePercent: "60"
""",
}


@pytest.fixture(scope="module")
def launched(sceptre: Tool, home: Path, server: Served) -> dict[str, dict[str, str]]:
    """Stack -> its outputs, a cycle after ``sceptre launch``."""
    for name, text in PROJECT.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    shutil.copytree(TEMPLATES, home / "templates")
    sceptre.run("--no-colour", "launch", "-y", "prd")
    server.advance_to(AFTER_THE_CYCLE)
    listed = json.loads(sceptre.run("--no-colour", "--output", "json", "list", "outputs", "prd"))
    return {
        stack: {output["OutputKey"]: output["OutputValue"] for output in outputs}
        for entry in listed
        for stack, outputs in entry.items()
    }


def test_the_stacks_are_wired_by_their_outputs(launched: dict[str, dict[str, str]], aws: Tool) -> None:
    assert set(launched) == {"prd/logs", "prd/patch", "prd/monitoring"}
    (stack,) = aws.ask("cloudformation", "describe-stacks", "--stack-name", "patchgate-prd-monitoring")["Stacks"]
    parameters = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack["Parameters"]}
    assert parameters["S3Bucket"] == launched["prd/logs"]["BucketName"]
    assert parameters["BackupVaultName"] == launched["prd/patch"]["BackupVaultName"]


def test_a_cycle_happened(launched: dict[str, dict[str, str]], aws: Tool, server: Served) -> None:
    window = launched["prd/patch"]["MaintenanceWindowId"]
    executions = aws.ask("ssm", "describe-maintenance-window-executions", "--window-id", window)["WindowExecutions"]
    assert [execution["Status"] for execution in executions] == ["SUCCESS"]
    names = {record["instance"]: record["name"] for record in server.history() if record["event"] == "InstanceLaunched"}
    patched = {names[record["instance"]] for record in server.history() if record["event"] == "InstanceRebooted"}
    assert patched == {"shop-1", "shop-2"}


def test_a_second_launch_changes_nothing(launched: dict[str, dict[str, str]], sceptre: Tool, server: Served) -> None:
    before = len(server.history())
    sceptre.run("--no-colour", "launch", "-y", "prd")
    assert [record for record in server.history(before) if record["event"] == "StackStatusChanged"] == []


def test_everything_is_deleted(launched: dict[str, dict[str, str]], sceptre: Tool, aws: Tool) -> None:
    sceptre.run("--no-colour", "delete", "-y", "prd")
    assert aws.ask("cloudformation", "describe-stacks")["Stacks"] == []
    assert aws.ask("ssm", "describe-maintenance-windows")["WindowIdentities"] == []
