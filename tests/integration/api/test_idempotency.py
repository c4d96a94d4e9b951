"""`Idempotency-Key`: what is sent again is done once, and answered as the first time."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from rota.model.access import Role
from rota.model.errors import StoreUnavailableError
from tests.integration.api.conftest import Web

JOBS = "/api/v1/jobs"
BODY = {"task": "send", "arguments": {"to": "ada"}}
KEY = {"Idempotency-Key": "order-4711"}


@pytest.fixture
async def operator(web: Web) -> httpx.AsyncClient:
    return await web.client(Role.OPERATOR)


async def listed(client: httpx.AsyncClient) -> list[str]:
    return [one["id"] for one in (await client.get(JOBS)).json()["jobs"]]


async def test_the_same_request_is_answered_as_the_first(operator: httpx.AsyncClient) -> None:
    first = await operator.post(JOBS, json=BODY, headers=KEY)
    again = await operator.post(JOBS, json=BODY, headers=KEY)

    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert (first.status_code, first.json()["created"]) == (201, True)
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
    assert await listed(operator) == [first.json()["id"]]


async def test_another_process_and_a_restart_know_it(web: Web, operator: httpx.AsyncClient) -> None:
    first = await operator.post(JOBS, json=BODY, headers=KEY)
    authorization = {"Authorization": operator.headers["Authorization"]}
    other = await web.client(headers=authorization)

    assert (await other.post(JOBS, json=BODY, headers=KEY)).json() == first.json()


async def test_another_body_is_refused(operator: httpx.AsyncClient) -> None:
    await operator.post(JOBS, json=BODY, headers=KEY)
    answer = await operator.post(JOBS, json=BODY | {"arguments": {"to": "bob"}}, headers=KEY)

    assert (answer.status_code, "take a new key" in answer.json()["detail"]) == (422, True)
    assert len(await listed(operator)) == 1


async def test_somebody_else_has_keys_of_their_own(web: Web, operator: httpx.AsyncClient) -> None:
    other = await web.client(Role.OPERATOR)
    first = await operator.post(JOBS, json=BODY, headers=KEY)
    second = await other.post(JOBS, json=BODY, headers=KEY)

    assert first.json()["id"] != second.json()["id"]


async def test_while_it_is_answered_the_next_one_waits(
    web: Web, operator: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, go = asyncio.Event(), asyncio.Event()
    submit = web.store.jobs.submit

    async def slow(*args: Any, **options: Any) -> Any:
        entered.set()
        await go.wait()
        return await submit(*args, **options)

    monkeypatch.setattr(web.store.jobs, "submit", slow)
    first = asyncio.create_task(operator.post(JOBS, json=BODY, headers=KEY))
    await entered.wait()
    second = await operator.post(JOBS, json=BODY, headers=KEY)
    go.set()

    assert (second.status_code, second.headers["retry-after"]) == (409, "1")
    assert (await first).status_code == 201
    assert len(await listed(operator)) == 1


@pytest.mark.parametrize("path", ["", "/batch"])
async def test_a_process_that_dies_after_the_submit_leaves_one_job(
    web: Web, operator: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """The jobs are stored, and nobody was told: the next one with the key finds them."""
    submit, finish = web.store.jobs.submit, web.store.requests.finish

    async def dies(*args: Any, **options: Any) -> Any:
        await submit(*args, **options)
        raise StoreUnavailableError("the process is gone")

    async def unheard(*_: Any) -> None:
        """A dead process gives nothing back."""

    body = BODY if not path else {"jobs": [BODY, BODY, BODY]}
    monkeypatch.setattr("rota.api.idempotency.LEASE", timedelta(0))
    monkeypatch.setattr(web.store.jobs, "submit", dies)
    monkeypatch.setattr(web.store.requests, "finish", unheard)
    assert (await operator.post(JOBS + path, json=body, headers=KEY)).status_code == 503
    stored = await listed(operator)
    monkeypatch.setattr(web.store.jobs, "submit", submit)
    monkeypatch.setattr(web.store.requests, "finish", finish)

    answer = await operator.post(JOBS + path, json=body, headers=KEY)

    told = answer.json()["jobs"] if path else [answer.json()]
    assert answer.status_code == 201
    assert [one["created"] for one in told] == [True] * len(stored)
    assert [one["id"] for one in told][::-1] == stored == await listed(operator)


async def test_what_was_refused_was_not_done(operator: httpx.AsyncClient) -> None:
    bad = BODY | {"task": "sned"}

    assert (await operator.post(JOBS, json=bad, headers=KEY)).status_code == 422
    assert (await operator.post(JOBS, json=bad, headers=KEY)).status_code == 422
    assert await listed(operator) == []


@pytest.mark.parametrize("key", ["", "x" * 201, "with space"])
async def test_what_is_no_key_is_refused(operator: httpx.AsyncClient, key: str) -> None:
    answer = await operator.post(JOBS, json=BODY, headers={"Idempotency-Key": key})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "header.Idempotency-Key")
    assert await listed(operator) == []
