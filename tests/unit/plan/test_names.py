"""Every name that AWS sees, for every operating system, environment and Region."""

from __future__ import annotations

from itertools import product

import pytest

from patchgate.domain.environments import ENVIRONMENTS
from patchgate.domain.operating_systems import operating_systems
from patchgate.domain.regions import regions
from patchgate.plan import names
from patchgate.plan.names import PATTERNS, NamePattern

LONGEST = {
    "account": "111122223333",
    "alarm": "cycles-without-verdict",
    "bucket_prefix": "a" * 34,
    "cycle": "20260704T223000Z",
    "stack_suffix": "0123456789ab",
    "vault_prefix": "v" * 18,
}


def _lanes() -> list[dict[str, str]]:
    return [
        {"os": family.name, "env": environment, "region": region.name, "baseline": baseline.name}
        for family, environment, region in product(operating_systems(), ENVIRONMENTS, regions())
        for baseline in family.baselines
    ]


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.kind.replace(" ", "-"))
def test_f48_it_is_within_the_limits_of_aws_for_every_os_env_and_region(pattern: NamePattern) -> None:
    problems = {pattern.problem(pattern.render(**LONGEST | lane)) for lane in _lanes()}
    assert problems == {""}


def test_no_two_lanes_of_an_account_and_region_share_a_name() -> None:
    shared = {"lane's parameters"}
    for pattern in PATTERNS:
        if "os" not in pattern.fields or pattern.kind in shared:
            continue
        rendered = [
            pattern.render(**LONGEST, os=family.name, env=environment, region="eu-west-1", baseline="x")
            for family, environment in product(operating_systems(), ENVIRONMENTS)
        ]
        assert len(set(rendered)) == len(rendered)


def test_names_of_one_kind_are_told_apart_from_those_of_another() -> None:
    roles = [names.BACKUP_ROLE, names.WINDOW_ROLE, names.PROVE_ROLE, names.OPEN_ROLE, names.CLOSE_ROLE]
    rendered = [role.render(os="ubuntu", env="prd", region="eu-west-1") for role in [*roles, names.SCHEDULER_ROLE]]
    assert len(set(rendered)) == len(rendered)


def test_a_pattern_is_the_text_of_a_sub() -> None:
    assert (
        names.MAINTENANCE_WINDOW.as_sub() == "maintenance-window-${TargetOperatingSystem}-${Environment}-${AWS::Region}"
    )
    assert names.BACKUP_VAULT.as_sub(vault_prefix="backup-vault").startswith("backup-vault-${Target")


def test_a_pattern_is_a_string_for_the_operator() -> None:
    rendered = names.BACKUP_VAULT.render(vault_prefix="backup-vault", os="ubuntu", env="prd", region="eu-west-1")
    assert rendered == "backup-vault-ubuntu-prd-eu-west-1"


def test_a_missing_value_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="region"):
        names.MAINTENANCE_WINDOW.render(os="ubuntu", env="prd")


def test_only_the_gates_roles_match_the_evidence_prefixs_writers() -> None:
    """The bucket's policy admits role names that contain this."""
    writers = {p.kind for p in PATTERNS if p.text.startswith("patchgate-gate-")}
    assert writers == {names.PROVE_ROLE.kind, names.OPEN_ROLE.kind, names.CLOSE_ROLE.kind, names.GATE_POLICY.kind}


@pytest.mark.parametrize(
    ("name", "problem"),
    [("x", "has 1 characters, allowed are 2 to 50"), ("v" * 51, "has 51 characters"), ("a b", "does not allow")],
)
def test_a_name_beyond_a_limit_is_said(name: str, problem: str) -> None:
    assert problem in names.BACKUP_VAULT.problem(name)


def test_the_tags_of_a_lane() -> None:
    assert names.lane_tags("ubuntu", "prd") == {"PatchGroup": "ubuntu-patch-group-prd", "ToBackupAndPatch": "true"}
