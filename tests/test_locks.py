"""The lock files: what pyproject.toml asks for, pinned, hashed, and free of anything that belongs to one machine."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-clients.lock")
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+?)(?: ; .*)? \\$")


def pins_of(lock: str) -> dict[str, set[str]]:
    """Every pinned package of a lock file with its versions: more than one where they differ by platform."""
    pins: dict[str, set[str]] = {}
    for line in (ROOT / lock).read_text(encoding="utf-8").splitlines():
        if pin := _PIN.match(line):
            pins.setdefault(canonicalize_name(pin[1]), set()).add(pin[2])
    return pins


def asked_for(lock: str) -> list[Requirement]:
    """The requirements of pyproject.toml that a lock has to hold."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    if lock == "requirements-clients.lock":
        return [Requirement(entry) for entry in groups["clients"]]
    wanted = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["emulator"]]
    wanted += groups["build"]
    if lock == "requirements-dev.lock":
        wanted += project["project"]["optional-dependencies"]["faithful"]
        wanted += [entry for entry in groups["dev"] if isinstance(entry, str)]
    return [Requirement(entry) for entry in wanted]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_to_a_version_that_it_allows(lock: str) -> None:
    pins = pins_of(lock)
    for requirement in asked_for(lock):
        versions = pins.get(canonicalize_name(requirement.name), set())
        assert versions, f"{requirement.name} is not in {lock}; run make lock"
        assert all(requirement.specifier.contains(Version(version)) for version in versions), requirement


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_is_pins_and_hashes_and_nothing_else(lock: str) -> None:
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    others = [line for line in lines if not (_PIN.match(line) or line.startswith(("    --hash=sha256:", "#")))]
    assert not others
    unhashed = [
        line for line, after in zip(lines, [*lines[1:], ""], strict=True) if _PIN.match(line) and "--hash" not in after
    ]
    assert not unhashed


def test_the_development_lock_holds_the_same_versions_as_the_runtime_lock() -> None:
    development = pins_of("requirements-dev.lock")
    assert {name: development.get(name) for name in pins_of("requirements.lock")} == pins_of("requirements.lock")
