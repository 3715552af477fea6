"""Names of lanes as short as there is room for: account/Region/os/environment, then with shorter words."""

from __future__ import annotations

from collections.abc import Sequence

from patchgate.report.screen import columns, fit, one_line

_LETTERS = {
    "north": "n",
    "northeast": "ne",
    "east": "e",
    "southeast": "se",
    "south": "s",
    "southwest": "sw",
    "west": "w",
    "northwest": "nw",
    "central": "c",
    "gov": "g",
}
_SYSTEMS = {"amazonlinux": "amzn", "windows": "win", "redhat": "rhel"}
_PARTS = 4
_SHORTEST_ACCOUNT = 4


def shorten_region(region: str) -> str:
    """A Region as the ids of its zones begin: ``us-east-1`` is ``use1``, ``ap-northeast-2`` is ``apne2``."""
    return "".join(_LETTERS.get(part, part) for part in region.split("-"))


def shorten_lane(name: str) -> str:
    """A lane's name with Region and operating system abbreviated; a name of another form stays as it is."""
    parts = name.split("/")
    if len(parts) != _PARTS:
        return name
    account, region, system, environment = parts
    return f"{account}/{shorten_region(region)}/{_SYSTEMS.get(system, system)}/{environment}"


def label_lanes(names: Sequence[str], zones: Sequence[str], width: int, ellipsis: str = "…") -> list[tuple[str, str]]:
    """(name, zone) of every lane, together at most ``width`` columns: zones go first, then words, then letters.

    All lanes are shortened alike. A zone that was dropped is "". An account is cut before what follows it.
    """
    safe = [one_line(name) for name in names]
    labels = list(zip(safe, zones, strict=True))
    if all(columns(f"{name} {zone}") <= width for name, zone in labels):
        return labels
    for shown in (safe, [shorten_lane(name) for name in safe]):
        if all(columns(name) <= width for name in shown):
            return [(name, "") for name in shown]
    return [(_cut(shorten_lane(name), width, ellipsis), "") for name in safe]


def _cut(name: str, width: int, ellipsis: str) -> str:
    account, slash, rest = name.partition("/")
    room = width - columns(slash + rest)
    if room >= _SHORTEST_ACCOUNT:
        return fit(account, min(room, columns(account)), ellipsis) + slash + rest
    return fit(name, min(width, columns(name)), ellipsis)
