"""The fleet file: ``fleet.yaml`` read into a ``FleetConfig``, with every problem reported at once.

document    YAML text -> plain values and the place of each; refuses what a fleet file has no use for
words       the catalogues' words, and the nearest valid one to a wrong one
fleet       the models: what a fleet file may say
reading     file -> FleetConfig, or InputError with every problem and its line
"""

from patchgate.config.document import parse_document
from patchgate.config.fleet import Account, Defaults, FleetConfig, LaneConfig, Organization, ParameterOverride, Target
from patchgate.config.reading import parse_fleet, read_fleet, validate_document
from patchgate.config.words import describe_choices

__all__ = [
    "Account",
    "Defaults",
    "FleetConfig",
    "LaneConfig",
    "Organization",
    "ParameterOverride",
    "Target",
    "describe_choices",
    "parse_document",
    "parse_fleet",
    "read_fleet",
    "validate_document",
]
