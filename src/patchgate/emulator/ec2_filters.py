"""How EC2's Describe operations choose: ids, filters with wildcards, tags, pages.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from patchgate.emulator.cloud import Params, Result, paginate
from patchgate.emulator.ec2_resources import STATE_CODES, Image, Instance, Snapshot, Volume
from patchgate.emulator.errors import AwsError, NotEmulatedError

Item = TypeVar("Item")
Values = Callable[[Item], Iterable[str]]

MAXIMUM_FILTER_VALUES = 200
_WILD = frozenset("*?\\")


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    """A filter value as a regular expression: ``*`` any characters, ``?`` one, a backslash takes them literally.

    One without any of the three is compared as it is, and never comes here.
    """
    parts, escaped = [], False
    for character in text:
        if escaped or character not in "*?\\":
            parts.append(re.escape(character))
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            parts.append(".*" if character == "*" else ".")
    return re.compile("".join(parts), re.DOTALL)


def select(
    items: Iterable[Item],
    params: Params,
    *,
    fields: Mapping[str, Values[Item]],
    tags: Callable[[Item], Mapping[str, str]],
) -> list[Item]:
    """The items that match every one of ``params["Filters"]``, and of each any of its values.

    ``fields`` says what the item has under a filter's name; ``tag:KEY`` and ``tag-key`` are always there. A
    filter that the cloud does not know raises NotEmulatedError, too many values FilterLimitExceeded.
    """
    filters = list(params.get("Filters") or ())
    if sum(len(entry.get("Values") or ()) for entry in filters) > MAXIMUM_FILTER_VALUES:
        raise AwsError("FilterLimitExceeded", "The maximum number of filter values specified on a single call is 200")
    chosen = list(items)
    for entry in filters:
        name = entry.get("Name")
        if not name or not entry.get("Values"):
            raise AwsError("InvalidParameterValue", f"The filter '{name or 'null'}' is invalid")
        values = _values_of(name, fields, tags)
        wanted = [str(value) for value in entry["Values"]]
        exact = {text for text in wanted if _WILD.isdisjoint(text)}
        patterns = [_pattern(text) for text in wanted if text not in exact]
        if not patterns:
            chosen = [item for item in chosen if not exact.isdisjoint(values(item))]
        else:
            chosen = [
                item
                for item in chosen
                if any(value in exact or any(p.fullmatch(value) for p in patterns) for value in values(item))
            ]
    return chosen


def narrowed(known: Mapping[str, Item], params: Params, name: str) -> Iterable[Item]:
    """All of ``known``; when a filter ``name`` on identifiers has no wildcards, those that it names, in its order.

    AWS promises no order of what it describes.
    """
    for entry in params.get("Filters") or ():
        wanted = dict.fromkeys(map(str, entry.get("Values") or ())) if entry.get("Name") == name else ()
        if wanted and all(_WILD.isdisjoint(text) for text in wanted):
            return [known[identifier] for identifier in wanted if identifier in known]
    return known.values()


def _values_of(
    name: str, fields: Mapping[str, Values[Item]], tags: Callable[[Item], Mapping[str, str]]
) -> Values[Item]:
    if name == "tag-key":
        return lambda item: tags(item).keys()
    if name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return lambda item: (value for value in [tags(item).get(key)] if value is not None)
    if name in fields:
        return fields[name]
    raise NotEmulatedError(f"the EC2 filter {name!r}")


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of resource is called in identifiers, error codes and messages."""

    prefix: str
    malformed: str
    missing: str
    noun: str


INSTANCE = Kind("i", "InvalidInstanceID.Malformed", "InvalidInstanceID.NotFound", "instance ID")
VOLUME = Kind("vol", "InvalidVolumeID.Malformed", "InvalidVolume.NotFound", "volume")
IMAGE = Kind("ami", "InvalidAMIID.Malformed", "InvalidAMIID.NotFound", "image id")
SNAPSHOT = Kind("snap", "InvalidSnapshotID.Malformed", "InvalidSnapshot.NotFound", "snapshot")


def well_formed(kind: Kind, identifier: str) -> bool:
    """Whether ``identifier`` looks like one of that kind: its prefix, a dash and 8 or 17 hexadecimal digits."""
    return _form(kind.prefix).fullmatch(identifier) is not None


@lru_cache(maxsize=16)
def _form(prefix: str) -> re.Pattern[str]:
    return re.compile(rf"{prefix}-(?:[0-9a-f]{{8}}|[0-9a-f]{{17}})")


def pick(known: Mapping[str, Item], ids: Iterable[str], kind: Kind) -> list[Item]:
    """The items with those ids, in the order asked, each once.

    An id of the wrong form raises the kind's Malformed error; missing ones raise NotFound, all in one
    message.
    """
    wanted = list(dict.fromkeys(ids))
    found = [known[identifier] for identifier in wanted if identifier in known]
    if len(found) == len(wanted):
        return found
    for identifier in wanted:
        if not well_formed(kind, identifier):
            raise AwsError(kind.malformed, f'Invalid id: "{identifier}" (expecting "{kind.prefix}-...")')
    missing = [identifier for identifier in wanted if identifier not in known]
    if missing:
        listed = ", ".join(missing)
        quoted = f"[{listed}]" if kind is IMAGE else listed
        verb = "s '{}' do not exist" if len(missing) > 1 else " '{}' does not exist"
        raise AwsError(kind.missing, f"The {kind.noun}{verb.format(quoted)}")
    return found


def page(
    items: list[Item],
    shape: Callable[[Item], dict[str, Any]],
    params: Params,
    *,
    into: str,
    ids: str,
    least: int = 5,
) -> Result:
    """One page of ``items``, as ``shape`` shows each, under the key ``into``, with ``NextToken`` when more follow.

    ``ids`` names the parameter that cannot go together with MaxResults, "" when there is none.

    Assumption: without MaxResults a page holds 1,000 (AWS says "all").
    """
    size = params.get("MaxResults")
    if size is not None:
        if ids and params.get(ids):
            raise AwsError(
                "InvalidParameterCombination",
                f"The parameter {ids} cannot be used with the parameter maxResults",
            )
        if not least <= int(size) <= 1000:
            raise AwsError(
                "InvalidParameterValue",
                f"Value ( {size} ) for parameter maxResults is invalid. Expecting a value between {least} and 1000.",
            )
    found, following = paginate(items, params, limit="MaxResults", token="NextToken", default=1000, maximum=1000)  # noqa: S106
    return {into: [shape(item) for item in found]} | ({"NextToken": following} if following else {})


def refuse_dry_run(params: Params) -> None:
    """A dry run by somebody who may raises DryRunOperation, as AWS does."""
    if params.get("DryRun"):
        raise AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", status=412)


def _flag(*, value: bool) -> list[str]:
    return ["true" if value else "false"]


INSTANCE_FIELDS: Mapping[str, Values[Instance]] = {
    "instance-id": lambda item: [item.instance_id],
    "instance-state-name": lambda item: [item.state],
    "instance-state-code": lambda item: [str(STATE_CODES[item.state])],
    "image-id": lambda item: [item.image_id],
    "root-device-type": lambda item: [item.spec.root_device],
    "availability-zone": lambda item: [f"{item.region}a"],
    "platform": lambda item: ["windows"] if item.spec.platform_type == "Windows" else [],
    "private-ip-address": lambda item: [item.private_ip],
    "block-device-mapping.volume-id": lambda item: [volume.volume_id for volume in item.volumes],
    "block-device-mapping.status": lambda item: [volume.status for volume in item.volumes],
    "block-device-mapping.device-name": lambda item: [volume.device for volume in item.volumes],
}

STATUS_FIELDS: Mapping[str, Values[Instance]] = {
    "availability-zone": INSTANCE_FIELDS["availability-zone"],
    "instance-state-name": INSTANCE_FIELDS["instance-state-name"],
    "instance-state-code": INSTANCE_FIELDS["instance-state-code"],
    "instance-status.status": lambda item: [item.status_shape()["InstanceStatus"]["Status"]],
    "system-status.status": lambda item: [item.status_shape()["SystemStatus"]["Status"]],
}

VOLUME_FIELDS: Mapping[str, Values[Volume]] = {
    "volume-id": lambda item: [item.volume_id],
    "status": lambda item: ["in-use" if item.instance_id else "available"],
    "size": lambda item: [str(item.size_gib)],
    "encrypted": lambda item: _flag(value=item.encrypted),
    "attachment.instance-id": lambda item: [item.instance_id] if item.instance_id else [],
    "attachment.status": lambda item: [item.status] if item.status else [],
    "attachment.device": lambda item: [item.device] if item.instance_id else [],
}

IMAGE_FIELDS: Mapping[str, Values[Image]] = {
    "image-id": lambda item: [item.image_id],
    "name": lambda item: [item.name],
    "state": lambda item: [item.state],
    "owner-id": lambda item: [item.account],
    "source-instance-id": lambda item: [item.source_instance_id],
    "root-device-type": lambda _: ["ebs"],
    "block-device-mapping.snapshot-id": lambda item: item.snapshot_ids,
}

SNAPSHOT_FIELDS: Mapping[str, Values[Snapshot]] = {
    "snapshot-id": lambda item: [item.snapshot_id],
    "volume-id": lambda item: [item.volume_id],
    "status": lambda item: ["completed" if item.completed_at else "pending"],
    "owner-id": lambda item: [item.account],
    "encrypted": lambda item: _flag(value=item.encrypted),
    "volume-size": lambda item: [str(item.size_gib)],
}
