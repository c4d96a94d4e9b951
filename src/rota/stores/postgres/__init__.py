"""PostgreSQL as a store. Importing this needs the extra `postgres`."""

from rota.model.errors import MissingExtraError

try:
    from rota.stores.postgres.store import PostgresStore
except ImportError as error:
    if (error.name or "").partition(".")[0] not in {"asyncpg", "psycopg"}:
        raise
    raise MissingExtraError("the PostgreSQL store", "postgres") from error

__all__ = ["PostgresStore"]
