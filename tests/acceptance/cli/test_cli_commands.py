"""Commands that look and act, typed in a folder with an app: output, exit codes, and refusals."""

import json
import subprocess

import pytest

from tests.acceptance.cli.commands import ROTA, UserFolder
from tests.tooling.terminal import in_terminal

# Several real processes each, on a machine that runs other tests beside.
pytestmark = pytest.mark.timeout(180)

APP = """
from datetime import timedelta
from rota import Rota, cron, current, every

app = Rota()


@app.task(queue="mail")
async def send(to: str) -> str:
    current().log.info("sending to %s", to)
    return to


@app.task(queue="mail")
def broken() -> None:
    raise ValueError("boom")


@app.task(queue="mail", limit=1)
async def one_at_a_time() -> None:
    import asyncio
    await asyncio.Event().wait()


@app.schedule(cron("0 1 * * *", tz="Europe/Amsterdam"), id="nightly-sync", queue="mail")
def nightly() -> None:
    pass


if __name__ == "__main__":
    app.cli()
"""
SERVES = " serves "
UNKNOWN = "0190b3a8-7c1e-7abc-8def-0123456789ab"


@pytest.fixture(autouse=True)
def app(request: pytest.FixtureRequest) -> None:
    """Write the app where the test works."""
    name = "any_folder" if "any_folder" in request.fixturenames else "folder"
    folder: UserFolder = request.getfixturevalue(name)
    folder.write(APP)


def enqueue(folder: UserFolder, call: str) -> str:
    """Enqueue by a call on the app's tasks, and return the job's id."""
    return folder.code(f"from main import *; print({call}.id)")


def wait_until(folder: UserFolder, condition: str) -> None:
    """Wait until an expression on the app is true."""
    folder.code(f"import time; from main import *\nwhile not ({condition}): time.sleep(0.05)  # by the clock")


class TestJobs:
    def test_from_list_to_show_for_programs(self, any_folder: UserFolder) -> None:
        ready = enqueue(any_folder, "send.options(tags={'team': 'a'}, rank=3).enqueue('ada')")
        later = enqueue(any_folder, "send.options(delay=timedelta(hours=1)).enqueue('bob')")

        page = any_folder.json("jobs", "list", "--limit", "1")
        assert ([job["id"] for job in page["jobs"]], page["next"]) == ([later], later)
        page = any_folder.json("jobs", "list", "--limit", "1", "--before", later)
        assert ([job["id"] for job in page["jobs"]], page["next"]) == ([ready], None)
        for words in (["--tag", "team=a"], ["--state", "ready"], ["--task", "send", "--state", "ready"]):
            assert [job["id"] for job in any_folder.json("jobs", "list", *words)["jobs"]] == [ready]
        assert any_folder.json("jobs", "list", "--until", "1h")["jobs"] == []

        shown = any_folder.json("jobs", "show", ready)
        assert (shown["state"], shown["arguments"], shown["rank"]) == ("ready", {"to": "ada"}, 3)
        assert any_folder.json("jobs", "stats")["counts"] == [
            {"queue": "mail", "task": "send", "state": state, "count": 1} for state in ("scheduled", "ready")
        ]

    def test_a_job_s_life_in_plain_lines(self, any_folder: UserFolder) -> None:
        done, dead = enqueue(any_folder, "send.enqueue('ada')"), enqueue(any_folder, "broken.enqueue()")
        assert "no worker is running" in any_folder.rota("jobs", "why", done).stdout
        with any_folder.started("worker") as worker:
            worker.wait_for(SERVES)
            followed = any_folder.rota("jobs", "logs", done, "--follow")
            wait_until(any_folder, f"app.job('{dead}').status() == 'failed'")

        assert followed.stdout.endswith("info    sending to ada\n")
        assert any_folder.json("jobs", "logs", done)["logs"][0]["message"] == "sending to ada"
        assert 'result     "ada"' in any_folder.rota("jobs", "show", done).stdout
        assert "it succeeded" in any_folder.rota("jobs", "why", done).stdout

        shown = any_folder.rota("jobs", "show", dead).stdout
        assert "ValueError: boom" in shown
        assert "Traceback" in shown
        assert "it failed for good" in any_folder.rota("jobs", "why", dead).stdout
        assert any_folder.json("jobs", "stats")["faults"][0]["message"] == "boom"
        listed = any_folder.rota("jobs", "list", "--state", "failed", "--fault", "ValueError").stdout
        assert [line.split()[:3] for line in listed.splitlines()] == [
            ["id", "state", "task"],
            [dead, "failed", "broken"],
        ]

    def test_why_names_who_holds_the_limit(self, any_folder: UserFolder) -> None:
        with any_folder.started("worker") as worker:
            worker.wait_for(SERVES)
            first, second = (enqueue(any_folder, "one_at_a_time.enqueue()") for _ in range(2))
            wait_until(any_folder, f"app.job('{second}').record().held")

            explained = any_folder.rota("jobs", "why", second).stdout
            assert f"the limit of task 'one_at_a_time' is reached: 1 slot held by {first}" in explained

            cancelled = any_folder.json("jobs", "cancel", first, second)["jobs"]
            assert [one["done"] for one in cancelled] == ["requested", "cancelled"]
            wait_until(any_folder, f"app.job('{first}').status() == 'cancelled'")
            assert worker.stop() == 0

    def test_cancel_and_retry_by_id(self, folder: UserFolder) -> None:
        job = enqueue(folder, "send.enqueue('ada')")

        assert folder.rota("jobs", "cancel", job).stdout == f"job {job} is cancelled\n"
        again = folder.rota("jobs", "cancel", job, UNKNOWN)
        assert again.returncode == 1
        assert "cannot cancel a job that is cancelled; from there it can: redrive" in again.stderr
        assert f"no job '{UNKNOWN}'" in again.stderr
        assert folder.rota("jobs", "retry", job).stdout == f"job {job} runs again\n"
        assert folder.json("jobs", "show", job)["state"] == "ready"


class TestBulk:
    def test_by_filter_it_asks_and_without_a_terminal_it_refuses(self, folder: UserFolder) -> None:
        jobs = {enqueue(folder, "send.enqueue('ada')") for _ in range(2)}

        for verb in ("cancel", "retry"):
            refused = folder.rota("jobs", verb, "--queue", "mail")
            assert (refused.returncode, refused.stdout) == (2, "")
            assert "add --yes" in refused.stderr
        assert len(folder.json("jobs", "list", "--state", "ready")["jobs"]) == 2

        assert set(folder.json("jobs", "cancel", "--queue", "mail", "--yes")["cancelled"]) == jobs

    def test_retry_by_filter_means_the_failed_ones(self, folder: UserFolder) -> None:
        enqueue(folder, "send.enqueue('ada')")
        folder.rota("jobs", "cancel", "--task", "send", "--yes")

        assert folder.rota("jobs", "retry", "--task", "send", "--yes").stdout == "no job to retry\n"
        retried = folder.rota("jobs", "retry", "--task", "send", "--state", "cancelled", "--yes")
        assert retried.stdout == "1 retried\n"

    @pytest.mark.parametrize(("key", "code", "state"), [("y\n", 0, "cancelled"), ("n\n", 1, "ready")])
    def test_a_person_is_asked(self, folder: UserFolder, key: str, code: int, state: str) -> None:
        job = enqueue(folder, "send.enqueue('ada')")

        command = [ROTA, "jobs", "cancel", "--task", "send"]
        done = in_terminal(command, word="Cancel 1 job?", keys=key, folder=folder.path)

        assert done.returncode == code
        assert folder.json("jobs", "show", job)["state"] == state

    @pytest.mark.parametrize("words", [[], [UNKNOWN, "--queue", "mail"]])
    def test_neither_nothing_nor_both(self, folder: UserFolder, words: list[str]) -> None:
        done = folder.rota("jobs", "cancel", *words, "--yes")

        assert done.returncode == 2
        assert "ids" in done.stderr


class TestSchedules:
    def test_those_of_the_code_are_shown_and_nothing_is_made(self, folder: UserFolder) -> None:
        listed = folder.python("main.py", "scheduler", "show-schedule").stdout
        assert "nightly-sync" in listed
        assert "not stored: start a scheduler" in listed
        previewed = folder.rota(
            "schedules", "preview", "nightly-sync", "--app", "main:app", "-n", "2", "--json"
        )
        assert len(json.loads(previewed.stdout)["moments"]) == 2
        assert [path.name for path in folder.path.glob("rota.db*")] == []

    @pytest.mark.parametrize("name", ["nightly-sync", "nightly"], ids=["id", "function"])
    def test_force_on_a_fresh_store(self, any_folder: UserFolder, name: str) -> None:
        done = any_folder.python("main.py", "scheduler", "force", name)

        assert done.returncode == 0, done.stderr
        assert f"schedule {name} ran as job " in done.stdout
        (job,) = any_folder.json("jobs", "list", "--schedule", "nightly-sync")["jobs"]
        assert (job["task"], job["due"], job["state"]) == ("nightly", None, "succeeded")

    def test_force_may_leave_it_to_the_workers(self, folder: UserFolder) -> None:
        done = folder.python("main.py", "scheduler", "force", "nightly-sync", "--detach")

        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("schedule nightly-sync runs now as job ")
        (job,) = folder.json("jobs", "list", "--schedule", "nightly-sync")["jobs"]
        assert job["state"] == "ready"

    def test_force_shows_the_log_and_fails_with_the_reason(self, folder: UserFolder) -> None:
        (folder.path / "broken.py").write_text(
            "from main import *\n"
            "from rota import Retry\n"
            "@app.schedule(every(hours=1), id='unlucky', retry=Retry(5))\n"
            "def unlucky():\n"
            "    current().log.info('so far so good')\n"
            "    raise ValueError('no luck')\n"
        )
        done = folder.rota("scheduler", "force", "unlucky", "--app", "broken:app")

        assert done.returncode == 1
        assert "so far so good" in done.stdout
        assert "ValueError: no luck" in done.stderr
        assert folder.json("jobs", "list", "--schedule", "unlucky")["jobs"][0]["state"] == "failed"

    def test_an_unknown_one_fails_with_a_hint(self, folder: UserFolder) -> None:
        done = folder.python("main.py", "scheduler", "force", "nightly-snyc")

        assert done.returncode == 1
        assert "no schedule 'nightly-snyc'. Did you mean 'nightly-sync'?" in done.stderr

    def test_pause_resume_and_remove(self, folder: UserFolder) -> None:
        folder.code("from main import *; app.schedules.add(send, every(hours=1), id='p', args=('a',))")

        assert folder.rota("schedules", "pause", "p", "--why", "broken").stdout == "schedule p paused\n"
        assert folder.rota("schedules", "pause", "p").returncode == 1
        assert ": broken" in folder.rota("schedules", "show", "p").stdout
        assert folder.json("schedules", "resume", "p") == {"schedule": "p", "resumed": True}
        assert folder.json("schedules", "show", "p")["paused_at"] is None
        assert folder.rota("schedules", "remove", "p").returncode == 0
        assert folder.json("schedules", "list") == {"schedules": []}

    def test_what_is_stored_is_changed_filled_up_and_verified(self, folder: UserFolder) -> None:
        folder.code("from main import *; app.schedules.add(send, every(hours=1), id='p', args=('a',))")

        edited = folder.rota("schedules", "edit", "p", "--trigger", "every 1m", "--overlap", "allow")
        assert edited.stdout == "schedule p: trigger, overlap changed\n"
        assert folder.rota("schedules", "edit", "p", "--overlap", "allow").stdout == "nothing changed\n"
        assert folder.rota("schedules", "edit", "p").returncode == 2
        refused = folder.rota("schedules", "edit", "p", "--trigger", "0 0 31 2 *")
        assert refused.returncode == 2
        assert "31" in refused.stderr

        backfill = ["schedules", "backfill", "p", "--from", "2h", "--to", "1h"]
        assert folder.json(*backfill)["jobs"] in {60, 61}
        again = folder.json(*backfill)["jobs"]
        assert again <= 1  # the minute that has begun meanwhile
        assert folder.rota("schedules", "backfill", "p").returncode == 2
        assert folder.json("schedules", "verify") == {"schedules": 1, "faults": []}
        assert folder.rota("schedules", "verify", "q").returncode == 1

    def test_a_preview_marks_what_a_change_of_clocks_touches(self, folder: UserFolder) -> None:
        folder.code(
            "from main import *; app.schedules.add("
            "send, cron('30 2 * * *', tz='Europe/Amsterdam'), id='p', args=('a',))"
        )

        marks = folder.json("schedules", "preview", "p", "-n", "400")["clock_changes"]
        assert len(marks) >= 2
        assert any("right after clocks go forward by 1:00:00" in one["note"] for one in marks)
        assert any("comes twice: the first" in one["note"] for one in marks)


class TestQueues:
    def test_a_paused_queue_explains_itself(self, folder: UserFolder) -> None:
        job = enqueue(folder, "send.enqueue('ada')")

        assert folder.rota("queues", "pause", "mail").stdout == "queue mail paused\n"
        assert folder.rota("queues", "pause", "mail").returncode == 1
        assert folder.json("queues", "list")["queues"][0]["paused_at"] is not None
        assert folder.json("jobs", "why", job)["reasons"][0]["code"] == "queue_paused"
        assert folder.rota("queues", "resume", "mail").returncode == 0

    def test_a_mistyped_name(self, folder: UserFolder) -> None:
        enqueue(folder, "send.enqueue('ada')")
        done = folder.rota("queues", "pause", "mial")

        assert (done.returncode, done.stderr) == (1, "Error: no queue 'mial'. Did you mean 'mail'?\n")


class TestCheck:
    def test_an_app_that_fits(self, folder: UserFolder) -> None:
        enqueue(folder, "send.enqueue('ada')")
        done = folder.rota("check", "main:app")

        assert done.returncode == 0
        assert "ok      app: 4 tasks, 1 schedule" in done.stdout

    def test_live(self, folder: UserFolder) -> None:
        with folder.started("worker") as worker:
            worker.wait_for(SERVES)
            found = folder.json("check", "main:app", "--live")
            assert found["ok"]
            assert {one["name"] for one in found["checks"]} >= {"round trip", "clock", "workers"}
            assert worker.stop() == 0
        assert folder.rota("check", "--live").returncode == 1

    def test_every_fault_of_the_settings_at_once(self, folder: UserFolder) -> None:
        (folder.path / "rota.toml").write_text('zone = "Nowhere"\nthreds = 3\n')
        folder.environment["ROTA_LEASE"] = "1s"
        done = folder.rota("check")

        assert done.returncode == 2
        for word in ("Nowhere", "'threds'. Did you mean 'threads'?", "lease=1 s"):
            assert word in done.stdout

    @pytest.mark.parametrize(
        ("locator", "word"),
        [
            ("mian:app", "there is no module 'mian'"),
            ("main:ap", "main has no Rota named 'ap'. It has: app"),
            ("wrong:app", "importing wrong failed: NameError("),
        ],
    )
    def test_an_app_that_cannot_be_found(self, folder: UserFolder, locator: str, word: str) -> None:
        folder.write("undefined\n", "wrong.py")
        done = folder.rota("check", locator)

        assert done.returncode == 2
        assert word in done.stdout
        assert "Traceback" not in done.stderr

    def test_a_job_that_no_app_knows(self, folder: UserFolder) -> None:
        enqueue(folder, "send.enqueue('ada')")
        folder.write(APP.replace("def send", "def sent"))
        done = folder.rota("check", "main:app")

        assert done.returncode == 1
        assert "FAULT   jobs: 1 job of task 'send', which no app here knows" in done.stdout


class TestHealthAndSchema:
    def test_from_nothing_to_a_live_worker(self, any_folder: UserFolder) -> None:
        assert any_folder.rota("health").returncode == 1
        assert any_folder.rota("db", "check").returncode == 1
        assert any_folder.rota("jobs", "list").returncode == 1
        assert any_folder.json("db", "upgrade")["applied"] != []
        assert any_folder.json("db", "upgrade")["applied"] == []
        assert any_folder.json("db", "check")["ok"]
        assert any_folder.json("health")["ok"]
        assert any_folder.rota("health", "--worker").returncode == 1
        with any_folder.started("worker") as worker:
            worker.wait_for(SERVES)
            assert any_folder.rota("health", "--worker").returncode == 0
            assert worker.stop() == 0

    def test_a_mistyped_url_makes_nothing(self, folder: UserFolder) -> None:
        done = folder.rota("jobs", "list", "--url", "sqlite:///other.db")

        assert done.returncode == 1
        assert "sqlite:///other.db holds no Rota yet" in done.stderr
        assert not (folder.path / "other.db").exists()

    def test_a_password_is_never_printed(self, folder: UserFolder) -> None:
        done = folder.rota("health", "--url", "postgresql://ada:secret@127.0.0.1:1/x")

        assert done.returncode == 1
        assert "secret" not in done.stdout + done.stderr


class TestVerify:
    def test_a_store_at_work_and_a_ledger(self, any_folder: UserFolder) -> None:
        done = enqueue(any_folder, "send.enqueue('ada')")
        ledger = any_folder.path / "ledger.jsonl"
        ledger.write_text(f'{{"what": "submit", "at": 1, "id": "{done}"}}\n')
        with any_folder.started("worker") as worker:
            worker.wait_for(SERVES)
            wait_until(any_folder, f"app.job('{done}').status() == 'succeeded'")
            verdict = any_folder.json("verify", "--ledger", str(ledger))
            assert (verdict["ok"], verdict["looked"]["history"], verdict["findings"]) == (True, 1, [])
        shown = any_folder.rota("verify")
        assert shown.returncode == 0
        assert shown.stdout.splitlines() == [
            "looked at 1 job (0 live, 0 dead, 1 finished), 0 scopes, 0 ticks",
            "nothing is wrong",
        ]

    def test_a_job_that_is_gone(self, any_folder: UserFolder) -> None:
        enqueue(any_folder, "send.enqueue('ada')")
        ledger = any_folder.path / "ledger.jsonl"
        any_folder.code(
            "import time\n"
            f'line = \'{{"what": "submit", "at": %s, "id": "{UNKNOWN}"}}\'\n'
            f"open('{ledger}', 'w').write(line % time.time() + chr(10))"
        )
        shown = any_folder.rota("verify", "--ledger", str(ledger))
        assert shown.returncode == 1
        assert shown.stdout.splitlines()[1:] == [
            f"FAULT   lost job: job {UNKNOWN} was submitted, and the store does not have it",
            "1 fault: lost job 1",
        ]
        assert any_folder.rota("verify", "--ledger", "nowhere.jsonl").returncode == 2


class TestWrongUse:
    @pytest.mark.parametrize(
        ("words", "hint"),
        [
            (["jbos"], "Did you mean 'jobs'?"),
            (["jobs", "lst"], "Did you mean 'list'?"),
            (["jobs", "list", "--sate", "ready"], "--state"),
            (["jobs", "list", "--state", "raedy"], "ready"),
            (["jobs", "list", "--since", "yesterday"], "give a moment such as"),
            (["jobs", "show", "7"], "'7' is no id"),
            (["jobs", "list", "--url", "mysql://x"], "no store has the scheme 'mysql'"),
            (["jobs", "list", "--app", "mian:app"], "there is no module 'mian'"),
            (["worker", "main:app", "--app", "other:app"], "are both given"),
            (["apy"], "No such command 'apy'"),
        ],
        ids=" ".join,
    )
    def test_it_ends_with_2_and_a_hint(self, folder: UserFolder, words: list[str], hint: str) -> None:
        done = folder.rota(*words)

        assert (done.returncode, done.stdout) == (2, "")
        assert hint in done.stderr
        assert "Traceback" not in done.stderr
        assert list(folder.path.glob("rota.db*")) == []

    def test_a_script_is_an_app_already(self, folder: UserFolder) -> None:
        done = folder.python("main.py", "jobs", "list", "--app", "main:app")

        assert done.returncode == 2
        assert "this script is an app already" in done.stderr


class TestPrograms:
    def test_a_reader_that_goes_away_is_no_error(self, folder: UserFolder) -> None:
        folder.code("from main import *; send.enqueue_many([('ada',)] * 2000)")
        with subprocess.Popen(
            [ROTA, "jobs", "list", "--json", "--limit", "2000"],
            cwd=folder.path,
            env=folder.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            assert process.stderr.read() == ""

    def test_as_a_module(self, folder: UserFolder) -> None:
        done = folder.python("-m", "rota", "--version")

        assert done.returncode == 0
        assert done.stdout.startswith("rota ")

    def test_no_colour_outside_a_terminal(self, folder: UserFolder) -> None:
        enqueue(folder, "send.enqueue('ada')")

        assert "\x1b" not in folder.rota("jobs", "list").stdout
