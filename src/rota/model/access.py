"""Who may do what: roles, tokens, and the record of what was done."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

__all__ = ["AccessToken", "AuditRecord", "NewAudit", "NewToken", "Role", "TokenKind"]

TokenKind = Literal["token", "session", "link"]
"""A bearer token; a login of a browser; a link that logs in once."""


class Role(StrEnum):
    """What somebody may do; each includes the ones before it."""

    VIEWER = "viewer"
    """Look."""
    OPERATOR = "operator"
    """Act on jobs, schedules, queues and workers."""
    ADMIN = "admin"
    """Also make and revoke tokens, and read the audit log."""

    def includes(self, wanted: "Role") -> bool:
        """Tell whether this role may do what `wanted` may."""
        order = list(Role)
        return order.index(self) >= order.index(wanted)


class NewToken(Struct, frozen=True, kw_only=True):
    """A token to be stored.

    Args:
        id: made by the caller.
        kind: what it opens.
        name: whose it is, as the audit log shows it.
        role: what its holder may do.
        digest: SHA-256 of the secret; the secret itself is stored nowhere.
        keys: limits its holder to jobs of these keys; empty: all.
        lifetime: how long it opens anything; None: until it is revoked.
        parent: the token that a session was opened with; it ends with it.
    """

    id: UUID
    kind: TokenKind
    name: str
    role: Role
    digest: bytes
    keys: tuple[str, ...] = ()
    lifetime: timedelta | None = None
    parent: UUID | None = None


class AccessToken(Struct, frozen=True, kw_only=True):
    """A stored token, without its digest."""

    id: UUID
    kind: TokenKind
    name: str
    role: Role
    keys: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    parent: UUID | None


class NewAudit(Struct, frozen=True, kw_only=True):
    """One action on its way into the audit log."""

    actor: str
    action: str
    subject: str
    data: dict[str, Any] = {}


class AuditRecord(Struct, frozen=True, kw_only=True):
    """One action: who did what to which thing, and when. `place` orders the log."""

    place: int
    at: datetime
    actor: str
    action: str
    subject: str
    data: dict[str, Any]
