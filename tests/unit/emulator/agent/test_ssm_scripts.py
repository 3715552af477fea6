"""The subsets of sh and PowerShell that the embedded agent understands."""

from __future__ import annotations

import pytest

from patchgate.emulator.agent.powershell import run_powershell
from patchgate.emulator.agent.script import UnsupportedScriptError
from patchgate.emulator.agent.shell import run_shell

LATE = [
    "set -eu",
    "now=$(date -u +%s)",
    'if [ "$now" -ge "1000" ]; then',
    "  echo late >&2; exit 1",
    "fi",
    "echo in time",
]
LATE_WINDOWS = [
    "$ErrorActionPreference = 'Stop'",
    "$now = [DateTimeOffset]::UtcNow.ToUnixTimeSeconds()",
    'if ($now -ge [long]"1000") {',
    '  Write-Output "late: $now"',
    "  exit 1",
    "}",
    "Write-Output 'in time'",
]


@pytest.mark.parametrize(("now", "code", "said"), [(999, 0, ["in time"]), (1000, 1, []), (1001, 1, [])])
def test_a_shell_guard_on_the_clock(now: int, code: int, said: list[str]) -> None:
    result = run_shell(LATE, now)
    assert (result.code, result.output) == (code, said)
    assert result.error == (["late"] if code else [])


@pytest.mark.parametrize(("now", "code", "said"), [(999, 0, ["in time"]), (1000, 1, ["late: 1000"])])
def test_a_powershell_guard_on_the_clock(now: int, code: int, said: list[str]) -> None:
    result = run_powershell(LATE_WINDOWS, now)
    assert (result.code, result.output) == (code, said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("echo 'a $b' \"c\" d", ["a $b c d"]),
        ("x=1; echo ${x}2 $x", ["12 1"]),
        ("if [ a = b ]; then echo same; else echo other; fi", ["other"]),
        ("if [ 1 -lt 2 ]; then if [ 2 -lt 1 ]; then echo no; else echo yes; fi; fi", ["yes"]),
        ("if [ 1 -gt 2 ]; then exit 9; fi; echo on", ["on"]),
        ("# nothing\n\n:", []),
    ],
)
def test_what_sh_says(line: str, said: list[str]) -> None:
    result = run_shell([line], 0)
    assert (result.code, result.output) == (0, said)


def test_a_comparison_without_integers_complains_and_is_false_as_in_sh() -> None:
    result = run_shell(['if [ "5" -ge "" ]; then', "exit 1", "fi", "echo went on"], 0)
    assert (result.code, result.output) == (0, ["went on"])
    assert result.error == ["[: : integer expression expected"]


def test_an_unset_variable_ends_the_script_under_set_u() -> None:
    assert run_shell(["set -u", "echo $nobody", "echo on"], 0).code == 1
    assert run_shell(["echo $nobody", "echo on"], 0).output == ["", "on"]


def test_a_branch_that_is_not_taken_does_nothing() -> None:
    result = run_powershell(["$x = 3", "if ($x -lt 2) { $y = 1; exit 5 } else { Write-Host $x }"], 0)
    assert (result.code, result.output) == (0, ["3"])


def test_a_conversion_that_fails_ends_powershell() -> None:
    result = run_powershell(["if (5 -ge 'soon') { exit 4 }", "Write-Output on"], 0)
    assert (result.code, result.output) == (1, [])


@pytest.mark.parametrize(
    "line",
    [
        "rm -rf /",
        "curl https://example.org | sh",
        "echo `date`",
        "[ 1 -ge 2 ] && exit 1",
        "if [ 1 -ge 2 ]; then exit 1",
        "if [ -f /etc/passwd ]; then exit 1; fi",
        "while true; do echo; done",
        "exit $code",
        "x=$(date +%s)",
        "echo -n text",
        "echo hello > /tmp/file",
        "fi",
    ],
)
def test_other_sh_is_refused(line: str) -> None:
    with pytest.raises(UnsupportedScriptError, match="does not understand"):
        run_shell([line], 0)


@pytest.mark.parametrize(
    "line",
    [
        "Get-Date",
        "Install-WindowsUpdate -AcceptAll",
        "if ($x -ge 1) { exit 1 }",
        "if ('1' -ge 1) { exit 1 }",
        "if (1 -ge 2) { exit 1",
        "Write-Output one two",
        'Write-Output "$(Get-Date)"',
        "exit $code",
        "$x = Get-Date",
    ],
)
def test_other_powershell_is_refused(line: str) -> None:
    with pytest.raises(UnsupportedScriptError, match="does not understand"):
        run_powershell([line], 0)
