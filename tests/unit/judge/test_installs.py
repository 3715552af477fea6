"""The promises about installs: proof, lease, admission, freeze, evidence, lane."""

from __future__ import annotations

from datetime import timedelta

from patchgate.judge.judge import judge
from patchgate.judge.lane import LaneFacts

from .histories import LANE, TAGS, Story, around, at, good_evening


def test_a_good_evening_breaks_nothing() -> None:
    judgement = good_evening().judged()
    assert judgement.violations == ()
    assert judgement.held
    assert judgement.patched_without_way_back == ()
    assert judgement.windows_left_open == 0


def test_f08_install_without_any_recovery_point() -> None:
    judgement = around().evidence().install().judged()
    (violation,) = judgement.violations
    assert violation.promise == "proof"
    assert violation.instance == "i-1"
    assert "no completed recovery point" in violation.what
    assert [one.instance for one in judgement.patched_without_way_back] == ["i-1"]


def test_f02_a_failed_job_is_no_proof() -> None:
    assert around().back_up(state="FAILED").evidence().install().broken() == ["proof"]


def test_f04_completed_with_issues_is_no_proof_unless_waived() -> None:
    story = around().back_up(category="VSS_ERROR").evidence().install()
    assert story.broken() == ["proof"]
    assert story.broken(waived_message_categories=("VSS_ERROR",)) == []


def test_f07_a_recovery_point_of_another_instance_is_no_proof() -> None:
    assert around().back_up("i-2").evidence().install().broken() == ["proof"]


def test_a_recovery_point_in_another_vault_is_a_way_back_but_no_proof() -> None:
    judgement = around().back_up(vault="elsewhere").evidence().install().judged()
    assert [violation.promise for violation in judgement.violations] == ["proof"]
    assert judgement.patched_without_way_back == ()


def test_f13_age_counts_from_the_oldest_snapshot_to_the_earliest_reading() -> None:
    story = around().back_up(hours=11).evidence()  # 12 h before the window starts
    assert story.install(when=at(23, 119)).broken() == []
    assert around().back_up(hours=11).evidence().install(when=at(23, 121)).broken() == ["proof"]


def test_f14_a_recovery_point_that_was_deleted() -> None:
    point = good_evening().records()[3]["recovery_point"]
    early = good_evening().tell(at(22), "RecoveryPointDeleted", recovery_point=point)
    assert early.broken() == ["proof"]
    just_now = good_evening().tell(at(23, 1), "RecoveryPointDeleted", recovery_point=point)
    assert just_now.broken() == []


def test_f16_a_volume_attached_after_the_backup() -> None:
    story = good_evening().tell(at(21), "VolumeAttached", instance="i-1", volume="vol-2")
    (violation,) = story.judged().violations
    assert violation.promise == "proof"
    assert "does not hold vol-2" in violation.what
    assert [story.records()[seq]["event"] for seq in violation.witness] == [
        "BackupJobStateChanged",
        "VolumeAttached",
        "PatchStarted",
    ]


def test_f16_a_volume_attached_in_the_last_seconds_cannot_be_prevented() -> None:
    story = good_evening().tell(at(23, 50), "VolumeAttached", instance="i-1", volume="vol-2")
    assert story.broken() == []


def test_a_volume_that_was_detached_need_not_be_covered() -> None:
    story = good_evening().tell(at(20), "VolumeAttached", instance="i-1", volume="vol-2")
    assert story.tell(at(21), "VolumeDetached", instance="i-1", volume="vol-2").broken() == []


def test_volumes_may_be_backed_up_each_by_itself() -> None:
    story = (
        Story().tell(at(0.5), "WindowCreated", window="w", name="n", enabled=False).launch(volumes=("vol-1", "vol-2"))
    )
    story.open().close().evidence().install().back_up("vol-1", volumes=("vol-1",), kind="volume")
    assert story.broken(backup_resources="volumes") == ["proof"]
    story.back_up("vol-2", volumes=("vol-2",), kind="volume")
    assert story.broken(backup_resources="volumes") == []
    assert story.broken() == ["proof"]


def test_an_instance_store_root_can_never_be_proved() -> None:
    story = Story().launch(root_device="instance-store").back_up().open().close().evidence().install()
    assert story.broken() == ["proof"]


def test_f23_install_without_a_lease() -> None:
    assert Story().launch().back_up().evidence().install().broken() == ["lease"]


def test_a_hold_is_no_lease() -> None:
    assert Story().launch().back_up().open(verdict="hold").evidence().install().broken() == ["lease"]


def test_a_lease_that_cannot_be_read_is_no_lease() -> None:
    assert Story().launch().back_up().open(admit_until="soon").evidence().install().broken() == ["lease"]


def test_f32_install_after_the_lease_was_closed() -> None:
    assert good_evening().install(when=at(24)).close(at(23.9)).broken() == ["lease"]


def test_an_install_already_admitted_when_the_lease_closes_is_within_the_promise() -> None:
    assert good_evening().close(at(23, 50)).broken() == []


def test_f31_install_at_the_end_of_admission() -> None:
    assert around().back_up().evidence().install(when=at(25, -1)).broken() == []
    assert around().back_up().evidence().install(when=at(25)).broken() == ["admission"]


def test_f53_install_in_a_freeze() -> None:
    frozen = {"name": "/patchgate/freeze", "value": "release", "version": 1}
    assert good_evening().tell(at(22), "ParameterPut", **frozen).broken() == ["freeze"]
    assert good_evening().tell(at(23, 10), "ParameterPut", **frozen).broken() == []
    lifted = good_evening().tell(at(20), "ParameterPut", **frozen)
    assert lifted.tell(at(21), "ParameterDeleted", name="/patchgate/freeze").broken() == []
    of_lane = {"name": "/patchgate/ubuntu/prd/freeze", "value": "", "version": 1}
    assert good_evening().tell(at(22), "ParameterPut", **of_lane).broken() == ["freeze"]
    of_another = {"name": "/patchgate/ubuntu/dev/freeze", "value": "", "version": 1}
    assert good_evening().tell(at(22), "ParameterPut", **of_another).broken() == []


def test_f59_install_without_evidence() -> None:
    assert around().back_up().install().broken() == ["evidence"]
    assert around().back_up().install().evidence(when=at(24)).broken() == ["evidence"]


def test_an_install_outside_of_every_lane() -> None:
    story = good_evening().launch("i-9", tags={"PatchGroup": "mine"}).back_up("i-9").install("i-9")
    assert story.broken() == ["lane"]
    assert good_evening().install("i-unknown").broken() == ["lane"]


def test_f60_an_install_by_another_path_is_judged_too() -> None:
    tags = TAGS | {"ToBackupAndPatch": "false"}
    assert good_evening().launch("i-2", tags=tags).evidence("i-2").install("i-2").broken() == ["lane", "proof"]


def test_f60_what_an_operator_installs_by_hand_is_nobodys_promise() -> None:
    by_hand = {"command": "command-i-2", "document": "AWS-RunPatchBaseline", "instances": ["i-2"], "parameters": {}}
    story = good_evening().launch("i-2").install("i-2")
    assert story.broken() == ["evidence", "proof"]
    assert story.tell(at(22), "CommandSent", principal="arn:aws:iam::1:role/r", **by_hand).broken() == [
        "evidence",
        "proof",
    ]
    story = good_evening().launch("i-2").install("i-2").tell(at(22), "CommandSent", principal="", **by_hand)
    assert story.broken() == []
    assert story.judged().patched_without_way_back == ()


def test_lanes_are_judged_apart() -> None:
    other = LaneFacts(
        account=LANE.account,
        region="us-east-1",
        operating_system="ubuntu",
        environment="prd",
        vault="",
        window_name="w",
        patch_group=LANE.patch_group,
    )
    assert judge(good_evening().records(), lanes=[LANE, other]).held
    assert [one.promise for one in judge(good_evening().records(), lanes=[other]).violations] == ["lane"]


def test_a_history_of_templates_without_leases_still_tells_who_has_no_way_back() -> None:
    story = Story().launch().launch("i-2").back_up("i-2").install().install("i-2")
    judgement = story.judged()
    assert [one.instance for one in judgement.patched_without_way_back] == ["i-1"]
    assert {violation.promise for violation in judgement.violations} == {"proof", "lease"}


def test_the_span_of_a_proof_is_a_fact_of_the_lane() -> None:
    story = good_evening().tell(at(23, 50), "VolumeAttached", instance="i-1", volume="vol-2")
    assert story.broken(proof_read_within=timedelta(seconds=5)) == ["proof"]
