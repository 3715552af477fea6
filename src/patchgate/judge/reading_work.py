"""Reads what was done and said: runbooks, commands, installs, functions, evidence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from patchgate.judge.doings import (
    LONGEST_RUN,
    Automation,
    Discarded,
    Function,
    Install,
    Message,
    Run,
    Said,
    Sent,
    Step,
    Writing,
)
from patchgate.judge.facts import Facts, StepsByInstance
from patchgate.judge.lane import Place
from patchgate.judge.records import Handlers, Record, instant_said
from patchgate.judge.sayings import (
    NO_CLOSE,
    NOT_DUE,
    Statement,
    number_of,
    parsed,
    parsed_lines,
    read_statement,
    text_of,
)
from patchgate.judge.spans import Cut, Span


class WorkReader:
    """Fills everything else: what was done to instances, what functions said, what evidence says."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._delivered: dict[tuple[str, str], datetime] = {}
        self._untargeted: dict[str, Automation] = {}
        self._invoked: dict[str, list[tuple[Cut, Any]]] = {}

    def handlers(self) -> Handlers:
        return {
            "AutomationStarted": self._automation_started,
            "AutomationStepEnded": self._automation_step_ended,
            "AutomationEnded": self._automation_ended,
            "CommandSent": self._command_sent,
            "CommandDelivered": self._command_delivered,
            "CommandEnded": self._command_ended,
            "PatchStarted": self._patch_started,
            "PatchEnded": self._patch_ended,
            "FunctionCreated": self._function_created,
            "FunctionDeleted": self._function_deleted,
            "FunctionInvoked": self._function_invoked,
            "FunctionEnded": self._function_ended,
            "FunctionDiscarded": self._function_discarded,
            "ScheduleDiscarded": self._schedule_discarded,
            "ScheduleLost": self._schedule_lost,
            "MessagePublished": self._message_published,
            "ObjectWritten": self._object_written,
        }

    # What was done to instances

    def _automation_started(self, record: Record, cut: Cut, place: Place) -> None:
        target = record.get("target") or ""
        run = Automation(record["execution"], record.get("document", ""), place, target, cut)
        self.facts.automations.setdefault((place, target), []).append(run)
        if target:
            self.facts.executions[run.execution] = run
        else:
            self._untargeted[run.execution] = run

    def _automation_step_ended(self, record: Record, cut: Cut, place: Place) -> None:  # noqa: ARG002
        run = self.facts.executions.get(record["execution"])
        outputs = record.get("outputs") or {}
        if run is None:
            return
        reason = ""
        if outputs.get("Decision"):
            run.proof = {key: text_of(value) for key, value in outputs.items() if key != "Payload"}
        if run.proof is not None and outputs.get("Decision") and run.proof["Decision"] == "deny":
            reason = run.proof.get("Reason", "")
            detail = run.proof.get("Detail", "")
            said = Said(Span(run.started, cut), run.place, run.document, run.instance, reason, detail)
            self.facts.said.setdefault(run.place, []).append(said)
        elif record.get("status") not in ("Success", None) and record.get("failure"):
            reason = str(record["failure"])
        if reason:
            _keep(self.facts.refusals, Step(cut.seq, cut.at, run.place, run.instance, reason=reason))

    def _automation_ended(self, record: Record, cut: Cut, place: Place) -> None:
        status, failure = record["status"], str(record.get("failure") or "")
        run = self.facts.executions.get(record["execution"])
        instance = run.instance if run else record.get("target") or ""
        run = run or self._untargeted.get(record["execution"])
        if run is not None:
            run.ended, run.status, run.failure = cut, status, failure
        if status != "Success" and (failure or status in ("TimedOut", "Cancelled")):
            _keep(self.facts.refusals, Step(cut.seq, cut.at, place, instance, reason=failure or status))

    def _command_sent(self, record: Record, cut: Cut, place: Place) -> None:
        given = record.get("parameters") or {}
        sent = Sent(
            cut,
            place,
            record.get("principal", "?"),
            record.get("document", ""),
            text_of(given.get("Operation")),
            number_of(given.get("NotAfter")),
            tuple(record.get("instances") or ()),
        )
        self.facts.commands[record["command"]] = sent
        self.facts.sent.setdefault(place, []).append(sent)

    def _command_delivered(self, record: Record, cut: Cut, place: Place) -> None:  # noqa: ARG002
        self._delivered[record["command"], record["instance"]] = cut.at

    def _command_ended(self, record: Record, cut: Cut, place: Place) -> None:
        """A command that failed is a reason, but for a scan: that install is no less due."""
        sent = self.facts.commands.get(record["command"])
        if record["status"] != "Success" and (sent is None or sent.operation != "Scan"):
            step = Step(cut.seq, cut.at, place, record["instance"], record["command"], reason=record["status"])
            _keep(self.facts.refusals, step)

    def _patch_started(self, record: Record, cut: Cut, place: Place) -> None:
        if record["operation"] != "Install":
            return
        command, instance = record.get("command") or "", record["instance"]
        begun = self._delivered.get((command, instance), cut.at)
        install = Install(cut.seq, cut.at, place, instance, begun, self.facts.commands.get(command), command)
        if instance in self.facts.instances.get(place, {}):
            self.facts.installs.setdefault(place, []).append(install)
        elif not install.by_hand:
            self.facts.orphans.append((cut, place, instance))

    def _patch_ended(self, record: Record, cut: Cut, place: Place) -> None:
        if record["operation"] != "Install":
            return
        failed = ", ".join(record.get("failed") or ())
        reason = f"failed to install {failed}" if failed else ""
        if record["status"] != "Success":
            reason = reason or f"the install ended as {record['status']}"
        step = Step(
            cut.seq,
            cut.at,
            place,
            record["instance"],
            record.get("command") or "",
            record["status"],
            reason,
            installed=tuple(record.get("installed") or ()),
            pending=tuple(record.get("pending_reboot") or ()),
        )
        _keep(self.facts.ends, step)
        if reason:
            _keep(self.facts.refusals, step)

    # What the functions said

    def _function(self, record: Record, place: Place) -> Function:
        return self.facts.functions.setdefault((place, record["function"]), Function())

    def _function_created(self, record: Record, cut: Cut, place: Place) -> None:
        self._function(record, place).there.add(cut.seq, value=True)

    def _function_deleted(self, record: Record, cut: Cut, place: Place) -> None:
        self._function(record, place).there.add(cut.seq, value=False)

    def _function_invoked(self, record: Record, cut: Cut, place: Place) -> None:
        request = record["request_id"]
        self._function(record, place).begun.append((cut, request))
        self._invoked.setdefault(request, []).append((cut, record.get("payload")))

    def _function_ended(self, record: Record, cut: Cut, place: Place) -> None:
        """A run began with the earliest of its request's begins that has not ended yet: no later than it did."""
        request = record.get("request_id", "")
        begins = self._invoked.get(request)
        payload: Any = None
        low = Cut(-1, cut.at - LONGEST_RUN)
        if begins:
            low, payload = begins[0]
            begins.pop()
        else:
            low = self.facts.cut_at(low.at)
        given = parsed(payload)
        given = given if isinstance(given, Mapping) else {}
        scheduled = instant_said(given.get("scheduled_time"))
        statement = read_statement(record.get("result"), record.get("log") or ())
        span = Span(low, cut)
        run = Run(
            request,
            span,
            record["status"] == "Success",
            str(given.get("mode", "")),
            scheduled,
            statement.decision,
            statement.repeated,
            statement.missed_cycles,
            statement.closed,
            _to_tell(statement),
            statement.has_log,
            any(problem.startswith(NO_CLOSE) for problem in statement.problems),
        )
        self._function(record, place).runs.append(run)
        by, of = record["function"], statement.told
        for instance, reason in statement.named.items():
            returned = instance not in statement.logged
            step = Step(cut.seq, cut.at, place, instance, reason=reason, source=by, cycles=of, returned=returned)
            _keep(self.facts.named, step)
        said = self.facts.said.setdefault(place, [])
        for (instance, reason), detail in statement.reasons.items():
            said.append(Said(span, place, by, instance, reason, detail, scheduled, of))

    def _function_discarded(self, record: Record, cut: Cut, place: Place) -> None:
        """Without a destination, or where that did not take it (``problem``), it went nowhere."""
        arrived = bool(record.get("destination")) and not record.get("problem")
        self._function(record, place).discarded.append(Discarded(cut, record.get("request_id", ""), arrived))

    def _schedule_discarded(self, record: Record, cut: Cut, place: Place) -> None:
        if not record.get("destination"):
            self._schedule_lost(record, cut, place)

    def _schedule_lost(self, record: Record, cut: Cut, place: Place) -> None:
        key = (place, str(record["target"]).rpartition(":")[2])
        self.facts.functions.setdefault(key, Function()).unscheduled.append(cut)

    def _message_published(self, record: Record, cut: Cut, place: Place) -> None:
        message = Message(cut, str(record["topic"]), str(record["message"]))
        self.facts.messages.setdefault(place, []).append(message)

    def _object_written(self, record: Record, cut: Cut, place: Place) -> None:
        parts = record["key"].split("/")
        if parts[0] != "evidence" or len(parts) != 7:
            return
        _, system, environment, account, region, cycle, name = parts
        writing = Writing(
            cut, place[0], record.get("principal"), record.get("sha256", ""), parsed_lines(record.get("text"))
        )
        of_lane = self.facts.evidence.setdefault((system, environment, account, region), {})
        of_lane.setdefault((cycle, name), []).append(writing)


def _keep(steps: StepsByInstance, step: Step) -> None:
    steps.setdefault((step.place, step.instance), []).append(step)


def _to_tell(statement: Statement) -> tuple[tuple[str, ...], ...]:
    """What a run's message must hold: a verdict's instances that are not proven, with their reasons; why it holds;
    problems.

    Of a gate that is not due, and of one that repeats a verdict, there is nothing to tell.
    """
    if statement.repeated:
        return ()
    held = [reason for instance, reason in statement.reasons if not instance]
    if NOT_DUE in held:
        return ()
    left_out = [(one, reason) for one, reason in statement.reasons if one in statement.left_out]
    return (*left_out, *((reason,) for reason in held), *((problem,) for problem in statement.problems))
