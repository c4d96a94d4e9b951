"""Is it well? What a health check of a container or a load balancer asks: few questions, quickly answered."""

import asyncio
from typing import Literal

from msgspec import Struct

from rota.model.errors import RotaError
from rota.operations.text import counted, span
from rota.ports.store import SchemaState, Store

__all__ = ["Check", "checkup", "health", "reachable", "schema_check"]

LATE_TICK = 30.0


class Check(Struct, frozen=True, kw_only=True):
    """One answer: `level` is ok, warning (worth a look) or fault; `remedy` says what to do about it."""

    name: str
    level: Literal["ok", "warning", "fault"]
    text: str
    remedy: str = ""


async def health(
    store: Store, *, host: str, worker: bool = False, scheduler: bool = False, patience: float = 4.0
) -> list[Check]:
    """Look at the store and at who works on it.

    Args:
        store: not opened yet; the caller closes it, whatever the answer.
        host: this machine; a worker registered on it that stopped beating is a fault.
        worker: it is a fault when no worker is alive.
        scheduler: it is a fault when schedules are due and nothing fires them.
        patience: seconds after which the store counts as unreachable.
    """
    try:
        async with asyncio.timeout(patience):
            checks = await reachable(store)
            if checks[-1].level == "fault":
                return checks
            await store.open()
            checks.append(await _workers(store, host, demanded=worker))
            checks.append(await _schedules(store, demanded=scheduler))
            return checks
    except TimeoutError:
        return [Check(name="store", level="fault", text=f"{store.name} gave no answer within {patience:g} s")]
    except RotaError as error:
        return [Check(name="store", level="fault", text=str(error))]


async def checkup(store: Store, *, host: str) -> list[Check]:
    """Look at an open store and at who works on it, for those who may know."""
    checks = await reachable(store)
    if checks[-1].level != "fault":
        checks += [await _workers(store, host, demanded=False), await _schedules(store, demanded=False)]
    return checks


async def reachable(store: Store) -> list[Check]:
    """Ask a store, open or not, whether it is there and whether its schema fits; changes nothing."""
    try:
        state = await store.schema()
    except RotaError as error:
        return [Check(name="store", level="fault", text=str(error))]
    return [Check(name="store", level="ok", text=f"{store.name} is reachable"), schema_check(state)]


def schema_check(state: SchemaState) -> Check:
    """Say whether this code can work on a schema."""
    pending = ", ".join(state.pending)
    if state.version == 0:
        text = "the store has no tables of Rota yet"
        return Check(name="schema", level="fault", text=text, remedy="rota db upgrade, or the first use")
    if state.oldest > state.wanted:
        text = f"schema {state.version} needs code for {state.oldest} or newer, and this is {state.wanted}"
        return Check(name="schema", level="fault", text=text, remedy="upgrade rota")
    if any(".post" not in name for name in state.pending):
        text = (
            f"its schema {state.version} is older than this code needs ({state.wanted}); pending: {pending}"
        )
        return Check(name="schema", level="fault", text=text, remedy="rota db upgrade")
    if pending:
        remedy = "rota db upgrade --post, once no older Rota runs on this store"
        return Check(name="schema", level="warning", text=f"pending: {pending}", remedy=remedy)
    return Check(name="schema", level="ok", text=f"schema {state.version} fits")


async def _workers(store: Store, host: str, *, demanded: bool) -> Check:
    now = await store.insight.now()
    workers = await store.insight.workers()
    live = [one for one in workers if one.lease_until > now]
    silent = [one for one in workers if one.lease_until <= now and one.host == host]
    if silent:
        last = max(one.beat_at for one in silent)
        text = f"a worker of this machine has been silent for {span(now - last)}"
        return Check(name="workers", level="fault", text=text, remedy="see its log, restart it")
    if not live:
        level: Literal["warning", "fault"] = "fault" if demanded else "warning"
        return Check(
            name="workers", level=level, text="no worker is running", remedy="rota worker MODULE:app"
        )
    return Check(name="workers", level="ok", text=f"{counted(len(live), 'worker')} running")


async def _schedules(store: Store, *, demanded: bool) -> Check:
    due = await store.schedules.due(1000)
    late = [
        one for one in due.schedules if one.next_at and (due.now - one.next_at).total_seconds() > LATE_TICK
    ]
    if not late:
        return Check(name="schedules", level="ok", text="none is overdue")
    longest = max(due.now - one.next_at for one in late if one.next_at)
    text = f"{counted(len(late), 'schedule')} overdue for up to {span(longest)}: no scheduler fires them"
    level: Literal["warning", "fault"] = "fault" if demanded else "warning"
    return Check(name="schedules", level=level, text=text, remedy="rota scheduler run MODULE:app")
