"""Worlds for a server: that of its start, those that come later, and those that a client begins with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.organizations import Organizations
from patchgate.emulator.server import Beginning
from patchgate.errors import InputError
from patchgate.rehearsal.serving import ServedWorlds
from patchgate.rehearsal.worlds import World, parse_world

START = datetime(2026, 7, 10, 12, tzinfo=UTC)
SCOPE = Scope("111122223333", "eu-west-1")
WORLD = b"""
version: 1
groups:
  - account: "111122223333"
    region: eu-west-1
    operating_system: UBUNTU
    instances: [{name: a}, {name: b, happenings: [{after_hours: 2, state: stopped}]}]
"""
UNITS = b"""
version: 1
organization:
  management_account: "999988887777"
  units:
    - {id: ou-ab12-11111111, name: production}
    - {id: ou-ab12-22222222, name: shops, parent: ou-ab12-11111111}
  accounts:
    - {id: "111122223333", name: shop, unit: ou-ab12-22222222}
groups:
  - {account: "111122223333", region: eu-west-1, operating_system: UBUNTU, instances: [{name: a}]}
  - {account: "444455556666", region: eu-west-1, operating_system: UBUNTU, instances: [{name: b}]}
"""
NOTHING = ServedWorlds(World(None, ()), START)


def test_the_world_to_begin_with_begins_at_the_start() -> None:
    cloud = Cloud((Ec2,), start=START)
    ServedWorlds(parse_world(WORLD, "world"), START).populate(cloud)
    assert [instance.spec.name for instance in cloud.component(Ec2).instances(SCOPE)] == ["a", "b"]


def test_hours_of_a_later_world_count_from_when_it_came() -> None:
    cloud = Cloud((Ec2,), start=START)
    cloud.kernel.run_until(START + timedelta(days=1))
    assert NOTHING.load(cloud, WORLD) == 2
    cloud.kernel.run_until(START + timedelta(days=1, hours=2))
    (changed,) = cloud.history.of("InstanceStateChanged")
    assert (changed["at"], changed["state"]) == ("2026-07-11T14:00:00.000Z", "stopped")


def test_a_machine_that_is_there_is_not_put_there_again_nor_the_rest() -> None:
    cloud = Cloud((Ec2,), start=START)
    NOTHING.load(cloud, WORLD)
    with pytest.raises(InputError, match=r"^instance 'a' of 111122223333/eu-west-1 is there already$"):
        NOTHING.load(cloud, WORLD.replace(b"{name: a}", b"{name: new}, {name: a}"))
    assert len(cloud.component(Ec2).instances(SCOPE)) == 2


@pytest.mark.parametrize(
    ("text", "said"), [(b"version: 1\ngroups: 3", "world:2"), (b"\xff", "world"), (WORLD * 2, "world")]
)
def test_a_text_that_is_no_world_is_refused(text: bytes, said: str) -> None:
    cloud = Cloud((Ec2,), start=START)
    with pytest.raises(InputError, match=said):
        NOTHING.load(cloud, text)
    assert not list(cloud.history)


def test_a_client_begins_with_a_world_of_its_own() -> None:
    world = parse_world(UNITS, "world").to_json()
    settled = NOTHING.settle(Beginning(START, 3, "o-a1b2c3d4e5", world=world))
    assert settled.settings.seed == 3
    assert settled.settings.default_account == "111122223333"
    cloud = Cloud((Ec2, Organizations), start=START)
    organizations = cloud.component(Organizations)
    assert settled.settings.organization is not None
    organizations.establish(settled.settings.organization)
    settled.populate(cloud)
    assert [instance.spec.name for instance in cloud.component(Ec2).instances(SCOPE)] == ["a"]
    assert organizations.accounts_under("ou-ab12-11111111") == ["111122223333"]
    assert organizations.accounts_under("r-root") == ["999988887777", "111122223333", "444455556666"]
    assert cloud.organization_id == "o-a1b2c3d4e5"


def test_a_world_in_json_is_the_same_world() -> None:
    for text in (WORLD, UNITS):
        world = parse_world(text, "world")
        settled = NOTHING.settle(Beginning(START, world=world.to_json()))
        histories = []
        for populate in (settled.populate, ServedWorlds(world, START).populate):
            cloud = Cloud((Ec2,), start=START)
            populate(cloud)
            cloud.kernel.run_until(START + timedelta(days=1))
            histories.append(cloud.history.to_json_lines())
        assert histories[0] == histories[1]


def test_a_beginning_without_an_organization_or_a_world() -> None:
    settled = NOTHING.settle(Beginning(START))
    assert settled.settings.organization is None
    cloud = Cloud((Ec2,), start=START)
    settled.populate(cloud)
    assert not list(cloud.history)


@pytest.mark.parametrize("world", [[], "text", {"version": 2}, {"version": 1, "groups": [{}]}])
def test_a_beginning_with_what_is_no_world_is_refused(world: object) -> None:
    with pytest.raises(InputError, match="world: "):
        NOTHING.settle(Beginning(START, world=world))


def test_the_organization_of_a_running_server_stays() -> None:
    with pytest.raises(InputError, match="the organization is there already"):
        NOTHING.load(Cloud((Ec2,), start=START), UNITS)
