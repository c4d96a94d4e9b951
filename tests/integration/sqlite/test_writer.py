"""The writer: one commit for all that waits, and one failure for one."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rota.model.errors import StoreUnavailableError, SubmitUncertainError
from rota.model.events import Notice
from rota.model.ids import new_id
from rota.model.job import ClaimRequest, JobFilter, Submission
from rota.model.outcome import Settlement, Succeeded
from rota.ports.insight import StateCount
from rota.stores.sqlite import SqliteStore
from rota.stores.sqlite.transaction import Transaction
from rota.testing.conformance.scene import LEASE, a_job


class Gate:
    """Holds the writer at work until it is opened, so that what is issued meanwhile waits together."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self, _: Transaction) -> None:
        self.reached.set()
        assert self.opened.wait(30)


class Spy:
    """A connection that counts its commits, and may fail at one."""

    def __init__(self, connection: sqlite3.Connection, *, fail: bool = False) -> None:
        self._connection = connection
        self._fail = fail
        self.commits = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, sql: str, *params: Any) -> sqlite3.Cursor:
        if sql == "commit":
            self.commits += 1
            if self._fail:
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
                raise error
        return self._connection.execute(sql, *params)


async def spy_on(store: SqliteStore, *, fail: bool = False) -> Spy:
    """Put a spy between the writer and its connection."""
    await store.jobs.promote(1)
    writer = store._writer
    assert writer._kept.connection is not None
    spy = Spy(writer._kept.connection, fail=fail)
    writer._kept.connection = spy  # type: ignore[assignment]  # as good as one, for the writer
    return spy


async def issue_together(store: SqliteStore, *operations: Any) -> list[Any]:
    """Await operations that were all issued while the writer was busy; returns answers and errors."""
    gate = Gate()
    holding = asyncio.ensure_future(store._writer.run(gate))
    await asyncio.to_thread(gate.reached.wait)
    issued = [asyncio.ensure_future(operation) for operation in operations]
    await asyncio.sleep(0)
    assert store._writer._waiting.qsize() == len(issued)
    gate.opened.set()
    await holding
    return await asyncio.gather(*issued, return_exceptions=True)


def claim_request(limit: int = 100) -> ClaimRequest:
    return ClaimRequest(owner=new_id(), queues=("default",), limits={"async": limit}, lease=LEASE)


async def ids_in(store: SqliteStore) -> set[object]:
    return {job.id for job in await store.insight.jobs(JobFilter(), limit=1_000)}


class TestGroupCommit:
    async def test_what_is_issued_together_is_one_commit(self, store: SqliteStore) -> None:
        spy = await spy_on(store)
        answers = await issue_together(store, *(store.jobs.submit([a_job()]) for _ in range(50)))
        assert all(submitted.created for (submitted,) in answers)
        assert spy.commits == 2  # the gate's own, and one for all
        assert (await store.insight.counts())[0].count == 50

    async def test_settle_and_the_next_claim_are_one_commit(self, store: SqliteStore) -> None:
        await store.jobs.submit([a_job() for _ in range(20)])
        first = await store.jobs.claim(claim_request(10))
        settlements = [Settlement(job.id, job.token, Succeeded()) for job in first]
        spy = await spy_on(store)
        settled, second = await issue_together(
            store, store.jobs.settle(settlements), store.jobs.claim(claim_request(10))
        )
        assert spy.commits == 2
        assert settled.refused == frozenset()
        assert len(second) == 10

    async def test_operations_happen_in_the_order_of_their_issue(self, store: SqliteStore) -> None:
        submissions = [a_job() for _ in range(20)]
        *_, claimed = await issue_together(
            store, *(store.jobs.submit([one]) for one in submissions), store.jobs.claim(claim_request())
        )
        assert [job.id for job in claimed] == [one.id for one in submissions]


class TestFailures:
    async def test_one_that_fails_takes_nobody_along(self, store: SqliteStore) -> None:
        good, bad = [a_job() for _ in range(4)], [a_job(), a_job(rank=2**64)]
        answers = await issue_together(
            store,
            store.jobs.submit(good[:2]),
            store.jobs.submit(bad),
            store.jobs.submit(good[2:]),
        )
        assert isinstance(answers[1], OverflowError)
        assert not isinstance(answers[0], BaseException)
        assert not isinstance(answers[2], BaseException)
        assert await ids_in(store) == {one.id for one in good}

    async def test_an_error_of_sqlite_belongs_to_one_too(self, store: SqliteStore) -> None:
        good, bad = a_job(), a_job()
        bad.queue = None  # type: ignore[assignment]  # what a fault in Rota could look like
        first, second = await issue_together(store, store.jobs.submit([bad]), store.jobs.submit([good]))
        assert isinstance(first, sqlite3.IntegrityError)
        assert second[0].created
        assert await ids_in(store) == {good.id}

    async def test_a_notice_of_what_failed_is_not_sent(self, store: SqliteStore) -> None:
        heard: list[Notice] = []
        await store.wakeup.start(heard.append)

        def fails(transaction: Transaction) -> None:
            transaction.notices.append(None)  # type: ignore[arg-type]  # nobody may ever see it
            raise KeyError

        with pytest.raises(KeyError):
            await store._writer.run(fails)
        await store.insight.now()
        assert heard == []

    async def test_who_is_cancelled_disturbs_nobody(self, store: SqliteStore) -> None:
        gate = Gate()
        holding = asyncio.ensure_future(store._writer.run(gate))
        await asyncio.to_thread(gate.reached.wait)
        waiting = asyncio.ensure_future(store.jobs.submit([a_job()]))
        other = asyncio.ensure_future(store.jobs.submit([a_job()]))
        await asyncio.sleep(0)
        waiting.cancel()
        gate.opened.set()
        await holding
        assert (await other)[0].created
        with pytest.raises(asyncio.CancelledError):
            await waiting

    async def test_a_commit_that_fails_leaves_a_submit_uncertain(self, store: SqliteStore) -> None:
        submission = a_job()
        await spy_on(store, fail=True)
        with pytest.raises(SubmitUncertainError, match="resend") as caught:
            await store.jobs.submit([submission])
        assert caught.value.submissions == (submission,)
        (again,) = await store.jobs.submit(caught.value.submissions, resend=True)
        assert (again.id, again.created) == (submission.id, True)

    async def test_a_commit_that_fails_is_unavailable_for_other_verbs(self, store: SqliteStore) -> None:
        await spy_on(store, fail=True)
        with pytest.raises(StoreUnavailableError, match="disk") as caught:
            await store.jobs.promote(1)
        assert not isinstance(caught.value, SubmitUncertainError)

    async def test_a_synchronous_submit_is_uncertain_too(self, store: SqliteStore) -> None:
        store.submit_now([a_job()])
        synchronous = store._synchronous
        assert synchronous._kept.connection is not None
        synchronous._kept.connection = Spy(synchronous._kept.connection, fail=True)  # type: ignore[assignment]  # as above
        submission = a_job()
        with pytest.raises(SubmitUncertainError):
            store.submit_now([submission])
        assert store.submit_now([submission], resend=True)[0].created

    async def test_a_full_disk_is_told_with_its_remedy_and_passes(self, store: SqliteStore) -> None:
        await store.jobs.promote(1)
        connection = store._writer._kept.connection
        assert connection is not None
        (pages,) = connection.execute("pragma page_count").fetchone()
        connection.execute(f"pragma max_page_count = {pages}")
        big = Submission(task="work", payload=b"x" * 1_000_000)
        with pytest.raises(StoreUnavailableError, match="Free some space"):
            await store.jobs.submit([big])
        assert await store.insight.counts() == []
        if store._writer._kept.connection is not None:
            store._writer._kept.connection.execute("pragma max_page_count = 1000000")
        assert (await store.jobs.submit([big]))[0].created


class TestLock:
    async def test_a_lock_held_for_long_is_told(self, path: Path) -> None:
        store = SqliteStore(path, patience=0.05)
        await store.open()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("begin immediate")
            with pytest.raises(StoreUnavailableError, match="long transaction"):
                await store.jobs.submit([a_job()])
            with pytest.raises(StoreUnavailableError, match="long transaction"):
                store.submit_now([a_job()])
            assert await store.insight.counts() == []
            other.execute("rollback")
        assert (await store.jobs.submit([a_job()]))[0].created
        assert store.submit_now([a_job()])[0].created
        await store.close()

    async def test_a_lock_held_shortly_is_waited_for(self, store: SqliteStore, path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("begin immediate")
            waiting = asyncio.ensure_future(store.jobs.submit([a_job()]))
            await store.insight.now()
            assert not waiting.done()
            other.execute("commit")
            assert (await waiting)[0].created

    async def test_questions_do_not_wait_for_the_writer(self, store: SqliteStore) -> None:
        await store.jobs.submit([a_job()])
        gate = Gate()
        holding = asyncio.ensure_future(store._writer.run(gate))
        await asyncio.to_thread(gate.reached.wait)
        assert [one.count for one in await store.insight.counts()] == [1]
        gate.opened.set()
        await holding

    async def test_threads_submit_beside_the_writer(self, store: SqliteStore) -> None:
        def submit() -> None:
            for _ in range(20):
                store.submit_now([a_job()])

        async def submit_async() -> None:
            for _ in range(20):
                await store.jobs.submit([a_job()])

        await asyncio.gather(*(asyncio.to_thread(submit) for _ in range(4)), submit_async())
        assert await store.insight.counts() == [
            StateCount("default", "work", (await store.insight.counts())[0].state, 100)
        ]


class TestLife:
    async def test_before_open_and_after_close_it_says_so(self, path: Path) -> None:
        store = SqliteStore(path)
        with pytest.raises(StoreUnavailableError, match="open"):
            await store.jobs.submit([a_job()])
        await store.open()
        await store.close()
        with pytest.raises(StoreUnavailableError, match="open"):
            await store.insight.counts()

    async def test_it_opens_again(self, path: Path) -> None:
        store = SqliteStore(path)
        for number in range(3):
            await store.open()
            await store.jobs.submit([a_job()])
            assert len(await ids_in(store)) == number + 1
            await store.close()

    async def test_close_answers_what_waits(self, path: Path) -> None:
        store = SqliteStore(path)
        await store.open()
        waiting = [asyncio.ensure_future(store.jobs.submit([a_job()])) for _ in range(10)]
        await asyncio.sleep(0)
        await store.close()
        assert all(one.created for (one,) in await asyncio.gather(*waiting))

    def test_it_serves_one_event_loop_after_another(self, path: Path) -> None:
        store = SqliteStore(path)

        async def use() -> int:
            await store.open()
            await store.jobs.submit([a_job()])
            return len(await ids_in(store))

        assert [asyncio.run(use()) for _ in range(2)] == [1, 2]
        asyncio.run(store.close())

    def test_a_script_submits_without_opening(self, path: Path) -> None:
        store = SqliteStore(path)
        assert store.submit_now([a_job()])[0].created
        asyncio.run(store.close())

    async def test_a_private_store_leaves_nothing(self) -> None:
        store = SqliteStore("sqlite://")
        await store.open()
        path = store._location.path
        await store.jobs.submit([a_job()])
        assert path.exists()
        await store.close()
        assert not path.parent.exists()
