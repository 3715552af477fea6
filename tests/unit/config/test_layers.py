"""The order of the layers, and what is not merged as one value: schedules, freezes, waivers, tags, zones."""

from __future__ import annotations

from datetime import date

import pytest

from patchgate.config import LaneConfig, ParameterKey, ParameterOverride
from patchgate.config.layers import BUCKET_TEMPLATE
from patchgate.config.settings import MONITORING_TEMPLATE
from tests.unit.config.fleets import TARGET, defaults, fleet_of, lane_of, problems_of

LAYERS = {
    "defaults": "defaults: {%s}\n",
    "environment prd": "environments: [{name: prd, %s}]\n",
    "operating system ubuntu": "operating_systems: [{name: ubuntu, %s}]\n",
}
FOUR = (
    "schedule: {backup: 'cron(0 1 * * ? *)', gate: 'cron(0 4 * * ? *)', window: 'cron(0 5 * * ? *)',"
    " close: 'cron(0 9 * * ? *)'}"
)
PATCH = "schedule: {patch: {at: '22:00', weekday: SAT}}"


@pytest.mark.parametrize("count", range(5))
def test_the_later_layer_wins_and_says_so(count: int) -> None:
    rest = "".join(layer % f"approval_days: {number}" for number, layer in enumerate([*LAYERS.values()][:count]))
    lane = lane_of(rest, "approval_days: 3" if count == 4 else "")
    origin = lane.origins.get(ParameterKey("ApproveAfterDays"))
    if not count:
        assert origin is None
        assert "ApproveAfterDays" not in lane.parameters
        return
    assert lane.parameters["ApproveAfterDays"] == str(count - 1)
    assert origin is not None
    assert (origin.layer, origin.key) == ([*LAYERS, "target 1"][count - 1], "approval_days")
    assert (origin.source, origin.line) == ("f.yaml", 6 + count - 1 if count < 4 else 10)


def test_keys_of_one_section_are_merged_one_by_one() -> None:
    lane = lane_of(defaults("gate: {mode: threshold, backup_job_threshold: 5}"), "gate: {backup_job_threshold: 7}")
    assert lane.parameters == {"GateMode": "threshold", "BackupJobThreshold": "7"}


def test_a_parameter_and_a_key_are_one_value_whichever_comes_later() -> None:
    assert lane_of(defaults("approval_days: 1"), "parameters: {ApproveAfterDays: 2}").parameters == {
        "ApproveAfterDays": "2"
    }
    assert lane_of(defaults("parameters: {ApproveAfterDays: 2}"), "approval_days: 1").parameters == {
        "ApproveAfterDays": "1"
    }


def test_options_win_over_all_layers_also_where_a_key_was_meant_for_one_template() -> None:
    fleet = fleet_of(defaults("gate: {log_retention_days: 30}")).with_parameters(
        [ParameterOverride.parse("*:LogRetentionDays=60")]
    )
    (lane,) = fleet.lanes()
    assert lane.parameters["LogRetentionDays"] == "60"
    assert not lane.scoped
    assert lane.origins[ParameterKey("LogRetentionDays")].layer == "--parameter"


def test_a_key_for_one_template_stands_beside_the_parameter_for_all() -> None:
    lane = lane_of(defaults("parameters: {LogRetentionDays: 90}"), "gate: {log_retention_days: 30}")
    assert lane.parameters["LogRetentionDays"] == "90"
    assert lane.scoped == {MONITORING_TEMPLATE: {"LogRetentionDays": "30"}}


def test_the_log_bucket_s_keys_are_for_its_template_and_its_key_is_known_to_all_writers() -> None:
    key = "arn:aws:kms:eu-west-1:111111111111:key/x"
    lane = lane_of(f"log_bucket: {{region: eu-west-1, name_prefix: logs, retention_days: 9, kms_key: '{key}'}}\n")
    assert lane.scoped == {BUCKET_TEMPLATE: {"LogRetentionDays": "9", "KmsKeyArn": key}}
    assert lane.parameters == {"PatchingLogsBucketName": "logs", "LogBucketKmsKeyArn": key}
    assert lane.log_region == "eu-west-1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kms_key: '%s'", "kms_key needs region: a bucket's key is of the bucket's Region (region: eu-west-1)"),
        ("region: eu-west-2, kms_key: '%s'", "the key is in eu-west-1, the buckets are in eu-west-2"),
    ],
)
def test_a_key_of_another_region_than_the_bucket_is_refused(text: str, expected: str) -> None:
    key = "arn:aws:kms:eu-west-1:111111111111:key/x"
    (problem,) = problems_of(f"log_bucket: {{{text % key}}}\n")
    assert expected in problem


class TestSchedulesGoTogether:
    """Of what earlier layers say about the schedules, nothing is left."""

    def test_a_statement_replaces_the_four(self) -> None:
        lane = lane_of(defaults(FOUR), PATCH)
        assert not lane.parameters
        assert lane.patch is not None
        assert str(lane.patch.origin) == "f.yaml:8:109 (target 1: schedule.patch)"

    def test_the_four_replace_a_statement_and_an_offset(self) -> None:
        lane = lane_of(defaults("parameters: {MaintenanceWindowScheduleOffset: 3}"), FOUR)
        assert lane.patch is None
        assert "MaintenanceWindowScheduleOffset" not in lane.parameters
        assert lane_of(defaults(PATCH), FOUR).patch is None

    def test_a_statement_replaces_another_one_whole(self) -> None:
        lane = lane_of(defaults(PATCH), "schedule: {patch: {at: '21:00'}}")
        assert lane.patch is not None
        assert lane.patch.statement.expression == "cron(0 21 ? * * *)"

    def test_the_lead_is_merged_by_itself(self) -> None:
        lane = lane_of(defaults("schedule: {lead_minutes: 60}"), PATCH)
        assert lane.patch is not None
        assert lane.patch.lead_minutes == 60

    def test_one_schedule_as_a_parameter_stands_over_the_derived_ones(self) -> None:
        lane = lane_of(defaults(PATCH), "parameters: {DisableMaintenanceWindow: 'cron(0 9 * * ? *)'}")
        assert lane.patch is not None
        assert lane.parameters == {"DisableMaintenanceWindow": "cron(0 9 * * ? *)"}


def test_freezes_of_all_layers_hold() -> None:
    text = "freezes: [{reason: %s, change_calendar: %s}]"
    lane = lane_of(
        defaults(text % ("a", "a")) + "environments: [{name: prd, " + text % ("b", "b") + "}]\n", text % ("c", "c")
    )
    assert [each.freeze.reason for each in lane.freezes] == ["a", "b", "c"]
    assert [each.origin.layer for each in lane.freezes] == ["defaults", "environment prd", "target 1"]


def test_tags_are_merged_by_name_and_numbers_are_text() -> None:
    assert lane_of(defaults("tags: {a: 1, b: x}"), "tags: {b: y, c: true}").tags == {"a": "1", "b": "y", "c": "true"}


@pytest.mark.parametrize(
    ("rest", "target", "zone"),
    [
        ("", "", "Europe/Berlin"),
        (defaults("time_zone: UTC"), "", "UTC"),
        (defaults("time_zone: UTC, time_zones: {eu-central-1: Asia/Tokyo}"), "", "Asia/Tokyo"),
        (defaults("time_zones: {us-east-1: Asia/Tokyo}"), "", "Europe/Berlin"),
        (defaults("time_zones: {eu-central-1: Asia/Tokyo}"), "time_zone: UTC", "UTC"),
    ],
)
def test_a_region_s_zone_wins_within_its_layer(rest: str, target: str, zone: str) -> None:
    assert lane_of(rest, target).time_zone == zone


def test_a_region_whose_zone_is_not_published_needs_one() -> None:
    target = "  - {accounts: [web], regions: [us-iso-east-1], operating_systems: [ubuntu], environments: [prd]%s}\n"
    assert fleet_of(targets=target % ", time_zone: UTC").lanes()
    assert problems_of(targets=target % "") == [
        "f.yaml:7:33: the time zone of us-iso-east-1 is not published (give it one with time_zone or time_zones)"
    ]


class TestBoundaries:
    """A policy's name is looked for in every lane's own account and partition; an ARN is taken as it is."""

    TARGETS = (
        "  - {accounts: [web, payments], regions: [eu-central-1, cn-north-1], operating_systems: [ubuntu],"
        " environments: [prd]}\n"
    )

    def boundaries(self, text: str) -> set[str]:
        lanes = fleet_of(defaults(f"permissions_boundary: '{text}'"), self.TARGETS).lanes()
        return {lane.parameters["PermissionsBoundaryArn"] for lane in lanes}

    def test_a_name(self) -> None:
        assert self.boundaries("teams/operations") == {
            "arn:aws:iam::111111111111:policy/teams/operations",
            "arn:aws:iam::222222222222:policy/teams/operations",
            "arn:aws-cn:iam::111111111111:policy/teams/operations",
            "arn:aws-cn:iam::222222222222:policy/teams/operations",
        }

    def test_an_arn(self) -> None:
        assert self.boundaries("arn:aws:iam::aws:policy/x") == {"arn:aws:iam::aws:policy/x"}


class TestWaivers:
    """In force until their last day; unknown days are days on which none is."""

    TEXT = "waivers: [{category: VSS_ERROR, owner: DB team, reason: own dumps, until: 2026-12-31}]"

    def waived(self, today: date | None) -> str:
        return lane_of(defaults(self.TEXT), today=today).parameters.get("WaivedMessageCategories", "")

    def test_they_hold_to_the_end_of_their_last_day(self) -> None:
        assert self.waived(date(2026, 12, 31)) == "VSS_ERROR"
        assert self.waived(date(2027, 1, 1)) == ""

    def test_without_a_day_none_holds(self) -> None:
        assert self.waived(None) == ""

    def test_expired_ones_are_told_with_their_place(self) -> None:
        fleet = fleet_of(defaults(self.TEXT))
        assert not fleet.expired_waivers(date(2026, 12, 31))
        (expired,) = fleet.expired_waivers(date(2027, 1, 1))
        assert str(expired.origin) == "f.yaml:6:22 (defaults: waivers)"

    def test_several_are_one_list_with_what_is_given_otherwise(self) -> None:
        other = "waivers: [{category: OTHER, owner: a, reason: b, until: 2027-01-01}]"
        rest = defaults(f"{self.TEXT}, parameters: {{WaivedMessageCategories: 'GIVEN,OTHER'}}")
        lane = lane_of(rest, other)
        assert lane.parameters["WaivedMessageCategories"] == "GIVEN,OTHER,VSS_ERROR"
        assert [each.waiver.category for each in lane.waivers] == ["VSS_ERROR", "OTHER"]

    @pytest.mark.parametrize("key", ["instance", "instances", "instance_id"])
    def test_one_instance_cannot_be_waived_because_the_gate_cannot(self, key: str) -> None:
        text = f"waivers: [{{category: X, {key}: i-1, owner: a, reason: b, until: 2026-12-31}}]"
        (problem,) = problems_of(defaults(text))
        assert f"a waiver holds for whole lanes: '{key}' is not possible" in problem

    @pytest.mark.parametrize("missing", ["category", "owner", "reason", "until"])
    def test_each_has_owner_reason_and_end(self, missing: str) -> None:
        given = {"category": "X", "owner": "a", "reason": "b", "until": "2026-12-31"}
        text = ", ".join(f"{key}: {value}" for key, value in given.items() if key != missing)
        assert f"missing key '{missing}'" in problems_of(defaults(f"waivers: [{{{text}}}]"))[0]


def test_a_lane_made_by_hand_needs_no_more_than_its_name() -> None:
    lane = LaneConfig(fleet_of().lanes()[0].lane)
    assert not lane.parameters
    assert lane.freeze_periods is None


def test_lanes_that_differ_in_their_account_alone_have_the_same_settings() -> None:
    targets = TARGET.replace("[web]", "[web, payments]") % ", approval_days: 2"
    web, payments = fleet_of(targets=targets).lanes()
    assert (web.lane.account, payments.lane.account) == ("111111111111", "222222222222")
    assert web.parameters == payments.parameters == {"ApproveAfterDays": "2"}
