"""Writing the templates."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from patchgate.cli.synth import synth
from patchgate.errors import InputError, PatchgateError
from patchgate.operations.synth import compare_templates, write_templates
from patchgate.templates import build_templates

FILES = [template.file_name for template in build_templates().values()]


def _names(paths: tuple[Path, ...]) -> list[str]:
    return [path.name for path in paths]


def test_it_writes_the_three_templates(tmp_path: Path) -> None:
    result = write_templates(tmp_path / "new" / "templates")
    assert _names(result.files) == _names(result.stale) == FILES
    assert sorted(path.name for path in (tmp_path / "new" / "templates").iterdir()) == sorted(FILES)
    for template in build_templates().values():
        assert (tmp_path / "new" / "templates" / template.file_name).read_bytes() == template.text().encode()


def test_what_is_current_is_not_written_again(tmp_path: Path) -> None:
    write_templates(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert write_templates(tmp_path).stale == ()
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_what_differs_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    write_templates(tmp_path)
    (tmp_path / FILES[1]).write_text("edited", encoding="utf-8")
    (tmp_path / FILES[2]).unlink()
    assert _names(compare_templates(tmp_path).stale) == FILES[1:]
    assert (tmp_path / FILES[1]).read_text(encoding="utf-8") == "edited"


def test_files_that_are_not_templates_stay(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    write_templates(tmp_path)
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_a_directory_that_cannot_be_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="cannot write the templates") as caught:
        write_templates(tmp_path / "file" / "templates")
    assert caught.value.remedy


def test_the_command_says_what_it_wrote(tmp_path: Path) -> None:
    first = CliRunner().invoke(synth, ["-o", str(tmp_path)], catch_exceptions=False)
    again = CliRunner().invoke(synth, ["-o", str(tmp_path)], catch_exceptions=False)
    assert first.output.count("written") == again.output.count("unchanged") == len(FILES)


def test_the_check_passes_on_a_fresh_build(tmp_path: Path) -> None:
    write_templates(tmp_path)
    result = CliRunner().invoke(synth, ["-o", str(tmp_path), "--check"], catch_exceptions=False)
    assert result.exit_code == 0


def test_the_check_fails_with_1_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(PatchgateError, match=FILES[0]) as caught:
        CliRunner().invoke(synth, ["-o", str(tmp_path), "--check"], catch_exceptions=False)
    assert caught.value.exit_code == 1
    assert str(tmp_path) in caught.value.remedy
    assert list(tmp_path.iterdir()) == []
