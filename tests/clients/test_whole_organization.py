"""The whole organization of ``tests/integration`` from its exported files: the stacks of ``patchgate deploy``."""

from __future__ import annotations

import pytest

from tests.clients import test_exported_fleet as exported
from tests.clients.conftest import Tool
from tests.clients.test_exported_fleet import LEDGER, MANAGEMENT, SH, SHOP, WEB, Site, Stack, StackKey, needs_shell
from tests.integration import test_whole_organization as whole

pytestmark = pytest.mark.long

site = exported.site


@pytest.fixture(scope="module")
def deployed(site: Site) -> dict[StackKey, Stack]:
    """What ``patchgate deploy`` makes; its files are exported beside."""
    site.begin()
    (site.directory / "fleet.yaml").write_text(whole.fleet(), encoding="utf-8")
    units = ("--unit", f"{whole.WORKLOADS}={WEB},{SHOP}", "--unit", f"{whole.LEDGERS}={LEDGER}")
    site.patchgate("synth", "fleet.yaml", "--for", "cloudformation", *units)
    site.patchgate("deploy", "--yes")
    found = site.stacks()
    assert len(found) == 2 * whole.LANES + whole.BUCKETS
    return found


def test_sceptre_makes_the_same_organization(site: Site, deployed: dict[StackKey, Stack]) -> None:
    site.begin()
    sceptre = Tool("sceptre", site.environment, site.directory / "deployment")
    environments = [path.name for path in (sceptre.directory / "config").iterdir() if path.is_dir()]
    for environment in sorted(environments):
        sceptre.run("--no-colour", "--var", f"own={MANAGEMENT}", "launch", "-y", environment)
    assert site.stacks() == deployed


@needs_shell
def test_the_aws_cli_makes_the_same_organization(site: Site, deployed: dict[StackKey, Stack]) -> None:
    site.begin()
    assert SH is not None
    assert len(site.run(SH, "deployment/deploy.sh").splitlines()) == len(deployed)
    assert site.stacks() == deployed
