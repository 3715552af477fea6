"""What AWS leaves open of all that a rehearsal meets: each question with the switches that decide it, or why no run can
depend on the answer.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """One question. ``page`` is where AWS would answer it, ``switches`` are fields of ``Assumptions``.

    ``because`` says why those are all the answers that there are to try; without a switch, why no run depends on one.
    """

    asks: str
    page: str
    switches: tuple[str, ...]
    because: str


_API = "https://docs.aws.amazon.com/{}/latest/{}/API_{}.html"
_SSM = "systems-manager", "APIReference"
_BACKUP = "aws-backup", "devguide"

OPEN_QUESTIONS = (
    OpenQuestion(
        "Does a stack update enable a maintenance window that was disabled past CloudFormation?",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-maintenancewindow.html",
        ("stack_update_enables_window",),
        "The resource type has no property that says whether the window is enabled.",
    ),
    OpenQuestion(
        "What becomes of executions in progress when their maintenance window is disabled?",
        _API.format(*_SSM, "UpdateMaintenanceWindow"),
        ("disabling_stops_executions",),
        "Assumption: they are at most cancelled, and [a cancelled execution lets its running tasks go on]"
        f"({_API.format(*_SSM, 'CancelMaintenanceWindowExecution')}). Commands that are cancelled at any moment are "
        "the fault F35.",
    ),
    OpenQuestion(
        "Does the schedule of a disabled maintenance window list executions?",
        _API.format(*_SSM, "DescribeMaintenanceWindowSchedule"),
        ("disabled_window_lists_schedule",),
        "It does, or it does not: the reference says neither.",
    ),
    OpenQuestion(
        "When does a maintenance window start whose local time a clock change skips or repeats?",
        _API.format(*_SSM, "CreateMaintenanceWindow"),
        ("window_at_skipped_time", "window_at_repeated_time"),
        "Each may be what it is for AWS Backup, or something else: the seed draws them apart. EventBridge Scheduler "
        "[documents](https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html) what it does.",
    ),
    OpenQuestion(
        "When does a backup rule run whose local time a clock change skips or repeats?",
        _API.format(*_BACKUP, "BackupRule"),
        ("backup_at_skipped_time", "backup_at_repeated_time"),
        "As for maintenance windows.",
    ),
    OpenQuestion(
        "In which order are backup jobs and recovery points listed?",
        _API.format(*_BACKUP, "ListBackupJobs"),
        ("backup_lists_are_newest_first",),
        "The gate sorts for itself; a gate that relies on an order is to be found under one of the two.",
    ),
    OpenQuestion(
        "From when on does a backup job's completion window count?",
        _API.format(*_BACKUP, "StartBackupJob"),
        ("completion_counts_from_creation",),
        "The reference says both, the schedule and the start; a job is created when its schedule is due.",
    ),
    OpenQuestion(
        "Until when may an agent take a command that waits for it?",
        "https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html",
        ("delivery_ends_with_total_timeout",),
        f"The user guide and [SendCommand]({_API.format(*_SSM, 'SendCommand')}) differ: those are the two answers.",
    ),
    OpenQuestion(
        "At what pace does EventBridge Scheduler try a delivery again that its target refused?",
        _API.format("scheduler", "APIReference", "RetryPolicy"),
        (),
        "Assumption: after 1, 2, 4 and then every 8 minutes. Deliveries that come later by anything up to 20 hours are "
        "the fault F27, and so are targets that refuse for so long that it gives up.",
    ),
    OpenQuestion(
        "How often does EventBridge Scheduler invoke its target, at least once by contract?",
        "https://docs.aws.amazon.com/scheduler/latest/UserGuide/what-is-scheduler.html",
        ("scheduler_delivers_twice",),
        "A second invocation at once is the switch; later ones, and those of Lambda's own queue, are the fault F28.",
    ),
    OpenQuestion(
        "Does Systems Manager reject ApproveAfterDays in baselines for Ubuntu and Debian, or ignore it?",
        _API.format(*_SSM, "PatchRule"),
        (),
        "patchgate's templates send 0 there, whatever the parameter says: no delay, which ignoring it would come to as "
        "well. Assumption: 0 is not rejected, for a rule must have ApproveAfterDays or ApproveUntilDate and neither is "
        "supported. Were it rejected, the stack would roll back: a lane that was never deployed has no run. Templates "
        "of others that send more days are deployed here, and have no delay.",
    ),
    OpenQuestion(
        "What does Automation make of `{{` in the script of an aws:executeScript step?",
        "https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-executeScript.html",
        (),
        "patchgate's script has none, which a test keeps so; a runbook that has one is refused with `NotEmulated`.",
    ),
)
"""Every question that no AWS page answers, or that two answer differently, and on which a run could depend."""
