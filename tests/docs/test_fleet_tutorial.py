"""The commands of the tutorial, in order, in a shell: each of them works, and the story that it tells is true."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.serving import Served, served

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorial" / "from-a-fleet-file-to-a-patched-fleet.md"
BASH = shutil.which("bash")
_STEP = re.compile(r"^## (\d+)\. .*?$(.*?)(?=^## )", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.skipif(BASH is None or os.name == "nt", reason="the page is written for a POSIX shell")


def steps() -> dict[int, str]:
    """Number of each step -> its commands, as one script."""
    text = PAGE.read_text(encoding="utf-8")
    return {
        int(number): "".join(_script(block) for block in _BLOCK.findall(body)) for number, body in _STEP.findall(text)
    }


def _script(block: str) -> str:
    return "".join(f"{line.removeprefix('$ ')}\n" for line in block.splitlines())


def play(script: str, where: Path, server: Served | None = None, *, code: int = 0) -> str:
    """Run a script as a person does who has pasted what the server printed; what it printed."""
    own = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    path = os.pathsep.join((str(Path(sys.executable).parent), own["PATH"]))
    settings = {"PATH": path, "PATCHGATE_STATE_DIR": str(where / "state"), "PATCHGATE_POLL_SECONDS": "0.05"}
    settings |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "COLUMNS": "150"}
    assert BASH is not None
    done = subprocess.run(
        [BASH, "-euo", "pipefail", "-c", script],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        cwd=where,
        env=own | settings | {"PYTHONUTF8": "1"} | (server.settings if server else {}),
    )
    assert done.returncode == code, f"{script}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_steps_of_the_tutorial(tmp_path: Path) -> None:
    found = steps()
    assert list(found) == list(range(1, 10))
    play(found[1], tmp_path)
    assert "web/eu-central-1/ubuntu/prd" in play(found[2], tmp_path)
    assert "Order proved" in play(found[3], tmp_path)
    rehearsed = play(found[4], tmp_path)
    assert "ledger" in rehearsed

    assert "\npatchgate emulator --world world\n" in PAGE.read_text(encoding="utf-8")
    with served("--world", str(tmp_path / "world")) as server:
        assert server.settings["AWS_DEFAULT_REGION"] == "eu-central-1"
        deployed = play(found[6], tmp_path, server)
        assert "6 to create" in deployed
        assert deployed.count(" new ") == 2
        assert "2 lanes: 2 fine." in deployed

        opened, _, over = play(found[7], tmp_path, server).rpartition("patchgate status")
        assert opened.count(" open ") == 2
        assert "2 of 3 proven" in opened
        assert over.count(" closed ") == 2
        assert "1 up-to-date" in over
        assert "2 up-to-date, 1 missing" in over

        changed = play(found[8], tmp_path, server, code=1)  # that of its last command
        assert "MinimumCoveragePercent: 60 -> 90" in changed
        assert "1 to update" in changed
        assert "hold: coverage-too-low" in changed

        assert "6 to remove" in play(found[9], tmp_path, server)
