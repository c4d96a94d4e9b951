"""What all commands share: the options that every one takes, and the way from them to a function."""

import functools
import getpass
import inspect
import os
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer

from rota.cli.output import Output
from rota.cli.target import Target

__all__ = ["Command", "Session", "command", "person"]

AppOption = Annotated[
    str | None, typer.Option("--app", metavar="MODULE:app", help="The application; else ROTA_APP.")
]
AppArgument = Annotated[
    str | None, typer.Argument(metavar="[MODULE:app]", help="The application; else --app or ROTA_APP.")
]
UrlOption = Annotated[
    str | None, typer.Option("--url", metavar="URL", help="The store; else the app's, or ROTA_URL.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

Command = Callable[..., "Awaitable[int | None] | int | None"]
"""A function of a session and of its own options; it returns an exit code, None for 0."""


class Session:
    """One run of one command: what it works on, and where it prints."""

    def __init__(self, target: Target, out: Output) -> None:
        self.target = target
        self.out = out


def person() -> str:
    """Return who asks, for what others will read."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number that has no name.
        return f"uid {os.getuid()}"


def command(
    group: typer.Typer, name: str, *, data: bool = True, positional: bool = False
) -> Callable[[Command], Command]:
    """Make a function a command of a group, with the options that all commands have.

    A parameter whose type is a NamedTuple stands for all the options that are its fields.

    Args:
        group: where the command stands.
        name: what it is called there.
        data: whether it prints data, and so takes --json.
        positional: whether the app may also be named by position.
    """

    def register(function: Command) -> Command:
        sets = _option_sets(function)
        common = _common(data=data, positional=positional)

        @functools.wraps(function)
        def run(context: typer.Context, **values: Any) -> None:
            session = _session(context.obj, {one: values.pop(one) for one in common})
            for one, kind in sets.items():
                values[one] = kind(*(values.pop(field) for field in kind._fields))
            result = function(session, **values)
            raise typer.Exit((_wait(result) if inspect.isawaitable(result) else result) or 0)

        parameters = [
            inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context),
            *_own(function, sets),
            *common.values(),
        ]
        # Typer reads the options from the signature; older ones read the annotations.
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        group.command(name)(run)
        return function

    return register


def _option_sets(function: Command) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters
    return {name: one.annotation for name, one in parameters.items() if hasattr(one.annotation, "_fields")}


def _own(function: Command, sets: dict[str, Any]) -> list[inspect.Parameter]:
    """Return the parameters of a command's function without its session, option sets spread out."""
    own: list[inspect.Parameter] = []
    for name, one in list(inspect.signature(function).parameters.items())[1:]:
        if name in sets:
            own += [_option(field, kind) for field, kind in sets[name].__annotations__.items()]
        else:
            own.append(one.replace(kind=inspect.Parameter.KEYWORD_ONLY))
    return own


def _common(*, data: bool, positional: bool) -> dict[str, inspect.Parameter]:
    common = {"app": _option("app", AppOption), "url": _option("url", UrlOption)}
    if positional:
        common["module"] = _option("module", AppArgument)
    if data:
        common["json"] = _option("json", JsonOption, default=False)
    return common


def _option(name: str, kind: Any, *, default: Any = None) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)


def _session(embedded: Any, common: dict[str, Any]) -> Session:
    module = common.get("module")
    if module is not None and common["app"] not in {None, module}:
        raise typer.BadParameter(f"{common['app']!r} and {module!r} are both given", param_hint="--app")
    target = Target(embedded, module or common["app"], common["url"])
    return Session(target, Output(json=common.get("json", False)))


def _wait(result: Awaitable[int | None]) -> int | None:
    # Late, since `rota --help` has nothing to wait for, and this is half of what it would load.
    import asyncio

    async def awaited() -> int | None:
        return await result

    return asyncio.run(awaited())
