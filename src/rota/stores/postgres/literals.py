"""Arrays as text, for psycopg: it takes longer to write a list of one than the statement to run."""

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
    return f"{{{','.join(map(_element, values))}}}" if values else "{}"


def _element(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if value is None:
        return "NULL"
    if isinstance(value, int | UUID):
        return str(value)
    if isinstance(value, bytes):
        return f'"\\\\x{value.hex()}"'
    if isinstance(value, datetime):
        return f'"{value.isoformat()}"'
    raise TypeError(f"no array of {type(value).__name__} is sent")
