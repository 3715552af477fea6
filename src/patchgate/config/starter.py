"""The fleet file that ``patchgate init`` writes: small, commented, valid."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from patchgate.config.reading import parse_fleet
from patchgate.config.schema import EDITOR_LINE, FILE_NAME
from patchgate.config.values import (
    AccountId,
    AccountName,
    Email,
    EnvironmentName,
    OperatingSystemName,
    OrganizationId,
    RegionName,
    TimeOfDay,
    Weekday,
)
from patchgate.config.words import describe_refusal

_KINDS: dict[str, TypeAdapter[str]] = {
    "account id": TypeAdapter(AccountId),
    "account name": TypeAdapter(AccountName),
    "email": TypeAdapter(Email),
    "environment": TypeAdapter(EnvironmentName),
    "operating system": TypeAdapter(OperatingSystemName),
    "organization id": TypeAdapter(OrganizationId),
    "region": TypeAdapter(RegionName),
    "time": TypeAdapter(TimeOfDay),
    "weekday": TypeAdapter(Weekday),
}


@dataclass(frozen=True, slots=True)
class StarterAnswers:
    """What a first fleet file is made of. ``accounts``: (id, name) of each; ``log_account`` is an id or a name."""

    organization_id: str
    accounts: tuple[tuple[str, str], ...]
    regions: tuple[str, ...]
    operating_systems: tuple[str, ...]
    environments: tuple[str, ...]
    log_account: str
    weekday: str = "SAT"
    at: str = "23:00"
    email: str = ""


def check_answer(kind: str, value: str) -> str:
    """The value, if a fleet file takes it as such a kind; ValueError says why not, with the nearest valid word."""
    try:
        return _KINDS[kind].validate_python(value, strict=True)
    except ValidationError as error:
        message, remedy = describe_refusal(error.errors(include_url=False)[0]["ctx"])
        raise ValueError(f"{message} ({remedy})" if remedy else message) from None


def read_account(text: str) -> tuple[str, str]:
    """(id, name) of ``NAME=ID`` or of ``ID`` alone, whose name is then made from it. ValueError for anything else."""
    name, equals, identity = text.rpartition("=")
    identity = check_answer("account id", identity)
    return identity, check_answer("account name", name) if equals else f"account-{identity}"


def build_starter(answers: StarterAnswers) -> str:
    """The text of the fleet file. Raises InputError when the answers together make none."""
    text = _render(answers)
    parse_fleet(text.encode(), "the new fleet file")
    return text


def _render(answers: StarterAnswers) -> str:
    quote: Callable[[str], str] = json.dumps
    accounts = "\n".join(f"  - {{id: {quote(identity)}, name: {name}}}" for identity, name in answers.accounts)
    log_account = quote(answers.log_account) if answers.log_account.isdecimal() else answers.log_account
    if answers.email:
        notifications = f"  notifications: {{email: {quote(answers.email)}}}"
    else:
        notifications = "  # notifications: {email: patching@example.com}   # who is told"
    environments = "\n".join(f"  - name: {name}" for name in answers.environments)
    names = ", ".join(name for _, name in answers.accounts)
    return f"""\
{EDITOR_LINE}
# What is patched, where and when. `patchgate config show` says what it comes to, `patchgate check` proves that its
# schedules line up. For the first line, which is for editors: patchgate config schema -o {FILE_NAME}
version: 1

organization:
  id: {answers.organization_id}
  log_account: {log_account}   # holds the log buckets: a name out of accounts, or any account's id

accounts:
{accounts}

# What holds everywhere. Environments, operating systems and targets can say otherwise; the later one wins.
defaults:
  schedule:
    # When windows start, in the local time of each Region. Backup, gate and close are derived.
    # Also: ordinal: 2 (of the month), offset_days: 4, or instead cron: cron(0 23 ? * SAT *)
    patch: {{weekday: {answers.weekday}, at: "{answers.at}"}}
    duration_hours: 3
    cutoff_hours: 1         # the last hours, in which no install starts any more
  gate:
    mode: coverage          # opens when enough of the running instances have a fresh backup
    minimum_coverage_percent: 80
  backup: {{retention_days: 7}}
  approval_days: 7          # from a patch's release to its approval
  concurrency: {{install: 25%}}
  error_budget: {{install: 25%}}
{notifications}
  # freezes:                # when nothing is patched
  #   - {{reason: year-end closing, first_day: 12-18, last_day: 01-04}}
  #   - {{reason: public holiday, holidays: DE}}

# In the order of promotion: each is deployed when the one before it is through. Settings can stand beside the name.
environments:
{environments}

# Every combination of the four lists is a lane: (account, Region, operating system, environment).
targets:
  - accounts: [{names}]
    regions: [{", ".join(answers.regions)}]
    operating_systems: [{", ".join(answers.operating_systems)}]
    environments: [{", ".join(answers.environments)}]
    # exceptions:
    #   - {{regions: [{answers.regions[0]}], operating_systems: [{answers.operating_systems[0]}]}}
"""
