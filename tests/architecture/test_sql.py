"""SQL stands in named statements, and both dialects have the same ones."""

import ast
import fnmatch
import re

import pytest

from tests.architecture.sources import SOURCE, modules, parsed

DIALECTS = ("sqlite", "postgres")
HEADER = re.compile(r"^-- name: *(\S+)", re.MULTILINE)

# Statements (`fnmatch` patterns) that one dialect alone needs. SQLite has one writer, whose small statements
# are one transaction; PostgreSQL decides in one statement what would else cost a trip to the server each.
ALONE: dict[str, dict[str, str]] = {
    "sqlite": {
        "where_*": "a filter is put together from its parts, so that each finds its index",
        "dead": "a list by table, with the parts of a filter; PostgreSQL: `jobs`",
        "history": "as `dead`",
        "live": "as `dead`",
        "live_jobs": "found first, then moved, by one writer; PostgreSQL: `cancel_lock`",
        "overdue": "as `live_jobs`; PostgreSQL: `expire_lock`",
        "lapsed": "as `live_jobs`; PostgreSQL: `rescue_lock`",
        "claimed_jobs": "as `live_jobs`; PostgreSQL: `settle_lock`",
        "redrive_*": "one table a statement: a change cannot stand inside another; PostgreSQL: `redrive`",
        "forget_*": "a row's followers go by statements of their own, for the same reason",
        "old_*": "found first, then removed with their followers",
        "delete_*": "a move is a copy and a removal, for the same reason",
        "keep_*": "what goes with a change is a statement of its own, for the same reason",
        "hold_slots": "slots are counted in the writer; PostgreSQL: `acquire`",
        "park": "as `hold_slots`",
        "slots_used": "as `hold_slots`",
        "count_children": "read before the parent is suspended; PostgreSQL: within `suspend`",
        "raise_parent": "within `redrive` on PostgreSQL",
        "entangled_claims": "sorts claims that end by one plain statement from those that concern others",
        "resume_by_key": "`resume` has both forms on PostgreSQL, where an `or` still finds the index",
        "extend": "within `beat` on PostgreSQL",
        "orders": "within `beat` on PostgreSQL",
        "ripe_ticks": "as `live_jobs`; PostgreSQL: `fire_lock`",
        "unfinished": "read before a tick is written; PostgreSQL: within `fire`",
        "advance": "as `unfinished`",
        "write_ticks": "as `unfinished`",
        "moment_run": "as `unfinished`; PostgreSQL: within `backfill`",
        "overlapped": "as `unfinished`; PostgreSQL: within `finish` and `bury`",
        "note_removal": "within `remove_schedule` on PostgreSQL: there a change can stand inside another",
        "taken_ids": "as `live_jobs`; PostgreSQL sees it from the conflict in `put_schedules`",
        "put_schedule_new": "as `submit_one`, the other way round: SQLite has no trip to the server to save",
        "idle_queues": "PostgreSQL looks within `submit`, and sends the notices there",
        "submit_alike": "binding values one by one is most of a submit's time on SQLite",
        "import_*": "PostgreSQL takes rows by COPY, which needs no statement",
        "main_file": "tells whether a user's connection is on this store's file",
    },
    "postgres": {
        "*_lock": "rows are locked in one order; SQLite's one writer has the file to itself",
        "lock": "as `*_lock`",
        "locked_elsewhere": "as `*_lock`",
        "lock_slots": "as `*_lock`",
        "lock_schedules": "as `*_lock`",
        "overlapping": "as `*_lock`; SQLite: `live_jobs`",
        "fire": "decided by the server; SQLite: `unfinished`, `advance`, `write_ticks`",
        "backfill": "as `fire`; SQLite: `moment_run` and `write_ticks`",
        "busy_schedules": "as `fire`; SQLite: `unfinished`",
        "drop_ticks": "`write_ticks` on SQLite",
        "put_schedules": "many in one trip to the server; SQLite: `put_schedule_new`",
        "acquire": "slots are counted by the server, exactly, over all connections",
        "job": "one statement looks into all tables; SQLite: `live`, `dead`, `history`",
        "jobs": "as `job`",
        "redrive": "one statement for all tables; SQLite: `redrive_*`",
        "submit_one": "a statement over arrays takes the server twice as long for one job",
        "submit_withdraw": "takes keys before the jobs, as submits run side by side; not so on SQLite",
        "moment": "the server has a clock; SQLite's is the machine's",
        "notify": "notices go through the server; SQLite's go by sockets",
        "no_long_wait": "partitions of history; SQLite has none",
        "partitions": "as `no_long_wait`",
        "plan_anew": "plans are kept; SQLite puts each filter together anew",
        "spilled": "as `no_long_wait`",
        "prune_logs": "history loses whole partitions, so that its logs are left; SQLite: `forget_logs`",
        "schema_*": "the namespace and its version; SQLite's stand beside its pragmas in `schema.py`",
    },
}


def statements(dialect: str) -> set[str]:
    files = (SOURCE / "stores" / dialect / "sql").glob("*.sql")
    return {name for file in files for name in HEADER.findall(file.read_text())}


def alone(dialect: str, names: set[str]) -> set[str]:
    return {name for pattern in ALONE[dialect] for name in fnmatch.filter(names, pattern)}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_dialect_has_statements(dialect: str) -> None:
    assert statements(dialect), "no statement found: have the files moved?"


def test_both_dialects_have_the_same_statements() -> None:
    sqlite, postgres = ((names := statements(dialect)) - alone(dialect, names) for dialect in DIALECTS)

    assert sqlite ^ postgres == set()


@pytest.mark.parametrize(("dialect", "other"), [DIALECTS, DIALECTS[::-1]])
def test_an_exception_is_still_one(dialect: str, other: str) -> None:
    unneeded = [pattern for pattern in ALONE[dialect] if not fnmatch.filter(statements(dialect), pattern)]

    assert unneeded == []
    assert alone(dialect, statements(dialect)) & statements(other) == set()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_statement_is_used(dialect: str) -> None:
    words = {
        node.value
        for path in modules(f"stores/{dialect}")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    assert statements(dialect) - words == set()


def test_both_dialects_have_the_same_migrations() -> None:
    names = [
        {file.name for file in (SOURCE / "stores" / dialect).rglob("migrations/*.sql")}
        for dialect in DIALECTS
    ]

    assert names[0] == names[1] != set()
    assert [name for name in names[0] if not re.fullmatch(r"\d{4}_[a-z0-9_]+\.(pre|post)\.sql", name)] == []
