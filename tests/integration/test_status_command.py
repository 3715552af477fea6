"""``patchgate status`` against ``patchgate emulator`` over HTTP: a fleet's life from before its deployment on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from patchgate.cli.root import run
from tests.metrics import read_metrics
from tests.serving import Served, served

ACCOUNT, OTHER, REGION = "111111111111", "222222222222", "eu-central-1"
WORLD = f"""
version: 1
start: 2026-07-10T06:00:00Z
groups:
  - account: "{ACCOUNT}"
    region: {REGION}
    operating_system: UBUNTU
    tags: {{PatchGroup: ubuntu-patch-group-prd, ToBackupAndPatch: "true"}}
    patches: [{{id: linux-image-6.8.0-64-generic, reboot: true}}]
    instances: [{{name: shop-1}}, {{name: shop-2}}, {{name: ledger, backup: {{outcome: FAILED}}}}]
"""
FLEET = f"""
version: 1
organization: {{id: o-a1b2c3d4e5, log_account: "{ACCOUNT}"}}
accounts:
  - {{id: "{ACCOUNT}", name: shop}}
  - {{id: "{OTHER}", name: other}}
defaults: {{gate: {{minimum_coverage_percent: 60}}}}
targets:
  - {{accounts: [shop], regions: [{REGION}], operating_systems: [ubuntu], environments: [prd]}}
"""
ALSO = "  - {accounts: [other], regions: [eu-west-1], operating_systems: [windows], environments: [prd]}\n"


@dataclass(frozen=True, slots=True)
class Site:
    """The embedded AWS, and the command line in a directory with the fleet file."""

    server: Served
    directory: Path
    capture: pytest.CaptureFixture[str]

    def patchgate(self, *arguments: str) -> tuple[int, str, str]:
        self.capture.readouterr()
        code = run(arguments)
        return code, *self.capture.readouterr()

    def status(self, *options: str) -> tuple[int, dict[str, Any]]:
        """The exit code, and the JSON of the first lane."""
        code, out, _ = self.patchgate("status", "--output", "json", *options)
        value = json.loads(out)
        assert value["exit_code"] == code
        lane: dict[str, Any] = value["lanes"][0]
        return code, lane

    def codes(self) -> list[str]:
        return [each["code"] for each in self.status()[1]["concerns"]]

    def client(self, service: str) -> Any:
        return self.server.client(ACCOUNT, REGION, service)


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
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("PATCHGATE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("PATCHGATE_POLL_SECONDS", "0.05")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fleet.yaml").write_text(FLEET, encoding="utf-8")
    return Site(server, tmp_path, capsys)


@pytest.fixture
def deployed(site: Site) -> Site:
    code, out, err = site.patchgate("deploy", "--yes")
    assert code == 0, out + err
    return site


def test_the_life_of_a_lane(site: Site) -> None:
    assert site.status()[0] == 1
    assert site.codes() == ["not-deployed"]
    code, out, err = site.patchgate("deploy", "--yes")
    assert code == 0, out + err

    code, lane = site.status()  # CloudFormation makes windows enabled; the watchdog, at 12:00, disables it
    assert (code, lane["window"]["state"], lane["deployed"]["current"]) == (0, "new", True)
    site.server.advance_to("2026-07-11T12:00:00Z")
    code, lane = site.status()
    assert (code, lane["window"]["state"], lane["last_cycle"]) == (0, "closed", None)

    site.server.advance_to("2026-07-11T20:40:00Z")
    code, lane = site.status()
    assert (code, lane["window"]["state"], lane["lease"]["cycle"]) == (0, "open", "20260711T203000Z")
    assert lane["last_cycle"]["findings"] == {"proven": 2, "undecided": 0, "unreachable": 0, "denied": 1}

    site.server.advance_to("2026-07-12T00:30:00Z")
    assert site.status()[1]["window"]["state"] == "closing"
    site.server.advance_to("2026-07-12T11:00:00Z")
    code, lane = site.status()
    assert (code, lane["window"]["state"], lane["lease"]) == (0, "closed", None)
    assert lane["last_cycle"]["outcomes"] == {
        "up-to-date": 2,
        "pending-reboot": 0,
        "missing": 1,
        "failed": 0,
        "no-report": 0,
    }
    assert lane["last_cycle"]["reached"] == 3
    assert lane["last_cycle"]["lease"]["closed"] is True
    assert lane["next"]["window"] == {
        "utc": "2026-07-18T21:00:00Z",
        "local": "2026-07-18T23:00:00+02:00",
        "uncertain": False,
    }

    code, out, _ = site.patchgate("status", "--output", "openmetrics")
    assert code == 0
    assert len(read_metrics(out)) >= 10
    code, out, _ = site.patchgate("status")
    assert code == 0
    assert "1 lane: 1 fine." in out


def test_what_is_changed_behind_its_back_is_named(deployed: Site) -> None:
    deployed.server.advance_to("2026-07-10T11:00:00Z")
    ssm, scheduler = deployed.client("ssm"), deployed.client("scheduler")
    window = deployed.status()[1]["window"]["id"]
    ssm.update_maintenance_window(WindowId=window, Enabled=True)
    code, lane = deployed.status()
    assert (code, lane["level"]) == (3, "unsafe")
    ssm.update_maintenance_window(WindowId=window, Enabled=False)

    ssm.put_parameter(Name="/patchgate/freeze", Type="String", Value="moving house")
    assert deployed.status()[1]["notes"] == ["frozen: moving house"]

    name = "patchgate-open-ubuntu-prd"
    schedule = scheduler.get_schedule(Name=name, GroupName="patchgate-ubuntu-prd")
    kept = ("Name", "GroupName", "ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow", "Target")
    scheduler.update_schedule(**{each: schedule[each] for each in kept}, State="DISABLED")
    assert deployed.codes() == ["schedule-disabled"]

    cloudformation = deployed.client("cloudformation")
    cloudformation.delete_stack(StackName="patchgate-monitoring-ubuntu-prd")
    assert deployed.codes() == ["window-without-gate"]
    ssm.delete_maintenance_window(WindowId=window)
    assert deployed.codes() == ["window-without-gate", "window-missing"]


def test_a_gate_that_held_needs_a_person(deployed: Site) -> None:
    fleet = deployed.directory / "fleet.yaml"
    fleet.write_text(FLEET.replace("60", "90"), encoding="utf-8")
    assert deployed.patchgate("deploy", "--yes")[0] == 0
    deployed.server.advance_to("2026-07-11T20:40:00Z")
    code, lane = deployed.status()
    assert (code, lane["last_cycle"]["verdict"], lane["window"]["state"]) == (1, "hold", "closed")
    assert [each["text"] for each in lane["concerns"]] == [
        "cycle 20260711T203000Z was held: coverage-too-low (2 of 3, 90 % needed)"
    ]


def test_a_lane_that_cannot_be_read_hides_no_other(deployed: Site) -> None:
    (deployed.directory / "fleet.yaml").write_text(FLEET + ALSO, encoding="utf-8")
    code, out, _ = deployed.patchgate("status")
    assert code == 1
    assert "2 lanes: 1 fine, 1 not readable." in out
    assert out.count("assuming the role") == 1
    code, out, _ = deployed.patchgate("status", "--lane", "shop/*")
    assert code == 0
    assert deployed.patchgate("status", "--lane", "ship/*")[0] == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--watch"], "--watch needs a terminal"),
        (["--watch", "60", "--output", "json"], "--watch is for people"),
        (["--watch", "1"], "is not in the range"),
        (["other.yaml"], "cannot read other.yaml"),
    ],
)
def test_wrong_use(site: Site, arguments: list[str], said: str) -> None:
    code, out, err = site.patchgate("status", *arguments)
    assert (code, out) == (2, "")
    assert said in err


def test_f49_no_credentials(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    code, _, err = site.patchgate("status")
    assert code == 1
    assert "aws sso login" in err


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are a POSIX thing")
def test_watch_refreshes_in_place_until_ctrl_c(deployed: Site) -> None:
    import pty  # noqa: PLC0415 - not there on Windows

    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120", "LINES": "40", "NO_COLOR": "1", "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "patchgate", "status", "--watch", "5"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, env=environment) as child:
        os.close(theirs)
        drawn = b""
        until = time.monotonic() + 60
        while drawn.count(b"\x1b[H") < 2:
            assert time.monotonic() < until, drawn
            drawn += os.read(ours, 65_536)
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=30)
    os.close(ours)
    assert child.returncode == 0, said
    assert said == b""
    assert len(re.findall(rb"1 lane: 1 fine", drawn)) >= 1
    assert drawn.count(b"\x1b[2J") == 1
