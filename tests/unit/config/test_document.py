"""YAML read strictly: plain values with their places, and a refusal with its line for everything else."""

from __future__ import annotations

from typing import Any

import pytest

from patchgate.config.document import MAX_BYTES, MAX_DEPTH, parse_document
from patchgate.errors import InputError


def refusals_of(text: str | bytes) -> list[str]:
    """Every problem of the text, as people see it."""
    with pytest.raises(InputError) as refused:
        parse_document(text.encode() if isinstance(text, str) else text, "f.yaml")
    return [str(problem) for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True),
        ("no", "no"),
        ("on", "on"),
        ("~", None),
        ("", None),
        ("7", 7),
        ("-7", -7),
        ("012345678901", "012345678901"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("12:30:00", "12:30:00"),
        ("2026-03-28", "2026-03-28"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("'7'", "7"),
        ('"true"', "true"),
        ("9" * 5000, "9" * 5000),
        ("cron(0 19 ? * 7 *)", "cron(0 19 ? * 7 *)"),
    ],
)
def test_scalars_are_what_yaml_1_2_says(text: str, expected: Any) -> None:
    value = parse_document(f"key: {text}".encode(), "f.yaml").value["key"]
    assert value == expected
    assert type(value) is type(expected)


def test_every_value_and_key_has_its_place() -> None:
    document = parse_document(b"a: 1\nb:\n  - c: x\n  - [y, z]\n", "f.yaml")
    assert document.value == {"a": 1, "b": [{"c": "x"}, ["y", "z"]]}
    assert document.place_of(("b",), of_key=True) == (2, 1)
    assert document.place_of(("b", 0, "c")) == (3, 8)
    assert document.place_of(("b", 1, 1)) == (4, 9)
    assert document.place_of(("b", 0, "absent", "deeper")) == (3, 5)
    assert document.place_of(("nowhere",)) == (1, 1)


def test_a_byte_order_mark_and_windows_line_ends_are_fine() -> None:
    document = parse_document("\ufeffa: 1\r\nb: 2\r\n".encode(), "f.yaml")
    assert document.value == {"a": 1, "b": 2}
    assert document.place_of(("b",)) == (2, 4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\na: 2\n", ["f.yaml:2:1: duplicate key 'a', first given in line 1"]),
        (
            "a: &x [1]\nb: *x\n",
            ["f.yaml:1:4: anchor '&x'; write the value out (2 anchors and aliases in all)"],
        ),
        (
            "a: !!python/object/apply:os.system [id]",
            ["f.yaml:1:4: tag 'tag:yaml.org,2002:python/object/apply:os.system'; this file has plain values only"],
        ),
        ("a: !Sub x", ["f.yaml:1:4: tag '!Sub'; this file has plain values only"]),
        ("? [a, b]\n: c\n", ["f.yaml:1:3: a key that is not a plain word"]),
        (
            "&k a: b\n",
            [
                "f.yaml:1:1: a key that is not a plain word",
                "f.yaml:1:1: anchor '&k'; write the value out",
            ],
        ),
        ("a: 1\n---\nb: 2\n", ["f.yaml:2:1: a second document; one file holds one"]),
        ("[" * 5000, [f"f.yaml:1:{MAX_DEPTH + 2}: nested deeper than {MAX_DEPTH} levels"]),
        (b"a: 1\nb: \xff\n", ["f.yaml:2: not UTF-8 text"]),
        (b"#" * (MAX_BYTES + 1), ["f.yaml: larger than 4 MiB"]),
    ],
)
def test_what_a_fleet_file_has_no_use_for_is_refused_with_its_line(text: str | bytes, expected: list[str]) -> None:
    assert refusals_of(text) == expected


@pytest.mark.parametrize(
    ("text", "line"), [("a: {\n", 2), ("a: [1, 2\nb: 3\n", 2), ("a: 'open\n", 2), ("a:\n\t- b\n", 2), ("a: b: c\n", 1)]
)
def test_broken_yaml_is_refused_with_its_line(text: str, line: int) -> None:
    (refusal,) = refusals_of(text)
    assert refusal.startswith(f"f.yaml:{line}:")
    assert "not valid YAML" in refusal


@pytest.mark.parametrize("text", ["a: \x00", "a: \x07"])
def test_control_characters_are_refused(text: str) -> None:
    (refusal,) = refusals_of(text)
    assert "not valid YAML" in refusal


def test_an_alias_bomb_is_refused_without_being_expanded() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    assert refusals_of(bomb) == ["f.yaml:1:5: anchor '&a0'; write the value out (178 anchors and aliases in all)"]


def test_a_tab_is_named_with_what_to_do() -> None:
    assert refusals_of("a:\n\t- b\n") == [
        "f.yaml:2:1: not valid YAML: a tab where an indentation is (indent with spaces)"
    ]


@pytest.mark.parametrize("key", ["{a: 1}", "[a]"])
def test_keys_are_words(key: str) -> None:
    assert refusals_of(f"{key}: 1\n") == ["f.yaml:1:1: a key that is not a plain word"]


def test_a_character_that_yaml_does_not_allow_has_its_place() -> None:
    assert refusals_of("a: 1\nb: x\x00\n") == ["f.yaml:2:5: not valid YAML: character U+0000 is not allowed"]


def test_other_encodings_are_refused() -> None:
    assert refusals_of("a: 1".encode("utf-16")) == ["f.yaml:1: not UTF-8 text"]


def test_very_long_words_are_told_by_their_beginning() -> None:
    (refusal,) = refusals_of(f"a: !{'x' * 100_000} b")
    assert len(refusal) < 200
