"""Patch baselines: one for each SSM ``OperatingSystem`` of the lane's family, from the catalogue.

A node whose patch group has no baseline for its operating system silently gets the account's default one; so every
member of a family has its own. None is a default baseline: stacks of other lanes must not fight over that.
https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-patch-groups.html
"""

from __future__ import annotations

from patchgate.domain.operating_systems import Baseline, OperatingSystemFamily, operating_systems
from patchgate.plan import names
from patchgate.templates.intrinsics import Node, equals, ref, sub
from patchgate.templates.parameters import Group, Parameter, number

MAXIMUM_FILTER_VALUES = 20
"""How many values one PatchFilter holds."""


def _versions(family: OperatingSystemFamily, baseline: Baseline) -> Parameter:
    return Parameter(
        baseline.parameter,
        f"{family.title}: products to patch, at most {MAXIMUM_FILTER_VALUES}, or *.",
        "CommaDelimitedList",
        ",".join(baseline.products),
    )


GROUP = Group(
    "Patches",
    (
        number(
            "ApproveAfterDays", "Days from a patch's release to its approval; Ubuntu and Debian: always 0.", 7, 0, 360
        ),
        *(_versions(family, baseline) for family in operating_systems() for baseline in family.baselines),
    ),
)


def condition_name(family: OperatingSystemFamily) -> str:
    """The condition that the lane's operating system is that family: IsAmazonLinux, IsUbuntu and so on."""
    return "IsAmazonLinux" if family.name == "amazonlinux" else f"Is{family.name.capitalize()}"


CONDITIONS = {
    condition_name(family): equals(ref("TargetOperatingSystem"), family.name) for family in operating_systems()
}


def build_baseline_resources() -> dict[str, Node]:
    """logical id -> resource."""
    return {
        baseline.logical_id: _baseline(family, baseline)
        for family in operating_systems()
        for baseline in family.baselines
    }


def _baseline(family: OperatingSystemFamily, baseline: Baseline) -> Node:
    filters = [
        {"Key": "PRODUCT", "Values": ref(baseline.parameter)},
        *({"Key": key, "Values": list(values)} for key, values in baseline.filters),
    ]
    return {
        "Type": "AWS::SSM::PatchBaseline",
        "Condition": condition_name(family),
        "Properties": {
            "Name": sub(names.PATCH_BASELINE.as_sub(baseline=baseline.name)),
            "OperatingSystem": baseline.operating_system,
            "PatchGroups": [sub(names.PATCH_GROUP.as_sub(os=family.name))],
            "ApprovalRules": {
                "PatchRules": [
                    {
                        "ApproveAfterDays": ref("ApproveAfterDays") if baseline.approve_after_days else 0,
                        "PatchFilterGroup": {"PatchFilters": filters},
                    }
                ]
            },
        },
    }
