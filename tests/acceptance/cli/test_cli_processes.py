"""`run`, `worker`, `scheduler run` and `demo` as processes, from an app as the README writes one."""

import signal
import sys
from pathlib import Path

import pytest

from tests.acceptance.cli.commands import UserFolder
from tests.tooling.terminal import CTRL_C, in_terminal

# Several real processes each, on a machine that runs other tests beside.
pytestmark = pytest.mark.timeout(180)

APP = """
import os
from rota import Retry, Rota, cron, current

app = Rota()


@app.task(queue="mail", retry=Retry(5), timeout=30)
async def send(to: str, subject: str) -> str:
    return f"{subject} to {to}"


@app.task(executor="process")
def crunch(number: int) -> tuple[int, bool]:
    return number * number, os.getpid() != int(os.environ["WORKER"])


@app.schedule(cron("0 1 * * *", tz="Europe/Amsterdam"), id="nightly-sync")
def nightly() -> None:
    send.enqueue("ada@example.org", subject="Good morning")


if __name__ == "__main__":
    os.environ["WORKER"] = str(os.getpid())
    app.cli()
"""
ENQUEUE = "from main import send; print(send.enqueue('ada', subject='Hi').result(timeout=30))"
ADD_A_SCHEDULE = """
from main import app, send
from rota import every
print(app.schedules.add(send, every(seconds=1), id="ping", args=("ada", "ping")))
"""
FIRST_JOB_OF_A_SCHEDULE = """
import time
from main import app
from rota.model.job import JobFilter

def jobs():
    return app.connection.run("jobs", lambda store: store.insight.jobs(JobFilter(schedule="ping"), limit=1))

while not jobs():
    time.sleep(0.05)  # a schedule fires by the clock
print(app.job(jobs()[0].id).result(timeout=30))
"""
SERVES = " serves "
STOPPED = " stopped, 0 jobs given back"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_serves_jobs_of_another_process_and_ends_well(any_folder: UserFolder, number: int) -> None:
    any_folder.write(APP)
    with any_folder.started("run") as process:
        process.wait_for(SERVES)

        assert any_folder.code(ENQUEUE) == "Hi to ada"
        assert process.stop(number) == 0
        assert process.wait_for(STOPPED)


def test_worker_by_the_script_and_by_name(any_folder: UserFolder) -> None:
    any_folder.write(APP)
    with any_folder.started("worker") as first, any_folder.started("rota", "worker", "main:app") as second:
        assert "mail, default" in first.wait_for(SERVES)
        second.wait_for(SERVES)

        assert any_folder.code(ENQUEUE) == "Hi to ada"
        assert len(any_folder.json("workers", "list")["workers"]) == 2
        assert [first.stop(), second.stop()] == [0, 0]


@pytest.mark.parametrize("words", [["worker"], ["rota", "worker", "main:app"]], ids=["script", "by name"])
def test_a_task_in_a_process_of_its_own_is_found_there(folder: UserFolder, words: list[str]) -> None:
    folder.write(APP)
    folder.environment["WORKER"] = "0"
    with folder.started(*words) as process:
        process.wait_for(SERVES)

        code = "from main import crunch; print(crunch.enqueue(7).result(timeout=30))"
        assert folder.code(code) == "(49, True)"
        assert process.stop() == 0


def test_a_worker_s_options_change_its_settings(folder: UserFolder) -> None:
    folder.write(APP)
    options = ["--queues", "bulk=3,mail=1", "--slots", "3", "--threads", "2", "--grace", "1s"]
    with folder.started("rota", "worker", "--app", "main:app", *options) as process:
        assert "bulk, mail" in process.wait_for(SERVES)
        (worker,) = folder.json("workers", "list")["workers"]
        assert worker["queues"] == ["bulk", "mail"]
        assert (worker["slots"]["async"], worker["slots"]["thread"]) == (3, 2)


def test_the_app_may_stand_in_the_environment(folder: UserFolder) -> None:
    folder.write(APP)
    folder.environment["ROTA_APP"] = "main:app"
    with folder.started("rota", "run") as process:
        process.wait_for(SERVES)
        assert process.stop() == 0


def test_a_drained_worker_ends_by_itself(folder: UserFolder) -> None:
    folder.write(APP)
    with folder.started("worker") as process:
        process.wait_for(SERVES)
        (worker,) = folder.json("workers", "list")["workers"]

        assert folder.rota("workers", "drain", worker["id"]).returncode == 0
        assert process.ended() == 0


def test_a_scheduler_needs_no_app_and_fires_what_is_stored(any_folder: UserFolder) -> None:
    any_folder.write(APP)
    assert any_folder.code(ADD_A_SCHEDULE) == "created"

    with any_folder.started("rota", "scheduler", "run") as scheduler, any_folder.started("worker") as worker:
        worker.wait_for(SERVES)
        assert any_folder.code(FIRST_JOB_OF_A_SCHEDULE) == "ping to ada"
        assert scheduler.stop() == 0


def test_a_schedule_that_is_gone_from_the_code_is_paused_and_named(tmp_path: Path) -> None:
    folder = UserFolder(tmp_path)
    folder.write(APP)
    with folder.started("scheduler", "run") as scheduler:
        scheduler.wait_for("schedule nightly-sync created")
        scheduler.stop()  # perhaps while it still starts
    folder.write("\n".join(line for line in APP.splitlines() if not line.startswith("@app.schedule")))
    with folder.started("scheduler", "run") as scheduler:
        scheduler.wait_for("schedule nightly-sync is no longer in the code of main: it is paused")
        scheduler.stop()  # perhaps while it still starts
    assert folder.json("schedules", "show", "nightly-sync")["paused_by"] == "rota"


def test_a_person_at_a_terminal_reads_what_runs(tmp_path: Path) -> None:
    folder = UserFolder(tmp_path)
    folder.write(APP)
    done = in_terminal([sys.executable, "main.py", "run"], word="Ctrl-C", keys=CTRL_C, folder=tmp_path)

    assert done.returncode == 0
    for word in ("sqlite:///rota.db", "mail, default", "send", "nightly-sync (every day at 01:00"):
        assert word in done.stdout
    assert "Traceback" not in done.stdout


def test_without_an_app_the_demo_runs_and_serves_on(any_folder: UserFolder) -> None:
    with any_folder.started("rota", "run") as process:
        process.wait_for("demo finished")
        assert process.stop(signal.SIGINT) == 0


class TestRefusals:
    def test_a_worker_without_an_app(self, folder: UserFolder) -> None:
        done = folder.rota("worker")

        assert done.returncode == 2
        assert "no app is given: rota worker MODULE:app" in done.stderr

    def test_every_fault_of_the_settings_at_once(self, folder: UserFolder) -> None:
        folder.write(APP)
        done = folder.rota("worker", "main:app", "--slots", "0", "--threads", "many", "--queues", "a=0,b=1")

        assert done.returncode == 2
        assert all(name in done.stderr for name in ("async_slots='0'", "threads='many'", "queues='a=0,b=1'"))
        assert "Traceback" not in done.stderr

    def test_two_tasks_of_one_name(self, folder: UserFolder) -> None:
        folder.write(APP.replace("def crunch", "def send"))
        done = folder.python("main.py", "worker")

        assert (done.returncode, done.stdout) == (1, "")
        assert "two tasks are named 'send'" in done.stderr

    def test_a_store_that_is_not_there(self, folder: UserFolder) -> None:
        folder.write(APP)
        done = folder.rota("worker", "main:app", "--url", "sqlite:///no/such/folder/rota.db")

        assert done.returncode == 1
        assert "its folder does not exist" in done.stderr
        assert "Traceback" not in done.stderr
