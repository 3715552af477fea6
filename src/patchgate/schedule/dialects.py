"""The four services that take schedule expressions, and what each of them takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

Dialect = Literal["backup", "scheduler", "eventbridge-rule", "ssm"]
Kind = Literal["cron", "rate", "at"]


def describe_kind(kind: str) -> str:
    """``a cron``, ``a rate``, ``an at``."""
    return f"{'an' if kind == 'at' else 'a'} {kind}"


@dataclass(frozen=True, slots=True)
class DialectRules:
    """What one service takes.

    ``field_counts`` are the numbers of cron fields; ``maximum_length`` is the API's, 0 where it has none;
    ``documents_edges`` tells whether AWS says what becomes of local times that a clock change skips or repeats;
    ``strict_units`` whether it says that ``rate(1 hours)`` is wrong (the Scheduler's page has such an example);
    ``starts_at_anchor`` whether a rate's first run is at its start. ``minimum_gap_seconds`` is the documented least
    distance of cron runs, ``reported_gap_seconds`` one that users report. ``bare_fields``: documented also without
    ``cron(...)``.
    """

    service: str
    kinds: tuple[Kind, ...]
    field_counts: tuple[int, ...]
    page: str
    maximum_length: int = 256
    utc_only: bool = False
    documents_edges: bool = False
    strict_units: bool = True
    starts_at_anchor: bool = False
    offsets: bool = False
    minimum_gap_seconds: int = 0
    reported_gap_seconds: int = 0
    bare_fields: bool = False


RULES: Final[dict[Dialect, DialectRules]] = {
    "backup": DialectRules(
        service="AWS Backup",
        kinds=("cron",),
        field_counts=(6,),
        page="https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupRule.html",
        maximum_length=0,
        reported_gap_seconds=3600,
        bare_fields=True,
    ),
    "scheduler": DialectRules(
        service="EventBridge Scheduler",
        kinds=("cron", "rate", "at"),
        field_counts=(6, 5),
        page="https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html",
        documents_edges=True,
        strict_units=False,
        starts_at_anchor=True,
    ),
    "eventbridge-rule": DialectRules(
        service="EventBridge rules",
        kinds=("cron", "rate"),
        field_counts=(6,),
        page="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html",
        utc_only=True,
        documents_edges=True,
    ),
    "ssm": DialectRules(
        service="Systems Manager maintenance windows",
        kinds=("cron", "rate", "at"),
        field_counts=(6, 7),
        page="https://docs.aws.amazon.com/systems-manager/latest/userguide/reference-cron-and-rate-expressions.html",
        offsets=True,
        minimum_gap_seconds=300,
    ),
}

DIALECTS: Final[tuple[Dialect, ...]] = get_args(Dialect)
