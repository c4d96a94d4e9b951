"""Tokens that open the API and the dashboard, and the log of what people did."""

from collections.abc import Collection, Sequence
from typing import Protocol
from uuid import UUID

from rota.model.access import AccessToken, AuditRecord, NewAudit, NewToken, TokenKind

__all__ = ["AccessStore"]


class AccessStore(Protocol):
    """Tokens by their digest, and the audit log."""

    async def add_token(self, token: NewToken) -> bool:
        """Store a token and forget expired ones; False when another bearer token has its name."""
        ...

    async def token(self, digest: bytes, kinds: Collection[TokenKind]) -> AccessToken | None:
        """Return the unexpired token of a digest, if it is of one of these kinds."""
        ...

    async def redeem(self, digest: bytes) -> AccessToken | None:
        """Take an unexpired link away and return it: of several callers one gets it."""
        ...

    async def touch(self, token: UUID) -> None:
        """Note that a token was used now."""
        ...

    async def tokens(self) -> list[AccessToken]:
        """List the unexpired tokens of every kind, oldest first."""
        ...

    async def revoke(self, token: UUID) -> bool:
        """Delete a token and the sessions that were opened with it; False when there is none."""
        ...

    async def audit(self, lines: Sequence[NewAudit]) -> None:
        """Add lines to the audit log, in order."""
        ...

    async def audited(self, *, limit: int, before: int | None = None) -> list[AuditRecord]:
        """Return lines of the audit log, newest first, older than place `before`."""
        ...
