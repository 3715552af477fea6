"""Takes the statements of every role of the templates away, one at a time, and shows which rehearsal notices.

    python -m tests.integration.permissions [--parts] [PATTERN]

With ``--parts``, each action and each resource of a statement as well.

A rehearsal notices when a stack cannot be deployed, when a call is denied, or when anything else ends otherwise than
with the whole of the permissions. Every statement is needed by a rehearsal, or listed with its reason in ``UNPROVEN``.
"""

from __future__ import annotations

import copy
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from patchgate.config import parse_fleet
from patchgate.emulator.cloud import Scope
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.kms import Kms
from patchgate.emulator.kms_resources import Key
from patchgate.errors import PatchgateError
from patchgate.operations.deployment import deploy_lanes
from patchgate.operations.ports import StackControl, StackResult
from patchgate.plan import names
from patchgate.rehearsal.run import Script, write_script
from patchgate.rehearsal.stage import DoorName, Stage, open_stage
from patchgate.rehearsal.worlds import World, read_world
from patchgate.templates import Template, build_templates

LANE, LOGS, REGION = "111111111111", "222222222222", "eu-central-1"
NAMES = {"os": "ubuntu", "env": "prd"}
START = datetime(2026, 7, 10, 12, tzinfo=UTC)
CALENDAR = "quarter-end"

LANE_KEY, LOGS_KEY = (f"arn:aws:kms:{REGION}:{account}:key/{account}-0000" for account in (LANE, LOGS))
"""Customer keys: of the lane's topic, queue, logs and functions, and of the log bucket."""

UNPROVEN: dict[str, str] = {}
"""Sid -> why no rehearsal can need it."""

_PATH = "the path itself, without its last slash: whether AWS asks for that form is not documented"
_LANE = "parameter/patchgate/${TargetOperatingSystem}/${Environment}"
UNUSED = {
    "MaintenanceWindowRole.ActionsWithoutResource ssm:GetCommandInvocation": "AWS documents it for the role of windows",
    "MaintenanceWindowRole.Install ssm:StopAutomationExecution": "at the cutoff AWS lets automations in flight go on",
    "MaintenanceWindowRole.Install automation-definition/patchgate-install-${TargetOperatingSystem}-${Environment}": (
        "what AWS asked for before it asked for the document"
    ),
    f"ProveRole.ReadLeases {_LANE}": _PATH,
    f"GatePolicy.ReadLeases {_LANE}": _PATH,
}
"""Parts of statements that no rehearsal needs -> why they are there."""

FLEET = """
version: 1
organization: {id: o-a1b2c3d4e5, log_account: logs}LOG_BUCKET
accounts: [{id: "111111111111", name: web}, {id: "222222222222", name: logs}]
targets:
  - {accounts: [web], regions: [eu-central-1], operating_systems: [ubuntu], environments: [prd],
     parameters: {PARAMETERS}GATE}
"""
WORLD = """
version: 1
groups:
  - account: "111111111111"
    region: eu-central-1
    operating_system: UBUNTU
    tags: {PatchGroup: ubuntu-patch-group-prd, ToBackupAndPatch: "true"}
    patches: [{id: linux-image-6.8.0-64-generic, reboot: true}]
    instances: [{name: a}, {name: b}, {name: c}, {name: d}, {name: e}, {name: f, backup: {outcome: FAILED}}SLOW]
"""


# What is taken away


@dataclass(frozen=True, slots=True)
class Permission:
    """One statement of a role or managed policy, the trust of a role, or one managed policy that a role has."""

    template: str
    resource: str
    place: tuple[str | int, ...]
    label: str
    part: tuple[str, int] | None = None
    what: str = ""

    @property
    def name(self) -> str:
        return f"{self.resource}.{self.label}" + (f" {self.what}" if self.what else "")

    def taken_from(self, template: Template) -> Template:
        """The template without it: another statement that allows nothing of use stands in its place."""
        resources = copy.deepcopy(dict(template.resources))
        *path, last = self.place
        holder: Any = resources[self.resource]["Properties"]
        for step in path:
            holder = holder[step]
        if self.label == "trust":
            holder[last] = holder[last] | {"Principal": {"Service": "nobody.amazonaws.com"}}
        elif self.label.startswith("managed policy"):
            del holder[last]
        elif self.part is not None:
            element, number = self.part
            del _inner(holder[last])[element][number]
        else:
            holder[last] = {"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}
        return replace(template, resources=resources)


def permissions(*, parts: bool = False) -> list[Permission]:
    """Everything that the roles of the templates are given; with ``parts``, also action by action."""
    found = [permission for template in build_templates().values() for permission in _permissions(template)]
    return [item for permission in found for item in (permission, *(_parts(permission) if parts else ()))]


def _parts(permission: Permission) -> Iterator[Permission]:
    """Each action and each resource of a statement that has several."""
    place: Any = build_templates()[permission.template].resources[permission.resource]["Properties"]
    for step in permission.place:
        place = place[step]
    if isinstance(place, Mapping) and "Principal" not in place:
        for element in ("Action", "Resource"):
            values = _inner(place).get(element)
            for number in range(len(values) if isinstance(values, list) else 0):
                yield replace(permission, part=(element, number), what=_short(values[number]))


def _short(value: Any) -> str:
    """An action, or what comes after the account in the ARN of a resource."""
    text = value.get("Fn::Sub") if isinstance(value, Mapping) else value
    if not isinstance(text, str):
        return ".".join(next(iter(value.values())))
    return text.replace("${AWS::", "${").split(":", 5)[5].partition(":")[0] if text.startswith("arn:") else text


def _inner(statement: Any) -> Any:
    """A statement itself, where it stands under a condition of the template."""
    return statement["Fn::If"][1] if "Fn::If" in statement else statement


def _permissions(template: Template) -> Iterator[Permission]:
    for name, resource in template.resources.items():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            yield from _statements(template, name, ("PolicyDocument",), properties["PolicyDocument"])
        if resource["Type"] == "AWS::IAM::Role":
            yield Permission(template.name, name, ("AssumeRolePolicyDocument", "Statement", 0), "trust")
            for number in range(len(properties.get("ManagedPolicyArns", ()))):
                yield Permission(template.name, name, ("ManagedPolicyArns", number), f"managed policy {number + 1}")
            for number, inline in enumerate(properties.get("Policies", ())):
                place = ("Policies", number, "PolicyDocument")
                yield from _statements(template, name, place, inline["PolicyDocument"])


def _statements(
    template: Template, resource: str, place: tuple[str | int, ...], document: Mapping[str, Any]
) -> Iterator[Permission]:
    for number, statement in enumerate(document["Statement"]):
        yield Permission(template.name, resource, (*place, "Statement", number), _inner(statement)["Sid"])


class EditedStacks:
    """StackControl that deploys the templates without one permission."""

    def __init__(self, stacks: StackControl, taken: Permission | None) -> None:
        self._stacks = stacks
        self._taken = taken
        templates = build_templates()
        self._texts = {template.text(): template for template in templates.values()}

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
        template = self._texts[template_body]
        if self._taken is not None and template.name == self._taken.template:
            template_body = self._taken.taken_from(template).text()
        return self._stacks.create_or_update(account, region, name, template_body, parameters, capabilities, tags)

    def delete(self, account: str, region: str, name: str) -> None:
        self._stacks.delete(account, region, name)

    def describe(self, account: str, region: str, name: str) -> StackResult | None:
        return self._stacks.describe(account, region, name)


# What is rehearsed


@dataclass(frozen=True, slots=True)
class Scenario:
    """A rehearsal: template parameters, what the operator does once the stacks are there, a slow machine, and
    whether everything is encrypted with customer keys.
    """

    name: str
    parameters: str
    prepare: Callable[[Stage], None]
    slow: str = ""
    has_keys: bool = False


def nothing(stage: Stage) -> None:
    """The operator leaves the lane alone."""


def remember_an_old_cycle(stage: Stage) -> None:
    """What is left of a cycle of weeks ago: the watchdog removes it."""
    name = names.CLOSED_PARAMETER.render(cycle="20260601T203000Z", **NAMES)
    stage.session(LANE, REGION).client("ssm").put_parameter(Name=name, Value="{}", Type="String")


def freeze(stage: Stage) -> None:
    """Somebody freezes everything: the gate holds."""
    stage.session(LANE, REGION).client("ssm").put_parameter(
        Name=names.GLOBAL_FREEZE_PARAMETER.render(), Value="stop", Type="String"
    )


def lose_the_window(stage: Stage) -> None:
    """The parameter with the window's id is deleted: both functions fail until Lambda gives them up."""
    ssm = stage.session(LANE, REGION).client("ssm")
    ssm.delete_parameter(Name=names.WINDOW_ID_PARAMETER.render(**NAMES))


def lose_the_open_function(stage: Stage) -> None:
    """The open function is deleted: Scheduler has nothing to invoke."""
    stage.session(LANE, REGION).client("lambda").delete_function(FunctionName=names.OPEN_FUNCTION.render(**NAMES))


SCENARIOS = (
    Scenario("a cycle", f"FreezeCalendars: {CALENDAR}", remember_an_old_cycle),
    Scenario("a freeze", "", freeze),
    Scenario("no window id", "", lose_the_window),
    Scenario("no open function", "", lose_the_open_function),
    Scenario("volumes", "BackupResources: volumes", nothing),
    Scenario("threshold", "GateMode: threshold, BackupJobThreshold: 3", nothing),
    Scenario("a scan beyond the cutoff", "", nothing, "scan_minutes: 150"),
    Scenario("an install beyond its time", "", nothing, "install_minutes: 100"),
    Scenario("customer keys", "", nothing, has_keys=True),
    Scenario("customer keys and no window id", "", lose_the_window, has_keys=True),
    Scenario("customer keys and no open function", "", lose_the_open_function, has_keys=True),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a rehearsal: the calls that were denied, and everything else that people would notice."""

    denied: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()

    def difference(self, whole: Outcome) -> str:
        """What is otherwise than with all permissions, in a few words, or nothing."""
        changed = Counter(self.facts)
        changed.subtract(Counter(whole.facts))
        found = [f"{count:+} {fact}" for fact, count in sorted(changed.items()) if count]
        return "; ".join([*(f"denied {denied}" for denied in self.denied[:1]), *found[:3]])


def rehearse(scenario: Scenario, taken: Permission | None = None) -> Outcome:
    """Rehearse a lane for a day and a half with one permission less."""
    script = write_script(parse_fleet(_fleet(scenario).encode(), "fleet.yaml"), START, 1)
    with open_stage(_world(scenario.slow), START, organization_id=script.organization_id, door="direct") as stage:
        _make_calendar(stage)
        _make_keys(stage)
        try:
            _deploy(stage, script, taken)
        except PatchgateError as error:
            return Outcome(("the deployment",), (str(error).partition(": ")[2],))
        _give_instances_a_profile(stage)
        scenario.prepare(stage)
        stage.run_until(script.end + timedelta(hours=12))
        return _outcome(stage)


def _fleet(scenario: Scenario) -> str:
    """The fleet file of a scenario."""
    bucket = f"\nlog_bucket: {{region: {REGION}, kms_key: '{LOGS_KEY}'}}" if scenario.has_keys else ""
    gate = f", gate: {{kms_key: '{LANE_KEY}'}}" if scenario.has_keys else ""
    return FLEET.replace("PARAMETERS", scenario.parameters).replace("LOG_BUCKET", bucket).replace("GATE", gate)


def rehearse_in(region: str, door: DoorName) -> Outcome:
    """Rehearse a plain cycle in any Region, through either door."""
    plain = FLEET.replace("PARAMETERS", "").replace("LOG_BUCKET", "").replace("GATE", "").replace(REGION, region)
    fleet = parse_fleet(plain.encode(), "fleet.yaml")
    script = write_script(fleet, START, 1)
    world = _world("", region)
    with open_stage(world, START, organization_id=script.organization_id, door=door) as stage:
        _deploy(stage, script, None)
        stage.run_until(script.end)
        return _outcome(stage)


def _world(slow: str, region: str = REGION) -> World:
    with TemporaryDirectory() as directory:
        machine = f", {{name: slow, {slow}}}" if slow else ""
        (Path(directory) / "world.yaml").write_text(
            WORLD.replace("SLOW", machine).replace(REGION, region), encoding="utf-8"
        )
        return read_world(Path(directory))


def _deploy(stage: Stage, script: Script, taken: Permission | None) -> None:
    control = EditedStacks(stage.stacks, taken)
    deploy_lanes(script.lanes, log_account=script.log_account, control=control, progress=lambda _: None)


def _make_calendar(stage: Stage) -> None:
    lines = ("BEGIN:VCALENDAR", "PRODID:-//AWS//Change Calendar 1.0//EN", "VERSION:2.0",
             "X-CALENDAR-TYPE:DEFAULT_OPEN", "END:VCALENDAR", "")  # fmt: skip
    stage.session(LANE, REGION).client("ssm").create_document(
        Name=CALENDAR, DocumentType="ChangeCalendar", DocumentFormat="TEXT", Content="\r\n".join(lines)
    )


def _make_keys(stage: Stage) -> None:
    """The keys of the scenarios, each with the policy that lets its account decide, and the other account for logs."""
    keys = stage.cloud.component(Kms)
    for arn, accounts in ((LANE_KEY, [LANE]), (LOGS_KEY, [LOGS, LANE])):
        account, key_id = arn.split(":")[4], arn.rpartition("/")[2]
        roots = [f"arn:aws:iam::{account}:root" for account in accounts]
        statement = {"Effect": "Allow", "Principal": {"AWS": roots}, "Action": "kms:*", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        keys.region(Scope(account, REGION)).keys[key_id] = Key(key_id, arn, account, stage.cloud.now, policy)
    keys.has_keys = True


def _give_instances_a_profile(stage: Stage) -> None:
    """Instances with the role that the operator makes for them, and on it the policy of the patch stack."""
    iam = stage.session(LANE, REGION).client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    role = iam.create_role(RoleName="server", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    policy = names.INSTANCE_POLICY.render(region=REGION, **NAMES)
    iam.attach_role_policy(RoleName="server", PolicyArn=f"arn:aws:iam::{LANE}:policy/{policy}")
    for instance in stage.cloud.component(Ec2).instances(Scope(LANE, REGION)):
        instance.spec = replace(instance.spec, role_arn=role)


def _outcome(stage: Stage) -> Outcome:
    history = stage.cloud.history
    denied = [
        f"{r['action']} to {r['principal'].rpartition('/')[2].removesuffix('-' + REGION)}"
        for r in history.of("CallDenied")
    ]
    facts = [
        *(f"function {r['function']}: {r['status']}" for r in history.of("FunctionEnded")),
        *(f"event given up: {bool(r['problem'])}" for r in history.of("FunctionDiscarded")),
        *(f"letter lost of {r['schedule']}" for r in history.of("ScheduleLost")),
        *(f"backup of a {r['resource'].split(':')[5].split('/')[0]}: {r['state']}" for r in _of_jobs(history)),
        *(f"window task {r['task_type']}: {r['status']}" for r in history.of("WindowTaskEnded")),
        *(f"runbook: {r['status']}" for r in history.of("AutomationEnded")),
        *(f"{r['operation']}: {r['status']}" for r in history.of("PatchEnded")),
        *(f"object under {r['key'].split('/')[0]}/" for r in history.of("ObjectWritten")),
        *("message" for _ in history.of("MessagePublished")),
        *(f"parameter {r['name'].rpartition('/')[2]}" for r in history.of("ParameterPut", "ParameterDeleted")),
    ]
    return Outcome(tuple(denied), tuple(facts))


def _of_jobs(history: Any) -> list[Any]:
    return [r for r in history.of("BackupJobStateChanged") if r["state"] not in ("CREATED", "RUNNING")]


# The proof


def prove(permission: Permission, whole: Mapping[str, Outcome]) -> tuple[str, str]:
    """(scenario, difference) of the first rehearsal that notices that a permission is gone; ("", "") when none does."""
    for scenario in SCENARIOS:
        difference = rehearse(scenario, permission).difference(whole[scenario.name])
        if difference:
            return scenario.name, difference
    return "", ""


def rehearse_with_everything() -> dict[str, Outcome]:
    """scenario -> its outcome with all permissions."""
    return {scenario.name: rehearse(scenario) for scenario in SCENARIOS}


def main(*arguments: str) -> int:
    """Print the table; 1 when a permission is too narrow, or a statement is not needed and not listed."""
    parts = "--parts" in arguments
    pattern = next((argument for argument in arguments if argument != "--parts"), "")
    whole = rehearse_with_everything()
    problems = [
        f"{name}: {denied} with everything that the templates give" for name, o in whole.items() for denied in o.denied
    ]
    for permission in permissions(parts=parts):
        if pattern not in permission.name:
            continue
        if permission.label in UNPROVEN:
            print(f"{permission.name:<72} not rehearsed: {UNPROVEN[permission.label]}")
            continue
        scenario, difference = prove(permission, whole)
        said = difference or UNUSED.get(permission.name, "")
        print(f"{permission.name:<72} {scenario or 'not needed':<26} {said}", flush=True)
        if not scenario and permission.name not in UNUSED:
            problems.append(f"{permission.name} is needed by no rehearsal")
    print(*problems, sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
