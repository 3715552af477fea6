"""The plan as values: waves in the order of promotion, and in each what happens to every stack and stack set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Literal

from patchgate.config.model import DeploymentMode
from patchgate.operations.rollout.facts import Place, StackKey, digest_of

Action = Literal["create", "update", "leave", "remove"]
Stage = Literal["logs", "freezes", "patch", "monitoring"]
STAGES: tuple[Stage, ...] = ("logs", "freezes", "patch", "monitoring")
"""The order in which the stacks of a wave need each other; removed in the opposite order."""


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to one stack, in one account and Region.

    ``stack_set``: the stack set that carries it, '' for a plain stack. ``lanes`` are those that it serves. ``template``
    is the digest of a body of the plan. ``bucket_of``: the stack whose output BucketName becomes its parameter
    S3Bucket, None where the bucket is known or not needed. ``clear_first``: what a failed creation left is deleted
    before. ``overrides``: of a stack instance, the parameters in which it differs from its set; ``follows_set``: it
    has them already, an update of the set is all that it needs. ``seen`` is the fingerprint of the stack as it was
    read. ``notes`` are for people and change nothing.
    """

    action: Action
    stage: Stage
    account: str
    region: str
    name: str
    lanes: tuple[str, ...]
    stack_set: str = ""
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    template: str = ""
    bucket_of: StackKey | None = None
    clear_first: bool = False
    overrides: Mapping[str, str] = field(default_factory=dict)
    follows_set: bool = False
    seen: str = ""

    @property
    def key(self) -> StackKey:
        """What identifies the stack."""
        return self.account, self.region, self.name

    @property
    def place(self) -> Place:
        """Account and Region."""
        return self.account, self.region


@dataclass(frozen=True, slots=True)
class SetStep:
    """What happens to one stack set itself, in the account that deploys; its instances are steps.

    ``parameters`` are those of the set: an instance has overrides where its own differ.
    """

    action: Action
    stage: Stage
    name: str
    reasons: tuple[str, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    template: str = ""
    bucket_of: StackKey | None = None
    seen: str = ""


@dataclass(frozen=True, slots=True)
class PlannedWave:
    """What is deployed together: one environment."""

    environment: str
    steps: tuple[Step, ...]
    sets: tuple[SetStep, ...] = ()

    @property
    def changes(self) -> int:
        """How many stacks and stack sets it changes."""
        return sum(step.action != "leave" for step in self.steps) + sum(one.action != "leave" for one in self.sets)


@dataclass(frozen=True, slots=True)
class Surplus:
    """A stack of patchgate that no lane of the fleet file has; ``stack_set`` as in Step; a whole set has no place."""

    account: str
    region: str
    name: str
    stack_set: str = ""


@dataclass(frozen=True, slots=True)
class SetAdministration:
    """Where and how stack sets are administered. ``root`` is the organization's, for service-managed sets."""

    region: str
    mode: DeploymentMode
    root: str = ""
    administration_role: str = ""
    execution_role: str = ""


@dataclass(frozen=True, slots=True)
class ScheduleProof:
    """What ``check`` proved of the plan's lanes: how many windows, from when until when (aware UTC).

    ``instances``: how many fit into their windows, of the lanes whose number is known.
    """

    start: datetime
    until: datetime
    windows: int
    findings: tuple[str, ...] = ()
    instances: int = 0


@dataclass(frozen=True, slots=True)
class DriftSummary:
    """How many of the stacks that are there have drifted, have not, and what nobody looked at or AWS cannot say.

    ``oldest``: when the one was looked at that was not looked at for longest (aware UTC); None when none was.
    """

    drifted: int
    in_sync: int
    unknown: int
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a deployment does. ``bodies``: digest -> template text. ``problems``: what forbids it.
    ``drift``: None where no stack is there.

    ``purpose`` is 'deploy' or 'destroy'. ``deployer`` is the caller's account. The deployment's lock is in
    ``log_account`` and ``lock_region``.
    """

    purpose: Literal["deploy", "destroy"]
    fleet: str
    organization: str
    version: str
    made_at: datetime
    deployer: str
    member_role: str
    log_account: str
    lock_region: str
    waves: tuple[PlannedWave, ...]
    administration: SetAdministration | None = None
    bodies: Mapping[str, str] = field(default_factory=dict)
    surplus: tuple[Surplus, ...] = ()
    proof: ScheduleProof | None = None
    problems: tuple[str, ...] = ()
    drift: DriftSummary | None = None

    def steps(self) -> Iterator[Step]:
        """Every step, in the order of the waves."""
        for wave in self.waves:
            yield from wave.steps

    @property
    def changes(self) -> int:
        """How many stacks and stack sets it changes."""
        return sum(wave.changes for wave in self.waves)

    @property
    def fingerprint(self) -> str:
        """What identifies the plan: all that it does, where and as whom, to what, as it was seen, and what forbids it.

        Not when it was made, nor from which file.
        """
        waves = [
            (wave.environment, [_values(each) for each in wave.steps], [_values(each) for each in wave.sets])
            for wave in self.waves
        ]
        doer = (self.deployer, self.member_role, self.log_account, self.lock_region)
        administration = _values(self.administration) if self.administration else None
        forbidden = (self.problems, self.proof.findings if self.proof else ())
        surplus = [_values(each) for each in self.surplus]
        return digest_of([self.purpose, self.organization, doer, administration, waves, surplus, forbidden])


def _values(one: Step | SetStep | Surplus | SetAdministration) -> list[object]:
    """The values of all fields, as JSON can say them."""
    values = (getattr(one, each.name) for each in fields(one))
    return [dict(value) if isinstance(value, Mapping) else value for value in values]
