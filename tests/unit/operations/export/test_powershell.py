"""The script for PowerShell: the same calls as the one for POSIX shells, and words that PowerShell leaves alone."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from patchgate.operations.export.powershell import quote

from .test_export import export, files_of

MODES = pytest.mark.parametrize("mode", ["stacks", "self-managed", "service-managed"])
FUNCTIONS = {"Publish-Stack": "stack", "Read-Bucket": "bucket", "Publish-StackSet": "stack_set"}
WORD = re.compile(r"'((?:[^']|'')*)'")


def scripts(mode: str) -> tuple[str, str]:
    files = files_of(export(mode, by_sets=mode != "stacks"))
    return files["deploy.sh"], files["deploy.ps1"]


@MODES
def test_both_scripts_make_the_same_calls(mode: str) -> None:
    posix, windows = scripts(mode)
    called = [shlex.split(line) for line in posix.splitlines() if re.match(r"(stack|bucket|stack_set) ['a-z0-9]", line)]
    lines = [line.split(maxsplit=1) for line in windows.splitlines() if re.match(r"    (Publish|Read)-", line)]
    found = [[FUNCTIONS[name], *(word.replace("''", "'") for word in WORD.findall(rest))] for name, rest in lines]
    assert found == called
    assert len(found) == {"stacks": 14, "self-managed": 9, "service-managed": 12}[mode]


@MODES
def test_it_calls_only_what_it_has_and_everything_is_filled_in(mode: str) -> None:
    _, script = scripts(mode)
    made = set(re.findall(r"^function ([A-Za-z-]+) \{$", script, re.MULTILINE))
    own = set(re.findall(r"\b((?:Test|Invoke|Publish|Read|Wait|Copy|Set|ConvertTo)-(?:Aws|AwsIn|\w+))\b", script))
    assert own - made <= {"Set-Location", "Set-Item", "Test-Path"}
    assert not re.findall(r"%[A-Z]+%", script)
    assert script.count("{") == script.count("}")
    assert script.count("(") == script.count(")")
    assert "@('owner=the $(team)''s {% if %}')" in script


@pytest.mark.parametrize("text", ["", "a b", "it's", "\u2019", 'a "b" $c `d', "ü"])
def test_words_are_taken_as_they_are(text: str) -> None:
    word = quote(text)
    assert word[0] == word[-1] == "'"
    inner = word[1:-1]
    assert re.sub("(['\u2018\u2019\u201a\u201b])\\1", r"\1", inner) == text


def test_only_what_is_not_ascii_is_marked_for_windows() -> None:
    _, script = scripts("stacks")
    assert script.startswith("# Written by patchgate")


@MODES
@pytest.mark.skipif(shutil.which("pwsh") is None, reason="PowerShell is not installed")
def test_powershell_reads_it(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "deploy.ps1"
    path.write_text(scripts(mode)[1], encoding="utf-8")
    command = (
        "$errors = $null; [void][System.Management.Automation.Language.Parser]::ParseFile("
        f"'{path}', [ref]$null, [ref]$errors); $errors | ForEach-Object {{ $_.ToString() }}"
    )
    shell = shutil.which("pwsh") or ""
    done = subprocess.run(
        [shell, "-NoProfile", "-Command", command], capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")
