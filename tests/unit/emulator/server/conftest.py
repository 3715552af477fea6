"""A host with an embedded AWS, and an HTTP server in front of it."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from patchgate.emulator.cloud import Cloud, Scope
from patchgate.emulator.ec2 import Ec2
from patchgate.emulator.server import Beginning, CloudHost, EmulatorServer, HostSettings, Settled
from patchgate.emulator.world import InstanceSpec
from patchgate.errors import InputError

START = datetime(2026, 7, 4, 12, tzinfo=UTC)


class OneMachine:
    """WorldSource: one machine at the start; a text is the id of another."""

    def populate(self, cloud: Cloud) -> None:
        self._add(cloud, "i-00000000")

    def settle(self, beginning: Beginning) -> Settled:
        """A world is the id of a machine."""
        if beginning.world is not None and not isinstance(beginning.world, str):
            raise InputError("the world is no id", remedy="give one")
        name = beginning.world or "i-00000009"
        settings = HostSettings(beginning.start, beginning.seed, assumptions=beginning.assumptions)
        return Settled(settings, lambda cloud: self._add(cloud, name))

    def load(self, cloud: Cloud, text: bytes) -> int:
        if not text:
            raise InputError("no machine is named", remedy="name one")
        self._add(cloud, text.decode())
        return 1

    @staticmethod
    def _add(cloud: Cloud, name: str) -> None:
        spec = InstanceSpec(name, name, "UBUNTU", "Linux")
        cloud.component(Ec2).add_instance(Scope("111122223333", "eu-west-1"), spec)


@pytest.fixture(scope="package")
def host() -> Iterator[CloudHost]:
    """One for the room, as doors take a moment to open."""
    with CloudHost(HostSettings(START, default_account="999999999999"), OneMachine()) as host:
        yield host


@pytest.fixture
def fresh(host: CloudHost) -> CloudHost:
    """The host as at its start."""
    host.reset()
    return host


@contextmanager
def serving(host: CloudHost) -> Iterator[EmulatorServer]:
    with EmulatorServer.bind("127.0.0.1", 0, host) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="package")
def server(host: CloudHost) -> Iterator[EmulatorServer]:
    with serving(host) as server:
        yield server


@pytest.fixture
def connect(server: EmulatorServer) -> Iterator[Callable[[], http.client.HTTPConnection]]:
    """Makes connections to the server."""
    made: list[http.client.HTTPConnection] = []

    def open_one() -> http.client.HTTPConnection:
        made.append(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30))
        return made[-1]

    yield open_one
    for connection in made:
        connection.close()
