"""The freeze calendars of lanes that one stack set carries: one template with every calendar, chosen by a parameter.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/mappings-section-structure.html

Assumed, because AWS names no limit of its own: a value of a mapping may be as long as the template allows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from patchgate.errors import InputError
from patchgate.operations.rollout.facts import digest_of
from patchgate.plan.freeze_calendar import MAXIMUM_TEMPLATE_BYTES, FreezeCalendar

PARAMETER = "Calendar"
_KEY_LENGTH = 16


@dataclass(frozen=True, slots=True)
class FreezeSet:
    """The stack set's template, its parameter, and the value of that for each lane's name."""

    body: str
    parameter: str
    keys: Mapping[str, str]


def build_freeze_set(calendars: Mapping[str, FreezeCalendar]) -> FreezeSet:
    """Lane name -> calendar, all of one operating system and environment. InputError when they take too much room."""
    keys = {lane: digest_of(calendar.text)[:_KEY_LENGTH] for lane, calendar in calendars.items()}
    texts = {keys[lane]: {"Text": calendar.text} for lane, calendar in sorted(calendars.items())}
    name = next(iter(calendars.values())).name
    document = {
        "Type": "AWS::SSM::Document",
        "Properties": {
            "Name": name,
            "DocumentType": "ChangeCalendar",
            "DocumentFormat": "TEXT",
            "UpdateMethod": "NewVersion",
            "Content": {"Fn::FindInMap": ["Calendars", {"Ref": PARAMETER}, "Text"]},
        },
    }
    body = json.dumps(
        {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": "Freezes of lanes: nothing is patched while this change calendar is closed.",
            "Parameters": {PARAMETER: {"Type": "String", "Description": "Which of the calendars."}},
            "Mappings": {"Calendars": dict(sorted(texts.items()))},
            "Resources": {"FreezeCalendar": document},
        },
        indent=1,
    )
    if len(body.encode()) > MAXIMUM_TEMPLATE_BYTES:
        raise InputError(
            f"{name}: its {len(texts)} different freeze calendars take {len(body.encode()) // 1024} KB together, more "
            "than CloudFormation's 50 KB",
            remedy="give these lanes the same freezes and time zone, deploy them with mode stacks, or put the freezes "
            "into a change calendar of your own and name it with change_calendar",
        )
    return FreezeSet(body, PARAMETER, keys)
