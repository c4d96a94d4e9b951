"""Submit from outside: by a task's name, with arguments as JSON, checked before anything is stored."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from rota.definitions.registry import Registry
from rota.engine.submitter import SubmitOptions, model_of, pass_on
from rota.model.errors import ArgumentsError, MissingExtraError, PayloadTooLargeError, UnknownTaskError
from rota.model.ids import new_ids
from rota.model.job import Submission
from rota.model.worker import TaskEntry
from rota.ports.store import Store

__all__ = ["Order", "TaskFacts", "prepare", "task_facts"]


class Order(Struct, frozen=True, kw_only=True):
    """One job as somebody outside asks for it."""

    task: str
    arguments: Mapping[str, Any]
    options: SubmitOptions


class TaskFacts(Struct, frozen=True):
    """What a submit needs to know of a task: from the app's code, else from the store's catalogue."""

    name: str
    queue: str
    executor: str
    rank: int
    registry: Registry
    schema: Mapping[str, Any] | None = None

    def encode(self, arguments: Mapping[str, Any]) -> bytes:
        """Return checked arguments as they travel.

        Raises:
            ArgumentsError: they do not fit.
        """
        if self.schema is None:
            return self.registry.get(self.name).encode_json(arguments)
        payload = _checked(self.name, self.schema, arguments)
        if len(payload) > self.registry.payload_limit:
            raise PayloadTooLargeError(self.name, len(payload), self.registry.payload_limit)
        return payload


async def task_facts(store: Store, registry: Registry, name: str) -> TaskFacts:
    """Return what is known of a task: by the app, or where this process has none, by the catalogue.

    Raises:
        UnknownTaskError: neither knows it.
    """
    if (task := registry.find(name)) is not None:
        return TaskFacts(task.name, task.queue, task.executor, task.rank, registry)
    # An app knows its tasks; what other apps on its store have is none of its business.
    catalogue: dict[str, TaskEntry] = {}
    if not registry.tasks:
        catalogue = {entry.name: entry for entry in await store.insight.tasks()}
    if (entry := catalogue.get(name)) is None:
        raise UnknownTaskError(name, catalogue or registry.tasks)
    return TaskFacts(name, entry.queue, entry.executor, 0, registry, entry.schema)


async def prepare(
    store: Store, registry: Registry, orders: Sequence[Order], ids: Sequence[UUID] = ()
) -> list[Submission]:
    """Return checked submissions, in order.

    Args:
        store: whose catalogue knows the tasks where the app does not.
        registry: the app's definitions.
        orders: what is asked for.
        ids: of the jobs, where they are known already because the same was asked for before.

    Raises:
        UnknownTaskError: nobody knows a task.
        ArgumentsError: arguments or options do not fit.
    """
    known = {name: await task_facts(store, registry, name) for name in {order.task for order in orders}}
    submissions = []
    for order, job in zip(orders, ids or new_ids(len(orders)), strict=True):
        facts = known[order.task]
        task = registry.find(order.task)
        submission = model_of(
            facts.name,
            order.options,
            queue=facts.queue,
            executor=facts.executor,
            rank=facts.rank,
            expires=task.expires if task else None,
        )
        submission.id, submission.payload = job, facts.encode(order.arguments)
        submissions.append(submission)
    return pass_on(registry, submissions)


def _checked(task: str, schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> bytes:
    """Hold arguments against a task's JSON schema; what the schema cannot say the worker checks."""
    try:
        from jsonschema import Draft202012Validator  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise MissingExtraError(f"submitting task {task!r} where no app is given", "api") from None
    if _takes_secrets(schema):
        remedy = "Submit it where the app is given: rota api MODULE:app"
        raise ArgumentsError(task, "(all)", "it takes secrets, which only its app can encrypt", remedy)
    fault = next(iter(Draft202012Validator(schema).iter_errors(dict(arguments))), None)
    if fault is not None:
        field = ".".join(map(str, fault.absolute_path)) or "(all)"
        raise ArgumentsError(task, field, fault.message[:200], "The catalogue of tasks shows its schema")
    return msgspec.json.encode(arguments)


def _takes_secrets(schema: Any) -> bool:
    if isinstance(schema, Mapping):
        return schema.get("writeOnly") is True or any(map(_takes_secrets, schema.values()))
    return isinstance(schema, list) and any(map(_takes_secrets, schema))
