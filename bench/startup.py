"""How long ``patchgate --version`` and ``--help`` take, as multiples of ``python -c pass`` in the same run.

The three are started in turn, and medians are compared, so that a machine that gets slower slows all of them. Exits
with 1 when a limit is passed.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

ROUNDS = 25
LIMITS = {"--version": 2.0, "--help": 6.0}
BASELINE = "python -c pass"
PROGRAMS = {BASELINE: ["-c", "pass"], **{option: ["-m", "patchgate", option] for option in LIMITS}}


def measure(rounds: int) -> dict[str, float]:
    """The median of each program's wall time, in milliseconds, after one round that fills the caches."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    times: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for turn in range(rounds + 1):
        for name, arguments in PROGRAMS.items():
            begun = time.perf_counter()
            subprocess.run([sys.executable, *arguments], env=environment, stdout=subprocess.DEVNULL, check=True)
            if turn:
                times[name].append(time.perf_counter() - begun)
    return {name: 1000 * statistics.median(values) for name, values in times.items()}


def main() -> int:
    """Print the table; the exit code is 1 when a limit is passed."""
    medians = measure(ROUNDS)
    print(f"Start-up, median of {ROUNDS} runs")
    print(f"  {BASELINE:<22} {medians[BASELINE]:7.1f} ms")
    passed = False
    for option, limit in LIMITS.items():
        ratio = medians[option] / medians[BASELINE]
        passed = passed or ratio > limit
        print(f"  patchgate {option:<12} {medians[option]:7.1f} ms   {ratio:4.1f}x   at most {limit:.0f}x")
    return 1 if passed else 0


if __name__ == "__main__":
    sys.exit(main())
