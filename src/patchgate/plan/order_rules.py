"""The rules of the order: what must hold of every cycle of a lane, and what to do where it does not.

``docs/reference/check.md`` explains each; a test holds the page to this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

BACKUP_GAP_SECONDS = 2 * 3600
"""The source document: backup and patching schedules are at least two hours apart."""

LEAST_LEAD_SECONDS = 15 * 60
"""How long the open function may take: its time limit."""

LOOK_BACK_SLACK_SECONDS = 30 * 60
"""What the look-back reaches beyond the backup's start: its edge never lies on the schedule's own minute (F10)."""

CLOSE_DELAY_SECONDS = 60
"""EventBridge Scheduler fires within the minute: a close in the minute of the window's end may come before it."""

LATEST_CLOSE_SECONDS = 12 * 3600
"""How long after its end the close still counts a window's cycle as its own, and names whom the window did not reach.
The close function's own bound: a test holds the two equal."""

LONGEST_OPEN_SECONDS = 24 * 3600
"""How long after its end a close can be that window's at all: then the daily watchdog has come."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its code, what is wrong where it is broken, what mends that, and the fault of the catalogue.

    ``mend`` may hold ``{shortfall}``, the worst distance from what is needed.
    ``counted`` is what the rule is held against. ``idle`` rules are about what belongs to no window.
    """

    code: str
    broken: str
    mend: str
    fault: str
    idle: bool = False
    counted: str = "window"


_ALL = (
    Rule(
        "rate-schedule",
        "a rate counts from the moment of its creation, which no proof can know",
        "use a cron expression",
        "F25",
    ),
    Rule("window-never", "the window does not start", "correct MaintenanceWindowCronSchedule", "F25"),
    Rule(
        "no-install-time",
        "the cutoff leaves no time for an install",
        "MaintenanceWindowCutoff must be less than MaintenanceWindowDuration",
        "F56",
    ),
    Rule(
        "windows-overlap",
        "the next window starts while one is still running",
        "start it {shortfall} later, or shorten MaintenanceWindowDuration",
        "F19",
    ),
    Rule(
        "windows-too-close",
        "a close cannot tell the verdict on its window from the one on the window before",
        "start windows {shortfall} further apart, or lower MaximumLeadMinutes",
        "F27",
    ),
    Rule(
        "gate-missing",
        "no gate runs before the window",
        "let CheckBackUpJobAndEnableMaintenanceWindow run on the window's days, up to MaximumLeadMinutes before it",
        "F25",
    ),
    Rule(
        "gate-repeated",
        "more than one gate runs for the window",
        "one gate a window, within MaximumLeadMinutes",
        "F28",
    ),
    Rule(
        "gate-too-close",
        "the gate runs too close to the window's start to be done by then",
        "run the gate {shortfall} earlier: the open function may take 15 min",
        "F27",
    ),
    Rule(
        "backup-missing",
        "no backup runs before the gate",
        "let BackupSchedule run on the window's days, before the gate",
        "F06",
    ),
    Rule(
        "backup-repeated",
        "more than one backup runs for the window",
        "one backup a window, or a smaller LookBackHours",
        "F05",
    ),
    Rule(
        "backup-in-window",
        "the backup is taken before the window before it has ended and its close has run",
        "start backups {shortfall} later, after DisableMaintenanceWindow",
        "F13",
    ),
    Rule(
        "backup-unfinished",
        "the backup may still run when the gate decides",
        "start backups {shortfall} earlier, or shorten BackupStartWindowMinutes and BackupCompletionWindowMinutes",
        "F01",
    ),
    Rule(
        "backup-too-close",
        "backup and window are less than two hours apart",
        "start backups {shortfall} earlier",
        "F25",
    ),
    Rule(
        "backup-before-look-back",
        "the backup is older than what the gate looks at",
        "raise LookBackHours, or start backups {shortfall} later",
        "F09",
    ),
    Rule(
        "look-back-too-tight",
        "the look-back's edge is too near to the backup's start",
        "raise LookBackHours, or start backups {shortfall} later",
        "F10",
    ),
    Rule(
        "proof-too-old",
        "the backup is older than MaximumProofAgeMinutes when the last install may start",
        "raise MaximumProofAgeMinutes by {shortfall}, or start backups later",
        "F13",
    ),
    Rule(
        "close-missing",
        "no close runs after the window's end and before the next gate",
        "let DisableMaintenanceWindow run after every window, at a local time that no clock change skips",
        "F31",
    ),
    Rule(
        "close-too-early",
        "a close runs before the window has ended",
        "run the close {shortfall} later",
        "F26",
    ),
    Rule("close-repeated", "more than one close runs for the window", "one close a window", "F28"),
    Rule(
        "close-too-late",
        "the close runs more than 12 hours after the window's end: it then names nobody whom the window did not reach",
        "run the close {shortfall} earlier",
        "F57",
    ),
    Rule(
        "gate-idle",
        "a gate runs and no window follows",
        "run the gate on the window's days only; or accept it with --allow-idle: such a gate only holds",
        "F25",
        idle=True,
        counted="gate",
    ),
    Rule(
        "backup-idle",
        "a backup runs that belongs to no window",
        "run backups on the window's days only; or accept and pay for it with --allow-idle",
        "F25",
        idle=True,
        counted="backup",
    ),
    Rule(
        "close-idle",
        "a close runs that belongs to no window",
        "run the close on the window's days only; or accept it with --allow-idle: such a close changes nothing",
        "F25",
        idle=True,
        counted="close",
    ),
    Rule(
        "targets-shared",
        "two lanes of one account and Region have the same tags",
        "a lane belongs to one target of the fleet file",
        "F19",
        counted="lane",
    ),
    Rule(
        "too-many-windows",
        "more windows run at once than AWS allows in one account and Region",
        "stagger them: see the lanes' hours",
        "F57",
        counted="lane",
    ),
    Rule(
        "capacity-exceeded",
        "more instances than the window can patch",
        "raise InstallMaxConcurrency or MaintenanceWindowDuration, or split the lane",
        "F57",
        counted="instance",
    ),
)

RULES = MappingProxyType({rule.code: rule for rule in _ALL})
"""code -> rule, in the order in which they are reported."""


def describe_seconds(seconds: int) -> str:
    """A length of time as people say it: ``4 h 30 min``, ``12 days 3 h``, ``0 min``."""
    days, rest = divmod(abs(seconds), 86_400)
    hours, minutes = rest // 3600, rest % 3600 // 60
    if days > 9:
        return f"{days} days"
    parts = [f"{days} day{'' if days == 1 else 's'}"] * bool(days)
    parts += [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes)
    return " ".join(parts) or "0 min"
