"""What operators do to a lane's stacks and functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from patchgate.emulator.cloudformation.template import Template, parse_template
from patchgate.emulator.errors import AwsError
from patchgate.rehearsal.campaign.acts.scene import Given, Harm, Scene, act

BAKE_TAG = "ChangedBy"


@act
def update_stack(scene: Scene, given: Given) -> Harm | None:
    """A stack of the lane is updated with a new tag, which reaches all of its resources. ``stack`` is its number.

    ``seconds``: each resource takes so long; until all are done another update of the stack is refused.
    """
    name = scene.terrain.stacks[int(str(given["stack"])) % len(scene.terrain.stacks)]
    stack = _known_stack(scene, name)
    if stack is None:
        return None
    request = {
        "StackName": name,
        "UsePreviousTemplate": True,
        "Parameters": [{"ParameterKey": p["ParameterKey"], "UsePreviousValue": True} for p in stack["Parameters"]],
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "Tags": [{"Key": BAKE_TAG, "Value": f"injection-{scene.index}"}],
    }
    seconds = int(str(given.get("seconds", 0)))
    if seconds:
        scene.cloud.stack_resource_seconds = seconds
        scene.cloud.kernel.spawn(f"operator {scene.index}", partial(_update, scene, request))
    else:
        _update(scene, request)
    return Harm()


def _update(scene: Scene, request: Mapping[str, Any]) -> None:
    """Update a stack, or be told that somebody else is at it, or has deleted it."""
    try:
        scene.call("cloudformation", "UpdateStack", **request)
    except AwsError as error:
        if error.code != "ValidationError":
            raise
        facts = {"stack": request["StackName"], "reason": error.message}
        scene.cloud.record(scene.terrain.scope, "StackUpdateRefused", **facts)


@act
def delete_stack(scene: Scene, given: Given) -> Harm | None:
    """A stack of the lane is deleted, and deployed again at the end."""
    name = scene.terrain.stacks[int(str(given["stack"])) % len(scene.terrain.stacks)]
    stack = _stack(scene, name)
    return None if stack is None else _take_away(scene, stack)


@act
def redeploy_stack(scene: Scene, given: Given) -> Harm | None:  # noqa: ARG001 - as every act
    """The stack of the lane's window is deleted, and deployed again at the end: the window has another id then, and so
    have its tasks and the backup plan; the vault, the backup role and what is in them stay.

    Not on templates of others: there a lane is known by its window's id. The policy with which machines write logs is
    attached to nobody here; it would keep the stack: https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html
    """
    if scene.terrain.facts.window_id:
        return None
    stack = _stack(scene, scene.terrain.stacks[0])
    return None if stack is None else _take_away(scene, stack)


def _take_away(scene: Scene, stack: Mapping[str, Any]) -> Harm:
    """Delete a stack. Deployed again, it uses what its template retained."""
    name = stack["StackName"]
    body = scene.call("cloudformation", "GetTemplate", StackName=name, TemplateStage="Original")["TemplateBody"]
    there = dict.fromkeys(_makers(parse_template(body)), "false")
    given = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]} | there
    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()]
    request = {"StackName": name, "TemplateBody": body, "Parameters": parameters}
    scene.call("cloudformation", "DeleteStack", StackName=name)

    def undo() -> None:
        scene.call("cloudformation", "CreateStack", **request, Capabilities=["CAPABILITY_NAMED_IAM"])
        again = _known_stack(scene, name)
        if again is None or again["StackStatus"] != "CREATE_COMPLETE":
            status = again["StackStatus"] if again else "gone"
            raise RuntimeError(f"the stack {name} was deleted and could not be deployed again: it is {status}")

    return Harm(undo)


def _makers(template: Template) -> Iterator[str]:
    """The parameters that are "true" where a template makes what outlives its stack."""
    for resource in template.resources.values():
        if resource.deletion_policy.startswith("Retain") and resource.condition is not None:
            match template.conditions[resource.condition]:
                case {"Fn::Equals": [{"Ref": str(parameter)}, "true"]}:
                    yield parameter


def _stack(scene: Scene, name: str) -> dict[str, Any] | None:
    """A stack that nothing is being done to."""
    stack = _known_stack(scene, name)
    return stack if stack is not None and stack["StackStatus"].endswith("_COMPLETE") else None


def _known_stack(scene: Scene, name: str) -> dict[str, Any] | None:
    try:
        stacks = scene.call("cloudformation", "DescribeStacks", StackName=name)["Stacks"]
    except AwsError as error:
        if error.code == "ValidationError":  # CloudFormation's answer for a stack that does not exist
            return None
        raise
    return dict(stacks[0])


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
