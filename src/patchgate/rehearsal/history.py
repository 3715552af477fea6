"""The contract of a recorded history: what an engine writes, and what judge and summary read. Nothing else counts.

A history is JSON lines. Every record has ``seq`` (from 0, each one more), ``at`` (ISO 8601 with an offset),
``account``, ``region`` and ``event``; ``EVENTS`` says what the records of each event say beside. An engine may write
other events and other facts: neither judge nor summary looks at them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from patchgate.errors import InputError

COMMON: Mapping[str, str] = {
    "seq": "the number of the record, from 0, each one more than the one before",
    "at": "the instant, ISO 8601 with an offset, never before that of an earlier record",
    "account": "12 digits",
    "region": "such as `eu-central-1`",
    "event": "one of those below, or another",
}
"""What every record says."""


@dataclass(frozen=True, slots=True)
class EventContract:
    """What the records of one event say. ``facts`` must be there; ``also`` where there is anything to say."""

    says: str
    facts: Mapping[str, str]
    also: Mapping[str, str]


def _event(says: str, facts: str, also: str = "") -> EventContract:
    """``facts`` and ``also`` are lines of ``name: meaning``."""
    return EventContract(says, _meanings(facts), _meanings(also))


def _meanings(lines: str) -> dict[str, str]:
    pairs = (line.strip().partition(": ") for line in lines.strip().splitlines())
    return {name: meaning for name, _, meaning in pairs if name}


_TERMS = "duration: how long it lasts, in hours\ncutoff: how long before its end nothing begins any more, in hours"

EVENTS: Mapping[str, EventContract] = {
    "InstanceLaunched": _event(
        "An instance of the world is there.",
        """
        instance: its id
        tags: an object of names and values
        volumes: a list of the ids of the volumes that are attached
        """,
        """
        name: what people call it
        root_device: `ebs` (when left out) or `instance-store`
        state: as EC2 says it; `running` when left out
        agent: how its SSM agent fares: an object as in `AgentChanged`; unknown when left out
        """,
    ),
    "InstanceTagged": _event(
        "An instance's tags were changed.", "instance: its id\ntags: an object of names and values: all that it has now"
    ),
    "AgentChanged": _event(
        "An instance's SSM agent fares differently from now on.",
        """
        instance: its id
        agent: an object: `ping` and `version` as Systems Manager shows them, `delivery_seconds`, \
`clock_skew_seconds`, and `offline_from` and `online_from`, between which it is silent (instants, or null)
        """,
    ),
    "InstanceStateChanged": _event(
        "An instance changed its state.",
        "instance: its id\nstate: as EC2 says it",
        "ready_at: when it came up: the instant at which it answers",
    ),
    "InstanceStatusChanged": _event(
        "An instance's status checks go otherwise from now on, while it is up and has come up.",
        "instance: its id\nstatus: `impaired`, or `ok` as before the first such record",
    ),
    "InstanceRebooted": _event(
        "An instance was rebooted.", "instance: its id", "ready_at: the instant at which it answers again"
    ),
    "VolumeAttached": _event("A volume was attached.", "instance: its id\nvolume: the volume's id"),
    "VolumeDetached": _event("A volume was detached.", "instance: its id\nvolume: the volume's id"),
    "BackupJobStateChanged": _event(
        "A backup job changed its state.",
        """
        job: its id
        state: as AWS Backup says it: `CREATED`, `RUNNING`, `COMPLETED`, `FAILED`, ...
        resource: the ARN of the instance or volume
        vault: the name of the backup vault
        """,
        """
        recovery_point: its ARN, once completed
        snapshots: once completed: a list of objects with `volume` (an id) and `started` (an instant)
        message_category: such as `SUCCESS` or `VSS_ERROR`
        message: why it did not go well
        """,
    ),
    "RecoveryPointDeleted": _event("A recovery point is gone.", "recovery_point: its ARN"),
    "RecoveryPointExpired": _event(
        "A recovery point is past its end and could not be deleted: its status is `EXPIRED`.", "recovery_point: its ARN"
    ),
    "ParameterPut": _event(
        "An SSM parameter was written.", "name: its name\nvalue: its value", "version: the version that this made it"
    ),
    "ParameterDeleted": _event("An SSM parameter was deleted.", "name: its name"),
    "CalendarChanged": _event(
        "A change calendar was made, or what it says was changed.",
        """
        calendar: its name
        default: `OPEN` or `CLOSED`: its state outside of its events
        exceptions: a list of [begin, end] of instants: its events, the end not among them
        """,
    ),
    "CalendarDeleted": _event("A change calendar was deleted.", "calendar: its name"),
    "WindowCreated": _event(
        "A maintenance window was made.", "window: its id\nname: its name\nenabled: whether it is enabled", _TERMS
    ),
    "WindowUpdated": _event(
        "A maintenance window was changed.",
        "window: its id\nenabled: whether it is enabled now",
        f"name: its name\n{_TERMS}",
    ),
    "WindowDeleted": _event("A maintenance window was deleted.", "window: its id"),
    "WindowExecutionStarted": _event("A maintenance window began to run.", "window: its id\nexecution: the run's id"),
    "WindowExecutionEnded": _event(
        "A run of a maintenance window ended.", "execution: the run's id\nstatus: as Systems Manager says it"
    ),
    "AutomationStarted": _event(
        "An Automation execution began.",
        "execution: its id",
        "target: the instance that it is for\ndocument: the name of its runbook",
    ),
    "AutomationStepEnded": _event(
        "A step of an Automation execution ended.",
        "execution: its id\nstep: the step's name\nstatus: as Systems Manager says it",
        "outputs: an object of names and values, or lists of them\nfailure: why it failed",
    ),
    "AutomationEnded": _event(
        "An Automation execution ended.",
        "execution: its id\nstatus: as Systems Manager says it",
        "target: the instance that it was for\nfailure: why it failed",
    ),
    "CommandSent": _event(
        "A Run Command was sent.",
        "command: its id",
        """
        parameters: an object of names and lists of values
        document: the name of its document
        instances: a list of ids
        principal: the ARN of the role that sent it; empty for an operator
        """,
    ),
    "CommandDelivered": _event(
        "An agent took a Run Command and begins with it.", "command: its id\ninstance: the instance's id"
    ),
    "CommandEnded": _event(
        "A Run Command ended on one instance.",
        "command: its id\ninstance: the instance's id\nstatus: as Systems Manager details it",
        "response_code: what the last plugin returned; -1 when none did\noutput: what it wrote",
    ),
    "PatchStarted": _event(
        "A patch operation began on an instance.",
        "instance: its id\noperation: `Scan` or `Install`",
        "command: the id of the Run Command that started it",
    ),
    "PatchEnded": _event(
        "A patch operation ended on an instance.",
        "instance: its id\noperation: `Scan` or `Install`\nstatus: `Success`, `Failed`, `TimedOut`, `Cancelled`",
        """
        command: the id of the Run Command that started it
        installed: a list of the ids of updates
        failed: a list of the ids of updates
        missing: a list of the ids of updates
        pending_reboot: a list of the ids of updates
        output: what it wrote
        """,
    ),
    "FunctionCreated": _event("A Lambda function was made.", "function: its name"),
    "FunctionDeleted": _event("A Lambda function was deleted.", "function: its name"),
    "FunctionInvoked": _event(
        "A Lambda function was invoked.", "function: its name\nrequest_id: the request's id", "payload: the event"
    ),
    "FunctionEnded": _event(
        "An invocation of a Lambda function ended.",
        "function: its name\nrequest_id: the request's id\nstatus: `Success`, or how it failed",
        "result: what it returned\nlog: a list of the lines that it wrote\nerror: why it failed",
    ),
    "FunctionDiscarded": _event(
        "Lambda gave up on an asynchronous event.",
        "function: its name",
        "destination: where the event went\nrequest_id: the request's id\nproblem: why it did not get there",
    ),
    "ScheduleDiscarded": _event(
        "EventBridge Scheduler gave up on invoking a target.",
        "target: the target's ARN",
        "destination: the ARN of the queue that it is sent to instead",
    ),
    "ScheduleLost": _event(
        "The queue did not take what EventBridge Scheduler had given up.", "target: the target's ARN"
    ),
    "ObjectWritten": _event(
        "An object was written to S3.",
        "key: its key",
        """
        principal: the ARN of the role that wrote it; empty for an operator
        sha256: the digest of its content
        text: its content, where the key ends in `.json` or `.jsonl`
        """,
    ),
    "MessagePublished": _event(
        "A message was published to an SNS topic.", "topic: the topic's ARN\nmessage: its text", "subject: its subject"
    ),
}
"""Every event that judge or summary read."""


def read_records(text: str, source: str) -> list[dict[str, Any]]:
    """The records of a history's JSON lines. Raises InputError for the first that breaks the contract.

    ``source`` names who wrote the history.
    """
    records: list[dict[str, Any]] = []
    last: datetime | None = None
    lines = text.split("\n")
    if lines.pop():
        raise _breach(source, len(lines), "does not end with a line feed: the history is cut short")
    for number, line in enumerate(lines):
        try:
            record = json.loads(line)
            at = _check(record, number)
        except ValueError as error:
            raise _breach(source, number, str(error)) from error
        if last is not None and at < last:
            raise _breach(source, number, f"is at {record['at']}, before the record that it follows")
        last = at
        records.append(record)
    return records


def _check(record: Any, number: int) -> datetime:
    """The instant of a record; ValueError says what it breaks."""
    if not isinstance(record, dict):
        raise ValueError("is no JSON object")  # noqa: TRY004 - of a text, not of a caller
    missing = [name for name in COMMON if name not in record]
    contract = EVENTS.get(str(record.get("event")))
    missing += [name for name in contract.facts if name not in record] if contract else []
    if missing:
        raise ValueError(f"({record.get('event', 'of no event')}) lacks {', '.join(missing)}")
    if record["seq"] != number:
        raise ValueError(f"has seq {record['seq']}")
    at = datetime.fromisoformat(record["at"]) if isinstance(record["at"], str) else None
    if at is None or at.tzinfo is None:
        raise ValueError(f"is at {record['at']!r}, which is no instant with an offset")
    return at


def _breach(source: str, number: int, what: str) -> InputError:
    return InputError(
        f"record {number} of the history of {source} {what}", remedy="docs/reference/history.md says what a history is"
    )
