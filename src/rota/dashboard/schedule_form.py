"""The form of a schedule: what was typed becomes a definition, or faults beside the fields."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct, structs

from rota.model.errors import ArgumentsError, ConfigurationError, TriggerError
from rota.model.schedule import ScheduleRecord
from rota.model.worker import TaskEntry
from rota.operations import schedules, views
from rota.policy.misfires import CatchUp
from rota.policy.overlap import Overlap, check_policies
from rota.settings import parse_seconds
from rota.triggers.base import Trigger
from rota.triggers.parse import from_json, parse
from rota.web.context import WebContext

__all__ = ["CATCH_UPS", "OVERLAPS", "Coming", "Draft", "coming", "read_form", "values_of"]

FIELDS = ("id", "task", "trigger", "arguments", "queue", "overlap", "catch_up", "grace", "rank", "name")
CATCH_UPS = (
    (CatchUp.ONE, "one: the latest runs, the others are noted"),
    (CatchUp.ALL, "all: each of them runs, oldest first"),
    (CatchUp.NONE, "none: they are noted only"),
)
OVERLAPS = (
    (Overlap.SKIP, "skip: the tick is noted and makes no job"),
    (Overlap.QUEUE, "queue: its job waits for those before it"),
    (Overlap.CANCEL_RUNNING, "cancel_running: those before it are cancelled"),
    (Overlap.ALLOW, "allow: its job runs beside them"),
)
SHOWN = 8
LONGEST = 200
ANYWHERE = "form"


class Draft(Struct, frozen=True):
    """A form as it was filled in.

    Args:
        values: every field as it was typed.
        faults: what is wrong with which field; "form" for the whole.
        record: the schedule that it means; None while something is wrong.
    """

    values: dict[str, str]
    faults: dict[str, str]
    record: ScheduleRecord | None


class Coming(Struct, frozen=True):
    """A moment to come: in UTC, on the clocks of its zone, and how turned clocks touch it."""

    at: datetime
    local: datetime
    note: str


def values_of(schedule: ScheduleRecord) -> dict[str, str]:
    """Return a schedule as the form shows it."""
    return {
        "id": schedule.id,
        "task": schedule.task,
        "trigger": _trigger_text(schedule.trigger),
        "arguments": msgspec.json.format(msgspec.json.encode(views.schedule(schedule)["arguments"])).decode(),
        "queue": schedule.queue,
        "overlap": schedule.overlap,
        "catch_up": schedule.catch_up,
        "grace": "" if schedule.grace is None else f"{schedule.grace.total_seconds():g}s",
        "rank": str(schedule.options.get("rank", 0)),
        "name": schedule.name,
        "version": str(schedule.version),
    }


def read_form(
    form: Mapping[str, Any], context: WebContext, tasks: Sequence[TaskEntry], stored: ScheduleRecord | None
) -> Draft:
    """Read a form.

    Args:
        form: as it was sent.
        context: the process's.
        tasks: the catalogue, for tasks that this process's app does not have.
        stored: the schedule that is changed; None: a new one is made.
    """
    values = {name: str(form.get(name, "")).strip() for name in (*FIELDS, "version")}
    if stored is not None:
        values |= {"id": stored.id, "task": stored.task}
    reader = _Reader(values, context, {one.name: one for one in tasks})
    record = reader.record(stored)
    return Draft(values, reader.faults, None if reader.faults else record)


def coming(schedule: ScheduleRecord, now: datetime) -> list[Coming]:
    """Return the next moments of a schedule as they are shown before it is saved."""
    zone = ZoneInfo(schedule.trigger.get("tz") or "UTC")
    moments = schedules.preview(schedule, now, SHOWN)
    notes = schedules.clock_changes(moments, zone)
    return [Coming(at, at.astimezone(zone), note) for at, note in zip(moments, notes, strict=True)]


class _Reader:
    """Reads field by field and notes what is wrong."""

    def __init__(
        self, values: Mapping[str, str], context: WebContext, tasks: Mapping[str, TaskEntry]
    ) -> None:
        self.faults: dict[str, str] = {}
        self._values = values
        self._context = context
        self._tasks = tasks

    def record(self, stored: ScheduleRecord | None) -> ScheduleRecord:
        """Return what the form means; senseless where there are faults."""
        values = self._values
        task, queue, executor = self._task()
        trigger = self._trigger()
        rank = self._rank()
        self._check_id(values["id"])
        same = stored is not None and values_of(stored)["arguments"].split() == values["arguments"].split()
        # What was not touched stays as it is, secrets among it, which the form does not show.
        payload = stored.payload if stored is not None and same else self._arguments(task)
        fields: dict[str, Any] = {
            "queue": self._text("queue") or queue,
            "trigger": trigger.to_json() if trigger else {},
            "payload": payload,
            "overlap": values["overlap"] or Overlap.SKIP.value,
            "catch_up": values["catch_up"] or CatchUp.ONE.value,
            "grace": self._grace(),
            "name": self._text("name"),
        }
        self._policies(fields)
        if stored is not None:
            if values["version"] not in {"", str(stored.version)}:
                self.faults[ANYWHERE] = (
                    f"It was changed meanwhile and has version {stored.version} now. Load the page again"
                )
            return structs.replace(stored, **fields, options={**stored.options, "rank": rank})
        return ScheduleRecord(
            id=values["id"], task=task, executor=executor, options={"rank": rank}, source="api", **fields
        )

    def _task(self) -> tuple[str, str, str]:
        name = self._values["task"]
        known = self._context.registry.find(name)
        if known is not None:
            return known.name, known.queue, known.executor
        entry = self._tasks.get(name)
        if entry is not None:
            return entry.name, entry.queue, entry.executor
        names = sorted({*self._tasks, *self._context.registry.tasks})
        self.faults["task"] = f"No task is called so. There are: {', '.join(names) or 'none'}"
        return name, "default", "async"

    def _trigger(self) -> Trigger | None:
        try:
            return parse(self._values["trigger"]).in_zone(self._context.settings.zone)
        except (TriggerError, RecursionError) as error:
            self.faults["trigger"] = str(error)
            return None

    def _arguments(self, task: str) -> bytes:
        try:
            values = msgspec.json.decode(self._values["arguments"] or "{}")
        except (msgspec.DecodeError, RecursionError) as error:
            self.faults["arguments"] = f"This is no JSON: {error}"
            return b"{}"
        if not isinstance(values, dict):
            self.faults["arguments"] = 'Write an object: {"name": value}'
            return b"{}"
        definition = self._context.registry.find(task)
        if definition is None:
            self._against_catalogue(task, values)
            return msgspec.json.encode(values)
        try:
            return definition.encode((), values)
        except ArgumentsError as error:
            self.faults["arguments"] = str(error)
            return b"{}"

    def _against_catalogue(self, task: str, values: Mapping[str, Any]) -> None:
        """Check the names of arguments: what more is wrong, the worker that has the task will say."""
        entry = self._tasks.get(task)
        if entry is None:
            return
        schema = entry.schema
        if "$ref" in schema:
            schema = schema.get("$defs", {}).get(str(schema["$ref"]).rpartition("/")[2], {})
        unknown = sorted(values.keys() - schema.get("properties", {}).keys())
        missing = sorted(set(schema.get("required", ())) - values.keys())
        if unknown:
            self.faults["arguments"] = f"Task {task} has no argument {', '.join(unknown)}"
        elif missing:
            self.faults["arguments"] = f"Task {task} needs {', '.join(missing)}"

    def _rank(self) -> int:
        text = self._values["rank"] or "0"
        try:
            rank = int(text)
        except ValueError:
            rank = 2**63
        if not -(2**63) <= rank < 2**63:
            self.faults["rank"] = "Give a whole number of 64 bits; lower runs first"
            return 0
        return rank

    def _grace(self) -> timedelta | None:
        text = self._values["grace"]
        if not text:
            return None
        seconds = parse_seconds(text)
        try:
            grace = timedelta(seconds=seconds) if seconds is not None else None
        except OverflowError:
            grace = None
        if grace is None:
            self.faults["grace"] = "Write a length of time: 90s, 15m, 2h"
        return grace

    def _check_id(self, id_: str) -> None:
        if not id_:
            self.faults["id"] = "Give it a name by which it is found again"
        elif len(id_) > LONGEST or not id_.isprintable():
            self.faults["id"] = f"Take at most {LONGEST} characters that can be printed"

    def _text(self, name: str) -> str:
        text = self._values[name]
        if len(text) > LONGEST or not text.isprintable():
            self.faults[name] = f"Take at most {LONGEST} characters that can be printed"
        return text

    def _policies(self, fields: Mapping[str, Any]) -> None:
        try:
            check_policies(self._values["id"], fields["catch_up"], fields["overlap"])
        except ConfigurationError as error:
            field = "catch_up" if fields["catch_up"] not in set(CatchUp) else "overlap"
            self.faults[field] = " ".join(error.faults)


def _trigger_text(form: Mapping[str, Any]) -> str:
    """Return a text that means the same trigger: a short one if there is one, else its structured form."""
    trigger = from_json(form)
    shorts = [str(form.get("expression", "")), str(trigger)]
    if form.get("tz"):
        shorts.insert(0, f"{form.get('expression', '')} {form['tz']}")
    for text in shorts:
        try:
            if text.strip() and parse(text) == trigger:
                return text.strip()
        except TriggerError:
            continue
    return msgspec.json.encode(form).decode()
