"""Looking at what was enqueued."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from rota.app.rota import Rota
from rota.model.states import State
from rota.testing import FakeClock, drain, enqueued, enqueued_async, isolated
from rota.testing import recording as module


@pytest.fixture
def app() -> Rota:
    return Rota("sqlite:////nowhere/rota.db")


@pytest.fixture(autouse=True)
def clock(app: Rota) -> Iterator[FakeClock]:
    with isolated(app) as clock:
        yield clock


def test_jobs_come_in_the_order_of_their_submits_with_all_that_is_known(app: Rota, clock: FakeClock) -> None:
    @app.task(queue="mail")
    def send(to: str, when: datetime | None = None) -> None: ...

    first = send.enqueue("ada")
    second = send.options(rank=-1, key="tenant", tags={"kind": "news"}, unique="bob").enqueue(
        "bob", when=datetime(2026, 2, 1, tzinfo=UTC)
    )

    one, other = enqueued(app)

    assert (one.job, one.arguments) == (first, {"to": "ada"})
    assert (other.job, other.arguments) == (second, {"to": "bob", "when": datetime(2026, 2, 1, tzinfo=UTC)})
    assert (other.record.task, other.record.queue, other.record.rank) == ("send", "mail", -1)
    assert (other.record.unique_key, other.record.state) == ("send:bob", State.READY)
    assert other.record.submitted_at == clock.now()


def test_it_is_narrowed(app: Rota) -> None:
    @app.task
    def send(to: str, copies: int = 1) -> None: ...

    @app.task
    def other() -> None: ...

    send.options(queue="mail", tags={"kind": "news", "lang": "en"}).enqueue("ada", copies=2)
    send.options(key="tenant").enqueue("bob")
    send.options(delay=timedelta(hours=1)).enqueue("cleo")
    other.enqueue()

    def to(**filters: object) -> list[str]:
        return [job.arguments["to"] for job in enqueued(send, **filters)]  # type: ignore[arg-type]  # as given

    assert to() == ["ada", "bob", "cleo"]
    assert to(arguments={"to": "bob"}) == ["bob"]
    assert to(arguments={"copies": 2, "to": "ada"}) == ["ada"]
    assert to(arguments={"to": "bob", "copies": 2}) == []
    assert to(queue="mail") == ["ada"]
    assert to(key="tenant") == ["bob"]
    assert to(tags={"lang": "en"}) == ["ada"]
    assert to(tags={"lang": "en", "kind": "old"}) == []
    assert to(states=["scheduled"]) == ["cleo"]
    assert to(states=[State.READY, "scheduled"], queue="default") == ["bob", "cleo"]
    assert len(enqueued(app)) == 4


def test_finished_jobs_are_still_there(app: Rota) -> None:
    @app.task
    def work() -> None: ...

    work.enqueue()
    drain(app)
    work.enqueue()

    assert [job.record.state for job in enqueued(work)] == [State.SUCCEEDED, State.READY]
    assert len(enqueued(work, states=["ready"])) == 1


def test_arguments_of_every_kind_are_named(app: Rota) -> None:
    class Client: ...

    @app.resource
    def client() -> Client:
        return Client()

    @app.task
    def work(client: Client, first: int, /, *rest: int, word: str = "", **more: int) -> None: ...

    work.options().enqueue(1, 2, 3, word="w", deep=4)  # type: ignore[arg-type]  # the client is filled in

    assert [job.arguments for job in enqueued(work)] == [
        {"first": 1, "rest": [2, 3], "word": "w", "more": {"deep": 4}}
    ]


def test_arguments_of_an_unknown_task_are_as_stored(app: Rota) -> None:
    other = Rota(settings=app.settings)

    @other.task
    def strange(when: datetime) -> None: ...

    app.submit([strange.submission((datetime(2026, 1, 1, tzinfo=UTC),), {})])

    assert [job.arguments for job in enqueued(app)] == [{"when": "2026-01-01T00:00:00Z"}]


def test_there_may_be_many(app: Rota, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAGE", 10)

    @app.task
    def work(number: int) -> None: ...

    work.enqueue_many([(number,) for number in range(30)])

    assert [job.arguments["number"] for job in enqueued(work)] == list(range(30))


async def test_it_has_a_twin(app: Rota) -> None:
    @app.task
    async def work(number: int) -> None: ...

    job = await work.enqueue_async(1)

    assert [one.job for one in await enqueued_async(work, arguments={"number": 1})] == [job]
    assert await enqueued_async(app, states=["failed"]) == []
