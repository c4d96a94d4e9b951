"""What a request finds at hand: the store, the settings, the app's definitions."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from msgspec import Struct, field

from rota.definitions.registry import Registry
from rota.model.access import NewAudit
from rota.model.job import Submission, Submitted
from rota.operations.feed import EventFeed
from rota.operations.grouping import Groups
from rota.ports.store import Store
from rota.settings import Settings
from rota.web.remembering import Identities
from rota.web.shared import Shared
from rota.web.throttle import Throttle

if TYPE_CHECKING:
    from rota.model.schedule import ScheduleRecord

__all__ = ["Here", "WebContext", "make_context"]


class WebContext(Struct, frozen=True, kw_only=True):
    """One web process.

    Args:
        store: open in the loop that serves.
        settings: the app's.
        registry: the app's definitions; empty where no app was given.
        declared: returns the schedules of the app's code.
        logins: counts failed logins.
        shared: answers for all who ask at one moment.
        stopping: set when this process ends, so that streams end too.
        metrics: returns the metrics in a form that is accepted, and its media type; None: not installed.
        identities: who was recognised just now.
        submits: stores single jobs, those of concurrent requests in one statement.
        audits: the same for lines of the audit log.
        events: the line of all events, read once for all who listen.
    """

    store: Store
    settings: Settings
    registry: Registry
    declared: "Callable[[], Sequence[ScheduleRecord]]"
    logins: Throttle
    identities: Identities
    submits: Groups[Submission, Submitted]
    audits: Groups[NewAudit, None]
    events: EventFeed
    shared: Shared = field(default_factory=Shared)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    metrics: Callable[[str], Awaitable[tuple[bytes, str]]] | None = None


def make_context(
    store: Store,
    settings: Settings,
    registry: Registry,
    declared: "Callable[[], Sequence[ScheduleRecord]]",
    *,
    metrics: Callable[[str], Awaitable[tuple[bytes, str]]] | None = None,
) -> WebContext:
    """Return what the requests of one process share; see `WebContext`."""

    async def write_down(lines: Sequence[NewAudit]) -> Sequence[None]:
        await store.access.audit(lines)
        return [None] * len(lines)

    return WebContext(
        store=store,
        settings=settings,
        registry=registry,
        declared=declared,
        logins=Throttle(),
        identities=Identities(store),
        submits=Groups(store.jobs.submit, lanes=2),
        audits=Groups(write_down),
        events=EventFeed(store.trail),
        metrics=metrics,
    )


def _context(request: Request) -> WebContext:
    context: WebContext = request.app.state.context
    return context


Here = Annotated[WebContext, Depends(_context)]
"""Gives a route the process's context."""
