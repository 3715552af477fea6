"""The fleet file that ``patchgate init`` writes."""

from __future__ import annotations

import jsonschema
import pytest

from patchgate.config import parse_document, parse_fleet
from patchgate.config.schema import build_schema
from patchgate.config.starter import StarterAnswers, build_starter, check_answer, read_account
from patchgate.errors import InputError

ANSWERS = StarterAnswers(
    "o-a1b2c3d4e5",
    (("012345678901", "web"), ("222222222222", "account-222222222222")),
    ("eu-central-1", "us-east-1"),
    ("ubuntu", "windows"),
    ("dev", "prd"),
    "999999999999",
    "TUE",
    "21:30",
    '"odd"@example.com',
)


def test_it_is_valid_says_what_was_answered_and_fits_the_schema() -> None:
    text = build_starter(ANSWERS)
    fleet = parse_fleet(text.encode(), "f.yaml")
    assert fleet.organization.id == "o-a1b2c3d4e5"
    assert fleet.log_account == "999999999999"
    assert fleet.promotion == ("dev", "prd")
    assert len(fleet.lanes()) == 16
    assert fleet.lanes()[0].lane.name == "web/eu-central-1/ubuntu/dev"
    assert fleet.lanes()[0].parameters["NotificationEmail"] == '"odd"@example.com'
    (statement,) = {lane.patch.statement.expression for lane in fleet.lanes() if lane.patch}
    assert statement == "cron(30 21 ? * TUE *)"
    jsonschema.validate(parse_document(text.encode(), "f.yaml").value, build_schema())


@pytest.mark.parametrize("comment", ["# notifications:", "# freezes:", "# exceptions:"])
def test_what_it_shows_in_comments_is_valid_too(comment: str) -> None:
    answers = StarterAnswers(
        "o-a1b2c3d4e5",
        (("111111111111", "web"),),
        ("eu-central-1", "us-east-1"),
        ("ubuntu",),
        ("prd",),
        "web",
    )
    lines = build_starter(answers).splitlines()
    first = next(number for number, line in enumerate(lines) if line.lstrip().startswith(comment))
    last = first
    while lines[last].lstrip().startswith("#"):
        lines[last] = lines[last].replace("# ", "", 1)
        last += 1
        if last == len(lines):
            break
    assert parse_fleet("\n".join(lines).encode(), "f.yaml").lanes()


def test_answers_that_contradict_each_other_are_refused() -> None:
    twice = StarterAnswers(
        "o-a1b2c3d4e5", (("111111111111", "web"),), ("eu-central-1", "eu-central-1"), ("ubuntu",), ("prd",), "web"
    )
    with pytest.raises(InputError, match="'eu-central-1' is in the list already"):
        build_starter(twice)


def test_an_account_is_an_id_with_or_without_a_name() -> None:
    assert read_account("web=111111111111") == ("111111111111", "web")
    assert read_account("111111111111") == ("111111111111", "account-111111111111")


@pytest.mark.parametrize("text", ["", "web", "web=1", "=111111111111", "a b=111111111111", "111111111112=111111111111"])
def test_anything_else_is_no_account(text: str) -> None:
    with pytest.raises(ValueError, match="is not an account"):
        read_account(text)


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("region", "eu-centrl-1", r"unknown Region 'eu-centrl-1' \(did you mean 'eu-central-1'\?\)"),
        ("weekday", "sat", r"'sat' is not a weekday \(did you mean 'SAT'\?\)"),
        ("email", "nobody", r"'nobody' is not an e-mail address \(name@domain\)"),
    ],
)
def test_a_wrong_answer_is_told_as_in_a_fleet_file(kind: str, value: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_answer(kind, value)
