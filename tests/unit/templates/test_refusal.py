"""The node's own refusal of a late install, in a real shell."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from patchgate.templates.runbook import REFUSE_LATE_SHELL

SHELL = shutil.which("sh")
FUTURE, PAST = "4102444800", "1000000000"

pytestmark = pytest.mark.skipif(SHELL is None, reason="needs sh")


def _run(not_after: str, path: str) -> subprocess.CompletedProcess[str]:
    script = "\n".join(REFUSE_LATE_SHELL).replace("{{NotAfter}}", not_after)
    return subprocess.run([str(SHELL), "-c", script], capture_output=True, text=True, check=False, env={"PATH": path})


def test_before_the_end_of_the_proof_it_goes_on() -> None:
    assert _run(FUTURE, os.defpath).returncode == 0


def test_after_the_end_of_the_proof_it_refuses_and_says_why() -> None:
    refused = _run(PAST, os.defpath)
    assert refused.returncode == 1
    assert f"refused, the proof ended at {PAST}" in refused.stdout


def test_without_a_clock_it_refuses(tmp_path: Path) -> None:
    assert _run(FUTURE, str(tmp_path)).returncode == 1


def test_with_a_broken_clock_it_refuses(tmp_path: Path) -> None:
    clock = tmp_path / "date"
    clock.write_text("#!/bin/sh\necho half past\n", encoding="utf-8")
    clock.chmod(0o755)
    assert _run(FUTURE, str(tmp_path)).returncode == 1


def test_without_an_end_it_refuses() -> None:
    assert _run("", os.defpath).returncode == 1
