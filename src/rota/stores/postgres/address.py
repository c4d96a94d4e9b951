"""Where a PostgreSQL database is: on which hosts, and in words that hide its password."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from rota.model.errors import ConfigurationError, StoreBusyError, StoreUnavailableError
from rota.stores.postgres.faults import is_busy

__all__ = [
    "asyncpg_url",
    "check_schema_name",
    "check_url",
    "hosts",
    "place",
    "session_choice",
    "unavailable",
]

_SCHEMA = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,47}")
_PORT = 5432
# What libpq keeps to itself: asyncpg would send it to the server, which knows no such setting.
_LIBPQ_ALONE = {
    "channel_binding",
    "connect_timeout",
    "fallback_application_name",
    "gssencmode",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "load_balance_hosts",
    "require_auth",
    "sslcompression",
    "sslsni",
    "tcp_user_timeout",
}


def place(url: str) -> str:
    """Return hosts, ports and database of a url, without user and password."""
    path = urlsplit(url).path.lstrip("/")
    listed = " or ".join(f"{host or 'the local socket'}, port {port}" for host, port in hosts(url))
    return f"database {path or '(default)'!r} on {listed}"


def hosts(url: str) -> list[tuple[str, int]]:
    """Return the hosts that a url lists, in its order; an empty name is the local socket.

    Raises:
        ValueError: a port is no port.
    """
    parts = urlsplit(url)
    names = parts.netloc.rpartition("@")[2]
    if not names:
        query = dict(parse_qsl(parts.query))
        return _paired(query.get("host", ""), query.get("port", ""))
    return [_host_and_port(one) for one in names.split(",")]


def _host_and_port(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, ""
    return unquote(host).strip("[]"), _port(port)


def _paired(names: str, ports: str) -> list[tuple[str, int]]:
    """Return hosts as libpq takes them from the query: two lists, or one port for all."""
    listed, numbers = names.split(","), ports.split(",")
    if len(numbers) == 1:
        numbers *= len(listed)
    return [(name, _port(number)) for name, number in zip(listed, numbers, strict=True)]


def _port(text: str) -> int:
    number = int(text) if text else _PORT
    if not 0 < number < 1 << 16:
        raise ValueError(f"port {text} is out of range")
    return number


def session_choice(url: str) -> Mapping[str, str]:
    """Return how to choose among several hosts, unless the url says so: one that takes writes."""
    if len(hosts(url)) > 1 and "target_session_attrs" not in url:
        return {"target_session_attrs": "read-write"}
    return {}


def asyncpg_url(url: str) -> str:
    """Return a url without what libpq alone understands."""
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name not in _LIBPQ_ALONE]
    return urlunsplit(parts._replace(query=urlencode(query)))


def unavailable(url: str, cause: BaseException) -> StoreUnavailableError:
    """Make the error for a database that does not answer or refuses; it names place, cause and remedy."""
    silence = "no answer in time" if isinstance(cause, TimeoutError) else type(cause).__name__
    reason = (str(cause).strip().splitlines() or [silence])[0]
    remedy = "Check that the server runs, that the database exists and that ROTA_URL names them"
    if "startup parameter" in reason:
        remedy = "Behind a pooler in transaction mode set ROTA_LISTEN=false"
    if is_busy(cause):
        remedy = "Look for a long transaction in pg_stat_activity, and for a statement_timeout of the role"
        return StoreBusyError(f"PostgreSQL broke a statement off ({place(url)}): {reason}. {remedy}")
    return StoreUnavailableError(f"PostgreSQL does not answer ({place(url)}): {reason}. {remedy}")


def check_url(url: str) -> str:
    """Return a url.

    Raises:
        ConfigurationError: its scheme or its port is malformed.
    """
    try:
        parts = urlsplit(url)
        hosts(url)
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
