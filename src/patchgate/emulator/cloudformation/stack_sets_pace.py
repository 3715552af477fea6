"""How fast an operation on a stack set goes, and when it gives up: operation preferences.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackSetOperationPreferences.html

Assumptions: Regions that RegionOrder does not name come after those that it names, in the order of the request;
without Regions and RegionOrder, an update of a stack set takes Regions by name; under STRICT_FAILURE_TOLERANCE the
concurrency is lowered by one for each failure in the Region; with PARALLEL Regions, exceeding the failure tolerance
stops the operation in that Region only; an automatic deployment has no failure tolerance to exceed, and takes all of
its places at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from patchgate.emulator.cloudformation.reader import invalid
from patchgate.emulator.cloudformation.stack_sets_state import PlaceResult, SetOperation

_ENUMS = {
    "RegionConcurrencyType": ("SEQUENTIAL", "PARALLEL"),
    "ConcurrencyMode": ("STRICT_FAILURE_TOLERANCE", "SOFT_FAILURE_TOLERANCE"),
}


def checked_preferences(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Operation preferences, or ValidationError."""
    preferences = {name: value for name, value in (given or {}).items() if value is not None}
    for count, percentage in (
        ("FailureToleranceCount", "FailureTolerancePercentage"),
        ("MaxConcurrentCount", "MaxConcurrentPercentage"),
    ):
        least = 0 if count.startswith("Failure") else 1
        if count in preferences and percentage in preferences:
            raise invalid(f"You can specify either {count} or {percentage}, but not both.")
        if int(preferences.get(count, least)) < least:
            raise invalid(f"{count} must be greater than or equal to {least}")
        if not least <= int(preferences.get(percentage, least)) <= 100:
            raise invalid(f"{percentage} must be between {least} and 100")
    for name, allowed in _ENUMS.items():
        if name in preferences and preferences[name] not in allowed:
            raise invalid(f"{name} must satisfy enum value set: [{', '.join(allowed)}]")
    return preferences


def in_order(regions: Iterable[str], preferences: Mapping[str, Any]) -> list[str]:
    """The Regions, each once, in the order in which the operation takes them."""
    each = list(dict.fromkeys(regions))
    first = [region for region in preferences.get("RegionOrder") or () if region in each]
    return list(dict.fromkeys([*first, *each]))


def tolerance(operation: SetOperation, region: str) -> int:
    """How many accounts may fail in a Region."""
    accounts = len(operation.within(region))
    if operation.automatic:
        return accounts
    if "FailureTolerancePercentage" in operation.preferences:
        return accounts * int(operation.preferences["FailureTolerancePercentage"]) // 100
    return int(operation.preferences.get("FailureToleranceCount", 0))


def exceeded(operation: SetOperation, region: str) -> bool:
    """Whether more accounts have failed in a Region than are tolerated."""
    return len(operation.within(region, "FAILED")) > tolerance(operation, region)


def concurrency(operation: SetOperation, region: str) -> int:
    """How many accounts of a Region may be worked on at once, now."""
    accounts = len(operation.within(region))
    if operation.automatic:
        return accounts
    wanted = int(operation.preferences.get("MaxConcurrentCount", 1))
    if "MaxConcurrentPercentage" in operation.preferences:
        wanted = max(1, accounts * int(operation.preferences["MaxConcurrentPercentage"]) // 100)
    if operation.preferences.get("ConcurrencyMode") == "SOFT_FAILURE_TOLERANCE":
        return wanted
    return min(wanted, tolerance(operation, region) + 1 - len(operation.within(region, "FAILED")))


def open_regions(operation: SetOperation) -> list[str]:
    """The Regions in which work may start now: all of them, or the first that is not done."""
    undone = [region for region in operation.regions() if operation.within(region, "PENDING", "RUNNING")]
    parallel = operation.automatic or operation.preferences.get("RegionConcurrencyType") == "PARALLEL"
    return undone if parallel else undone[:1]


def next_places(operation: SetOperation) -> list[PlaceResult]:
    """The places where work starts now."""
    chosen: list[PlaceResult] = []
    for region in open_regions(operation):
        if not exceeded(operation, region):
            room = concurrency(operation, region) - len(operation.within(region, "RUNNING"))
            chosen += operation.within(region, "PENDING")[: max(0, room)]
    return chosen


def given_up(operation: SetOperation) -> list[PlaceResult]:
    """The places that are not tried any more, since a Region's failure tolerance is exceeded."""
    lost = [region for region in operation.regions() if exceeded(operation, region)]
    parallel = operation.preferences.get("RegionConcurrencyType") == "PARALLEL"
    pending = operation.in_status("PENDING")
    return [item for item in pending if item.region in lost or (lost and not parallel)]
