"""Every reason for which an instance was not patched: what it means, which fault it answers, and what to do next.

The gate's own codes and faults come from its rules, their one source; here each gets its meaning and its remedy. The
others are what an operator sees after the gate admitted an instance, or where no gate spoke at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from patchgate.gate.rules import REASONS as _FAULTS_OF_THE_GATE


@dataclass(frozen=True, slots=True)
class Reason:
    """A code for machines, the F-number of its fault ("" for none), a clause about "it", and an imperative."""

    code: str
    fault: str
    meaning: str
    remedy: str


_AGENT_BACK = "check instance profile, network and agent"
_TAGS = "check the tags PatchGroup and ToBackupAndPatch"
_OUTPUT = "read its output in the log bucket; the next cycle retries"

_GATE: dict[str, tuple[str, str]] = {
    "agent-offline": ("its SSM agent does not answer", _AGENT_BACK),
    "agent-too-old": (
        "its SSM agent cannot refuse a late install",
        "update its agent to 3.0.502 or newer; machines must be Linux or Windows",
    ),
    "backup-aborted": ("its backup was aborted", "find who aborts it, and start an on-demand backup"),
    "backup-expired": ("its backup never started", "widen BackupStartWindowMinutes, or start backups earlier"),
    "backup-failed": ("its backup failed", "repair the cause and back it up again"),
    "backup-never-finishes": (
        "its backups are aborted time after time",
        "widen BackupCompletionWindowMinutes: a first large snapshot may take hours",
    ),
    "backup-partial": ("its backup is only partial", "back it up as one resource, not within a composite"),
    "backup-running": ("its backup is not finished", "start backups earlier"),
    "backup-with-issues": (
        "its backup completed with issues",
        "repair them, or waive the category",
    ),
    "coverage-too-low": ("too few instances of the lane have a proof", "repair the backups; the next cycle opens"),
    "frozen": ("a freeze is in force", "lift the freeze when its reason is gone"),
    "instance-not-running": ("it was not running", "start it before the next cycle"),
    "instance-store-root": (
        "its root is an instance store, which no backup covers",
        "move its root to EBS, or take it out of the lane",
    ),
    "jobs-not-completed": (
        "not every backup job of the lane is completed",
        "repair the failed jobs, or use GateMode coverage",
    ),
    "lease-closed": ("the cycle was closed before its turn", "wait for the next cycle, and see who closed this one"),
    "lease-expired": (
        "the time for starting installs is over",
        "widen the window, or raise InstallMaxConcurrency",
    ),
    "no-backup-job": (
        "it has no backup job in the lane's vault",
        "tag it before backups run; check the selection and the EC2 opt-in",
    ),
    "no-evidence": (
        "the lane has no backup job",
        "check AWS Backup's EC2 opt-in, plan and selection",
    ),
    "no-lease": ("no gate opened this cycle", "read the open function's log"),
    "no-targets": ("no running instance carries the lane's tags", _TAGS),
    "not-in-lane": ("it does not carry the lane's tags", _TAGS),
    "proof-too-old": (
        "its recovery point is too old",
        "bring backup and window closer, or raise MaximumProofAgeMinutes",
    ),
    "recovery-point-gone": ("its recovery point is gone", "see who deleted it; raise RetentionDays if it expired"),
    "recovery-point-incomplete": ("its recovery point is not complete", "wait for it; the next cycle retries"),
    "threshold-not-met": (
        "too few backup jobs of the lane are completed",
        "repair the backups, or lower BackupJobThreshold",
    ),
    "volume-not-covered": (
        "its recovery point lacks an attached volume",
        "back it up again",
    ),
    "window-not-due": (
        "the window does not start within the gate's lead",
        "line gate and window up: patchgate check shows how",
    ),
    "window-not-started": ("its window had not started", "see who started the runbook before the window"),
}

_AFTER_THE_GATE: dict[str, tuple[str, str, str]] = {
    "command-undelivered": ("F38", "its SSM agent took no command", _AGENT_BACK),
    "cutoff-reached": (
        "F57",
        "the cutoff came before its turn",
        "widen the window, or raise InstallMaxConcurrency",
    ),
    "disk-full": ("F42", "its disk is full", "free space or grow the volume"),
    "down-while-patching": (
        "F39",
        "it went down while it was being patched",
        "see who took it down, and check what the install left",
    ),
    "gate-failed": ("F29", "the gate failed before its verdict", "read the open function's log"),
    "gate-silent": ("F27", "no gate judged this cycle", "check the schedule of the open function"),
    "install-failed": ("F41", "an update did not install", _OUTPUT),
    "not-reached": (
        "F57",
        "the window never came to it",
        "repair what failed before it (error budget), or widen the window",
    ),
    "patches-missing": ("F41", "it still reports failed updates", _OUTPUT),
    "pending-reboot": (
        "F37",
        "its updates wait for a reboot",
        "reboot it, or use RebootIfNeeded",
    ),
    "proof-unreadable": ("F29", "its proof could not be read", "see the failed step of its runbook"),
    "refused-late": (
        "F55",
        "the node refused: its proof had run out",
        "see what delayed the command; check the node's clock",
    ),
    "timed-out": ("F33", "the install did not end in time", "widen the window; inspect the instance"),
    "unhealthy-after-install": (
        "F40",
        "it was patched and did not come back healthy",
        "inspect it; restore it from its recovery point if need be",
    ),
}


def _every_reason() -> dict[str, Reason]:
    reasons = {}
    for code, fault in _FAULTS_OF_THE_GATE.items():
        meaning, remedy = _GATE[code]
        reasons[code] = Reason(code, fault, meaning, remedy)
    for code, (fault, meaning, remedy) in _AFTER_THE_GATE.items():
        reasons[code] = Reason(code, fault, meaning, remedy)
    return reasons


REASONS: Mapping[str, Reason] = MappingProxyType(_every_reason())
"""Reasons by code. Importing this module fails with KeyError when a reason of the gate has no remedy."""


def reason_of(code: str) -> Reason:
    """The reason that a code names; a code of another version of the gate gets a reason that says so."""
    known = REASONS.get(code)
    return known or Reason(code, "", "a reason that this version does not know", "upgrade patchgate")
