"""World files: what they say, and what is wrong with them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from patchgate.emulator.world import InstanceStateChange, VolumeAttachment
from patchgate.errors import InputError
from patchgate.rehearsal.worlds import World, parse_world, read_world
from patchgate.rehearsal.worlds import world_of as content_of

START = datetime(2026, 7, 10, 12, tzinfo=UTC)
EXAMPLES = Path(__file__).parents[3] / "examples" / "world"

GROUP = """
version: 1
start: 2026-07-10T12:00:00Z
groups:
  - account: "111111111111"
    region: eu-central-1
    operating_system: UBUNTU
    tags: {PatchGroup: ubuntu-patch-group-prd}
    patches: [{id: linux-image, reboot: true}]
    instances:
"""


def world_of(tmp_path: Path, instances: str, *, more: str = "") -> World:
    (tmp_path / "a.yaml").write_text(GROUP + instances, encoding="utf-8")
    if more:
        (tmp_path / "b.yaml").write_text(more, encoding="utf-8")
    return read_world(tmp_path)


def problems_of(tmp_path: Path, instances: str, *, more: str = "") -> str:
    with pytest.raises(InputError) as caught:
        world_of(tmp_path, instances, more=more)
    return str(caught.value)


def test_instance_takes_what_it_leaves_out_from_its_group(tmp_path: Path) -> None:
    world = world_of(tmp_path, "      - {name: a, volumes: 2, tags: {Owner: me}}\n")
    (placed,) = world.instances(START)
    assert world.start == START
    assert placed.spec.tags == {"Name": "a", "PatchGroup": "ubuntu-patch-group-prd", "Owner": "me"}
    assert [patch.id for patch in placed.spec.patches] == ["linux-image"]
    assert [volume.device for volume in placed.spec.volumes] == ["/dev/sda", "/dev/sdb"]


def test_ids_are_the_same_in_every_run_and_differ_between_names(tmp_path: Path) -> None:
    world = world_of(tmp_path, "      - {name: a}\n      - {name: b}\n      - {name: c, id: i-0123456789abcdef0}\n")
    first, again = ([p.spec.instance_id for p in world.instances(START)] for _ in range(2))
    assert first == again
    assert len(set(first)) == 3
    assert first[2] == "i-0123456789abcdef0"


def test_hours_count_from_the_start_of_the_run(tmp_path: Path) -> None:
    text = (
        "      - {name: a, happenings: [{after_hours: 1.5, attach_volume: true}, {after_hours: 2, state: stopped}]}\n"
    )
    (placed,) = world_of(tmp_path, text).instances(START)
    attach, stop = placed.changes(START)
    assert isinstance(attach, VolumeAttachment)
    assert attach.at == START + timedelta(minutes=90)
    assert attach.volume.device == "/dev/sdb"
    assert isinstance(stop, InstanceStateChange)
    assert (stop.at, stop.state) == (START + timedelta(hours=2), "stopped")


def test_agent_is_silent_between_two_hours(tmp_path: Path) -> None:
    text = "      - {name: a, agent: {offline_after_hours: 1, online_after_hours: 3}}\n"
    (placed,) = world_of(tmp_path, text).instances(START)
    assert placed.spec.agent.offline_from == START + timedelta(hours=1)
    assert placed.spec.agent.online_from == START + timedelta(hours=3)


def test_every_problem_is_named_with_its_line(tmp_path: Path) -> None:
    text = "      - {name: a, volums: 2}\n      - {name: b, backup: {outcome: BROKEN}}\n      - {volumes: 1}\n"
    message = problems_of(tmp_path, text)
    assert "a.yaml:11:" in message
    assert "unknown key 'volums' (did you mean 'volumes'?)" in message
    assert "a.yaml:12:" in message
    assert "'COMPLETED', 'FAILED'" in message
    assert "missing key 'name'" in message


def test_a_region_that_does_not_exist_is_named_with_its_line() -> None:
    group = '{account: "111111111111", region: us-east-9, operating_system: UBUNTU, instances: []}'
    with pytest.raises(InputError) as caught:
        parse_world(f"version: 1\ngroups:\n- {group}\n".encode(), "w.yaml")
    assert "w.yaml:3:" in str(caught.value)
    assert "us-east-9" in str(caught.value)
    assert "did you mean" in str(caught.value)


def test_an_instance_is_in_one_file_only(tmp_path: Path) -> None:
    message = problems_of(tmp_path, "      - {name: a}\n", more=GROUP.replace("start:", "#") + "      - {name: a}\n")
    assert "instance 'a' of 111111111111/eu-central-1 is in" in message


def test_the_start_is_given_once(tmp_path: Path) -> None:
    message = problems_of(tmp_path, "      - {name: a}\n", more="version: 1\nstart: 2026-01-01T00:00:00Z\n")
    assert "the world's start is given in" in message


def test_a_directory_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no \*\.yaml file"):
        read_world(tmp_path)


def test_sample_world_has_what_its_description_says() -> None:
    placed = list(read_world(EXAMPLES).instances(START))
    assert len(placed) == 41
    assert len({(p.account, p.region) for p in placed}) == 2
    assert sum(p.spec.backup.outcome == "NONE" for p in placed) == 6


@pytest.mark.parametrize("start", ["1960-01-01", "2287-01-01T00:00:00Z"])
def test_a_world_starts_where_epochs_have_ten_digits(start: str) -> None:
    with pytest.raises(InputError, match="a rehearsal starts between 2001-09-10 and 2286-11-01"):
        parse_world(f"version: 1\nstart: {start}\n".encode(), "w.yaml")


def test_volumes_have_the_key_that_the_world_says(tmp_path: Path) -> None:
    key = "arn:aws:kms:eu-central-1:111111111111:key/11111111-2222"
    world = world_of(tmp_path, f"      - {{name: a, volumes: 2, volume_key: '{key}'}}\n      - {{name: b}}")
    keys = [[volume.key_arn for volume in placed.spec.volumes] for placed in world.instances(START)]
    assert keys == [[key, key], [""]]
    assert "volume_key" in problems_of(tmp_path, "      - {name: a, volume_key: alias/mine}")


UNIT = "{id: ou-ab12-11111111, name: a}"


@pytest.mark.parametrize(
    ("organization", "said"),
    [
        (f"{{units: [{UNIT}, {UNIT}]}}", "'ou-ab12-11111111' is there 2 times"),
        ("{units: [{id: ou-ab12-11111111, name: a, parent: ou-ab12-22222222}]}", "which is none of its units"),
        ("{units: [{id: ou-ab12-11111111, name: a, parent: ou-ab12-11111111}]}", "nested deeper than 5 levels"),
        ('{accounts: [{id: "111122223333", name: a, unit: ou-ab12-33333333}]}', "which is none of its units"),
        ("{units: [{id: production, name: a}]}", "pattern"),
        ("{root: r-1}", "unknown key 'root'"),
    ],
)
def test_an_organization_that_does_not_fit_together_is_refused(organization: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_world(f"version: 1\norganization: {organization}".encode(), "world")
    assert said in str(caught.value)


def test_an_organization_is_given_once(tmp_path: Path) -> None:
    more = "version: 1\norganization: {}"
    (tmp_path / "c.yaml").write_text(more, encoding="utf-8")
    assert "the world's organization is given in" in problems_of(tmp_path, "      - {name: a}", more=more)


def test_the_sample_in_json_is_the_sample() -> None:
    world = read_world(EXAMPLES)
    again = content_of(json.loads(json.dumps(world.to_json())), "world")
    assert list(again.instances(START)) == list(world.instances(START))
    assert again.start == world.start
