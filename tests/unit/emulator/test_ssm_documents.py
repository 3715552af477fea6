"""Documents: content, versions, names, calendars."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.emulator.ssm_lab import Lab

from patchgate.emulator.errors import NotEmulatedError

STEP: dict[str, Any] = {"action": "aws:runShellScript", "name": "say", "inputs": {"runCommand": ["echo {{ text }}"]}}
COMMAND: dict[str, Any] = {
    "schemaVersion": "2.2",
    "description": "says something",
    "parameters": {"text": {"type": "String", "default": "hello", "allowedPattern": "^[a-z]+$"}},
    "mainSteps": [STEP],
}
RUNBOOK: dict[str, Any] = {
    "schemaVersion": "0.3",
    "mainSteps": [{"name": "rest", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}}],
}


def create(lab: Lab, content: Any, **params: Any) -> dict[str, Any]:
    text = content if isinstance(content, str) else json.dumps(content)
    given = {"Name": "document", "Content": text, "DocumentType": "Command"} | params
    return dict(lab.call("CreateDocument", **given)["DocumentDescription"])


def refused(content: Any, **params: Any) -> str:
    text = content if isinstance(content, str) else json.dumps(content)
    return Lab().refused(
        "CreateDocument", **({"Name": "document", "Content": text, "DocumentType": "Command"} | params)
    )


def with_step(**step: Any) -> dict[str, Any]:
    return COMMAND | {"mainSteps": [STEP | step]}


def with_action(**step: Any) -> dict[str, Any]:
    return RUNBOOK | {"mainSteps": [RUNBOOK["mainSteps"][0] | step]}


def test_a_document_is_created_described_and_read() -> None:
    lab = Lab()
    made = create(lab, COMMAND, Tags=[{"Key": "team", "Value": "sre"}])
    assert (made["SchemaVersion"], made["DocumentVersion"], made["DefaultVersion"]) == ("2.2", "1", "1")
    assert made["Parameters"] == [{"Name": "text", "Type": "String", "DefaultValue": "hello"}]
    assert made["Tags"] == [{"Key": "team", "Value": "sre"}]
    assert json.loads(lab.call("GetDocument", Name="document")["Content"]) == COMMAND
    assert lab.call("DescribeDocument", Name="document")["Document"]["Owner"] == "111122223333"


def test_yaml_is_read_and_shown_as_json() -> None:
    lab = Lab()
    text = (
        "schemaVersion: '2.2'\nmainSteps:\n- action: aws:runShellScript\n  name: say\n  inputs: {runCommand: [echo]}\n"
    )
    create(lab, text, DocumentFormat="YAML")
    assert lab.call("GetDocument", Name="document")["Content"] == text
    shown = json.loads(lab.call("GetDocument", Name="document", DocumentFormat="JSON")["Content"])
    assert shown["mainSteps"][0]["name"] == "say"


@pytest.mark.parametrize(
    "text",
    [
        "a: &x [1]\nb: *x\n",
        "schemaVersion: '2.2'\nschemaVersion: '2.2'\nmainSteps: []\n",
        "!!python/object/apply:os.system ['true']\n",
        "- a\n- b\n",
        "{",
    ],
)
def test_yaml_is_plain_data(text: str) -> None:
    assert refused(text, DocumentFormat="YAML") == "InvalidDocumentContent"


@pytest.mark.parametrize(
    "content",
    [
        "not json",
        {},
        COMMAND | {"surprise": 1},
        COMMAND | {"mainSteps": []},
        COMMAND | {"mainSteps": [STEP, STEP]},
        COMMAND | {"schemaVersion": 2.2},
        with_step(action="aws:runMagic"),
        with_step(name="no spaces"),
        with_step(inputs={}),
        with_step(inputs={"runCommand": ["x"], "shell": "bash"}),
        with_step(inputs={"runCommand": ["x"], "onFailure": "retry"}),
        with_step(inputs={"runCommand": ["echo {{ unknown }}"]}),
        with_step(precondition={"StringEquals": ["platformType", "Solaris"]}),
        with_step(onFailure="exit"),
        COMMAND | {"parameters": {"text": {"type": "Text"}}},
        COMMAND | {"parameters": {"text": {"type": "String", "default": "HELLO", "allowedPattern": "^[a-z]+$"}}},
        COMMAND | {"parameters": {"text": {"type": "String", "allowedPattern": "("}}},
        COMMAND | {"parameters": {"text": {"type": "StringList", "default": "one"}}},
    ],
)
def test_malformed_command_documents(content: Any) -> None:
    assert refused(content) == "InvalidDocumentContent"


@pytest.mark.parametrize(
    "content",
    [
        with_action(action="aws:patchEverything"),
        with_action(inputs={}),
        with_action(inputs={"Duration": "PT1S", "Speed": 2}),
        with_action(nextStep="nowhere"),
        with_action(nextStep="rest", isEnd=True),
        with_action(onFailure="Retry"),
        with_action(onFailure="step:nowhere"),
        with_action(isEnd="yes"),
        with_action(timeoutSeconds=0),
        with_action(inputs={"Duration": "{{ nothing }}"}),
        with_action(inputs={"Duration": "{{ rest.Output2 }}"}),
        with_action(outputs=[{"Name": "x", "Selector": "Payload"}]),
        with_action(action="aws:branch", inputs={"Choices": [{"NextStep": "rest"}]}),
        with_action(action="aws:branch", inputs={"Choices": [{"NextStep": "rest", "Variable": "a", "Resembles": "b"}]}),
        with_action(action="aws:executeScript", inputs={"Runtime": "python3.11", "Handler": "handle"}),
    ],
)
def test_malformed_runbooks(content: Any) -> None:
    assert refused(content, DocumentType="Automation") == "InvalidDocumentContent"


@pytest.mark.parametrize("name", ["aws-mine", "AWSmine", "amazon.x", "Amzn_x", "no", "with space", "a" * 129])
def test_names_that_are_refused(name: str) -> None:
    assert refused(COMMAND, Name=name) == "ValidationException"


def test_other_errors_of_creation() -> None:
    assert refused(COMMAND | {"schemaVersion": "1.2"}) == "InvalidDocumentSchemaVersion"
    assert refused(COMMAND | {"description": "x" * 65537}) == "MaxDocumentSizeExceeded"
    assert refused(RUNBOOK) == "InvalidDocumentSchemaVersion"
    lab = Lab()
    create(lab, COMMAND)
    again = {"Name": "document", "Content": json.dumps(COMMAND), "DocumentType": "Command"}
    assert lab.refused("CreateDocument", **again) == "DocumentAlreadyExists"
    with pytest.raises(NotEmulatedError, match="Session"):
        create(lab, COMMAND, Name="session", DocumentType="Session")


def test_versions() -> None:
    lab = Lab()
    create(lab, COMMAND)
    same = {"Name": "document", "Content": json.dumps(COMMAND), "DocumentVersion": "$LATEST"}
    assert lab.refused("UpdateDocument", **same) == "DuplicateDocumentContent"
    other = json.dumps(COMMAND | {"description": "louder"})
    updated = lab.call("UpdateDocument", Name="document", Content=other)["DocumentDescription"]
    assert (updated["DocumentVersion"], updated["LatestVersion"], updated["DefaultVersion"]) == ("2", "2", "1")
    assert lab.call("GetDocument", Name="document")["DocumentVersion"] == "1"
    assert lab.call("GetDocument", Name="document", DocumentVersion="$LATEST")["DocumentVersion"] == "2"
    described = lab.call("UpdateDocumentDefaultVersion", Name="document", DocumentVersion="2")["Description"]
    assert described == {"Name": "document", "DefaultVersion": "2"}
    assert lab.call("GetDocument", Name="document")["DocumentVersion"] == "2"
    wrong = {"Name": "document", "DocumentVersion": "3"}
    assert lab.refused("UpdateDocumentDefaultVersion", **wrong) == "InvalidDocumentVersion"
    assert lab.refused("DeleteDocument", Name="document", DocumentVersion="2") == "InvalidDocumentOperation"
    lab.call("DeleteDocument", Name="document")
    assert lab.refused("GetDocument", Name="document") == "InvalidDocument"


def test_documents_are_listed_and_filtered() -> None:
    lab = Lab()
    create(lab, COMMAND, Name="one")
    create(lab, RUNBOOK, Name="two", DocumentType="Automation")
    owned = lab.call("ListDocuments", Filters=[{"Key": "Owner", "Values": ["Amazon"]}])["DocumentIdentifiers"]
    assert [item["Name"] for item in owned] == ["AWS-RunPatchBaseline", "AWS-RunPowerShellScript", "AWS-RunShellScript"]
    assert owned[0]["PlatformTypes"] == ["Windows", "Linux"]
    runbooks = [{"Key": "DocumentType", "Values": ["Automation"]}]
    assert [item["Name"] for item in lab.call("ListDocuments", Filters=runbooks)["DocumentIdentifiers"]] == ["two"]
    assert lab.refused("ListDocuments", Filters=[{"Key": "Colour", "Values": ["x"]}]) == "InvalidFilterKey"


def test_tags() -> None:
    lab = Lab()
    create(lab, COMMAND)
    named = {"ResourceType": "Document", "ResourceId": "document"}
    lab.call("AddTagsToResource", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}], **named)
    lab.call("RemoveTagsFromResource", TagKeys=["a"], **named)
    assert lab.call("ListTagsForResource", **named)["TagList"] == [{"Key": "b", "Value": "2"}]
    assert lab.refused("ListTagsForResource", ResourceType="Document", ResourceId="other") == "InvalidResourceId"
    reserved = [{"Key": "aws:x", "Value": "1"}]
    assert lab.refused("AddTagsToResource", Tags=reserved, **named) == "ValidationException"


def test_tags_of_parameters_are_those_that_parameter_store_keeps() -> None:
    lab = Lab()
    lab.call("PutParameter", Name="/x", Value="1", Type="String", Tags=[{"Key": "a", "Value": "1"}])
    named = {"ResourceType": "Parameter", "ResourceId": "/x"}
    lab.call("AddTagsToResource", Tags=[{"Key": "b", "Value": "2"}], **named)
    listed = lab.call("ListTagsForResource", **named)["TagList"]
    assert listed == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    many = [{"Key": f"k{number}", "Value": ""} for number in range(49)]
    assert lab.refused("AddTagsToResource", Tags=many, **named) == "TooManyTagsError"
    assert len(lab.call("ListTagsForResource", **named)["TagList"]) == 2


def calendar(kind: str = "DEFAULT_OPEN", *lines: str) -> str:
    event = ("BEGIN:VEVENT", "DTSTART:20260704T220000Z", "DTEND:20260705T060000Z", "SUMMARY:freeze", "END:VEVENT")
    body = ["BEGIN:VCALENDAR", "PRODID:-//AWS//Change Calendar 1.0//EN", "VERSION:2.0", f"X-CALENDAR-TYPE:{kind}"]
    return "\r\n".join([*body, *(lines or event), "END:VCALENDAR"])


def state(lab: Lab, *names: str, at: str) -> tuple[str, str | None]:
    found = lab.call("GetCalendarState", CalendarNames=list(names), AtTime=at)
    return found["State"], found.get("NextTransitionTime")


def test_a_calendar_is_closed_during_its_events() -> None:
    lab = Lab()
    create(lab, calendar(), Name="freeze", DocumentType="ChangeCalendar", DocumentFormat="TEXT")
    create(lab, calendar("DEFAULT_CLOSED"), Name="windows", DocumentType="ChangeCalendar", DocumentFormat="TEXT")
    assert state(lab, "freeze", at="2026-07-04T21:59:59Z") == ("OPEN", "2026-07-04T22:00:00Z")
    assert state(lab, "freeze", at="2026-07-04T22:00:00Z") == ("CLOSED", "2026-07-05T06:00:00Z")
    assert state(lab, "freeze", at="2026-07-05T06:00:00Z") == ("OPEN", None)
    assert state(lab, "windows", at="2026-07-04T23:00:00Z") == ("OPEN", "2026-07-05T06:00:00Z")
    assert state(lab, "freeze", "windows", at="2026-07-04T23:00:00Z")[0] == "CLOSED"
    now = lab.call("GetCalendarState", CalendarNames=["freeze"])
    assert (now["State"], now["AtTime"]) == ("OPEN", "2026-07-04T20:00:00Z")


def test_a_calendar_may_speak_local_time() -> None:
    lab = Lab()
    local = ("DTSTART;TZID=America/New_York:20260704T220000", "DTEND;TZID=America/New_York:20260705T060000")
    text = calendar("DEFAULT_OPEN", "BEGIN:VEVENT", *local, "END:VEVENT")
    create(lab, text, Name="freeze", DocumentType="ChangeCalendar", DocumentFormat="TEXT")
    assert state(lab, "freeze", at="2026-07-04T23:00:00Z") == ("OPEN", "2026-07-05T02:00:00Z")
    nowhere = text.replace("America/New_York", "Mars/Olympus")
    with pytest.raises(NotEmulatedError, match="Mars"):
        create(lab, nowhere, Name="mars", DocumentType="ChangeCalendar", DocumentFormat="TEXT")


def test_the_history_says_what_a_calendar_holds_from_when_on() -> None:
    lab = Lab()
    create(lab, calendar(), Name="freeze", DocumentType="ChangeCalendar", DocumentFormat="TEXT")
    create(lab, COMMAND)
    changed = {"Name": "freeze", "DocumentFormat": "TEXT", "DocumentVersion": "$LATEST"}
    lab.call("UpdateDocument", Content=calendar("DEFAULT_CLOSED", "X-WR-CALDESC:no event"), **changed)
    closed, event = {"default": "CLOSED", "exceptions": []}, ["2026-07-04T22:00:00.000Z", "2026-07-05T06:00:00.000Z"]
    opened = {"default": "OPEN", "exceptions": [event]}

    def said() -> list[dict[str, Any]]:
        records = lab.events("CalendarChanged", calendar="freeze")
        return [{key: record[key] for key in ("default", "exceptions")} for record in records]

    assert said() == [opened, closed]
    assert len(lab.events("CalendarChanged")) == 2
    lab.call("DeleteDocument", Name="freeze", DocumentVersion="2")
    assert said() == [opened, closed, opened]
    assert state(lab, "freeze", at="2026-07-04T23:00:00Z")[0] == "CLOSED"
    lab.call("UpdateDocument", Content=calendar("DEFAULT_CLOSED"), **changed)
    lab.call("UpdateDocumentDefaultVersion", Name="freeze", DocumentVersion="2")
    lab.call("UpdateDocument", Content=calendar(), **changed)
    lab.call("DeleteDocument", Name="freeze", DocumentVersion="1")
    assert len(said()) == 5  # neither the default version nor an old one says anything
    assert lab.events("CalendarDeleted") == []
    lab.call("DeleteDocument", Name="document")
    lab.call("DeleteDocument", Name="freeze")
    assert [record["calendar"] for record in lab.events("CalendarDeleted")] == ["freeze"]


def test_calendars_that_are_refused() -> None:
    as_calendar = {"DocumentType": "ChangeCalendar", "DocumentFormat": "TEXT"}
    assert refused("hello", **as_calendar) == "InvalidDocumentContent"
    assert refused(calendar("SOMETIMES"), **as_calendar) == "InvalidDocumentContent"
    backwards = ("BEGIN:VEVENT", "DTSTART:20260705T220000Z", "DTEND:20260705T060000Z", "END:VEVENT")
    assert refused(calendar("DEFAULT_OPEN", *backwards), **as_calendar) == "InvalidDocumentContent"
    lab = Lab()
    weekly = ("BEGIN:VEVENT", "DTSTART:20260704T220000Z", "DTEND:20260705T060000Z", "RRULE:FREQ=WEEKLY", "END:VEVENT")
    with pytest.raises(NotEmulatedError, match="RRULE"):
        create(lab, calendar("DEFAULT_OPEN", *weekly), **as_calendar)
    create(lab, COMMAND)
    assert lab.refused("GetCalendarState", CalendarNames=["document"]) == "InvalidDocumentType"
    assert lab.refused("GetCalendarState", CalendarNames=["nothing"]) == "InvalidDocument"
