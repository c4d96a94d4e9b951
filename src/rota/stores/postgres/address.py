"""Where a PostgreSQL database is, in words that hide its password."""

import re
from urllib.parse import urlsplit

from rota.model.errors import ConfigurationError, StoreUnavailableError

__all__ = ["check_schema_name", "check_url", "place", "unavailable"]

_SCHEMA = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,47}")


def place(url: str) -> str:
    """Return host, port and database of a url, without user and password."""
    parts = urlsplit(url)
    host = parts.hostname or "the local socket"
    return f"database {parts.path.lstrip('/') or '(default)'!r} on {host}, port {parts.port or 5432}"


def unavailable(url: str, cause: BaseException) -> StoreUnavailableError:
    """Make the error for a database that does not answer; it names place, cause and remedy."""
    reason = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
    remedy = "Check that the server runs, that the database exists and that ROTA_URL names them"
    if "startup parameter" in reason:
        remedy = "Behind a pooler in transaction mode set ROTA_LISTEN=false"
    return StoreUnavailableError(f"PostgreSQL does not answer ({place(url)}): {reason}. {remedy}")


def check_url(url: str) -> str:
    """Return a url.

    Raises:
        ConfigurationError: its scheme or its port is malformed.
    """
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError as error:
        raise ConfigurationError([f"url: {error}. Write postgresql://user@host:5432/database"]) from error
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ConfigurationError(
            [f"url: {parts.scheme!r} is not PostgreSQL's scheme, which is postgresql://"]
        )
    return url


def check_schema_name(name: str) -> str:
    """Return the name of a schema.

    Raises:
        ConfigurationError: it holds anything but letters, digits and underscores, or is longer than 48.
    """
    if not _SCHEMA.fullmatch(name):
        raise ConfigurationError(
            [f"schema: {name!r} is no name for a schema. Use at most 48 letters, digits and underscores"]
        )
    return name
