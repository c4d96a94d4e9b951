"""The schema: made once whoever comes first, grown in steps, refused when it is too new."""

import asyncio
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from rota.model.errors import ConfigurationError, SchemaVersionError, StoreUnavailableError
from rota.ports.store import SchemaState
from rota.stores.migrations import Migration
from rota.stores.postgres import PostgresStore, migrating, upgrading
from rota.stores.postgres.migrating import migrations
from rota.testing.conformance.scene import a_job

NEWEST = migrations()[-1].number
MORE = Migration(NEWEST + 1, "more.pre", post=False, oldest=1, sql="create table {schema}.more ()")
LESS = Migration(NEWEST + 2, "less.post", post=True, oldest=NEWEST + 2, sql="drop table {schema}.more")
LAST = Migration(NEWEST + 3, "last.pre", post=False, oldest=1, sql="create table {schema}.last ()")

OPEN = """
import asyncio, sys
from rota.stores.postgres import PostgresStore

async def main():
    store = PostgresStore(sys.argv[1])
    print("ready", flush=True)
    sys.stdin.readline()
    await store.open()
    print((await store.schema()).store_id)
    await store.close()

asyncio.run(main())
"""


async def state(url: str) -> SchemaState:
    store = PostgresStore(url)
    found = await store.schema()
    await store.close()
    return found


def grown(monkeypatch: pytest.MonkeyPatch, *more: Migration) -> None:
    """Let this be newer code, that has more migrations."""
    known = (*migrations(), *more)
    monkeypatch.setattr(migrating, "migrations", lambda: known)


async def test_looking_changes_nothing(postgres_url: str) -> None:
    found = await state(postgres_url)
    assert (found.version, found.wanted, found.store_id) == (0, NEWEST, "")
    assert found.pending == tuple(one.name for one in migrations())
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("select to_regnamespace('rota')").fetchone() == (None,)


async def test_opening_makes_the_schema_and_its_days(store: PostgresStore) -> None:
    found = await store.schema()
    assert (found.version, found.oldest, found.pending) == (NEWEST, 1, ())
    days = await store._database.fetch("partitions")
    assert len(days) == 9


def test_processes_that_start_at_once_make_it_once(postgres_url: str) -> None:
    command = [sys.executable, "-c", OPEN, postgres_url]
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = {process.communicate(timeout=60)[0] for process in processes}
    assert [process.returncode for process in processes] == [0] * 4
    assert len(answers) == 1


async def test_both_drivers_at_once_make_it_once(postgres_url: str) -> None:
    stores = [PostgresStore(postgres_url) for _ in range(4)]
    async with asyncio.TaskGroup() as group:
        for number, store in enumerate(stores):
            if number % 2:
                group.create_task(store.open())
            else:
                group.create_task(asyncio.to_thread(store.submit_now, [a_job()]))
    assert len({store._store_id for store in stores}) == 1
    for store in stores:
        await store.close()


async def test_newer_code_adds_on_opening(store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    before = await state(store.url)
    grown(monkeypatch, MORE, LESS)
    newer = PostgresStore(store.url)
    await newer.open()
    found = await newer.schema()
    await newer.close()
    assert (found.version, found.oldest, found.pending) == (MORE.number, 1, (LESS.name,))
    assert found.store_id == before.store_id


async def test_what_takes_away_waits_until_it_is_asked_for(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown(monkeypatch, MORE, LESS)
    newer = PostgresStore(store.url)
    assert await newer.upgrade() == (MORE.name,)
    assert await newer.upgrade() == ()
    assert await newer.upgrade(post=True) == (LESS.name,)
    found = await newer.schema()
    await newer.close()
    assert (found.version, found.oldest, found.pending) == (LESS.number, LESS.number, ())


async def test_code_two_releases_on_takes_away_first(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown(monkeypatch, MORE, LESS, LAST)
    newer = PostgresStore(store.url)
    assert await newer.upgrade() == (MORE.name, LESS.name, LAST.name)
    await newer.close()


async def test_a_migration_that_fails_changes_nothing(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown(monkeypatch, MORE, MORE._replace(number=NEWEST + 2, sql="select 1 / 0"))
    newer = PostgresStore(store.url)
    with pytest.raises(Exception, match="division by zero"):
        await newer.open()
    await newer.close()
    found = await state(store.url)
    assert found.version == MORE.number, "each is whole in itself"


INDEX = Migration(
    NEWEST + 1,
    "index.pre",
    post=False,
    oldest=1,
    sql="-- apart\ndrop index concurrently if exists {schema}.jobs_more;\n"
    "create index concurrently jobs_more on {schema}.jobs (key);\n",
    apart=True,
)
COLUMN = MORE._replace(sql="alter table {schema}.jobs add column more integer not null default 7")


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_an_index_is_made_while_others_write(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch, driver: str
) -> None:
    grown(monkeypatch, INDEX)
    newer = PostgresStore(store.url, pool_size=1)
    if driver == "asyncpg":
        assert await newer.upgrade() == (INDEX.name,)
    else:
        await asyncio.to_thread(newer.submit_now, [a_job()])
    await newer.close()
    with psycopg.connect(store.url) as connection:
        valid = connection.execute(
            "select indisvalid from pg_index where indexrelid = 'rota.jobs_more'::regclass"
        )
        assert valid.fetchone() == (True,)
    assert (await state(store.url)).version == INDEX.number


async def test_both_drivers_at_once_grow_it_once(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown(monkeypatch, COLUMN, INDEX._replace(number=NEWEST + 2))
    newer = [PostgresStore(store.url) for _ in range(4)]
    async with asyncio.TaskGroup() as group:
        upgrades = [group.create_task(one.upgrade()) for one in newer[:2]]
        for one in newer[2:]:
            group.create_task(asyncio.to_thread(one.submit_now, [a_job()]))
    assert len([name for done in upgrades for name in done.result()]) <= 2
    assert (await state(store.url)).pending == ()
    for one in newer:
        await one.close()


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_who_waits_for_a_table_locks_nobody_out(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch, driver: str
) -> None:
    """A change of a table waits for whoever reads it, and all others would wait behind."""
    grown(monkeypatch, COLUMN)
    newer = PostgresStore(store.url)
    with psycopg.connect(store.url) as reader:
        reader.execute("select count(*) from rota.jobs")
        work = newer.upgrade() if driver == "asyncpg" else asyncio.to_thread(newer.submit_now, [])
        upgrade = asyncio.ensure_future(work)
        for _ in range(20):
            async with asyncio.timeout(5):
                await store.jobs.submit([a_job()])
        assert not upgrade.done()
        reader.commit()
        await upgrade
    assert (await state(store.url)).version == COLUMN.number
    await newer.close()


async def test_who_never_lets_go_is_told(store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    grown(monkeypatch, COLUMN)
    monkeypatch.setattr(upgrading, "PATIENCE", 0.0)
    newer = PostgresStore(store.url)
    with psycopg.connect(store.url) as reader:
        reader.execute("select count(*) from rota.jobs")
        with pytest.raises(StoreUnavailableError, match="pg_stat_activity"):
            await newer.open()
        with pytest.raises(StoreUnavailableError, match="pg_stat_activity"):
            await asyncio.to_thread(newer.submit_now, [a_job()])
    await newer.open()
    await newer.close()


async def test_older_code_runs_on_a_schema_that_allows_it(migrated_url: str) -> None:
    set_version(migrated_url, NEWEST + 5, oldest=NEWEST)
    store = PostgresStore(migrated_url)
    await store.open()
    await store.jobs.submit([a_job()])
    await store.close()


async def test_older_code_is_refused_by_a_schema_that_does_not(migrated_url: str) -> None:
    set_version(migrated_url, NEWEST + 5, oldest=NEWEST + 1)
    store = PostgresStore(migrated_url)
    with pytest.raises(SchemaVersionError, match=f"version {NEWEST + 5}.*install a newer Rota"):
        await store.open()
    with pytest.raises(SchemaVersionError):
        store.submit_now([a_job()])
    await store.close()


def set_version(url: str, version: int, *, oldest: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("update rota.schema_version set version = %s, oldest = %s", (version, oldest))


async def test_a_schema_may_be_made_by_someone_else(postgres_url: str) -> None:
    """Who may not make schemas is given one."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute("create role guest login")
        connection.execute("create schema rota authorization guest")
    store = PostgresStore(postgres_url.replace("postgres@", "guest@"))
    await store.open()
    await store.jobs.submit([a_job()])
    await store.close()
    with psycopg.connect(postgres_url) as connection:
        connection.execute("drop owned by guest")
        connection.execute("drop role guest")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hush@127.0.0.1:1/jobs",
        "postgresql://u:hush@no-such-host.invalid:5432/jobs",
    ],
)
async def test_a_database_that_does_not_answer_is_named_without_its_password(url: str) -> None:
    store = PostgresStore(url)
    with pytest.raises(StoreUnavailableError, match=r"'jobs' on .*ROTA_URL") as opened:
        await store.open()
    with pytest.raises(StoreUnavailableError, match=r"'jobs' on .*ROTA_URL") as submitted:
        store.submit_now([a_job()])
    for caught in (opened, submitted):
        assert "hush" not in str(caught.value)


async def test_a_database_that_does_not_exist_is_named(postgres_url: str) -> None:
    store = PostgresStore(postgres_url + "_not")
    with pytest.raises(StoreUnavailableError, match="_not"):
        await store.open()
    with pytest.raises(StoreUnavailableError, match="_not"):
        store.submit_now([a_job()])


@pytest.mark.parametrize("url", ["mysql://h/d", "postgresql://h:port/d", "jobs"])
def test_a_malformed_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"url: .*postgresql://"):
        PostgresStore(url)


@pytest.mark.parametrize("schema", ["", "a-b", 'a"b', "a.b", "1a", "a" * 49])
def test_a_malformed_schema_is_refused(schema: str) -> None:
    with pytest.raises(ConfigurationError, match="schema: "):
        PostgresStore("postgresql:///d", schema=schema)


def test_settings_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="durability"):
        PostgresStore("postgresql:///d", listen=False, durability="normal")


@pytest.mark.parametrize("missing", ["asyncpg", "psycopg"])
def test_a_missing_driver_is_named(missing: str, tmp_path: Path) -> None:
    (tmp_path / f"{missing}.py").write_text(f"raise ModuleNotFoundError('gone', name={missing!r})")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import rota.stores.postgres"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "MissingExtraError" in answer.stderr
    assert "rota[postgres]" in answer.stderr
