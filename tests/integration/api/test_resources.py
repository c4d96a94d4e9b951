"""The smaller resources: workers, tasks, stats, tokens, the audit log, health, events."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from rota import Retry, Secret
from rota.model.access import Role
from rota.model.ids import new_id
from rota.model.trail import BUCKETS, Tally, bucket_of
from rota.model.worker import TaskEntry, WorkerInfo
from rota.operations import access
from rota.operations.feed import EventFeed
from rota.settings import change_settings
from tests.integration.api.conftest import Web


@pytest.fixture
async def admin(web: Web) -> httpx.AsyncClient:
    return await web.client(Role.ADMIN)


def a_worker(**fields: Any) -> WorkerInfo:
    plain: dict[str, Any] = {
        "id": new_id(),
        "host": "here",
        "pid": 1,
        "version": "1",
        "queues": ("mail",),
        "tasks": (),
        "slots": {"async": 1},
    }
    return WorkerInfo(**plain | fields)


async def test_workers_are_listed_and_drained(web: Web, admin: httpx.AsyncClient) -> None:
    worker = a_worker()
    await web.store.workers.register(worker)

    (shown,) = (await admin.get("/api/v1/workers")).json()["workers"]
    assert (shown["id"], shown["host"], shown["draining"]) == (str(worker.id), "here", False)
    assert (await admin.post(f"/api/v1/workers/{worker.id}/drain")).json() == {"draining": True}
    assert (await admin.get("/api/v1/workers")).json()["workers"][0]["draining"] is True
    assert (await admin.post(f"/api/v1/workers/{uuid4()}/drain")).status_code == 404


async def test_tasks_are_listed_with_their_schemas(admin: httpx.AsyncClient) -> None:
    (task,) = (await admin.get("/api/v1/tasks")).json()["tasks"]

    assert (task["name"], task["queue"]) == ("send", "mail")
    assert task["arguments"]["$defs"]["Arguments"]["properties"]["to"] == {"type": "string"}


async def test_stats_are_counted_by_steps(web: Web, admin: httpx.AsyncClient) -> None:
    waits, durations = [0] * BUCKETS, [0] * BUCKETS
    waits[bucket_of(0.003)], durations[bucket_of(1.5)] = 4, 4
    tally = Tally(
        queue="mail",
        task="send",
        outcome="succeeded",
        count=4,
        wait=0.012,
        duration=6.0,
        waits=tuple(waits),
        durations=tuple(durations),
    )
    await web.store.trail.add_stats([tally])
    await web.store.trail.add_stats([tally])

    (point,) = (await admin.get("/api/v1/stats", params={"step": 3600})).json()["points"]
    assert (point["outcomes"], point["duration"]) == ({"succeeded": 8}, 1.5)
    assert point["wait"] == pytest.approx(0.003)
    assert (point["wait_p95"], point["duration_p50"]) == (0.004, 2.048)
    assert (await admin.get("/api/v1/stats", params={"task": "other"})).json() == {"points": []}
    for wrong in ({"step": 61}, {"since": "2026-01-01T00:00:00Z", "until": "2025-01-01T00:00:00Z"}):
        assert (await admin.get("/api/v1/stats", params=wrong)).status_code == 422, wrong


async def test_a_worker_counts_what_it_runs(web: Web, admin: httpx.AsyncClient) -> None:
    send = web.app.registry.get("send")
    assert send.name == "send"
    tries: list[int] = []

    @web.app.task(queue="mail", retry=Retry(2, delay=0))
    async def shaky() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError

    await shaky.enqueue_async()
    from rota.app.serving import serve

    work = asyncio.create_task(serve(web.app, ["worker"]))
    async with asyncio.timeout(20):
        while True:
            points = (await admin.get("/api/v1/stats")).json()["points"]
            outcomes = [(name, count) for one in points for name, count in one["outcomes"].items()]
            if ("retried", 1) in outcomes and len(tries) > 1:
                break
            await asyncio.sleep(0.05)  # counts come by themselves, and nobody tells
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def test_tokens_are_made_listed_and_revoked_at_once(admin: httpx.AsyncClient) -> None:
    new = {"name": "ci", "role": "viewer", "days": 1}
    made = (await admin.post("/api/v1/tokens", json=new)).json()
    assert (await admin.post("/api/v1/tokens", json=new)).status_code == 409
    headers = {"Authorization": f"Bearer {made['secret']}"}
    assert (await admin.get("/api/v1/jobs", headers=headers)).status_code == 200
    assert (await admin.get("/api/v1/tokens", headers=headers)).status_code == 403
    listed = (await admin.get("/api/v1/tokens")).json()["tokens"]
    assert [one["name"] for one in listed] == ["admin-0", "ci"]
    assert made["secret"] not in (await admin.get("/api/v1/tokens")).text

    assert (await admin.delete("/api/v1/tokens/ci")).status_code == 204
    assert (await admin.get("/api/v1/jobs", headers=headers)).status_code == 401
    assert (await admin.delete("/api/v1/tokens/ci")).status_code == 404


async def test_a_token_that_another_process_revokes_works_for_a_second_at_most(
    web: Web, admin: httpx.AsyncClient
) -> None:
    viewer = await web.client(Role.VIEWER)
    assert (await viewer.get("/api/v1/jobs")).status_code == 200
    assert (await admin.get("/api/v1/jobs")).status_code == 200
    await access.revoke_token(web.store, "viewer-1")

    async with asyncio.timeout(5):
        while (await viewer.get("/api/v1/jobs")).status_code == 200:
            continue


async def test_the_audit_log_has_pages(admin: httpx.AsyncClient) -> None:
    for _ in range(3):
        await admin.post("/api/v1/queues/mail/pause")
    page = (await admin.get("/api/v1/audit", params={"limit": 2})).json()
    rest = (await admin.get("/api/v1/audit", params={"limit": 2, "before": page["next"]})).json()

    assert [one["action"] for one in page["lines"] + rest["lines"]] == ["pause queue"] * 3
    assert rest["next"] is None


async def test_health_says_what_is_not_well(admin: httpx.AsyncClient) -> None:
    checkup = (await admin.get("/api/v1/health")).json()

    assert checkup["ok"] is True
    assert [one["name"] for one in checkup["checks"]] == ["store", "schema", "workers", "schedules"]
    assert "no worker is running" in checkup["checks"][2]["text"]


async def test_events_are_heard_by_all_and_had_again(web: Web) -> None:
    feed = EventFeed(web.store.trail, every=0.05)
    send = await web.client(Role.OPERATOR)
    body = {"task": "send", "arguments": {"to": "ada"}}

    async def make() -> str:
        job = str((await send.post("/api/v1/jobs", json=body)).json()["id"])
        await send.post(f"/api/v1/jobs/{job}/cancel")
        await send.post(f"/api/v1/jobs/{job}/retry")
        return job

    async def hear(after: int | None, wanted: int) -> list[tuple[int, str]]:
        heard: list[tuple[int, str]] = []
        async for one in feed.listen(after, quiet=5):
            if one is not None:
                heard.append((one.place, str(one.event.job)))
            if len(heard) >= wanted:
                break
        return heard

    first = await make()
    async with asyncio.timeout(20):
        past = await hear(0, 1)
        assert past[0][1] == first
        listeners = [asyncio.create_task(hear(past[-1][0], 1)) for _ in range(50)]
        second = await make()
        heard = await asyncio.gather(*listeners)
    assert {job for one in heard for _, job in one} <= {first, second}
    assert len({tuple(one) for one in heard}) == 1


class TestSecrets:
    """A secret comes in clear, travels encrypted and is shown to nobody."""

    @pytest.fixture(autouse=True)
    def task(self, web: Web) -> None:
        from cryptography.fernet import Fernet

        web.app.settings = change_settings(web.app.settings, {"keys": Fernet.generate_key().decode()})
        web.app.registry.keyring = type(web.app.registry.keyring)([web.app.settings.keys])

        @web.app.task
        async def log_in(name: str, password: Secret[str]) -> None:
            """Take a secret."""

    async def test_it_is_redacted(self, web: Web, admin: httpx.AsyncClient) -> None:
        arguments = {"name": "ada", "password": "hunter2"}
        answer = await admin.post("/api/v1/jobs", json={"task": "log_in", "arguments": arguments})
        job = answer.json()["id"]

        record = (await web.store.insight.jobs(_any(), limit=1))[0]
        assert b"hunter2" not in record.payload
        assert web.app.registry.get("log_in").decode(record.payload, {})[0][1].reveal() == "hunter2"
        shown = await admin.get(f"/api/v1/jobs/{job}")
        assert shown.json()["arguments"] == {"name": "ada", "password": "***"}
        refused = await admin.post(
            "/api/v1/jobs", json={"task": "log_in", "arguments": {"password": "hunter2"}}
        )
        assert (refused.status_code, "hunter2" in refused.text) == (422, False)


SCHEMA = {
    "$ref": "#/$defs/A",
    "$defs": {
        "A": {
            "type": "object",
            "properties": {"to": {"type": "string"}},
            "required": ["to"],
            "additionalProperties": False,
        }
    },
}


class TestWithoutApp:
    """An API process that was given no app checks arguments by the catalogue."""

    @pytest.fixture(autouse=True)
    async def catalogue(self, web: Web) -> None:
        web.app.registry.tasks.clear()
        secret = {"type": "object", "properties": {"p": {"type": "string", "writeOnly": True}}}
        tasks = [
            TaskEntry(name=name, kind="function", executor="thread", queue="far", schema=schema)
            for name, schema in (("distant", SCHEMA), ("safe", secret))
        ]
        await web.store.workers.register(a_worker(tasks=tuple(tasks)))

    async def test_it_submits_what_fits(self, web: Web, admin: httpx.AsyncClient) -> None:
        answer = await admin.post("/api/v1/jobs", json={"task": "distant", "arguments": {"to": "a"}})
        assert answer.status_code == 201, answer.text
        (record,) = await web.store.insight.jobs(_any(), limit=2)
        assert (record.queue, record.executor, record.payload) == ("far", "thread", b'{"to":"a"}')

    @pytest.mark.parametrize(
        ("task", "arguments"),
        [
            ("distant", {"to": 1}),
            ("distant", {}),
            ("distant", {"to": "", "x": 1}),
            ("gone", {}),
            ("safe", {"p": ""}),
        ],
    )
    async def test_it_refuses_the_rest(
        self, admin: httpx.AsyncClient, task: str, arguments: dict[str, Any]
    ) -> None:
        answer = await admin.post("/api/v1/jobs", json={"task": task, "arguments": arguments})
        assert answer.status_code == 422, answer.text


def _any() -> Any:
    from rota.model.job import JobFilter

    return JobFilter(since=None)
