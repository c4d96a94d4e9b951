"""Everything that a store holds, out of it and into another one."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Protocol

from rota.model.transfer import Header, Record

__all__ = ["Page", "TransferStore"]

Page = Sequence[Record]
"""Some records of one kind."""


class TransferStore(Protocol):
    """Moves whole stores. Workers, which are no data, stay behind."""

    def export(self) -> AsyncGenerator[Header | Page, None]:
        """Yield a header and then every record, all as they were at one moment, while others go on.

        Kinds come in the order of `KINDS`; live jobs in the order of their submit, then dead and finished
        ones by (finished_at, id), events and audit in the order in which they were written, everything else
        by its key. So two stores with the same content yield the same.
        """
        ...

    async def load(self, header: Header, pages: AsyncIterator[Page]) -> None:
        """Store records, all or none: an error of `pages` or of the store leaves it empty.

        Jobs get their places in line in the order in which they come. Slots are counted anew.

        Args:
            header: what the records came with.
            pages: the records.

        Raises:
            StoreNotEmptyError: there is something already.
        """
        ...
