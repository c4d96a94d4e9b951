"""A process of a role that is to be killed: worker, scheduler, `run` (both), or one that submits."""

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing import parent_process
from multiprocessing.connection import wait
from pathlib import Path
from uuid import UUID

from msgspec import Struct

from rota import Rota
from rota.app.serving import ROLES, run_loop, serve
from rota.engine.announcer import Announcer
from rota.model.errors import SubmitUncertainError
from rota.model.events import WorkerStarted
from rota.model.job import Submission
from tests.chaos.ledger import Ledger, append, read

__all__ = ["Born", "Intent", "live", "plan"]

ENOUGH = 4000
GAP = 0.5


class Born(Struct, frozen=True):
    """A worker of a process; or, with `slept`, that the process got no time for so many seconds."""

    pid: int
    worker: str
    slept: float = 0.0


class Intent(Struct, frozen=True, omit_defaults=True):
    """A batch that is about to be submitted; without jobs, that it was answered, or is cancelled in part."""

    batch: int
    jobs: tuple[Submission, ...] = ()
    answered: bool = False
    cancelled: tuple[UUID, ...] = ()


def live(url: str, folder: str, role: str, seed: int, until: tuple[int, float]) -> None:
    """Live as a role until something kills this process, or it is asked to end.

    Args:
        url: the store.
        folder: where the ledger is.
        role: see `traps.PHASES`.
        seed: decides when it dies; -1: it does not.
        until: for a submitter, how many batches it submits, or until which second of the machine's clock.
    """
    log = os.open(Path(folder) / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.environ |= {"ROTA_CHAOS_URL": url, "ROTA_CHAOS_FOLDER": folder, "ROTA_CHAOS_VICTIM": f"{role}:{seed}"}
    for work in (_end_with_the_test, lambda: _watch_the_clock(Path(folder))):
        threading.Thread(target=work, daemon=True).start()
    from tests.chaos.loaded import app

    if role == "submitter":
        app.trap.arm()
        _submit(app, Path(folder), *until)
        # A timer is left behind where none was needed.
        os._exit(0)
    announcer = Announcer()
    announcer.subscribe(
        WorkerStarted, lambda event: append(Path(folder) / "born.jsonl", Born(os.getpid(), str(event.id)))
    )
    roles = ROLES if role == "run" else (role,)
    run_loop(serve(app, roles, locator="tests.chaos.loaded:app", announcer=announcer, ready=app.trap.arm))
    sys.stdout.flush()
    os._exit(0)


def _end_with_the_test() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)


def _watch_the_clock(folder: Path) -> None:
    """Note when this process got no time for long: its lease may have passed, through nobody's fault."""
    while True:
        before = time.monotonic()
        time.sleep(0.1)  # shows by how much longer it takes
        slept = time.monotonic() - before
        if slept > GAP:
            append(folder / "born.jsonl", Born(os.getpid(), "", slept))


def plan(app: Rota, seed: int, batch: int) -> list[Submission]:
    """Return the jobs of a batch, by the seed and its number alone."""
    draw = random.Random(f"{seed}:{batch}")

    def length() -> tuple[int]:
        return (draw.randint(5, 200),)

    kinds: list[tuple[int, Callable[[], Submission]]] = [
        (70, lambda: app.tasks["work"].submission(length(), {})),
        (3, lambda: app.tasks["block"].submission(length(), {})),
        (1, lambda: app.tasks["crunch"].submission(length(), {"dies": draw.random() < 0.2})),
        (6, lambda: app.tasks["flaky"].submission(length(), {})),
        (1, lambda: app.tasks["doomed"].submission(length(), {})),
        (4, lambda: app.tasks["sleepy"].submission(length(), {})),
        (3, lambda: app.tasks["limited"].options(key=f"k{draw.randint(1, 6)}").submission(length(), {})),
        (1, lambda: app.tasks["solo"].submission(length(), {})),
        (3, lambda: app.tasks["work"].options(unique=f"u{draw.randint(1, 50)}").submission(length(), {})),
        (3, lambda: app.tasks["work"].options(delay=draw.random()).submission(length(), {})),
    ]
    weights, makers = zip(*kinds, strict=True)
    return [make() for make in draw.choices(makers, weights, k=draw.randint(1, 200))]


def _submit(app: Rota, folder: Path, batches: int, until: float) -> None:
    """Submit batch after batch. What was sent before and not answered is sent again: one job comes of it."""
    intents, ledger = folder / "intents.jsonl", Ledger(folder)
    seed = int((folder / "seed").read_text())
    known = read(intents, Intent)
    answered = {intent.batch for intent in known if intent.answered}
    for intent in known:
        if intent.jobs and intent.batch not in answered:
            again = app.resend(SubmitUncertainError(intent.jobs, "killed"))
            _answer(intents, ledger, intent.batch, [job.id for job in again])
    batch = max((intent.batch for intent in known), default=0)
    while batch < batches if batches else time.time() < until:
        batch += 1
        while _backlog(app) > ENOUGH:
            time.sleep(0.1)  # lets workers catch up: the store tells nobody when it is half empty
        jobs = tuple(plan(app, seed, batch))
        append(intents, Intent(batch, jobs))
        ids = [one.id for one in app.submit(jobs)]
        _answer(intents, ledger, batch, ids)
        some = tuple(random.Random(f"{seed}:{batch}:cancel").sample(ids, len(ids) // 50))
        append(intents, Intent(batch, answered=True, cancelled=some))
        for job in some:
            app.job(job).cancel()


def _answer(intents: Path, ledger: Ledger, batch: int, ids: list[UUID]) -> None:
    """Write down what the store has said is stored."""
    for job in ids:
        ledger.write("submit", str(job))
    append(intents, Intent(batch, answered=True))


def _backlog(app: Rota) -> int:
    counts = app.connection.run("queues", lambda store: store.insight.queues())
    return sum(one.ready + one.held for one in counts)
