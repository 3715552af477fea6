"""``patchgate plan``, ``deploy`` and ``destroy`` on ``patchgate emulator`` over HTTP, with the SDK's own settings."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from patchgate.cli.root import run
from tests.serving import Served, served

MANAGEMENT, WEB, SHOP, LEDGER = "999999999999", "111111111111", "222222222222", "333333333333"
MEMBERS = (WEB, SHOP, LEDGER)
ADMINISTRATION, EXECUTION = "AWSCloudFormationStackSetAdministrationRole", "AWSCloudFormationStackSetExecutionRole"
WORLD = """
version: 1
start: 2026-07-10T12:00:00Z
organization:
  units:
    - {id: ou-a1b2-c3d4e5f6, name: workloads}
    - {id: ou-a1b2-d4e5f6a7, name: ledgers}
  accounts:
    - {id: "111111111111", name: web, unit: ou-a1b2-c3d4e5f6}
    - {id: "222222222222", name: shop, unit: ou-a1b2-c3d4e5f6}
    - {id: "333333333333", name: ledger, unit: ou-a1b2-d4e5f6a7}
groups: []
"""
FLEET = """
version: 1
organization: {id: o-a1b2c3d4e5, log_account: ledger}
deployment: {mode: MODE}
accounts:
  - {id: "111111111111", name: web}
  - {id: "222222222222", name: shop}
  - {id: "333333333333", name: ledger}
organizational_units: [{id: ou-a1b2-c3d4e5f6, name: workloads}]
environments:
  - {name: dev}
  - {name: prd, freezes: [{reason: year end, first_day: 12-18, last_day: 01-04}]}
targets:
  - {organizational_units: [workloads], operating_systems: [ubuntu], environments: [dev], regions: [eu-central-1]}
  - {accounts: [ledger], operating_systems: [windows], environments: [prd], regions: [us-east-1, eu-west-1]}
"""
REGIONS = "regions: [us-east-1, eu-west-1]"
LANES = 4
STACKS = 2 * LANES + 2 + 2
"""Two for each lane, two freeze calendars, and two log buckets."""
SETS = 5
SMALL = """
version: 1
organization: {id: o-a1b2c3d4e5, log_account: "111111111111"}
accounts: [{id: "111111111111", name: web}]
targets:
  - {accounts: [web], regions: [eu-central-1], operating_systems: [ubuntu], environments: [dev]}
"""
CHANGED = ("environments: [dev]", "environments: [dev], backup: {retention_days: 21}")


@dataclass(frozen=True, slots=True)
class Site:
    """The embedded AWS with the organization, a directory with the fleet file, and the command line."""

    server: Served
    directory: Path
    capture: pytest.CaptureFixture[str]

    def write(self, mode: str, *changes: tuple[str, str]) -> None:
        self._write(FLEET.replace("MODE", mode), changes)

    def write_small(self, *changes: tuple[str, str]) -> None:
        """A fleet of one lane: three stacks in one account."""
        self._write(SMALL, changes)

    def _write(self, text: str, changes: tuple[tuple[str, str], ...]) -> None:
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        (self.directory / "fleet.yaml").write_text(text, encoding="utf-8")

    def patchgate(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of a command."""
        self.capture.readouterr()
        code = run(arguments)
        return code, *self.capture.readouterr()

    def succeed(self, *arguments: str) -> str:
        code, out, err = self.patchgate(*arguments)
        assert code == 0, f"{out}\n{err}"
        return out

    def plan(self, *options: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.succeed("plan", "fleet.yaml", "--output", "json", *options))
        return found

    def client(self, account: str, region: str, service: str) -> Any:
        return self.server.client(account, region, service)

    def stacks(self) -> set[tuple[str, str, str]]:
        """Account, Region and name of every stack; what stack sets append to names is left out."""
        found = set()
        for account, region in ((a, r) for a in MEMBERS for r in ("eu-central-1", "us-east-1", "eu-west-1")):
            for stack in self.client(account, region, "cloudformation").describe_stacks()["Stacks"]:
                name = re.sub(r"^StackSet-(.*?)-[0-9a-f-]{36}$", r"\1", stack["StackName"])
                found.add((account, region, name))
        return found

    def changed_since(self, start: int) -> set[tuple[str, str, str]]:
        """The stacks whose status changed since a record of the history."""
        records = [each for each in self.server.history(start) if each["event"] == "StackStatusChanged"]
        names = ((each, re.sub(r"^StackSet-(.*?)-[0-9a-f-]{36}$", r"\1", each["stack"])) for each in records)
        return {(each["account"], each["region"], name) for each, name in names}


def give_roles(site: Site) -> None:
    """The roles of self-managed stack sets."""
    for account in MEMBERS:
        iam = site.client(account, "us-east-1", "iam")
        iam.create_role(RoleName=EXECUTION, AssumeRolePolicyDocument=trust({"AWS": f"arn:aws:iam::{MANAGEMENT}:root"}))
        iam.attach_role_policy(RoleName=EXECUTION, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    iam = site.client(MANAGEMENT, "us-east-1", "iam")
    iam.create_role(
        RoleName=ADMINISTRATION, AssumeRolePolicyDocument=trust({"Service": "cloudformation.amazonaws.com"})
    )


def wait_for_an_operation(managed: Site) -> None:
    """Wait until CloudFormation has begun to work on a stack set."""
    cloudformation = managed.client(MANAGEMENT, "eu-central-1", "cloudformation")
    until = time.monotonic() + 60
    while not any(
        cloudformation.list_stack_set_operations(StackSetName=each["StackSetName"])["Summaries"]
        for each in cloudformation.list_stack_sets(Status="ACTIVE")["Summaries"]
    ):
        assert time.monotonic() < until
        time.sleep(0.1)


def trust(principal: dict[str, str]) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("world")
    (directory / "world.yaml").write_text(WORLD, encoding="utf-8")
    with served("--world", str(directory)) as server:
        yield server


@pytest.fixture
def site(server: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Site:
    server.ask("reset", {})
    for name, value in server.settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"AKIA{WEB}")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("PATCHGATE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("PATCHGATE_POLL_SECONDS", "0.05")
    monkeypatch.chdir(tmp_path)
    return Site(server, tmp_path, capsys)


@pytest.fixture
def managed(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The site, seen by the organization's management account."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"AKIA{MANAGEMENT}")
    return site


@pytest.fixture
def clock(server: Served) -> Iterator[Callable[[], None]]:
    """Lets the embedded AWS's clock run, from the call on: stack sets need time."""
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(0.05):
            server.ask("clock", {"advance": 90})

    thread = threading.Thread(target=go_on)
    yield thread.start
    over.set()
    if thread.is_alive():
        thread.join()


@pytest.mark.parametrize("mode", ["stacks", "service-managed"])
def test_the_life_of_a_fleet(managed: Site, clock: Callable[[], None], mode: str) -> None:
    """A stack fails; the next run goes on; then nothing changes; then one setting; all goes, and is there again."""
    clock()
    managed.write(mode)
    iam, taken = managed.client(SHOP, "us-east-1", "iam"), "patchgate-window-ubuntu-dev-eu-central-1"
    iam.create_role(RoleName=taken, AssumeRolePolicyDocument=trust({"Service": "ssm.amazonaws.com"}))
    code, out, said = managed.patchgate("deploy", "--yes")
    assert code == 1
    assert f"{STACKS + (0 if mode == 'stacks' else SETS)} to create" in out
    assert "wave dev failed" in said
    assert "shop/eu-central-1/ubuntu/dev" in said
    assert "222222222222/eu-central-1" in said
    assert taken in said
    assert not [each for each in managed.stacks() if "prd" in each[2]]
    assert (WEB, "eu-central-1", "patchgate-patch-ubuntu-dev") in managed.stacks()

    iam.delete_role(RoleName=taken)
    before = len(managed.server.history())
    out = managed.succeed("deploy", "--yes")
    assert ("its creation failed before" if mode == "stacks" else "it is OUTDATED") in out
    assert (WEB, "eu-central-1", "patchgate-patch-ubuntu-dev") not in managed.changed_since(before)
    deployed = managed.stacks()
    assert len(deployed) == STACKS
    assert (LEDGER, "eu-central-1", "patchgate-logs-ubuntu-dev") in deployed
    assert (SHOP, "eu-central-1", "patchgate-monitoring-ubuntu-dev") in deployed
    assert (LEDGER, "eu-west-1", "patchgate-freezes-windows-prd") in deployed

    before = len(managed.server.history())
    assert "Nothing to do." in managed.succeed("deploy", "--yes")
    assert managed.changed_since(before) == set()

    managed.write(mode, (REGIONS, f"{REGIONS}, time_zones: {{eu-west-1: Europe/Paris}}"))
    before = len(managed.server.history())
    managed.succeed("deploy", "--yes")
    changed, stages = managed.changed_since(before), ("patch", "monitoring")
    lane = {(LEDGER, "eu-west-1", f"patchgate-{stage}-windows-prd") for stage in stages}
    freezes = {(LEDGER, region, "patchgate-freezes-windows-prd") for region in ("us-east-1", "eu-west-1")}
    assert {*lane, (LEDGER, "eu-west-1", "patchgate-freezes-windows-prd")} <= changed
    assert changed <= lane | freezes  # the freezes of a stack set are one template
    assert managed.plan()["changes"] == 0
    if mode == "stacks":
        goes_and_is_there_again(managed, deployed)


def goes_and_is_there_again(managed: Site, deployed: set[tuple[str, str, str]]) -> None:
    said = managed.succeed("destroy", "--yes")
    assert "Kept: backup vaults with their recovery points" in said
    assert managed.stacks() == set()
    vaults = managed.client(SHOP, "eu-central-1", "backup").list_backup_vaults()["BackupVaultList"]
    assert "backup-vault-ubuntu-dev-eu-central-1" in [each["BackupVaultName"] for each in vaults]
    assert len(managed.client(LEDGER, "us-east-1", "s3").list_buckets()["Buckets"]) == 2

    assert "uses the vault backup-vault-ubuntu-dev-eu-central-1, which is there" in managed.succeed("deploy", "--yes")
    assert managed.stacks() == deployed
    assert managed.plan()["changes"] == 0


def test_self_managed_stack_sets(managed: Site, clock: Callable[[], None]) -> None:
    clock()
    give_roles(managed)
    managed.write("self-managed")
    managed.succeed("deploy", "--yes")
    assert len(managed.stacks()) == STACKS
    assert managed.plan()["changes"] == 0
    managed.succeed("destroy", "--yes")
    assert managed.stacks() == set()
    assert (
        managed.client(MANAGEMENT, "eu-central-1", "cloudformation").list_stack_sets(Status="ACTIVE")["Summaries"] == []
    )


def test_without_yes_and_without_a_terminal_it_only_plans(site: Site) -> None:
    site.write_small()
    code, out, err = site.patchgate("deploy")
    assert code == 1
    assert "3 to create" in out
    assert "--yes does it without asking" in err
    assert site.stacks() == set()


def test_a_saved_plan_is_carried_out_exactly_or_refused(site: Site) -> None:
    site.write_small()
    site.plan("--save", "plan.json")
    site.write_small(CHANGED)  # what the file says now does not matter
    site.succeed("deploy", "--plan", "plan.json", "--yes")
    cloudformation = site.client(WEB, "eu-central-1", "cloudformation")
    (patch,) = cloudformation.describe_stacks(StackName="patchgate-patch-ubuntu-dev")["Stacks"]
    assert {"ParameterKey": "RetentionDays", "ParameterValue": "7"} in patch["Parameters"]
    assert (site.directory / "plan.json.journal.jsonl").read_text(encoding="utf-8").count('"done"') == 3
    before = len(site.server.history())
    site.succeed("deploy", "--plan", "plan.json", "--yes")  # all of it is done already
    assert site.changed_since(before) == set()

    site.plan("--save", "plan.json")
    cloudformation.delete_stack(StackName="patchgate-monitoring-ubuntu-dev")
    code, _, said = site.patchgate("deploy", "--plan", "plan.json", "--yes")
    assert code == 1
    assert "AWS has changed since the plan was made: 111111111111/eu-central-1/patchgate-monitoring-ubuntu-dev" in said


def test_what_was_done_and_undone_is_done_again(site: Site) -> None:
    """The same plan twice, with another one in between: the first attempt's journal says nothing about the second."""
    cloudformation = site.client(WEB, "eu-central-1", "cloudformation")
    for owner in ("ada", "bob", "ada", "bob", "ada"):
        site.write_small(("environments: [dev]", f"environments: [dev], tags: {{owner: {owner}}}"))
        site.succeed("deploy", "--yes")
        for stack in cloudformation.describe_stacks()["Stacks"]:
            assert {"Key": "owner", "Value": owner} in stack["Tags"]


def test_of_two_at_once_one_is_told_who_the_other_is(site: Site) -> None:
    site.write_small()
    ssm = site.client(WEB, "eu-central-1", "ssm")
    holder = {"who": "arn:aws:iam::999999999999:user/ada", "where": "ada@desk", "since": "2026-07-10T11:30:00+00:00"}
    ssm.put_parameter(Name="/patchgate/deployment", Type="String", Value=json.dumps(holder | {"plan": "1"}))
    code, _, said = site.patchgate("deploy", "--yes")
    assert code == 1
    assert "arn:aws:iam::999999999999:user/ada on ada@desk, since 2026-07-10 11:30 UTC" in said
    assert site.stacks() == set()


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to one process there")
def test_ctrl_c_in_the_middle_of_a_wave_tells_how_to_go_on(managed: Site, clock: Callable[[], None]) -> None:
    managed.write("service-managed")
    command = [sys.executable, "-m", "patchgate", "deploy", "--yes"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as child:
        wait_for_an_operation(managed)
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=30)
    assert child.returncode == 130
    assert "stopped in wave dev: 1 of 12 stacks are done; AWS goes on by itself with" in said
    assert "run the same again" in said
    clock()
    managed.succeed("deploy", "--yes")  # nobody else has the lock; what AWS went on with is waited for
    assert len(managed.stacks()) == STACKS


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("AWS_ACCESS_KEY_ID", "", "Unable to locate credentials\n  -> log in (aws sso login"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9", "see whether the network and AWS_ENDPOINT_URL are right"),
        ("AWS_PROFILE", "nobody", "The config profile (nobody) could not be found\n  -> aws configure list-profiles"),
    ],
)
def test_without_a_way_to_aws_there_is_one_message(
    site: Site, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    site.write_small()
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv(variable, value) if value else monkeypatch.delenv(variable)
    code, _, heard = site.patchgate("plan")
    assert code == 1
    assert said in heard
    assert "unexpected" not in heard


def test_a_fleet_of_another_organization_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"AKIA{MANAGEMENT}")
    site.write("service-managed", ("o-a1b2c3d4e5", "o-zzzzzzzzzz"))
    code, _, said = site.patchgate("plan")
    assert code == 2
    assert "is for organization o-zzzzzzzzzz, account 999999999999 is in o-a1b2c3d4e5" in said
