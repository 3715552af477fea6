"""YAML that people and parsers read alike."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from patchgate.templates import build_templates
from patchgate.templates.intrinsics import choose, get_att, ref, sub
from patchgate.templates.yaml_text import WIDTH, render_yaml

from .yaml_reading import read_yaml

SCALARS = st.one_of(
    st.integers(),
    st.booleans(),
    st.text(st.characters(min_codepoint=32, max_codepoint=126)),
    st.sampled_from(["yes", "No", "null", "1e3", "0x10", "12:30", "2012-10-17", "~", "", " a", "a ", "a: b", "a #b"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.from_regex(r"[A-Za-z][A-Za-z0-9:/-]{0,12}[a-z]", fullmatch=True), inner, max_size=4),
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.from_regex(r"[A-Z][a-z]{1,8}", fullmatch=True), VALUES, min_size=1, max_size=3))
def test_what_is_written_is_read_back(document: dict[str, Any]) -> None:
    assert read_yaml(render_yaml(document)) == document


@pytest.mark.parametrize("name", list(build_templates()))
def test_the_templates_are_read_back(name: str) -> None:
    template = build_templates()[name]
    assert read_yaml(template.text()) == template.body()


def test_intrinsics_have_their_short_form() -> None:
    text = render_yaml({"A": {"B": {"C": ref("D"), "E": get_att("F", "Arn"), "G": sub("${H}-x")}}})
    assert text == "A:\n B:\n  C: !Ref D\n  E: !GetAtt F.Arn\n  G: !Sub ${H}-x\n"


def test_a_choice_between_blocks_is_a_block() -> None:
    statement = {"Sid": "A", "Effect": "Allow", "Action": ["a:B", "a:C"], "Resource": ref("D")}
    text = render_yaml({"A": {"B": {"C": [choose("If", statement, ref("AWS::NoValue"))]}}})
    assert "- !If\n   - If\n   - Sid: A\n     Effect: Allow\n" in text
    assert read_yaml(text)["A"]["B"]["C"] == [{"Fn::If": ["If", statement, {"Ref": "AWS::NoValue"}]}]


def test_code_is_a_literal_block() -> None:
    text = render_yaml({"A": {"B": {"Code": "import os\n\nif os:\n print()\n"}}})
    assert text == "A:\n B:\n  Code: |\n   import os\n\n   if os:\n    print()\n"
    assert yaml.safe_load(text)["A"]["B"]["Code"] == "import os\n\nif os:\n print()\n"


def test_a_literal_block_keeps_a_missing_last_newline() -> None:
    assert yaml.safe_load(render_yaml({"A": {"B": "x\ny"}})) == {"A": {"B": "x\ny"}}


def test_long_lists_are_filled() -> None:
    words = [f"word{number}" for number in range(40)]
    text = render_yaml({"A": {"B": words}})
    assert max(map(len, text.splitlines())) <= WIDTH
    assert len(text.splitlines()) < 6
    assert yaml.safe_load(text) == {"A": {"B": words}}


def test_what_no_template_holds_is_refused() -> None:
    with pytest.raises(TypeError, match="no scalar of a template"):
        render_yaml({"A": {"B": 1.5}})


@pytest.mark.parametrize("text", [" a\nb\n", "\na\n", "a\n\n"])
def test_a_literal_block_that_would_not_come_back_is_refused(text: str) -> None:
    with pytest.raises(TypeError, match="literal block"):
        render_yaml({"A": {"B": text}})
