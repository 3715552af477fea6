"""Whether the optional parts of patchgate are installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

from patchgate.errors import MissingExtraError

EMULATOR_PACKAGES = ("boto3", "cfnlint", "greenlet", "moto")


def require_emulator(is_installed: Callable[[str], object] = importlib.util.find_spec) -> None:
    """Raise MissingExtraError when the packages of the embedded AWS are not installed."""
    if not all(is_installed(package) for package in EMULATOR_PACKAGES):
        raise MissingExtraError("the embedded AWS is not installed; get it with: pip install 'patchgate[emulator]'")


def require_sdk(is_installed: Callable[[str], object] = importlib.util.find_spec) -> None:
    """Raise MissingExtraError when the AWS SDK is not installed."""
    if not is_installed("boto3"):
        raise MissingExtraError("the AWS SDK is not installed; get it with: pip install 'patchgate[aws]'")
