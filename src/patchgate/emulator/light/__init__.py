"""A light neighbour: the services that the cloud does not own, in memory and in this process.

It has what templates of log buckets, roles, topics, queues, log groups and alarms use, and refuses everything else by
name. moto, behind the wire door, has more of these services and is slower.

s3        buckets, their settings and policies, objects
iam       roles, managed and inline policies
sns       topics, subscriptions, messages
sqs       queues, messages
logs      log groups, streams, events
alarms    alarms of CloudWatch
"""

from __future__ import annotations

from patchgate.emulator.light.neighbour import LightNeighbour

__all__ = ["LightNeighbour"]
