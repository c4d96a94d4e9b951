"""A store: all the ports that live in one database, and how to open it."""

from collections.abc import Sequence
from typing import Any, Protocol

from msgspec import Struct

from rota.model.job import Submission, Submitted
from rota.ports.access import AccessStore
from rota.ports.checkpoints import CheckpointStore
from rota.ports.insight import InsightStore
from rota.ports.inspection import InspectionStore
from rota.ports.jobs import JobStore
from rota.ports.limits import LimitStore
from rota.ports.requests import RequestStore
from rota.ports.retention import RetentionStore
from rota.ports.schedules import ScheduleStore
from rota.ports.trail import TrailStore
from rota.ports.transfer import TransferStore
from rota.ports.wakeup import Wakeup
from rota.ports.workers import WorkerStore

__all__ = ["Capabilities", "PoolUse", "SchemaState", "Store"]


class Capabilities(Struct, frozen=True, kw_only=True):
    """What a store can do beyond the core that none may lack.

    The core: submit idempotent, claim once, token fencing, rescue, fire once. `group` is the largest number
    of jobs that one call may submit or settle atomically.
    """

    transactional_enqueue: bool
    strict_rank: bool
    exact_limits: bool
    filters: bool
    push_wakeup: bool
    group: int


class PoolUse(Struct, frozen=True):
    """Connections of this event loop to the database: open, at work, and how many there may be."""

    open: int
    busy: int
    limit: int


class SchemaState(Struct, frozen=True, kw_only=True):
    """The schema that is there (0: none), the one this code wants, and the oldest code that may use it."""

    version: int
    wanted: int
    oldest: int
    store_id: str
    pending: tuple[str, ...]


class Store(Protocol):
    """One database. Verbs belong to one event loop; `submit_now` and `submit_on` to any thread."""

    name: str
    url: str
    capabilities: Capabilities

    @property
    def jobs(self) -> JobStore: ...  # noqa: D102 - the type says it

    @property
    def limits(self) -> LimitStore: ...  # noqa: D102

    @property
    def workers(self) -> WorkerStore: ...  # noqa: D102

    @property
    def checkpoints(self) -> CheckpointStore: ...  # noqa: D102

    @property
    def insight(self) -> InsightStore: ...  # noqa: D102

    @property
    def inspection(self) -> InspectionStore: ...  # noqa: D102

    @property
    def retention(self) -> RetentionStore: ...  # noqa: D102

    @property
    def schedules(self) -> ScheduleStore: ...  # noqa: D102

    @property
    def access(self) -> AccessStore: ...  # noqa: D102

    @property
    def requests(self) -> RequestStore: ...  # noqa: D102

    @property
    def trail(self) -> TrailStore: ...  # noqa: D102

    @property
    def transfer(self) -> TransferStore: ...  # noqa: D102

    @property
    def wakeup(self) -> Wakeup: ...  # noqa: D102

    async def open(self) -> None:
        """Connect, create or check the schema.

        Raises:
            StoreUnavailableError: the database cannot be reached.
            SchemaVersionError: the schema needs newer code, or is too old and may not be upgraded here.
        """
        ...

    async def close(self) -> None:
        """Release every connection of this event loop."""
        ...

    async def upgrade(self, *, post: bool = False) -> tuple[str, ...]:
        """Apply pending migrations (`post` ones too when asked); safe when two processes do it at once."""
        ...

    async def schema(self) -> SchemaState:
        """Return the state of the schema without changing it."""
        ...

    def pool(self) -> PoolUse | None:
        """Return how far the connections are in use; None where a store has no pool."""
        ...

    def submit_now(self, submissions: Sequence[Submission], *, resend: bool = False) -> list[Submitted]:
        """Submit by the store's synchronous driver, from any thread, in a transaction of its own."""
        ...

    def submit_on(self, connection: Any, submissions: Sequence[Submission]) -> list[Submitted]:
        """Submit inside the transaction of the caller's synchronous connection.

        Raises:
            WrongConnectionError: the connection is of an unknown kind, asynchronous, or of another database.
        """
        ...

    async def submit_on_async(self, connection: Any, submissions: Sequence[Submission]) -> list[Submitted]:
        """Submit inside the transaction of the caller's asynchronous connection (see `submit_on`)."""
        ...
