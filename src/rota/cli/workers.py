"""`rota workers`: look at workers, and ask them to leave."""

import click

from rota.cli.command import Group, Session, command
from rota.cli.options import WorkerArgument

__all__ = ["add_to"]


def add_to(root: click.Group) -> None:
    """Add the commands of this module."""
    group = Group("workers", help="Look at workers, and ask them to leave.")
    root.add_command(group)
    command(group, "list")(list_workers)
    command(group, "drain")(drain)


async def list_workers(session: Session) -> None:
    """List workers, the oldest first."""
    from rota.operations import views, workers

    async with session.target.open() as store:
        found = await workers.list_workers(store)
        now = await store.insight.now()
    out = session.out
    if out.json:
        out.document({"workers": views.plain(found)})
        return
    columns = ("id", "where", "state", "running", "slots", "queues", "started", "last beat", "version")
    rows = [
        (
            str(one.id),
            f"{one.host}:{one.pid}",
            "silent" if one.lease_until < now else "draining" if one.draining else "alive",
            str(one.running),
            " ".join(f"{name}={count}" for name, count in one.slots.items()),
            ",".join(one.queues),
            out.moment(one.started_at, now),
            out.moment(one.beat_at, now),
            one.version,
        )
        for one in found
    ]
    out.table(
        columns,
        rows,
        empty="No worker is running: rota worker MODULE:app",
        spare=("version", "started", "slots", "queues"),
    )


async def drain(session: Session, worker: WorkerArgument) -> None:
    """Ask a worker to claim nothing more, finish what it runs, and end."""
    from rota.operations import workers

    async with session.target.open() as store:
        await workers.drain(store, worker)
    if session.out.json:
        session.out.document({"worker": worker, "draining": True})
    else:
        session.out.line(f"worker {worker} claims nothing more and ends when its jobs have")
