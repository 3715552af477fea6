"""The program's entry. It answers what needs no imports, and hands everything else on.

``patchgate --version`` is asked by scripts and by impatient people: it is answered before anything is loaded.
"""

import sys


def main() -> int:
    """Run the program on ``sys.argv`` and return its exit code."""
    try:
        if None in (sys.stdout, sys.stderr):  # closed by whoever started this
            from patchgate.cli.errors import refuse_closed_output

            if code := refuse_closed_output():
                return code
        if sys.argv[1:] == ["--version"]:
            from patchgate._version import __version__

            sys.stdout.write(f"patchgate {__version__}\n")
            sys.stdout.flush()
            return 0
        from patchgate.cli.root import run

        return run(sys.argv[1:])
    except KeyboardInterrupt:  # while still loading
        return 130
    except OSError as error:  # of the answers above: whatever a command raises is reported there
        from patchgate.cli.errors import report_unwritable

        return report_unwritable(error)
