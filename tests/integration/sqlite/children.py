"""What other processes do in these tests: `python -m tests.integration.sqlite.children VERB PATH …`.

A child says `ready`, waits for a line, does its work, and prints one line of JSON.
"""

import asyncio
import json
import multiprocessing
import sqlite3
import sys
import time
from contextlib import closing
from datetime import timedelta
from typing import Any

from rota.model.errors import StoreUnavailableError
from rota.model.ids import new_id
from rota.model.job import ClaimRequest, Submission
from rota.model.outcome import Settlement, Succeeded
from rota.stores.sqlite import SqliteStore

BATCH = 20


def a_job() -> Submission:
    return Submission(task="work", payload=b"{}")


async def drain(path: str) -> list[str]:
    """Claim and settle all that is there; returns the ids that were settled."""
    store = SqliteStore(path)
    await store.open()
    await ready()
    request = ClaimRequest(
        owner=new_id(), queues=("default",), limits={"async": BATCH}, lease=timedelta(seconds=30)
    )
    done: list[str] = []
    jobs = await store.jobs.claim(request)
    while jobs:
        settlements = [Settlement(job.id, job.token, Succeeded()) for job in jobs]
        settled, claimed = await asyncio.gather(store.jobs.settle(settlements), store.jobs.claim(request))
        assert not settled.refused
        done += [str(job.id) for job in jobs]
        jobs = claimed
    await store.close()
    return done


async def open_new(path: str) -> str:
    """Open a store that is not there yet, at the same time as others; returns its id."""
    await ready()
    store = SqliteStore(path)
    await store.open()
    store_id = (await store.schema()).store_id
    await store.jobs.submit([a_job()])
    await store.close()
    return store_id


async def submit(path: str) -> float:
    """Submit a job; returns the moment just after its commit, on the clock that all processes share."""
    store = SqliteStore(path)
    await store.open()
    await ready()
    await store.jobs.submit([a_job()])
    moment = time.monotonic()
    await store.close()
    return moment


async def submit_early(path: str) -> float:
    """Submit in a transaction of one's own that commits some milliseconds later."""
    store = SqliteStore(path)
    await store.open()
    await ready()
    with closing(sqlite3.connect(path)) as connection:
        store.submit_on(connection, [a_job()])
        await asyncio.sleep(0.005)  # the commit is to come clearly after the notice
        connection.commit()
        moment = time.monotonic()
    await store.close()
    return moment


async def fork(path: str) -> dict[str, Any]:
    """Fork with an open store: parent and child both go on, each with connections of its own."""
    store = SqliteStore(path)
    await store.open()
    await store.jobs.submit([a_job()])
    store.submit_now([a_job()])
    await ready()
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    child = context.Process(target=in_child, args=(store, answers))
    child.start()
    store.submit_now([a_job()])
    await store.jobs.submit([a_job()])
    answer = await asyncio.to_thread(answers.get)
    child.join()
    count = sum(one.count for one in await store.insight.counts())
    await store.close()
    return {"child": answer, "exit": child.exitcode, "count": count}


def in_child(store: SqliteStore, answers: Any) -> None:
    """Use an inherited store: at once by submit_now, asynchronously only after a new open."""
    store.submit_now([a_job()])
    answers.put(asyncio.run(use_inherited(store)))


async def use_inherited(store: SqliteStore) -> str:
    try:
        await store.jobs.submit([a_job()])
    except StoreUnavailableError as error:
        refusal = str(error)
    else:
        refusal = ""
    await store.open()
    await store.jobs.submit([a_job()])
    await store.close()
    return refusal


async def ready() -> None:
    """Tell the test, and wait for its word."""
    print("ready", flush=True)  # noqa: T201 - this is how it tells
    await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    verbs = {verb.__name__: verb for verb in (drain, open_new, submit, submit_early, fork)}
    print(json.dumps(asyncio.run(verbs[sys.argv[1]](sys.argv[2]))), flush=True)  # noqa: T201 - the answer
