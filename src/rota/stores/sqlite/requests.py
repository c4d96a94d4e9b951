"""Requests that were sent with a key."""

from datetime import timedelta
from uuid import UUID

from rota.ports.requests import KEPT, Begun, KeptAnswer
from rota.stores.sqlite.transaction import Transaction
from rota.stores.sqlite.values import micros
from rota.stores.sqlite.writer import Writer

__all__ = ["SqliteRequests"]


class SqliteRequests:
    """`RequestStore` on SQLite."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def begin(self, scope: str, key: str, digest: bytes, seed: UUID, lease: timedelta) -> Begun:
        """Take note of a request, or say what is known of it; see the port."""

        def operation(transaction: Transaction) -> Begun:
            name = {"scope": scope, "key": key}
            transaction.change("drop_request", **name, before=transaction.now - micros(KEPT))
            until = transaction.now + micros(lease)
            mine = transaction.row("begin_request", **name, digest=digest, seed=seed.bytes, lease_until=until)
            if mine is not None:
                return Begun(mine=True, same=True, seed=UUID(bytes=mine[0]), answer=None)
            ((known, first, status, body),) = transaction.rows("known_request", **name)
            answer = None if status is None else KeptAnswer(status, body)
            return Begun(mine=False, same=known == digest, seed=UUID(bytes=first), answer=answer)

        return await self._writer.run(operation)

    async def finish(self, scope: str, key: str, answer: KeptAnswer | None) -> None:
        """Keep a request's answer; see the port."""
        status, body = (None, None) if answer is None else (answer.status, answer.body)
        await self._writer.run(
            lambda transaction: transaction.change(
                "finish_request", scope=scope, key=key, status=status, body=body
            )
        )
