"""A whole organization deployed: 3 accounts in 2 organizational units, 3 Regions, every operating system everywhere."""

from __future__ import annotations

import itertools
import json

import pytest

from patchgate.domain.environments import ENVIRONMENTS
from patchgate.domain.operating_systems import operating_systems
from tests.integration import test_deploy_command as command

server, site, managed = command.server, command.site, command.managed

WORKLOADS, LEDGERS = "ou-a1b2-c3d4e5f6", "ou-a1b2-d4e5f6a7"
SYSTEMS = [each.name for each in operating_systems()]
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
HEAD = """
version: 1
organization: {id: o-a1b2c3d4e5, log_account: ledger}
log_bucket: {region: eu-central-1}
deployment: {mode: stacks}
accounts:
  - {id: "111111111111", name: web}
  - {id: "222222222222", name: shop}
  - {id: "333333333333", name: ledger}
organizational_units: [{id: ou-a1b2-c3d4e5f6, name: workloads}, {id: ou-a1b2-d4e5f6a7, name: ledgers}]
"""
TARGETS = """
targets:
  - {organizational_units: [workloads], regions: [eu-central-1], environments: [lab, dev, qa], operating_systems: ALL}
  - {organizational_units: [ledgers], regions: [us-east-1], environments: [sit, uat], operating_systems: ALL}
  - {organizational_units: [ledgers], regions: [eu-west-1], environments: [stg, prd], operating_systems: ALL}
  - {organizational_units: [workloads], regions: [us-east-1, eu-west-1], environments: [prd], operating_systems: [suse]}
"""
LANES = 2 * 3 * len(SYSTEMS) + 2 * 2 * len(SYSTEMS) + 2 * 2
BUCKETS = len(SYSTEMS) * len(ENVIRONMENTS)


def fleet() -> str:
    """Every operating system has a time of its own: AWS runs five windows at once."""
    times = [f"{{patch: {{weekday: {day}, at: '{hour}:00'}}}}" for hour in (11, 20) for day in DAYS]
    assert len(SYSTEMS) <= len(times)
    systems = [f"  - {{name: {name}, schedule: {time}}}" for name, time in zip(SYSTEMS, times, strict=False)]
    environments = [f"  - name: {name}" for name in ("lab", "dev", "qa", "sit", "uat", "stg", "prd")]
    lists = "\n".join(["environments:", *environments, "operating_systems:", *systems])
    return HEAD + lists + TARGETS.replace("ALL", f"[{', '.join(SYSTEMS)}]")


@pytest.mark.long
def test_all_operating_systems_in_all_environments(managed: command.Site) -> None:
    """Every lane is there, as the exported files say too, and nothing is left to do."""
    (managed.directory / "fleet.yaml").write_text(fleet(), encoding="utf-8")
    units = ("--unit", f"{WORKLOADS}={command.WEB},{command.SHOP}", "--unit", f"{LEDGERS}={command.LEDGER}")
    managed.succeed("synth", "fleet.yaml", "--for", "cloudformation", *units)
    exported = {
        (path.parts[-3], path.parts[-2], path.stem): json.loads(path.read_text(encoding="utf-8"))
        for path in (managed.directory / "deployment" / "parameters").rglob("*.json")
    }
    assert f"Deployed: {2 * LANES + BUCKETS} created" in managed.succeed("deploy", "--yes")
    assert managed.stacks() == exported.keys()
    assert {(os, env) for _, _, name in exported for os, env in [tuple(name.split("-")[-2:])]} == set(
        itertools.product(SYSTEMS, ENVIRONMENTS)
    )
    buckets = set()
    for account, region in {key[:2] for key in exported}:
        for stack in managed.client(account, region, "cloudformation").describe_stacks()["Stacks"]:
            assert stack["StackStatus"] == "CREATE_COMPLETE"
            said = {
                each["ParameterKey"]: each["ParameterValue"] for each in exported[account, region, stack["StackName"]]
            }
            there = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
            if said.get("S3Bucket") == "@LogBucket@":
                buckets.add(there["S3Bucket"])
                said["S3Bucket"] = there["S3Bucket"]
            assert there == said
    assert len(buckets) == BUCKETS
    assert managed.plan()["changes"] == 0
    status = json.loads(managed.succeed("status", "--output", "json"))
    assert (status["exit_code"], status["counts"]["ok"], len(status["lanes"])) == (0, LANES, LANES)
