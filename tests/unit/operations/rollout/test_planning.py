"""Plans: what is created, updated, left and removed, and why; whatever is carried out needs nothing more afterwards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from patchgate.errors import InputError
from patchgate.operations.rollout.facts import InstanceFacts, SetFacts, StackFacts, Usage
from patchgate.operations.rollout.removal import plan_removal
from patchgate.operations.rollout.steps import Plan, Step

from .fakes import MANAGEMENT, NOW, SHOP, UNIT, WEB, FakeAws, carry_out, fleet_of, plan_of, survey_of

REGION = "eu-central-1"
ONE = """
targets:
  - {accounts: [web], regions: [eu-central-1], operating_systems: [ubuntu], environments: [dev]SETTINGS}
"""
TWO = """
targets:
  - {accounts: [web], regions: [eu-central-1, us-east-1], operating_systems: [ubuntu], environments: [dev]SETTINGS}
  - {accounts: [shop], regions: [eu-central-1], operating_systems: [ubuntu], environments: [dev]}
"""
MODES = pytest.mark.parametrize("mode", ["stacks", "service-managed", "self-managed"])


def one(settings: str = "", mode: str = "stacks", text: str = ONE) -> tuple[str, str]:
    return text.replace("SETTINGS", f", {settings}" if settings else ""), mode


def by_name(plan: Plan, account: str = WEB) -> dict[str, Step]:
    return {step.name: step for step in plan.steps() if step.account == account and step.region == REGION}


@MODES
def test_what_was_carried_out_is_left_alone(mode: str, tmp_path: Path) -> None:
    aws, fleet = FakeAws(), fleet_of(*one(mode=mode, text=TWO))
    plan = plan_of(fleet, aws)
    assert {step.action for step in plan.steps()} == {"create"}
    assert plan.problems == ()
    carry_out(plan, aws, tmp_path / "journal")
    again = plan_of(fleet, aws)
    assert again.changes == 0
    assert {step.action for step in again.steps()} == {"leave"}
    assert again.surplus == ()


@pytest.mark.parametrize(
    ("settings", "changed"),
    [
        ("approval_days: 20", []),  # Ubuntu's patches are approved at once
        ("parameters: {SupportedWindowsVersions: WindowsServer2022}", []),
        ("approval_days: 20, backup: {retention_days: 9}", ["ApproveAfterDays: 7 -> 20", "RetentionDays: 7 -> 9"]),
        ("approval_days: 20, tags: {team: sre}", ["ApproveAfterDays: 7 -> 20", "tag team: none -> sre"]),
    ],
)
def test_what_no_resource_of_a_stack_uses_is_no_change(settings: str, changed: list[str], tmp_path: Path) -> None:
    """CloudFormation refuses such an update, and the plan would never come to its end."""
    aws = FakeAws()
    carry_out(plan_of(fleet_of(*one()), aws), aws, tmp_path / "journal")
    fleet = fleet_of(*one(settings))
    plan = plan_of(fleet, aws)
    assert list(by_name(plan)["patchgate-patch-ubuntu-dev"].reasons) == changed
    carry_out(plan, aws, tmp_path / "journal")
    assert plan_of(fleet, aws).changes == 0


@MODES
def test_a_changed_setting_concerns_its_lane_alone_and_says_what_changed(mode: str, tmp_path: Path) -> None:
    aws = FakeAws()
    carry_out(plan_of(fleet_of(*one(mode=mode, text=TWO)), aws), aws, tmp_path / "journal")
    fleet = fleet_of(*one("backup: {retention_days: 9}", mode, TWO))
    plan = plan_of(fleet, aws)
    changed = [(step.account, step.region, step.name) for step in plan.steps() if step.action != "leave"]
    assert changed == [(WEB, region, "patchgate-patch-ubuntu-dev") for region in ("eu-central-1", "us-east-1")]
    assert [each.action for wave in plan.waves for each in wave.sets] in ([], ["leave", "leave"])
    assert by_name(plan)["patchgate-patch-ubuntu-dev"].reasons == ("RetentionDays: 7 -> 9",)
    before = len(aws.calls)
    carry_out(plan, aws, tmp_path / "journal")
    assert len(aws.calls) - before == (2 if mode == "stacks" else 1)
    assert plan_of(fleet, aws).changes == 0


@MODES
def test_a_setting_of_all_lanes_changes_the_set_once(mode: str, tmp_path: Path) -> None:
    aws = FakeAws()
    settings = "defaults: {gate: {look_back_hours: HOURS}}\n" + TWO.replace("SETTINGS", "")
    carry_out(plan_of(fleet_of(settings.replace("HOURS", "9"), mode), aws), aws, tmp_path / "journal")
    before = len(aws.calls)
    fleet = fleet_of(settings.replace("HOURS", "10"), mode)
    carry_out(plan_of(fleet, aws), aws, tmp_path / "journal")
    calls = aws.calls[before:]
    assert calls == ([("update-set", "patchgate-monitoring-ubuntu-dev")] if mode != "stacks" else calls)
    assert plan_of(fleet, aws).changes == 0


def test_the_order_is_that_of_need_and_of_promotion(tmp_path: Path) -> None:
    text = "environments: [{name: prd}, {name: dev, freezes: [{reason: x, first_day: 12-24, last_day: 12-26}]}]\n"
    text += ONE.replace("SETTINGS", "").replace("[dev]", "[dev, prd]")
    aws = FakeAws()
    heard = carry_out(plan_of(fleet_of(text), aws), aws, tmp_path / "journal")
    names = [name.rpartition("/")[2] for kind, name in heard.told if kind == "begins"]
    assert names == [
        "patchgate-logs-ubuntu-prd",
        "patchgate-patch-ubuntu-prd",
        "patchgate-monitoring-ubuntu-prd",
        "patchgate-logs-ubuntu-dev",
        "patchgate-freezes-ubuntu-dev",
        "patchgate-patch-ubuntu-dev",
        "patchgate-monitoring-ubuntu-dev",
    ]


def test_the_bucket_of_a_new_stack_is_known_only_then(tmp_path: Path) -> None:
    aws, fleet = FakeAws(), fleet_of(*one())
    patch = by_name(plan_of(fleet, aws))["patchgate-patch-ubuntu-dev"]
    assert "S3Bucket" not in patch.parameters
    assert patch.bucket_of == (WEB, REGION, "patchgate-logs-ubuntu-dev")
    carry_out(plan_of(fleet, aws), aws, tmp_path / "journal")
    assert aws.there[patch.key].parameters["S3Bucket"] == f"bucket-{WEB}-patchgate-logs-ubuntu-dev"


def test_another_bucket_reaches_every_lane(tmp_path: Path) -> None:
    aws = FakeAws()
    carry_out(plan_of(fleet_of(*one()), aws), aws, tmp_path / "journal")
    plan = plan_of(fleet_of("log_bucket: {name_prefix: other}" + one()[0]), aws)
    steps = by_name(plan)
    assert {step.action for step in steps.values()} == {"update"}
    assert steps["patchgate-patch-ubuntu-dev"].reasons == ("S3Bucket: the new log bucket of patchgate-logs-ubuntu-dev",)


@MODES
def test_a_kept_vault_is_used_and_stays_so(mode: str, tmp_path: Path) -> None:
    aws, fleet = FakeAws(), fleet_of(*one(mode=mode))
    carry_out(plan_of(fleet, aws), aws, tmp_path / "journal")
    carry_out(plan_removal(survey_of(fleet, aws), NOW), aws, tmp_path / "journal")
    assert (aws.there, aws.stack_sets) == ({}, {})
    again = by_name(plan_of(fleet, aws))["patchgate-patch-ubuntu-dev"]
    assert again.parameters["CreateBackupVault"] == again.parameters["CreateBackupRole"] == "false"
    assert "uses the vault backup-vault-ubuntu-dev-eu-central-1, which is there" in again.reasons
    carry_out(plan_of(fleet, aws), aws, tmp_path / "journal")
    assert plan_of(fleet, aws).changes == 0


def test_what_the_fleet_file_says_of_the_vault_holds() -> None:
    aws = FakeAws()
    plan = plan_of(fleet_of(*one('parameters: {CreateBackupVault: "false"}')), aws)
    assert by_name(plan)["patchgate-patch-ubuntu-dev"].parameters["CreateBackupVault"] == "false"
    assert by_name(plan)["patchgate-patch-ubuntu-dev"].parameters["CreateBackupRole"] == "true"


def test_a_destruction_goes_backwards_and_keeps_what_it_says(tmp_path: Path) -> None:
    text = ONE.replace("SETTINGS", "").replace("[dev]", "[dev, prd]")
    aws, fleet = FakeAws(), fleet_of(text)
    carry_out(plan_of(fleet, aws), aws, tmp_path / "journal")
    plan = plan_removal(survey_of(fleet, aws), NOW)
    assert [wave.environment for wave in plan.waves] == ["prd", "dev"]
    heard = carry_out(plan, aws, tmp_path / "journal")
    names = [name.rpartition("/")[2] for kind, name in heard.told if kind == "begins"][:3]
    assert names == ["patchgate-monitoring-ubuntu-prd", "patchgate-patch-ubuntu-prd", "patchgate-logs-ubuntu-prd"]
    assert "recovery points" in by_name(plan)["patchgate-patch-ubuntu-prd"].notes[0]
    assert "bucket" in by_name(plan)["patchgate-logs-ubuntu-prd"].notes[0]


def test_what_a_failed_creation_left_is_deleted_first() -> None:
    key = (WEB, REGION, "patchgate-patch-ubuntu-dev")
    plan = plan_of(fleet_of(*one()), FakeAws(there={key: StackFacts("ROLLBACK_COMPLETE")}))
    step = by_name(plan)[key[2]]
    assert (step.action, step.clear_first) == ("create", True)
    assert "its creation failed before (ROLLBACK_COMPLETE)" in step.reasons


@pytest.mark.parametrize("status", ["UPDATE_ROLLBACK_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS"])
def test_a_stack_that_cannot_be_deployed_to_forbids_the_plan(status: str) -> None:
    key = (WEB, REGION, "patchgate-patch-ubuntu-dev")
    (problem,) = plan_of(fleet_of(*one()), FakeAws(there={key: StackFacts(status)})).problems
    assert problem.startswith(f"stack {'/'.join(key)} is {status}: ")


def test_drift_is_noted_and_changes_nothing(tmp_path: Path) -> None:
    aws, fleet = FakeAws(), fleet_of(*one())
    carry_out(plan_of(fleet, aws), aws, tmp_path / "journal")
    key = (WEB, REGION, "patchgate-monitoring-ubuntu-dev")
    aws.there[key] = replace(aws.there[key], drift="DRIFTED")
    plan = plan_of(fleet, aws)
    assert plan.changes == 0
    assert "has drifted" in by_name(plan)[key[2]].notes[0]


def test_the_management_account_has_plain_stacks(tmp_path: Path) -> None:
    text = f"""
targets:
  - {{organizational_units: [{UNIT}], regions: [eu-central-1], operating_systems: [ubuntu], environments: [dev]}}
"""
    aws = FakeAws(account=WEB)
    aws.organization = lambda: replace(FakeAws().organization(), management_account=WEB)  # type: ignore[method-assign]
    plan = plan_of(fleet_of(text, "service-managed"), aws)
    sets = {(step.account, step.name): step.stack_set for step in plan.steps()}
    assert sets[WEB, "patchgate-patch-ubuntu-dev"] == ""
    assert sets[SHOP, "patchgate-patch-ubuntu-dev"] == "patchgate-patch-ubuntu-dev"
    carry_out(plan, aws, tmp_path / "journal")
    assert plan_of(fleet_of(text, "service-managed"), aws).changes == 0


def test_what_is_of_no_lane_is_named_and_pruned_only_when_asked(tmp_path: Path) -> None:
    aws = FakeAws()
    carry_out(plan_of(fleet_of(*one()), aws), aws, tmp_path / "journal")
    fleet = fleet_of(ONE.replace("SETTINGS", "").replace("ubuntu", "windows"))
    plan = plan_of(fleet, aws)
    assert [each.name for each in plan.surplus] == [
        "patchgate-logs-ubuntu-dev",
        "patchgate-monitoring-ubuntu-dev",
        "patchgate-patch-ubuntu-dev",
    ]
    assert not [step for step in plan.steps() if step.action == "remove"]
    carry_out(plan_of(fleet, aws, prune=True), aws, tmp_path / "journal")
    assert {name for _, _, name in aws.there} == {
        f"patchgate-{kind}-windows-dev" for kind in ("logs", "patch", "monitoring")
    }


@pytest.mark.parametrize("mode", ["service-managed", "self-managed"])
def test_instances_and_sets_of_no_lane_are_pruned(mode: str, tmp_path: Path) -> None:
    aws = FakeAws()
    carry_out(plan_of(fleet_of(*one(mode=mode, text=TWO)), aws), aws, tmp_path / "journal")
    fleet = fleet_of(*one(mode=mode))
    gone = [(each.account, each.region) for each in plan_of(fleet, aws).surplus if each.stack_set]
    assert sorted({*gone}) == [(WEB, "us-east-1"), (SHOP, "eu-central-1")]
    carry_out(plan_of(fleet, aws, prune=True), aws, tmp_path / "journal")
    assert {place for found in aws.stack_sets.values() for place in found.instances} == {(WEB, REGION)}
    other = fleet_of(ONE.replace("SETTINGS", "").replace("ubuntu", "suse"), mode)
    carry_out(plan_of(other, aws, prune=True), aws, tmp_path / "journal")
    assert set(aws.stack_sets) == {"patchgate-patch-suse-dev", "patchgate-monitoring-suse-dev"}


def test_stacks_of_others_are_nobodys_business(tmp_path: Path) -> None:
    names = ("patchgate-notes", "patchgate-patch-plan9-dev", "patchgate-patch-ubuntu-dev-2")
    aws = FakeAws(there={(WEB, REGION, name): StackFacts("CREATE_COMPLETE") for name in names})
    fleet = fleet_of(*one())
    assert plan_of(fleet, aws).surplus == ()
    carry_out(plan_of(fleet, aws, prune=True), aws, tmp_path / "journal")
    assert {(WEB, REGION, name) for name in names} <= set(aws.there)


def test_a_mode_is_not_changed_under_what_is_there(tmp_path: Path) -> None:
    aws = FakeAws()
    carry_out(plan_of(fleet_of(*one()), aws), aws, tmp_path / "journal")
    problems = plan_of(fleet_of(*one(mode="self-managed")), aws).problems
    assert "is there, but not of a stack set: destroy the fleet first" in problems[0]
    aws = FakeAws(stack_sets={"patchgate-patch-ubuntu-dev": SetFacts("SELF_MANAGED")})
    (problem,) = plan_of(fleet_of(*one(mode="service-managed")), aws).problems
    assert problem == (
        "stack set patchgate-patch-ubuntu-dev is SELF_MANAGED: destroy the fleet with its old mode first"
    )


def test_service_managed_sets_are_the_management_accounts() -> None:
    (problem,) = plan_of(fleet_of(*one(mode="service-managed")), FakeAws(account=SHOP)).problems
    assert problem == (
        "service-managed stack sets are deployed from the management account, 999999999999; these are credentials of "
        "222222222222"
    )
    assert plan_of(fleet_of(*one(mode="self-managed")), FakeAws(account=SHOP)).problems == ()


def test_lanes_of_a_set_have_one_set_of_tags() -> None:
    problems = plan_of(fleet_of(*one("tags: {team: a}", "self-managed", TWO)), FakeAws()).problems
    assert problems == tuple(
        f"stack set patchgate-{stage}-ubuntu-dev: its lanes have different tags; a stack set has one set of tags"
        for stage in ("patch", "monitoring")
    )


def test_an_outdated_instance_is_tried_again() -> None:
    aws = FakeAws()
    fleet = fleet_of(*one(mode="self-managed"))
    plan = plan_of(fleet, aws)
    name = "patchgate-patch-ubuntu-dev"
    (change,) = [each for wave in plan.waves for each in wave.sets if each.name == name]
    found = SetFacts("SELF_MANAGED", {**change.parameters, "S3Bucket": "b"}, {}, change.template)
    aws.stack_sets[name] = replace(found, instances={(WEB, REGION): InstanceFacts("OUTDATED", {}, "role is missing")})
    step = by_name(plan_of(fleet, aws))[name]
    assert step.action == "update"
    assert "it is OUTDATED: role is missing" in step.reasons


def test_quotas_are_looked_at_before_anything_is_touched() -> None:
    aws = FakeAws(used={(WEB, REGION): Usage(windows=50, baselines=49)})
    problems = plan_of(fleet_of(*one()), aws).problems
    assert problems[0].startswith(f"{WEB}/{REGION}: 51 maintenance windows with those of new lanes, AWS allows 50")
    assert plan_of(fleet_of(*one()), FakeAws(used={(WEB, REGION): Usage(49, 40)})).problems == ()


def test_an_order_that_is_broken_is_found() -> None:
    settings = """schedule: {backup: "cron(0 22 ? * SAT *)", gate: "cron(30 21 ? * SAT *)",
      window: "cron(0 23 ? * SAT *)", close: "cron(0 3 ? * SUN *)"}"""
    proof = plan_of(fleet_of(*one(settings)), FakeAws()).proof
    assert proof is not None
    assert proof.findings
    assert "web/eu-central-1/ubuntu/dev" in proof.findings[0]


def test_another_organization_and_a_fleet_without_lanes_are_refused() -> None:
    with pytest.raises(InputError, match="is for organization"):
        survey_of(fleet_of(*one(mode="service-managed")), FakeAws(organization_id="o-zzzzzzzzzz"))
    text = f"targets: [{{organizational_units: [{UNIT}], regions: [eu-west-1], operating_systems: [ubuntu], "
    with pytest.raises(InputError, match="comes to no lane"):
        survey_of(fleet_of(text + "environments: [dev]}]"), FakeAws(units={UNIT: ()}))


def test_a_unit_means_its_accounts_of_today(tmp_path: Path) -> None:
    text = f"targets: [{{organizational_units: [{UNIT}], regions: [eu-west-1], operating_systems: [ubuntu], "
    fleet = fleet_of(text + "environments: [dev]}]", "service-managed")
    aws = FakeAws(units={UNIT: (SHOP,)})
    carry_out(plan_of(fleet, aws), aws, tmp_path / "journal")
    aws.units[UNIT] = (SHOP, WEB)
    plan = plan_of(fleet, aws)
    assert {(step.account, step.action) for step in plan.steps() if step.stage == "patch"} == {
        (SHOP, "leave"),
        (WEB, "create"),
    }
    assert plan.deployer == MANAGEMENT
