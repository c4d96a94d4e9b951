"""What all commands share: how a function becomes a command, and the options that every one takes."""

import getpass
import inspect
import os
from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Any, get_args

import click
from msgspec import Struct

from rota.cli.output import Output
from rota.cli.target import Target
from rota.model.errors import did_you_mean

__all__ = ["Argument", "Command", "Group", "Option", "Session", "command", "person"]

Parse = Callable[[str], Any]
Command = Callable[..., Awaitable[int | None] | int | None]
"""A function of a session and of its own options; it returns an exit code, None for 0."""

INTERRUPTED = 130  # as a shell says of a process that ended by Ctrl-C


class Option(Struct, frozen=True):
    """Makes a command's parameter an option, as `Annotated[str | None, Option("--queue", "In this queue.")]`.

    `names` are separated by spaces. `parse` makes a value of its text; without it the text is the value. A
    parameter whose default is False is a flag. With `many` it may be repeated, and its value is a tuple.
    """

    names: str
    help: str
    metavar: str | None = None
    parse: Parse = click.STRING
    many: bool = False

    def make(self, parameter: inspect.Parameter) -> click.Parameter:
        """Return what click parses."""
        names, default = [parameter.name, *self.names.split()], parameter.default
        if default is False:
            return click.Option(names, is_flag=True, help=self.help)
        return click.Option(
            names,
            type=self.parse,
            metavar=self.metavar,
            help=self.help,
            multiple=self.many,
            default=default,
            show_default=bool(default),
        )


class Argument(Struct, frozen=True, kw_only=True):
    """Makes a command's parameter an argument by position; with `many` it takes all that follow."""

    metavar: str
    parse: Parse = click.STRING
    many: bool = False

    def make(self, parameter: inspect.Parameter) -> click.Parameter:
        """Return what click parses."""
        required = parameter.default is inspect.Parameter.empty
        # click takes even None, where it is said, for a value: an argument that has one is never missing.
        default = {} if required or self.many else {"default": parameter.default}
        return click.Argument(
            [parameter.name],
            type=self.parse,
            metavar=self.metavar,
            nargs=-1 if self.many else 1,
            required=required,
            **default,
        )


class Group(click.Group):
    """Commands in the order in which they were added; a mistyped one gets a hint."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click passes it
        """Return the names of the commands."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first word names."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            # Newer versions of click give the hint themselves.
            if "Did you mean" in error.format_message():
                raise
            raise click.UsageError(error.message + did_you_mean(args[0], self.commands), ctx) from None


class Session:
    """One run of one command: what it works on, and where it prints."""

    def __init__(self, target: Target, out: Output) -> None:
        self.target = target
        self.out = out


def command(
    group: click.Group, name: str, *, data: bool = True, positional: bool = False
) -> Callable[[Command], Command]:
    """Make a function a command of a group, with the options that all commands have.

    A parameter whose type is a NamedTuple stands for all the options that are its fields.

    Args:
        group: where the command stands.
        name: what it is called there.
        data: whether it prints data, and so takes --json.
        positional: whether the app may also be named by position.
    """
    common = [_APP, _URL, *([_MODULE] if positional else []), *([_JSON] if data else [])]

    def register(function: Command) -> Command:
        sets = _option_sets(function)

        def run(**values: Any) -> None:
            context = click.get_current_context()
            session = _session(context.obj, {one.name: values.pop(one.name) for one in common})
            for one, kind in sets.items():
                values[one] = kind(*(values.pop(field) for field in kind._fields))
            context.exit(_result(function(session, **values)))

        parameters = [*_own(function, sets), *common]
        params = [get_args(one.annotation)[1].make(one) for one in parameters]
        group.add_command(click.Command(name, callback=run, params=params, help=inspect.getdoc(function)))
        return function

    return register


def person() -> str:
    """Return who asks, for what others will read."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number that has no name.
        return f"uid {os.getuid()}"


def _option_sets(function: Command) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters
    return {name: one.annotation for name, one in parameters.items() if hasattr(one.annotation, "_fields")}


def _own(function: Command, sets: dict[str, Any]) -> Iterator[inspect.Parameter]:
    """Yield the parameters of a command's function without its session, option sets spread out."""
    for name, one in list(inspect.signature(function).parameters.items())[1:]:
        if name in sets:
            defaults = sets[name]._field_defaults
            yield from (
                _parameter(field, kind, defaults[field]) for field, kind in sets[name].__annotations__.items()
            )
        else:
            yield one


def _parameter(name: str, kind: Any, default: Any = None) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)


def _session(embedded: Any, common: dict[str, Any]) -> Session:
    module = common.get("module")
    if module is not None and common["app"] not in {None, module}:
        raise click.UsageError(f"--app {common['app']} and {module} are both given")
    target = Target(embedded, module or common["app"], common["url"])
    return Session(target, Output(json=common.get("json", False)))


def _result(result: Awaitable[int | None] | int | None) -> int:
    """Return the exit code of a command, once it has finished."""
    if not inspect.isawaitable(result):
        return result or 0
    # Late, since `rota --help` has nothing to wait for, and this is half of what it would load.
    import asyncio

    async def awaited() -> int | None:
        return await result

    try:
        return asyncio.run(awaited()) or 0
    except KeyboardInterrupt:
        return INTERRUPTED


_APP = _parameter(
    "app",
    Annotated[str | None, Option("--app", "The application; else ROTA_APP.", metavar="MODULE:app")],
)
_URL = _parameter(
    "url",
    Annotated[str | None, Option("--url", "The store; else the app's, or ROTA_URL.", metavar="URL")],
)
_MODULE = _parameter("module", Annotated[str | None, Argument(metavar="[MODULE:app]")])
_JSON = _parameter("json", Annotated[bool, Option("--json", "Print JSON for programs.")], default=False)
