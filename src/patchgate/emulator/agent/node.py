"""Whether a machine's SSM agent answers.

Assumption: an agent that stops answering shows as ConnectionLost at once (AWS waits for missed pings first).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from patchgate.emulator.ec2_resources import Instance

PingStatus = Literal["Online", "ConnectionLost", "Inactive"]


def is_online(instance: Instance, now: datetime) -> bool:
    """Whether the agent answers at ``now``: the machine is up, and so is the agent's connection."""
    return instance.state == "running" and not instance.rebooting and _connected(instance, now)


def ping_status(instance: Instance, now: datetime) -> PingStatus:
    """PingStatus as DescribeInstanceInformation shows it."""
    if is_online(instance, now):
        return "Online"
    return "Inactive" if instance.spec.agent.ping == "Inactive" else "ConnectionLost"


def last_ping(instance: Instance, now: datetime) -> datetime:
    """When the agent was last heard of."""
    offline_from = instance.spec.agent.offline_from
    if is_online(instance, now):
        return now - timedelta(seconds=now.second % 60, microseconds=now.microsecond)
    return offline_from if offline_from is not None and offline_from <= now else instance.launched_at


def _connected(instance: Instance, now: datetime) -> bool:
    agent = instance.spec.agent
    if agent.ping != "Online":
        return agent.online_from is not None and now >= agent.online_from
    if agent.offline_from is None:
        return agent.online_from is None or now >= agent.online_from
    return now < agent.offline_from or (agent.online_from is not None and now >= agent.online_from)
