"""One stack or stack set as it should be beside what is there: what happens to it, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from patchgate.operations.rollout.desired import DesiredStack, find_unused
from patchgate.operations.rollout.facts import (
    COMPLETE,
    FAILED_CREATION,
    InstanceFacts,
    Kept,
    SetFacts,
    StackFacts,
    digest_template,
)
from patchgate.operations.rollout.sets import choose_base, choose_overrides
from patchgate.operations.rollout.steps import Action, SetStep, Step

_BUCKET = "S3Bucket"
_VAULT, _ROLE = "CreateBackupVault", "CreateBackupRole"
_LONGEST_VALUE = 60


def settle_kept(desired: DesiredStack, present: Mapping[str, str] | None, kept: Kept) -> DesiredStack:
    """The stack with what it must know of the vault and role that an earlier deployment kept.

    ``present``: its parameters where it is there; it goes on as it was made. What the fleet file says itself holds.
    """
    if not desired.vault:
        return desired
    found = {_VAULT: "false" if kept.vault else "true", _ROLE: "false" if kept.role else "true"}
    if present is not None:
        found = {name: present.get(name, "true") for name in found}
    said = {name: value for name, value in found.items() if name not in desired.given}
    return replace(desired, parameters={**desired.parameters, **said})


def compare_stack(desired: DesiredStack, found: StackFacts | None, kept: Kept) -> Step:
    """What happens to a plain stack. Its problems are ``describe_obstacle``'s."""
    if found is None or found.status in FAILED_CREATION:
        reasons = [f"its creation failed before ({found.status})" if found else "not there", *_kept(desired, kept)]
        return _step(desired, "create", reasons, seen=found.seen() if found else "", clear_first=found is not None)
    reasons = [*_differences(desired, found.parameters, found.template), *_tags(desired.tags, found.tags)]
    if reasons and not _changes_anything(desired, found):
        reasons = []
    if found.status not in COMPLETE:
        reasons.append(f"it is {found.status}")
    return _step(desired, "update" if reasons else "leave", reasons, seen=found.seen(), notes=tuple(_drift(found)))


def _changes_anything(desired: DesiredStack, found: StackFacts) -> bool:
    """False where nothing differs but parameters that no resource uses: CloudFormation would refuse such an update."""
    if desired.bucket_of or digest_template(desired.body) != found.template or dict(desired.tags) != dict(found.tags):
        return True
    names = {*desired.parameters, *found.parameters}
    differing = {name for name in names if desired.parameters.get(name) != found.parameters.get(name)}
    return not differing <= find_unused(desired.stage, desired.parameters, found.parameters)


def compare_set(desired: list[DesiredStack], found: SetFacts | None) -> SetStep:
    """What happens to the set that carries these stacks."""
    first = desired[0]
    base = choose_base([each.parameters for each in desired], found)
    bucket_of = next((each.bucket_of for each in desired if each.bucket_of), None)
    reasons: list[str] = ["not there"]
    if found is not None:
        whole = replace(first, parameters=base, bucket_of=bucket_of)
        reasons = [*_differences(whole, found.parameters, found.template), *_tags(first.tags, found.tags)]
    action: Action = "create" if found is None else "update" if reasons else "leave"
    seen = found.seen() if found else ""
    template = digest_template(first.body)
    return SetStep(action, first.stage, first.stack_set, tuple(reasons), base, first.tags, template, bucket_of, seen)


def compare_instance(desired: DesiredStack, change: SetStep, found: SetFacts | None, kept: Kept) -> Step:
    """What happens to a stack instance; ``change`` is what happens to its set."""
    instance = found.instances.get((desired.account, desired.region)) if found else None
    overrides = choose_overrides(desired.parameters, change.parameters, instance)
    if found is None or instance is None:
        return replace(_step(desired, "create", ["not there", *_kept(desired, kept)]), overrides=overrides)
    effective = {**found.parameters, **instance.overrides}
    reasons = [*_differences(desired, effective, found.template), *_tags(desired.tags, found.tags)]
    same = overrides == dict(instance.overrides)
    if instance.status != "CURRENT":
        reasons.append(f"it is {instance.status}" + (f": {instance.reason}" if instance.reason else ""))
    elif not reasons and not same:
        reasons.append("its parameter overrides")
    action: Action = "update" if reasons else "leave"
    step = _step(desired, action, reasons, seen=instance.seen(), notes=tuple(_drift(instance)))
    return replace(step, overrides=overrides, follows_set=same)


def describe_obstacle(desired: DesiredStack, found: StackFacts) -> str:
    """Why a stack that is there cannot be deployed to, and what to do; '' when it can."""
    remedies = {
        "UPDATE_ROLLBACK_FAILED": "repair what its events name, then: aws cloudformation continue-update-rollback",
        "DELETE_FAILED": "delete it again, retaining what cannot be deleted",
        "REVIEW_IN_PROGRESS": "a change set of somebody's waits there: execute it, or delete the stack",
    }
    remedy = remedies.get(found.status)
    return f"stack {'/'.join(desired.key)} is {found.status}: {remedy}" if remedy else ""


def _step(
    desired: DesiredStack,
    action: Action,
    reasons: list[str],
    *,
    seen: str = "",
    clear_first: bool = False,
    notes: tuple[str, ...] = (),
) -> Step:
    return Step(
        action,
        desired.stage,
        desired.account,
        desired.region,
        desired.name,
        desired.lanes,
        desired.stack_set,
        tuple(reasons),
        notes,
        desired.parameters,
        desired.tags,
        digest_template(desired.body),
        desired.bucket_of,
        clear_first,
        seen=seen,
    )


def _differences(desired: DesiredStack, present: Mapping[str, str], template: str) -> Iterator[str]:
    """The parameters that change, and whether the template does."""
    unknown = {_BUCKET} if desired.bucket_of else set()
    for name in sorted({*desired.parameters, *present} - unknown):
        before, after = present.get(name), desired.parameters.get(name)
        if before == after:
            continue
        if before is None or after is None:
            yield f"{name}: new, {_short(after)}" if after is not None else f"{name}: no longer a parameter"
        else:
            yield f"{name}: {_short(before)} -> {_short(after)}"
    if desired.bucket_of:
        yield f"{_BUCKET}: the new log bucket of {desired.bucket_of[2]}"
    if digest_template(desired.body) != template:
        yield "the template"


def _tags(wanted: Mapping[str, str], present: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*wanted, *present}):
        if wanted.get(name) != present.get(name):
            yield f"tag {name}: {_short(present.get(name))} -> {_short(wanted.get(name))}"


def _kept(desired: DesiredStack, kept: Kept) -> Iterator[str]:
    if kept.vault and desired.parameters.get(_VAULT) == "false":
        yield f"uses the vault {desired.vault}, which is there"
    if kept.role and desired.parameters.get(_ROLE) == "false":
        yield f"uses the role {desired.role}, which is there"


def _drift(found: StackFacts | InstanceFacts) -> Iterator[str]:
    if found.drift == "DRIFTED":
        when = f" (found {found.drift_at:%Y-%m-%d %H:%M} UTC)" if found.drift_at else ""
        yield (
            f"has drifted{when}: it was changed outside of CloudFormation; a deployment changes that only where it "
            "updates"
        )
        if isinstance(found, StackFacts):
            yield from (f"drifted: {each}" for each in found.drifted)


def _short(value: str | None) -> str:
    if value is None:
        return "none"
    text = value or "(blank)"
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 3]}..."
