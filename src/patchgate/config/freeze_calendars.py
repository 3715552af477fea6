"""Calendar files that a fleet file names, read when the fleet file is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from patchgate.config.ics import CalendarEvents, IcsError, parse_events
from patchgate.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from patchgate.config.document import Document
    from patchgate.config.document import Path as DocumentPath
    from patchgate.config.model import FleetFile
    from patchgate.config.settings import Settings

MAX_CALENDAR_BYTES = 1024 * 1024


def read_calendars(
    file: FleetFile, document: Document, directory: Path
) -> tuple[Mapping[str, CalendarEvents], list[Problem]]:
    """Every calendar file by the name that the fleet file gives it, and a problem for each that cannot be used.

    A file that several freezes name is read once; its problem stands at the first of them.
    """
    found: dict[str, CalendarEvents] = {}
    problems: list[Problem] = []
    named = dict(reversed(list(_named_files(file))))
    for name, path in reversed(named.items()):
        try:
            found[name] = _read(directory / name)
        except IcsError as error:
            problems.append(Problem(f"{name}: {error}", document.source, *document.place_of(path), error.remedy))
    return found, problems


def _read(path: Path) -> CalendarEvents:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_CALENDAR_BYTES + 1)
    except ValueError:
        raise IcsError("cannot be read: its name has a character that no file name has") from None
    except OSError as error:
        raise IcsError(f"cannot be read: {error.strerror}", "its path is seen from the fleet file") from None
    if len(text) > MAX_CALENDAR_BYTES:
        raise IcsError(f"larger than {MAX_CALENDAR_BYTES // 1024 // 1024} MiB")
    return parse_events(text)


def _named_files(file: FleetFile) -> Iterator[tuple[str, DocumentPath]]:
    layers: list[tuple[Settings, DocumentPath]] = [(file.defaults, ("defaults",))]
    for section in ("environments", "operating_systems", "targets"):
        layers += [(entry, (section, index)) for index, entry in enumerate(getattr(file, section))]
    for settings, path in layers:
        for number, freeze in enumerate(settings.freezes):
            if freeze.ics is not None:
                yield freeze.ics, (*path, "freezes", number, "ics")
