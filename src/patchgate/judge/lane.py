"""What the judge must be told of a lane, and what follows from its tags."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Place = tuple[str, str]
"""(account, Region)"""


@dataclass(frozen=True, slots=True)
class LaneFacts:
    """One lane, as the judge must know it: where it is, how it is set up, and how fresh its proofs must be.

    What is left out is not judged: each field says so. ``window_id`` may be "" where only the name is known (the
    parameter ``window-id`` of a patch stack is believed first). ``vault`` "" accepts every vault. ``occurrences`` are
    the (start, end) of every window that fell due in the run; when there are none the judge takes them from the leases
    and from the windows' executions, and cannot see a cycle that left no trace. ``end`` is the present instant at the
    end of the run; None is the instant of the last record.

    ``open_function`` and ``close_function`` are the names of the gate's functions; without the latter a window must
    be closed at the end of the run, by whomever. ``verdict_role`` and ``proof_role`` are the names of the only
    roles that may write verdicts and proofs; "": whoever wrote them is not judged. ``gate_mode`` ("coverage",
    "threshold") with ``minimum_coverage_percent`` and ``backup_job_threshold`` is what an open or held verdict is
    judged by; ``look_back`` and ``maximum_lead`` count from the gate's schedule. ``duration`` and ``cutoff`` are
    how long a window is to last, and how long before its end to admit no more; None: the deployed window is
    believed. ``calendars`` are the names or ARNs of the change calendars that freeze the lane; one of which a
    history says nothing may be closed. ``error_budget`` is how many failed installs, a number or a percentage, a
    window is to go on after; "": none.

    ``tags`` are what makes an instance one of the lane's, where that is not patchgate's two tags. Without
    ``has_gate`` the templates are somebody else's, and promises that speak of leases, verdicts and evidence are not
    judged; a window must then be closed before its next gate is due, ``maximum_lead`` before its start (where no
    gate is known: before its next start), and within a day.

    ``reboots`` is whether the lane's installs reboot a machine whose updates need it; False: nothing is said of updates
    that wait for a reboot. ``updates_due`` are the instants from which further updates are approved for each of the
    lane's machines, the first ones included; none: an install that finds nothing to install is as good as any.

    ``calm_from`` is the instant from which nothing is made to go wrong; None: liveness, and closes that never came,
    are not judged. A lane that is not ``lively`` has schedules by which not every machine can be patched.
    """

    account: str
    region: str
    operating_system: str
    environment: str
    vault: str
    window_name: str
    patch_group: str
    window_id: str = ""
    backup_resources: str = "instances"
    maximum_proof_age: timedelta = timedelta(minutes=720)
    proof_read_within: timedelta = timedelta(seconds=120)
    waived_message_categories: tuple[str, ...] = ()
    occurrences: tuple[tuple[datetime, datetime], ...] = ()
    end: datetime | None = None
    open_function: str = ""
    close_function: str = ""
    verdict_role: str = ""
    proof_role: str = ""
    gate_mode: str = ""
    minimum_coverage_percent: int | None = None
    backup_job_threshold: int | None = None
    look_back: timedelta | None = None
    maximum_lead: timedelta | None = None
    duration: timedelta | None = None
    cutoff: timedelta | None = None
    calendars: tuple[str, ...] = ()
    error_budget: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    has_gate: bool = True
    reboots: bool = False
    updates_due: tuple[datetime, ...] = ()
    calm_from: datetime | None = None
    lively: bool = True

    @property
    def place(self) -> Place:
        return self.account, self.region

    @property
    def suffix(self) -> str:
        """How the names of the lane's functions, topics and documents end."""
        return f"-{self.operating_system}-{self.environment}"

    @property
    def parameter_path(self) -> str:
        """Where the lane keeps its leases and its freeze."""
        return f"/patchgate/{self.operating_system}/{self.environment}/"

    def groups(self, tags: Mapping[str, str]) -> bool:
        """Whether tags put an instance into the lane's patch group."""
        if self.tags:
            return self.includes(tags)
        return tags.get("PatchGroup") == self.patch_group

    def includes(self, tags: Mapping[str, str]) -> bool:
        """Whether tags make an instance one that the lane backs up and patches."""
        if self.tags:
            return all(tags.get(key) == value for key, value in self.tags.items())
        return tags.get("PatchGroup") == self.patch_group and tags.get("ToBackupAndPatch") == "true"

    def accepts(self, category: str) -> bool:
        """Whether a completed backup with that message category counts; one without any is waived as ``NONE``."""
        return category == "SUCCESS" or (category or "NONE") in self.waived_message_categories
