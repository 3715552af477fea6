"""Quotas and sizes, looked at before anything is touched (F47, F48).

The lengths of names are not among them: the tests of ``plan.names`` prove them for every operating system, environment
and Region, with the longest prefixes that the templates take.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
https://docs.aws.amazon.com/general/latest/gr/ssm.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from patchgate.domain.operating_systems import operating_system
from patchgate.operations.rollout.desired import DesiredStack, LanePlace
from patchgate.operations.rollout.facts import Place, Usage

WINDOWS = 50
BASELINES = 50
TEMPLATE_BYTES = 51_200
PARAMETER_BYTES = 4_096
STACK_SETS = 1_000
STACK_INSTANCES = 100_000


def find_exceeded(
    lanes: Sequence[LanePlace],
    desired: Sequence[DesiredStack],
    created: Iterable[DesiredStack],
    usage: Mapping[Place, Usage],
    sets_there: int,
) -> Iterator[str]:
    """Everything that AWS would refuse. ``created``: the backup-and-patch stacks that are not there yet."""
    yield from _sizes(desired)
    yield from _quotas(lanes, created, usage)
    instances = Counter(each.stack_set for each in desired if each.stack_set)
    if len(instances) + sets_there > STACK_SETS:
        yield f"{len(instances) + sets_there} stack sets, an account may have {STACK_SETS}"
    for name, count in instances.items():
        if count > STACK_INSTANCES:
            yield f"stack set {name}: {count} stack instances, it may have {STACK_INSTANCES}"


def _sizes(desired: Sequence[DesiredStack]) -> Iterator[str]:
    bodies = {each.body: each for each in desired}
    for body, each in bodies.items():
        size = len(body.encode())
        if size > TEMPLATE_BYTES:
            yield f"{'/'.join(each.key)}: its template has {size} bytes, CloudFormation takes {TEMPLATE_BYTES}"
    long = {(name, value): each for each in desired for name, value in each.parameters.items() if len(value) > 1_000}
    for (name, value), each in long.items():
        if len(value.encode()) > PARAMETER_BYTES:
            size = len(value.encode())
            yield f"{'/'.join(each.key)}: {name} has {size} bytes, CloudFormation takes {PARAMETER_BYTES}"


def _quotas(lanes: Sequence[LanePlace], created: Iterable[DesiredStack], usage: Mapping[Place, Usage]) -> Iterator[str]:
    systems = {each.lane.name: each.lane.os for each in lanes}
    fresh: dict[Place, list[str]] = {}
    for stack in created:
        fresh.setdefault((stack.account, stack.region), []).append(systems[stack.lanes[0]])
    for (account, region), members in fresh.items():
        there = usage.get((account, region), Usage())
        windows = there.windows + len(members)
        baselines = there.baselines + sum(len(operating_system(name).baselines) for name in members)
        for what, count, most in (("maintenance windows", windows, WINDOWS), ("patch baselines", baselines, BASELINES)):
            if count > most:
                yield f"{account}/{region}: {count} {what} with those of new lanes, AWS allows {most}: ask for more"
