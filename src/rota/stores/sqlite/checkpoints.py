"""What running attempts save."""

from collections.abc import Sequence

from rota.model.clock import to_micros
from rota.model.events import LogEntry, Progress
from rota.stores.sqlite.transaction import Transaction
from rota.stores.sqlite.values import json_or_none
from rota.stores.sqlite.writer import Writer

__all__ = ["SqliteCheckpoints"]


class SqliteCheckpoints:
    """`CheckpointStore` on SQLite."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def record(self, logs: Sequence[LogEntry], progress: Sequence[Progress]) -> None:
        """Store log lines and the latest progress; see the port."""
        await self._writer.run(lambda transaction: _record(transaction, logs, progress))


def _record(transaction: Transaction, logs: Sequence[LogEntry], progress: Sequence[Progress]) -> None:
    transaction.change_each(
        "write_logs",
        (
            {
                "id": line.id.bytes,
                "token": line.token,
                "seq": line.seq,
                "at": to_micros(line.at),
                "level": line.level,
                "message": line.message,
                "fields": json_or_none(line.fields),
            }
            for line in logs
        ),
    )
    transaction.change_each(
        "write_progress",
        ({"id": one.id.bytes, "token": one.token, "done": one.done, "total": one.total} for one in progress),
    )
