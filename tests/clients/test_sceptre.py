"""The real sceptre launches the project of the how-to, wired by outputs, and deletes it after a cycle."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.serving import Served

from .conftest import AFTER_THE_CYCLE, ROOT, TEMPLATES, Tool

PAGE = ROOT / "docs" / "how-to" / "use-the-embedded-aws-with-your-tools.md"
_FILE = re.compile(r"`(config/\S+)`:\n\n```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def launched(sceptre: Tool, home: Path, server: Served) -> dict[str, dict[str, str]]:
    """Stack -> its outputs, a cycle after ``sceptre launch``."""
    project = _FILE.findall(PAGE.read_text(encoding="utf-8"))
    assert len(project) == 4
    for name, text in project:
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
