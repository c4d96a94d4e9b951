"""Verbs on jobs by id or by filter: by filter they count, ask and then act."""

import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import click
from msgspec import Struct, structs

from rota.cli.command import Session
from rota.cli.options import Filters
from rota.model.errors import ConfigurationError
from rota.model.job import JobFilter
from rota.model.states import State
from rota.operations import jobs as operations
from rota.operations.text import counted
from rota.ports.store import Store

__all__ = ["Verb", "act"]

COUNTED_UP_TO = 10_000


class Verb(Struct, frozen=True, kw_only=True):
    """What can be done to many jobs.

    `by_filter` returns what was done to which jobs; `states` is what a filter means when it names none.
    """

    name: str
    by_id: Callable[[Store, Sequence[UUID]], Awaitable[list[operations.Outcome]]]
    by_filter: Callable[[Store, JobFilter], Awaitable[dict[str, Sequence[UUID]]]]
    states: frozenset[State]


async def act(session: Session, verb: Verb, ids: Sequence[UUID], filters: Filters, *, yes: bool) -> int:
    """Do a verb to the jobs that the command line means; returns the exit code."""
    if ids and filters.given:
        raise ConfigurationError(["give ids or filters, not both"])
    if not ids and not filters.given:
        raise ConfigurationError([f"give ids of jobs, or filters such as --queue, for what to {verb.name}"])
    async with session.target.open() as store:
        if ids:
            return _tell_each(session, await verb.by_id(store, ids))
        return await _act_on_all(session, store, verb, filters, yes=yes)


async def _act_on_all(session: Session, store: Store, verb: Verb, filters: Filters, *, yes: bool) -> int:
    which = filters.resolve(await store.insight.now())
    if not which.states:
        which = structs.replace(which, states=verb.states)
    if not yes and not await _confirmed(store, verb, which):
        return 1
    done = await verb.by_filter(store, which)
    if session.out.json:
        session.out.document(done)
    else:
        counts = [f"{len(jobs):,} {what}" for what, jobs in done.items() if jobs]
        session.out.line(f"{', '.join(counts) or f'no job to {verb.name}'}")
    return 0


async def _confirmed(store: Store, verb: Verb, which: JobFilter) -> bool:
    if not sys.stdin.isatty():
        raise ConfigurationError([f"{verb.name} by filter asks first, and here is no terminal: add --yes"])
    number = await operations.count(store, which, limit=COUNTED_UP_TO)
    if number == 0:
        click.echo(f"No job to {verb.name}.", err=True)
        return False
    many = f"at least {number:,} jobs" if number == COUNTED_UP_TO else counted(number, "job")
    return click.confirm(f"{verb.name.capitalize()} {many}?", err=True)


def _tell_each(session: Session, outcomes: Sequence[operations.Outcome]) -> int:
    if session.out.json:
        rows: list[dict[str, Any]] = [
            {"job": one.job, "done": one.done or None, "refused": one.refused or None} for one in outcomes
        ]
        session.out.document({"jobs": rows})
    for one in outcomes:
        if one.refused:
            click.echo(f"Error: job {one.job}: {one.refused}", err=True)
        elif not session.out.json:
            session.out.line(f"job {one.job} {_DONE[one.done]}")
    return 1 if any(one.refused for one in outcomes) else 0


_DONE = {
    "cancelled": "is cancelled",
    "requested": "is running: its task was asked to stop",
    "retried": "runs again",
}
