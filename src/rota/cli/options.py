"""Options that several commands take, and how their words become values."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import typer

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
        raise typer.BadParameter(f"{text!r} is no moment; {hint}") from None
    return Moment(at if at.tzinfo else at.replace(tzinfo=UTC))


def identifier(text: str) -> UUID:
    """Read an id."""
    try:
        return UUID(text)
    except ValueError:
        hint = "an id is like 0190b3a8-7c1e-7abc-8def-0123456789ab"
        raise typer.BadParameter(f"{text!r} is no id; {hint}") from None


def tag(text: str) -> Tag:
    """Read "name=value"."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise typer.BadParameter(f"{text!r} is no tag; give NAME=VALUE, such as team=billing")
    return Tag(name, value)


JobArgument = Annotated[UUID, typer.Argument(metavar="ID", help="The job's id.", parser=identifier)]
IdsArgument = Annotated[
    list[UUID] | None, typer.Argument(metavar="ID", help="Ids of jobs.", parser=identifier)
]
WorkerArgument = Annotated[UUID, typer.Argument(metavar="ID", help="The worker's id.", parser=identifier)]
ScheduleArgument = Annotated[str, typer.Argument(metavar="ID", help="Its id, or the name of its task.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

_Since = typer.Option(
    "--since",
    metavar="WHEN",
    help="Submitted then or later: a moment, or 2h for two hours ago.",
    parser=moment,
)
_Until = typer.Option("--until", metavar="WHEN", help="Submitted before that.", parser=moment)
_Parent = typer.Option("--parent", metavar="ID", help="Enqueued by this job.", parser=identifier)
_Tag = typer.Option("--tag", metavar="NAME=VALUE", help="With this tag.", parser=tag)
_Fault = typer.Option("--fault", metavar="NAME", help="Whose last error was of this class.")


class Filters(NamedTuple):
    """Which jobs are meant."""

    state: Annotated[list[State] | None, typer.Option("--state", help="In this state; may be repeated.")] = (
        None
    )
    queue: Annotated[str | None, typer.Option("--queue", metavar="NAME", help="In this queue.")] = None
    task: Annotated[str | None, typer.Option("--task", metavar="NAME", help="Of this task.")] = None
    key: Annotated[str | None, typer.Option("--key", metavar="KEY", help="With this key.")] = None
    tag: Annotated[Tag | None, _Tag] = None
    schedule: Annotated[
        str | None, typer.Option("--schedule", metavar="ID", help="Made by this schedule.")
    ] = None
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
            states=frozenset(self.state or ()),
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


class WorkerOptions(NamedTuple):
    """Settings of a worker that its command line may change; checked with all the others."""

    queues: Annotated[
        str | None,
        typer.Option(
            "--queues", metavar="A,B", help='Serve these: "a,b" in that order, or "a=3,b=1" by weight.'
        ),
    ] = None
    async_slots: Annotated[
        str | None, typer.Option("--slots", "--async-slots", metavar="N", help="Coroutines at once.")
    ] = None
    threads: Annotated[
        str | None, typer.Option("--threads", metavar="N", help="Plain functions at once.")
    ] = None
    processes: Annotated[
        str | None, typer.Option("--processes", metavar="N", help="CPU-bound tasks at once; 0: one per core.")
    ] = None
    grace: Annotated[
        str | None,
        typer.Option("--grace", metavar="TIME", help="Time for tasks to finish on stop, such as 30s."),
    ] = None
