"""What is told to whom: endpoints that an app declares, and the jobs that carry notices to them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal, get_args
from uuid import UUID

import msgspec
from msgspec import Struct

from rota.model.job import ClaimedJob, Submission
from rota.model.outcome import Failed
from rota.model.schedule import Tick

if TYPE_CHECKING:
    from rota.definitions.task import Task

__all__ = ["DELIVER", "KINDS", "OWN", "QUEUE", "WATCH", "Endpoint", "Kind", "Notices", "Watched"]

Kind = Literal["job.failed", "job.late", "job.expired", "schedule.late", "schedule.missed"]
KINDS: tuple[str, ...] = get_args(Kind)

OWN = "rota."
"""How the tasks begin that carry notices: nobody is told of these, or a notice could follow on a notice."""
DELIVER, WATCH = f"{OWN}notice", f"{OWN}watch"
QUEUE = "notices"
QUIET = timedelta(minutes=5)
# A job that expires at its moment is taken for expired a little later, when the promoter has been there.
MARGIN = timedelta(seconds=2)


class Endpoint(Struct, frozen=True, kw_only=True):
    """Who is told.

    Args:
        name: by which its jobs find it.
        url: http or https.
        keys: they sign what is sent, the newest first.
        on: the kinds of notices that it gets.
        tasks: only of these tasks; empty: all.
        late_tick: a schedule's tick counts as late after so many seconds.
    """

    name: str
    url: str
    keys: tuple[bytes, ...]
    on: frozenset[str]
    tasks: frozenset[str] = frozenset()
    late_tick: float = 60.0

    def wants(self, kind: str, task: str) -> bool:
        """Tell whether it is told of this."""
        return kind in self.on and not task.startswith(OWN) and (not self.tasks or task in self.tasks)


class Watched(Struct, frozen=True, kw_only=True):
    """A job that is looked at when it should have started: `kind` is what is told if it has not."""

    job: UUID
    kind: str
    task: str
    queue: str
    key: str | None = None
    after: float = 0.0


class Notices:
    """The endpoints of an app. What it makes has ids that follow from what it is about: twice is once."""

    def __init__(self) -> None:
        self.endpoints: dict[str, Endpoint] = {}

    def __bool__(self) -> bool:
        return bool(self.endpoints)

    def of_failure(self, job: ClaimedJob, task: str, outcome: Failed) -> list[Submission]:
        """Return the notices of a job that goes to the dead letters.

        They are stored before the job's own end is: a crash in between loses none. Whoever delivers
        them looks whether the job has failed indeed.
        """
        if not self.endpoints:
            return []
        data = {
            **_job_data(job.id, task, job.queue, job.key),
            "attempt": job.attempt,
            "schedule": job.schedule,
            "error": {"kind": outcome.fault.kind, "message": outcome.fault.message[:1000]},
        }
        about = f"{job.id}:{job.token}"
        return self._notices("job.failed", task, job.id.bytes, about, data, token=job.token)

    def of_watch(self, watched: Watched) -> list[Submission]:
        """Return the notices of a job that has not started in time: at most one for a task in 5 minutes."""
        data = _job_data(watched.job, watched.task, watched.queue, watched.key) | {"after": watched.after}
        made = self._notices(watched.kind, watched.task, watched.job.bytes, str(watched.job), data)
        for one in made:
            endpoint = msgspec.json.decode(one.payload)["endpoint"]
            one.unique_key = f"{DELIVER}:{endpoint}:{watched.kind}:{watched.task}"
            one.unique_for = QUIET
        return made

    def of_tick(self, tick: Tick, task: str, late: float) -> list[Submission]:
        """Return the notices of a due moment that was handled late, or of such that nobody handled."""
        data = {"schedule": tick.schedule, "task": task, "due": tick.due, "late": late}
        about = f"{tick.schedule}:{tick.due.isoformat()}"
        moment = int(tick.due.timestamp() * 1000).to_bytes(6)
        missed = tick.missed + (tick.state == "missed")
        made: list[Submission] = []
        if missed:
            more = {"missed": missed, "until": tick.at}
            made += self._notices("schedule.missed", task, moment, about, data | more)
        elif any(late > one.late_tick for one in self.endpoints.values()):
            wanting = [one for one in self.endpoints.values() if late > one.late_tick]
            made += self._notices("schedule.late", task, moment, about, data, among=wanting)
        return made

    def watches(
        self, submissions: Iterable[Submission], tasks: "Mapping[str, Task[Any, Any]]"
    ) -> list[Submission]:
        """Return the jobs that look, in time, whether these have started; for those of whom somebody is told.

        Args:
            submissions: on their way into the store.
            tasks: by name; they say after how long a job that has not started is late.
        """
        made = []
        for one in submissions:
            task = tasks.get(one.task)
            after = task.late if task is not None else None
            if after is not None and self._wanted("job.late", one.task):
                delay = timedelta(seconds=after)
                due = None if one.run_at is None else one.run_at + delay
                delay += one.delay or timedelta()
                made.append(_watch(one, "job.late", after, run_at=due, delay=delay))
            if (one.expires_at or one.expires_in) and self._wanted("job.expired", one.task):
                due = None if one.expires_at is None else one.expires_at + MARGIN
                delay = (one.expires_in or timedelta()) + MARGIN
                made.append(_watch(one, "job.expired", 0.0, run_at=due, delay=delay))
        return made

    def _wanted(self, kind: str, task: str) -> bool:
        return any(one.wants(kind, task) for one in self.endpoints.values())

    def _notices(
        self,
        kind: str,
        task: str,
        moment: bytes,
        about: str,
        data: dict[str, Any],
        *,
        token: int | None = None,
        among: Sequence[Endpoint] | None = None,
    ) -> list[Submission]:
        told = self.endpoints.values() if among is None else among
        about = f"{kind}:{about}"
        return [
            _notice(one, kind, _id(moment, f"{one.name}:{about}"), data, token)
            for one in told
            if one.wants(kind, task)
        ]


def _notice(endpoint: Endpoint, kind: str, job: UUID, data: dict[str, Any], token: int | None) -> Submission:
    arguments = {"endpoint": endpoint.name, "kind": kind, "data": data, "token": token}
    return Submission(
        id=job,
        task=DELIVER,
        queue=QUEUE,
        executor="async",
        payload=msgspec.json.encode(arguments),
    )


def _watch(
    one: Submission, kind: str, after: float, *, run_at: datetime | None, delay: timedelta
) -> Submission:
    watched = Watched(job=one.id, kind=kind, task=one.task, queue=one.queue, key=one.key, after=after)
    return Submission(
        id=_id(one.id.bytes, f"watch:{kind}:{one.id}"),
        task=WATCH,
        queue=QUEUE,
        executor="async",
        payload=msgspec.json.encode({"watched": watched}),
        run_at=run_at,
        delay=None if run_at is not None else delay,
    )


def _job_data(job: UUID, task: str, queue: str, key: str | None) -> dict[str, Any]:
    return {"job": job, "task": task, "queue": queue, "key": key}


def _id(moment: bytes, about: str) -> UUID:
    """Return the id that follows from what a job is about, as a UUIDv7 of the moment in the first 6 bytes."""
    rest = bytearray(sha256(about.encode()).digest()[:10])
    rest[0] = 0x70 | rest[0] & 0x0F
    rest[2] = 0x80 | rest[2] & 0x3F
    return UUID(bytes=moment[:6] + bytes(rest))
