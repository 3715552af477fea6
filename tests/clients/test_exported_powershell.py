"""The exported script for PowerShell makes the stacks of ``patchgate deploy``; where PowerShell is installed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients import test_exported_fleet as fleet

POWERSHELL = shutil.which("pwsh") or shutil.which("powershell") or ""
pytestmark = pytest.mark.skipif(not POWERSHELL, reason="PowerShell is not installed")
COMMAND = (POWERSHELL, "-NoProfile", "-NonInteractive", "-File")

site, clock, deployed, exported = fleet.site, fleet.clock, fleet.deployed, fleet.exported


def test_powershell_makes_the_same_stacks(
    site: fleet.Site, deployed: dict[fleet.StackKey, fleet.Stack], exported: Path
) -> None:
    site.begin()
    assert len(site.run(*COMMAND, str(exported / "deploy.ps1")).splitlines()) == fleet.STACKS
    assert site.stacks() == deployed
    site.run(*COMMAND, str(exported / "deploy.ps1"), where="..")
    assert "Nothing to do." in site.patchgate("deploy", "--yes")


def test_powershell_makes_the_same_stack_sets(site: fleet.Site, clock: Callable[[], None], tmp_path: Path) -> None:
    clock()
    site.begin()
    site.write("service-managed")
    options = ["--for", "stacksets", "--unit", f"{fleet.UNIT}={fleet.WEB},{fleet.SHOP}", "-o", str(tmp_path / "sets")]
    site.patchgate("synth", "fleet.yaml", *options)
    for _ in range(2):  # the second time brings them to the same again
        site.run(*COMMAND, str(tmp_path / "sets" / "deploy.ps1"))
        assert len(site.stacks()) == fleet.STACKS
        assert "Nothing to do." in site.patchgate("deploy", "--yes")
