"""Tokens and the audit log (`ports.access`)."""

from collections.abc import Collection, Sequence
from uuid import UUID

from rota.model.access import AccessToken, AuditRecord, NewAudit, NewToken, Role, TokenKind
from rota.stores.postgres.database import Database
from rota.stores.postgres.rows import Row, dump, load

__all__ = ["PostgresAccess"]


class PostgresAccess:
    """What opens the API and the dashboard."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_token(self, token: NewToken) -> bool:
        """See `AccessStore.add_token`."""
        rows = await self._database.fetch(
            "add_token",
            self._database.now(),
            token.id,
            token.kind,
            token.name,
            token.role,
            token.digest,
            token.keys,
            token.lifetime,
            token.parent,
        )
        return bool(rows)

    async def token(self, digest: bytes, kinds: Collection[TokenKind]) -> AccessToken | None:
        """See `AccessStore.token`."""
        rows = await self._database.fetch("find_token", self._database.now(), digest, list(kinds))
        return _token(rows[0]) if rows else None

    async def redeem(self, digest: bytes) -> AccessToken | None:
        """See `AccessStore.redeem`."""
        rows = await self._database.fetch("redeem_token", self._database.now(), digest)
        return _token(rows[0]) if rows else None

    async def touch(self, token: UUID) -> None:
        """See `AccessStore.touch`."""
        await self._database.fetch("touch_token", self._database.now(), token)

    async def tokens(self) -> list[AccessToken]:
        """See `AccessStore.tokens`."""
        return [_token(row) for row in await self._database.fetch("list_tokens", self._database.now())]

    async def revoke(self, token: UUID) -> bool:
        """See `AccessStore.revoke`."""
        return bool(await self._database.fetch("revoke_token", token))

    async def audit(self, lines: Sequence[NewAudit]) -> None:
        """See `AccessStore.audit`."""
        await self._database.fetch(
            "add_audit",
            self._database.now(),
            [line.actor for line in lines],
            [line.action for line in lines],
            [line.subject for line in lines],
            [dump(line.data) for line in lines],
        )

    async def audited(self, *, limit: int, before: int | None = None) -> list[AuditRecord]:
        """See `AccessStore.audited`."""
        rows = await self._database.fetch("list_audit", before, limit)
        return [AuditRecord(**dict(row) | {"data": load(row["data"])}) for row in rows]


def _token(row: Row) -> AccessToken:
    fields = dict(row)
    return AccessToken(**fields | {"role": Role(fields["role"]), "keys": tuple(fields["keys"])})
