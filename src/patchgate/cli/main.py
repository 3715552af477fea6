"""The program's entry. It answers what needs no imports, and hands everything else on.

``patchgate --version`` is asked by scripts and by impatient people: it is answered before anything is loaded.
"""

import sys


def main() -> int:
    """Run the program on ``sys.argv`` and return its exit code."""
    try:
        if sys.argv[1:] == ["--version"]:
            from patchgate._version import __version__

            sys.stdout.write(f"patchgate {__version__}\n")
            sys.stdout.flush()
            return 0
        from patchgate.cli.root import run

        return run(sys.argv[1:])
    except KeyboardInterrupt:  # while still loading
        return 130
    except BrokenPipeError:  # nobody read the version
        from patchgate.cli.errors import silence_output

        silence_output()
        return 1
