"""patchgate: fleet OS patching on AWS, hands off and safe. No backup, no patch."""

from patchgate._version import __version__

__all__ = ["__version__"]
