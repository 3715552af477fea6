"""What ``patchgate synth FLEET`` writes, deployed with the AWS CLI and sceptre: the stacks of ``patchgate deploy``."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.serving import Served, served

from .conftest import BIN, Tool, environment_of

pytestmark = pytest.mark.long

MANAGEMENT, WEB, SHOP, LEDGER = "999999999999", "111111111111", "222222222222", "333333333333"
REGIONS = ("eu-central-1", "us-east-1", "eu-west-1")
UNIT = "ou-a1b2-c3d4e5f6"
WORLD = f"""
version: 1
start: 2026-07-10T12:00:00Z
organization:
  units:
    - {{id: {UNIT}, name: workloads}}
    - {{id: ou-a1b2-d4e5f6a7, name: ledgers}}
  accounts:
    - {{id: "{WEB}", name: web, unit: {UNIT}}}
    - {{id: "{SHOP}", name: shop, unit: {UNIT}}}
    - {{id: "{LEDGER}", name: ledger, unit: ou-a1b2-d4e5f6a7}}
groups: []
"""
FLEET = f"""
version: 1
organization: {{id: o-a1b2c3d4e5, log_account: ledger}}
deployment: {{mode: MODE}}
accounts:
  - {{id: "{WEB}", name: web}}
  - {{id: "{SHOP}", name: shop}}
  - {{id: "{LEDGER}", name: ledger}}
defaults:
  tags: {{owner: "the platform team", cost-centre: "4711"}}
environments:
  - {{name: dev}}
  - {{name: prd, freezes: [{{reason: "year's end {{{{ 1 }}}}", first_day: 12-18, last_day: 01-04}}]}}
targets:
  - {{organizational_units: [{UNIT}], regions: [eu-central-1], operating_systems: [ubuntu], environments: [dev]}}
  - accounts: [ledger]
    regions: [us-east-1, eu-west-1]
    operating_systems: [windows]
    environments: [prd]
    time_zones: {{us-east-1: America/Chicago}}
"""
STACKS = 12
Stack = dict[str, Any]
StackKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Site:
    """The embedded AWS with the organization, seen by its management account from a directory of one's own."""

    server: Served
    directory: Path
    environment: dict[str, str]

    def write(self, mode: str) -> None:
        (self.directory / "fleet.yaml").write_text(FLEET.replace("MODE", mode), encoding="utf-8")

    def begin(self) -> None:
        """Everything that was deployed is forgotten."""
        assert self.server.ask("reset", {})[0] == 200

    def client(self, account: str, region: str, service: str) -> Any:
        return self.server.client(account, region, service)

    def run(self, *command: str, where: str = ".") -> str:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            cwd=self.directory / where,
            env=self.environment,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def patchgate(self, *arguments: str) -> str:
        return self.run(sys.executable, "-m", "patchgate", *arguments)

    def stacks(self) -> dict[StackKey, Stack]:
        """Every stack: template, parameters and tags; what AWS chose for each run anew is left out."""
        found = {}
        for account in (WEB, SHOP, LEDGER):
            for region in REGIONS:
                client = self.client(account, region, "cloudformation")
                for shape in client.describe_stacks()["Stacks"]:
                    assert shape["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
                    name = re.sub(r"^StackSet-(.*?)-[0-9a-f-]{36}$", r"\1", shape["StackName"])
                    body = client.get_template(StackName=shape["StackName"], TemplateStage="Original")["TemplateBody"]
                    text = body if isinstance(body, str) else json.dumps(body, indent=1)
                    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in shape.get("Parameters", ())}
                    if "S3Bucket" in parameters:
                        parameters["S3Bucket"] = re.sub(r"-[0-9a-f]{12}$", "", parameters["S3Bucket"])
                    found[account, region, name] = {
                        "body": text.removeprefix("---\n"),
                        "parameters": parameters,
                        "tags": {each["Key"]: each["Value"] for each in shape.get("Tags", ())},
                    }
        return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    world, directory = tmp_path_factory.mktemp("world"), tmp_path_factory.mktemp("site")
    (world / "world.yaml").write_text(WORLD, encoding="utf-8")
    with served("--world", str(world)) as server:
        environment = environment_of(server, directory) | {
            "AWS_ACCESS_KEY_ID": f"AKIA{MANAGEMENT}",
            "PATCHGATE_STATE_DIR": str(directory / "state"),
            "PATCHGATE_POLL_SECONDS": "0.05",
            "WAIT": "0.1",
        }
        environment["PATH"] = os.pathsep.join((str(BIN), environment["PATH"]))
        yield Site(server, directory, environment)


@pytest.fixture
def clock(site: Site) -> Iterator[Callable[[], None]]:
    """Lets the embedded AWS's clock run, from the call on: stack sets need time."""
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(0.05):
            site.server.ask("clock", {"advance": 60})

    thread = threading.Thread(target=go_on)
    yield thread.start
    over.set()
    if thread.is_alive():
        thread.join()


@pytest.fixture(scope="module")
def deployed(site: Site) -> dict[StackKey, Stack]:
    """The stacks of ``patchgate deploy``, each by itself."""
    site.begin()
    site.write("stacks")
    site.patchgate("deploy", "--yes")
    found = site.stacks()
    assert len(found) == STACKS
    return found


@pytest.fixture
def exported(site: Site) -> Path:
    site.write("stacks")
    site.patchgate("synth", "fleet.yaml", "--for", "cloudformation", "--unit", f"{UNIT}={WEB},{SHOP}")
    return site.directory / "deployment"


SH = shutil.which("dash") or shutil.which("sh")
needs_shell = pytest.mark.skipif(SH is None or os.name == "nt", reason="the script is written for a POSIX shell")


@needs_shell
def test_the_aws_cli_makes_the_same_stacks(site: Site, deployed: dict[StackKey, Stack], exported: Path) -> None:
    site.begin()
    assert SH is not None
    printed = site.run(SH, "deployment/deploy.sh").splitlines()
    assert len(printed) == STACKS
    assert site.stacks() == deployed

    before = len(site.server.history())
    site.run(str(exported / "deploy.sh"), where="..")
    again = [each for each in site.server.history(before) if each["event"] == "StackStatusChanged"]
    assert [each for each in again if each["status"].startswith("UPDATE")] == []
    assert "Nothing to do." in site.patchgate("deploy", "--yes")


def test_sceptre_makes_the_same_stacks(site: Site, deployed: dict[StackKey, Stack], exported: Path) -> None:
    site.begin()
    sceptre = Tool("sceptre", site.environment, exported)
    for environment in ("dev", "prd"):
        sceptre.run("--no-colour", "--var", f"own={MANAGEMENT}", "launch", "-y", environment)
    assert site.stacks() == deployed


@needs_shell
def test_the_aws_cli_makes_the_same_stack_sets(site: Site, clock: Callable[[], None], tmp_path: Path) -> None:
    clock()
    site.begin()
    site.write("service-managed")
    site.patchgate("deploy", "--yes")
    deployed, sets = site.stacks(), stack_sets(site)
    assert len(deployed) == STACKS
    assert len(sets) == 5

    site.begin()
    options = ["--for", "stacksets", "--unit", f"{UNIT}={WEB},{SHOP}", "-o", str(tmp_path / "sets")]
    site.patchgate("synth", "fleet.yaml", *options)
    assert SH is not None
    site.run(SH, str(tmp_path / "sets" / "deploy.sh"))
    assert site.stacks() == deployed
    assert stack_sets(site) == sets
    assert "Nothing to do." in site.patchgate("deploy", "--yes")
    site.run(SH, str(tmp_path / "sets" / "deploy.sh"))  # brings them to the same again
    assert site.stacks() == deployed


def stack_sets(site: Site) -> dict[str, Any]:
    """Name -> the set's parameters, and the overrides of each of its instances."""
    client = site.client(MANAGEMENT, "us-east-1", "cloudformation")
    for region in REGIONS:
        client = site.client(MANAGEMENT, region, "cloudformation")
        if names := [each["StackSetName"] for each in client.list_stack_sets(Status="ACTIVE")["Summaries"]]:
            break
    found = {}
    for name in names:
        shape = client.describe_stack_set(StackSetName=name)["StackSet"]
        instances = {}
        for each in client.list_stack_instances(StackSetName=name)["Summaries"]:
            account, region = each["Account"], each["Region"]
            instance = client.describe_stack_instance(
                StackSetName=name, StackInstanceAccount=account, StackInstanceRegion=region
            )["StackInstance"]
            assert instance["Status"] == "CURRENT"
            instances[account, region] = pairs(instance.get("ParameterOverrides", ()))
        found[name] = (pairs(shape.get("Parameters", ())), shape["PermissionModel"], instances)
    return found


def pairs(shapes: Any) -> dict[str, str]:
    values = {each["ParameterKey"]: each["ParameterValue"] for each in shapes}
    return {name: re.sub(r"-[0-9a-f]{12}$", "", value) for name, value in values.items()}
