"""Arrays as text, for psycopg: it takes longer to write a list of one than the statement to run."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

__all__ = ["encoded", "literals"]


@cache
def encoded(sql: str) -> bytes:
    """Return SQL as psycopg takes it when it is no literal of the code; always the same object."""
    return sql.encode()


def literals(params: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return parameters with every list as the text of an array; the statement casts it to what it is."""
    return tuple([_array(value) if type(value) is list else value for value in params])


def _array(values: list[Any]) -> str:
    kinds = set(map(type, values))
    write = _WRITERS.get(kinds.pop(), _element) if len(kinds) == 1 else _element
    return f"{{{','.join(map(write, values))}}}"


def _element(value: Any) -> str:
    for kind, write in _WRITERS.items():
        if isinstance(value, kind):
            return write(value)
    raise TypeError(f"no array of {type(value).__name__} is sent")


_WRITERS: dict[type, Callable[[Any], str]] = {
    str: lambda value: '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"',
    type(None): lambda _: "NULL",
    UUID: lambda value: value.hex,
    int: str,
    bytes: lambda value: f'"\\\\x{value.hex()}"',
    datetime: lambda value: f'"{value.isoformat()}"',
}
