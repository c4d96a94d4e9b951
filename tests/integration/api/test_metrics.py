"""Metrics of a process that works, over each store, as a scraper sees them."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from rota import Retry, Rota, every
from rota.app.metrics import MetricsPart, make_metrics
from rota.app.serving import serve
from rota.engine.announcer import Announcer
from rota.model.access import Role
from rota.model.errors import ConfigurationError, MissingExtraError
from rota.model.events import AttemptStarted, ClaimLost
from rota.model.ids import new_id
from rota.operations import access
from rota.settings import Settings, change_settings
from rota.telemetry.prometheus import Metrics, Snapshot
from tests.integration.api.conftest import Web

DOC = Path(__file__).parents[3] / "docs" / "observability.md"

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: Samples, name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@asynccontextmanager
async def serving(app: Rota, *roles: str) -> AsyncIterator[None]:
    """Run roles of an app in this loop."""
    ready = asyncio.Event()
    ending = asyncio.Event()

    class Stopper:
        stopped = ending

        async def start(self) -> None: ...

        def notice(self, notice: object) -> None: ...

        async def stop(self) -> None: ...

        async def hurry(self) -> None: ...

    running = asyncio.create_task(serve(app, roles, also=[Stopper()], ready=ready.set))
    started = asyncio.create_task(ready.wait())
    await asyncio.wait([running, started], return_when=asyncio.FIRST_COMPLETED)
    try:
        yield
    finally:
        started.cancel()
        ending.set()
        await running


async def scrape(url: str, **headers: str) -> Samples:
    async with httpx.AsyncClient() as client:
        answer = await client.get(url, headers=headers)
    assert answer.status_code == 200, answer.text
    return samples(answer.text)


async def test_a_worker_alone_shows_what_it_did_and_what_waits(url: str) -> None:
    port = free_port()
    app = Rota(url, metrics_port=port, threads=3)
    done = asyncio.Event()

    @app.task(queue="mail")
    async def send() -> None: ...

    @app.task(retry=Retry(1, delay=0.01))
    async def fail() -> None:
        raise ValueError

    @app.task
    async def last() -> None:
        done.set()

    async with serving(app, "worker", "scheduler"):
        await send.enqueue_async()
        failing = await fail.enqueue_async()
        await app.schedules.add_async(last, every(hours=1), id="hourly")
        await send.options(delay=timedelta(hours=1)).enqueue_async()
        await last.enqueue_async()
        await done.wait()
        while await failing.status_async() != "failed":  # noqa: ASYNC110 - a store tells of no change
            await asyncio.sleep(0.01)  # between looks at the store
        found = await scrape(f"http://127.0.0.1:{port}/metrics")

    assert value(found, "rota_attempts_total", queue="mail", task="send", outcome="succeeded") == 1
    assert value(found, "rota_attempts_total", queue="default", task="fail", outcome="retried") == 1
    assert value(found, "rota_attempts_total", queue="default", task="fail", outcome="failed") == 1
    assert value(found, "rota_duration_seconds_count", queue="default", task="fail") == 2
    assert value(found, "rota_wait_seconds_count", queue="mail", task="send") == 1
    assert 0 <= value(found, "rota_wait_seconds_sum", queue="mail", task="send") < 30
    assert value(found, "rota_queue_jobs", queue="mail", state="scheduled") == 1
    assert value(found, "rota_queue_oldest_seconds", queue="mail") == 0
    assert value(found, "rota_slots", executor="thread") == 3
    assert value(found, "rota_slots_used", executor="thread") == 0
    assert value(found, "rota_workers") == 1
    assert value(found, "rota_store_up") == 1
    if url.startswith("postgres"):
        assert value(found, "rota_store_connections", kind="limit") == 8
        assert value(found, "rota_store_connections", kind="open") >= 1


async def test_ticks_and_how_late_they_were(tmp_path: Path) -> None:
    port = free_port()
    app = Rota(f"sqlite:///{tmp_path}/rota.db", metrics_port=port)
    ticked = asyncio.Event()

    @app.schedule(every(seconds=0.2), id="often")
    async def often() -> None:
        ticked.set()

    async with serving(app, "worker", "scheduler"):
        await ticked.wait()
        found = await scrape(f"http://127.0.0.1:{port}/metrics")

    assert value(found, "rota_ticks_total", state="fired") >= 1
    assert value(found, "rota_tick_lateness_seconds_count") >= 1


async def test_labels_are_bounded() -> None:
    async def look() -> Snapshot:
        raise AssertionError

    metrics = Metrics(look, most=3)
    for number in range(10):
        metrics._of(metrics._attempts, "q", f"task-{number}", "succeeded").inc()
    counted = {
        sample.labels["task"]: sample.value
        for sample in next(iter(metrics._attempts.collect())).samples
        if sample.name.endswith("_total")
    }
    assert counted == {"task-0": 1, "task-1": 1, "task-2": 1, "other": 7}


async def test_queues_beyond_the_bound_are_one(web: Web) -> None:
    part = MetricsPart(web.app.settings, web.store, Announcer())
    task = web.app.tasks["send"]
    for number in range(5):
        await task.options(queue=f"q{number}").enqueue_async("ada")
    metrics = Metrics(part._look, most=2)
    found = samples((await metrics.text())[0].decode())
    assert value(found, "rota_queue_jobs", queue="other", state="ready") == 3


async def test_lost_claims_are_counted(web: Web) -> None:
    announcer = Announcer()
    part = MetricsPart(web.app.settings, web.store, announcer)
    announcer.announce(ClaimLost(new_id(), "send", late=True))
    found = samples((await part.metrics.text())[0].decode())
    assert value(found, "rota_leases_lost_total", seen="late") == 1


async def test_a_store_that_is_away_is_told(web: Web) -> None:
    part = MetricsPart(web.app.settings, web.store, Announcer())
    await web.store.close()
    found = samples((await part.metrics.text())[0].decode())
    assert value(found, "rota_store_up") == 0
    await web.store.open()


async def test_the_page_needs_a_token_unless_a_process_of_this_machine_may_ask(web: Web) -> None:
    web.metrics = MetricsPart(web.app.settings, web.store, Announcer())
    nobody = await web.client()
    assert (await nobody.get("/metrics")).status_code == 401
    viewer = await web.client(Role.VIEWER)
    answer = await viewer.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "rota_queue_jobs" in answer.text
    limited = await access.create_token(web.store, "some", Role.VIEWER, keys=["tenant-7"])
    some = await web.client(headers={"Authorization": f"Bearer {limited.secret}"})
    assert (await some.get("/metrics")).status_code == 403

    web.app.settings = change_settings(web.app.settings, {"metrics_open": True})
    assert (await (await web.client()).get("/metrics")).status_code == 200
    assert (await (await web.client(peer="10.1.2.3")).get("/metrics")).status_code == 401
    proxied = await web.client(headers={"X-Forwarded-For": "127.0.0.1"})
    assert (await proxied.get("/metrics")).status_code == 401


async def test_without_the_extra_the_page_names_it(web: Web) -> None:
    answer = await (await web.client(Role.VIEWER)).get("/metrics")
    assert answer.status_code == 501
    assert "pip install 'rota[prometheus]'" in answer.json()["detail"]


async def test_without_the_extra_a_port_is_refused(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "rota.telemetry.prometheus", None)
    with pytest.raises(MissingExtraError, match=r"rota\[prometheus\]"):
        make_metrics(Settings(metrics_port=9), web.store, Announcer(), served=False)
    assert make_metrics(Settings(), web.store, Announcer(), served=True) is None


async def test_a_taken_port_is_told(web: Web) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(metrics_port=taken.getsockname()[1])
        part = MetricsPart(settings, web.store, Announcer())
        with pytest.raises(ConfigurationError, match="cannot listen there"):
            await part.start()
        await part.stop()


def test_nobody_counts_where_nobody_can_read(tmp_path: Path) -> None:
    announcer = Announcer()
    store = Rota(f"sqlite:///{tmp_path}/rota.db").make_store()
    assert make_metrics(Settings(), store, announcer, served=False) is None
    assert not announcer.wanted(AttemptStarted)


async def test_the_documents_list_what_there_is() -> None:
    async def look() -> Snapshot:
        raise AssertionError

    collectors: Iterable[Any] = Metrics(look).registry._collector_to_names
    there = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for collector in collectors
        for family in collector.describe()
    }
    assert set(re.findall(r"^\| `(rota_\w+)`", DOC.read_text(), re.MULTILINE)) == there
