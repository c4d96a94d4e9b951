"""`rota db`: the store's schema, and all that it holds as a file."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Annotated, BinaryIO

import click

from rota.cli.command import Argument, Group, Option, Session, command
from rota.cli.health import tell
from rota.model.errors import ConfigurationError
from rota.operations.text import counted

__all__ = ["add_to"]

STREAM = "-"

Post = Annotated[bool, Option("--post", "Also what older code cannot run on.")]
FileArgument = Annotated[str, Argument(metavar="FILE")]


def add_to(root: click.Group) -> None:
    """Add the commands of this module."""
    group = Group("db", help="The store's schema, and all that it holds.")
    root.add_command(group)
    command(group, "upgrade")(upgrade)
    command(group, "check")(check_schema)
    command(group, "export")(export)
    command(group, "import")(load)


async def upgrade(session: Session, *, post: Post = False) -> None:
    """Make the tables, or bring them up to this version; safe while workers run."""
    async with session.target.store() as store:
        applied = await store.upgrade(post=post)
    if session.out.json:
        session.out.document({"applied": applied})
    elif applied:
        for name in applied:
            session.out.line(f"applied {name}")
    else:
        session.out.line("nothing to do: the schema is up to date")


async def check_schema(session: Session) -> int:
    """Say whether the store's schema fits this version; changes nothing."""
    from rota.operations.health import reachable

    async with session.target.store() as store:
        return tell(session, await reachable(store))


async def export(session: Session, file: FileArgument) -> None:
    """Write all that the store holds to FILE, or to standard output (-); others may go on meanwhile.

    Jobs that run are written as if they had been given back: stop the workers first to move a store.
    """
    from rota.operations.transfer import dump

    async with session.target.open() as store:
        with _written(file) as out, _bar("exported") as progress:
            done = await dump(store, out.write, progress)
    if done.running:
        what = "job was" if done.running == 1 else "jobs were"
        click.echo(
            f"Warning: {done.running:,} {what} running. Wherever this is imported they run (again)", err=True
        )
    _report(session, "exported", done.counts, stdout=file != STREAM)


async def load(session: Session, file: FileArgument) -> None:
    """Read an export from FILE, or from standard input (-), into an empty store, which is made if need be."""
    from rota.operations.transfer import restore

    with _read(file) as source:
        async with session.target.open(empty=True) as store:
            with _bar("imported") as progress:
                counts = await restore(store, source, progress)
    _report(session, "imported", counts, stdout=True)


def _report(session: Session, what: str, counts: dict[str, int], *, stdout: bool) -> None:
    if session.out.json and stdout:
        session.out.document({what: counts})
        return
    kinds = ", ".join(f"{number:,} {kind}" for kind, number in counts.items())
    line = f"{what} {counted(sum(counts.values()), 'record')}{f' ({kinds})' if kinds else ''}"
    if stdout:
        session.out.line(line)
    else:
        click.echo(line, err=True)


@contextmanager
def _written(file: str) -> Iterator[BinaryIO]:
    """Open a file that is there once it is whole, for its owner alone; `-` is standard output."""
    if file == STREAM:
        if sys.stdout.isatty():
            raise ConfigurationError(["export to a terminal helps nobody: give a FILE, or a pipe"])
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = Path(f"{file}.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:  # noqa: PTH123 - of a descriptor
            yield out
        part.replace(file)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            part.unlink()


@contextmanager
def _read(file: str) -> Iterator[BinaryIO]:
    if file == STREAM:
        yield sys.stdin.buffer
        return
    with ExitStack() as stack:
        try:
            source = stack.enter_context(Path(file).open("rb"))
        except OSError as error:
            raise click.ClickException(f"{file} cannot be read: {error.strerror}") from error
        yield source


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far it is, on a terminal."""
    with ExitStack() as stack:
        if not sys.stderr.isatty():
            yield lambda done, total: None  # noqa: ARG005 - nobody looks
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        progress = stack.enter_context(Progress(*columns, console=Console(stderr=True), transient=True))
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
