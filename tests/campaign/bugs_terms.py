"""Bugs in how long a window lasts, until when it admits, and how far ahead its gate looks, wired into the templates."""

from __future__ import annotations

from typing import Any

from .seeding import MONITORING, PATCH, Bug, TemplateEdit

_LANES = ("daily", "lenient")


def _window(key: str, parameter: str, new: Any) -> TemplateEdit:
    return TemplateEdit(PATCH, ("SsmMaintenanceWindow", "Properties", key), {"Ref": parameter}, new)


TERM_BUGS = (
    Bug(
        "window-without-cutoff",
        "the window admits until its very end",
        "F56",
        (_window("Cutoff", "MaintenanceWindowCutoff", 0),),
        shapes=_LANES,
    ),
    Bug(
        "window-cut-off-early",
        "the window admits an hour less than it is to",
        "promise 3",
        (_window("Cutoff", "MaintenanceWindowCutoff", 2),),
        shapes=_LANES,
    ),
    Bug(
        "window-for-a-day",
        "the window lasts for a day",
        "F56",
        (_window("Duration", "MaintenanceWindowDuration", 24),),
        shapes=_LANES,
    ),
    Bug(
        "open-lead-of-a-day",
        "the gate looks a day ahead, and opens the window after the one that it is for",
        "F25, F27",
        (
            TemplateEdit(
                MONITORING,
                ("EnableMaintenanceLambda", "Properties", "Environment", "Variables", "MAXIMUM_LEAD_MINUTES"),
                {"Ref": "MaximumLeadMinutes"},
                1440,
            ),
        ),
        shapes=("unmet",),
    ),
)
