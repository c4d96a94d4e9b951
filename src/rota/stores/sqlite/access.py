"""Tokens and the audit log."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

import msgspec

from rota.model.access import AccessToken, AuditRecord, NewAudit, NewToken, Role, TokenKind
from rota.model.clock import from_micros
from rota.stores.sqlite.reader import Reader
from rota.stores.sqlite.transaction import Transaction
from rota.stores.sqlite.values import id_or_none, json_text, micros, moment_or_none, uuid_or_none
from rota.stores.sqlite.writer import Writer

__all__ = ["SqliteAccess"]


class SqliteAccess:
    """`AccessStore` on SQLite."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def add_token(self, token: NewToken) -> bool:
        """Store a token; see the port."""
        return await self._writer.run(lambda transaction: _add(transaction, token))

    async def token(self, digest: bytes, kinds: Collection[TokenKind]) -> AccessToken | None:
        """Return the unexpired token of a digest; see the port."""
        wanted = json_text(list(kinds))
        row = await self._reader.run(lambda snapshot: snapshot.row("find_token", digest=digest, kinds=wanted))
        return None if row is None else _token(row)

    async def redeem(self, digest: bytes) -> AccessToken | None:
        """Take a link away and return it; see the port."""
        row = await self._writer.run(lambda transaction: transaction.row("redeem_token", digest=digest))
        return None if row is None else _token(row)

    async def touch(self, token: UUID) -> None:
        """Note that a token was used now; see the port."""
        await self._writer.run(lambda transaction: transaction.change("touch_token", token=token.bytes))

    async def tokens(self) -> list[AccessToken]:
        """List the unexpired tokens; see the port."""
        return [_token(row) for row in await self._reader.run(lambda snapshot: snapshot.rows("list_tokens"))]

    async def revoke(self, token: UUID) -> bool:
        """Delete a token and its sessions; see the port."""

        def operation(transaction: Transaction) -> bool:
            transaction.change("forget_sessions", token=token.bytes)
            return transaction.change("revoke_token", token=token.bytes) > 0

        return await self._writer.run(operation)

    async def audit(self, lines: Sequence[NewAudit]) -> None:
        """Add lines to the audit log; see the port."""
        rows = [
            {"actor": one.actor, "action": one.action, "subject": one.subject, "data": json_text(one.data)}
            for one in lines
        ]
        await self._writer.run(lambda transaction: transaction.change_each("add_audit", rows))

    async def audited(self, *, limit: int, before: int | None = None) -> list[AuditRecord]:
        """Return lines of the audit log; see the port."""
        rows = await self._reader.run(
            lambda snapshot: snapshot.rows("list_audit", limit=limit, before=before)
        )
        return [
            AuditRecord(
                place=place,
                at=from_micros(at),
                actor=actor,
                action=action,
                subject=subject,
                data=msgspec.json.decode(data),
            )
            for place, at, actor, action, subject, data in rows
        ]


def _add(transaction: Transaction, token: NewToken) -> bool:
    transaction.change("forget_tokens")
    added = transaction.change(
        "add_token",
        id=token.id.bytes,
        kind=token.kind,
        name=token.name,
        role=token.role,
        keys=json_text(token.keys),
        digest=token.digest,
        expires_at=None if token.lifetime is None else transaction.now + micros(token.lifetime),
        parent=id_or_none(token.parent),
    )
    return added > 0


def _token(row: tuple[Any, ...]) -> AccessToken:
    its_id, kind, name, role, keys, created_at, expires_at, used_at, parent = row
    return AccessToken(
        id=UUID(bytes=its_id),
        kind=kind,
        name=name,
        role=Role(role),
        keys=tuple(msgspec.json.decode(keys)),
        created_at=from_micros(created_at),
        expires_at=moment_or_none(expires_at),
        used_at=moment_or_none(used_at),
        parent=uuid_or_none(parent),
    )
