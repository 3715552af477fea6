"""Bugs of paging: each list that the gate's programs read, read to the end of its first page only."""

from __future__ import annotations

from .seeding import Bug, SourceEdit


def _edit(module: str, old: str, new: str) -> SourceEdit:
    return SourceEdit(module, old, new)


_LEASES = 'read_leases([p for page in pages for p in page["Parameters"]]'
_FIRST_LEASES = 'read_leases(next(iter(pages))["Parameters"]'

PAGE_BUGS = (
    Bug(
        "open-windows-first-page",
        "the gate reads only the first page of the windows of its name",
        "F21, F22",
        (
            _edit(
                "open_window",
                'for page in pages for w in page["WindowIdentities"]',
                'for w in next(iter(pages))["WindowIdentities"]',
            ),
        ),
        "F21,F22",
        unseen="the window must also have the id that the stack wrote, and no other window is opened",
    ),
    Bug(
        "open-leases-first-page",
        "the gate reads only the first page of the lane's parameters",
        "F21, F28",
        (_edit("open_window", _LEASES, _FIRST_LEASES),),
        "F21,F28",
    ),
    Bug(
        "open-instances-first-page",
        "the gate reads only the first page of the lane's machines",
        "F21",
        (
            _edit(
                "open_window",
                "            for page in pages\n            for r in page",
                "            for page in [next(iter(pages))]\n            for r in page",
            ),
        ),
        "F21",
    ),
    Bug(
        "open-jobs-first-page",
        "the gate reads only the first page of the vault's jobs",
        "F21",
        (
            _edit(
                "open_window",
                "for page in pages:\n            for job in",
                "for page in [next(iter(pages))]:\n            for job in",
            ),
        ),
        "F21",
    ),
    Bug(
        "open-agents-first-page",
        "the gate reads only the first page of the lane's agents",
        "F21",
        (
            _edit(
                "open_window",
                'for page in pages for i in page["InstanceInformationList"]',
                'for i in next(iter(pages))["InstanceInformationList"]',
            ),
        ),
        "F21",
    ),
    Bug(
        "prove-jobs-first-page",
        "the proof reads only the first page of a resource's jobs",
        "F21, F58",
        (_edit("prove", '(job for page in pages for job in page["BackupJobs"])', 'next(iter(pages))["BackupJobs"]'),),
        "F21,F58",
    ),
    Bug(
        "prove-points-first-page",
        "the proof reads only the first page of a resource's recovery points",
        "F21, F05",
        (
            _edit(
                "prove",
                'for page in pages for p in page["RecoveryPoints"]',
                'for p in next(iter(pages))["RecoveryPoints"]',
            ),
        ),
        "F21,F05",
    ),
    Bug(
        "close-evidence-first-page",
        "the close reads only the first page of a cycle's proofs",
        "F21, F57",
        (
            _edit(
                "close_window",
                'for page in pages for entry in page["Contents"]',
                'for entry in next(iter(pages))["Contents"]',
            ),
        ),
        "F21",
    ),
)
