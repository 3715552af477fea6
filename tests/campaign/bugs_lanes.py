"""Bugs that show only where a lane is given more than the defaults: a bucket elsewhere, keys, waivers, an offset."""

from __future__ import annotations

from typing import Any

from .seeding import ABSENT, LOGS, MONITORING, PATCH, Bug, SourceEdit, TemplateEdit

_SHARED = ("shared-logs",)
_CALENDAR = ("calendar",)
_CALENDARS = "get_calendar_state(CalendarNames=calendars,"
_WAIVED = 'if issue != "SUCCESS" and issue not in waived:'
_UNPROMISED = "what machines write of their patches is lost then, and no promise is about that"
_NO_VALUE = {"Ref": "AWS::NoValue"}


def _bucket_policy(sid: str, action: Any) -> TemplateEdit:
    statements = ("PatchingLogsBucketPolicy", "Properties", "PolicyDocument", "Statement")
    return TemplateEdit(LOGS, (*statements, sid, "Action"), action, "s3:GetBucketLocation")


def _key_use(template: str, policy: tuple[str, ...], place: int, condition: str, use: Any) -> TemplateEdit:
    path = (*policy, "PolicyDocument", "Statement", str(place))
    there = {"Fn::If": [condition, {**use, "Effect": "Allow"}, _NO_VALUE]}
    return TemplateEdit(template, path, there, ABSENT)


_GATE_POLICY = ("GatePolicy", "Properties")
_BOTH = ["kms:Decrypt", "kms:GenerateDataKey"]
_BUCKET_KEY = {"Ref": "LogBucketKmsKeyArn"}

LANE_BUGS = (
    Bug(
        "watchdog-disables-live-window",
        "a watchdog that comes while a window runs disables it, lease or no lease",
        "promise 5",
        (
            SourceEdit(
                "close_window",
                'window["Enabled"] and not any(is_live(lease, now) for lease in leases.values())',
                'window["Enabled"]',
            ),
        ),
        shapes=_SHARED,
    ),
    Bug(
        "watchdog-closes-live-lease",
        "a watchdog closes every lease whose window has begun, as a close does",
        "promise 5",
        (SourceEdit("close_window", '["window_end" if mode == "watchdog" else "window_start"]', '["window_start"]'),),
        shapes=_SHARED,
    ),
    Bug(
        "watchdog-closes-hours-early",
        "a watchdog closes leases whose windows end within three hours",
        "promise 5",
        (
            SourceEdit(
                "close_window",
                "ended_by = now if watchdog else scheduled",
                "ended_by = now + timedelta(hours=3) if watchdog else scheduled",
            ),
        ),
        shapes=_SHARED,
    ),
    Bug(
        "waiver-forgotten",
        "a waived category denies like any other",
        "F04",
        (SourceEdit("rules", _WAIVED, 'if issue != "SUCCESS":'),),
        "F04",
        _SHARED,
    ),
    Bug(
        "waiver-forgotten-in-proof",
        "the gate knows of a waived category, the proof does not",
        "F04",
        (SourceEdit("rules", _WAIVED, 'if issue != "SUCCESS":', "prove"),),
        "F04",
        _SHARED,
    ),
    Bug(
        "waiver-of-all",
        "where one category is waived, all are",
        "F04",
        (SourceEdit("rules", _WAIVED, 'if issue != "SUCCESS" and not any(waived):'),),
        "F04",
        _SHARED,
    ),
    Bug(
        "proof-first-calendar",
        "the proof asks the first of two calendars only",
        "F53",
        (SourceEdit("prove", _CALENDARS, _CALENDARS.replace("calendars", "calendars[:1]")),),
        "F53",
        _CALENDAR,
    ),
    Bug(
        "proof-last-calendar",
        "the proof asks the last of two calendars only",
        "F53",
        (SourceEdit("prove", _CALENDARS, _CALENDARS.replace("calendars", "calendars[-1:]")),),
        "F53",
        _CALENDAR,
    ),
    Bug(
        "open-first-calendar",
        "the gate asks the first of two calendars only",
        "F53",
        (SourceEdit("open_window", _CALENDARS, _CALENDARS.replace("calendars", "calendars[:1]")),),
        "F53",
        _CALENDAR,
    ),
    Bug(
        "bucket-takes-no-evidence",
        "the log bucket of another account takes no evidence from the gate",
        "promise 4",
        (_bucket_policy("AllowGateToWriteEvidence", "s3:PutObject"),),
        shapes=_SHARED,
    ),
    Bug(
        "bucket-shows-no-evidence",
        "the log bucket of another account shows the close no evidence",
        "promise 5",
        (_bucket_policy("AllowCloseToReadEvidence", ["s3:GetObject", "s3:ListBucket"]),),
        shapes=_SHARED,
    ),
    Bug(
        "bucket-takes-no-logs-of-machines",
        "the log bucket of another account takes no logs from roles of machines",
        "F44",
        (_bucket_policy("AllowIamRole", ["s3:PutObject", "s3:PutObjectAcl"]),),
        shapes=_SHARED,
        unseen=_UNPROMISED,
    ),
    Bug(
        "bucket-takes-no-logs-of-systems-manager",
        "the log bucket of another account takes no logs from Systems Manager",
        "F44",
        (_bucket_policy("AllowSystemsManager", "s3:PutObject"),),
        shapes=_SHARED,
        unseen=_UNPROMISED,
    ),
    Bug(
        "gate-without-the-bucket-s-key",
        "gate and close may not use the customer key of the log bucket",
        "F45",
        (
            _key_use(
                MONITORING,
                _GATE_POLICY,
                5,
                "HasBucketKey",
                {"Sid": "UseBucketKey", "Action": _BOTH, "Resource": _BUCKET_KEY},
            ),
        ),
        shapes=_SHARED,
    ),
    Bug(
        "proof-without-the-bucket-s-key",
        "the proof may not use the customer key of the log bucket",
        "F45",
        (
            _key_use(
                PATCH,
                ("ProveRole", "Properties", "Policies", "0"),
                5,
                "HasBucketKey",
                {"Sid": "UseBucketKey", "Action": "kms:GenerateDataKey", "Resource": _BUCKET_KEY},
            ),
        ),
        shapes=_SHARED,
    ),
    Bug(
        "window-without-its-offset",
        "the window starts on its schedule's day, whatever the offset says",
        "promise 6",
        (
            TemplateEdit(
                PATCH,
                ("SsmMaintenanceWindow", "Properties", "ScheduleOffset"),
                {"Fn::If": ["HasOffset", {"Ref": "MaintenanceWindowScheduleOffset"}, _NO_VALUE]},
                ABSENT,
            ),
        ),
        shapes=("thrifty",),
    ),
)
