"""Things that tasks need (a client, a pool, a model): opened once per worker, injected by annotation."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, get_args, get_origin, get_type_hints

from msgspec import Struct

from rota.model.errors import ConfigurationError

__all__ = ["Resource", "open_resources"]


class Resource(Struct, frozen=True):
    """A type, and the function that makes its one value for a worker.

    The function takes nothing and returns or yields the value, sync or async; what follows the yield runs
    when the worker stops.
    """

    kind: Any
    factory: Callable[[], Any]

    @classmethod
    def of(cls, factory: Callable[[], Any]) -> "Resource":
        """Make a resource from a factory; its return annotation names the type.

        Raises:
            ConfigurationError: the annotation is missing.
        """
        returned = get_type_hints(factory).get("return")
        if inspect.isgeneratorfunction(factory) or inspect.isasyncgenfunction(factory):
            returned = get_args(returned)[0] if get_origin(returned) is not None else None
        if returned is None:
            raise ConfigurationError(
                [f"resource {factory.__name__!r} needs a return annotation of its type, like `-> Client`"]
            )
        return cls(returned, factory)


async def open_resources(resources: Iterable[Resource], stack: AsyncExitStack) -> Mapping[Any, Any]:
    """Open every resource on the stack; returns values by type.

    Raises:
        ConfigurationError: some could not be opened; names each with its error.
    """
    values: dict[Any, Any] = {}
    faults: list[str] = []
    for resource in resources:
        try:
            values[resource.kind] = await _open(resource.factory, stack)
        except Exception as error:  # noqa: BLE001 - a user's factory may raise anything; all faults are told at once
            faults.append(f"resource {resource.factory.__name__!r} could not be opened: {error!r}")
    if faults:
        raise ConfigurationError(faults)
    return values


async def _open(factory: Callable[[], Any], stack: AsyncExitStack) -> Any:
    if inspect.isasyncgenfunction(factory):
        return await stack.enter_async_context(asynccontextmanager(factory)())
    if inspect.isgeneratorfunction(factory):
        return stack.enter_context(contextmanager(factory)())
    value = factory()
    return await value if inspect.isawaitable(value) else value
