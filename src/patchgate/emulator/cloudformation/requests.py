"""What callers of stack operations send, checked: names, tags, texts, and what is not emulated."""

from __future__ import annotations

import re
from collections.abc import Sequence

from patchgate.emulator.cloud import Cloud, Params, Scope
from patchgate.emulator.cloudformation.reader import invalid
from patchgate.emulator.cloudformation.stacks import Stack, StackInput
from patchgate.emulator.cloudformation.template_source import given_template
from patchgate.emulator.errors import NotEmulatedError

MAX_STACK_TAGS = 50


def refuse_others(operation: str, params: Params, accepted: Sequence[str]) -> None:
    """NotEmulatedError for a parameter that says something and is not one of ``accepted``."""
    others = [name for name, value in params.items() if value and name not in accepted]
    if others:
        raise NotEmulatedError(f"cloudformation:{operation} with {', '.join(others)}")


def checked_stack_name(params: Params) -> str:
    """The name of a stack to be, or ValidationError."""
    name = str(params.get("StackName") or "")
    if not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]*", name):
        raise invalid(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )
    if len(name) > 128:
        raise invalid(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must "
            "have length less than or equal to 128"
        )
    return name


def stack_input(cloud: Cloud, scope: Scope, params: Params, stack: Stack | None) -> StackInput:
    """The input of a deployment; ``stack`` is the one that it updates, None where it creates one."""
    use_previous = params.get("UsePreviousTemplate")
    body = given_template(cloud, scope, params)
    if use_previous and stack is not None and body is None:
        body = stack.template
    elif body is None or use_previous:
        raise invalid("Either Template URL or Template Body must be specified.")
    kept = stack is not None and params.get("Tags") is None
    return StackInput(
        body=body,
        parameters=params.get("Parameters") or (),
        tags=stack.tags if kept and stack is not None else checked_tags(params),
        capabilities=params.get("Capabilities") or (),
        previous=None if stack is None else stack.parameters,
    )


def checked_tags(params: Params) -> dict[str, str]:
    """Stack tags by key, or ValidationError."""
    given = params.get("Tags") or ()
    tags = {str(item["Key"]): str(item["Value"]) for item in given}
    if len(tags) != len(given):
        raise invalid("Duplicate tag keys found. Please ensure that tag keys are unique.")
    if len(tags) > MAX_STACK_TAGS:
        raise invalid(
            f"1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less "
            f"than or equal to {MAX_STACK_TAGS}"
        )
    for key, value in tags.items():
        if not 1 <= len(key) <= 128 or len(value) > 256:
            raise invalid(f"Tag {key}: a key has 1 to 128 characters, a value at most 256")
        if key.lower().startswith("aws:"):
            raise invalid(f"aws: prefixed tag key names are not allowed for external use. ({key})")
    return tags


def acting_scope(cloud: Cloud, scope: Scope, role_arn: str) -> Scope:
    """Who the resources' calls are made as: the stack's service role, or with "" the caller.

    ValidationError for a role that is not there or that CloudFormation may not assume.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
    """
    if not role_arn:
        return scope
    if not cloud.authority.trusts(scope, role_arn, "cloudformation.amazonaws.com"):
        raise invalid(f"Role {role_arn} is invalid or cannot be assumed")
    return scope.as_principal(role_arn)


def on_failure(params: Params) -> str:
    """DO_NOTHING, ROLLBACK or DELETE."""
    choice, disabled = params.get("OnFailure"), params.get("DisableRollback")
    if choice is not None and disabled is not None:
        raise invalid("You can specify either DisableRollback or OnFailure, but not both.")
    if choice is not None and choice not in ("DO_NOTHING", "ROLLBACK", "DELETE"):
        raise invalid(
            f"1 validation error detected: Value '{choice}' at 'onFailure' failed to satisfy constraint: Member must "
            "satisfy enum value set: [DO_NOTHING, ROLLBACK, DELETE]"
        )
    return str(choice or ("DO_NOTHING" if disabled else "ROLLBACK"))
