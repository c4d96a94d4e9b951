"""What each form of the benchmark measures, in which order, and with how many jobs."""

from collections.abc import Iterator

from msgspec import Struct

from bench.cases.drain import drain, drain_by_two, drain_peer
from bench.cases.enqueue import crowd, enqueue_one
from bench.cases.full_store import life_of_a_store
from bench.cases.idle import idle
from bench.cases.imports import imports
from bench.cases.latency import latency, run_at
from bench.cases.step import Party, Step
from bench.places import POSTGRES, REDIS, SQLITE
from bench.targets import REDIS_PEERS, SETUPS

__all__ = ["LONG", "SHORT", "SMALLEST", "Form", "steps"]

# Slow peers get fewer jobs, so that each runs for about a second; a rate does not depend on it.
PEER_JOBS = {"huey": 2_500, "taskiq": 3_000, "dramatiq": 2_000, "celery": 1_000, "rq": 150, "pgqueuer": 5_000}

ROTA_POSTGRES, ROTA_SQLITE = Party("rota", POSTGRES), Party("rota", SQLITE)
RAW_POSTGRES, RAW_SQLITE = Party("raw_postgres", POSTGRES), Party("raw_sqlite", SQLITE)
RAW_NOTIFYING = Party("raw_postgres", POSTGRES, "notify")
PGQUEUER = Party("pgqueuer", POSTGRES, "100")
PGQUEUER_DEFAULT = Party("pgqueuer", POSTGRES, "default")


class Form(Struct, frozen=True, kw_only=True):
    """How much of everything.

    Attributes:
        name: of the file of results.
        rounds: how often each step is repeated, in turn with the others.
        jobs: of a drain.
        singles: jobs that one process enqueues one at a time.
        crowd: jobs that 16 processes enqueue one at a time; 0: they are left out.
        sent: jobs that an idle worker is sent; half as many become due.
        idle: seconds for which an idle worker is watched, and before that left alone.
        peers: whether the systems that are not ours take part.
        stored: jobs of the long cases; 0: they are left out, and with any the short ones are.
        pairs: how often a full store is held against an empty one.
    """

    name: str
    rounds: int = 3
    jobs: int = 20_000
    singles: int = 2_000
    crowd: int = 3_200
    sent: int = 100
    idle: tuple[float, float] = (60, 10)
    peers: bool = True
    stored: int = 0
    pairs: int = 10


SHORT = Form(name="latest")
LONG = Form(name="long", rounds=1, peers=False, stored=1_000_000)
SMALLEST = Form(
    name="smallest", rounds=1, jobs=1_000, singles=50, crowd=0, sent=4, idle=(1, 0.2), peers=False
)


def steps(form: Form) -> list[Step]:
    """Return a round's steps; those of one case stand together, so that their ratio is of one moment."""
    return list(_long(form) if form.stored else _short(form))


def _long(form: Form) -> Iterator[Step]:
    yield life_of_a_store(ROTA_POSTGRES, form.stored, form.jobs, form.pairs)
    yield life_of_a_store(ROTA_SQLITE, form.stored, form.jobs, form.pairs)


def _short(form: Form) -> Iterator[Step]:
    yield from _drains(form)
    if form.peers:
        yield from _peers()
        yield from _drains(form)  # what matters most is measured twice a round, and not at one moment
    yield from _enqueues(form)
    yield from _waits(form)
    yield from imports()


def _drains(form: Form) -> Iterator[Step]:
    for party in _on_postgres(form):
        yield drain(party, form.jobs)
    for party in (RAW_POSTGRES, ROTA_POSTGRES):
        yield drain_by_two(party, form.jobs)
    for party in (RAW_SQLITE, ROTA_SQLITE):
        yield drain(party, form.jobs)
    yield drain_by_two(ROTA_SQLITE, form.jobs)


def _enqueues(form: Form) -> Iterator[Step]:
    for party in (*_on_postgres(form), RAW_SQLITE, ROTA_SQLITE):
        yield enqueue_one(party, form.singles)
    if form.crowd:
        yield crowd(RAW_POSTGRES, form.crowd, listening=False)
        yield crowd(ROTA_POSTGRES, form.crowd, listening=False)
        yield crowd(RAW_NOTIFYING, form.crowd, listening=True)
        yield crowd(ROTA_POSTGRES, form.crowd, listening=True)


def _waits(form: Form) -> Iterator[Step]:
    for party in (RAW_POSTGRES, ROTA_POSTGRES, ROTA_SQLITE):
        yield latency(party, form.sent)
    for party in (ROTA_POSTGRES, ROTA_SQLITE):
        yield run_at(party, form.sent // 2)
    yield idle((ROTA_POSTGRES, ROTA_SQLITE), *form.idle)


def _on_postgres(form: Form) -> tuple[Party, ...]:
    return (RAW_POSTGRES, PGQUEUER, ROTA_POSTGRES) if form.peers else (RAW_POSTGRES, ROTA_POSTGRES)


def _peers() -> Iterator[Step]:
    yield drain(PGQUEUER_DEFAULT, PEER_JOBS["pgqueuer"])
    for setup in SETUPS:
        yield drain_peer(Party("huey", SQLITE, setup), PEER_JOBS["huey"])
    for peer in REDIS_PEERS:
        for setup in SETUPS:
            yield drain_peer(Party(peer, REDIS, setup), PEER_JOBS[peer])
