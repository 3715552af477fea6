"""``patchgate emulator`` in a process of its own, for tests that reach it over HTTP."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.loaders
import botocore.session

_SETTING = re.compile(r"""^(?:export |\$env:)(\w+)(?:=| = ")([^"]*)"?$""")


@dataclass(frozen=True, slots=True)
class Served:
    """A running server. ``settings`` are the environment variables that it asks its users to set."""

    process: subprocess.Popen[str]
    settings: dict[str, str]

    @property
    def url(self) -> str:
        return self.settings["AWS_ENDPOINT_URL"]

    def client(self, account: str, region: str, service: str) -> Any:
        """The SDK's client of an account's operator; who asks again gets the same one."""
        return _client(self.url, account, region, service)

    def ask(self, endpoint: str, body: object = None, *, text: str = "") -> tuple[int, Any]:
        """(status, JSON) of a control endpoint: a POST with a body or a text, a GET without."""
        content = text.encode() or (None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(f"{self.url}/_patchgate/{endpoint}", content) as answer:  # noqa: S310 - loopback
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def advance_to(self, when: str) -> None:
        status, answer = self.ask("clock", {"until": when})
        assert status == 200, answer

    def history(self, start: int = 0) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.url}/_patchgate/history?from={start}") as answer:  # noqa: S310 - loopback
            return [json.loads(line) for line in answer.read().decode().splitlines()]


@functools.cache
def _client(url: str, account: str, region: str, service: str) -> Any:
    core = botocore.session.Session()
    core.register_component("data_loader", _models())
    session = boto3.Session(f"AKIA{account}", "any", region_name=region, botocore_session=core)
    return session.client(service, endpoint_url=url)


@functools.cache
def _models() -> Any:
    """One loader of the service models: a session reads them anew if it has one of its own."""
    return botocore.loaders.create_loader()


def command_of(*options: str) -> list[str]:
    return [sys.executable, "-m", "patchgate", "emulator", *options]


@contextmanager
def served(*options: str) -> Iterator[Served]:
    """A server on a free port, ready, for as long as the context lasts."""
    process = subprocess.Popen(
        command_of("--port", "0", *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONUTF8": "1"},
    )
    assert process.stdout is not None
    try:
        settings: dict[str, str] = {}
        while len(settings) < 4:
            line = process.stdout.readline()
            match = _SETTING.match(line.rstrip())
            assert match, line or process.communicate()[1]
            settings[match[1]] = match[2]
        yield Served(process, settings)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
