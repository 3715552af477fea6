"""Which accounts an operation on a stack set is for: accounts, or units with filters.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeploymentTargets.html

Assumptions: with INTERSECTION, an account that is in none of the units is left out without an error; with
INTERSECTION, the units do not become targets of automatic deployment; an update or deletion by unit is also for
instances deployed through the unit whose account has left it since.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from patchgate.emulator.cloud import Params, partition_of
from patchgate.emulator.cloudformation.reader import invalid
from patchgate.emulator.cloudformation.stack_sets_state import StackInstance, StackSet
from patchgate.emulator.errors import NotEmulatedError
from patchgate.emulator.organizations import Organizations
from patchgate.emulator.regions import known_regions

MAX_UNITS = 50
_FILTERS = ("NONE", "INTERSECTION", "DIFFERENCE", "UNION")


@dataclass(frozen=True, slots=True)
class Targets:
    """DeploymentTargets, checked. A self-managed set has ``accounts`` only, and the filter UNION."""

    accounts: tuple[str, ...]
    units: tuple[str, ...] = ()
    filter: str = "UNION"
    given: Mapping[str, Any] | None = None

    @property
    def deploys_automatically(self) -> bool:
        """Whether the units are targets of automatic deployment from now on."""
        return self.filter in ("NONE", "DIFFERENCE", "UNION")


def checked_targets(params: Params, stack_set: StackSet, organizations: Organizations) -> Targets | None:
    """What an operation is for, None where nothing is said; ValidationError where that does not fit the set."""
    given, accounts = params.get("DeploymentTargets"), params.get("Accounts")
    if given and accounts:
        raise invalid("You can specify Accounts or DeploymentTargets, but not both.")
    if not given and not accounts:
        return None
    if given and given.get("AccountsUrl"):
        raise NotEmulatedError("DeploymentTargets with AccountsUrl")
    if not stack_set.service_managed:
        return _self_managed(given, accounts)
    if accounts or not given:
        raise invalid("StackSets with SERVICE_MANAGED permission model can only have OrganizationalUnit as target")
    units, named = tuple(given.get("OrganizationalUnitIds") or ()), _accounts(given.get("Accounts") or ())
    kind = given.get("AccountFilterType") or ("UNION" if named else "NONE")
    if kind not in _FILTERS:
        raise invalid(f"AccountFilterType must satisfy enum value set: [{', '.join(_FILTERS)}]")
    if kind in ("INTERSECTION", "DIFFERENCE") and not (units and named):
        raise invalid(f"AccountFilterType {kind} needs both OrganizationalUnitIds and Accounts.")
    if len(units) > MAX_UNITS:
        raise invalid(f"An operation can target at most {MAX_UNITS} organizational units.")
    unknown = [unit for unit in units if not organizations.knows_parent(unit)]
    if unknown:
        raise invalid(f"Organizational unit or root does not exist: [{', '.join(unknown)}]")
    return Targets(named, units, str(kind), dict(given))


def _self_managed(given: Mapping[str, Any] | None, accounts: Sequence[str] | None) -> Targets:
    if given and (given.get("OrganizationalUnitIds") or given.get("AccountFilterType")):
        raise invalid("StackSets with SELF_MANAGED permission model can only have accounts as target")
    named = _accounts(accounts or (given or {}).get("Accounts") or ())
    if not named:
        raise invalid("At least one account must be specified.")
    return Targets(named, given=dict(given) if given else None)


def _accounts(accounts: Sequence[str]) -> tuple[str, ...]:
    wrong = [account for account in accounts if not re.fullmatch(r"[0-9]{12}", str(account))]
    if wrong:
        raise invalid(f"Account ids have 12 digits: [{', '.join(wrong)}]")
    return tuple(dict.fromkeys(accounts))


def checked_regions(params: Params, partition: str) -> list[str]:
    """The Regions of a request, each once; ValidationError (its text is ours) for one that the partition has not."""
    regions = list(dict.fromkeys(params.get("Regions") or ()))
    wrong = [name for name in regions if name not in known_regions() or partition_of(name) != partition]
    if wrong:
        raise invalid(f"Invalid Regions: [{', '.join(wrong)}]")
    return regions


def new_targets(targets: Targets, stack_set: StackSet, organizations: Organizations) -> dict[str, str]:
    """The accounts in which a creation makes instances, each with the unit through which it is a target.

    The management account is never a target of a service-managed set.
    """
    if not stack_set.service_managed:
        return dict.fromkeys(targets.accounts, "")
    if targets.filter == "UNION" or not targets.units:
        raise invalid(
            "A creation needs OrganizationalUnitIds, and an AccountFilterType other than UNION with Accounts."
        )
    organization = organizations.organization
    found: dict[str, str] = {}
    for unit in targets.units:
        for account in organizations.accounts_under(unit):
            named = account in targets.accounts
            wanted = {"NONE": True, "INTERSECTION": named, "DIFFERENCE": not named}[targets.filter]
            if wanted and organization is not None and account != organization.management_account:
                found.setdefault(account, unit)
    return found


def is_target(instance: StackInstance, targets: Targets, organizations: Organizations) -> bool:
    """Whether an update or a deletion is for an instance."""
    named = instance.account in targets.accounts
    lines = [instance.unit]
    if organizations.is_member(instance.account):
        lines.append(organizations.parent_of(instance.account))
    inside = any(unit in organizations.lineage(line) for unit in targets.units for line in lines if line)
    match targets.filter:
        case "NONE":
            return inside
        case "INTERSECTION":
            return inside and named
        case "DIFFERENCE":
            return inside and not named
    return inside or named
