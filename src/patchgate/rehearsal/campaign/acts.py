"""How injections are carried out on the embedded AWS, and undone.

Each act takes the scene and what the injection gives it, does its harm at once, and returns what undoes it (None:
nothing can). What an operator does goes through AWS's own API; what befalls machines, backups and agents is put into
the world. An act whose object is gone by then does nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from patchgate.emulator.backup import Backup
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.errors import AwsError
from patchgate.emulator.world import AgentBehaviour, BackupBehaviour, InstanceSpec, VolumeSpec
from patchgate.rehearsal.campaign.ground import CLOSED_CALENDAR, DEVICES, calendar_text, identifier

if TYPE_CHECKING:
    from patchgate.emulator.cloud import Cloud
    from patchgate.emulator.ec2_resources import Instance
    from patchgate.rehearsal.campaign.plan import Value
    from patchgate.rehearsal.campaign.terrain import Terrain

Undo = Callable[[], object]
Given = Mapping[str, "Value"]
BAKE_TAG = "ChangedBy"
OTHER_VAULT = "another-vault"


@dataclass(frozen=True, slots=True)
class Scene:
    """Where an act takes place. ``index`` is the injection's place in its plan; ids that acts make carry it.

    ``memory`` is the run's: what was there before anybody changed it. Acts overlap, and whatever is undone goes back to
    that.
    """

    cloud: Cloud
    terrain: Terrain
    index: int
    memory: dict[Hashable, Any]

    def before(self, what: Hashable, value: Any) -> Any:
        """What ``what`` was before the first act changed it; ``value`` is what it is now."""
        return self.memory.setdefault(what, value)

    @property
    def ec2(self) -> Ec2:
        return self.cloud.component(Ec2)

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """One call as the operator."""
        return self.cloud.invoke(self.terrain.scope, service, operation, params)

    def instance(self, given: Given) -> Instance | None:
        """The machine that an injection means, unless it is gone."""
        number = int(str(given["instance"]))
        identity = self.terrain.instances[number] if number >= 0 else self.terrain.stray
        found = self.ec2.region(self.terrain.scope).instances.get(identity)
        return None if found is None or found.state == "terminated" else found

    def window_id(self) -> str:
        """The lane's window, by its name; "" when there is none (any more)."""
        found = self.call("ssm", "DescribeMaintenanceWindows", MaxResults=100)["WindowIdentities"]
        return next((w["WindowId"] for w in found if w["Name"] == self.terrain.facts.window_name), "")


Act = Callable[[Scene, Given], "Undo | None"]
ACTS: dict[str, Act] = {}


def act(function: Act) -> Act:
    """Registers an act under its function's name, with hyphens."""
    ACTS[function.__name__.replace("_", "-")] = function
    return function


def _respec(scene: Scene, given: Given, **changes: Any) -> Undo | None:
    instance = scene.instance(given)
    if instance is None:
        return None
    before = {name: scene.before((instance.instance_id, name), getattr(instance.spec, name)) for name in changes}
    instance.spec = replace(instance.spec, **changes)

    def undo() -> None:
        instance.spec = replace(instance.spec, **before)

    return undo


# Backups


@act
def backup(scene: Scene, given: Given) -> Undo | None:
    """How AWS Backup fares with one machine from now on: outcome, minutes, category, message."""
    behaviour = BackupBehaviour(
        outcome=str(given.get("outcome", "COMPLETED")),  # type: ignore[arg-type]
        minutes=int(str(given.get("minutes", 25))),
        message_category=str(given.get("category", "SUCCESS")),
        message=str(given.get("message", "")),
    )
    return _respec(scene, given, backup=behaviour)


@act
def back_up_now(scene: Scene, given: Given) -> Undo | None:
    """An operator backs up a machine on demand: itself, or each of its volumes where the lane backs those up.

    ``volumes``: its volumes in any lane; ``part``: only the first of them; ``elsewhere``: not into the lane's vault.
    """
    instance = scene.instance(given)
    if instance is None:
        return None
    scope, terrain = scene.terrain.scope, scene.terrain
    if not terrain.lane.vault or not terrain.backup_role:
        return None
    resources = [f"instance/{instance.instance_id}"]
    if given.get("volumes") or given.get("part") or terrain.facts.backup_resources == "volumes":
        resources = [f"volume/{volume.volume_id}" for volume in instance.volumes][: 1 if given.get("part") else None]
    vault = _other_vault(scene) if given.get("elsewhere") else terrain.lane.vault
    for resource in resources:
        arn = scope.arn("ec2", resource)
        scene.call(
            "backup",
            "StartBackupJob",
            BackupVaultName=vault,
            ResourceArn=arn,
            IamRoleArn=terrain.backup_role,
        )
    return None


def _other_vault(scene: Scene) -> str:
    """A vault of the account that is not the lane's."""
    known = scene.call("backup", "ListBackupVaults")["BackupVaultList"]
    if not any(each["BackupVaultName"] == OTHER_VAULT for each in known):
        scene.call("backup", "CreateBackupVault", BackupVaultName=OTHER_VAULT)
    return OTHER_VAULT


@act
def delete_recovery_points(scene: Scene, given: Given) -> Undo | None:
    """Somebody deletes the recovery points of a machine and of its volumes; ``newest``: the newest of each only."""
    instance = scene.instance(given)
    if instance is None:
        return None
    backup_service, scope = scene.cloud.component(Backup), scene.terrain.scope
    resources = {instance.instance_id, *(volume.volume_id for volume in instance.volumes)}
    points = [p for p in backup_service.region(scope).recovery_points.values() if p.job.resource_id in resources]
    points = [point for point in points if point.status == "COMPLETED"]
    for point in points[-1:] if given.get("newest") else points:
        scene.call("backup", "DeleteRecoveryPoint", BackupVaultName=point.job.vault, RecoveryPointArn=point.arn)
    return None


# Machines


@act
def state(scene: Scene, given: Given) -> Undo | None:
    """A machine is stopped, or terminated; a stopped one is started again."""
    instance = scene.instance(given)
    if instance is None or instance.state != "running":
        return None
    wanted = str(given["state"])
    scene.ec2.set_state(scene.terrain.scope, instance.instance_id, wanted)  # type: ignore[arg-type]

    def undo() -> None:
        if instance.state == "stopped":
            scene.ec2.set_state(scene.terrain.scope, instance.instance_id, "running")

    return undo


@act
def launch(scene: Scene, given: Given) -> Undo | None:
    """A machine with the lane's tags is launched; with ``instance`` in the place of that one, as Auto Scaling does."""
    if "instance" in given:
        state(scene, {"instance": given["instance"], "state": "terminated"})
    model = _model(scene)
    new = identifier("i-", "launched", scene.index)
    spec = replace(
        model,
        instance_id=new,
        name=f"launched-{scene.index}",
        volumes=(VolumeSpec(identifier("vol-", "launched", scene.index), "/dev/sda"),),
    )
    scene.ec2.add_instance(scene.terrain.scope, spec)
    return None


def _model(scene: Scene) -> InstanceSpec:
    return scene.ec2.region(scene.terrain.scope).instances[scene.terrain.instances[0]].spec


@act
def attach(scene: Scene, given: Given) -> Undo | None:
    """A volume is attached; with ``swap`` the newest other one is detached first."""
    instance = scene.instance(given)
    if instance is None:
        return None
    scope, used = scene.terrain.scope, {volume.device for volume in instance.volumes}
    if given.get("swap") and len(instance.volumes) > 1:
        scene.ec2.detach(scope, instance.instance_id, instance.volumes[-1].volume_id)
    device = next(f"/dev/sd{letter}" for letter in DEVICES if f"/dev/sd{letter}" not in used)
    volume = VolumeSpec(identifier("vol-", "attached", scene.index), device)
    scene.ec2.attach(scope, instance.instance_id, volume)
    return None


@act
def tag(scene: Scene, given: Given) -> Undo | None:
    """A tag of a machine is changed, or (``value`` "") taken away."""
    instance = scene.instance(given)
    if instance is None:
        return None
    key, value = str(given["key"]), str(given["value"])
    before = scene.before((instance.instance_id, "tag", key), instance.tags.get(key))
    _set_tag(scene, instance, key, value)

    def undo() -> None:
        if instance.state != "terminated":
            _set_tag(scene, instance, key, before or "")

    return undo


def _set_tag(scene: Scene, instance: Instance, key: str, value: str) -> None:
    operation, pair = ("CreateTags", {"Key": key, "Value": value}) if value else ("DeleteTags", {"Key": key})
    scene.call("ec2", operation, Resources=[instance.instance_id], Tags=[pair])


@act
def impair(scene: Scene, given: Given) -> Undo | None:
    """A machine fails its status checks."""
    instance = scene.instance(given)
    if instance is None:
        return None
    scene.ec2.set_impaired(scene.terrain.scope, instance.instance_id, impaired=True)
    return lambda: scene.ec2.set_impaired(scene.terrain.scope, instance.instance_id, impaired=False)


# Agents and patches


@act
def agent(scene: Scene, given: Given) -> Undo | None:
    """The agent of a machine is silent, old, slow, or its clock is wrong."""
    behaviour = AgentBehaviour(
        ping="ConnectionLost" if given.get("silent") else "Online",
        version=str(given.get("version", AgentBehaviour().version)),
        delivery_seconds=int(str(given.get("delivery", 2))),
        clock_skew_seconds=int(str(given.get("skew", 0))),
    )
    instance = scene.instance(given)
    if instance is None:
        return None
    ec2, scope, before = scene.ec2, scene.terrain.scope, instance.spec.agent
    ec2.set_agent(scope, instance.instance_id, behaviour)
    return lambda: ec2.set_agent(scope, instance.instance_id, before)


@act
def patches(scene: Scene, given: Given) -> Undo | None:
    """A machine's updates fail with a reason: the last ``failing`` of them."""
    instance = scene.instance(given)
    if instance is None:
        return None
    failing = int(str(given["failing"]))
    known = instance.spec.patches
    bad = tuple(replace(patch, fails=str(given["reason"])) for patch in known[len(known) - failing :])
    return _respec(scene, given, patches=(*known[: len(known) - failing], *bad))


@act
def pace(scene: Scene, given: Given) -> Undo | None:
    """Installs take that many minutes on a machine."""
    return _respec(scene, given, install_minutes=int(str(given["minutes"])))


@act
def deregister_patch_group(scene: Scene, given: Given) -> Undo | None:  # noqa: ARG001 - as every act
    """The lane's patch group loses its baselines: machines get the account's default."""
    group = scene.terrain.facts.patch_group
    found = scene.call("ssm", "DescribePatchGroups", MaxResults=100)["Mappings"]
    pairs = [
        {"BaselineId": mapping["BaselineIdentity"]["BaselineId"], "PatchGroup": group}
        for mapping in found
        if mapping["PatchGroup"] == group
    ]
    for pair in pairs:
        scene.call("ssm", "DeregisterPatchBaselineForPatchGroup", **pair)

    def undo() -> None:
        known = scene.call("ssm", "DescribePatchGroups", MaxResults=100)["Mappings"]
        for pair in pairs:
            if not any(mapping["BaselineIdentity"]["BaselineId"] == pair["BaselineId"] for mapping in known):
                scene.call("ssm", "RegisterPatchBaselineForPatchGroup", **pair)

    return undo


@act
def cancel_commands(scene: Scene, given: Given) -> Undo | None:  # noqa: ARG001 - as every act
    """An operator cancels every command that is under way."""
    for command in scene.call("ssm", "ListCommands")["Commands"]:
        if command["Status"] in ("Pending", "InProgress"):
            scene.call("ssm", "CancelCommand", CommandId=command["CommandId"])
    return None


@act
def patch_now(scene: Scene, given: Given) -> Undo | None:
    """An operator patches a machine past everything: AWS-RunPatchBaseline by hand."""
    instance = scene.instance(given)
    if instance is None or instance.state != "running":
        return None
    parameters = {"Operation": ["Install"], "RebootOption": ["NoReboot"]}
    scene.call(
        "ssm",
        "SendCommand",
        DocumentName="AWS-RunPatchBaseline",
        InstanceIds=[instance.instance_id],
        Parameters=parameters,
    )
    return None


# Windows


@act
def window(scene: Scene, given: Given) -> Undo | None:
    """An operator enables or disables the lane's window by hand."""
    found = scene.window_id()
    if found:
        scene.call("ssm", "UpdateMaintenanceWindow", WindowId=found, Enabled=bool(given["enabled"]))
    return None


@act
def rename_window(scene: Scene, given: Given) -> Undo | None:
    """An operator gives the lane's window another name."""
    found = scene.window_id()
    if not found:
        return None
    scene.call("ssm", "UpdateMaintenanceWindow", WindowId=found, Name=str(given["name"]))

    def undo() -> None:
        known = scene.call("ssm", "DescribeMaintenanceWindows", MaxResults=100)["WindowIdentities"]
        if any(each["WindowId"] == found for each in known):
            scene.call("ssm", "UpdateMaintenanceWindow", WindowId=found, Name=scene.terrain.facts.window_name)

    return undo


@act
def further_windows(scene: Scene, given: Given) -> Undo | None:
    """Further windows in the Region: ``count`` of them, with the lane's window's name when ``same_name``."""
    made = []
    for number in range(int(str(given["count"]))):
        name = scene.terrain.facts.window_name if given.get("same_name") else f"another-{scene.index}-{number:02}"
        request = {"Name": name, "Schedule": "cron(0 3 1 * ? *)", "Duration": 2, "Cutoff": 1}
        answer = scene.call("ssm", "CreateMaintenanceWindow", **request, AllowUnassociatedTargets=False)
        made.append(answer["WindowId"])

    def undo() -> None:
        for window_id in made:
            scene.call("ssm", "DeleteMaintenanceWindow", WindowId=window_id)

    return undo


@act
def further_parameters(scene: Scene, given: Given) -> Undo | None:
    """An operator keeps ``count`` parameters below the lane's path, which come before all of the lane's."""
    if not scene.terrain.facts.operating_system:  # other people's templates have no such path
        return None
    path = f"{scene.terrain.facts.parameter_path}0-notes/{scene.index}-"
    made = [f"{path}{number:02}" for number in range(int(str(given["count"])))]
    for name in made:
        scene.call("ssm", "PutParameter", Name=name, Value="a note", Type="String")

    def undo() -> None:
        for name in made:
            scene.call("ssm", "DeleteParameter", Name=name)

    return undo


@act
def twin_window(scene: Scene, given: Given) -> Undo | None:
    """A second window runs the lane's install task on the lane's targets, ``minutes`` from now, enabled."""
    found = scene.window_id()
    if not found:
        return None
    tasks = scene.call("ssm", "DescribeMaintenanceWindowTasks", WindowId=found, MaxResults=100)["Tasks"]
    install = next((task for task in tasks if task["Type"] == "AUTOMATION"), None)
    if install is None:
        return None
    details = scene.call("ssm", "GetMaintenanceWindowTask", WindowId=found, WindowTaskId=install["WindowTaskId"])
    begins = (scene.cloud.now + timedelta(minutes=int(str(given["minutes"])))).strftime("%Y-%m-%dT%H:%M:%S")
    request = {"Name": f"twin-{scene.index}", "Schedule": f"at({begins})", "Duration": 2, "Cutoff": 1}
    twin = scene.call("ssm", "CreateMaintenanceWindow", **request, AllowUnassociatedTargets=False)["WindowId"]
    tags = [{"Key": f"tag:{key}", "Values": [value]} for key, value in scene.terrain.tags.items()]
    target = scene.call(
        "ssm", "RegisterTargetWithMaintenanceWindow", WindowId=twin, ResourceType="INSTANCE", Targets=tags
    )
    scene.call(
        "ssm",
        "RegisterTaskWithMaintenanceWindow",
        WindowId=twin,
        Targets=[{"Key": "WindowTargetIds", "Values": [target["WindowTargetId"]]}],
        TaskArn=details["TaskArn"],
        TaskType="AUTOMATION",
        ServiceRoleArn=details["ServiceRoleArn"],
        TaskInvocationParameters=details["TaskInvocationParameters"],
        MaxConcurrency="100%",
        MaxErrors="100%",
    )
    return lambda: scene.call("ssm", "DeleteMaintenanceWindow", WindowId=twin)


@act
def cancel_executions(scene: Scene, given: Given) -> Undo | None:  # noqa: ARG001 - as every act
    """An operator cancels what the lane's window is executing."""
    found = scene.window_id()
    if not found:
        return None
    executions = scene.call("ssm", "DescribeMaintenanceWindowExecutions", WindowId=found, MaxResults=100)
    for execution in executions["WindowExecutions"]:
        if execution["Status"] in ("PENDING", "IN_PROGRESS"):
            identity = execution["WindowExecutionId"]
            scene.call("ssm", "CancelMaintenanceWindowExecution", WindowExecutionId=identity)
    return None


# Stacks


@act
def update_stack(scene: Scene, given: Given) -> Undo | None:
    """A stack of the lane is updated with a new tag, which reaches all of its resources. ``stack`` is its number."""
    name = scene.terrain.stacks[int(str(given["stack"])) % len(scene.terrain.stacks)]
    stack = _stack(scene, name)
    if stack is None:
        return None
    scene.call(
        "cloudformation",
        "UpdateStack",
        StackName=name,
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": p["ParameterKey"], "UsePreviousValue": True} for p in stack["Parameters"]],
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Tags=[{"Key": BAKE_TAG, "Value": f"injection-{scene.index}"}],
    )
    return None


@act
def delete_stack(scene: Scene, given: Given) -> Undo | None:
    """A stack of the lane is deleted, and deployed again at the end."""
    name = scene.terrain.stacks[int(str(given["stack"])) % len(scene.terrain.stacks)]
    stack = _stack(scene, name)
    if stack is None:
        return None
    body = scene.call("cloudformation", "GetTemplate", StackName=name, TemplateStage="Original")["TemplateBody"]
    scene.call("cloudformation", "DeleteStack", StackName=name)

    def undo() -> None:
        scene.call(
            "cloudformation",
            "CreateStack",
            StackName=name,
            TemplateBody=body,
            Parameters=stack["Parameters"],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )

    return undo


def _stack(scene: Scene, name: str) -> dict[str, Any] | None:
    try:
        stacks = scene.call("cloudformation", "DescribeStacks", StackName=name)["Stacks"]
    except AwsError as error:
        if error.code == "ValidationError":  # CloudFormation's answer for a stack that does not exist
            return None
        raise
    return dict(stacks[0]) if stacks[0]["StackStatus"].endswith("_COMPLETE") else None


@act
def invoke(scene: Scene, given: Given) -> Undo | None:
    """A program of the lane is invoked beside its schedule, as if that had been due in this minute."""
    label, terrain = str(given["program"]), scene.terrain
    if label not in terrain.programs:
        return None
    due = scene.cloud.now.replace(second=0, microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = terrain.inputs[label].replace("<aws.scheduler.scheduled-time>", due)
    event = event.replace("<aws.scheduler.attempt-number>", "1")
    request = {"FunctionName": terrain.programs[label], "InvocationType": "Event", "Payload": event.encode()}
    try:
        scene.call("lambda", "Invoke", **request)
    except AwsError as error:
        if error.code != "ResourceNotFoundException":  # its stack is gone
            raise
    return None


# Freezes and the log bucket


@act
def freeze(scene: Scene, given: Given) -> Undo | None:
    """An operator freezes the lane (``which`` 1) or everything (0) with a parameter."""
    if not scene.terrain.freezes:
        return None
    name = scene.terrain.freezes[int(str(given["which"]))]
    scene.call("ssm", "PutParameter", Name=name, Value="an incident", Type="String", Overwrite=True)

    def undo() -> None:
        if scene.call("ssm", "GetParameters", Names=[name])["Parameters"]:
            scene.call("ssm", "DeleteParameter", Name=name)

    return undo


@act
def close_calendar(scene: Scene, given: Given) -> Undo | None:
    """The change calendar is closed for ``minutes`` from now."""
    if not scene.terrain.calendar:
        return None
    now = scene.cloud.now
    _write_calendar(scene, calendar_text([(now, now + timedelta(minutes=int(str(given["minutes"]))))]))
    return lambda: _write_calendar(scene, calendar_text(()))


def _write_calendar(scene: Scene, text: str) -> None:
    known = scene.call("ssm", "GetDocument", Name=CLOSED_CALENDAR)["Content"]
    if known == text:
        return
    request = {"Name": CLOSED_CALENDAR, "Content": text, "DocumentFormat": "TEXT"}
    version = scene.call("ssm", "UpdateDocument", **request, DocumentVersion="$LATEST")["DocumentDescription"]
    latest = version["DocumentVersion"]
    scene.call("ssm", "UpdateDocumentDefaultVersion", Name=CLOSED_CALENDAR, DocumentVersion=latest)


@act
def deny_bucket(scene: Scene, given: Given) -> Undo | None:  # noqa: ARG001 - as every act
    """The log bucket takes no more objects."""
    bucket = scene.terrain.bucket
    if not bucket:
        return None
    before = scene.before(bucket, scene.call("s3", "GetBucketPolicy", Bucket=bucket)["Policy"])
    arn = f"arn:{scene.terrain.scope.partition}:s3:::{bucket}/*"
    denial = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [denial]})
    scene.call("s3", "PutBucketPolicy", Bucket=bucket, Policy=policy)
    return lambda: scene.call("s3", "PutBucketPolicy", Bucket=bucket, Policy=before)
