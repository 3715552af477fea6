"""``patchgate init``: a first fleet file, from options or by asking."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from patchgate.cli.output import check_writable, replace_file
from patchgate.errors import InputError

_Answer = TypeVar("_Answer")

DEFAULT_NAME = "fleet.yaml"


def _checked(kind: str) -> Callable[[click.Context, click.Parameter, object], object]:
    """A callback that checks an option's words as a fleet file does."""

    def read(_context: click.Context, _parameter: click.Parameter, value: object) -> object:
        if value is None or value == ():
            return value
        words = value if isinstance(value, tuple) else (value,)
        try:
            answers = tuple(_read(kind, str(word)) for word in words)
        except ValueError as error:
            raise click.BadParameter(f"{error}.") from None
        return answers if isinstance(value, tuple) else answers[0]

    return read


@click.command()
@click.argument("fleet", type=click.Path(path_type=Path), default=DEFAULT_NAME)
@click.option("--organization-id", callback=_checked("organization id"), metavar="ID", help="Such as o-a1b2c3d4e5.")
@click.option(
    "--account",
    "accounts",
    multiple=True,
    callback=_checked("account"),
    metavar="[NAME=]ID",
    help="An account that is patched. May be repeated.",
)
@click.option(
    "--log-account",
    metavar="NAME|ID",
    help="The account of the log buckets. [default: the first --account]",
)
@click.option(
    "--region",
    "regions",
    multiple=True,
    callback=_checked("region"),
    metavar="REGION",
    help="Such as eu-central-1. May be repeated.",
)
@click.option(
    "--os",
    "systems",
    multiple=True,
    callback=_checked("operating system"),
    metavar="OS",
    help="Such as ubuntu. May be repeated.",
)
@click.option(
    "--environment",
    "environments",
    multiple=True,
    callback=_checked("environment"),
    metavar="ENV",
    help="Such as prd; in the order of promotion. May be repeated.",
)
@click.option(
    "--weekday", callback=_checked("weekday"), metavar="DAY", help="Of the windows: SUN to SAT. [default: SAT]"
)
@click.option("--at", callback=_checked("time"), metavar="HH:MM", help="Of the windows, local time. [default: 23:00]")
@click.option("--email", callback=_checked("email"), metavar="ADDRESS", help="Who is told. [default: nobody]")
@click.option("--force", is_flag=True, help="Replace FLEET when it exists.")
def init(  # noqa: PLR0913 - one argument an option
    *,
    fleet: Path,
    organization_id: str | None,
    accounts: tuple[tuple[str, str], ...],
    log_account: str | None,
    regions: tuple[str, ...],
    systems: tuple[str, ...],
    environments: tuple[str, ...],
    weekday: str | None,
    at: str | None,
    email: str | None,
    force: bool,
) -> int:
    """Write a commented, valid fleet file to FLEET, by default fleet.yaml.

    On a terminal, what no option says is asked. Nothing is written before the last answer.
    """
    check_free(fleet, force=force)
    asking = sys.stdin.isatty() and sys.stderr.isatty()
    if not asking:
        given = {
            "--organization-id": organization_id,
            "--account": accounts,
            "--region": regions,
            "--os": systems,
            "--environment": environments,
        }
        if missing := [option for option, value in given.items() if not value]:
            raise click.UsageError(f"there is no terminal to ask at: give {', '.join(missing)}.")
    from patchgate.config.starter import StarterAnswers, build_starter

    organization_id = organization_id or _ask("Organization id (o-...)", "organization id")
    accounts = accounts or _ask_list("Accounts, as NAME=ID", "account")
    regions = regions or _ask_list("Regions, such as eu-central-1", "region")
    systems = systems or _ask_list("Operating systems", "operating system", "amazonlinux")
    environments = environments or _ask_list("Environments, in the order of promotion", "environment", "dev prd")
    if asking:
        weekday = weekday or _ask("Weekday of the windows", "weekday", "SAT")
        at = at or _ask("Their local time", "time", "23:00")
        email = email if email is not None else _ask("Who is told, an e-mail address", "email", "", may_be_blank=True)
    answers = StarterAnswers(
        organization_id,
        accounts,
        regions,
        systems,
        environments,
        log_account or accounts[0][1],
        weekday or "SAT",
        at or "23:00",
        email or "",
    )
    write_new(fleet, build_starter(answers), force=force)
    sys.stdout.write(f"{fleet}\n")
    sys.stderr.write(f"Written. Next: patchgate config show {fleet}\n")
    return 0


def check_free(path: Path, *, force: bool) -> None:
    """InputError when the file cannot be written, or exists and may not be replaced."""
    check_writable(path)
    if path.exists() and not force:
        raise InputError(f"{path} exists", remedy="name another file, or replace it with --force")


def write_new(path: Path, text: str, *, force: bool) -> None:
    """Write the file, complete or not at all; without ``force`` never over one that has come into being meanwhile."""
    if force:
        replace_file(path, text)
        return
    try:
        path.open("x").close()
    except FileExistsError:
        raise InputError(f"{path} exists", remedy="name another file, or replace it with --force") from None
    try:
        replace_file(path, text)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _read(kind: str, text: str) -> object:
    from patchgate.config.starter import check_answer, read_account

    return read_account(text) if kind == "account" else check_answer(kind, text)


def _ask(question: str, kind: str, default: str | None = None, *, may_be_blank: bool = False) -> str:
    def read(text: str) -> str:
        return "" if may_be_blank and not text.strip() else str(_read(kind, text.strip()))

    return _asked(question, default, read)


def _ask_list(question: str, kind: str, default: str | None = None) -> tuple[_Answer, ...]:
    def read(text: str) -> tuple[_Answer, ...]:
        words = text.replace(",", " ").split()
        if not words:
            raise ValueError("give at least one")
        return tuple(_read(kind, word) for word in words)  # type: ignore[misc]  # the kind decides

    return _asked(f"{question}, separated by spaces", default, read)


def _asked(question: str, default: str | None, read: Callable[[str], _Answer]) -> _Answer:
    """Ask on standard error until the answer is right; click.Abort at the end of the input or at Ctrl-C."""
    while True:
        text = click.prompt(question, default=default, err=True, show_default=bool(default))
        try:
            return read(text)
        except ValueError as error:
            click.echo(f"  {error}", err=True)
