"""Statements: what they are about, which conditions hold, and what is refused rather than guessed."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from patchgate.emulator.errors import NotEmulatedError
from patchgate.emulator.iam.policy import Answer, Patterns, evaluate, read_policy

INSTANCE = "arn:aws:ec2:eu-west-1:111111111111:instance/i-1"


def statement(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": INSTANCE} | elements


def answer(*statements: dict[str, Any], resource: str = INSTANCE, **context: str) -> Answer:
    return evaluate(read_policy({"Statement": list(statements)}), "ssm:SendCommand", resource, context)


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("*", "anything at all", True),
        ("arn:aws:s3:::logs/*", "arn:aws:s3:::logs/a/b:c", True),
        ("arn:aws:s3:::logs/*", "arn:aws:s3:::logs", False),
        ("arn:aws:ssm:*:*:parameter/a", "arn:aws:ssm:eu-west-1:1:parameter/a", True),
        ("arn:aws:ssm:*:parameter/a", "arn:aws:ssm:eu-west-1:1:parameter/a", False),
        ("arn:aws:ec2:*:*:image/*", "arn:aws:ec2:eu-west-1::image/ami-1", True),
        ("arn:aws:ec2:*:instance/*", INSTANCE, False),
        ("arn:aws:ec2", INSTANCE, True),
        ("arn:aws:s3", INSTANCE, False),
        ("arn:aws:ec2:eu-west-1:111111111111:instance/i-?", INSTANCE, True),
        ("arn:aws:ec2:eu-west-1:111111111111:instance/i-?", INSTANCE + "2", False),
        ("arn:aws:ec2:eu-west-1:111111111111:instance/*", "*", False),
    ],
)
def test_patterns(pattern: str, text: str, fits: bool) -> None:
    assert Patterns([pattern]).fit(text) is fits


def test_actions_are_read_without_case_and_resources_with() -> None:
    assert answer(statement(Action="SSM:sendcommand")) == "allow"
    assert answer(statement(Resource=INSTANCE.upper())) == "silent"


def test_a_deny_wins_wherever_it_stands() -> None:
    assert answer(statement(), statement(Effect="Deny", Action="ssm:*")) == "deny"
    assert answer(statement(Effect="Deny", Resource="*"), statement()) == "deny"


@pytest.mark.parametrize(
    ("operator", "value", "given", "expected"),
    [
        ("StringEquals", ["a", "b"], "b", "allow"),
        ("StringEquals", "a", "A", "silent"),
        ("StringEquals", "a", None, "silent"),
        ("StringNotEquals", "a", "a", "silent"),
        ("StringNotEquals", "a", None, "allow"),
        ("StringEqualsIgnoreCase", "a", "A", "allow"),
        ("StringLike", "a*", "abc", "allow"),
        ("StringLikeIfExists", "a*", None, "allow"),
        ("StringLikeIfExists", "a*", "b", "silent"),
        ("StringNotLike", "a*", "abc", "silent"),
        ("Null", "true", None, "allow"),
        ("Null", "false", None, "silent"),
        ("Null", "false", "a", "allow"),
        ("Bool", True, "true", "allow"),
    ],
)
def test_conditions(operator: str, value: Any, given: str | None, expected: Answer) -> None:
    tested = statement(Condition={operator: {"aws:ResourceTag/Group": value}})
    assert answer(tested, **({"aws:resourcetag/group": given} if given is not None else {})) == expected


def test_all_conditions_must_hold() -> None:
    both = {"StringEquals": {"aws:ResourceTag/a": "1", "aws:ResourceTag/b": "2"}}
    assert answer(statement(Condition=both), **{"aws:resourcetag/a": "1", "aws:resourcetag/b": "2"}) == "allow"
    assert answer(statement(Condition=both), **{"aws:resourcetag/a": "1"}) == "silent"


def test_an_arn_condition_keeps_its_parts_apart() -> None:
    tested = statement(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:ssm:*:111111111111:*"}})
    assert answer(tested, **{"aws:sourcearn": "arn:aws:ssm:eu-west-1:111111111111:automation-execution/1"}) == "allow"
    assert answer(tested, **{"aws:sourcearn": "arn:aws:ssm:eu-west-1:2:x:111111111111:y"}) == "silent"


@pytest.mark.parametrize(
    "elements",
    [
        {"NotAction": "s3:*"},
        {"NotResource": "*"},
        {"Condition": {"ForAnyValue:StringEquals": {"aws:ResourceTag/a": "1"}}},
        {"Condition": {"NumericEquals": {"aws:ResourceTag/a": "1"}}},
        {"Condition": {"StringEquals": {"aws:CalledVia": "x"}}},
        {"Condition": {"StringLike": {"aws:ResourceTag/a": "${aws:PrincipalTag/a}"}}},
        {"Resource": "arn:aws:ec2:*:*:instance/${ec2:InstanceID}"},
    ],
)
def test_what_is_not_known_is_refused_when_it_would_decide(elements: dict[str, Any]) -> None:
    with pytest.raises(NotEmulatedError):
        answer(statement(**elements), **{"aws:resourcetag/a": "1"})


def test_what_is_not_known_stands_by_where_it_decides_nothing() -> None:
    unknown = {"StringEquals": {"kms:ViaService": "ec2"}}
    assert answer(statement(), statement(Action="kms:Decrypt", Condition=unknown)) == "allow"
    assert answer(statement(Resource=[INSTANCE, "arn:aws:ec2:*:*:instance/${ec2:InstanceID}"])) == "allow"


def test_policies_are_read_as_iam_gives_them() -> None:
    text = quote('{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}')
    assert [item.allows for item in read_policy(text)] == [False]
