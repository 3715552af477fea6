"""Bugs in what people get: messages, log lines, destinations of what is given up, and alarms that are false."""

from __future__ import annotations

from .seeding import ABSENT, MONITORING, Bug, TemplateEdit, in_close, in_open

_QUEUE = {"Fn::GetAtt": ["FailureQueue", "Arn"]}
_DIES = '        raise RuntimeError("dead")\n'
_NOTIFY = (
    '    if verdict.reason != "window-not-due" or lane.is_due(scheduled):\n        lane.notify(record, findings)\n'
)
_LEFT_OUT = '    if record.get("lease", {}).get("left_out"):\n'
_MARK = "        lane.mark_told(cycle)\n"
_REPORT = "    lane.report(record, watchdog=watchdog)\n"
_TELL = "    lane.notify(record)\n"
_TOLD = '    for cycle in untold:\n        lane.mark(cycle, json.loads(leases[cycle]["closed"]) | {"told": True})\n'
_PRINT_OPEN = '        print(metrics_line(record | {"left_out": rows}, dimensions, metrics, datetime.now(UTC)))\n'
_PRINT_CLOSE = "        print(metrics_line(record, dimensions, metrics, datetime.now(UTC)))\n"


def _nowhere(config: str) -> TemplateEdit:
    """What a function's configuration gives up goes nowhere."""
    failures = {"OnFailure": {"Destination": _QUEUE}}
    return TemplateEdit(MONITORING, (config, "Properties", "DestinationConfig"), failures, ABSENT)


def _lost(schedule: str) -> TemplateEdit:
    """What a schedule gives up goes nowhere."""
    return TemplateEdit(MONITORING, (schedule, "Properties", "Target", "DeadLetterConfig"), {"Arn": _QUEUE}, ABSENT)


TOLD_BUGS = (
    Bug(
        "open-told-and-dies",
        "a gate marks its lease told, and dies before people are",
        "promise 4",
        (in_open(_NOTIFY + _LEFT_OUT + _MARK, _LEFT_OUT + _MARK + _DIES + _NOTIFY),),
        "F08,F38",
        ("lenient",),
    ),
    Bug(
        "close-told-and-dies",
        "a close that did not reach everybody writes its log line, marks the lease told, and dies before people are",
        "F57",
        (in_close(_REPORT + _TELL + _TOLD, _REPORT + _TOLD + "    if unreached:\n" + _DIES + _TELL),),
        "F57",
        ("narrow",),
    ),
    Bug("open-prints-nothing", "a gate writes no log line", "promise 4", (in_open(_PRINT_OPEN, "        pass\n"),)),
    Bug("close-prints-nothing", "a close writes no log line", "promise 4", (in_close(_PRINT_CLOSE, "        pass\n"),)),
    Bug(
        "left-out-is-kept",
        "neither log nor message says whom a verdict leaves out",
        "promise 4",
        (
            in_open(
                'rows = [list(f) for f in findings if f.status != "proven"]', "rows = [list(f) for f in findings[:0]]"
            ),
            in_open('left_out = [f for f in findings if f.status != "proven"]', "left_out = findings[:0]"),
        ),
        "F08,F38",
        ("lenient",),
    ),
    Bug(
        "unreached-is-returned-alone",
        "a close names whom it did not reach in its return value, and neither in its log nor in a message",
        "F57",
        (
            in_close(
                _REPORT + _TELL,
                '    said = record | {"unreached": [], "problems": [one for one in problems if "never" not in one]}\n'
                "    lane.report(said, watchdog=watchdog)\n    lane.notify(said)\n",
            ),
        ),
        "F57",
        ("narrow",),
    ),
    Bug(
        "open-given-up-nowhere",
        "what Lambda gives up of the gate goes to no queue",
        "F29",
        (_nowhere("EnableMaintenanceInvokeConfig"),),
        "F29,F30,F44,crash",
        ("lenient",),
    ),
    Bug(
        "close-given-up-nowhere",
        "what Lambda gives up of the close goes to no queue",
        "F31",
        (_nowhere("DisableMaintenanceInvokeConfig"),),
        "F31,crash",
        ("lenient",),
    ),
    Bug(
        "schedules-give-up-nowhere",
        "what the schedules give up goes to no queue",
        "F31",
        tuple(_lost(f"{one}MaintenanceSchedule") for one in ("Enable", "Disable", "Watchdog")),
        "F27,F31",
    ),
    Bug(
        "scheduler-may-not-report",
        "the queue refuses what the schedules give up: their role may not send to it",
        "F31",
        (
            TemplateEdit(
                MONITORING,
                (
                    *("SchedulerRole", "Properties", "Policies", "0", "PolicyDocument", "Statement"),
                    *("ReportFailure", "Action"),
                ),
                "sqs:SendMessage",
                "sqs:GetQueueUrl",
            ),
        ),
        "F27,F31",
    ),
    Bug(
        "close-never-marks-told",
        "no close remembers that it told people: every watchdog says that none ended well",
        "promise 4",
        (in_close(_TOLD, ""),),
    ),
    Bug(
        "close-is-a-watchdog",
        "the schedule of the close asks for a watchdog, which says that no close ended well",
        "promise 4",
        (
            TemplateEdit(
                MONITORING,
                ("DisableMaintenanceSchedule", "Properties", "Target", "Input"),
                '{"mode":"close","scheduled_time":"<aws.scheduler.scheduled-time>",'
                '"attempt":"<aws.scheduler.attempt-number>"}',
                '{"mode":"watchdog","scheduled_time":"<aws.scheduler.scheduled-time>",'
                '"attempt":"<aws.scheduler.attempt-number>"}',
            ),
        ),
    ),
)
