"""A fleet as files for other tools."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from click.testing import CliRunner

from patchgate.cli.synth import synth
from patchgate.config import parse_fleet
from patchgate.errors import InputError
from patchgate.operations.export.fleet import build_files
from patchgate.operations.export.stacks import Exported, list_stacks
from patchgate.operations.synth import write_files
from patchgate.templates import build_templates

TODAY = date(2026, 7, 10)
FLEET = """\
version: 1
organization: {id: o-a1b2c3d4e5, log_account: "999999999999"}
deployment: {mode: MODE}
accounts:
  - {id: "111111111111", name: web}
  - {id: "222222222222", name: shop}
defaults: {tags: {owner: "the $(team)'s {% if %}"}}
environments:
  - {name: dev, freezes: [{reason: year end, first_day: 12-18, last_day: 01-04}]}
  - {name: prd}
targets:
  - {accounts: [web, shop], regions: [eu-central-1], operating_systems: [ubuntu], environments: [prd]}
  - accounts: [web]
    regions: [us-east-1, cn-north-1]
    operating_systems: [windows]
    environments: [dev]
    backup: {retention_days: 21}
"""


def export(mode: str = "stacks", *, by_sets: bool = False, management_account: str = "") -> Exported:
    fleet = parse_fleet(FLEET.replace("MODE", mode).encode(), "fleet.yaml")
    return list_stacks(fleet, TODAY, by_sets=by_sets, management_account=management_account)


def files_of(exported: Exported, template_url: str = "") -> dict[str, str]:
    return {each.path: each.text for each in build_files(exported, template_url)}


def test_every_stack_has_its_template_its_parameters_and_its_call_in_order() -> None:
    files = files_of(export())
    assert files["templates/aws-create-s3-stack.yaml"] == build_templates()["aws-create-s3-stack"].text()
    freezes, others = [path for path in files if path.startswith("templates/patchgate-freezes")]
    calls = [line.split()[:4] for line in files["deploy.sh"].splitlines() if re.match(r"(stack|bucket) \d", line)]
    assert [f"{call[0]} {call[2]} {call[3]}" for call in calls] == [
        "stack us-east-1 patchgate-logs-windows-dev",
        "bucket us-east-1 patchgate-logs-windows-dev",
        "stack us-east-1 patchgate-freezes-windows-dev",
        "stack cn-north-1 patchgate-freezes-windows-dev",
        "stack us-east-1 patchgate-patch-windows-dev",
        "stack cn-north-1 patchgate-patch-windows-dev",
        "stack us-east-1 patchgate-monitoring-windows-dev",
        "stack cn-north-1 patchgate-monitoring-windows-dev",
        "stack eu-central-1 patchgate-logs-ubuntu-prd",
        "bucket eu-central-1 patchgate-logs-ubuntu-prd",
        "stack eu-central-1 patchgate-patch-ubuntu-prd",
        "stack eu-central-1 patchgate-patch-ubuntu-prd",
        "stack eu-central-1 patchgate-monitoring-ubuntu-prd",
        "stack eu-central-1 patchgate-monitoring-ubuntu-prd",
    ]
    assert files[freezes] != files[others]  # two zones
    assert json.loads(files[freezes])["Resources"]["FreezeCalendar"]["Type"] == "AWS::SSM::Document"
    parameters = json.loads(files["parameters/111111111111/us-east-1/patchgate-patch-windows-dev.json"])
    values = {each["ParameterKey"]: each["ParameterValue"] for each in parameters}
    assert (values["RetentionDays"], values["S3Bucket"]) == ("21", "@LogBucket@")


def test_stack_sets_have_definitions_and_instances() -> None:
    files = files_of(export("self-managed", by_sets=True))
    definition = json.loads(files["stack-sets/patchgate-patch-ubuntu-prd.json"])
    assert definition["StackSetName"] == "patchgate-patch-ubuntu-prd"
    assert "PermissionModel" not in definition
    instances = json.loads(files["stack-sets/patchgate-patch-ubuntu-prd-instances-1.json"])
    assert (instances["Accounts"], instances["Regions"]) == (["111111111111", "222222222222"], ["eu-central-1"])
    assert not [path for path in files if path.startswith("config/")]


def test_service_managed_sets_leave_out_the_management_account_and_china() -> None:
    files = files_of(export("service-managed", by_sets=True, management_account="222222222222"))
    instances = json.loads(files["stack-sets/patchgate-patch-ubuntu-prd-instances-1.json"])
    targets = instances["DeploymentTargets"]
    assert (targets["Accounts"], targets["OrganizationalUnitIds"]) == (["111111111111"], ["@Root@"])
    plain = [line for line in files["deploy.sh"].splitlines() if line.startswith("stack ") and "-patch-" in line]
    assert [line.split()[1:3] for line in plain] == [["111111111111", "cn-north-1"], ["222222222222", "eu-central-1"]]


def test_a_fleet_without_stack_sets_is_not_written_as_such() -> None:
    with pytest.raises(InputError, match=re.escape("its deployment.mode is stacks")):
        export(by_sets=True)


@pytest.mark.parametrize("mode", ["stacks", "self-managed", "service-managed"])
@pytest.mark.skipif(os.name == "nt", reason="the script is written for a POSIX shell")
def test_the_script_is_posix_and_reads_values_as_they_are(mode: str, tmp_path: Path) -> None:
    shell = shutil.which("dash") or shutil.which("sh")
    assert shell is not None
    script = tmp_path / "deploy.sh"
    script.write_text(files_of(export(mode, by_sets=mode != "stacks"))["deploy.sh"], encoding="utf-8")
    done = subprocess.run([shell, "-n", str(script)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "'owner=the $(team)'\"'\"'s {% if %}'" in script.read_text(encoding="utf-8")


def test_the_sceptre_project_is_wired_and_reads_values_as_they_are() -> None:
    files = files_of(export())
    text = files["config/prd/111111111111/eu-central-1/patchgate-monitoring-ubuntu-prd.yaml"]
    assert "S3Bucket: !stack_output logs/ubuntu-prd.yaml::BucketName" in text
    assert "  - prd/111111111111/eu-central-1/patchgate-patch-ubuntu-prd.yaml" in text
    raw = text.split("{% raw %}")[1].split("{% endraw %}")[0]
    assert "{%" not in raw
    plain = yaml.safe_load(raw.replace("!stack_output ", ""))
    assert plain["stack_tags"] == {"owner": "the $(team)'s {% if %}"}


def test_quick_create_links() -> None:
    page = files_of(export(), "https://templates.s3.amazonaws.com/patchgate/")["quick-create.md"]
    links = re.findall(r"\((https:[^)]*)\)", page)
    assert len(links) == 12
    (china,) = [link for link in links if "region=cn-north-1" in link and "patchgate-patch" in link]
    assert urlsplit(china).netloc == "cn-north-1.console.amazonaws.cn"
    query = parse_qs(urlsplit(china).fragment.partition("?")[2])
    assert query["templateURL"] == ["https://templates.s3.amazonaws.com/patchgate/aws-backup-and-patch-stackset.yaml"]
    assert query["param_RetentionDays"] == ["21"]
    assert "param_S3Bucket" not in query


def test_files_of_another_export_are_not_left_among_them(tmp_path: Path) -> None:
    write_files(tmp_path, build_files(export()))
    write_files(tmp_path, build_files(export()))
    assert os.name == "nt" or (tmp_path / "deploy.sh").stat().st_mode & 0o111
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "parameters" / "333333333333").mkdir()
    (tmp_path / "parameters" / "333333333333" / "old.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match=r"old\.json is not of this export"):
        write_files(tmp_path, build_files(export()))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--for", "cloudformation"], "--for needs a fleet file"),
        (["--template-url", "https://x"], "--template-url needs a fleet file"),
        (["fleet.yaml"], "say what to write"),
        (["fleet.yaml", "--for", "stacksets", "--check"], "--check compares"),
    ],
)
def test_wrong_use(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(synth, arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_the_command_writes_them(tmp_path: Path) -> None:
    fleet = tmp_path / "fleet.yaml"
    fleet.write_text(FLEET.replace("MODE", "stacks"), encoding="utf-8")
    target = tmp_path / "out"
    result = CliRunner().invoke(synth, [str(fleet), "--for", "cloudformation", "-o", str(target)])
    assert result.exit_code == 0, result.output
    assert "files for 12 stacks" in result.output
    assert (target / "config" / "config.yaml").is_file()
