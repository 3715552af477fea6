"""What operators do to a lane's stacks and functions."""

from __future__ import annotations

from typing import Any

from patchgate.emulator.errors import AwsError
from patchgate.rehearsal.campaign.acts.scene import Given, Harm, Scene, act

BAKE_TAG = "ChangedBy"


@act
def update_stack(scene: Scene, given: Given) -> Harm | None:
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
    return Harm()


@act
def delete_stack(scene: Scene, given: Given) -> Harm | None:
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

    return Harm(undo)


def _stack(scene: Scene, name: str) -> dict[str, Any] | None:
    try:
        stacks = scene.call("cloudformation", "DescribeStacks", StackName=name)["Stacks"]
    except AwsError as error:
        if error.code == "ValidationError":  # CloudFormation's answer for a stack that does not exist
            return None
        raise
    return dict(stacks[0]) if stacks[0]["StackStatus"].endswith("_COMPLETE") else None


@act
def invoke(scene: Scene, given: Given) -> Harm | None:
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
        if error.code == "ResourceNotFoundException":  # its stack is gone
            return None
        raise
    return Harm()
