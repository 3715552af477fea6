"""How long the sample rehearsal takes, its contrast with the naive gate included: three runs of the command.

Run: ``make bench``.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 3
GOAL_SECONDS = 10


def main() -> None:
    """Print the runs and their median."""
    seconds = []
    for _ in range(RUNS):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "patchgate", "rehearse"], check=True, capture_output=True)
        seconds.append(time.perf_counter() - began)
    runs = ", ".join(f"{each:.1f}" for each in seconds)
    print(f"sample rehearsal: {statistics.median(seconds):.1f} s median of {runs} s (goal: under {GOAL_SECONDS} s)")


if __name__ == "__main__":
    main()
