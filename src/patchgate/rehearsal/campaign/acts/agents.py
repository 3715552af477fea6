"""What befalls agents and installs, and what operators do to them past everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from patchgate.emulator.world import AgentBehaviour
from patchgate.rehearsal.campaign.acts.scene import Given, Harm, Scene, act, happened, respec

if TYPE_CHECKING:
    from patchgate.emulator.history import Record


@act
def agent(scene: Scene, given: Given) -> Harm | None:
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
    if instance.spec.agent == behaviour:
        return None
    ec2, scope, identity = scene.ec2, scene.terrain.scope, instance.instance_id
    before = scene.before((identity, "agent"), instance.spec.agent)
    ec2.set_agent(scope, identity, behaviour)
    at_once = behaviour.ping != before.ping or behaviour.version != before.version
    shows = None if at_once else happened("CommandDelivered", instance=identity)
    return Harm(partial(ec2.set_agent, scope, identity, before), shows)


@act
def patches(scene: Scene, given: Given) -> Harm | None:
    """A machine's updates fail with a reason: the last ``failing`` of those that are released together."""
    instance = scene.instance(given)
    if instance is None:
        return None
    failing = int(str(given["failing"]))
    together = [list(patches) for _, patches in groupby(instance.spec.patches, key=lambda patch: patch.released)]
    bad = {patch.id for patches in together for patch in patches[-failing:]}
    known = (replace(each, fails=str(given["reason"])) if each.id in bad else each for each in instance.spec.patches)
    identity = instance.instance_id

    def shows(records: Sequence[Record]) -> bool:
        ended = (each for each in records if each["event"] == "PatchEnded" and each["instance"] == identity)
        return any(each["operation"] == "Install" and each["failed"] for each in ended)

    return respec(scene, given, shows, patches=tuple(known))


@act
def pace(scene: Scene, given: Given) -> Harm | None:
    """Installs take that many minutes on a machine."""
    instance = scene.instance(given)
    if instance is None:
        return None
    shows = happened("PatchStarted", instance=instance.instance_id, operation="Install")
    return respec(scene, given, shows, install_minutes=int(str(given["minutes"])))


@act
def deregister_patch_group(scene: Scene, given: Given) -> Harm | None:  # noqa: ARG001 - as every act
    """The lane's patch group loses its baselines: machines get the account's default."""
    group = scene.terrain.facts.patch_group
    found = scene.call("ssm", "DescribePatchGroups", MaxResults=100)["Mappings"]
    pairs = [
        {"BaselineId": mapping["BaselineIdentity"]["BaselineId"], "PatchGroup": group}
        for mapping in found
        if mapping["PatchGroup"] == group
    ]
    if not pairs:
        return None
    for pair in pairs:
        scene.call("ssm", "DeregisterPatchBaselineForPatchGroup", **pair)

    def undo() -> None:
        """Their stack may have been replaced: then they are gone, and its new ones have the group."""
        known = scene.call("ssm", "DescribePatchGroups", MaxResults=100)["Mappings"]
        registered = {mapping["BaselineIdentity"]["BaselineId"] for mapping in known}
        ours = [{"Key": "OWNER", "Values": ["Self"]}]
        baselines = scene.call("ssm", "DescribePatchBaselines", Filters=ours, MaxResults=100)["BaselineIdentities"]
        there = {baseline["BaselineId"] for baseline in baselines}
        for pair in pairs:
            if pair["BaselineId"] in there - registered:
                scene.call("ssm", "RegisterPatchBaselineForPatchGroup", **pair)

    return Harm(undo)


@act
def cancel_commands(scene: Scene, given: Given) -> Harm | None:  # noqa: ARG001 - as every act
    """An operator cancels every command that is under way."""
    known = scene.call("ssm", "ListCommands")["Commands"]
    running = [command["CommandId"] for command in known if command["Status"] in ("Pending", "InProgress")]
    for command in running:
        scene.call("ssm", "CancelCommand", CommandId=command)
    return Harm() if running else None


@act
def patch_now(scene: Scene, given: Given) -> Harm | None:
    """An operator patches a machine past everything: AWS-RunPatchBaseline by hand."""
    instance = scene.instance(given)
    if instance is None or instance.state != "running":
        return None
    parameters = {"Operation": ["Install"], "RebootOption": ["NoReboot"]}
    sent = scene.call(
        "ssm",
        "SendCommand",
        DocumentName="AWS-RunPatchBaseline",
        InstanceIds=[instance.instance_id],
        Parameters=parameters,
    )
    return Harm(shows=happened("PatchStarted", command=sent["Command"]["CommandId"]))
