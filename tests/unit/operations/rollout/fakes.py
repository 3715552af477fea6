"""An AWS in memory that plays every port of a rollout, so that a plan that is carried out can be planned again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from patchgate.config import FleetConfig, parse_fleet
from patchgate.operations.ports import StackFailedError, StackResult
from patchgate.operations.rollout.execution import Execution, StopSignal
from patchgate.operations.rollout.facts import (
    FAILED_CREATION,
    Caller,
    InstanceFacts,
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
from patchgate.operations.rollout.journal import Journal
from patchgate.operations.rollout.planning import PlanRequest, plan_deployment
from patchgate.operations.rollout.ports import StackSetFailedError, Told
from patchgate.operations.rollout.sets import Rectangle
from patchgate.operations.rollout.steps import Plan, PlannedWave, SetAdministration, Step
from patchgate.operations.rollout.survey import Survey, survey_fleet
from patchgate.operations.rollout.verification import find_unsettled, read_planned

MANAGEMENT, WEB, SHOP = "999999999999", "111111111111", "222222222222"
ORGANIZATION = "o-a1b2c3d4e5"
UNIT = "ou-a1b2-c3d4e5f6"
NOW = datetime(2026, 7, 1, 9, 30, tzinfo=UTC)


@dataclass
class FakeAws:
    """FactsReader, StackControl and StackSetControl. ``failing``: the stacks that cannot be deployed."""

    account: str = MANAGEMENT
    organization_id: str = ORGANIZATION
    units: dict[str, tuple[str, ...]] = field(default_factory=lambda: {UNIT: (WEB, SHOP)})
    there: dict[StackKey, StackFacts] = field(default_factory=dict)
    stack_sets: dict[str, SetFacts] = field(default_factory=dict)
    vaults: set[StackKey] = field(default_factory=set)
    used: dict[Place, Usage] = field(default_factory=dict)
    failing: set[StackKey] = field(default_factory=set)
    calls: list[tuple[str, ...]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    # -- FactsReader ---------------------------------------------------------------------------------------------

    def caller(self) -> Caller:
        return Caller(self.account, f"arn:aws:iam::{self.account}:user/ada")

    def organization(self) -> OrganizationFacts:
        return OrganizationFacts(self.organization_id, MANAGEMENT, "r-a1b2")

    def accounts_of(self, units: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        return {unit: self.units[unit] for unit in units}

    def stacks(self, places: Iterable[Place]) -> Mapping[StackKey, StackFacts]:
        wanted = set(places)
        return {key: found for key, found in self.there.items() if key[:2] in wanted}

    def sets(self, region: str) -> Mapping[str, SetFacts]:
        assert region
        return dict(self.stack_sets)

    def kept(self, names: Iterable[KeptNames]) -> Mapping[StackKey, Kept]:
        return {
            each.stack: Kept((*each.stack[:2], each.vault) in self.vaults, (*each.stack[:2], each.vault) in self.vaults)
            for each in names
        }

    def usage(self, places: Iterable[Place]) -> Mapping[Place, Usage]:
        return {place: self.used.get(place, Usage()) for place in places}

    # -- StackControl --------------------------------------------------------------------------------------------

    def create_or_update(
        self,
        account: str,
        region: str,
        name: str,
        template_body: str,
        parameters: Mapping[str, str],
        capabilities: tuple[str, ...] = (),
        tags: Mapping[str, str] | None = None,
    ) -> StackResult:
        key = account, region, name
        with self.lock:
            self.calls.append(("stack", *key))
            found = self.there.get(key)
            assert found is None or found.status not in FAILED_CREATION, f"{key} must be deleted first"
            assert ("freezes" in name) == (capabilities == ())
            problem = self.problem(key, parameters)
            if problem:
                status = "UPDATE_ROLLBACK_COMPLETE" if found else "ROLLBACK_COMPLETE"
                self.there[key] = replace(found or StackFacts(status), status=status)
                raise StackFailedError(*key, reason=problem, remedy="mend it", status=status)
            status = "UPDATE_COMPLETE" if found else "CREATE_COMPLETE"
            outputs = {"BucketName": f"bucket-{account}-{name}"} if "logs" in name else {}
            digest = digest_template(template_body)
            self.there[key] = StackFacts(status, dict(parameters), dict(tags or {}), digest, outputs)
            return StackResult(status, outputs)

    def problem(self, key: StackKey, parameters: Mapping[str, str]) -> str:
        if key in self.failing:
            return "it cannot be"
        if "CreateBackupVault" in parameters:
            os, env = parameters["TargetOperatingSystem"], parameters["Environment"]
            vault = (*key[:2], f"{parameters['BackupVaultNamePrefix']}-{os}-{env}-{key[1]}")
            if not self._carried(key) and (vault in self.vaults) == (parameters["CreateBackupVault"] == "true"):
                return "the vault is there already" if vault in self.vaults else "there is no vault"
            self.vaults.add(vault)
        return ""

    def _carried(self, key: StackKey) -> bool:
        found = self.stack_sets.get(key[2])
        return key in self.there or (found is not None and key[:2] in found.instances)

    def delete(self, account: str, region: str, name: str) -> None:
        with self.lock:
            self.calls.append(("delete", account, region, name))
            self.there.pop((account, region, name), None)

    def describe(self, account: str, region: str, name: str) -> StackResult | None:
        found = self.there.get((account, region, name))
        return StackResult(found.status, found.outputs) if found else None


@dataclass
class FakeSets:
    """StackSetControl over the same AWS."""

    aws: FakeAws

    def create(
        self,
        name: str,
        body: str,
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
        administration: SetAdministration,
    ) -> None:
        assert name not in self.aws.stack_sets
        self.aws.calls.append(("create-set", name))
        model = {"service-managed": "SERVICE_MANAGED", "self-managed": "SELF_MANAGED"}[administration.mode]
        self.aws.stack_sets[name] = SetFacts(model, dict(parameters), dict(tags), digest_template(body))

    def update(
        self,
        name: str,
        body: str,
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
        administration: SetAdministration,
        told: Told,
    ) -> None:
        assert administration.region
        self.aws.calls.append(("update-set", name))
        found = self.aws.stack_sets[name]
        changed = replace(found, parameters=dict(parameters), tags=dict(tags), template=digest_template(body))
        self.aws.stack_sets[name] = changed
        self._bring(name, {place: each.overrides for place, each in found.instances.items()}, told)

    def create_instances(
        self, name: str, at: Rectangle, overrides: Mapping[str, str], administration: SetAdministration, told: Told
    ) -> None:
        assert administration.root or administration.mode == "self-managed"
        self.aws.calls.append(("create-instances", name, *at[0], *at[1]))
        self._bring(name, {(account, region): overrides for account in at[0] for region in at[1]}, told)

    def update_instances(
        self, name: str, at: Rectangle, overrides: Mapping[str, str], administration: SetAdministration, told: Told
    ) -> None:
        assert administration.mode != "stacks"
        self.aws.calls.append(("update-instances", name, *at[0], *at[1]))
        self._bring(name, {(account, region): overrides for account in at[0] for region in at[1]}, told)

    def _bring(self, name: str, wanted: Mapping[Place, Mapping[str, str]], told: Told) -> None:
        found = self.aws.stack_sets[name]
        instances, failed = dict(found.instances), {}
        for place, overrides in wanted.items():
            bad = bool(self.aws.problem((*place, name), {**found.parameters, **overrides}))
            instances[place] = InstanceFacts("OUTDATED" if bad else "CURRENT", dict(overrides), "no" if bad else "")
            told(place, not bad)
            if bad:
                failed[place] = "it cannot be"
        self.aws.stack_sets[name] = replace(found, instances=instances)
        if failed:
            raise StackSetFailedError(name, "the operation FAILED", failed, remedy="mend it")

    def delete_instances(self, name: str, at: Rectangle, administration: SetAdministration, told: Told) -> None:
        assert administration.mode != "stacks"
        self.aws.calls.append(("delete-instances", name, *at[0], *at[1]))
        found = self.aws.stack_sets[name]
        gone = {(account, region) for account in at[0] for region in at[1]}
        assert gone <= set(found.instances)
        left = {place: each for place, each in found.instances.items() if place not in gone}
        self.aws.stack_sets[name] = replace(found, instances=left)
        for place in gone:
            told(place, True)

    def delete(self, name: str) -> None:
        assert not self.aws.stack_sets.pop(name).instances
        self.aws.calls.append(("delete-set", name))


@dataclass
class Heard:
    """Watcher that remembers what it was told."""

    told: list[tuple[str, str]] = field(default_factory=list)

    def wave_begins(self, wave: PlannedWave, number: int, total: int) -> None:
        self.told.append(("wave", f"{number}/{total} {wave.environment}"))

    def step_begins(self, step: Step) -> None:
        self.told.append(("begins", "/".join(step.key)))

    def step_ends(self, step: Step, *, failed: bool) -> None:
        self.told.append(("failed" if failed else "done", "/".join(step.key)))

    def bakes(self, wave: PlannedWave, minutes: float) -> None:
        self.told.append(("bakes", f"{wave.environment} {minutes:g}"))

    def wave_ends(self, wave: PlannedWave) -> None:
        self.told.append(("through", wave.environment))


def fleet_of(text: str, mode: str = "stacks") -> FleetConfig:
    head = f"version: 1\norganization: {{id: {ORGANIZATION}, log_account: web}}\ndeployment: {{mode: {mode}}}\n"
    accounts = f'accounts: [{{id: "{WEB}", name: web}}, {{id: "{SHOP}", name: shop}}]\n'
    return parse_fleet((head + accounts + text).encode(), "fleet.yaml")


def survey_of(fleet: FleetConfig, aws: FakeAws) -> Survey:
    return survey_fleet(fleet, aws, NOW)


def plan_of(fleet: FleetConfig, aws: FakeAws, *, prune: bool = False) -> Plan:
    return plan_deployment(survey_of(fleet, aws), PlanRequest(NOW, years=1, prune=prune))


def carry_out(
    plan: Plan,
    aws: FakeAws,
    path: Path,
    *,
    stop: StopSignal | None = None,
    bake: float = 0,
    done: frozenset[str] = frozenset(),
    failed: frozenset[str] = frozenset(),
    confirm: Callable[[PlannedWave], Sequence[str]] | None = None,
) -> Heard:
    """Carry it out against the fake; what the watcher heard."""
    heard = Heard()

    def look(wave: PlannedWave) -> list[str]:
        return list(find_unsettled(wave, read_planned(replace(plan, waves=(wave,)), aws)))

    sets = FakeSets(aws) if plan.administration else None
    journal = Journal(path, lambda: NOW)
    Execution(
        plan, aws, sets, journal, heard, stop or StopSignal(), confirm or look, bake, done=done, failed=failed
    ).run()
    return heard
