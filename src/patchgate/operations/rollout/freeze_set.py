"""The freeze calendars of lanes that one stack set carries: one template with every calendar, found by Region and slot.

Lanes of a Region that freeze alike share its first slot, so that nothing but the template changes when freezes do. A
slot without a calendar is closed all the time: it is what a stack has for a moment whose slot goes away.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-findinmap.html

Assumed, because AWS names no limit of its own: a value of a mapping may be as long as the template allows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from patchgate.domain.lane import Lane
from patchgate.errors import InputError
from patchgate.operations.rollout.facts import digest_of
from patchgate.plan.freeze_calendar import MAXIMUM_TEMPLATE_BYTES, FreezeCalendar

PARAMETER = "Slot"
SLOTS = 4
"""Slots that every Region has, at least."""

_KEY_LENGTH = 16
_CLOSED_KEY = "Closed"
_CLOSED = (
    "BEGIN:VCALENDAR\r\nPRODID:-//AWS//Change Calendar 1.0//EN\r\nVERSION:2.0\r\n"
    "X-CALENDAR-TYPE:DEFAULT_CLOSED\r\nEND:VCALENDAR\r\n"
)


@dataclass(frozen=True, slots=True)
class FreezeSet:
    """The stack set's template, its parameter, and the value of that for each lane's account and Region."""

    body: str
    parameter: str
    slots: Mapping[tuple[str, str], str]


def build_freeze_set(frozen: Sequence[tuple[Lane, FreezeCalendar]]) -> FreezeSet:
    """For the lanes of one operating system and environment. InputError when their calendars take too much room."""
    texts: dict[str, str] = {}
    by_region: dict[str, list[str]] = {}
    slots: dict[tuple[str, str], str] = {}
    for lane, calendar in sorted(frozen, key=lambda each: each[0]):
        key = digest_of(calendar.text)[:_KEY_LENGTH]
        texts[key] = calendar.text
        taken = by_region.setdefault(lane.region, [])
        if key not in taken:
            taken.append(key)
        slots[lane.account, lane.region] = _slot(taken.index(key))
    most = max(SLOTS, *(len(taken) for taken in by_region.values()))
    places = {
        region: {_slot(number): taken[number] if number < len(taken) else _CLOSED_KEY for number in range(most)}
        for region, taken in sorted(by_region.items())
    }
    name = frozen[0][1].name
    body = _template(name, places, {_CLOSED_KEY: _CLOSED, **dict(sorted(texts.items()))})
    if len(body.encode()) > MAXIMUM_TEMPLATE_BYTES:
        raise InputError(
            f"{name}: its {len(texts)} different freeze calendars take {len(body.encode()) // 1024} KB together, more "
            "than CloudFormation's 50 KB",
            remedy="give these lanes the same freezes and time zone, deploy them with mode stacks, or put the freezes "
            "into a change calendar of your own and name it with change_calendar",
        )
    return FreezeSet(body, PARAMETER, slots)


def _slot(number: int) -> str:
    return f"Calendar{number + 1}"


def _template(name: str, places: Mapping[str, Mapping[str, str]], texts: Mapping[str, str]) -> str:
    key = {"Fn::FindInMap": ["Places", {"Ref": "AWS::Region"}, {"Ref": PARAMETER}]}
    document = {
        "Type": "AWS::SSM::Document",
        "Properties": {
            "Name": name,
            "DocumentType": "ChangeCalendar",
            "DocumentFormat": "TEXT",
            "UpdateMethod": "NewVersion",
            "Content": {"Fn::FindInMap": ["Calendars", key, "Text"]},
        },
    }
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Freezes of lanes: nothing is patched while this change calendar is closed.",
        "Parameters": {PARAMETER: {"Type": "String", "Default": _slot(0), "Description": "Which of the Region's."}},
        "Mappings": {"Places": places, "Calendars": {key: {"Text": text} for key, text in texts.items()}},
        "Resources": {"FreezeCalendar": document},
    }
    return json.dumps(template, indent=1)
