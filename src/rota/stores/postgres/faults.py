"""What a driver's error means: try again, or the connection is gone. Both drivers tell the server's code."""

import asyncpg
import psycopg

__all__ = ["is_conflict", "is_lost"]

# Serialization failure, deadlock: the server chose this transaction to give way.
_CONFLICTS = {"40001", "40P01"}
# Besides class 08: too many connections, shutdown, crash, starting up, idle session ended, now a standby.
_LOST = {"53300", "57P01", "57P02", "57P03", "57P05", "25006"}
# No such database, and all of class 28: who may connect.
_REFUSED = {"3D000"}


def is_conflict(error: BaseException) -> bool:
    """Tell whether the same transaction may work when it is run again."""
    return getattr(error, "sqlstate", None) in _CONFLICTS


def is_lost(error: BaseException) -> bool:
    """Tell whether the server cannot be reached, or the connection to it broke."""
    code = getattr(error, "sqlstate", None)
    if code is not None:
        return code in _LOST or code in _REFUSED or code[:2] in {"08", "28"}
    if isinstance(error, asyncpg.InterfaceError):
        # Wrong arguments are an InterfaceError too, and a ValueError.
        return "clos" in str(error) and not isinstance(error, ValueError)
    return isinstance(error, (OSError, asyncpg.PostgresConnectionError, psycopg.OperationalError))
