"""Requests that were sent with a key (`ports.requests`)."""

from datetime import timedelta
from uuid import UUID

from rota.ports.requests import KEPT, Begun, KeptAnswer
from rota.stores.postgres.database import Database, Run

__all__ = ["PostgresRequests"]


class PostgresRequests:
    """Requests by their keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, scope: str, key: str, digest: bytes, seed: UUID, lease: timedelta) -> Begun:
        """See `RequestStore.begin`."""
        now = self._database.now()

        async def work(run: Run) -> Begun:
            await run("drop_request", now, scope, key, KEPT)
            if mine := await run("begin_request", now, scope, key, digest, seed, lease):
                return Begun(mine=True, same=True, seed=mine[0][0], answer=None)
            ((known, first, status, body),) = await run("known_request", scope, key)
            answer = None if status is None else KeptAnswer(status, body)
            return Begun(mine=False, same=known == digest, seed=first, answer=answer)

        return await self._database.transact(work)

    async def finish(self, scope: str, key: str, answer: KeptAnswer | None) -> None:
        """See `RequestStore.finish`."""
        status, body = (None, None) if answer is None else (answer.status, answer.body)
        await self._database.fetch("finish_request", self._database.now(), scope, key, status, body)
