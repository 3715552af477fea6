"Bugs in what the templates build around the gate: runbook, command document, window, schedules, functions."

from __future__ import annotations

from typing import Any

from .bugs_open import BY_NAME, HOLD_LEAVES_WINDOW, UNFROZEN
from .bugs_prove import FREEZE_IGNORED, IGNORE_ADMIT_UNTIL, IGNORE_VOLUMES, LEASE_IGNORED, PROOF_OUTLIVES_LEASE
from .seeding import ABSENT, LOGS, MONITORING, PATCH, Bug, SourceEdit, TemplateEdit

_OWN_EVIDENCE = {
    "Fn::Sub": "${PatchingLogsBucket.Arn}/evidence/${TargetOperatingSystem}/${Environment}/${!aws:PrincipalAccount}/*"
}
_STEPS = ("InstallRunbook", "Properties", "Content", "mainSteps")
_PLUGINS = ("PatchCommandDocument", "Properties", "Content", "mainSteps")
_INSTALL_TASK = ("SsmMaintenanceWindowTaskInstall", "Properties")
_SCAN_TASK = ("SsmMaintenanceWindowTaskScan", "Properties")
_SCHEDULES = {
    "open": "EnableMaintenanceSchedule",
    "close": "DisableMaintenanceSchedule",
    "watchdog": "WatchdogMaintenanceSchedule",
}


def runbook(*path: str, old: Any, new: Any) -> TemplateEdit:
    return TemplateEdit(PATCH, (*_STEPS, *path), old, new)


def _bucket_policy(*path: str, old: Any, new: Any) -> TemplateEdit:
    statements = ("PatchingLogsBucketPolicy", "Properties", "PolicyDocument", "Statement")
    return TemplateEdit(LOGS, (*statements, *path), old, new)


def _plugin(*path: str, old: Any, new: Any) -> TemplateEdit:
    return TemplateEdit(PATCH, (*_PLUGINS, *path), old, new)


def _task(*path: str, old: Any, new: Any) -> TemplateEdit:
    return TemplateEdit(PATCH, (*_INSTALL_TASK, *path), old, new)


def schedule(name: str, *path: str, old: Any, new: Any) -> TemplateEdit:
    return TemplateEdit(MONITORING, (_SCHEDULES[name], "Properties", *path), old, new)


def _payload(name: str, old: Any, new: Any) -> TemplateEdit:
    return runbook("prove", "inputs", "InputPayload", name, old=old, new=new)


def _input(mode: str) -> str:
    return (
        f'{{"mode":"{mode}","scheduled_time":"<aws.scheduler.scheduled-time>",'
        '"attempt":"<aws.scheduler.attempt-number>"}'
    )


DENIED_INSTALLS = runbook("decide", "inputs", "Default", old="denied", new="install")
PROVE_CONTINUES = runbook("prove", "onFailure", old="Abort", new="Continue")
NOT_CRITICAL = runbook("prove", "isCritical", old=True, new=False)
LONG_DELIVERY = runbook("install", "inputs", "TimeoutSeconds", old=60, new=3600)
NO_REFUSAL = (
    _plugin("refuseLate", "inputs", "runCommand", "0", old="now=$(date -u +%s)", new="exit 0"),
    _plugin("refuseLateWindows", "inputs", "runCommand", "0", old="$ErrorActionPreference = 'Stop'", new="exit 0"),
)
NO_EXIT = (
    _plugin("refuseLate", "inputs", "onFailure", old="exit", new=ABSENT),
    _plugin("refuseLateWindows", "inputs", "onFailure", old="exit", new=ABSENT),
)
NO_CUTOFF = _task("CutoffBehavior", old="CANCEL_TASK", new="CONTINUE_TASK")
TAGS_IGNORED = SourceEdit("rules", "if wrong:", "if not tags:", "prove")
ANY_INSTANCE = TemplateEdit(
    PATCH,
    ("ProveRole", "Properties", "Policies", "0", "PolicyDocument", "Statement", "InstallOnLaneInstances", "Condition"),
    {
        "StringEquals": {
            "ssm:resourceTag/PatchGroup": {"Fn::Sub": "${TargetOperatingSystem}-patch-group-${Environment}"},
            "ssm:resourceTag/ToBackupAndPatch": "true",
        }
    },
    ABSENT,
)
ANY_WINDOW = TemplateEdit(
    MONITORING,
    ("GatePolicy", "Properties", "PolicyDocument", "Statement", "SwitchWindow", "Condition"),
    {
        "StringEquals": {
            "aws:ResourceTag/PatchGroup": {"Fn::Sub": "${TargetOperatingSystem}-patch-group-${Environment}"},
        }
    },
    ABSENT,
)
RESOURCE_IGNORED = SourceEdit(
    "prove", "paginate(ByResourceArn=arn, ByBackupVaultName=vault)", "paginate(ByBackupVaultName=vault)"
)
_OPEN_ARN, _CLOSE_ARN = ({"Fn::GetAtt": [f"{name}MaintenanceLambda", "Arn"]} for name in ("Enable", "Disable"))
ZONE = {
    "Fn::If": [
        "HasTimeZone",
        {"Ref": "TimeZone"},
        {"Fn::FindInMap": ["RegionTimeZones", {"Ref": "AWS::Region"}, "Zone"]},
    ]
}

NO_STATUS = runbook("install", "nextStep", old=ABSENT, new="verifyAgent")
NO_AGENT = runbook("verifyStatus", "nextStep", old=ABSENT, new="verifyPatchState")
NO_PATCH_STATE = runbook("verifyAgent", "isEnd", old=ABSENT, new=True)
INSTALL_CONTINUES = (
    runbook("install", "onFailure", old="Abort", new="Continue"),
    runbook("install", "isCritical", old=True, new=False),
)
CLOSE_OFF, WATCHDOG_OFF = (schedule(name, "State", old="ENABLED", new="DISABLED") for name in ("close", "watchdog"))
TARGETS_BY_GROUP = TemplateEdit(
    PATCH,
    ("SsmMaintenanceWindowTarget", "Properties", "Targets", "1"),
    {"Key": "tag:ToBackupAndPatch", "Values": ["true"]},
    ABSENT,
)

TEMPLATE_BUGS = (
    Bug(
        "evidence-of-all",
        "the log bucket takes evidence from everybody in the organization",
        "F59",
        (_bucket_policy("DenyEvidenceButByGate", "Effect", old="Deny", new="Allow"),),
        "F59",
    ),
    Bug(
        "evidence-of-namesakes",
        "the log bucket takes a lane's evidence from gates of any account",
        "F59",
        (
            _bucket_policy(
                "AllowGateToWriteEvidence",
                "Resource",
                old=_OWN_EVIDENCE,
                new={"Fn::Sub": "${PatchingLogsBucket.Arn}/evidence/*"},
            ),
        ),
        "F59",
    ),
    Bug("nothing-closes", "neither the close nor the watchdog is scheduled", "F31", (CLOSE_OFF, WATCHDOG_OFF)),
    Bug(
        "targets-tags-and-permission",
        "machines that are not to be patched are targets, may be installed, and their tags are not checked again",
        "F18",
        (TARGETS_BY_GROUP, ANY_INSTANCE, TAGS_IGNORED),
        "F18",
    ),
    Bug(
        "any-window-by-name",
        "one of the windows of the name is opened, whichever comes last, and the gate's role may switch any",
        "F22",
        (BY_NAME, ANY_WINDOW),
        "F22",
    ),
    Bug("freezes-unread", "neither gate nor proof reads the freezes", "F53", (UNFROZEN, FREEZE_IGNORED), "F53"),
    Bug(
        "hold-leaves-window-without-lease",
        "a hold leaves the window as it is, and the proof does not ask for the lease",
        "F23",
        (HOLD_LEAVES_WINDOW, LEASE_IGNORED),
        "F23,F53",
    ),
    Bug(
        "runbook-denied-installs",
        "whatever is not denied by name is installed",
        "promise 1",
        (DENIED_INSTALLS,),
        "F02,F14",
    ),
    Bug(
        "denials-install",
        "whatever is not denied by name is installed, and the node does not refuse",
        "promise 1",
        (DENIED_INSTALLS, *NO_REFUSAL),
        "F02,F14",
    ),
    Bug(
        "runbook-decides-wrong",
        "the branch reads a denial as admitted",
        "promise 1",
        (runbook("decide", "inputs", "Choices", "0", "StringEquals", old="admit", new="deny"),),
        "F02",
    ),
    Bug(
        "runbook-goes-on",
        "a proof that fails does not end the runbook",
        "F29",
        (PROVE_CONTINUES, NOT_CRITICAL),
        "F29,F30,crash",
        masked_by="the branch, which fails without a decision",
        with_it="runbook-goes-on-and-installs",
    ),
    Bug(
        "runbook-goes-on-and-installs",
        "a proof that fails ends in an install",
        "F29",
        (
            runbook("prove", "onFailure", old="Abort", new="step:install"),
            runbook("install", "inputs", "Parameters", "NotAfter", old=["{{prove.NotAfter}}"], new=["9999999999"]),
        ),
        "F29,F30,crash",
    ),
    Bug(
        "delivery-long",
        "a command may wait an hour for its agent",
        "F55",
        (LONG_DELIVERY,),
        "F55,F56",
        masked_by="the node, which refuses what comes late",
        with_it="late-installs",
    ),
    Bug("refusal-missing", "the node does not refuse a late install", "F55", NO_REFUSAL, "F30,F55,F56"),
    Bug("refusal-does-not-exit", "the node refuses, and installs all the same", "F55", NO_EXIT, "F30,F55,F56"),
    Bug(
        "refusal-inverted",
        "the node refuses what is in time",
        "promise 3",
        (
            _plugin(
                "refuseLate",
                "inputs",
                "runCommand",
                "1",
                old='if [ "$now" -lt "{{NotAfter}}" ]; then',
                new='if [ "$now" -gt "{{NotAfter}}" ]; then',
            ),
        ),
        "none",
        ("daily",),
    ),
    Bug(
        "refusal-never",
        "NotAfter is not handed to the node",
        "F55",
        (runbook("install", "inputs", "Parameters", "NotAfter", old=["{{prove.NotAfter}}"], new=["9999999999"]),),
        "F30,F55,F56",
    ),
    Bug(
        "late-installs",
        "a command waits an hour, and the node does not refuse",
        "F55",
        (LONG_DELIVERY, *NO_REFUSAL),
        "F55,F56",
    ),
    Bug(
        "cutoff-continues",
        "installs begin after the cutoff",
        "F56",
        (NO_CUTOFF,),
        "F33,F57",
        ("daily", "narrow"),
        masked_by="the end of admission",
        with_it="cutoff-and-admission",
    ),
    Bug(
        "cutoff-and-admission",
        "installs begin after the cutoff, and an expired lease admits them",
        "F56",
        (NO_CUTOFF, IGNORE_ADMIT_UNTIL, PROOF_OUTLIVES_LEASE, *NO_REFUSAL),
        "F33,F57",
        ("daily", "narrow"),
    ),
    Bug(
        "permission-any-instance",
        "the runbook may install anywhere",
        "F18",
        (ANY_INSTANCE,),
        "F18",
        masked_by="the proof, which checks the tags again",
        with_it="tags-and-permission",
    ),
    Bug(
        "tags-and-permission",
        "tags are not checked again, and the runbook may install anywhere",
        "F18",
        (ANY_INSTANCE, TAGS_IGNORED),
        "F18",
    ),
    Bug("neighbours-proof", "another machine's backup is a proof", "F07", (RESOURCE_IGNORED, IGNORE_VOLUMES), "F07"),
    Bug(
        "scan-installs",
        "the scan task installs",
        "promise 1",
        (
            TemplateEdit(
                PATCH,
                (
                    *_SCAN_TASK,
                    "TaskInvocationParameters",
                    "MaintenanceWindowRunCommandParameters",
                    "Parameters",
                    "Operation",
                ),
                ["Scan"],
                ["Install"],
            ),
        ),
    ),
    Bug(
        "proof-life-in-minutes",
        "the runbook hands the age of backups over as the life of proofs",
        "F55",
        (_payload("ProofMaxAgeSeconds", {"Ref": "ProofMaxAgeSeconds"}, {"Ref": "MaximumProofAgeMinutes"}),),
        "F30,F55,F56",
    ),
    Bug(
        "proof-wrong-vault",
        "the runbook looks into a vault that is not the lane's",
        "promise 3",
        (
            _payload(
                "BackupVaultName",
                {"Fn::Sub": ("${BackupVaultNamePrefix}-${TargetOperatingSystem}-${Environment}-${AWS::Region}")},
                "Default",
            ),
        ),
    ),
    Bug(
        "proof-instances-always",
        "the runbook proves machines where volumes are backed up",
        "promise 3",
        (_payload("BackupResources", {"Ref": "BackupResources"}, "instances"),),
        "none",
        ("volumes",),
    ),
    Bug(
        "proof-other-environment",
        "the runbook reads the leases of another environment",
        "promise 3",
        (_payload("Environment", {"Ref": "Environment"}, "dev"),),
    ),
    Bug(
        "proof-calendars-forgotten",
        "the runbook is not told of the change calendars",
        "F53",
        (_payload("FreezeCalendars", {"Ref": "FreezeCalendars"}, ""),),
        "F53",
        ("calendar",),
    ),
    Bug(
        "window-targets-by-group",
        "machines that are not to be patched are targets as well",
        "F18",
        (TARGETS_BY_GROUP,),
        "F18",
        masked_by="the proof, which checks the tags again",
        with_it="targets-tags-and-permission",
    ),
    Bug(
        "window-targets-nobody",
        "the window's target is a tag that nobody has",
        "promise 4",
        (
            TemplateEdit(
                PATCH, ("SsmMaintenanceWindowTarget", "Properties", "Targets", "1", "Values"), ["true"], ["True"]
            ),
        ),
    ),
    Bug(
        "window-scans-first",
        "the scan comes before the install, and waits for whoever does not answer",
        "F38",
        (TemplateEdit(PATCH, (*_SCAN_TASK, "Priority"), 2, 0),),
        "F38",
    ),
    Bug(
        "gate-in-utc",
        "the gate's schedule is read in UTC",
        "F25",
        (schedule("open", "ScheduleExpressionTimezone", old=ZONE, new="UTC"),),
    ),
    Bug(
        "schedules-swapped",
        "open and close are swapped",
        "F25",
        (
            schedule("open", "Target", "Arn", old=_OPEN_ARN, new=_CLOSE_ARN),
            schedule("close", "Target", "Arn", old=_CLOSE_ARN, new=_OPEN_ARN),
        ),
    ),
    Bug(
        "expressions-swapped",
        "open runs when close should, and close when open should",
        "F25",
        (
            schedule(
                "open",
                "ScheduleExpression",
                old={"Ref": "CheckBackUpJobAndEnableMaintenanceWindow"},
                new={"Ref": "DisableMaintenanceWindow"},
            ),
            schedule(
                "close",
                "ScheduleExpression",
                old={"Ref": "DisableMaintenanceWindow"},
                new={"Ref": "CheckBackUpJobAndEnableMaintenanceWindow"},
            ),
        ),
    ),
    Bug(
        "gate-schedule-off",
        "the gate's schedule is off",
        "F27",
        (schedule("open", "State", old="ENABLED", new="DISABLED"),),
    ),
    Bug(
        "gate-schedule-off-by-the-week",
        "the gate's schedule is off, where a week's backup is gone before the next",
        "F27",
        (schedule("open", "State", old="ENABLED", new="DISABLED"),),
        shapes=("weekly",),
    ),
    Bug(
        "window-role-of-another-service",
        "the window may not use its role: its tasks fail at once",
        "promise 3",
        (
            TemplateEdit(
                PATCH,
                ("MaintenanceWindowRole", "Properties", "AssumeRolePolicyDocument", "Statement", "0", "Principal"),
                {"Service": "ssm.amazonaws.com"},
                {"Service": "ec2.amazonaws.com"},
            ),
        ),
        shapes=("daily", "lenient"),
    ),
    Bug(
        "close-schedule-off",
        "the close's schedule is off",
        "F31",
        (CLOSE_OFF,),
    ),
    Bug(
        "watchdog-schedule-off",
        "the watchdog's schedule is off",
        "F31",
        (WATCHDOG_OFF,),
        "F27,F31",
        masked_by="the next close",
        with_it="nothing-closes",
    ),
    Bug(
        "scheduled-time-missing",
        "the functions are told when they are invoked, not when they were due",
        "F28",
        (
            schedule(
                "open",
                "Target",
                "Input",
                old=_input("open"),
                new=_input("open").replace("<aws.scheduler.scheduled-time>", "2026-07-10T20:30:00Z"),
            ),
        ),
    ),
    Bug(
        "install-times-out",
        "the runbook gives an install a minute",
        "promise 3",
        (runbook("install", "timeoutSeconds", old=5400, new=60),),
    ),
    Bug(
        "verify-nothing",
        "an install that ended is a success: nothing is verified",
        "F40",
        (runbook("install", "isEnd", old=ABSENT, new=True),),
        "F40",
    ),
    Bug("verify-no-status", "the status checks after an install are not waited for", "F40", (NO_STATUS,), "F40"),
    Bug(
        "verify-takes-impaired",
        "an impaired machine counts as one that came back",
        "F40",
        (runbook("verifyStatus", "inputs", "DesiredValues", old=["ok"], new=["ok", "impaired"]),),
        "F40",
    ),
    Bug(
        "verify-status-goes-on",
        "a machine that does not come back does not end its runbook as failed",
        "F40",
        (
            runbook("verifyStatus", "onFailure", old="Abort", new="Continue"),
            runbook("verifyStatus", "isCritical", old=ABSENT, new=False),
        ),
        "F40",
    ),
    Bug(
        "verify-no-agent",
        "nobody looks whether the agent answers after an install",
        "F55",
        (NO_AGENT,),
        "F38,F55",
        masked_by="Run Command, which hears of the install's end from that agent",
        with_it="lost-agents-pass",
    ),
    Bug(
        "verify-takes-lost-agents",
        "an agent that lost its connection counts as one that answers",
        "F55",
        (runbook("verifyAgent", "inputs", "DesiredValues", old=["Online"], new=["Online", "ConnectionLost"]),),
        "F38,F55",
        masked_by="Run Command, which hears of the install's end from that agent",
        with_it="lost-agents-pass",
    ),
    Bug(
        "lost-agents-pass",
        "nobody looks whether the agent answers, and an install that was not heard of again goes on as if it ended",
        "F55",
        (*INSTALL_CONTINUES, NO_AGENT),
        "F38,F55",
    ),
    Bug(
        "verify-no-patch-state",
        "nobody looks whether patches failed",
        "F41",
        (NO_PATCH_STATE,),
        "F34,F41,F42",
        masked_by="the install, which fails with its patches",
        with_it="failed-patches-pass",
    ),
    Bug(
        "verify-takes-failed-patches",
        "a machine may have failed patches",
        "F41",
        (runbook("verifyPatchState", "inputs", "DesiredValues", old=["0"], new=["0", "1", "2"]),),
        "F34,F41,F42",
        masked_by="the install, which fails with its patches",
        with_it="failed-patches-pass",
    ),
    Bug(
        "failed-patches-pass",
        "an install that failed goes on as one that did not, and nobody looks whether patches failed",
        "F41",
        (*INSTALL_CONTINUES, NO_PATCH_STATE),
        "F34,F41,F42",
    ),
    Bug(
        "install-goes-on",
        "an install that failed goes on as one that did not",
        "F39",
        INSTALL_CONTINUES,
        "F33,F39",
    ),
    Bug(
        "error-budget-none",
        "the first failed install ends the window, whatever the lane's error budget",
        "F34",
        (
            _task("MaxErrors", old={"Ref": "InstallMaxErrors"}, new="0"),
            _task("MaxConcurrency", old={"Ref": "InstallMaxConcurrency"}, new="1"),
        ),
        "F34",
    ),
)
