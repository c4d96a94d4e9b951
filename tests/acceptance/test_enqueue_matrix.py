"""Enqueue in a transaction, the matrix: kinds of connections × what they stand (docs/transactions.md)."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from rota import Rota
from rota.model.errors import WrongConnectionError
from rota.settings import load_settings
from rota.testing import enqueued
from tests.acceptance.connections import KINDS, Kind
from tests.servers.postgres import PostgresServer

ORDERS = "create table orders (number integer)"
ORDER = "insert into orders values (1)"
COUNT = "select count(*) from orders"


class Shop(NamedTuple):
    """An app whose store has a table of the user's beside it."""

    app: Rota
    work: Any
    url: str

    def seen(self) -> tuple[int, int]:
        """Return how many orders and jobs everyone can see."""
        return self.orders(), len(enqueued(self.app))

    def orders(self) -> int:
        row: Any = None
        if self.url.startswith("sqlite"):
            with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"))) as lite:
                row = lite.execute(COUNT).fetchone()
        else:
            with psycopg.connect(self.url) as connection:
                row = connection.execute(COUNT).fetchone()
        number: int = row[0]
        return number

    def run(self, sql: str) -> None:
        """Run a statement of somebody else's."""
        if self.url.startswith("sqlite"):
            with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"), isolation_level=None)) as lite:
                lite.execute(sql)
        else:
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute(sql.encode())


def open_shop(url: str) -> Shop:
    app = Rota(settings=load_settings({"url": url}, environment={}, folder=Path("/nowhere")))

    @app.task
    def work(number: int) -> int:
        return number

    app.connection.store()
    shop = Shop(app, work, url)
    shop.run(ORDERS)
    return shop


@pytest.fixture(scope="module")
def shops(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Shop]]:
    """Both stores, for all cells one after another."""
    folder = tmp_path_factory.mktemp("matrix")
    both = {
        "PostgreSQL": open_shop(postgres_server.create_database()),
        "SQLite": open_shop(f"sqlite:///{folder}/rota.db"),
    }
    yield both
    for shop in both.values():
        shop.app.close()


@pytest.fixture
def shop(shops: dict[str, Shop], kind: Kind) -> Shop:
    """The store of a kind, emptied."""
    shop = shops[kind.store]
    schema = "" if kind.store == "SQLite" else "rota."
    for table in ("orders", f"{schema}jobs"):
        shop.run(f"delete from {table}")  # noqa: S608 - names of these tests
    return shop


def commit(kind: Kind, shop: Shop) -> None:
    with kind.open(shop.url) as link:
        link.begin()
        link.execute(ORDER)
        assert link.enqueue(shop.work, 1, tags={"a": "%"}).created
        assert len(link.enqueue_many(shop.work, [(2,), (3,)])) == 2
        assert shop.seen() == (0, 0), "nobody sees it before the commit"
        link.end("commit")
    assert shop.seen() == (1, 3)


def rollback(kind: Kind, shop: Shop) -> None:
    with kind.open(shop.url) as link:
        link.begin()
        link.enqueue(shop.work, 1)  # the job may come first
        link.execute(ORDER)
        link.end("rollback")
        assert shop.seen() == (0, 0)
        link.begin()
        link.enqueue(shop.work, 2)
        link.end("commit")
    assert shop.seen() == (0, 1)


def savepoint(kind: Kind, shop: Shop) -> None:
    with kind.open(shop.url) as link:
        link.begin()
        link.execute(ORDER)
        kept = link.enqueue(shop.work, 1, unique="ada")
        link.execute("savepoint mine")
        link.enqueue(shop.work, 2)
        link.execute("rollback to savepoint mine")
        assert link.enqueue(shop.work, 3, unique="ada") == kept
        link.enqueue(shop.work, 4)
        link.end("commit")
    assert shop.seen() == (1, 2)


def retry(kind: Kind, shop: Shop) -> None:
    """Somebody else changes what this transaction has read: it fails, and is run again, as users do."""
    shop.run(ORDER)
    lite = kind.store == "SQLite"
    with kind.open(shop.url) as link:

        def transact(meanwhile: str) -> None:
            link.begin()
            if not lite:
                link.execute("set transaction isolation level serializable")
            elif not link.state()["in_transaction"]:
                link.execute("begin")
            link.execute(COUNT)
            shop.run(meanwhile)
            link.enqueue(shop.work, 1, unique="once")
            link.execute("update orders set number = 3")
            link.end("commit")

        with pytest.raises(Exception, match=r"could not serialize|locked"):
            transact(ORDER if lite else "update orders set number = 2")
        link.end("rollback")
        assert enqueued(shop.app) == []
        transact("select 1")
    assert len(enqueued(shop.app)) == 1


def wrong(kind: Kind, shop: Shop, elsewhere: str) -> None:
    with kind.open(elsewhere) as link:
        link.begin()
        link.execute(ORDER)
        for _ in range(2):
            with pytest.raises(WrongConnectionError, match=r"another database|is to"):
                link.enqueue(shop.work, 1)
        link.execute(ORDER)
        link.end("commit")
        assert link.execute(COUNT) == [2], "its transaction is unharmed"
    assert shop.seen() == (0, 0)


SETTINGS = """
select
    string_agg(concat(name, '=', setting), ' ' order by name),
    (select count(*) from pg_listening_channels()),
    (select count(*) from pg_cursors where not is_holdable and name <> '')
from pg_settings
where name in (
    'search_path', 'statement_timeout', 'lock_timeout', 'TimeZone', 'transaction_isolation',
    'transaction_read_only', 'enable_seqscan', 'plan_cache_mode', 'application_name'
)
"""
PREPARED = "select count(*) from pg_prepared_statements where statement ilike '%\"rota\"%'"


def untouched(kind: Kind, shop: Shop) -> None:
    with kind.open(shop.url) as link:
        link.begin()
        if kind.store == "PostgreSQL":
            link.execute("set local search_path = pg_catalog")
            link.execute("set local statement_timeout = '7s'")
            link.execute("set local timezone = 'Europe/Amsterdam'")
        link.execute("select 1")
        if kind.store == "SQLite":
            link.execute(ORDER)  # whoever has not begun would be in a transaction after any insert
        before = link.state()
        settings = link.execute(SETTINGS) if kind.store == "PostgreSQL" else []
        for number in range(12):
            link.enqueue(shop.work, number)
        assert link.state() == before
        if kind.store == "PostgreSQL":
            assert link.execute(SETTINGS) == settings
            (prepared,) = link.execute(PREPARED)
            assert prepared <= (0 if "never" in kind.name else 4), "one for each statement at most"
        link.end("commit")
    assert len(enqueued(shop.app)) == 12


def failed(kind: Kind, shop: Shop) -> None:
    """The transaction has failed already: so does the enqueue, and a rollback mends it."""
    with kind.open(shop.url) as link:
        link.begin()
        with suppress(Exception):
            link.execute("select nothing from nowhere")
        with pytest.raises(Exception, match=r"aborted|rollback"):
            link.enqueue(shop.work, 1)
        link.end("rollback")
        link.begin()
        link.enqueue(shop.work, 2)
        link.end("commit")
    assert shop.seen() == (0, 1)


def read_only(kind: Kind, shop: Shop) -> None:
    with kind.open(shop.url) as link:
        link.begin()
        link.execute("set transaction read only")
        with pytest.raises(Exception, match="read-only"):
            link.enqueue(shop.work, 1)
        link.end("rollback")
        assert link.execute("select 1") == [1]
    assert shop.seen() == (0, 0)


BOTH = {
    "commit": commit,
    "rollback": rollback,
    "savepoint": savepoint,
    "retry": retry,
    "left as it came": untouched,
}
POSTGRES = {"failed": failed, "read-only": read_only}
CELLS = [
    pytest.param(kind, check, id=f"{kind}-{name}")
    for kind, (name, check) in product(KINDS, (BOTH | POSTGRES).items())
    if kind.store == "PostgreSQL" or name in BOTH
]


@pytest.mark.parametrize(("kind", "check"), CELLS)
def test_a_cell(kind: Kind, check: Any, shop: Shop) -> None:
    check(kind, shop)


@pytest.fixture(scope="module")
def elsewheres(
    postgres_server: PostgresServer, shops: dict[str, Shop], tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], str]:
    """Databases that are not the app's: bare, and with a Rota of their own."""
    assert shops
    folder = tmp_path_factory.mktemp("elsewhere")
    bare = {
        "PostgreSQL": postgres_server.create_database(),
        "SQLite": f"sqlite:///{folder}/bare.db",
    }
    with_rota = {
        "PostgreSQL": postgres_server.create_database(),
        "SQLite": f"sqlite:///{folder}/other.db",
    }
    for url in bare.values():
        Shop(shops["SQLite"].app, None, url).run(ORDERS)
    for url in with_rota.values():
        open_shop(url).app.close()
    return {("bare", store): url for store, url in bare.items()} | {
        ("other", store): url for store, url in with_rota.items()
    }


@pytest.mark.parametrize("which", ["bare", "other"])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_wrong_database_is_refused(
    kind: Kind, which: str, shop: Shop, elsewheres: dict[tuple[str, str], str]
) -> None:
    elsewhere = elsewheres[which, kind.store]
    Shop(shop.app, None, elsewhere).run("delete from orders")
    wrong(kind, shop, elsewhere)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.store == "PostgreSQL"], ids=str)
def test_the_notice_comes_with_the_commit(kind: Kind, shop: Shop) -> None:
    """An idle worker listens: a rollback wakes nobody."""
    idle = (
        "insert into rota.workers (id, host, pid, version, queues, tasks, slots, sandboxes, idle, "
        "started_at, beat_at, lease_until) "
        "select gen_random_uuid(), '', 1, '', '{default}', '{}', '{}', '{}', true, now(), now(), now()"
    )
    shop.run(idle)
    with psycopg.connect(shop.url, autocommit=True) as ear, kind.open(shop.url) as link:
        ear.execute('listen "rota:rota"')
        link.begin()
        link.enqueue(shop.work, 1)
        link.end("rollback")
        link.begin()
        link.enqueue(shop.work, 2)
        assert list(ear.notifies(timeout=0)) == []
        link.end("commit")
        assert [one.payload for one in ear.notifies(timeout=10, stop_after=1)] == ["ready:default"]
        assert list(ear.notifies(timeout=0)) == []
    shop.run("delete from rota.workers")


def test_psycopg2_itself_is_refused_with_what_to_use(shops: dict[str, Shop]) -> None:
    shop = shops["PostgreSQL"]
    kind = next(kind for kind in KINDS if kind.name == "SQLAlchemy Connection on psycopg2")
    expected = pytest.raises(
        WrongConnectionError, match=r"psycopg2\..* no connection that Rota knows\. Use one"
    )
    with kind.open(shop.url) as link, expected:
        shop.work.options(connection=link.raw.connection.driver_connection).enqueue(1)


def test_the_page_shows_the_matrix() -> None:
    page = (Path(__file__).parents[2] / "docs" / "transactions.md").read_text()
    head, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:1] == "|"
    ]
    assert head[2:] == [*BOTH, "wrong database", *POSTGRES, "notice"]
    on_postgres = {*POSTGRES, "notice"}
    assert rows[1:] == [
        [kind.store, kind.name]
        + ["–" if kind.store == "SQLite" and name in on_postgres else "✓" for name in head[2:]]
        for kind in KINDS
    ]
