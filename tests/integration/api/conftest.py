"""The web application over each store, asked without a socket."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest

from rota import Rota
from rota.app.metrics import MetricsPart
from rota.app.web import make_web
from rota.model.access import Role
from rota.model.ids import new_id
from rota.model.job import ClaimedJob, ClaimRequest
from rota.model.outcome import Outcome, Settlement
from rota.operations import access
from rota.ports.store import Store

BASE = "http://localhost:8470"


@dataclass
class Web:
    """An app, its open store, and clients of its web application."""

    app: Rota
    store: Store
    metrics: MetricsPart | None = None
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    lease = timedelta(seconds=30)

    async def client(
        self,
        role: Role | None = None,
        *,
        peer: str = "127.0.0.1",
        keys: tuple[str, ...] = (),
        **options: Any,
    ) -> httpx.AsyncClient:
        """Return a client that has a token of a role; without one it is nobody."""
        headers = dict(options.pop("headers", {}))
        if role is not None:
            issued = await access.create_token(self.store, f"{role}-{len(self.clients)}", role, keys=keys)
            headers["Authorization"] = f"Bearer {issued.secret}"
        transport = httpx.ASGITransport(app=make_web(self.app, self.store, self.metrics), client=(peer, 4711))
        client = httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers, **options)
        self.clients.append(client)
        return client


async def run_claimed(
    store: Store, work: Callable[[ClaimedJob], Awaitable[Outcome]], queue: str = "mail"
) -> None:
    """Do what a worker does with all jobs of a queue."""
    request = ClaimRequest(
        owner=new_id(), queues=(queue,), limits={"async": 100, "thread": 100}, lease=timedelta(seconds=30)
    )
    for job in await store.jobs.claim(request):
        await store.jobs.settle([Settlement(job.id, job.token, await work(job))])


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{request.getfixturevalue('tmp_path')}/rota.db"
    address: str = request.getfixturevalue("postgres_url")
    return address


@pytest.fixture
async def web(url: str) -> AsyncIterator[Web]:
    app = Rota(url)

    @app.task(queue="mail")
    async def send(to: str) -> str:
        return to

    store = app.make_store()
    await store.open()
    world = Web(app, store)
    yield world
    for client in world.clients:
        await client.aclose()
    await store.close()
