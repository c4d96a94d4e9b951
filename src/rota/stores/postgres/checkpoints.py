"""What running attempts save (`ports.checkpoints`)."""

from collections.abc import Sequence

from rota.model.events import LogEntry, Progress
from rota.stores.postgres.database import Database
from rota.stores.postgres.rows import dump

__all__ = ["PostgresCheckpoints"]


class PostgresCheckpoints:
    """The notebook of running attempts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, logs: Sequence[LogEntry], progress: Sequence[Progress]) -> None:
        """See `CheckpointStore.record`. Lines sent twice are stored once, so each kind may go by itself."""
        if logs:
            await self._database.fetch(
                "write_logs",
                [log.id for log in logs],
                [log.token for log in logs],
                [log.seq for log in logs],
                [log.at for log in logs],
                [log.level for log in logs],
                [log.message for log in logs],
                [None if log.fields is None else dump(log.fields) for log in logs],
            )
        if progress:
            latest = {(one.id, one.token): one for one in progress}.values()
            await self._database.fetch(
                "write_progress",
                [one.id for one in latest],
                [one.token for one in latest],
                [one.done for one in latest],
                [one.total for one in latest],
            )
