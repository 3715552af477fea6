"""Whatever bytes a fleet file has: a FleetConfig, or an InputError whose problems have a place in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchgate.config import FleetConfig, parse_fleet
from patchgate.errors import InputError

SAMPLE = (Path(__file__).parents[2] / "examples" / "fleet.yaml").read_bytes()
FRAGMENTS = [
    b"&a ",
    b"*a",
    b"!!str ",
    b"!x ",
    b"? ",
    b": ",
    b"- ",
    b"{",
    b"}",
    b"[",
    b"]",
    b"|\n",
    b">",
    b"'",
    b'"',
    b"#",
]
FRAGMENTS += [
    b"\t",
    b"\n",
    b"---\n",
    b"...\n",
    b"%YAML 9\n",
    b"<<: ",
    b"~",
    b"null",
    b"true",
    b"\x00",
    b"\xff",
    b"\xef\xbb\xbf",
]
FRAGMENTS += ["\u2028".encode(), "ü".encode(), b"9" * 5000, b".inf", b"1e999"]


def read(text: bytes) -> FleetConfig | None:
    """The fleet, or None when it was refused as it should be; any other exception is a defect."""
    try:
        return parse_fleet(text, "f.yaml")
    except InputError as error:
        refused = error
    ends = sum(text.count(end) for end in (b"\n", b"\r", b"\xc2\x85", "\u2028".encode(), "\u2029".encode()))
    assert refused.problems
    assert all(problem.message and problem.source == "f.yaml" for problem in refused.problems)
    assert all(0 <= problem.line <= ends + 2 for problem in refused.problems)
    return None


@given(st.binary(max_size=300))
def test_any_bytes(text: bytes) -> None:
    assert read(text) is None


@given(st.lists(st.sampled_from([*FRAGMENTS, b"version: 1\n", b"targets:\n", b"accounts: "]), max_size=40))
def test_any_pieces_of_yaml(pieces: list[bytes]) -> None:
    assert read(b"".join(pieces)) is None


@given(st.integers(0, len(SAMPLE)), st.integers(0, 30), st.sampled_from([b"", *FRAGMENTS]))
def test_the_sample_with_a_piece_cut_out_or_put_in(position: int, length: int, piece: bytes) -> None:
    fleet = read(SAMPLE[:position] + piece + SAMPLE[position + length :])
    assert fleet is None or fleet.lanes()


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_endless_nesting_is_refused_at_once(opening: str) -> None:
    assert read(opening.encode() * 200_000) is None
