"""Both doors give the same answers: every scenario of the components through each, answer by answer."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from patchgate.emulator.cloud import Cloud
from patchgate.emulator.direct import DirectDoor
from patchgate.emulator.engine import COMPONENTS
from patchgate.emulator.wire import WireDoor

NEIGHBOURS = ("iam", "sns", "sqs", "s3", "logs", "cloudwatch", "sts")
"""moto's answers have more members, and ids of their own."""


def load_scenarios() -> ModuleType:
    spec = importlib.util.spec_from_file_location("scenarios", Path(__file__).with_name("test_scenarios.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCENARIOS = load_scenarios()


IGNORED = ("HTTPHeaders", "HostId", "CodeSha256")
"""Headers are those of a wire; an archive has the time of its making in it."""


def comparable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items() if key not in IGNORED}
    if isinstance(value, list):
        return [comparable(item) for item in value]
    return value if isinstance(value, str | int | float | bool | bytes | type(None)) else str(value).split(" object")[0]


@contextmanager
def place_behind(door: Callable[[Cloud], Any]) -> Iterator[tuple[Any, list[Any]]]:
    answers: list[Any] = []
    watched: set[int] = set()
    with door(Cloud(COMPONENTS, start=SCENARIOS.START, seed=11)) as opened:
        place = SCENARIOS.Place(opened)
        original = place.client

        def client(service: str, **options: Any) -> Any:
            made = original(service, **options)

            def watch(parsed: Any, model: Any, **_: Any) -> None:
                answers.append((service, model.name, comparable(parsed)))

            if service not in NEIGHBOURS and id(made) not in watched:
                watched.add(id(made))
                made.meta.events.register_last("after-call", watch)
            return made

        place.client = client
        yield place, answers


@pytest.mark.parametrize("scenario", SCENARIOS.SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_every_answer_is_the_same(scenario: Callable[[Any], None]) -> None:
    with place_behind(WireDoor) as (wired, over_the_wire):
        scenario(wired)
        wire_history = wired.cloud.history.to_json_lines()
    with place_behind(DirectDoor) as (place, directly):
        scenario(place)
        history = place.cloud.history.to_json_lines()
    assert directly
    assert directly == over_the_wire
    assert history == wire_history
    assert [list(answer[2]) for answer in directly] == [list(answer[2]) for answer in over_the_wire]
