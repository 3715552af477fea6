"""Stack sets: which values are the set's own, and which ones its instances override.

The set's own value of a parameter stays what it is as long as any instance wants it, so that a change of one lane
reaches that lane alone. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stackinstances-override.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from patchgate.operations.rollout.facts import InstanceFacts, Place, SetFacts

Rectangle = tuple[tuple[str, ...], tuple[str, ...]]
"""Accounts and Regions: every combination of them is meant."""

NO_INSTANCE = InstanceFacts("")


def choose_base(wanted: Sequence[Mapping[str, str]], found: SetFacts | None) -> dict[str, str]:
    """The set's own parameters for instances that want these; all of them have the same names."""
    base: dict[str, str] = {}
    for name in wanted[0] if wanted else ():
        values = [each[name] for each in wanted]
        present = found.parameters.get(name) if found else None
        base[name] = present if present in values else Counter(values).most_common(1)[0][0]
    return base


def choose_overrides(wanted: Mapping[str, str], base: Mapping[str, str], found: InstanceFacts | None) -> dict[str, str]:
    """The overrides of an instance: what differs from the set, and what is overridden already with the right value."""
    present = (found or NO_INSTANCE).overrides
    return {name: value for name, value in wanted.items() if base.get(name) != value or present.get(name) == value}


def make_rectangles(places: Iterable[Place]) -> list[Rectangle]:
    """The places as few products of accounts and Regions, exactly; accounts with the same Regions go together."""
    regions: dict[str, list[str]] = {}
    for account, region in places:
        regions.setdefault(account, []).append(region)
    accounts: dict[tuple[str, ...], list[str]] = {}
    for account, listed in regions.items():
        accounts.setdefault(tuple(sorted(listed)), []).append(account)
    return [(tuple(sorted(members)), listed) for listed, members in accounts.items()]
