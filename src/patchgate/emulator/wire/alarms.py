"""Alarms that moto keeps: whoever sets the state of one has its actions carried out, which moto leaves out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from patchgate.emulator.alarm_actions import notify, topics_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from patchgate.emulator.cloud import Cloud, Scope


def alarm_change(
    cloud: Cloud, scope: Scope, service: str, operation: str, params: dict[str, Any]
) -> Callable[[], None] | None:
    """What is to be done once moto has answered a request: telling an alarm's topics; None for all other requests.

    NotEmulatedError, before anything changes, for an action that is no topic.
    """
    if (service, operation) != ("cloudwatch", "SetAlarmState"):
        return None
    owner = type(scope)(scope.account, scope.region)
    named = {"AlarmNames": [params["AlarmName"]]}
    found = cloud.neighbour.call(owner, "cloudwatch", "DescribeAlarms", named)["MetricAlarms"]
    if not found:
        return None
    topics = topics_of(found[0], params["StateValue"])
    return partial(notify, cloud, scope, found[0], topics, params["StateValue"], params.get("StateReason", ""))
