"""Notices as jobs: the tasks that look whether something is late, and that deliver what is to be told."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from rota.definitions.attempt import current
from rota.definitions.notices import DELIVER, KINDS, QUEUE, WATCH, Endpoint, Watched
from rota.model.clock import SystemClock
from rota.model.errors import ConfigurationError
from rota.model.outcome import Cancelled, Failed, Fault, Snooze
from rota.model.states import State
from rota.policy.retrying import Retry
from rota.policy.signing import decode_secret, sign
from rota.telemetry.webhooks import RefusedAddressError, check_url, post

if TYPE_CHECKING:
    from rota.app.rota import Rota

__all__ = ["add_endpoint"]

_RETRY = Retry(9, delay=5, factor=4, max_delay=21_600, never=(RefusedAddressError,))
_ATTEMPT_TIMEOUT = 60.0
_SOON = 1.0
_CLOCK = SystemClock()
_GONE = 410


def add_endpoint(
    app: "Rota",
    url: str,
    *,
    secret: str | Iterable[str],
    on: Iterable[str],
    tasks: Iterable[str],
    late_tick: float,
    name: str,
) -> None:
    """Add who is told, and the tasks that tell (see `Rota.notify`)."""
    faults = [f"{fault}" for fault in (check_url(url),) if fault]
    keys: list[bytes] = []
    for one in [secret] if isinstance(secret, str) else secret:
        try:
            keys.append(decode_secret(one))
        except ValueError as error:
            faults.append(f"its secret {error}: make one with `openssl rand -base64 32`")
    if not keys and not faults:
        faults.append("it has no secret: make one with `openssl rand -base64 32`")
    faults += [f"on={kind!r}: choose of {', '.join(KINDS)}" for kind in on if kind not in KINDS]
    if name in app.registry.notices.endpoints:
        faults.append("there is one of this name already: give name=")
    if faults:
        raise ConfigurationError([f"notify {name!r}: {fault}" for fault in faults])
    if not app.registry.notices:
        _add_tasks(app)
    app.registry.notices.endpoints[name] = Endpoint(
        name=name,
        url=url,
        keys=tuple(keys),
        on=frozenset(on),
        tasks=frozenset(tasks),
        late_tick=late_tick,
    )


def _add_tasks(app: "Rota") -> None:
    async def deliver(endpoint: str, kind: str, data: dict[str, Any], token: int | None) -> Any:
        if token is not None and current().attempt == 1:
            fate = await _fate(app, UUID(data["job"]), int(data["attempt"]), token)
            if fate is not None:
                return fate
        return await _deliver(app, endpoint, kind, data)

    async def watch(watched: Watched) -> Any:
        return await _watch(app, watched)

    options: dict[str, Any] = {"queue": QUEUE, "timeout": _ATTEMPT_TIMEOUT, "retry": _RETRY}
    app.add_task(deliver, options | {"name": DELIVER})
    app.add_task(watch, options | {"name": WATCH})


async def _fate(app: "Rota", job: UUID, attempt: int, token: int) -> Snooze | Cancelled | None:
    """Look whether a job has failed as its notice says; the notice was stored before the job's end was."""
    record = await app.connection.run_async(lambda store: store.insight.job(job))
    if record is not None and record.state == State.FAILED and record.attempt == attempt:
        return None
    if record is not None and record.token == token:
        return Snooze(_seconds(_SOON), "the job's end is on its way")
    return Cancelled("the job has not failed after all, or was redriven")


async def _deliver(app: "Rota", name: str, kind: str, data: dict[str, Any]) -> Any:
    endpoint = app.registry.notices.endpoints.get(name)
    if endpoint is None:
        return _failed("UnknownEndpoint", f"this app has no endpoint {name!r} any more")
    job, now = current().job_id, _CLOCK.now()
    # The moment in the body is that of the notice; this try has its own, in the header.
    body = msgspec.json.encode({"type": kind, "timestamp": current().job.submitted_at, "data": data})
    timestamp = int(now.timestamp())
    headers = {
        "webhook-id": str(job),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(endpoint.keys, str(job), timestamp, body),
        "User-Agent": "rota",
    }
    hosts = [one.strip().lower() for one in app.settings.notify_hosts.split(",") if one.strip()]
    status = await asyncio.to_thread(post, endpoint.url, body, headers, hosts)
    if status == _GONE:
        return _failed("EndpointGone", f"{name} answered 410: it wants no more notices")
    return status


async def _watch(app: "Rota", watched: Watched) -> Snooze | None:
    record = await app.connection.run_async(lambda store: store.insight.job(watched.job))
    if record is None:
        # It was never stored, as where another of its unique text was there, or its history is over.
        return None
    now = await app.connection.run_async(lambda store: store.insight.now())
    unbegun = record.state in {State.SCHEDULED, State.READY} and record.attempt == 0
    if watched.kind == "job.expired":
        if unbegun and record.expires_at is not None:
            return Snooze(max(_seconds(_SOON), record.expires_at - now + _seconds(_SOON)), "not expired yet")
        told = record.state == State.EXPIRED
    else:
        due = record.run_at if record.state == State.SCHEDULED else None
        if unbegun and due is not None and due + _seconds(watched.after) > now:
            return Snooze(due + _seconds(watched.after) - now, "it was put off")
        told = unbegun
    if told:
        made = app.registry.notices.of_watch(watched)
        await app.connection.run_async(lambda store: store.jobs.submit(made, resend=True))
    return None


def _failed(kind: str, message: str) -> Failed:
    return Failed(Fault(kind=kind, message=message))


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)
