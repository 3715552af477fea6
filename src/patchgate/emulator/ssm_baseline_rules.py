"""What a patch baseline says: its rules, checked as AWS checks them, and the patches that they approve.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PatchFilter.html

Assumptions: the patches of a world are those that the vendor offers for the machine's own product, so that PRODUCT
filters match. A patch is there from its release on, and approved by a rule as many times 24 hours later as
ApproveAfterDays says, or when its release was, in UTC, on ApproveUntilDate or before. Where ApproveAfterDays is not
supported (Ubuntu, Debian) it is ignored, not rejected. A patch of ApprovedPatches has no delay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from patchgate.emulator.errors import AwsError, NotEmulatedError
from patchgate.emulator.ssm_constraints import OPERATING_SYSTEMS, matching, one_of, required, violation, within

if TYPE_CHECKING:
    from patchgate.emulator.world import Patch

COMPLIANCE_LEVELS = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNSPECIFIED")
MAXIMUM_FILTER_VALUES = 20
MAXIMUM_FILTERS = 4
MAXIMUM_RULES = 10

_RPM_KEYS = frozenset({"PRODUCT", "CLASSIFICATION", "SEVERITY"})
_DEB_KEYS = frozenset({"PRODUCT", "PRIORITY", "SECTION"})
_WINDOWS_KEYS = frozenset({"PATCH_SET", "PRODUCT", "PRODUCT_FAMILY", "CLASSIFICATION", "MSRC_SEVERITY"})
_DEB_SYSTEMS = frozenset({"UBUNTU", "DEBIAN", "RASPBIAN"})
_LISTS = ("ApprovedPatches", "RejectedPatches", "Sources")
_CREATED = datetime(2016, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Baseline:
    """One baseline. ``settings`` are the members of CreatePatchBaseline as they were given."""

    baseline_id: str
    name: str
    operating_system: str
    settings: Mapping[str, Any]
    created: datetime
    modified: datetime

    def approves(self, patch: Patch, now: datetime) -> bool:
        """Whether a missing patch is to be installed: it is there, and a rule or a list approves it by now."""
        if patch.released is not None and now < patch.released:
            return False
        if patch.id in self.settings.get("RejectedPatches", ()):
            return False
        if patch.id in self.settings.get("ApprovedPatches", ()):
            return True
        if any(not _fits(patch, item) for item in self.settings.get("GlobalFilters", {}).get("PatchFilters", ())):
            return False
        rules = self.settings.get("ApprovalRules", {}).get("PatchRules", ())
        return any(
            all(_fits(patch, item) for item in rule["PatchFilterGroup"]["PatchFilters"])
            and (patch.released is None or self._is_mature(patch.released, rule, now))
            for rule in rules
        )

    def _is_mature(self, released: datetime, rule: Mapping[str, Any], now: datetime) -> bool:
        """Whether a release is as old as a rule wants it to be."""
        until = rule.get("ApproveUntilDate")
        if until is not None:
            return released.astimezone(UTC).date().isoformat() <= str(until)
        days = 0 if self.operating_system in _DEB_SYSTEMS else int(rule["ApproveAfterDays"])
        return now >= released + timedelta(days=days)

    def shape(self) -> dict[str, Any]:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetPatchBaseline.html"""
        answer: dict[str, Any] = {
            "GlobalFilters": {"PatchFilters": []},
            "ApprovalRules": {"PatchRules": []},
            "ApprovedPatches": [],
            "ApprovedPatchesComplianceLevel": "UNSPECIFIED",
            "ApprovedPatchesEnableNonSecurity": False,
            "RejectedPatches": [],
            "RejectedPatchesAction": "ALLOW_AS_DEPENDENCY",
            "Sources": [],
        }
        answer |= {key: value for key, value in self.settings.items() if key not in ("Tags", "ClientToken")}
        return answer | {
            "BaselineId": self.baseline_id,
            "Name": self.name,
            "OperatingSystem": self.operating_system,
            "CreatedDate": self.created,
            "ModifiedDate": self.modified,
        }


def build_baseline(
    baseline_id: str, params: Mapping[str, Any], created: datetime, modified: datetime | None = None
) -> Baseline:
    """A baseline out of CreatePatchBaseline's members; raises AwsError ValidationException."""
    required(params, "Name")
    name = str(matching(params, "Name", r"[a-zA-Z0-9_\-.]{3,128}"))
    system = one_of(params, "OperatingSystem", OPERATING_SYSTEMS) or "WINDOWS"
    one_of(params, "ApprovedPatchesComplianceLevel", COMPLIANCE_LEVELS)
    one_of(params, "RejectedPatchesAction", ("ALLOW_AS_DEPENDENCY", "BLOCK"))
    for item in (params.get("GlobalFilters") or {}).get("PatchFilters", ()):
        _check_filter(system, item)
    rules = (params.get("ApprovalRules") or {}).get("PatchRules", [])
    if len(rules) > MAXIMUM_RULES:
        raise violation(
            "approvalRules.patchRules", rules, f"Member must have length less than or equal to {MAXIMUM_RULES}"
        )
    for rule in rules:
        _check_rule(system, rule)
    for key in _LISTS:
        if not isinstance(params.get(key, []), list):
            raise violation(key, params[key], "Member must be a list")
    settings = {key: value for key, value in params.items() if key not in ("Tags", "ClientToken") and value is not None}
    return Baseline(baseline_id, name, system, settings, created, modified or created)


def predefined_baseline(baseline_id: str, operating_system: str) -> Baseline:
    """The baseline that AWS predefines for an operating system.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-predefined-and-custom-patch-baselines.html
    """
    words = "".join(word.capitalize() for word in operating_system.split("_"))
    settings = {
        "Name": f"AWS-{words}DefaultPatchBaseline",
        "ApprovalRules": {"PatchRules": _predefined_rules(operating_system)},
    }
    return Baseline(baseline_id, settings["Name"], operating_system, settings, _CREATED, _CREATED)  # type: ignore[arg-type]


def _predefined_rules(operating_system: str) -> list[dict[str, Any]]:
    if operating_system == "WINDOWS":
        groups = [
            {"CLASSIFICATION": ["CriticalUpdates", "SecurityUpdates"], "MSRC_SEVERITY": ["Critical", "Important"]}
        ]
    elif operating_system in _DEB_SYSTEMS:
        groups = [{"PRIORITY": ["Required", "Important", "Standard", "Optional", "Extra"]}]
    else:
        groups = [
            {"CLASSIFICATION": ["Security"], "SEVERITY": ["Critical", "Important"]},
            {"CLASSIFICATION": ["Bugfix"]},
        ]
    return [
        {
            "PatchFilterGroup": {"PatchFilters": [{"Key": key, "Values": values} for key, values in group.items()]},
            "ComplianceLevel": "UNSPECIFIED",
            "ApproveAfterDays": 0 if operating_system in _DEB_SYSTEMS else 7,
            "EnableNonSecurity": False,
        }
        for group in groups
    ]


def filter_keys(operating_system: str) -> frozenset[str]:
    """The PatchFilter keys that rules for an operating system may use."""
    if operating_system == "WINDOWS":
        return _WINDOWS_KEYS
    if operating_system == "MACOS":
        return frozenset({"PRODUCT", "CLASSIFICATION"})
    return _DEB_KEYS if operating_system in _DEB_SYSTEMS else _RPM_KEYS


def _check_rule(operating_system: str, rule: Mapping[str, Any]) -> None:
    filters = (rule.get("PatchFilterGroup") or {}).get("PatchFilters")
    if filters is None:
        raise violation("patchRules.patchFilterGroup", "null", "Member must not be null")
    if len(filters) > MAXIMUM_FILTERS:
        raise violation("patchFilters", filters, f"Member must have length less than or equal to {MAXIMUM_FILTERS}")
    for item in filters:
        _check_filter(operating_system, item)
    one_of(rule, "ComplianceLevel", COMPLIANCE_LEVELS)
    within(rule, "ApproveAfterDays", 0, 360)
    until = matching(rule, "ApproveUntilDate", r"\d{4}-\d{2}-\d{2}")
    if (rule.get("ApproveAfterDays") is None) == (until is None):
        raise AwsError("ValidationException", "A rule needs either ApproveAfterDays or ApproveUntilDate.")
    if until is not None and operating_system in _DEB_SYSTEMS:
        raise AwsError("ValidationException", f"ApproveUntilDate is not supported for {operating_system}.")


def _check_filter(operating_system: str, item: Mapping[str, Any]) -> None:
    required(item, "Key", "Values")
    one_of(item, "Key", filter_keys(operating_system))
    values: Iterable[Any] = item["Values"]
    texts = [str(value) for value in values]
    if not 1 <= len(texts) <= MAXIMUM_FILTER_VALUES:
        raise violation("patchFilters.values", texts, f"Member must have 1 to {MAXIMUM_FILTER_VALUES} entries")
    if any(not re.fullmatch(r".{1,64}", text) for text in texts):
        raise violation("patchFilters.values", texts, "Member must have 1 to 64 characters")


def _fits(patch: Patch, item: Mapping[str, Any]) -> bool:
    key, values = item["Key"], item["Values"]
    if key in ("PRODUCT", "PRODUCT_FAMILY") or "*" in values:
        return True
    if key == "CLASSIFICATION":
        return patch.classification in values
    if key in ("SEVERITY", "MSRC_SEVERITY", "PRIORITY"):
        return patch.severity in values
    raise NotEmulatedError(f"patch filters by {key}")
