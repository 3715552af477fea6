"""Bugs in what the runbook waits for and says, and in what its installs leave undone: liveness, and false successes."""

from __future__ import annotations

from typing import Any

from .bugs_templates import NOT_CRITICAL, runbook
from .seeding import PATCH, Bug, TemplateEdit

_DOCUMENT = ("PatchCommandDocument", "Properties", "Content", "mainSteps", "patch", "inputs", "documentParameters")


def _desired(step: str, old: str, new: str) -> TemplateEdit:
    return runbook(step, "inputs", "DesiredValues", old=[old], new=[new])


def _baseline(product: str, days: int) -> TemplateEdit:
    rule: tuple[str, ...] = ("Properties", "ApprovalRules", "PatchRules", "0", "ApproveAfterDays")
    delay: Any = {"Ref": "ApproveAfterDays"}
    return TemplateEdit(PATCH, (product, *rule), delay, days)


RUNBOOK_BUGS = (
    Bug(
        "verify-status-reads-state",
        "after an install the machine's state is read for its status checks: it is never `ok`",
        "F34",
        (
            runbook(
                "verifyStatus",
                "inputs",
                "PropertySelector",
                old="$.InstanceStatuses[0].InstanceStatus.Status",
                new="$.InstanceStatuses[0].InstanceState.Name",
            ),
        ),
        "none",
    ),
    Bug(
        "verify-status-for-hours",
        "the status checks are waited for ten hours, for a value that never comes",
        "F57",
        (_desired("verifyStatus", "ok", "passed"), runbook("verifyStatus", "timeoutSeconds", old=900, new=36_000)),
        "none",
        shapes=("daily", "lenient"),
    ),
    Bug(
        "verify-agent-misspelt",
        "the agent is to be `online`, and says `Online`",
        "F34",
        (_desired("verifyAgent", "Online", "online"),),
        "none",
    ),
    Bug(
        "verify-no-failed-patches-misread",
        "no failed patches is to be `none`, and is 0",
        "F34",
        (_desired("verifyPatchState", "0", "none"),),
        "none",
    ),
    Bug(
        "denied-sleeps",
        "a runbook that is denied goes on for three hours, and keeps its place",
        "F57",
        (runbook("denied", "inputs", "Duration", old="PT1S", new="PT3H"),),
        "F02,F38",
        shapes=("lenient",),
    ),
    Bug(
        "baseline-approves-next-year",
        "updates are approved a year after their release: installs find none",
        "F36",
        (_baseline("AmazonLinux2023PatchBaseline", 360),),
        "none",
    ),
    Bug(
        "install-no-reboot",
        "the runbook asks for no reboot in lanes that reboot: updates wait for one",
        "F42",
        (
            runbook(
                "install",
                "inputs",
                "Parameters",
                "RebootOption",
                old=[{"Ref": "InstallRebootOption"}],
                new=["NoReboot"],
            ),
        ),
        "none",
    ),
    Bug(
        "document-no-reboot",
        "the command document hands on no reboot, whatever it was asked for",
        "F42",
        (TemplateEdit(PATCH, (*_DOCUMENT, "RebootOption"), "{{RebootOption}}", "NoReboot"),),
        "none",
    ),
    Bug(
        "proof-fails-into-verification",
        "a proof that fails goes on to the verification: a success without an install",
        "F29",
        (runbook("prove", "onFailure", old="Abort", new="step:verifyStatus"), NOT_CRITICAL),
        "F29,F30,F47,crash",
        shapes=("lenient",),
    ),
)
