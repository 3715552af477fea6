"""What plan, deploy and destroy have in common: reaching AWS, asking, and carrying a plan out."""

from __future__ import annotations

import json
import os
import platform
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from patchgate.cli.clock import read_exact_clock
from patchgate.cli.console import Progress, describe_terminal
from patchgate.cli.state import state_directory
from patchgate.errors import InputError, PatchgateError, UnsafeError

if TYPE_CHECKING:
    from patchgate.aws.accounts import Accounts
    from patchgate.config import FleetConfig
    from patchgate.operations.check import CapacityFacts
    from patchgate.operations.rollout.execution import StopSignal
    from patchgate.operations.rollout.facts import Facts, FactsReader
    from patchgate.operations.rollout.ports import DeploymentLock
    from patchgate.operations.rollout.steps import Plan, PlannedWave
    from patchgate.operations.rollout.survey import Survey

NOT_DONE = 1
LONGEST_POLL = 600


@dataclass(frozen=True, slots=True)
class Reach:
    """AWS as the caller reaches it."""

    accounts: Accounts
    reader: FactsReader


@dataclass(frozen=True, slots=True)
class Conduct:
    """How a plan is carried out. ``journal`` None: in the state directory. ``bake`` is in minutes.

    ``resume``: what the journal says of an earlier attempt counts; a plan that was made just now knows all of it.
    """

    yes: bool = False
    output: str = "text"
    bake: float = 0
    take_over: bool = False
    journal: Path | None = None
    resume: bool = False


def read_fleet_file(path: Path, member_role: str | None) -> FleetConfig:
    """The fleet file, with another member role where an option names one."""
    from patchgate.config import read_fleet

    fleet = read_fleet(path)
    if member_role is None:
        return fleet
    deployment = fleet.deployment.model_copy(update={"member_role": member_role})
    return replace(fleet, file=fleet.file.model_copy(update={"deployment": deployment}))


def reach_aws(member_role: str, region: str, profile: str | None) -> Reach:
    """Clients for all accounts; ``region`` is where identity and organization are asked for."""
    from patchgate.aws.accounts import Accounts
    from patchgate.aws.fleet_facts import FleetFacts
    from patchgate.domain.regions import region as find_region

    accounts = Accounts(member_role, region, find_region(region).partition, profile=profile)
    return Reach(accounts, FleetFacts(accounts.client, accounts.caller, region))


def home_region(fleet: FleetConfig) -> str:
    """The Region that the fleet is deployed from."""
    return fleet.deployment.region or fleet.log_bucket.region or fleet.file.targets[0].regions[0]


def survey(fleet: FleetConfig, reach: Reach, tell: Callable[[str], None], stop: StopSignal) -> Survey:
    """Everything that a plan rests on, once nothing of it is being changed any more."""
    from patchgate.operations.rollout.survey import survey_fleet
    from patchgate.operations.rollout.verification import await_settled

    found: list[Survey] = []

    def read() -> Facts:
        found.append(survey_fleet(fleet, reach.reader, read_exact_clock()))
        return found[-1].facts

    tell("reading accounts, stacks and stack sets")
    await_settled(read, stop.pause, tell)
    return found[-1]


def survey_with_progress(fleet: FleetConfig, reach: Reach, *, detect_drift: bool = False) -> Survey:
    """The survey, with what it does on standard error; ``detect_drift``: once CloudFormation has looked for it."""
    from patchgate.operations.rollout.execution import StoppedError, StopSignal

    stop = StopSignal()
    with Progress(sys.stderr, describe_terminal(sys.stderr, os.environ)) as progress:
        try:
            found = survey(fleet, reach, progress.show, stop)
            if detect_drift:
                _detect_drift(found, reach, progress.show, stop)
                found = survey(fleet, reach, progress.show, stop)
        except KeyboardInterrupt:
            raise StoppedError("stopped: nothing was changed", remedy="run the same again") from None
    return found


def read_capacity(found: Survey, instances: tuple[tuple[str, int], ...], install_minutes: int) -> CapacityFacts:
    """What the options say of the lanes' instances; InputError for a pattern that no lane matches."""
    from patchgate.cli.capacity import count_instances
    from patchgate.operations.check import CapacityFacts

    counts = count_instances([each.lane.name for each in found.lanes], instances)
    return CapacityFacts(counts, install_minutes=install_minutes)


def _detect_drift(found: Survey, reach: Reach, tell: Callable[[str], None], stop: StopSignal) -> None:
    from patchgate.aws.drift_detection import CloudFormationDrift
    from patchgate.operations.rollout.drift import detect_drift

    def client(account: str, region: str) -> Any:
        return reach.accounts.client(account, region, "cloudformation")

    region = found.administration.region if found.administration else home_region(found.fleet)
    sets = client(found.facts.caller.account, region)
    poll = read_poll_interval(os.environ)
    detect_drift(found, CloudFormationDrift(client, sets, stop.pause, poll), tell)


def show_plan(plan: Plan, output: str, *, every: bool = False) -> None:
    """Print the plan on standard output."""
    from patchgate.report.rollout import render_plan_json, render_plan_text

    if output == "json":
        sys.stdout.write(render_plan_json(plan))
        return
    terminal = describe_terminal(sys.stdout, os.environ)
    sys.stdout.write(
        render_plan_text(plan, width=terminal.width, color=terminal.color, ascii_only=terminal.ascii_only, every=every)
    )
    sys.stdout.flush()


def refuse_unsafe(plan: Plan, *, shown: bool) -> None:
    """Raise UnsafeError for an order that is broken, PatchgateError for what AWS would refuse.

    ``shown``: the person has seen the plan, and needs no list.
    """
    if plan.proof is not None and plan.proof.findings:
        raise UnsafeError(
            _headline("the order of lanes is broken", plan.proof.findings, shown=shown),
            remedy="nothing was touched: change the schedules that are named; patchgate check FLEET says more",
        )
    if plan.problems:
        raise PatchgateError(
            _headline("this cannot be deployed", plan.problems, shown=shown),
            remedy="nothing was touched: correct what is named, and plan again",
        )


def _headline(what: str, reasons: Sequence[str], *, shown: bool) -> str:
    if shown:
        return f"{what}; the plan says why, at its end"
    return f"{what}:\n" + "\n".join(f"  {each}" for each in reasons)


def carry_out(plan: Plan, reach: Reach, conduct: Conduct) -> int:
    """Ask, and do what the plan says; the exit code. What is already as it should be stays untouched."""
    verb = "Deploy" if plan.purpose == "deploy" else "Destroy"
    refuse_unsafe(plan, shown=conduct.output == "text")
    if not plan.changes:
        _tell_result(plan, conduct, "nothing to do", None)
        return 0
    if not conduct.yes and not _agrees(f"{verb} this?"):
        _tell_result(plan, conduct, "planned", None)
        return NOT_DONE
    journal = _execute(plan, reach, conduct)
    _tell_result(plan, conduct, "deployed" if plan.purpose == "deploy" else "destroyed", journal)
    return 0


def _execute(plan: Plan, reach: Reach, conduct: Conduct) -> Path:
    from patchgate.aws.deployment_lock import ParameterLock
    from patchgate.aws.stack_sets import CloudFormationStackSets
    from patchgate.aws.stacks import CloudFormationStacks
    from patchgate.cli.rollout_progress import open_watcher
    from patchgate.operations.rollout.execution import GO_ON, Execution, StoppedError, StopSignal
    from patchgate.operations.rollout.journal import Journal
    from patchgate.operations.rollout.journal import Progress as Earlier
    from patchgate.operations.rollout.ports import LockHolder
    from patchgate.operations.rollout.verification import (
        await_settled,
        check_unchanged,
        find_own_failures,
        read_planned,
    )

    accounts, stop = reach.accounts, StopSignal()
    journal = Journal(conduct.journal or _default_journal(plan), read_exact_clock)
    lock = ParameterLock(accounts.client(plan.log_account, plan.lock_region, "ssm"))
    holder = LockHolder(accounts.caller().arn, _where(), read_exact_clock(), plan.fingerprint[:12])
    poll = read_poll_interval(os.environ)
    stacks = CloudFormationStacks(
        lambda account, region: accounts.client(account, region, "cloudformation"), stop.pause, poll=poll
    )
    sets = None
    if plan.administration is not None:
        client = accounts.client(plan.deployer, plan.administration.region, "cloudformation")
        sets = CloudFormationStackSets(client, stop.pause, poll=poll)
    lock.acquire(holder, take_over=conduct.take_over)
    with (
        released(lock),
        terminated_as_interrupted(),
        open_watcher(sys.stderr, describe_terminal(sys.stderr, os.environ)) as watcher,
    ):
        try:
            facts = await_settled(lambda: read_planned(plan, reach.reader), stop.pause, watcher.say)
            progress = journal.read(plan.fingerprint) if conduct.resume else Earlier()
            done = check_unchanged(plan, facts, progress)
            Execution(
                plan,
                stacks,
                sets,
                journal,
                watcher,
                stop,
                lambda wave: _confirm(plan, wave, reach.reader),
                bake=conduct.bake,
                done=done,
                failed=find_own_failures(plan, facts, progress),
            ).run()
        except KeyboardInterrupt:
            raise StoppedError("stopped between two changes", remedy=GO_ON) from None
    return journal.path


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM, with which pipelines end jobs, is as Ctrl-C inside: the lock is given back, and the journal complete."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def released(lock: DeploymentLock) -> Iterator[None]:
    """Gives the lock back in the end. When that fails too, both errors are told."""
    try:
        yield
    except PatchgateError as error:
        try:
            lock.release()
        except PatchgateError as another:
            remedy = f"{error.remedy}; the lock stays: --take-over takes it"
            both = PatchgateError(f"{error}\n{another}", remedy=remedy)
            raise both from error
        raise
    except BaseException:
        lock.release()
        raise
    lock.release()


def _confirm(plan: Plan, wave: PlannedWave, reader: FactsReader) -> list[str]:
    """The wave's stacks, read anew: what is not as it should be."""
    from patchgate.operations.rollout.verification import find_unsettled, read_planned

    return list(find_unsettled(wave, read_planned(replace(plan, waves=(wave,)), reader)))


def _agrees(question: str) -> bool:
    """Whether a person at a terminal says yes; no where there is none."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        sys.stderr.write(
            "patchgate: nothing was changed: there is no terminal to ask at; --yes does it without asking\n"
        )
        return False
    return click.confirm(question, default=False, err=True)


def _default_journal(plan: Plan) -> Path:
    directory = state_directory(os.environ, Path.home())
    return directory / f"{plan.organization}-{plan.fingerprint[:12]}.jsonl"


def read_poll_interval(environment: Mapping[str, str]) -> timedelta:
    """How often AWS is asked whether an operation is over."""
    text = environment.get("PATCHGATE_POLL_SECONDS", "5")
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= LONGEST_POLL:
        raise InputError(f"PATCHGATE_POLL_SECONDS is '{text}'", remedy=f"a number of seconds, up to {LONGEST_POLL}")
    return timedelta(seconds=seconds)


def _where() -> str:
    """Who runs this program on which machine, as far as the system says."""
    names = (os.environ.get(name) for name in ("LOGNAME", "USER", "USERNAME"))
    return f"{next(filter(None, names), 'somebody')}@{platform.node()}"


def _tell_result(plan: Plan, conduct: Conduct, result: str, journal: Path | None) -> None:
    from patchgate.operations.rollout.plan_file import plan_to_json
    from patchgate.report.rollout import summarize

    if conduct.output == "json":
        content = {"result": result, "journal": str(journal) if journal else None}
        sys.stdout.write(json.dumps(content | {"plan": plan_to_json(plan, bodies=False)}, indent=1) + "\n")
    elif journal is not None:
        sys.stdout.write(f"{result.capitalize()}: {summarize(plan, done=True)}. Journal: {journal}\n")
    elif result == "nothing to do":
        sys.stdout.write("Nothing to do.\n")
