"""``patchgate emulator``: what it prints, where it listens, and worlds that come later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
import pytest

from patchgate.cli.emulator import WorldLoader, describe_settings, emulator, is_loopback
from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.ec2 import Ec2
from patchgate.errors import InputError
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


def test_settings_are_lines_of_the_platforms_shell() -> None:
    assert list(describe_settings("http://127.0.0.1:4566", "111122223333", "eu-west-1", "posix")) == [
        "export AWS_ENDPOINT_URL=http://127.0.0.1:4566",
        "export AWS_ACCESS_KEY_ID=AKIA111122223333",
        "export AWS_SECRET_ACCESS_KEY=patchgate",
        "export AWS_DEFAULT_REGION=eu-west-1",
    ]
    first = next(describe_settings("http://127.0.0.1:4566", "111122223333", "eu-west-1", "nt"))
    assert first == '$env:AWS_ENDPOINT_URL = "http://127.0.0.1:4566"'


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("localhost", True), ("10.0.0.1", False), ("box", False)],
)
def test_what_only_this_machine_reaches(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("option", "value"), [("--organization", "o-short"), ("--management-account", "123"), ("--port", "65536")]
)
def test_options_of_the_wrong_form_are_refused(option: str, value: str) -> None:
    with pytest.raises(click.BadParameter, match=value):
        emulator.make_context("emulator", [option, value])


def test_the_world_to_begin_with_begins_at_the_start() -> None:
    cloud = Cloud((Ec2,), start=START)
    WorldLoader(parse_world(WORLD, "world"), START).populate(cloud)
    assert [instance.spec.name for instance in cloud.component(Ec2).instances(SCOPE)] == ["a", "b"]


def test_hours_of_a_later_world_count_from_when_it_came() -> None:
    cloud = Cloud((Ec2,), start=START)
    cloud.kernel.run_until(START + timedelta(days=1))
    assert WorldLoader(World(None, ()), START).load(cloud, WORLD) == 2
    cloud.kernel.run_until(START + timedelta(days=1, hours=2))
    (changed,) = cloud.history.of("InstanceStateChanged")
    assert (changed["at"], changed["state"]) == ("2026-07-11T14:00:00.000Z", "stopped")


def test_a_machine_that_is_there_is_not_put_there_again_nor_the_rest() -> None:
    cloud = Cloud((Ec2,), start=START)
    loader = WorldLoader(World(None, ()), START)
    loader.load(cloud, WORLD)
    with pytest.raises(InputError, match=r"^instance 'a' of 111122223333/eu-west-1 is there already$"):
        loader.load(cloud, WORLD.replace(b"{name: a}", b"{name: new}, {name: a}"))
    assert len(cloud.component(Ec2).instances(SCOPE)) == 2


@pytest.mark.parametrize(
    ("text", "said"), [(b"version: 1\ngroups: 3", "world:2"), (b"\xff", "world"), (WORLD * 2, "world")]
)
def test_a_text_that_is_no_world_is_refused(text: bytes, said: str) -> None:
    cloud = Cloud((Ec2,), start=START)
    with pytest.raises(InputError, match=said):
        WorldLoader(World(None, ()), START).load(cloud, text)
    assert not list(cloud.history)
