"""Options that several commands take, and how their words become values."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import click

from rota.cli.command import Argument, Option
from rota.model.errors import did_you_mean
from rota.model.job import JobFilter
from rota.model.states import State
from rota.settings import parse_seconds

__all__ = [
    "Filters",
    "IdsArgument",
    "JobArgument",
    "Moment",
    "ScheduleArgument",
    "Tag",
    "WebOptions",
    "WorkerArgument",
    "WorkerOptions",
    "YesOption",
]


class Moment(NamedTuple):
    """A moment as it was written: fixed, or so long ago by the store's clock."""

    at: datetime | None
    ago: timedelta = timedelta(0)

    def resolve(self, now: datetime) -> datetime:
        """Return the moment itself."""
        return self.at or now - self.ago


class Tag(NamedTuple):
    """A tag of a job."""

    name: str
    value: str


def moment(text: str) -> Moment:
    """Read "2026-03-29T01:00+02:00" (UTC where no zone is given) or "2h", so long ago."""
    seconds = parse_seconds(text)
    if seconds is not None:
        return Moment(None, timedelta(seconds=seconds))
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        hint = "give a moment such as 2026-03-29T01:00+02:00, or how long ago: 90s, 15m, 2h, 7d"
        raise click.BadParameter(f"{text!r} is no moment; {hint}") from None
    return Moment(at if at.tzinfo else at.replace(tzinfo=UTC))


def identifier(text: str) -> UUID:
    """Read an id."""
    try:
        return UUID(text)
    except ValueError:
        hint = "an id is like 0190b3a8-7c1e-7abc-8def-0123456789ab"
        raise click.BadParameter(f"{text!r} is no id; {hint}") from None


def tag(text: str) -> Tag:
    """Read "name=value"."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise click.BadParameter(f"{text!r} is no tag; give NAME=VALUE, such as team=billing")
    return Tag(name, value)


def state(text: str) -> State:
    """Read the name of a state."""
    try:
        return State(text)
    except ValueError:
        hint = f"{did_you_mean(text, map(str, State))} States: {', '.join(State)}"
        raise click.BadParameter(f"{text!r} is no state.{hint}") from None


JobArgument = Annotated[UUID, Argument(metavar="ID", parse=identifier)]
IdsArgument = Annotated[tuple[UUID, ...], Argument(metavar="[ID]...", parse=identifier, many=True)]
WorkerArgument = Annotated[UUID, Argument(metavar="ID", parse=identifier)]
ScheduleArgument = Annotated[str, Argument(metavar="ID|TASK")]
YesOption = Annotated[bool, Option("--yes -y", "Do not ask.")]

_State = Option("--state", "In this state; may be repeated.", metavar="STATE", parse=state, many=True)
_Queue = Option("--queue", "In this queue.", metavar="NAME")
_Task = Option("--task", "Of this task.", metavar="NAME")
_Key = Option("--key", "With this key.", metavar="KEY")
_Tag = Option("--tag", "With this tag.", metavar="NAME=VALUE", parse=tag)
_Schedule = Option("--schedule", "Made by this schedule.", metavar="ID")
_Parent = Option("--parent", "Enqueued by this job.", metavar="ID", parse=identifier)
_Fault = Option("--fault", "Whose last error was of this class.", metavar="NAME")
_Since = Option(
    "--since", "Submitted then or later: a moment, or 2h for two hours ago.", metavar="WHEN", parse=moment
)
_Until = Option("--until", "Submitted before that.", metavar="WHEN", parse=moment)


class Filters(NamedTuple):
    """Which jobs are meant."""

    state: Annotated[tuple[State, ...], _State] = ()
    queue: Annotated[str | None, _Queue] = None
    task: Annotated[str | None, _Task] = None
    key: Annotated[str | None, _Key] = None
    tag: Annotated[Tag | None, _Tag] = None
    schedule: Annotated[str | None, _Schedule] = None
    parent: Annotated[UUID | None, _Parent] = None
    fault: Annotated[str | None, _Fault] = None
    since: Annotated[Moment | None, _Since] = None
    until: Annotated[Moment | None, _Until] = None

    @property
    def given(self) -> dict[str, Any]:
        """The conditions that were given, by name."""
        return {name: value for name, value in self._asdict().items() if value}

    def resolve(self, now: datetime) -> JobFilter:
        """Return the filter; `now` is the store's moment."""
        return JobFilter(
            states=frozenset(self.state),
            queue=self.queue,
            task=self.task,
            key=self.key,
            tag=self.tag,
            schedule=self.schedule,
            parent=self.parent,
            fault=self.fault,
            since=self.since and self.since.resolve(now),
            until=self.until and self.until.resolve(now),
        )


_Queues = Option("--queues", 'Serve these: "a,b" in that order, or "a=3,b=1" by weight.', metavar="A,B")
_Slots = Option("--slots --async-slots", "Coroutines at once.", metavar="N")
_Threads = Option("--threads", "Plain functions at once.", metavar="N")
_Processes = Option("--processes", "CPU-bound tasks at once; 0: one per core.", metavar="N")
_Grace = Option("--grace", "Time for tasks to finish on stop, such as 30s.", metavar="TIME")


class WorkerOptions(NamedTuple):
    """Settings of a worker that its command line may change; checked with all the others."""

    queues: Annotated[str | None, _Queues] = None
    async_slots: Annotated[str | None, _Slots] = None
    threads: Annotated[str | None, _Threads] = None
    processes: Annotated[str | None, _Processes] = None
    grace: Annotated[str | None, _Grace] = None


_Host = Option("--host", "Address to listen on; loopback if not set.", metavar="ADDRESS")
_Port = Option("--port", "Port to listen on; 0 takes a free one.", metavar="N")


class WebOptions(NamedTuple):
    """Settings of the API and the dashboard that a command line may change."""

    host: Annotated[str | None, _Host] = None
    port: Annotated[str | None, _Port] = None
