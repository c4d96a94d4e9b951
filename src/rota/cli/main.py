"""The entry of the command line, and how it ends: exit codes, and errors in a few lines."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from rota.cli import health, jobs, processes, queues, scheduler, schedules, workers
from rota.cli.output import printable
from rota.model.errors import ArgumentsError, ConfigurationError, RotaError, UnknownTaskError

__all__ = ["main"]

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
        _commands()(args=words, prog_name=_program(embedded=app is not None), obj=app)
    except RotaError as error:
        _complain(error)
        sys.exit(WRONG_USE if isinstance(error, _WRONG_USE) else FAILED)


def _commands() -> typer.Typer:
    root = typer.Typer(
        # Plain help: it starts in half the time, and pipes as well as it reads.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    for module in (processes, scheduler, jobs, queues, schedules, workers, health):
        module.add_to(root)
    root.callback()(_root)
    return root


def _version(wanted: bool) -> None:  # noqa: FBT001 - Typer calls it so
    if wanted:
        from rota.wiring import rota_version

        typer.echo(f"rota {rota_version()}")
        raise typer.Exit


def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """One scheduler for Python: it decides what runs, when, in which order and where."""


def _program(*, embedded: bool) -> str:
    return f"python {Path(sys.argv[0]).name}" if embedded else "rota"


def _complain(error: RotaError) -> None:
    for line in str(error).splitlines():
        typer.echo(f"Error: {printable(line)}", err=True)
