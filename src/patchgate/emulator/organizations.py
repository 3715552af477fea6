"""AWS Organizations: the accounts of an organization and the units that they are in.

An organization is put into the cloud as data; the API reads it. What happens to accounts (they join, move, are
suspended, leave) is done with the methods ``add_account``, ``move_account``, ``suspend_account`` and
``remove_account``, of which ``watch`` tells others. https://docs.aws.amazon.com/organizations/latest/APIReference/

Assumptions: every account of an organization joined it when the organization was put into the cloud, or when it was
added; Organizations lists children in the order in which they were given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from patchgate.emulator.cloud import Cloud, Component, Params, Result, Scope, operation, paginate, partition_of
from patchgate.emulator.errors import AwsError

STACK_SETS = "member.org.stacksets.cloudformation.amazonaws.com"
"""The service principal of stack sets, as trusted access names it."""

Watcher = Callable[[str, str, str], None]
"""Called with an account and the parents that it had and has; "" is outside of the organization."""


@dataclass(frozen=True, slots=True)
class OrganizationalUnit:
    """A unit; ``parent`` "" is the organization's root."""

    id: str
    name: str
    parent: str = ""


@dataclass(frozen=True, slots=True)
class OrganizationAccount:
    """A member account; ``parent`` "" is the organization's root."""

    id: str
    name: str
    parent: str = ""
    email: str = ""
    status: str = "ACTIVE"


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization with all features. ``accounts`` are its members; the management account need not be listed."""

    id: str
    management_account: str
    units: tuple[OrganizationalUnit, ...] = ()
    accounts: tuple[OrganizationAccount, ...] = ()
    root: str = "r-root"
    trusted_services: frozenset[str] = frozenset({STACK_SETS})
    """The service principals that have trusted access."""


class Organizations(Component):
    """The reading operations of Organizations, and what happens to accounts."""

    service = "organizations"

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._organization: Organization | None = None
        self._units: dict[str, OrganizationalUnit] = {}
        self._accounts: dict[str, OrganizationAccount] = {}
        self._joined: dict[str, datetime] = {}
        self._trusted: set[str] = set()
        self._watchers: list[Watcher] = []

    # -- the world -----------------------------------------------------------------------------------------------

    def establish(self, organization: Organization) -> None:
        """Put the organization into the cloud; ValueError where it does not fit together.

        The cloud's ``organization_id`` becomes the organization's: do this before a door is opened.
        """
        if self._organization is not None:
            raise ValueError("the cloud has an organization already")
        self._organization = organization
        self._trusted = set(organization.trusted_services)
        self.cloud.organization_id = organization.id
        for unit in organization.units:
            self._units[unit.id] = unit
        for unit in organization.units:
            self._check_parent(unit.id, unit.parent)
        listed = {account.id for account in organization.accounts}
        if organization.management_account not in listed:
            self._enrol(OrganizationAccount(organization.management_account, "management"))
        for account in organization.accounts:
            self._enrol(account)

    @property
    def organization(self) -> Organization | None:
        """The organization as it was established, None without one. Where its accounts are now: ``accounts_under``."""
        return self._organization

    def watch(self, watcher: Watcher) -> None:
        """Call ``watcher`` whenever an account changes its parent; give a bound method. Twice the same is once."""
        if watcher not in self._watchers:
            self._watchers.append(watcher)

    def add_account(self, account: OrganizationAccount) -> None:
        """An account joins the organization."""
        self._here()
        self._enrol(account)
        self._moved(account.id, "", self.parent_of(account.id))

    def move_account(self, account_id: str, parent: str) -> None:
        """Move a member to another unit, or to the root ("" or its id)."""
        before = self.parent_of(account_id)
        parent = "" if parent == self._here().root else parent
        self._check_parent(account_id, parent)
        self._accounts[account_id] = replace(self._accounts[account_id], parent=parent)
        if self.parent_of(account_id) != before:
            self._moved(account_id, before, self.parent_of(account_id))

    def suspend_account(self, account_id: str) -> None:
        """A member is suspended; it stays in its unit."""
        self._accounts[account_id] = replace(self._accounts[account_id], status="SUSPENDED")

    def remove_account(self, account_id: str) -> None:
        """A member leaves the organization."""
        before = self.parent_of(account_id)
        if account_id == self._here().management_account:
            raise ValueError("the management account cannot leave its organization")
        del self._accounts[account_id]
        self._moved(account_id, before, "")

    def _enrol(self, account: OrganizationAccount) -> None:
        if len(account.id) != 12 or not account.id.isdigit() or account.id in self._accounts:
            raise ValueError(f"an account id has 12 digits and is there once: {account.id}")
        self._check_parent(account.id, account.parent)
        self._accounts[account.id], self._joined[account.id] = account, self.cloud.now

    def _check_parent(self, child: str, parent: str) -> None:
        if parent and parent not in self._units:
            raise ValueError(f"the parent of {child} is no unit of the organization: {parent}")

    def _moved(self, account_id: str, before: str, after: str) -> None:
        management = Scope(self._here().management_account, "us-east-1")
        facts = {"member": account_id, "from_parent": before, "to_parent": after}
        self.cloud.record(management, "OrganizationAccountMoved", **facts)
        for watcher in self._watchers:
            watcher(account_id, before, after)

    # -- what other components ask -------------------------------------------------------------------------------

    def parent_of(self, child: str) -> str:
        """The id of the unit or root that an account or unit is in. KeyError for what the organization has not."""
        item = self._accounts[child] if child in self._accounts else self._units[child]
        return item.parent or self._here().root

    def lineage(self, parent: str) -> Iterator[str]:
        """A unit, the units that it is in, and the root."""
        while parent in self._units:
            yield parent
            parent = self.parent_of(parent)
        yield parent

    def knows_parent(self, parent: str) -> bool:
        """Whether that is one of the organization's units, or its root."""
        return self._organization is not None and (parent in self._units or parent == self._organization.root)

    def accounts_under(self, parent: str) -> list[str]:
        """The accounts in a unit (or the root) and in the units below, the management account included."""
        return [item for item in self._accounts if parent in self.lineage(self.parent_of(item))]

    def is_active(self, account_id: str) -> bool:
        """Whether an account is a member that is not suspended."""
        return account_id in self._accounts and self._accounts[account_id].status == "ACTIVE"

    def is_member(self, account_id: str) -> bool:
        """Whether an account is in the organization, the management account included."""
        return account_id in self._accounts

    def trusts(self, service_principal: str) -> bool:
        """Whether a service has trusted access."""
        return service_principal in self._trusted

    def set_trust(self, service_principal: str, *, trusted: bool) -> None:
        """Give a service trusted access, or take it away."""
        if trusted:
            self._trusted.add(service_principal)
        else:
            self._trusted.discard(service_principal)

    # -- the API -------------------------------------------------------------------------------------------------

    @operation("DescribeOrganization")
    def describe_organization(self, scope: Scope, params: Params) -> Result:  # noqa: ARG002
        """https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganization.html"""
        here = self._visible(scope)
        management = self._accounts[here.management_account]
        shape = {
            "Id": here.id,
            "Arn": self._arn(scope, "organization"),
            "FeatureSet": "ALL",
            "MasterAccountArn": self._arn(scope, "account", management.id),
            "MasterAccountId": management.id,
            "MasterAccountEmail": _email(management),
        }
        return {"Organization": shape}

    @operation("ListRoots")
    def list_roots(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListRoots.html"""
        here = self._managed(scope)
        root = {"Id": here.root, "Arn": self._arn(scope, "root", here.root), "Name": "Root", "PolicyTypes": []}
        return _page("Roots", [root], params)

    @operation("ListOrganizationalUnitsForParent")
    def list_organizational_units_for_parent(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListOrganizationalUnitsForParent.html"""
        parent = self._parent(scope, params)
        units = [self._unit_shape(scope, item) for item in self._units.values() if self.parent_of(item.id) == parent]
        return _page("OrganizationalUnits", units, params)

    @operation("DescribeOrganizationalUnit")
    def describe_organizational_unit(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganizationalUnit.html"""
        self._managed(scope)
        unit = self._units.get(str(params["OrganizationalUnitId"]))
        if unit is None:
            raise AwsError("OrganizationalUnitNotFoundException", "You specified an OU that doesn't exist.")
        return {"OrganizationalUnit": self._unit_shape(scope, unit)}

    @operation("ListAccountsForParent")
    def list_accounts_for_parent(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccountsForParent.html"""
        parent = self._parent(scope, params)
        found = [item for item in self._accounts.values() if self.parent_of(item.id) == parent]
        return _page("Accounts", [self._account_shape(scope, item) for item in found], params)

    @operation("ListAccounts")
    def list_accounts(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html"""
        self._managed(scope)
        return _page("Accounts", [self._account_shape(scope, item) for item in self._accounts.values()], params)

    @operation("DescribeAccount")
    def describe_account(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeAccount.html"""
        self._managed(scope)
        account = self._accounts.get(str(params["AccountId"]))
        if account is None:
            raise AwsError("AccountNotFoundException", "You specified an account that doesn't exist.")
        return {"Account": self._account_shape(scope, account)}

    @operation("ListParents")
    def list_parents(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListParents.html"""
        root, child = self._managed(scope).root, str(params["ChildId"])
        if child not in self._accounts and child not in self._units:
            raise AwsError("ChildNotFoundException", "There is no organizational unit (OU) or account with that id.")
        parent = self.parent_of(child)
        return _page("Parents", [{"Id": parent, "Type": "ROOT" if parent == root else "ORGANIZATIONAL_UNIT"}], params)

    @operation("ListChildren")
    def list_children(self, scope: Scope, params: Params) -> Result:
        """https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListChildren.html"""
        parent, kind = self._parent(scope, params), str(params["ChildType"])
        if kind not in ("ACCOUNT", "ORGANIZATIONAL_UNIT"):
            raise AwsError("InvalidInputException", "You provided a value that isn't of the allowed ones: ChildType.")
        children: list[str] = list(self._accounts if kind == "ACCOUNT" else self._units)
        found = [{"Id": child, "Type": kind} for child in children if self.parent_of(child) == parent]
        return _page("Children", found, params)

    # -- shapes --------------------------------------------------------------------------------------------------

    def _here(self) -> Organization:
        if self._organization is None:
            raise AwsError("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
        return self._organization

    def _visible(self, scope: Scope) -> Organization:
        here = self._here()
        if scope.account not in self._accounts:
            raise AwsError("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
        return here

    def _managed(self, scope: Scope) -> Organization:
        """The organization, for its management account only: delegated administrators are not emulated."""
        here = self._visible(scope)
        if scope.account != here.management_account:
            raise AwsError("AccessDeniedException", "You don't have permissions to access this resource.")
        return here

    def _parent(self, scope: Scope, params: Params) -> str:
        self._managed(scope)
        parent = str(params["ParentId"])
        if not self.knows_parent(parent):
            raise AwsError("ParentNotFoundException", "There is no root or OU with the ParentId that you gave.")
        return parent

    def _arn(self, scope: Scope, kind: str, name: str = "") -> str:
        here = self._here()
        tail = f"/{name}" if name else ""
        partition = partition_of(scope.region)
        return f"arn:{partition}:organizations::{here.management_account}:{kind}/{here.id}{tail}"

    def _path(self, parent: str) -> str:
        return "/".join([self._here().id, *reversed(list(self.lineage(parent)))])

    def _unit_shape(self, scope: Scope, unit: OrganizationalUnit) -> Result:
        arn = self._arn(scope, "ou", unit.id)
        return {"Id": unit.id, "Arn": arn, "Name": unit.name, "Path": f"{self._path(unit.id)}/"}

    def _account_shape(self, scope: Scope, account: OrganizationAccount) -> Result:
        return {
            "Id": account.id,
            "Arn": self._arn(scope, "account", account.id),
            "Email": _email(account),
            "Name": account.name,
            "Status": account.status,
            "State": account.status,
            "Paths": [f"{self._path(self.parent_of(account.id))}/{account.id}/"],
            "JoinedMethod": "CREATED",
            "JoinedTimestamp": self._joined[account.id],
        }


def _email(account: OrganizationAccount) -> str:
    return account.email or f"{account.id}@example.org"


def _page(member: str, items: list[dict[str, Any]], params: Params) -> Result:
    page, token = paginate(items, params, limit="MaxResults", token="NextToken", default=20, maximum=20)  # noqa: S106
    return {member: page} | ({"NextToken": token} if token else {})
