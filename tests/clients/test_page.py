"""The commands of the how-to, in order, in a shell: each of them works, and the story that it tells is true."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import served

from .conftest import BIN, ROOT, environment_of

PAGE = ROOT / "docs" / "how-to" / "use-the-embedded-aws-with-your-tools.md"
BASH = shutil.which("bash")
_STEP = re.compile(r"^   ```console\n(.*?)^   ```$", re.MULTILINE | re.DOTALL)


def steps() -> list[list[str]]:
    """The commands of every numbered step."""
    blocks = _STEP.findall(PAGE.read_text(encoding="utf-8"))
    return [[line[5:] for line in block.splitlines() if line.startswith("   $ ")] for block in blocks]


@pytest.mark.skipif(
    BASH is None or os.name == "nt" or shutil.which("curl") is None,
    reason="the page is written for a POSIX shell, and calls curl",
)
def test_the_steps_of_the_page(tmp_path: Path) -> None:
    (start,), *rest = steps()
    program, command, *options = start.split()
    assert (program, command) == ("patchgate", "emulator")
    script = "\n".join(line for step in rest for line in step)
    with served(*[str(ROOT / word) if word.startswith("examples") else word for word in options]) as server:
        assert BASH is not None
        environment = environment_of(server, tmp_path)
        path = (str(BIN), environment["PATH"], str(Path(sys.executable).parent))
        done = subprocess.run(
            [BASH, "-euo", "pipefail", "-c", script],
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            cwd=ROOT,
            env=environment | {"PATH": os.pathsep.join(path)},
        )
    assert done.returncode == 0, done.stdout + done.stderr
    for said in ('"Account": "111111111111"', "COMPLETED", "Access denied", '"Status": "SUCCESS"', "InstanceRebooted"):
        assert said in done.stdout, said
    clock = next(line for line in done.stdout.splitlines() if line.startswith('{"now"'))
    assert clock.partition(",")[0] in PAGE.read_text(encoding="utf-8")
