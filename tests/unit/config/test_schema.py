"""The JSON Schema: the examples pass, broken files do not, and it is what the repository and editors have."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from patchgate.config import parse_document, parse_fleet
from patchgate.config.schema import DRAFT, EDITOR_LINE, FILE_NAME, build_schema, render_schema
from patchgate.errors import InputError

EXAMPLES = Path(__file__).parents[3] / "examples"
FLEETS = sorted(path for path in EXAMPLES.glob("*.yaml"))
SCHEMA = build_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def document_of(path: Path) -> Any:
    return parse_document(path.read_bytes(), path.name).value


def is_valid(value: Any) -> bool:
    return bool(VALIDATOR.is_valid(value))


def changed(*path: str | int, to: Any) -> Any:
    """The large example with one value replaced or added; ``to`` None takes it away."""
    value = copy.deepcopy(document_of(EXAMPLES / "organization.yaml"))
    place = value
    for part in path[:-1]:
        place = place[part]
    if to is None:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return value


def test_it_is_a_schema_of_its_draft() -> None:
    assert SCHEMA["$schema"] == DRAFT
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_its_text_is_the_same_every_time_and_beside_the_examples() -> None:
    assert json.loads(render_schema()) == SCHEMA
    assert (EXAMPLES / FILE_NAME).read_text(encoding="utf-8") == render_schema()


@pytest.mark.parametrize("path", FLEETS, ids=lambda path: path.name)
def test_the_examples_pass_and_name_it_for_editors(path: Path) -> None:
    assert not [error.message for error in VALIDATOR.iter_errors(document_of(path))]
    assert path.read_text(encoding="utf-8").startswith(f"{EDITOR_LINE}\n")


GOOD = {
    "a statement in short": changed("defaults", "schedule", "patch", to="cron(0 23 ? * 7 *)"),
    "a statement as cron": changed("defaults", "schedule", "patch", to={"cron": "cron(0 23 ? * 7 *)"}),
    "an id without quotes": changed("accounts", 0, "id", to=111111111111),
    "a number of instances": changed("defaults", "concurrency", "install", to=5),
    "an empty section": changed("defaults", "gate", to={}),
    "a number as a tag": changed("defaults", "tags", "x", to=5),
}
BROKEN = {
    "an unknown key": changed("organisation", to={}),
    "an unknown key below": changed("defaults", "gate", "mod", to="coverage"),
    "no organization": changed("organization", to=None),
    "another version": changed("version", to=2),
    "a wrong organization id": changed("organization", "id", to="o-A"),
    "a wrong account id": changed("accounts", 0, "id", to="1111"),
    "an unknown Region": changed("targets", 0, "regions", to=["eu-centrl-1"]),
    "an unknown operating system": changed("targets", 0, "operating_systems", to=["ubunut"]),
    "an unknown environment": changed("environments", 0, "name", to="production"),
    "no Regions": changed("targets", 0, "regions", to=[]),
    "a target without accounts": changed("targets", 0, "accounts", to=None),
    "a target of another kind": changed("targets", 0, to=["web"]),
    "no targets": changed("targets", to=[]),
    "an exception without a list": changed("targets", 0, "exceptions", to=[{}]),
    "a range": changed("defaults", "gate", "minimum_coverage_percent", to=101),
    "a word": changed("defaults", "gate", "mode", to="coverge"),
    "a percentage": changed("defaults", "concurrency", "install", to="many"),
    "a statement without a time": changed("defaults", "schedule", "patch", to={"weekday": "TUE"}),
    "a statement said twice": changed("defaults", "schedule", "patch", to={"at": "22:00", "cron": "cron(0 1 * * ? *)"}),
    "an ordinal of no weekday": changed("defaults", "schedule", "patch", to={"at": "22:00", "ordinal": 2}),
    "a wrong time": changed("defaults", "schedule", "patch", "at", to="25:00"),
    "one schedule of four": changed("defaults", "schedule", to={"backup": "cron(0 1 * * ? *)"}),
    "a freeze that says nothing": changed("defaults", "freezes", to=[{"reason": "x"}]),
    "a freeze said twice": changed("defaults", "freezes", to=[{"reason": "x", "holidays": "DE", "ics": "x.ics"}]),
    "a freeze without a reason": changed("defaults", "freezes", to=[{"holidays": "DE"}]),
    "a waiver without an owner": changed("operating_systems", 0, "waivers", 0, "owner", to=None),
    "a waiver for an instance": changed("operating_systems", 0, "waivers", 0, "instance", to="i-1"),
    "a zone of an unknown Region": changed("targets", 0, "time_zones", to={"mars-1": "UTC"}),
    "a key of no kind": changed("log_bucket", "kms_key", to="alias/x"),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_patchgate_takes_passes(name: str) -> None:
    assert is_valid(GOOD[name])
    assert parse_fleet(json.dumps(GOOD[name]).encode(), "f.yaml", directory=EXAMPLES)


@pytest.mark.parametrize("name", BROKEN)
def test_what_patchgate_refuses_does_not_pass(name: str) -> None:
    assert not is_valid(BROKEN[name])
    with pytest.raises(InputError):
        parse_fleet(json.dumps(BROKEN[name]).encode(), "f.yaml", directory=EXAMPLES)
