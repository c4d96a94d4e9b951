"""What people ask often reads no more than it must, however much history there is."""

import asyncpg
import pytest

from rota.model.job import JobFilter
from rota.model.states import FINISHED, LIVE, State
from rota.stores.postgres import PostgresStore
from rota.stores.postgres.rows import filter_params

TABLES = {"jobs": LIVE, "dead": frozenset({State.FAILED}), "history": FINISHED - {State.FAILED}}


@pytest.mark.parametrize("state", State)
async def test_a_list_by_state_reads_only_the_tables_that_can_hold_it(
    store: PostgresStore, state: State
) -> None:
    connection = await asyncpg.connect(store.url)
    await connection.execute("set plan_cache_mode = force_custom_plan")
    params = [10, *filter_params(JobFilter(states=frozenset({state}))), None]

    rows = await connection.fetch(f"explain {store._sql['jobs']}", *params)
    await connection.close()

    plan = "\n".join(row[0] for row in rows)
    read = [table for table in TABLES if f" on {table}" in plan]
    assert read == [table for table, states in TABLES.items() if state in states]
