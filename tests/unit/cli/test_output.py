"""Files that commands write: complete, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from patchgate.cli.output import check_writable, replace_file
from patchgate.errors import InputError


def test_the_file_has_exactly_the_text_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text("old")
    replace_file(path, "one\ntwo ü\n")
    assert path.read_bytes() == "one\ntwo ü\n".encode()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_a_new_file_has_the_usual_permissions_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    usual, private = tmp_path / "usual", tmp_path / "private"
    (tmp_path / "reference").touch()
    private.touch(mode=0o600)
    replace_file(usual, "x")
    replace_file(private, "x")
    assert usual.stat().st_mode == (tmp_path / "reference").stat().st_mode
    assert private.stat().st_mode & 0o777 == 0o600


def test_a_failure_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        replace_file(path, "half \ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_is_known_beforehand(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="it is a directory"):
        check_writable(tmp_path)
    with pytest.raises(InputError, match="there is no directory"):
        check_writable(tmp_path / "absent" / "file")
    check_writable(tmp_path / "file")
    assert not (tmp_path / "file").exists()
