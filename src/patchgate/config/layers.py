"""Layers of settings, and what they come to in a lane: every template parameter with where its value came from.

The order is defaults < environment < operating system < target < ``--parameter``; the later one wins, key by key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from patchgate.config.document import Document, Path
from patchgate.config.freezes import Freeze
from patchgate.config.model import LogBucket
from patchgate.config.settings import DERIVED_SCHEDULES, Settings, settings_keys, value_at
from patchgate.config.values import as_parameter_value
from patchgate.config.waivers import Waiver
from patchgate.schedule.derivation import Statement

BUCKET_TEMPLATE = "aws-create-s3-stack"
MINUTES_OF_LEAD = 30
_ZONE = "TimeZone"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was said: its layer, its key (``schedule.patch``), and the line and column; 0 is in no file."""

    layer: str
    key: str
    source: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        place = f"{self.source}:{self.line}:{self.column} " if self.line else ""
        return f"{place}({self.layer}: {self.key})"


@dataclass(frozen=True, slots=True)
class ParameterKey:
    """A template parameter; ``template`` is '' where the value is meant for every template that has it."""

    name: str
    template: str = ""


@dataclass(frozen=True, slots=True)
class PlacedStatement:
    """``schedule.patch``, and the minutes from the gate to the window."""

    statement: Statement
    origin: Origin
    lead_minutes: int = MINUTES_OF_LEAD


@dataclass(frozen=True, slots=True)
class PlacedFreeze:
    """One freeze of a fleet file, and where it stands."""

    freeze: Freeze
    origin: Origin


@dataclass(frozen=True, slots=True)
class PlacedWaiver:
    """One waiver of a fleet file, and where it stands."""

    waiver: Waiver
    origin: Origin


Value = tuple[str, Origin]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer, read once: the parameters that its keys set, and what is no parameter.

    ``says_when``: it decides the schedules, by ``patch`` or by all four.
    """

    name: str
    values: Mapping[ParameterKey, Value] = field(default_factory=dict)
    zones: Mapping[str, Value] = field(default_factory=dict)
    tags: Mapping[str, Value] = field(default_factory=dict)
    says_when: bool = False
    patch: PlacedStatement | None = None
    lead: int | None = None
    freezes: tuple[PlacedFreeze, ...] = ()
    waivers: tuple[PlacedWaiver, ...] = ()


@dataclass(frozen=True, slots=True)
class MergedSettings:
    """What the layers come to."""

    values: Mapping[ParameterKey, Value]
    tags: Mapping[str, Value]
    patch: PlacedStatement | None
    freezes: tuple[PlacedFreeze, ...]
    waivers: tuple[PlacedWaiver, ...]

    @property
    def boundary(self) -> str:
        """The permissions boundary as the file says it, which an account may have to complete; '' for none."""
        given = self.values.get(ParameterKey("PermissionsBoundaryArn"))
        return given[0] if given else ""


def read_layer(settings: Settings, name: str, document: Document, path: Path) -> Layer:
    """The settings that stand at ``path`` of the document, as a layer of that name."""

    def origin(*below: str | int) -> Origin:
        line, column = document.place_of((*path, *below), of_key=True)
        key = ".".join(part for part in below if isinstance(part, str))
        return Origin(name, key, document.source, line, column)

    def text(value: object) -> str:
        return str(as_parameter_value(value))

    values = {
        ParameterKey(sets.parameter, sets.template): (text(value), origin(*key))
        for key, sets in settings_keys()
        if (value := value_at(settings, key)) is not None
    }
    values |= {
        ParameterKey(parameter): (value, origin("parameters", parameter))
        for parameter, value in settings.parameters.items()
    }
    schedule = settings.schedule
    patch = schedule.patch if schedule else None
    return Layer(
        name,
        values,
        {region: (zone, origin("time_zones", region)) for region, zone in settings.time_zones.items()},
        {tag: (value, origin("tags", tag)) for tag, value in settings.tags.items()},
        schedule is not None and (schedule.patch or schedule.window) is not None,
        PlacedStatement(patch.statement, origin("schedule", "patch")) if patch else None,
        schedule.lead_minutes if schedule else None,
        tuple(PlacedFreeze(each, origin("freezes", number)) for number, each in enumerate(settings.freezes)),
        tuple(PlacedWaiver(each, origin("waivers", number)) for number, each in enumerate(settings.waivers)),
    )


def read_log_bucket(bucket: LogBucket, document: Document) -> Layer:
    """What ``log_bucket`` sets; it is no layer of the lanes' settings, but beneath all of them."""
    keys = (
        ("name_prefix", ParameterKey("PatchingLogsBucketName")),
        ("retention_days", ParameterKey("LogRetentionDays", BUCKET_TEMPLATE)),
        ("kms_key", ParameterKey("KmsKeyArn", BUCKET_TEMPLATE)),
        ("kms_key", ParameterKey("LogBucketKmsKeyArn")),
    )
    values: dict[ParameterKey, Value] = {}
    for key, parameter in keys:
        value = getattr(bucket, key)
        if value is not None:
            line, column = document.place_of(("log_bucket", key), of_key=True)
            values[parameter] = str(value), Origin("log bucket", key, document.source, line, column)
    return Layer("log bucket", values)


def merge_layers(layers: Iterable[Layer], region: str) -> MergedSettings:
    """What the layers come to in a Region, later ones over earlier ones.

    Schedules go together: a layer that says when, by ``patch`` or by all four, leaves nothing of what earlier layers
    said about it. Freezes and waivers of all layers hold.
    """
    values: dict[ParameterKey, Value] = {}
    tags: dict[str, Value] = {}
    patch: PlacedStatement | None = None
    lead = MINUTES_OF_LEAD
    freezes: tuple[PlacedFreeze, ...] = ()
    waivers: tuple[PlacedWaiver, ...] = ()
    for layer in layers:
        if layer.says_when:
            patch = layer.patch
            for name in DERIVED_SCHEDULES:
                values.pop(ParameterKey(name), None)
        lead = layer.lead or lead
        for key in [key for key in values if key.template and ParameterKey(key.name) in layer.values]:
            del values[key]
        values |= layer.values
        if region in layer.zones:
            values[ParameterKey(_ZONE)] = layer.zones[region]
        tags |= layer.tags
        freezes += layer.freezes
        waivers += layer.waivers
    if patch is not None:
        patch = PlacedStatement(patch.statement, patch.origin, lead)
    return MergedSettings(values, tags, patch, freezes, waivers)
