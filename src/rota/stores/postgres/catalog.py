"""The statements of one namespace."""

from rota.stores.statements import load

__all__ = ["channel", "statements"]

_FRAGMENTS = "rota.stores.postgres.fragments"
_SQL = "rota.stores.postgres.sql"


def channel(schema: str) -> str:
    """Return the name under which notices of a namespace are sent."""
    return f"rota:{schema}"


def statements(schema: str, *, pushes: bool) -> dict[str, str]:
    """Return every statement by its name.

    Args:
        schema: the namespace.
        pushes: whether to send notices; the statements are the same for the rest.
    """
    names = {
        "schema": f'"{schema}"',
        "channel": f"'{channel(schema)}'",
        "pushes": "true" if pushes else "false",
    }
    return load(_SQL, **names, **load(_FRAGMENTS, **names))
