"""Draining: everything that is ready runs here and now."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from rota.app.rota import Rota
from rota.model.errors import JobFailedError, RotaError, WrongThreadError
from rota.model.job import ISOLATED
from rota.model.outcome import Failed, Succeeded
from rota.model.schedule import ScheduleChange
from rota.model.states import State
from rota.ports.store import Store
from rota.testing import FakeClock, drain, enqueued, isolated
from rota.triggers.interval import every


@pytest.fixture
def app() -> Rota:
    return Rota("sqlite:////nowhere/rota.db")


@pytest.fixture
def clock(app: Rota) -> Iterator[FakeClock]:
    with isolated(app) as clock:
        yield clock


pytestmark = pytest.mark.usefixtures("clock")


async def break_trigger(store: Store, schedule: str) -> bool:
    found = await store.schedules.get(schedule)
    assert found is not None
    broken = structs.replace(found, trigger={"type": "sundial"}, version=found.version + 1)
    return bool(await store.schedules.put([ScheduleChange(new=broken, seen=found)]))


def names(app: Rota) -> list[str]:
    return [ran.task for ran in drain(app)]


class TestSync:
    def test_nothing_is_quick(self, app: Rota) -> None:
        assert drain(app) == []

    def test_it_runs_in_the_order_of_a_queue_and_says_what_ran(self, app: Rota) -> None:
        @app.task
        def note(name: str) -> str:
            return name

        jobs = [note.options(rank=rank).enqueue(f"rank {rank}") for rank in (3, 1, 2)]

        ran = drain(app)

        assert [one.job for one in ran] == [jobs[1], jobs[2], jobs[0]]
        assert [one.job.result() for one in ran] == ["rank 1", "rank 2", "rank 3"]
        assert {(one.task, one.attempt, type(one.outcome), one.error) for one in ran} == {
            ("note", 1, Succeeded, None)
        }

    def test_jobs_that_jobs_enqueue_run_too(self, app: Rota) -> None:
        @app.task
        async def grandchild() -> None: ...

        @app.task
        def child() -> None:
            grandchild.enqueue()

        @app.task
        async def parent() -> None:
            await child.enqueue_async()

        parent.enqueue()

        assert names(app) == ["parent", "child", "grandchild"]
        assert names(app) == []

    def test_one_may_wait_for_others(self, app: Rota) -> None:
        @app.task
        def part(number: int) -> int:
            return number

        @app.task
        async def whole() -> int:
            jobs = await part.enqueue_many_async([(1,), (2,), (3,)])
            return sum([await job.result_async() for job in jobs])

        job = whole.enqueue()
        drain(app)

        assert job.result() == 6

    def test_plain_functions_run_in_this_thread_whatever_executor_they_want(self, app: Rota) -> None:
        @app.task
        def thread() -> int:
            return threading.get_ident()

        @app.task(executor="process")
        def process() -> int:
            return threading.get_ident()

        jobs = [thread.enqueue(), process.enqueue()]
        drain(app)

        assert [job.result() for job in jobs] == [threading.get_ident()] * 2

    def test_every_queue_is_served_also_one_that_no_task_names(self, app: Rota) -> None:
        @app.task(queue="mail")
        def send() -> None: ...

        jobs = [send.enqueue(), send.options(queue="elsewhere").enqueue()]

        assert len(drain(app)) == 2
        assert [job.status() for job in jobs] == [State.SUCCEEDED] * 2

    def test_limits_hold_and_everything_runs(self, app: Rota) -> None:
        together: list[int] = []
        running = 0

        @app.task(limit=2)
        async def work() -> None:
            nonlocal running
            running += 1
            together.append(running)
            await asyncio.sleep(0.01)  # long enough for the others to begin, if they might
            running -= 1

        work.enqueue_many([()] * 6)

        assert len(drain(app)) == 6
        assert max(together) == 2

    def test_a_job_of_an_unknown_task_stays(self, app: Rota) -> None:
        other = Rota(settings=app.settings)

        @other.task
        def strange() -> None: ...

        app.submit([strange.submission((), {})])

        assert drain(app) == []
        assert [job.record.state for job in enqueued(app)] == [State.SCHEDULED]

    def test_a_store_of_ones_own_is_drained_as_well(self, tmp_path: Path) -> None:
        app = Rota(f"sqlite:///{tmp_path}/rota.db")

        @app.task
        def work() -> str:
            return "done"

        job = work.enqueue()
        drain(app)

        assert job.result(timeout=0) == "done"
        app.close()

    def test_a_job_that_has_crashed_runs_here_too(self, app: Rota) -> None:
        @app.task
        def work() -> str:
            return threading.current_thread().name

        @app.task
        async def wait() -> None:
            await asyncio.sleep(0)

        app.submit([structs.replace(task.submission((), {}), executor=ISOLATED) for task in (work, wait)])

        assert names(app) == ["work", "wait"]

    async def test_in_a_running_loop_it_names_its_twin(self, app: Rota) -> None:
        with pytest.raises(WrongThreadError, match="await drain_async"):
            drain(app)


class TestErrors:
    def test_the_first_one_is_raised_once_all_have_run(self, app: Rota) -> None:
        errors = [ValueError("first"), ValueError("second")]

        @app.task
        def fail(number: int) -> None:
            raise errors[number]

        @app.task
        def work() -> None: ...

        fail.enqueue(0)
        fail.enqueue(1)
        job = work.enqueue()

        with pytest.raises(ValueError, match="first") as caught:
            drain(app)
        assert caught.value is errors[0]
        assert "1 more failed" in caught.value.__notes__[0]
        assert job.status() is State.SUCCEEDED

    def test_they_are_collected_instead(self, app: Rota) -> None:
        @app.task
        def fail() -> None:
            raise ValueError("boom")

        fail.enqueue()
        (ran,) = drain(app, raise_errors=False)

        assert isinstance(ran.error, ValueError)
        assert isinstance(ran.outcome, Failed)
        assert ran.job.status() is State.FAILED

    def test_an_interrupt_is_always_raised(self, app: Rota) -> None:
        @app.task
        def work() -> None:
            raise KeyboardInterrupt

        work.enqueue()
        with pytest.raises(KeyboardInterrupt):
            drain(app, raise_errors=False)

    @pytest.mark.parametrize(
        "kind", ["async def work(): await asyncio.Event().wait()", "def work(): threading.Event().wait()"]
    )
    def test_ctrl_c_ends_it(self, kind: str) -> None:
        program = (
            "import asyncio, os, signal, threading\n"
            "from rota import Rota\n"
            "from rota.testing import drain, isolated\n"
            "app = Rota()\n"
            "@app.task\n"
            f"{kind}\n"
            "with isolated(app):\n"
            "    work.enqueue()\n"
            "    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
            "    try:\n"
            "        drain(app)\n"
            "    except KeyboardInterrupt:\n"
            "        print('interrupted')\n"
        )
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

        assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")

    def test_without_the_error_itself_what_is_known_of_it_is_raised(self, app: Rota) -> None:
        @app.task(timeout=0.05)
        async def endless() -> None:
            await asyncio.Event().wait()

        endless.enqueue()
        with pytest.raises(JobFailedError, match=r"TimeoutError: ran longer than its timeout of 0\.05 s"):
            drain(app)

    def test_a_task_that_never_ends_its_line_is_stopped(self, app: Rota) -> None:
        @app.task
        def again() -> None:
            again.enqueue()

        again.enqueue()
        with pytest.raises(RotaError, match="does a task enqueue itself"):
            drain(app, limit=20)

    def test_a_resource_that_cannot_be_opened_is_told(self, app: Rota) -> None:
        @app.resource
        def client() -> Path:
            raise OSError("no network")

        with pytest.raises(RotaError, match=r"'client' could not be opened: OSError\('no network'\)"):
            drain(app)

    def test_a_schedule_that_cannot_tick_is_told(self, app: Rota, clock: FakeClock) -> None:
        @app.task
        def work() -> None: ...

        app.schedules.add(work, every(minutes=1), id="broken")
        clock.advance(minutes=1)
        app.connection.run("break", lambda store: break_trigger(store, "broken"))

        with pytest.raises(RotaError, match="schedule 'broken' cannot tick"):
            drain(app)
