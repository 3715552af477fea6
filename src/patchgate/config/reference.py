"""The reference page of the fleet file, made from its models."""

from __future__ import annotations

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from patchgate.config.model import FleetFile
from patchgate.config.settings import Sets, Settings, models_in

SETTINGS_TITLE = "Settings of `defaults`, `environments[]`, `operating_systems[]` and `targets[]`"

_KINDS = {str: "text", int: "number", bool: "true or false"}

INTRODUCTION = """\
A fleet file is YAML: what is patched, where, and with which settings. `examples/fleet.yaml` is a small one,
`examples/organization.yaml` has nearly every key. `patchgate init` writes one, `patchgate config show FLEET` says what
it comes to, and [Write a fleet file](../how-to/write-a-fleet-file.md) explains it by examples.

- Every problem is reported at once, as `file:line:column`, with the nearest valid word. Unknown keys are refused.
- Scalars follow YAML 1.2: `no` and `on` are words. Tags, anchors, aliases and duplicate keys are refused, and so are
  files larger than 4 MiB.
- `patchgate config schema` prints the JSON Schema. Editors that know the YAML language server read its name from the
  first line: `# yaml-language-server: $schema=fleet.schema.json`.

## Which value holds

Settings can stand at four layers. The later one wins, key by key:

1. `defaults`
2. the lane's entry in `environments`
3. the lane's entry in `operating_systems`
4. the lane's target

`--parameter` of `rehearse`, `check` and `calendar` wins over all of them. Four things are not one value:

- **Schedules go together.** A layer with `schedule.patch`, or with the four schedules, replaces what earlier layers say
  about them. `lead_minutes`, `duration_hours` and `cutoff_hours` are merged by themselves.
- **Freezes and waivers add up**: those of all layers hold. No layer takes a freeze away.
- **Tags and `parameters`** are merged by name.
- **`time_zones`** is looked at before `time_zone` of the same layer.

`patchgate config show FLEET --lane LANE` says for every parameter which line gave it. A parameter that no layer gives
has the [template's default](templates.md).

## Which lanes there are

A target means every combination of its accounts, Regions, operating systems and environments, without those that match
one of its `exceptions`. A lane belongs to one target: two that share one are an error that names both lines. An
organizational unit means all accounts below it, those of its child units too, as in
[stack sets](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-associate-stackset-with-org.html);
which they are, only AWS knows. `check`, `calendar` and `rehearse` refuse a fleet file with such units unless `--unit`
gives them their accounts; `config show` says which units it left out.

Environments are deployed one after the other: in the order of `environments`, or without it in the order
`lab`, `dev`, `sit`, `qa`, `uat`, `stg`, `prd`.
"""

NOTES = """\
## Freezes

A lane is frozen while any of its freezes holds: its gates hold, and its runbooks deny. Days and times are local to the
lane. Where a clock change makes a local time happen twice or not at all, the freeze is the longer one. A calendar file
is read strictly: an event that is not understood (a recurrence more often than daily, a changed occurrence, an unknown
time zone) is refused. All events freeze, those marked as free too; cancelled ones do not.

Holidays come from the [holidays](https://holidays.readthedocs.io/) library, in the release that is installed.

A lane's days, times, holidays and calendar files become an
[SSM change calendar](https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-change-calendar.html),
`patchgate-freezes-<os>-<env>` in the lane's account and Region, in a stack of that name; its gate reads it with those
of `change_calendar`. It holds the freezes of the current and the next two calendar years: deploy at least once a year.
To freeze at once, without a deployment, write the parameter `/patchgate/freeze`, as [the gate](gate.md) says.

## Waivers

The gate waives a message category for whole lanes (`WaivedMessageCategories`); a waiver for one instance is refused. A
waiver whose last day is over is not deployed any more, and `config show` reports it. What is deployed does not know the
end: a category stays waived in AWS until the lane is deployed again.

## Not in the fleet file

`Environment`, `PrincipalOrgID`, `S3Bucket` and `TargetOperatingSystem` are decided by the lane itself, and refused as
`parameters`. A customer key is of one Region and account: give it at a target of that Region and account.
"""


def build_fleet_page(notice: str) -> str:
    """The page: every key of every model, ``Settings`` once; ``notice`` is its first line."""
    parts = [notice, "# Fleet file", INTRODUCTION.strip(), "## Keys"]
    for title, model, fields in _sections():
        rows = [_row(name, field) for name, field in fields.items()]
        parts += [
            f"## {title}",
            (model.__doc__ or "").strip(),
            "\n".join(["| key | value | |", "|---|---|---|", *rows]),
        ]
    return "\n\n".join([*parts, NOTES.strip()]) + "\n"


def _sections() -> Iterator[tuple[str, type[BaseModel], dict[str, FieldInfo]]]:
    """(title, model, its own keys), models below others after them; the settings of all layers come last, once."""
    yield "The file", FleetFile, FleetFile.model_fields
    for path, model in _below(FleetFile, ""):
        if model is Settings:
            continue
        own = {name: field for name, field in model.model_fields.items() if not _is_setting(model, name)}
        yield f"`{path}`", model, own
    yield (
        "Settings of `defaults`, `environments[]`, `operating_systems[]` and `targets[]`",
        Settings,
        Settings.model_fields,
    )
    for path, model in _below(Settings, ""):
        yield f"`{path}`", model, model.model_fields


def _is_setting(model: type[BaseModel], name: str) -> bool:
    return issubclass(model, Settings) and name in Settings.model_fields


def _below(model: type[BaseModel], path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    for name, field in model.model_fields.items():
        if _is_setting(model, name) and model is not Settings:
            continue
        for inner in models_in(field.annotation):
            below = f"{path}.{name}".lstrip(".") + ("[]" if _bare(field.annotation)[0] is list else "")
            yield below, inner
            if inner is not Settings:
                yield from _below(inner, below)


def _row(name: str, field: FieldInfo) -> str:
    models = list(models_in(field.annotation))
    described = field.description or (models[0].__doc__ or "").splitlines()[0].replace("``", "`")
    sets = [f"`{entry.parameter}`" for entry in field.metadata if isinstance(entry, Sets)]
    needed = ", required" if field.is_required() else ""
    return f"| `{name}` | {_kind(field)}{needed} | {described}{f' Sets {sets[0]}.' if sets else ''} |"


def _bare(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """(origin or type, arguments) without ``None`` and ``Annotated``."""
    if get_origin(annotation) in (Union, UnionType):
        return _bare(next(each for each in get_args(annotation) if each is not NoneType))
    if hasattr(annotation, "__metadata__"):
        return _bare(get_args(annotation)[0])
    return get_origin(annotation) or annotation, get_args(annotation)


def _kind(field: FieldInfo) -> str:
    kind, arguments = _bare(field.annotation)
    if kind is list:
        return "list of mappings" if list(models_in(arguments[0])) else "list of words"
    if kind is dict:
        return "mapping of names to values"
    if kind is Literal:
        return "number" if isinstance(arguments[0], int) else "word"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "mapping"
    low, high = (
        next((getattr(each, bound) for each in field.metadata if hasattr(each, bound)), None) for bound in ("ge", "le")
    )
    if kind is int and low is not None:
        return f"{low} to {high}"
    return _KINDS.get(kind, "text")
