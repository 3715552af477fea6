"""``patchgate plan --instances``: lanes that have more instances than fit into a window are not deployed."""

from __future__ import annotations

import json

from tests.integration import test_deploy_command as command

server, site = command.server, command.site


def test_what_does_not_fit_into_its_window_is_not_deployed(site: command.Site) -> None:
    site.write_small()
    plan = ("plan", "fleet.yaml", "--instances")
    assert "40 instances fit into theirs" in site.succeed(*plan, "*/dev:40")
    code, out, _ = site.patchgate(*plan, "*/dev:4000", "--output", "json")
    assert code == 3
    (finding,) = json.loads(out)["proof"]["findings"]
    assert "capacity-exceeded in web/eu-central-1/ubuntu/dev" in finding
    code, _, said = site.patchgate("deploy", "fleet.yaml", "--yes", "--instances", "*/dev:4000")
    assert code == 3
    assert "nothing was touched" in said
    assert site.stacks() == set()
    code, _, said = site.patchgate(*plan, "*/prd:4")
    assert code == 2
    assert "no lane matches '*/prd'" in said
