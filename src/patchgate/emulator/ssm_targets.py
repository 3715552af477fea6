"""Which machines a request's ``Targets`` and ``InstanceIds`` name.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Target.html

Assumption: targets by tag resolve to the managed machines that are running; a stopped one is not waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.errors import NotEmulatedError
from patchgate.emulator.ssm_constraints import violation

if TYPE_CHECKING:
    from patchgate.emulator.cloud import Cloud, Scope
    from patchgate.emulator.ec2_resources import Instance

MAXIMUM_TARGETS = 5
MAXIMUM_VALUES = 50


_GONE = ("shutting-down", "terminated")


def managed_instances(cloud: Cloud, scope: Scope) -> list[Instance]:
    """Every machine that has registered with Systems Manager and still exists, by id."""
    return [instance for instance in cloud.component(Ec2).region(scope).by_id if instance.state not in _GONE]


def managed_among(cloud: Cloud, scope: Scope, ids: Iterable[Any]) -> list[Instance]:
    """Those of ``managed_instances`` that have one of these ids."""
    known = cloud.component(Ec2).region(scope).instances
    found = [known[identifier] for identifier in sorted(set(map(str, ids))) if identifier in known]
    return [instance for instance in found if instance.state not in _GONE]


def check_targets(targets: Iterable[Mapping[str, Any]], keys: tuple[str, ...]) -> None:
    """Raise ValidationException for malformed targets; ``keys`` are allowed besides ``tag:`` ones."""
    listed = list(targets)
    if len(listed) > MAXIMUM_TARGETS:
        raise violation("targets", listed, f"Member must have length less than or equal to {MAXIMUM_TARGETS}")
    for target in listed:
        key, values = str(target.get("Key", "")), target.get("Values")
        if key.startswith("resource-groups:") or key == "ResourceGroup":
            raise NotEmulatedError(f"targets by {key}")
        if key not in keys and not (key.startswith("tag:") and len(key) > 4 and "tag:" in keys):
            raise violation("targets.key", key, f"Member must be one of {', '.join(keys)}")
        if not isinstance(values, list) or not 1 <= len(values) <= MAXIMUM_VALUES:
            raise violation("targets.values", values, f"Member must have 1 to {MAXIMUM_VALUES} entries")


def resolve_targets(cloud: Cloud, scope: Scope, targets: Iterable[Mapping[str, Any]]) -> list[str]:
    """The ids of the running managed machines that meet every target, sorted."""
    listed = list(targets)
    if not listed:
        return []
    named = [target["Values"] for target in listed if target["Key"] == "InstanceIds"]
    known = managed_among(cloud, scope, named[0]) if named else managed_instances(cloud, scope)
    chosen = [item for item in known if item.state == "running"]
    return [item.instance_id for item in chosen if all(_meets(item, target) for target in listed)]


def _meets(instance: Instance, target: Mapping[str, Any]) -> bool:
    key, values = str(target["Key"]), target["Values"]
    if key == "InstanceIds":
        return instance.instance_id in values
    if key == "tag-key":
        return any(value in instance.tags for value in values)
    return instance.tags.get(key[4:]) in values
