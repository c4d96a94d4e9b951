"""An app that has something to show on every page, and what has happened to it before a test looks."""

__all__ = ["APP", "HISTORY"]

APP = """
import asyncio

from rota import Rota, cron, current, every

app = Rota()


@app.task(queue="mail")
async def send(to: str, subject: str = "Hello") -> dict[str, str]:
    current().log.info("sending to %s", to)
    return {"to": to, "subject": subject}


@app.task(queue="import")
def load(number: int) -> None:
    if number % 3:
        raise ValueError(f"row {number % 3} has no column 'name'")
    raise ConnectionError("the archive did not answer within 30 s")


@app.task(queue="slow")
async def counting(total: int, pause: float = 0.1) -> int:
    job = current()
    for number in range(total):
        job.log.info("line %d", number)
        job.progress(number + 1, total)
        await asyncio.sleep(pause)  # slow enough to be watched
    return total


@app.task(queue="slow")
async def endless() -> None:
    await asyncio.sleep(3600)  # runs until somebody cancels it


@app.task(queue="parked")
async def parked(number: int) -> int:
    return number


@app.schedule(cron("0 1 * * *", tz="Europe/Amsterdam"), id="nightly-sync", queue="mail")
def nightly() -> None:
    pass


@app.schedule(cron("*/15 * * * *", tz="America/New_York"), id="refresh-prices", queue="mail")
async def refresh() -> None:
    pass


@app.schedule(every(hours=2), id="collect-figures", queue="mail")
async def collect() -> None:
    pass


@app.schedule(cron("30 6 * * mon-fri", tz="Europe/Amsterdam"), id="weekday-report", queue="mail")
async def report() -> None:
    pass


if __name__ == "__main__":
    app.cli()
"""

HISTORY = """
from datetime import UTC, datetime, timedelta
from main import app, counting, endless, load, parked, send

send.enqueue_many([(f"reader-{number}@example.org",) for number in range(40)])
load.enqueue_many([(number,) for number in range(9)])
counting.enqueue(400, 0.5)
endless.enqueue()
later = send.options(delay=timedelta(hours=3), key="tenant-7", rank=5, tags={"campaign": "spring"})
later.enqueue("ada@example.org")
parked.enqueue_many([(number,) for number in range(12)])
app.schedules.add_many(app.schedules.declared())
now = datetime.now(UTC)
for name in ("refresh-prices", "collect-figures"):
    app.schedules.backfill(name, now - timedelta(hours=22), now - timedelta(hours=2))
app.close()
"""
