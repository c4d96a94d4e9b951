"""Filters of jobs as conditions with parameters; what a user wrote never becomes SQL."""

from collections.abc import Iterable, Mapping
from typing import Any

from rota.model.job import JobFilter
from rota.model.states import State
from rota.stores.sqlite.columns import statements
from rota.stores.sqlite.values import id_set, json_text, micros_or_none

__all__ = ["conditions"]


def conditions(
    which: JobFilter, *, states: Iterable[State] | None = None, before: bytes | None = None
) -> tuple[str, dict[str, Any]]:
    """Return a `where` and its parameters.

    Args:
        which: the filter.
        states: instead of the filter's own.
        before: only jobs with an id below this.
    """
    params: dict[str, Any] = {}
    names = []
    for name, its_params in _parts(which, states, before).items():
        if its_params is not None:
            names.append(name)
            params |= its_params
    sql = statements()
    return " and ".join(sql[name] for name in names or ["where_any"]), params


def _parts(
    which: JobFilter, states: Iterable[State] | None, before: bytes | None
) -> Mapping[str, dict[str, Any] | None]:
    def plain(name: str, value: Any) -> dict[str, Any] | None:
        return None if value is None else {name: value}

    wanted = which.states or None if states is None else states
    return {
        "where_ids": None if which.ids is None else id_set(which.ids),
        "where_states": None if wanted is None else {"states": json_text(sorted(wanted))},
        "where_queue": plain("queue", which.queue),
        "where_task": plain("task", which.task),
        "where_key": plain("key", which.key),
        "where_keys": None if which.keys is None else {"keys": json_text(which.keys)},
        "where_tag": None if which.tag is None else {"tag_name": which.tag[0], "tag_value": which.tag[1]},
        "where_schedule": plain("schedule", which.schedule),
        "where_parent": None if which.parent is None else {"parent": which.parent.bytes},
        "where_fault": plain("fault", which.fault),
        "where_since": plain("since", micros_or_none(which.since)),
        "where_until": plain("until", micros_or_none(which.until)),
        "where_before": plain("before", before),
    }
