"""An app whose tasks bring their process down, which child processes can import."""

import asyncio
import ctypes
import os
import signal
import sys

from rota import Retry, current
from rota.app.rota import Rota

app = Rota(os.environ.get("ROTA_TEST_URL", "sqlite://"))


@app.task
async def crash(how: str) -> None:
    """Bring the process down, but not the test's own."""
    current().log.info("about to crash by %s", how)
    die(how)


@app.task(name="crash_in_thread")
def crash_in_thread(how: str) -> None:
    die(how)


@app.task(executor="process")
def crash_in_process(how: str) -> None:
    die(how)


@app.task(retry=Retry(2, delay=0))
async def where() -> int:
    await asyncio.sleep(0)
    return os.getpid()


@app.task
async def enqueues() -> str:
    job = await where.enqueue_async()
    return str(job.id)


def die(how: str) -> None:
    assert os.getpid() != int(os.environ.get("ROTA_TEST_SPARED", "0")), "this would end the test"
    if how == "exit":
        os._exit(7)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "segfault":
        sys.stderr.write("about to fault\n")
        sys.stderr.flush()
        ctypes.string_at(0)
