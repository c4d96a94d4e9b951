"""The catalogue of tasks: those of the app's code, and those that workers have brought."""

from rota.definitions.registry import Registry
from rota.model.worker import TaskEntry
from rota.ports.store import Store

__all__ = ["list_tasks"]


async def list_tasks(store: Store, registry: Registry) -> list[TaskEntry]:
    """List tasks by name; of one that code and store know, what the code says."""
    known = {entry.name: entry for entry in await store.insight.tasks()}
    for task in registry.tasks.values():
        for name in (task.name, *task.aliases):
            known[name] = TaskEntry(
                name=name,
                kind="function" if name == task.name else "alias",
                executor=task.executor,
                queue=task.queue,
                schema=task.arguments.schema(),
            )
    return [known[name] for name in sorted(known)]
