"""`rota queues`: look at queues, pause and resume them."""

from typing import Annotated

import click

from rota.cli.command import Argument, Group, Session, command, person

__all__ = ["add_to"]

Name = Annotated[str, Argument(metavar="NAME")]


def add_to(root: click.Group) -> None:
    """Add the commands of this module."""
    group = Group("queues", help="Look at queues, pause and resume them.")
    root.add_command(group)
    command(group, "list")(list_queues)
    command(group, "pause")(pause)
    command(group, "resume")(resume)


async def list_queues(session: Session) -> None:
    """List queues and what waits in them."""
    from rota.operations import queues, views

    async with session.target.open() as store:
        found = await queues.list_queues(store)
        now = await store.insight.now()
    out = session.out
    if out.json:
        out.document({"queues": views.plain(found)})
        return
    columns = ("queue", "ready", "held", "scheduled", "running", "waiting", "oldest ready", "state")
    rows = [
        (
            one.name,
            str(one.ready),
            str(one.held),
            str(one.scheduled),
            str(one.running),
            str(one.waiting),
            out.moment(one.oldest, now),
            "paused" if one.paused_at else "open",
        )
        for one in found
    ]
    out.table(columns, rows, empty="There are no queues.", spare=("waiting", "held", "oldest ready"))


async def pause(session: Session, queue: Name) -> int:
    """Stop workers from claiming jobs of a queue; what runs goes on."""
    from rota.operations import queues

    async with session.target.open() as store:
        # Without --url the app is at hand, and may name a queue that the store has not seen.
        app = session.target.app if session.target.url is None else None
        known = app.registry.queues() if app is not None else ()
        done = await queues.pause(store, queue, person(), known)
    return _answer(session, queue, "paused", done=done)


async def resume(session: Session, queue: Name) -> int:
    """Let workers claim jobs of a queue again."""
    from rota.operations import queues

    async with session.target.open() as store:
        done = await queues.resume(store, queue)
    return _answer(session, queue, "resumed", done=done)


def _answer(session: Session, queue: str, verb: str, *, done: bool) -> int:
    if session.out.json:
        session.out.document({"queue": queue, verb: done})
    elif done:
        session.out.line(f"queue {queue} {verb}")
    else:
        state = "paused already" if verb == "paused" else "not paused"
        click.echo(f"Error: queue {queue} is {state}", err=True)
    return 0 if done else 1
