"""A scheduler process, and the app whose schedules it fires.

Run as a module: `python -m tests.chaos.ticker URL FOLDER ROLE`, where ROLE is "scheduler" or "worker".
"""

import asyncio
import os
import sys
from datetime import datetime
from pathlib import Path

from msgspec import Struct, json

from rota import Rota, cron, current, every
from rota.app.serving import serve
from rota.model.schedule import ScheduleRecord
from rota.policy.misfires import CatchUp
from rota.triggers.base import Trigger

__all__ = ["LINES", "Fired", "definitions", "make_app", "read"]

LINES = ("* * * * * *", "*/2 * * * * *", "*/3 * * * * *", "1-59/2 * * * * *", "10,20,33,59 * * * * *")
"""Crontab lines of the schedules that an independent library recomputes."""


class Fired(Struct, frozen=True):
    """A job of a due moment ran."""

    schedule: str
    due: datetime
    job: str


def make_app(url: str, folder: Path) -> Rota:
    """Make the app: its task writes down which moment it ran for."""
    app = Rota(url, name="ticker")

    @app.task(result_ttl=0)
    async def note() -> None:
        job = current().job
        line = json.encode(Fired(job.schedule or "", job.due, str(job.id))) + b"\n"  # type: ignore[arg-type]  # a tick has one
        file = os.open(folder / "ticks.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, line)
        finally:
            os.close(file)

    return app


def read(folder: Path) -> list[Fired]:
    """Return all that ran."""
    file = folder / "ticks.jsonl"
    if not file.exists():
        return []
    return [json.decode(line, type=Fired) for line in file.read_bytes().splitlines()]


def definitions(app: Rota, number: int) -> list[ScheduleRecord]:
    """Return schedules, half of them by crontab lines, half by intervals; no moment is left out."""
    return [
        app.schedules.make(
            "note", _trigger(place), id=f"s{place:04}", catch_up=CatchUp.ALL.value, overlap="allow"
        )
        for place in range(number)
    ]


def _trigger(place: int) -> Trigger:
    if place % 2:
        return cron(LINES[place // 2 % len(LINES)])
    return every(microseconds=(1500 + place) * 1000) if place % 4 else every(seconds=3)


if __name__ == "__main__":
    asyncio.run(serve(make_app(sys.argv[1], Path(sys.argv[2])), [sys.argv[3]]))
