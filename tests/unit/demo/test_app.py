"""The demo's tasks, drained in this process; and what the report says."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from rota.demo import report, tables, world
from rota.demo.app import CHUNKS, app, clocks, read_zones, summarise, summer_time
from rota.demo.run import STAGES
from rota.demo.screen import PlainScreen, Screen, TerminalScreen, make_screen
from rota.demo.summaries import SUMMARIES
from rota.testing import drain, enqueued, isolated


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def done(folder: Path) -> Iterator[Path]:
    with isolated(app):
        clocks.enqueue()
        drain(app)
        yield folder


def shown(screen: Screen | None = None, out: io.StringIO | None = None) -> str:
    out = out or io.StringIO()
    screen = screen or PlainScreen(STAGES, out)
    screen.say(report.subtitle())
    for section in report.sections():
        screen.show(section)
    screen.close()
    return out.getvalue()


@pytest.mark.usefixtures("done")
def test_many_jobs_read_and_one_after_another_sums_up() -> None:
    assert sorted(job.arguments["chunk"] for job in enqueued(read_zones)) == list(range(CHUNKS))
    assert [job.arguments["name"] for job in enqueued(summarise)] == list(SUMMARIES)
    (whole,) = enqueued(clocks)
    assert whole.record.progress_done == whole.record.progress_total == sum(STAGES.values())


@pytest.mark.usefixtures("done")
def test_the_tables_agree_with_the_input() -> None:
    assert tables.rows("SELECT count(*) FROM zone") == [(len(world.zones()),)]
    assert tables.rows("SELECT count(DISTINCT zone) FROM change") == [(len(world.zones()),)]
    turning = dict(tables.rows("SELECT zone, turning FROM zone_now"))
    assert (turning["Europe/Brussels"], turning["America/Chicago"], turning["Asia/Tokyo"]) == (1, 1, 0)
    ahead = dict(tables.rows("SELECT zone, ahead FROM zone_now"))
    assert (ahead["Asia/Kathmandu"], ahead["America/New_York"]) == (20700, -18000)
    assert tables.rows("SELECT zones FROM country_now WHERE name = 'Belgium'") == [(1,)]


@pytest.mark.usefixtures("done")
def test_every_task_may_run_again() -> None:
    before = shown()

    clocks.enqueue()
    read_zones.enqueue(7)
    summarise.enqueue("country_now")
    drain(app)

    assert shown() == before


@pytest.mark.usefixtures("done")
def test_the_report_says_what_it_is_about() -> None:
    text = shown()

    assert world.version() in text
    for words in ("Clocks turned per decade", "still turn their clocks", "Asia/Kathmandu", "Europe/London"):
        assert words in text
    assert all(line == line.rstrip() for line in text.splitlines())


@pytest.mark.usefixtures("folder")
def test_the_schedule_works_before_there_is_anything() -> None:
    with isolated(app) as clock:
        clock.advance(minutes=1)
        (ran,) = drain(app)
        assert (ran.task, ran.job.result()) == (summer_time.name, "0 of 0 zones are on summer time")


class TestScreens:
    def test_plain_lines_show_each_stage_once(self) -> None:
        out = io.StringIO()
        screen = make_screen({"reading": 3, "building": 2}, out)
        for step in (0, 1, 3, 3, 4, 5, 5):
            screen.advance(step)

        assert out.getvalue() == "reading: 3 of 3\nbuilding: 2 of 2\n"

    def test_what_was_missed_is_shown(self) -> None:
        out = io.StringIO()
        make_screen({"reading": 3, "building": 2}, out).advance(5)

        assert out.getvalue() == "reading: 3 of 3\nbuilding: 2 of 2\n"

    @pytest.mark.usefixtures("done")
    def test_a_terminal_shows_bars_and_tables(self) -> None:
        class Terminal(io.StringIO):
            encoding = "utf-8"

            def isatty(self) -> bool:
                return True

        out = Terminal()
        screen = make_screen(STAGES, out)
        for step in (0, 5, CHUNKS, CHUNKS + 3):
            screen.advance(step)
        text = shown(screen, out)

        assert isinstance(screen, TerminalScreen)
        assert "reading zones" in text
        assert "█" in text

    def test_a_terminal_without_unicode_gets_plain_lines(self) -> None:
        class Terminal(io.StringIO):
            encoding = "ascii"

            def isatty(self) -> bool:
                return True

        assert isinstance(make_screen(STAGES, Terminal()), PlainScreen)
