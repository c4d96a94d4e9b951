"""Records as plain values with stable names, for JSON: what the command line prints and the API answers."""

import base64
from typing import Any

import msgspec

from rota.definitions.secret import Keyring
from rota.model.events import JobEvent, LogRecord
from rota.model.job import JobRecord
from rota.model.schedule import ScheduleRecord, TickRecord
from rota.triggers.parse import from_json

__all__ = ["arguments", "event", "job", "log", "plain", "schedule", "tick", "trigger_text"]

# The token is the right to write a job's outcome: it is shown to nobody.
_HIDDEN = ("payload", "codec", "token")


def plain(value: Any) -> Any:
    """Return a record, or a container of records, as JSON's own types."""
    return msgspec.to_builtins(value)


def job(record: JobRecord, *, whole: bool = True) -> dict[str, Any]:
    """Return a job; without its arguments and its traceback, which may be large, unless it is `whole`."""
    view: dict[str, Any] = plain(record)
    for name in _HIDDEN:
        del view[name]
    if whole:
        view["arguments"] = arguments(record)
    elif view["fault"] is not None:
        del view["fault"]["traceback"]
    return view


def arguments(record: JobRecord) -> Any:
    """Return a job's arguments by name; those that are not JSON as base64."""
    return _decoded(record.payload, record.codec)


def event(record: JobEvent) -> dict[str, Any]:
    """Return a line of a job's history; which job it is about is known where it is shown."""
    view: dict[str, Any] = plain(record)
    del view["job"]
    return view


def log(record: LogRecord) -> dict[str, Any]:
    """Return a log line of a job."""
    view: dict[str, Any] = plain(record)
    return view


def schedule(record: ScheduleRecord) -> dict[str, Any]:
    """Return a schedule; its trigger as form and as text."""
    view: dict[str, Any] = plain(record)
    del view["payload"]
    view["arguments"] = _decoded(record.payload, "json")
    view["trigger_text"] = trigger_text(record)
    return view


def trigger_text(record: ScheduleRecord) -> str:
    """Return a schedule's trigger in words."""
    return str(from_json(record.trigger))


def tick(record: TickRecord) -> dict[str, Any]:
    """Return a tick; which schedule it is of is known where it is shown."""
    view: dict[str, Any] = plain(record)
    del view["schedule"]
    return view


def _decoded(payload: bytes, codec: str) -> Any:
    if codec == "json":
        try:
            return _redacted(msgspec.json.decode(payload or b"{}"))
        except msgspec.DecodeError:
            pass
    return base64.b64encode(payload).decode()


def _redacted(value: Any) -> Any:
    """Return arguments without their secrets, which are shown to nobody, not even encrypted."""
    if isinstance(value, dict):
        return {name: _redacted(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_redacted(item) for item in value]
    return "***" if Keyring.made(value) else value
