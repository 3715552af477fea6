"""The catalogue of faults: for each F-number that a simulation can produce, what a run's seed makes of it.

A fault is drawn for one cycle of one lane, as one or more injections. Numbers that no simulated run can produce are in
``ELSEWHERE``, with what covers them.
"""

from patchgate.rehearsal.campaign.faults import agents, backups, calls, machines, operators
from patchgate.rehearsal.campaign.faults.catalogue import CATALOGUE, Draw, Fault, fault

ELSEWHERE = {
    "F11": "a DST shift inside of the look-back: the standard lanes `autumn`, `spring` and those of their backups",
    "F12": "schedules in a DST gap or overlap: the standard lanes `autumn` and `spring` for windows, `autumn-backup` "
    "and `spring-backup` for backups, and `patchgate check`",
    "F25": "schedules that do not meet: the standard lane `unmet`, and `patchgate check`",
    "F37": "reboots that are left out: the standard lane `counting`",
    "F48": "Regions, partitions and names: every name in every Region is checked when templates are built",
    "F49": "the operator's credentials: nothing of a run rests on them",
    "F54": "there is no override",
}
"""Numbers that no run of a campaign injects, and what covers them."""

FAULTS: dict[str, Fault] = dict(sorted(CATALOGUE.items()))
"""Every fault that a campaign can inject, by its number."""

__all__ = [
    "ELSEWHERE",
    "FAULTS",
    "Draw",
    "Fault",
    "agents",
    "backups",
    "calls",
    "fault",
    "machines",
    "operators",
]
