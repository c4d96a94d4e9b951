"""The entry of the command line, and how it ends: exit codes, and errors in a few lines."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from rota.cli import access, db, health, jobs, processes, queues, scheduler, schedules, verify, workers
from rota.cli.command import Group
from rota.cli.output import printable
from rota.model.errors import ArgumentsError, ConfigurationError, RotaError, UnknownTaskError

__all__ = ["main", "make_commands"]

FAILED, WRONG_USE = 1, 2
_WRONG_USE = (ConfigurationError, ArgumentsError, UnknownTaskError)


def main(arguments: Sequence[str] | None = None, *, app: Any = None) -> None:
    """Run one command and end the process by its exit code: 0 done, 1 the thing failed, 2 wrong use.

    Args:
        arguments: those of the process by default.
        app: the app whose script was started; then commands need none.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        make_commands().main(words, prog_name=_program(embedded=app is not None), obj=app)
    except RotaError as error:
        _complain(error)
        sys.exit(WRONG_USE if isinstance(error, _WRONG_USE) else FAILED)


def make_commands() -> click.Group:
    """Return every command."""
    root = Group(
        help="One scheduler for Python: it decides what runs, when, in which order and where.",
        context_settings={"help_option_names": ["--help", "-h"]},
        params=[_VERSION],
    )
    for module in (processes, scheduler, jobs, queues, schedules, workers, access, health, verify, db):
        module.add_to(root)
    return root


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click calls it so
    if wanted and not context.resilient_parsing:
        from rota.wiring import rota_version

        click.echo(f"rota {rota_version()}")
        context.exit()


_VERSION = click.Option(
    ["--version"],
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and end.",
)


def _program(*, embedded: bool) -> str:
    return f"python {Path(sys.argv[0]).name}" if embedded else "rota"


def _complain(error: RotaError) -> None:
    for line in str(error).splitlines():
        click.echo(f"Error: {printable(line)}", err=True)
