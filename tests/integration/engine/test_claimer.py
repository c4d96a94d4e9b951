"""No job waits for the safety poll, whatever was under way when the worker became idle."""

import asyncio

import psycopg
import pytest

from rota import Rota
from rota.engine import claimer
from rota.wiring import make_store
from tests.integration.engine.conftest import QUICK, Stage


async def test_a_submit_that_saw_no_idle_worker_is_found_after_its_commit(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claimer, "SAFETY_POLL", 3600.0)
    app = Rota(postgres_url, **QUICK)

    @app.task
    async def late() -> str:
        return "found"

    store = make_store(app.settings)
    await store.open()
    app.connection.adopt(store)
    stage = Stage(app, store, None)
    with psycopg.connect(postgres_url) as connection:
        job = await asyncio.to_thread(late.options(connection=connection).enqueue)
        async with stage.worker():
            await stage.until(store.insight.workers, lambda workers: [one.idle for one in workers] == [True])
            await asyncio.to_thread(connection.commit)
            await stage.finished(job)
    app.connection.adopt(None)
    await store.close()
