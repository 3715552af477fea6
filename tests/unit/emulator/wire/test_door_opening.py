"""A door opens once, shuts without a trace, and nothing gets past it."""

from __future__ import annotations

import contextlib
import os

import boto3
import moto
import pytest
import requests
from botocore.exceptions import ClientError

from patchgate.emulator.cloud import Cloud, NoNeighbour, Params, Result, Scope
from patchgate.emulator.wire import MotoNeighbour, NetworkRefusedError, WireDoor

ACCOUNT, OTHER, REGION = "111122223333", "444455556666", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/gate"


class OwnNeighbour(NoNeighbour):
    def call(self, scope: Scope, service: str, operation: str, params: Params) -> Result:
        raise AssertionError


class TestOpening:
    def test_closing_restores_everything(self, cloud: Cloud) -> None:
        environment = dict(os.environ)
        with contextlib.suppress(ZeroDivisionError), WireDoor(cloud) as door:
            assert cloud.sdk is door
            assert isinstance(cloud.neighbour, MotoNeighbour)
            raise ZeroDivisionError
        assert cloud.sdk is None
        assert isinstance(cloud.neighbour, NoNeighbour)
        assert dict(os.environ) == environment
        with WireDoor(cloud):
            pass

    def test_a_neighbour_of_ones_own_stays(self, cloud: Cloud) -> None:
        own = OwnNeighbour()
        cloud.neighbour = own
        with WireDoor(cloud):
            assert cloud.neighbour is own
        assert cloud.neighbour is own

    def test_doors_do_not_nest(self, door: WireDoor, cloud: Cloud) -> None:
        with pytest.raises(RuntimeError, match="do not nest"), WireDoor(cloud):
            pass

    def test_a_door_does_not_open_inside_motos_mock(self, cloud: Cloud) -> None:
        with moto.mock_aws(), pytest.raises(RuntimeError, match="do not nest"), WireDoor(cloud):
            pass

    def test_what_was_in_moto_is_gone_with_the_door(self, cloud: Cloud) -> None:
        for _ in range(2):
            with WireDoor(cloud) as door:
                assert door.session(ACCOUNT, REGION).client("sns").list_topics()["Topics"] == []
                door.session(ACCOUNT, REGION).client("sns").create_topic(Name="t")


class TestNetwork:
    def test_a_client_outlives_its_door_but_reaches_nothing(self, cloud: Cloud) -> None:
        with WireDoor(cloud) as door:
            client = door.session(ACCOUNT, REGION).client("ssm")
        with pytest.raises(NetworkRefusedError, match=r"ssm.eu-west-1"):
            client.get_parameter(Name="/a")

    def test_clients_that_moto_does_not_see_are_refused(self, cloud: Cloud) -> None:
        client = boto3.Session("AKIAIOSFODNN7EXAMPLE", "s", region_name=REGION).client("ssm")
        client.meta.events.unregister("before-send", moto.core.models.botocore_stubber)
        with WireDoor(cloud), pytest.raises(NetworkRefusedError):
            client.get_parameter(Name="/a")

    def test_other_hosts_are_refused_to_boto3(self, door: WireDoor) -> None:
        client = door.session(ACCOUNT, REGION).client("ecs", endpoint_url="https://example.org")
        with pytest.raises(ClientError, match=r"NotEmulated.*example.org"):
            client.list_clusters()

    def test_other_hosts_are_refused_to_requests(self, door: WireDoor) -> None:
        with pytest.raises(NetworkRefusedError, match=r"example.org"):
            requests.get("https://example.org/", timeout=1)

    def test_the_machines_aws_settings_are_not_read(self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_PROFILE", "production")
        monkeypatch.setenv("AWS_ENDPOINT_URL", "https://example.org")
        with WireDoor(cloud) as door:
            assert door.session(ACCOUNT, REGION).client("ssm").get_parameter(Name="/a")["Parameter"]["Name"] == "/a"
