"""Synthesis of a large fleet beside troposphere, a plan of 1,000 accounts in 4 Regions, and the start of each command.

Synthesis is everything between a fleet file's text and the stacks to deploy: 3 operating systems x 7 environments x 34
Regions in one account, with the templates rendered anew. *Anew*: with the gate's code bundled anew too, which a process
does once. troposphere gets what it is for: templates of the same content as its objects, and their YAML; *once* for the
three of them, and *a lane* for tools that build a template for each lane.

The plan rests on facts as AWS would give them, from memory: one lane in each account and Region, deployed, with one
setting changed in every tenth. Memory is Python's own count in a second run, which it slows down.

All of it is processor time, the best of some rounds in one run, so that others' load counts little; the start of
commands is compared with ``python -c pass`` in turn. Run: ``make bench-plan``. Exits with 1 when a goal is missed.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from troposphere.template_generator import TemplateGenerator

from patchgate.cli.root import COMMANDS
from patchgate.config import FleetConfig, parse_fleet
from patchgate.domain.environments import ENVIRONMENTS
from patchgate.domain.regions import regions
from patchgate.operations.deployment import settle_lanes
from patchgate.operations.rollout.desired import DesiredStack, LanePlace, _text_of, list_desired
from patchgate.operations.rollout.facts import (
    Caller,
    Kept,
    KeptNames,
    OrganizationFacts,
    Place,
    SetFacts,
    StackFacts,
    StackKey,
    Usage,
    digest_template,
)
from patchgate.operations.rollout.planning import PlanRequest, plan_deployment
from patchgate.operations.rollout.steps import Plan
from patchgate.operations.rollout.survey import survey_fleet
from patchgate.plan.order import prove_order
from patchgate.templates import build_templates
from patchgate.templates.gate_code import _read_part, build_bundle, gate_hash

NOW = datetime(2026, 7, 1, tzinfo=UTC)
ROUNDS = 7
PLAN_ROUNDS = 3
SYSTEMS = ("amazonlinux", "ubuntu", "windows")
REGIONS = 34
SYNTHESIS_MILLISECONDS = 100
ACCOUNTS = 1000
PLANNED_REGIONS = ("eu-central-1", "eu-west-1", "us-east-1", "us-west-2")
UNIT = "ou-a1b2-c3d4e5f6"
EVERY = 10
STARTS = 5

SYNTHESIS = """\
version: 1
organization: {{id: o-a1b2c3d4e5, log_account: "111111111111"}}
accounts: [{{id: "111111111111", name: web}}]
targets:
  - accounts: [web]
    regions: [{regions}]
    operating_systems: [{systems}]
    environments: [{environments}]
"""
PLANNED = f"""\
version: 1
organization: {{id: o-a1b2c3d4e5, log_account: "999999999999"}}
organizational_units: [{{id: {UNIT}, name: workloads}}]
targets:
  - organizational_units: [workloads]
    regions: [{", ".join(PLANNED_REGIONS)}]
    operating_systems: [ubuntu]
    environments: [prd]
"""


def best(run: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Milliseconds of processor time of the best round, after one that fills what a process fills once."""
    run()
    times = []
    for _ in range(rounds):
        began = time.process_time()
        run()
        times.append(time.process_time() - began)
    return min(times) * 1000


def synthesise(text: str) -> int:
    """The stacks of a fleet file; how many lanes it has. Templates are rendered anew."""
    build_templates.cache_clear()
    _text_of.cache_clear()
    fleet = parse_fleet(text.encode(), "fleet.yaml")
    stacks = desired_stacks(fleet)
    return len({name for stack in stacks for name in stack.lanes})


def synthesise_anew(text: str) -> int:
    """The same with the gate's code bundled anew."""
    build_bundle.cache_clear()
    gate_hash.cache_clear()
    _read_part.cache_clear()
    return synthesise(text)


def desired_stacks(fleet: FleetConfig) -> list[DesiredStack]:
    """Every stack that the fleet should have, each by itself."""
    configs = fleet.lanes(today=NOW.date())
    settled = settle_lanes(configs, fleet.organization.id)
    lanes = [LanePlace.of(config, each) for config, each in zip(configs, settled, strict=True)]
    waves = list_desired(lanes, fleet.promotion, fleet.log_account, lambda _: False)
    return [stack for wave in waves for stack in wave.stacks]


def troposphere_templates(bodies: Iterable[dict[str, Any]]) -> int:
    """The same templates as troposphere's objects, and their YAML; how many letters that is."""
    return sum(len(TemplateGenerator(body).to_yaml()) for body in bodies)


def print_synthesis() -> list[str]:
    """Synthesis and its yardstick; what missed its goal."""
    names = sorted(each.name for each in regions() if each.time_zone)[:REGIONS]
    environments = ", ".join(ENVIRONMENTS)
    text = SYNTHESIS.format(regions=", ".join(names), systems=", ".join(SYSTEMS), environments=environments)
    lanes = synthesise(text)
    ours, anew = best(lambda: synthesise(text)), best(lambda: synthesise_anew(text))
    bodies = [template.body() for template in build_templates().values()]
    once = best(lambda: troposphere_templates(bodies), 3)
    two = bodies[1:]
    each = best(lambda: troposphere_templates(two), 3)
    print(f"Synthesis of {lanes} lanes ({len(SYSTEMS)} x {len(ENVIRONMENTS)} x {len(names)}), ms of processor time")
    print(f"  fleet file -> stacks              {ours:8.1f}   {ours / lanes * 1000:6.1f} us a lane; goal: under 100 ms")
    print(f"  with the gate's code anew         {anew:8.1f}")
    print(f"  troposphere, three templates once {once:8.1f}   {once / ours:6.1f}x of the whole fleet here")
    print(
        f"  troposphere, two for each lane    {each * lanes:8.0f}   {each * lanes / ours:6.0f}x (one, times the lanes)"
    )
    return ["synthesis"] if ours > SYNTHESIS_MILLISECONDS else []


@dataclass(frozen=True, slots=True)
class RecordedFacts:
    """FactsReader of an organization that has the stacks."""

    accounts: tuple[str, ...]
    there: Mapping[StackKey, StackFacts]

    def caller(self) -> Caller:
        return Caller("999999999999", "arn:aws:iam::999999999999:role/operator")

    def organization(self) -> OrganizationFacts:
        return OrganizationFacts("o-a1b2c3d4e5", "999999999999", "r-a1b2")

    def accounts_of(self, units: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        return dict.fromkeys(units, self.accounts)

    def stacks(self, places: Iterable[Place]) -> Mapping[StackKey, StackFacts]:
        wanted = set(places)
        return {key: facts for key, facts in self.there.items() if key[:2] in wanted}

    def sets(self, region: str) -> Mapping[str, SetFacts]:  # noqa: ARG002 - FactsReader's
        return {}

    def kept(self, names: Iterable[KeptNames]) -> Mapping[StackKey, Kept]:
        return {each.stack: Kept() for each in names}

    def usage(self, places: Iterable[Place]) -> Mapping[Place, Usage]:
        return {place: Usage() for place in places}


def record_facts(fleet: FleetConfig, accounts: tuple[str, ...]) -> RecordedFacts:
    """Facts of the fleet as it was deployed, with another retention in the patch stack of every tenth lane."""
    there: dict[StackKey, StackFacts] = {}
    for number, stack in enumerate(desired_stacks(fleet.with_units({UNIT: accounts}))):
        parameters = dict(stack.parameters)
        if stack.bucket_of:
            parameters["S3Bucket"] = "the-bucket"
        if stack.stage == "patch" and number % (2 * EVERY) == 1:
            parameters["RetentionDays"] = "99"
        outputs = {"BucketName": "the-bucket"} if stack.stage == "logs" else {}
        there[stack.key] = StackFacts("CREATE_COMPLETE", parameters, stack.tags, digest_template(stack.body), outputs)
    return RecordedFacts(accounts, there)


def make_plan(fleet: FleetConfig, facts: RecordedFacts) -> Plan:
    """The plan with the proof of ten years, from nothing."""
    prove_order.cache_clear()
    return plan_deployment(survey_fleet(fleet, facts, NOW), PlanRequest(NOW))


def print_plan() -> None:
    """How long a plan takes, and how much memory."""
    fleet = parse_fleet(PLANNED.encode(), "fleet.yaml")
    accounts = tuple(f"{number:012d}" for number in range(1, ACCOUNTS + 1))
    facts = record_facts(fleet, accounts)
    began = time.perf_counter()
    plan = make_plan(fleet, facts)
    wall = time.perf_counter() - began
    spent = best(lambda: make_plan(fleet, facts), PLAN_ROUNDS)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    plan = make_plan(fleet, facts)
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    lanes = ACCOUNTS * len(PLANNED_REGIONS)
    unit = 1 if sys.platform == "darwin" else 1024
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    print(
        f"Plan of {ACCOUNTS:,} accounts x {len(PLANNED_REGIONS)} Regions, {lanes:,} lanes, {len(facts.there):,} stacks"
    )
    print(f"  wall, the first time              {wall:8.2f} s   {plan.changes} changes")
    print(
        f"  processor, best of {PLAN_ROUNDS}              {spent / 1000:8.2f} s   {spent * 1000 / lanes:6.0f} us a lane"
    )
    print(f"  peak memory of the plan           {peak / 2**20:8.1f} MB  {peak / lanes / 1024:6.1f} KB a lane")
    print(f"  peak of this whole process        {resident / 2**20:8.1f} MB")


def start(arguments: list[str]) -> float:
    """Milliseconds of processor time that a child took."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], env=environment, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def print_starts() -> None:
    """How long each command takes to say its help, as a multiple of an interpreter that does nothing."""
    programs = {"python -c pass": ["-c", "pass"], "patchgate --version": ["-m", "patchgate", "--version"]}
    programs |= {f"patchgate {name} --help": ["-m", "patchgate", name, "--help"] for name in COMMANDS}
    times: dict[str, float] = {}
    for turn in range(STARTS + 1):
        for name, arguments in programs.items():
            spent = start(arguments)
            if turn:
                times[name] = min(times.get(name, spent), spent)
    least = times["python -c pass"]
    print(f"Start-up, milliseconds of processor time, best of {STARTS}")
    for name, spent in times.items():
        print(f"  {name:<33} {spent:8.0f}   {spent / least:6.1f}x")


def main() -> int:
    """Print all three; the exit code is 1 when a goal is missed."""
    missed = print_synthesis()
    print_plan()
    print_starts()
    print(f"missed: {'; '.join(missed)}" if missed else "every goal is met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
