"""A whole template: its groups of parameters, mappings, conditions, resources and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from patchgate import __version__
from patchgate.domain.regions import PUBLIC_PARTITIONS, regions
from patchgate.templates.gate_code import gate_hash
from patchgate.templates.intrinsics import Node, choose, find_in_map, ref
from patchgate.templates.parameters import Group, Parameter, is_given
from patchgate.templates.yaml_text import render_yaml

MAXIMUM_BYTES = 51_000
"""What a template may weigh: a little less than the 51,200 bytes that CloudFormation takes inline."""

TIME_ZONE = choose("HasTimeZone", ref("TimeZone"), find_in_map("RegionTimeZones", ref("AWS::Region"), "Zone"))
TIME_ZONE_CONDITIONS = {"HasTimeZone": is_given("TimeZone")}
KEY_CONDITIONS = {"HasKey": is_given("KmsKeyArn")}
BUCKET_KEY_CONDITIONS = {"HasBucketKey": is_given("LogBucketKmsKeyArn")}


@dataclass(frozen=True)
class Template:
    """One of the three templates, as data. What is computed of it is computed once: all lanes have the same."""

    name: str
    description: str
    groups: tuple[Group, ...]
    resources: Mapping[str, Node]
    outputs: Mapping[str, tuple[str, Any]]
    conditions: Mapping[str, Node] = field(default_factory=dict)
    mappings: Mapping[str, Node] = field(default_factory=dict)

    @property
    def file_name(self) -> str:
        return f"{self.name}.yaml"

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Every parameter, in the order of the console's form."""
        return tuple(parameter for group in self.groups for parameter in group.parameters)

    def body(self) -> Node:
        """The template as CloudFormation's JSON data, intrinsics in their long form."""
        sections: Node = {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": self.description,
            "Metadata": self._metadata(),
            "Parameters": {parameter.name: parameter.body() for parameter in self.parameters},
            "Mappings": dict(self.mappings),
            "Conditions": dict(self.conditions),
            "Resources": dict(self.resources),
            "Outputs": {name: {"Description": text, "Value": value} for name, (text, value) in self._outputs().items()},
        }
        return {name: section for name, section in sections.items() if section}

    def text(self) -> str:
        """The file: a comment that says where it comes from, and the YAML."""
        return self._text

    @cached_property
    def _text(self) -> str:
        return (
            f"# {self.name}: written by patchgate {__version__} (gate code {gate_hash()}); synth overwrites it.\n"
            + render_yaml(self.body())
        )

    def _metadata(self) -> Node:
        groups = [
            {"Label": {"default": group.title}, "Parameters": [parameter.name for parameter in group.parameters]}
            for group in self.groups
        ]
        return {"AWS::CloudFormation::Interface": {"ParameterGroups": groups}}

    def _outputs(self) -> dict[str, tuple[str, Any]]:
        return dict(self.outputs) | {
            "PatchgateVersion": ("Version of patchgate", __version__),
            "GateHash": ("Hash of the gate code", gate_hash()),
        }


def time_zones() -> dict[str, Node]:
    """The mapping from Region to time zone; a Region whose location is not published is not in it."""
    known = {
        region.name: {"Zone": region.time_zone}
        for region in sorted(regions(), key=lambda r: r.name)
        if region.partition in PUBLIC_PARTITIONS
    }
    return {"RegionTimeZones": {name: zone for name, zone in known.items() if zone["Zone"]}}
