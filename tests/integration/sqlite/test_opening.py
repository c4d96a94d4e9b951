"""What stands in the way of opening a file is told with its remedy, and nothing is changed."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rota.model.errors import ConfigurationError, SchemaVersionError, StoreError, StoreUnavailableError
from rota.ports.store import SchemaState
from rota.stores.sqlite import SqliteStore
from rota.stores.sqlite.location import Location

# Small enough to block an event loop for.
write, read, exists = Path.write_text, Path.read_text, Path.exists


class TestUrl:
    @pytest.mark.parametrize(
        ("url", "path"),
        [
            ("sqlite:///rota.db", "rota.db"),
            ("sqlite:///data/rota.db", "data/rota.db"),
            ("sqlite:////var/lib/rota.db", "/var/lib/rota.db"),
            ("rota.db", "rota.db"),
            ("/var/lib/rota.db", "/var/lib/rota.db"),
        ],
    )
    def test_a_file(self, url: str, path: str) -> None:
        assert Location(url).path == Path(path).absolute()

    @pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
    def test_a_private_file(self, url: str) -> None:
        one, other = Location(url), Location(url)
        assert one.path != other.path
        one.release()
        assert not one.path.parent.exists()

    @pytest.mark.parametrize(
        "url", ["sqlite:rota.db", "sqlite://host/rota.db", "sqlite:///rota.db?mode=ro", "sqlite:////"]
    )
    def test_another_form_is_refused_with_those_that_are_right(self, url: str) -> None:
        with pytest.raises(ConfigurationError, match=r"sqlite:///relative\.db"):
            SqliteStore(url)

    def test_an_unknown_durability_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="full or normal"):
            SqliteStore("rota.db", durability="fast")  # type: ignore[arg-type]  # what a setting could say

    async def test_it_does_not_move_with_the_working_directory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        store = SqliteStore("sqlite:///rota.db")
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        await store.open()
        await store.close()
        assert (tmp_path / "rota.db").exists()


class TestRefusals:
    async def refusal(self, path: Path) -> str:
        with pytest.raises(StoreUnavailableError) as caught:
            await SqliteStore(path).open()
        assert str(path) in str(caught.value)
        return str(caught.value)

    async def test_a_folder_that_does_not_exist(self, tmp_path: Path) -> None:
        assert f"Make {tmp_path / 'nowhere'}" in await self.refusal(tmp_path / "nowhere" / "rota.db")
        assert not (tmp_path / "nowhere").exists()

    async def test_a_folder_in_place_of_a_file(self, tmp_path: Path) -> None:
        assert "rota.db" in await self.refusal(tmp_path)

    async def test_a_place_that_cannot_be_written(self) -> None:
        assert "writable" in await self.refusal(Path("/proc/rota.db"))

    async def test_a_file_of_another_kind(self, path: Path) -> None:
        write(path, "Dear diary, " * 100)
        assert "no SQLite database" in await self.refusal(path)
        assert read(path).startswith("Dear diary")

    def test_from_synchronous_code_too(self, tmp_path: Path) -> None:
        with pytest.raises(StoreUnavailableError, match="does not exist"):
            SqliteStore(tmp_path / "nowhere" / "rota.db").submit_now([])

    async def test_an_old_sqlite(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 37, 2))
        with pytest.raises(StoreError, match=r"needs 3\.38\.0 or newer"):
            await SqliteStore(path).open()
        assert not exists(path)


class TestSchema:
    async def test_looking_makes_no_file(self, path: Path) -> None:
        state = await SqliteStore(path).schema()
        assert (state.version, state.wanted, state.store_id) == (0, 1, "")
        assert state.pending == ("0001_initial.pre.sql",)
        assert not exists(path)

    async def test_open_makes_it(self, store: SqliteStore) -> None:
        state = await store.schema()
        assert state == SchemaState(version=1, wanted=1, oldest=1, store_id=state.store_id, pending=())
        assert state.store_id

    async def test_upgrade_names_what_it_did_and_does_it_once(self, path: Path) -> None:
        store = SqliteStore(path)
        assert await store.upgrade() == ("0001_initial.pre.sql",)
        assert await store.upgrade(post=True) == ()

    async def test_several_upgrade_at_once(self, path: Path) -> None:
        done = await asyncio.gather(*(SqliteStore(path).upgrade() for _ in range(4)))
        assert sorted(done) == [(), (), (), ("0001_initial.pre.sql",)]

    async def test_a_schema_for_newer_code_is_refused_and_left_alone(
        self, store: SqliteStore, path: Path
    ) -> None:
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("insert into schema_version select 9, 8, store_id from schema_version")
        for attempt in (SqliteStore(path).open(), SqliteStore(path).upgrade()):
            with pytest.raises(SchemaVersionError, match="Upgrade rota") as caught:
                await attempt
            assert (caught.value.found, caught.value.needed) == (9, 1)
        assert (await store.schema()).version == 9

    async def test_a_newer_schema_that_old_code_can_use_is_used(self, store: SqliteStore, path: Path) -> None:
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("insert into schema_version select 2, 1, store_id from schema_version")
        another = SqliteStore(path)
        await another.open()
        assert await another.insight.counts() == await store.insight.counts() == []
        await another.close()

    async def test_a_users_own_tables_stay(self, path: Path) -> None:
        with closing(sqlite3.connect(path)) as mine, mine:
            mine.execute("create table orders (id integer primary key)")
            mine.execute("insert into orders values (7)")
        store = SqliteStore(path)
        await store.open()
        await store.close()
        with closing(sqlite3.connect(path)) as mine:
            assert mine.execute("select id from orders").fetchall() == [(7,)]
