"""Templates as other people write them, in pieces: windows, gates that count jobs, documents."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from patchgate.rehearsal.campaign.foreign import read_foreign_shapes
from patchgate.rehearsal.campaign.ground import Ground, Grounds, open_grounds
from patchgate.rehearsal.campaign.mixes import draw_plan, read_mix
from patchgate.rehearsal.campaign.run import RunOutcome, carry_out
from patchgate.rehearsal.campaign.shapes import Shape

REGION = "eu-central-1"
NAIVE = {
    "TargetOperatingSystem": "amazonlinux",
    "TimeZone": "Europe/Berlin",
    "S3Bucket": "logs",
    "BackupSchedule": "cron(0 19 * * ? *)",
    "MaintenanceWindowCronSchedule": "cron(0 23 * * ? *)",
    "OpenSchedule": "cron(30 22 * * ? *)",
    "CloseSchedule": "cron(10 2 * * ? *)",
}
INSTALL, SCAN = {"Operation": ["Install"]}, {"Operation": ["Scan"]}
TAG = {"Key": "tag:Patch", "Values": ["nightly"]}
ROLE = "arn:aws:iam::111111111111:role/windows"


def task(
    document: Any = "AWS-RunPatchBaseline",
    parameters: dict[str, Any] = INSTALL,
    *,
    kind: str = "RUN_COMMAND",
    targets: Sequence[list[dict[str, Any]]] = ([TAG],),
    **more: Any,
) -> dict[str, Any]:
    """A task for :func:`window`; ``targets`` are those of the window that it is for."""
    member = {
        "RUN_COMMAND": "MaintenanceWindowRunCommandParameters",
        "AUTOMATION": "MaintenanceWindowAutomationParameters",
    }
    return {
        "TaskArn": document,
        "TaskType": kind,
        "Priority": 1,
        "MaxConcurrency": "100%",
        "MaxErrors": "100%",
        "TaskInvocationParameters": {member[kind]: {"Parameters": parameters}},
        "targets": list(targets),
        **more,
    }


def window(name: str, *tasks: dict[str, Any], key: str = "", **settings: Any) -> dict[str, Any]:
    """The resources of a window that opens every night, with its targets and its tasks."""
    key = key or "".join(filter(str.isalnum, name))
    properties = {"Name": name, "Schedule": "cron(0 23 * * ? *)", "ScheduleTimezone": "Europe/Berlin"}
    properties |= {"Duration": 3, "Cutoff": 1, "AllowUnassociatedTargets": False} | settings
    found: dict[str, Any] = {key: {"Type": "AWS::SSM::MaintenanceWindow", "Properties": properties}}
    for number, each in enumerate(tasks):
        targets = []
        for index, keys in enumerate(each["targets"]):
            target = f"{key}Target{number}{index}"
            told = {"WindowId": {"Ref": key}, "ResourceType": "INSTANCE", "Targets": keys}
            found[target] = {"Type": "AWS::SSM::MaintenanceWindowTarget", "Properties": told}
            targets.append({"Ref": target})
        given = {name: value for name, value in each.items() if name != "targets"}
        if targets:
            given["Targets"] = [{"Key": "WindowTargetIds", "Values": targets}]
        told = {"WindowId": {"Ref": key}} | given
        found[f"{key}Task{number}"] = {"Type": "AWS::SSM::MaintenanceWindowTask", "Properties": told}
    return found


def document(name: str, steps: list[dict[str, Any]], kind: str = "Automation", **parameters: Any) -> dict[str, Any]:
    """The resource of a document."""
    content: dict[str, Any] = {"schemaVersion": "0.3" if kind == "Automation" else "2.2", "mainSteps": steps}
    if parameters:
        content["parameters"] = {key: {"type": "String", "default": value} for key, value in parameters.items()}
    properties = {"Name": name, "DocumentType": kind, "Content": content}
    return {"".join(filter(str.isalnum, name)): {"Type": "AWS::SSM::Document", "Properties": properties}}


def role(service: str) -> dict[str, Any]:
    """The properties of a role that a service assumes, without any permission."""
    statement = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}


def backups(schedule: str = "cron(0 18 * * ? *)") -> dict[str, Any]:
    """The resources of a plan that backs up the machines of ``TAG``, in UTC."""
    managed = "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
    rule = {"RuleName": "often", "TargetBackupVault": {"Ref": "Vault"}, "ScheduleExpression": schedule}
    tag = {"ConditionType": "STRINGEQUALS", "ConditionKey": "Patch", "ConditionValue": "nightly"}
    selection = {"SelectionName": "all", "IamRoleArn": {"Fn::GetAtt": ["BackupRole", "Arn"]}, "ListOfTags": [tag]}
    return {
        "Vault": {"Type": "AWS::Backup::BackupVault", "Properties": {"BackupVaultName": "vault"}},
        "BackupRole": {"Type": "AWS::IAM::Role", "Properties": role("backup") | {"ManagedPolicyArns": [managed]}},
        "Plan": {
            "Type": "AWS::Backup::BackupPlan",
            "Properties": {"BackupPlan": {"BackupPlanName": "plan", "BackupPlanRule": [rule]}},
        },
        "Selection": {
            "Type": "AWS::Backup::BackupSelection",
            "Properties": {"BackupPlanId": {"Ref": "Plan"}, "BackupSelection": selection},
        },
    }


def function(
    name: str, code: str = "def handler(event, context): pass", *actions: str, settings: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The resources of a function that may do some actions; ``settings`` is its environment."""
    allowed = {"Effect": "Allow", "Action": list(actions or ("ssm:GetParameter",)), "Resource": "*"}
    policy = {"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": [allowed]}}
    properties = {
        "FunctionName": name,
        "Runtime": "python3.12",
        "Handler": "index.handler",
        "Role": {"Fn::GetAtt": [f"{name}Role", "Arn"]},
        "Environment": {"Variables": settings or {}},
        "Code": {"ZipFile": code},
    }
    return {
        f"{name}Role": {"Type": "AWS::IAM::Role", "Properties": role("lambda") | {"Policies": [policy]}},
        name: {"Type": "AWS::Lambda::Function", "Properties": properties},
    }


def schedule(name: str, of: str, expression: str, **settings: Any) -> dict[str, Any]:
    """The resources of a Scheduler schedule that runs a function of :func:`function`."""
    allowed = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": {"Fn::GetAtt": [of, "Arn"]}}
    policy = {"PolicyName": "invoke", "PolicyDocument": {"Version": "2012-10-17", "Statement": [allowed]}}
    target = {"Arn": {"Fn::GetAtt": [of, "Arn"]}, "RoleArn": {"Fn::GetAtt": [f"{name}Role", "Arn"]}}
    properties = {"Name": name, "ScheduleExpression": expression, "FlexibleTimeWindow": {"Mode": "OFF"}}
    return {
        f"{name}Role": {"Type": "AWS::IAM::Role", "Properties": role("scheduler") | {"Policies": [policy]}},
        name: {"Type": "AWS::Scheduler::Schedule", "Properties": properties | {"Target": target} | settings},
    }


def write(directory: Path, **stacks: dict[str, Any]) -> Path:
    """Templates of such resources in a directory."""
    for name, found in stacks.items():
        (directory / f"{name}.json").write_text(json.dumps({"Resources": found}), encoding="utf-8")
    return directory


def write_naive(directory: Path, *environments: str) -> Path:
    """The lanes of a team that counts backup jobs: a stack for each environment."""
    template = resources.files("patchgate.rehearsal").joinpath("naive/naive-gate.yaml").read_text(encoding="utf-8")
    for environment in environments:
        parameters = json.dumps(NAIVE | {"Environment": environment})
        (directory / f"patching-{environment}.yaml").write_text(template, encoding="utf-8")
        (directory / f"patching-{environment}.parameters.json").write_text(parameters, encoding="utf-8")
    return directory


def shapes(directory: Path) -> tuple[Shape, ...]:
    return read_foreign_shapes(directory, REGION)


@contextmanager
def grounds_of(directory: Path) -> Iterator[tuple[Grounds, tuple[Ground, ...]]]:
    """The grounds of a directory's lanes."""
    found = shapes(directory)
    with open_grounds() as grounds:
        yield grounds, tuple(grounds.of(shape) for shape in found)


def run(grounds: Grounds, ground: Ground, faults: str, seed: int) -> RunOutcome:
    """One run on a ground."""
    return carry_out(grounds, ground, draw_plan(seed, read_mix(faults), ground.shape, ground.terrain))


def broken(outcome: RunOutcome) -> set[str]:
    return {violation.promise for violation in outcome.violations}
