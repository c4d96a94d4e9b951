"""The demo as an app: real work on real input, written as you would write yours.

    rota demo --once      runs it once
    rota run              runs it once, and keeps serving

Many jobs read the world's time zones side by side, then one job after another builds a table for the report.
Kill it in the middle and start it again: it goes on, and the report is the same. Its tables are a file beside
Rota's, so it runs on one machine.
"""

from rota import Retry, Rota, current, every
from rota.demo import tables, world
from rota.demo.summaries import SUMMARIES, SUMMER_TIME
from rota.demo.tzif import read_changes

CHUNKS = 26
QUEUE = "demo"
SCHEDULE = "demo-summer-time"

# A worker that is killed loses its jobs to the next one after 3 s, instead of the usual 30.
app = Rota(queues=QUEUE, lease=3, extend_every=1, grace=3)


@app.task(queue=QUEUE, timeout=120)
async def clocks() -> None:
    """The whole demo: many jobs side by side, then one step after another."""
    total = CHUNKS + len(SUMMARIES)
    preparing = await prepare.enqueue_async()
    await preparing.result_async()

    jobs = await read_zones.enqueue_many_async([(chunk,) for chunk in range(CHUNKS)])
    for done, job in enumerate(jobs, 1):
        await job.result_async()
        current().progress(done, total)

    for done, name in enumerate(SUMMARIES, CHUNKS + 1):
        step = await summarise.enqueue_async(name)
        await step.result_async()
        current().progress(done, total)


@app.task(queue=QUEUE, retry=Retry(2))
def prepare() -> None:
    """Store what there is to read."""
    tables.prepare(world.zones(), world.countries())


@app.task(queue=QUEUE, retry=Retry(2))
def read_zones(chunk: int) -> int:
    """Read one chunk of zones; a second run replaces what the first one stored."""
    names = [zone.name for zone in world.zones()[chunk::CHUNKS]]
    stored = tables.replace_changes({name: read_changes(world.zone_data(name)) for name in names})
    current().log.info("%d zones, %d changes", len(names), stored)
    return stored


@app.task(queue=QUEUE, retry=Retry(2))
def summarise(name: str) -> int:
    """Build one summary table from those that are there."""
    return tables.build(name)


@app.schedule(every(minutes=1), id=SCHEDULE, queue=QUEUE)
def summer_time() -> str:
    """Something to watch while the demo keeps serving: see `rota jobs list`."""
    ((summer, zones),) = tables.rows(SUMMER_TIME)
    return f"{summer} of {zones} zones are on summer time"


if __name__ == "__main__":
    app.cli()
