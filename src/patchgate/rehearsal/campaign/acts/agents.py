"""What befalls agents and installs, and what operators do to them past everything."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from patchgate.emulator.world import AgentBehaviour
from patchgate.rehearsal.campaign.acts.scene import Given, Scene, Undo, act, respec

if TYPE_CHECKING:
    pass


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
    return respec(scene, given, patches=(*known[: len(known) - failing], *bad))


@act
def pace(scene: Scene, given: Given) -> Undo | None:
    """Installs take that many minutes on a machine."""
    return respec(scene, given, install_minutes=int(str(given["minutes"])))


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
