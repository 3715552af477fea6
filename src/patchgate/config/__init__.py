"""The fleet file: ``fleet.yaml`` read into a ``FleetConfig``, with every problem reported at once.

document          YAML text -> plain values and the place of each; refuses what a fleet file has no use for
words, values     the catalogues' words, the nearest valid one to a wrong one; the kinds of values
model, settings   the models: what a fleet file may say, and which template parameter each key becomes
freezes, waivers  two of them, with rules of their own
contradictions    what no single key can see
reading           file -> FleetConfig, or InputError with every problem and its line
layers, lanes     defaults < environment < operating system < target, merged for every lane; targets -> lanes
fleet             FleetConfig: lanes, waves, freeze periods, waivers
freeze_periods    freezes -> periods of time; ``holidays`` and ``ics`` are two of their sources
schema            the JSON Schema of the fleet file
"""

from patchgate.config.document import parse_document
from patchgate.config.fleet import FleetConfig, ParameterOverride, Wave
from patchgate.config.freeze_periods import FreezePeriod
from patchgate.config.lanes import LaneConfig, UnresolvedUnit
from patchgate.config.layers import Origin, ParameterKey
from patchgate.config.reading import parse_fleet, read_fleet, validate_document
from patchgate.config.words import describe_choices, describe_nearest

__all__ = [
    "FleetConfig",
    "FreezePeriod",
    "LaneConfig",
    "Origin",
    "ParameterKey",
    "ParameterOverride",
    "UnresolvedUnit",
    "Wave",
    "describe_choices",
    "describe_nearest",
    "parse_document",
    "parse_fleet",
    "read_fleet",
    "validate_document",
]
