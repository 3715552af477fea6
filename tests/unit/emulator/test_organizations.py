"""An organization as its API shows it, and what happens to its accounts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.errors import AwsError
from patchgate.emulator.organizations import (
    Organization,
    OrganizationAccount,
    OrganizationalUnit,
    Organizations,
)

MANAGEMENT, WEB, DATA = "999999999999", "111111111111", "222222222222"
PROD, INNER = "ou-root-production", "ou-root-inner0001"
ORGANIZATION = Organization(
    "o-abcdefghij",
    MANAGEMENT,
    units=(OrganizationalUnit(PROD, "production"), OrganizationalUnit(INNER, "inner", PROD)),
    accounts=(OrganizationAccount(WEB, "web", PROD), OrganizationAccount(DATA, "data", INNER)),
    root="r-root",
)


@pytest.fixture
def cloud() -> Cloud:
    cloud = Cloud((Organizations,), start=datetime(2026, 7, 4, tzinfo=UTC))
    cloud.component(Organizations).establish(ORGANIZATION)
    return cloud


def ask(cloud: Cloud, operation: str, account: str = MANAGEMENT, **params: Any) -> Any:
    return cloud.invoke(Scope(account, "us-east-1"), "organizations", operation, params)


def test_the_cloud_is_of_the_organization(cloud: Cloud) -> None:
    assert cloud.organization_id == "o-abcdefghij"
    described = ask(cloud, "DescribeOrganization", WEB)["Organization"]
    assert (described["Id"], described["MasterAccountId"]) == ("o-abcdefghij", MANAGEMENT)


def test_a_walk_from_the_root(cloud: Cloud) -> None:
    root = ask(cloud, "ListRoots")["Roots"][0]["Id"]
    assert [
        unit["Id"] for unit in ask(cloud, "ListOrganizationalUnitsForParent", ParentId=root)["OrganizationalUnits"]
    ] == [PROD]
    assert [item["Id"] for item in ask(cloud, "ListAccountsForParent", ParentId=root)["Accounts"]] == [MANAGEMENT]
    assert ask(cloud, "ListChildren", ParentId=PROD, ChildType="ACCOUNT")["Children"] == [
        {"Id": WEB, "Type": "ACCOUNT"}
    ]
    assert ask(cloud, "ListChildren", ParentId=PROD, ChildType="ORGANIZATIONAL_UNIT")["Children"][0]["Id"] == INNER
    assert ask(cloud, "ListParents", ChildId=DATA)["Parents"] == [{"Id": INNER, "Type": "ORGANIZATIONAL_UNIT"}]
    assert ask(cloud, "ListParents", ChildId=PROD)["Parents"] == [{"Id": root, "Type": "ROOT"}]
    unit = ask(cloud, "DescribeOrganizationalUnit", OrganizationalUnitId=INNER)["OrganizationalUnit"]
    assert unit["Path"] == f"o-abcdefghij/r-root/{PROD}/{INNER}/"
    assert ask(cloud, "DescribeAccount", AccountId=DATA)["Account"]["Name"] == "data"


def test_lists_are_paged(cloud: Cloud) -> None:
    first = ask(cloud, "ListAccounts", MaxResults=2)
    rest = ask(cloud, "ListAccounts", MaxResults=2, NextToken=first["NextToken"])
    assert [item["Id"] for item in first["Accounts"] + rest["Accounts"]] == [MANAGEMENT, WEB, DATA]
    assert "NextToken" not in rest


@pytest.mark.parametrize(
    ("operation", "params", "code"),
    [
        ("ListAccountsForParent", {"ParentId": "ou-root-elsewhere"}, "ParentNotFoundException"),
        ("ListParents", {"ChildId": "333333333333"}, "ChildNotFoundException"),
        ("DescribeAccount", {"AccountId": "333333333333"}, "AccountNotFoundException"),
        ("DescribeOrganizationalUnit", {"OrganizationalUnitId": "ou-x"}, "OrganizationalUnitNotFoundException"),
        ("ListChildren", {"ParentId": PROD, "ChildType": "OTHER"}, "InvalidInputException"),
    ],
)
def test_what_is_not_there(cloud: Cloud, operation: str, params: dict[str, str], code: str) -> None:
    with pytest.raises(AwsError) as caught:
        ask(cloud, operation, **params)
    assert caught.value.code == code


def test_members_see_little_and_strangers_nothing(cloud: Cloud) -> None:
    for account, operation, code in (
        (WEB, "ListAccounts", "AccessDeniedException"),
        ("333333333333", "DescribeOrganization", "AWSOrganizationsNotInUseException"),
    ):
        with pytest.raises(AwsError) as caught:
            ask(cloud, operation, account)
        assert caught.value.code == code


class Diary:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str, str]] = []

    def note(self, account: str, before: str, after: str) -> None:
        self.lines.append((account, before, after))


def test_watchers_hear_of_moves_once(cloud: Cloud) -> None:
    organizations, diary = cloud.component(Organizations), Diary()
    organizations.watch(diary.note)
    organizations.watch(diary.note)
    organizations.move_account(WEB, INNER)
    organizations.move_account(WEB, INNER)
    organizations.move_account(WEB, "r-root")
    organizations.remove_account(WEB)
    organizations.add_account(OrganizationAccount("333333333333", "new", PROD))
    assert diary.lines == [
        (WEB, PROD, INNER),
        (WEB, INNER, "r-root"),
        (WEB, "r-root", ""),
        ("333333333333", "", PROD),
    ]
    assert [record["member"] for record in cloud.history.of("OrganizationAccountMoved")][-1] == "333333333333"
    assert organizations.accounts_under(PROD) == [DATA, "333333333333"]


def test_what_does_not_fit_together(cloud: Cloud) -> None:
    organizations = cloud.component(Organizations)
    with pytest.raises(ValueError, match="has an organization already"):
        organizations.establish(ORGANIZATION)
    with pytest.raises(ValueError, match="is there once"):
        organizations.add_account(OrganizationAccount(WEB, "again"))
    with pytest.raises(ValueError, match="no unit"):
        organizations.move_account(WEB, "ou-root-elsewhere")
    with pytest.raises(ValueError, match="cannot leave"):
        organizations.remove_account(MANAGEMENT)
