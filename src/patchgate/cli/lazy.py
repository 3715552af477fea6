"""A command group that knows its commands by name, and imports one only when it is called."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """Where a command lives (``package.module:attribute``), and the line that the list of commands shows for it."""

    target: str
    short_help: str

    def load(self) -> click.Command:
        """Import the module and return the command."""
        module, _, attribute = self.target.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.target} is not a click command")
        return command


class LazyGroup(click.Group):
    """A group whose commands stand in a table.

    Listing, help and completion of the names read the table. Only calling a command, or asking for its help, loads it.
    """

    def __init__(self, *args: Any, entries: Mapping[str, CommandEntry], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entries = dict(entries)
        self.commands = {name: click.Command(name, short_help=entry.short_help) for name, entry in self.entries.items()}

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Click's own resolution, with the command loaded in place of its entry in the list."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed if listed is None or name is None else self.load(name), rest

    def load(self, name: str) -> click.Command:
        """The command itself; raises KeyError for a name that is not in the table."""
        return self.entries[name].load()
