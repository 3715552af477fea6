"""Every reason for which an instance was not patched: what it means, which fault it answers, and what to do
next.

The gate's own reasons come from its rules, the one source of their codes; here each gets its remedy. The
others are what an operator sees after the gate admitted an instance, or where no gate spoke at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from patchgate.gate.rules import REASONS as _GATE_REASONS

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Reason:
    """A code for machines, the F-number of the fault ("" for none), a clause about "it", and an imperative."""

    code: str
    fault: str
    meaning: str
    remedy: str


_GATE_REMEDIES = {
    "agent-offline": "bring the SSM agent back (instance profile, network, service), then wait for a cycle",
    "backup-aborted": "start an on-demand backup, or find who aborts it",
    "backup-expired": "widen BackupStartWindowMinutes, or start backups earlier",
    "backup-failed": "repair the cause that the job names, then start an on-demand backup",
    "backup-never-finishes": "widen BackupCompletionWindowMinutes: a first large snapshot may take hours",
    "backup-partial": "back the instance up as one resource, not as a part of a composite",
    "backup-running": "start backups earlier, or widen the distance between backup and gate",
    "backup-with-issues": "repair VSS and back up again, or waive the category in WaivedMessageCategories",
    "coverage-too-low": "see the instances' own reasons; repair the backups, the next cycle opens",
    "frozen": "lift the freeze when its reason is gone",
    "instance-not-running": "start it before the next cycle, or take it out of the lane",
    "instance-store-root": "move its root to EBS, or take it out of the lane",
    "jobs-not-completed": "repair the failed jobs, or use GateMode coverage",
    "lease-closed": "wait for the next cycle; see who closed this one",
    "lease-expired": "widen the window, or raise InstallMaxConcurrency",
    "no-backup-job": "tag it before the backup runs, and check the selection and the Region's EC2 opt-in",
    "no-evidence": "turn on the Region's EC2 opt-in in AWS Backup, and check plan and selection",
    "no-lease": "see why no gate opened this cycle",
    "no-targets": "check the tags PatchGroup and ToBackupAndPatch",
    "not-in-lane": "check the tags PatchGroup and ToBackupAndPatch",
    "proof-too-old": "bring backup and window closer together, or raise MaximumProofAgeMinutes",
    "recovery-point-gone": "see who deleted it; raise RetentionDays when it expired",
    "recovery-point-incomplete": "wait for the recovery point, then for the next cycle",
    "threshold-not-met": "repair the backups, or lower BackupJobThreshold",
    "volume-not-covered": "back it up again: the next cycle's recovery point holds the volume",
    "window-not-due": "line gate and window up: patchgate check shows how",
    "window-not-started": "see who started the runbook before its window",
}

_AGENT_BACK = _GATE_REMEDIES["agent-offline"]
_READ_OUTPUT = "read its output in the log bucket and retry"

_AFTER_THE_GATE: dict[str, tuple[str, str, str]] = {
    "command-undelivered": ("F38", "its SSM agent did not take the command in time", _AGENT_BACK),
    "cutoff-reached": (
        "F57",
        "the cutoff came before its turn",
        "widen the window, or raise InstallMaxConcurrency",
    ),
    "disk-full": ("F42", "its disk is full", "free space or grow the volume, then wait for a cycle"),
    "gate-failed": ("F29", "the gate failed before its verdict", "read the open function's log"),
    "gate-silent": ("F27", "no gate judged this cycle", "see the schedule of the open function"),
    "install-failed": ("F41", "an update did not install", _READ_OUTPUT),
    "not-reached": (
        "F57",
        "the window never came to it",
        "compare the window's capacity with the number of its targets",
    ),
    "patches-missing": ("F41", "it still reports failed updates", _READ_OUTPUT),
    "pending-reboot": (
        "F37",
        "updates are installed and wait for a reboot",
        "reboot it, or set InstallRebootOption to RebootIfNeeded",
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

REASONS: Mapping[str, Reason] = MappingProxyType(
    {code: Reason(code, fault, meaning, _GATE_REMEDIES[code]) for code, (fault, meaning) in _GATE_REASONS.items()}
    | {code: Reason(code, fault, meaning, remedy) for code, (fault, meaning, remedy) in _AFTER_THE_GATE.items()}
)
"""Reasons by code. Importing this module fails with KeyError when a reason of the gate has no remedy."""


def reason_of(code: str) -> Reason:
    """The reason that a code names; a code of another version of the gate gets a reason that says so."""
    known = REASONS.get(code)
    return known or Reason(code, "", "a reason that this version does not know", "upgrade patchgate")
