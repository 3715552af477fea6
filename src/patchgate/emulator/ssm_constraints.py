"""What Systems Manager checks in every request before it looks at the resource: presence, patterns and ranges.

The botocore service model states these constraints; AWS answers ValidationException for all of them.
https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from patchgate.emulator.cloud import Item, Params, Result, paginate
from patchgate.emulator.errors import AwsError, NotEmulatedError

CONCURRENCY = r"([1-9][0-9]*|[1-9][0-9]%|[1-9]%|100%)"
ERRORS = r"([1-9][0-9]*|[0]|[1-9][0-9]%|[0-9]%|100%)"
INSTANCE_ID = r"(i-(\w{8}|\w{17}))|(mi-\w{17})"
OPERATING_SYSTEMS = frozenset(
    {
        "WINDOWS",
        "AMAZON_LINUX",
        "AMAZON_LINUX_2",
        "AMAZON_LINUX_2022",
        "AMAZON_LINUX_2023",
        "UBUNTU",
        "REDHAT_ENTERPRISE_LINUX",
        "SUSE",
        "CENTOS",
        "ORACLE_LINUX",
        "DEBIAN",
        "MACOS",
        "RASPBIAN",
        "ROCKY_LINUX",
        "ALMA_LINUX",
    }
)
_TAG_TEXT = re.compile(r"[\w\s.:/=+\-@]*")


def violation(member: str, value: object, constraint: str) -> AwsError:
    """The ValidationException that AWS writes for one member of the request."""
    return AwsError(
        "ValidationException",
        f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}",
    )


def required(params: Params, *members: str) -> None:
    """Raise ValidationException unless every one of ``members`` was given."""
    for member in members:
        if params.get(member) is None:
            raise violation(member, "null", "Member must not be null")


def matching(params: Params, member: str, pattern: str, *, shortest: int = 0, longest: int = 0) -> str | None:
    """The string at ``member``, or None when it was not given. ``pattern`` is matched against all of it."""
    value = params.get(member)
    if value is None:
        return None
    if not isinstance(value, str) or not re.fullmatch(pattern, value, re.DOTALL):
        raise violation(member, value, f"Member must satisfy regular expression pattern: {pattern}")
    if len(value) < shortest:
        raise violation(member, value, f"Member must have length greater than or equal to {shortest}")
    if longest and len(value) > longest:
        raise violation(member, value, f"Member must have length less than or equal to {longest}")
    return value


def within(params: Params, member: str, lowest: int, highest: int) -> int | None:
    """The integer at ``member``, or None when it was not given."""
    value = params.get(member)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise violation(member, value, "Member must be an integer")
    if value < lowest:
        raise violation(member, value, f"Member must have value greater than or equal to {lowest}")
    if value > highest:
        raise violation(member, value, f"Member must have value less than or equal to {highest}")
    return value


def one_of(params: Params, member: str, allowed: Iterable[str]) -> str | None:
    """The string at ``member``, which is one of ``allowed``, or None when it was not given."""
    value = params.get(member)
    if value is None:
        return None
    names = sorted(allowed)
    if value not in names:
        raise violation(member, value, f"Member must satisfy enum value set: [{', '.join(names)}]")
    return str(value)


def unsupported(params: Params, operation: str, *members: str) -> None:
    """Raise NotEmulatedError for members that AWS knows and the embedded AWS does not act upon."""
    for member in members:
        if params.get(member) not in (None, "", [], {}):
            raise NotEmulatedError(f"{operation} with {member}")


def tag_map(tags: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """A request's ``Tags`` as a mapping; raises ValidationException for text that no tag may hold."""
    found: dict[str, str] = {}
    for tag in tags or ():
        key, value = tag.get("Key"), tag.get("Value")
        if not key or len(key) > 128 or not _TAG_TEXT.fullmatch(key) or key.lower().startswith("aws:"):
            raise violation("tags.key", key, "Member must be a tag key of 1 to 128 allowed characters")
        if value is None or len(value) > 256 or not _TAG_TEXT.fullmatch(value):
            raise violation("tags.value", value, "Member must be a tag value of at most 256 allowed characters")
        found[key] = value
    return found


def share(limit: str, total: int) -> int:
    """``MaxConcurrency`` or ``MaxErrors`` as a number of targets; a percentage is rounded down.

    How AWS rounds is not documented: down is the reading that stops earliest.
    """
    return total * int(limit[:-1]) // 100 if limit.endswith("%") else int(limit)


def instant(text: str, member: str) -> datetime:
    """An ISO 8601 date or time as an aware instant; one without an offset is UTC."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise violation(member, text, "Member must be a date and time in ISO 8601 format") from None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def page(items: list[Item], params: Params, into: str, *, least: int, default: int, most: int) -> Result:
    """One page of a Describe or List operation that pages with MaxResults and NextToken."""
    within(params, "MaxResults", least, most)
    shown, following = paginate(
        items,
        params,
        limit="MaxResults",
        token="NextToken",  # noqa: S106 - the member's name
        default=default,
        maximum=most,
    )
    return {into: shown} | ({"NextToken": following} if following else {})
