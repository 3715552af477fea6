"""``patchgate emulator``: what it prints, where it listens, and what it refuses."""

from __future__ import annotations

import socket

import click
import pytest

from patchgate.cli.emulator import describe_settings, emulator
from patchgate.cli.root import run
from patchgate.emulator.endpoint.client import is_loopback


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


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port", "0", "clock"], "--port starts a server; clock asks one that runs"),
        (["clock", "--until", "2026-07-11", "--advance", "PT1H"], "two ways to say the same"),
        (["clock", "--until", "tomorrow"], "'tomorrow' is not a date"),
        (["clock", "--endpoint-url", "localhost:4566"], "is not the URL of an engine"),
        (["history", "--from", "-1"], "-1"),
    ],
)
def test_wrong_words_are_told_in_one_message(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["emulator", *words]) == 2
    output, message = capsys.readouterr()
    assert output == ""
    assert said in message


def test_a_server_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert run(["emulator", "clock", "--endpoint-url", f"http://127.0.0.1:{port}"]) == 2
    message = capsys.readouterr().err
    assert message.startswith(f"patchgate: there is no engine at http://127.0.0.1:{port}: ")
    assert "patchgate emulator" in message
