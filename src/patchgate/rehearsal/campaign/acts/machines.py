"""What befalls machines: their states, volumes, tags."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from patchgate.emulator.world import VolumeSpec
from patchgate.rehearsal.campaign.acts.scene import Given, Harm, Scene, act
from patchgate.rehearsal.campaign.ground import DEVICES, identifier

if TYPE_CHECKING:
    from patchgate.emulator.ec2_resources import Instance


@act
def state(scene: Scene, given: Given) -> Harm | None:
    """A machine is stopped, or terminated; a stopped one is started again."""
    instance = scene.instance(given)
    if instance is None or instance.state != "running":
        return None
    wanted = str(given["state"])
    scene.ec2.set_state(scene.terrain.scope, instance.instance_id, wanted)  # type: ignore[arg-type]

    def undo() -> None:
        if instance.state == "stopped":
            scene.ec2.set_state(scene.terrain.scope, instance.instance_id, "running")

    return Harm(undo)


@act
def launch(scene: Scene, given: Given) -> Harm | None:
    """A machine with the lane's tags is launched; with ``instance`` in the place of that one, as Auto Scaling does.

    It is as the lane's first one was before anything befell that. ``without_volumes``: its root is an instance store,
    and nothing is attached.
    """
    if "instance" in given:
        state(scene, {"instance": given["instance"], "state": "terminated"})
    model = scene.as_it_was(scene.ec2.region(scene.terrain.scope).instances[scene.terrain.instances[0]])
    new = identifier("i-", "launched", scene.index)
    root = VolumeSpec(identifier("vol-", "launched", scene.index), "/dev/sda")
    spec = replace(model, instance_id=new, name=f"launched-{scene.index}", volumes=(root,))
    if given.get("without_volumes"):
        spec = replace(spec, root_device="instance-store", volumes=())
    scene.ec2.add_instance(scene.terrain.scope, spec)
    return Harm()


@act
def attach(scene: Scene, given: Given) -> Harm | None:
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
    return Harm()


@act
def tag(scene: Scene, given: Given) -> Harm | None:
    """A tag of a machine is changed, or (``value`` "") taken away."""
    instance = scene.instance(given)
    if instance is None:
        return None
    key, value = str(given["key"]), str(given["value"])
    if instance.tags.get(key, "") == value:
        return None
    before = scene.before((instance.instance_id, "tag", key), instance.tags.get(key))
    _set_tag(scene, instance, key, value)

    def undo() -> None:
        if instance.state != "terminated":
            _set_tag(scene, instance, key, before or "")

    return Harm(undo)


def _set_tag(scene: Scene, instance: Instance, key: str, value: str) -> None:
    operation, pair = ("CreateTags", {"Key": key, "Value": value}) if value else ("DeleteTags", {"Key": key})
    scene.call("ec2", operation, Resources=[instance.instance_id], Tags=[pair])


@act
def impair(scene: Scene, given: Given) -> Harm | None:
    """A machine fails its status checks."""
    instance = scene.instance(given)
    if instance is None or instance.impaired:
        return None
    scene.ec2.set_impaired(scene.terrain.scope, instance.instance_id, impaired=True)
    return Harm(lambda: scene.ec2.set_impaired(scene.terrain.scope, instance.instance_id, impaired=False))
