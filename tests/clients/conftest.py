"""Other people's tools against the embedded AWS: the programs of ``.venv-clients`` and a server for them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.serving import Served, served

ROOT = Path(__file__).parents[2]
BIN = ROOT / ".venv-clients" / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
TEMPLATES = ROOT / "templates"
ACCOUNT, REGION = "111111111111", "eu-central-1"
LANE = {"TargetOperatingSystem": "ubuntu", "Environment": "prd"}
WORLD = f"""
version: 1
start: 2026-07-10T12:00:00Z
groups:
  - account: "{ACCOUNT}"
    region: {REGION}
    operating_system: UBUNTU
    tags: {{PatchGroup: ubuntu-patch-group-prd, ToBackupAndPatch: "true"}}
    patches: [{{id: linux-image-6.8.0-64-generic, reboot: true}}]
    instances: [{{name: shop-1}}, {{name: shop-2}}, {{name: ledger, backup: {{outcome: FAILED}}}}]
"""
AFTER_THE_CYCLE = "2026-07-12T12:00:00Z"
_MODULES = {"aws": ["-m", "awscli"], "sceptre": ["-c", "from sceptre.cli import cli; cli()"]}


@dataclass(frozen=True, slots=True)
class Tool:
    """One program, started as a person does who has exported what the server printed."""

    name: str
    environment: dict[str, str]
    directory: Path

    def run(self, *arguments: str) -> str:
        """Run it; what it printed."""
        done = self.attempt(*arguments)
        assert done.returncode == 0, f"{self.name} {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def attempt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(PYTHON), *_MODULES[self.name], *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            cwd=self.directory,
            env=self.environment,
        )

    def ask(self, *arguments: str) -> Any:
        """Run it; the JSON that it printed."""
        return json.loads(self.run(*arguments))


def environment_of(server: Served, home: Path) -> dict[str, str]:
    """The machine's environment without its AWS settings, with those of the server."""
    own = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    nowhere = {"AWS_CONFIG_FILE": str(home / "none"), "AWS_SHARED_CREDENTIALS_FILE": str(home / "none")}
    return own | nowhere | server.settings | {"PYTHONUTF8": "1", "AWS_PAGER": ""}


@pytest.fixture(scope="session", autouse=True)
def _installed() -> None:
    if not PYTHON.is_file():
        pytest.skip("there is no .venv-clients with the AWS CLI and sceptre; make it with: make clients")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of its own for each module: its tests are the steps of one story."""
    directory = tmp_path_factory.mktemp("world")
    (directory / "world.yaml").write_text(WORLD, encoding="utf-8")
    with served("--world", str(directory)) as server:
        yield server


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tools work."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def aws(server: Served, home: Path) -> Tool:
    """The AWS CLI."""
    return Tool("aws", environment_of(server, home), home)


@pytest.fixture(scope="module")
def sceptre(server: Served, home: Path) -> Tool:
    return Tool("sceptre", environment_of(server, home), home)
