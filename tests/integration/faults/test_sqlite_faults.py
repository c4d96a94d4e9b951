"""One `rota run` on SQLite lives through a full disk, a locked file, and a file that is taken away."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

import pytest

from rota.model.errors import StoreUnavailableError
from tests.integration.faults.disks import fill, small_disk
from tests.integration.faults.life import Feed, Process, make_app, until

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(120)]

AWAY, BACK = "the store is away", "the store is back"
QUICK = {"store_timeout": "1"}


def test_the_disk_is_full(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        url = f"sqlite:///{disk}/rota.db"
        app = make_app(tmp_path, url, store_timeout=1.0)
        feed = Feed(tmp_path, app)
        with Process(tmp_path, url, settings=QUICK) as process:
            with feed.running():
                feed.wait_for(3)
                fill(disk)
                until(lambda: process.said(AWAY) and feed.uncertain + feed.refused, process.log)
                assert "Free some space" in process.log()
                (disk / "ballast").unlink()
                feed.wait_for(3)
                until(lambda: process.said(BACK), process.log)
            feed.check()
            assert "Traceback" not in process.log()
        app.close()


def test_somebody_holds_the_write_lock(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/rota.db"
    app = make_app(tmp_path, url, store_timeout=1.0)
    feed = Feed(tmp_path, app)
    with Process(tmp_path, url, settings=QUICK) as process:
        with feed.running():
            feed.wait_for(3)
            with closing(sqlite3.connect(tmp_path / "rota.db", isolation_level=None)) as rival:
                rival.execute("begin exclusive")
                until(lambda: process.said(AWAY) and feed.refused, process.log)
                assert "write lock" in process.log()
                rival.execute("rollback")
            feed.wait_for(3)
            until(lambda: process.said(BACK), process.log)
        feed.check()
        assert (process.said("goes on trying"), process.said(BACK)) == (1, 1)
        assert "Traceback" not in process.log()
    app.close()


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_the_file_is_taken_away(tmp_path: Path, how: str) -> None:
    """What was in it is gone with it; the worker says so and serves the file that is there."""
    url = f"sqlite:///{tmp_path}/rota.db"
    app = make_app(tmp_path, url, store_timeout=1.0)
    feed = Feed(tmp_path, app)
    with Process(tmp_path, url, settings=QUICK) as process:
        feed.submit()
        until(lambda: feed.ended()[1], process.log)
        if how == "replaced":
            other = make_app(tmp_path, f"sqlite:///{tmp_path}/other.db")
            other.connection.store()
            other.close()
            for ending in ("-wal", "-shm"):
                (tmp_path / f"rota.db{ending}").unlink(missing_ok=True)
            (tmp_path / "other.db").replace(tmp_path / "rota.db")
        else:
            for ending in ("", "-wal", "-shm"):
                (tmp_path / f"rota.db{ending}").unlink(missing_ok=True)
        feed.submit()
        until(lambda: feed.ended()[2], process.log)
        assert "was removed or replaced" in process.log()
        assert process.lives
    app.close()


def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    """Whether it is there or not, in words that say what to do."""
    with read_only(tmp_path) as folder:
        for name in ("old", "new"):
            app = make_app(tmp_path, f"sqlite:///{folder}/{name}.db")
            with pytest.raises(StoreUnavailableError, match="writable"):
                app.tasks["work"].enqueue(1)
            app.close()


@contextmanager
def read_only(folder: Path) -> Iterator[Path]:
    """A folder with a database that may not be written; root may write wherever the file system does."""
    with small_disk(folder) if os.geteuid() == 0 else nullcontext(folder / "disk") as disk:
        disk.mkdir(exist_ok=True)
        app = make_app(folder, f"sqlite:///{disk}/old.db")
        app.tasks["work"].enqueue(0)
        app.close()
        if os.geteuid() == 0:
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        else:
            disk.chmod(0o555)
            (disk / "old.db").chmod(0o444)
        yield disk
        if os.geteuid():
            disk.chmod(0o755)  # so that it can be removed
