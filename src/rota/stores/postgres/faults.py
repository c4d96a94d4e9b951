"""What a driver's error means. Both drivers tell the server's code."""

import asyncpg
import psycopg

__all__ = ["is_busy", "is_conflict", "is_lost", "is_standby", "is_uncertain"]

# Serialization failure, deadlock: the server chose this transaction to give way.
_CONFLICTS = {"40001", "40P01"}
# The server broke a statement off, and it is as if it had never been: a lock was not to be had in time, or
# a limit that somebody set for all statements has passed.
_BUSY = {"55P03", "57014", "25P04"}
# Shutdown, crash, starting up, database dropped, idle session ended; besides all of class 08.
_BROKEN = {"57P01", "57P02", "57P03", "57P04", "57P05", "25P03"}
_STANDBY = "25006"
# No such database; besides all of classes 28 (who may connect), 53 (too many connections, disk
# full, out of memory) and 58 (trouble of the server's machine).
_REFUSED = {_STANDBY, "3D000"}
_REFUSING = {"28", "53", "58"}


def is_conflict(error: BaseException) -> bool:
    """Tell whether the same transaction may work when it is run again."""
    return getattr(error, "sqlstate", None) in _CONFLICTS


def is_busy(error: BaseException) -> bool:
    """Tell whether the server broke a statement off that took too long; it did nothing."""
    return getattr(error, "sqlstate", None) in _BUSY


def is_lost(error: BaseException) -> bool:
    """Tell whether the server cannot be reached or used now, or the connection to it broke."""
    code = getattr(error, "sqlstate", None)
    if code is not None:
        known = code in _BUSY or code in _BROKEN or code in _REFUSED
        return known or code[:2] == "08" or code[:2] in _REFUSING
    if isinstance(error, asyncpg.InternalClientError):
        # No host takes writes; or the driver is confused by a connection that breaks just now.
        return True
    if isinstance(error, asyncpg.InterfaceError):
        # Wrong arguments are an InterfaceError too, and a ValueError.
        return "clos" in str(error) and not isinstance(error, ValueError)
    return isinstance(error, (OSError, asyncpg.PostgresConnectionError, psycopg.OperationalError))


def is_standby(error: BaseException) -> bool:
    """Tell whether the server takes no writes (any more)."""
    return getattr(error, "sqlstate", None) == _STANDBY


def is_uncertain(error: BaseException) -> bool:
    """Tell whether what was sent may have been done: the connection broke before the answer."""
    code = getattr(error, "sqlstate", None)
    return is_lost(error) and (code is None or code in _BROKEN or code[:2] == "08")
