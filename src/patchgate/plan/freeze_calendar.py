"""A lane's freezes as an SSM Change Calendar: its name, its text (RFC 5545), and the stack that holds it.

https://docs.aws.amazon.com/systems-manager/latest/userguide/change-calendar-create.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-document.html

Assumed, because AWS says nothing: a calendar of type DEFAULT_OPEN with several events, all in UTC, is closed during
each of them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

from patchgate.errors import InputError
from patchgate.plan.names import FREEZE_CALENDAR

if TYPE_CHECKING:
    from patchgate.config import FreezePeriod, LaneConfig

MAXIMUM_TEMPLATE_BYTES = 51_200
"""What CloudFormation takes inline; a Change Calendar itself may have 64 KB.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""

_PRODUCT = "-//AWS//Change Calendar 1.0//EN"  # as in AWS's own calendars
_LONGEST_SUMMARY = 200


@dataclass(frozen=True, slots=True)
class FreezeCalendar:
    """The change calendar of one lane: its iCalendar ``text``; ``until`` (aware UTC) is the end of its last event."""

    name: str
    text: str
    until: datetime

    def template(self) -> str:
        """The CloudFormation template of the stack that holds it, as JSON. InputError when it is too large."""
        document = {
            "Type": "AWS::SSM::Document",
            "Properties": {
                "Name": self.name,
                "DocumentType": "ChangeCalendar",
                "DocumentFormat": "TEXT",
                "UpdateMethod": "NewVersion",
                "Content": self.text,
            },
        }
        text = json.dumps(
            {
                "AWSTemplateFormatVersion": "2010-09-09",
                "Description": "Freezes of one lane: nothing is patched while this change calendar is closed.",
                "Resources": {"FreezeCalendar": document},
            },
            indent=1,
        )
        if len(text.encode()) > MAXIMUM_TEMPLATE_BYTES:
            raise InputError(
                f"{self.name}: its freezes take {len(text.encode()) // 1024} KB, more than CloudFormation's 50 KB",
                remedy="put them into a change calendar of your own, and name it with change_calendar",
            )
        return text


def freeze_calendar_name(lane: LaneConfig) -> str:
    """The name of the lane's change calendar, in its account and Region."""
    return FREEZE_CALENDAR.render(os=lane.lane.os, env=lane.lane.env)


def needs_freeze_calendar(lane: LaneConfig) -> bool:
    """Whether the lane has freezes that become a change calendar; while their days are not known, any may."""
    if lane.freeze_periods is not None:
        return bool(lane.freeze_periods)
    return any(each.freeze.kind != "change_calendar" for each in lane.freezes)


def build_freeze_calendar(lane: LaneConfig) -> FreezeCalendar | None:
    """The change calendar that the lane's freezes become; None where they become none, or their days are not known."""
    if not lane.freeze_periods:
        return None
    return FreezeCalendar(
        freeze_calendar_name(lane), render_freeze_calendar(lane.freeze_periods), lane.freeze_periods[-1].end
    )


@lru_cache(maxsize=256)  # many lanes have the same freezes
def render_freeze_calendar(periods: tuple[FreezePeriod, ...]) -> str:
    """The periods as the text of a Change Calendar that is open by default. The same periods give the same text."""
    from icalendar import Calendar, Event  # noqa: PLC0415 - most lanes have no freezes

    calendar = Calendar()
    for name, value in (("PRODID", _PRODUCT), ("VERSION", "2.0"), ("X-CALENDAR-TYPE", "DEFAULT_OPEN")):
        calendar.add(name, value)
    for period in periods:
        summary = "; ".join(period.reasons)
        key = f"{period.start.isoformat()}|{period.end.isoformat()}"
        event = Event()
        event.add("UID", f"{sha256(key.encode()).hexdigest()[:32]}@patchgate")
        event.add("DTSTAMP", period.start)
        event.add("DTSTART", period.start)
        event.add("DTEND", period.end)
        event.add("SUMMARY", summary if len(summary) <= _LONGEST_SUMMARY else f"{summary[: _LONGEST_SUMMARY - 3]}...")
        calendar.add_component(event)
    text: bytes = calendar.to_ical(sorted=False)
    return text.decode()
