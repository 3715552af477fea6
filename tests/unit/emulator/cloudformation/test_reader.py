"""Template text: what is read, what is refused, and where it says the fault is."""

from __future__ import annotations

import json

import pytest

from patchgate.emulator.cloudformation.reader import MAX_OBJECT_BYTES, read_template_text
from patchgate.emulator.errors import AwsError


def refused(text: str) -> str:
    with pytest.raises(AwsError) as caught:
        read_template_text(text)
    assert caught.value.code == "ValidationError"
    return caught.value.message


def test_json_and_yaml_read_the_same() -> None:
    value = {"Resources": {"A": {"Type": "T", "Properties": {"List": [1, 2.5, True, "x"]}}}}
    as_yaml = "Resources:\n  A:\n    Type: T\n    Properties:\n      List: [1, 2.5, true, x]\n"
    assert read_template_text(json.dumps(value)) == read_template_text(as_yaml) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A: !Ref B", {"A": {"Ref": "B"}}),
        ("A: !GetAtt B.C.D", {"A": {"Fn::GetAtt": ["B", "C.D"]}}),
        ("A: !GetAtt [B, C]", {"A": {"Fn::GetAtt": ["B", "C"]}}),
        ("A: !Sub '${B}'", {"A": {"Fn::Sub": "${B}"}}),
        ("A: !Sub ['${B}', {B: 1}]", {"A": {"Fn::Sub": ["${B}", {"B": 1}]}}),
        ("A: !If [X, !Ref B, !Ref 'AWS::NoValue']", {"A": {"Fn::If": ["X", {"Ref": "B"}, {"Ref": "AWS::NoValue"}]}}),
        ("A: !Not [!Condition X]", {"A": {"Fn::Not": [{"Condition": "X"}]}}),
        ("A: !Split\n  - ','\n  - !Ref B\n", {"A": {"Fn::Split": [",", {"Ref": "B"}]}}),
        ("A: !Base64 text", {"A": {"Fn::Base64": "text"}}),
        ("A: !FindInMap [M, a, b]", {"A": {"Fn::FindInMap": ["M", "a", "b"]}}),
        ("A: !ImportValue x", {"A": {"Fn::ImportValue": "x"}}),
    ],
)
def test_short_tags(text: str, value: object) -> None:
    assert read_template_text(text) == value


def test_scalars_of_yaml() -> None:
    text = "V: 2010-09-09\nOn: true\nNumber: 12\nQuoted: '12'\nDuration: '1:30'\n80: port\nText: |\n  a\n  b\n"
    assert read_template_text(text) == {
        "V": "2010-09-09",
        "On": True,
        "Number": 12,
        "Quoted": "12",
        "Duration": "1:30",
        "80": "port",
        "Text": "a\nb\n",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A: 1\nB: [\n", "YAML not well-formed. (line 3, column 1)"),
        ('{"A": 1,\n "B" 2}', "JSON not well-formed. (line 2, column 6)"),
        ('{"A": NaN}', "NaN is not a JSON value"),
        ("A: 1\nB: 2\nA: 3\n", "duplicate key A (line 3, column 1)"),
        ('{"A": 1, "A": 2}', "Duplicate key A"),
        ("A: &x 1\nB: 2\n", "anchors are not supported (&x) (line 1, column 4)"),
        ("&x A: 1\n", "anchors are not supported (&x)"),
        ("A: 1\nB: *x\n", "aliases are not supported (*x) (line 2, column 4)"),
        ("A: {<<: {B: 1}}", "hash merges are not supported"),
        (
            "A: !!python/object/apply:os.system ['true']",
            "unsupported tag tag:yaml.org,2002:python/object/apply:os.system",
        ),
        ("A: !Reff B", "unsupported tag !Reff (line 1, column 4)"),
        ("A: !!binary aGk=", "unsupported tag tag:yaml.org,2002:binary"),
        ("A: !!set {a, b}", "unsupported tag tag:yaml.org,2002:set"),
        ("[a, b]: 1", "a key must be a scalar"),
        ("A: 1\n---\nB: 2\n", "one YAML document"),
        ("# nothing\n", "unsupported structure"),
        ("A: \x07", "YAML not well-formed"),
    ],
)
def test_what_is_refused_names_its_place(text: str, message: str) -> None:
    assert message in refused(text)


def test_deep_nesting_is_refused_and_not_a_crash() -> None:
    assert "nested too deeply" in refused("A: " + "[" * 5000)
    assert "nested too deeply" in refused("A: " + "[" * 120 + "]" * 120)
    for depth in (120, 20000, 200000):
        assert "nested too deeply" in refused('{"A": ' + "[" * depth + "]" * depth + "}")
    assert read_template_text('{"A": ' + "[" * 90 + "]" * 90 + "}")


def test_size_is_counted_in_bytes() -> None:
    head = "Description: "
    assert read_template_text(head + "x" * (MAX_OBJECT_BYTES - len(head)))
    assert "less than or equal to 1000000" in refused(head + "x" * (MAX_OBJECT_BYTES - len(head) + 1))
    assert "less than or equal to 1000000" in refused(head + "ü" * (MAX_OBJECT_BYTES // 2))
    assert "greater than or equal to 1" in refused("")
