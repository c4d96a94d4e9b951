"""What Rota is to reach, each a row: a figure, or its ratio to the best of others in the same run."""

from collections.abc import Iterator

from msgspec import Struct

from bench.contenders import NAMES
from bench.figures import Figures, Key

__all__ = ["LONG", "REDIS_PEERS", "SETUPS", "SHORT", "Target", "Verdict", "judge"]

REDIS_PEERS = ("huey", "taskiq", "dramatiq", "celery", "rq")
SETUPS = ("100", "default")


class Target(Struct, frozen=True):
    """One promise about speed.

    Attributes:
        name: as the table shows it.
        of: what is measured.
        wanted: the least value, or the largest with `at_most`.
        by: what it is divided by, the best of them; nothing: the figure counts as it is.
        at_most: whether less is better.
    """

    name: str
    of: Key
    wanted: float
    by: tuple[Key, ...] = ()
    at_most: bool = False


class Verdict(Struct, frozen=True):
    """A target and what was measured; `measured` is None where nothing was."""

    name: str
    wanted: str
    measured: float | None
    unit: str
    met: bool | None


def judge(figures: Figures, targets: tuple[Target, ...]) -> list[Verdict]:
    """Hold the figures against the targets."""
    return list(_verdicts(figures, targets))


def _verdicts(figures: Figures, targets: tuple[Target, ...]) -> Iterator[Verdict]:
    units = {(one.case, one.contender): one.unit for one in figures.series}
    for target in targets:
        unit = "×" if target.by else units.get(target.of, "")
        wanted = f"{'≤' if target.at_most else '≥'} {target.wanted:g} {unit}".strip()
        value = _measure(figures, target)
        met = None
        if value is not None:
            met = value <= target.wanted if target.at_most else value >= target.wanted
        yield Verdict(target.name, wanted, value, unit, met)


def _measure(figures: Figures, target: Target) -> float | None:
    if not target.by:
        return figures.median(target.of)
    best = figures.best(target.by)
    return figures.ratio(target.of, best) if best else None


def _redis(peer: str) -> Target:
    others = tuple(("Redis: drain", f"{peer} ({setup})") for setup in SETUPS)
    return Target(f"SQLite: drain, to {NAMES[peer]} on Redis", ("SQLite: drain", "rota"), 3, by=others)


SHORT = (
    Target(
        "PostgreSQL: drain, to PgQueuer (batch 100)",
        ("PostgreSQL: drain", "rota"),
        2,
        by=(("PostgreSQL: drain", "pgqueuer (100)"),),
    ),
    Target(
        "PostgreSQL: drain, to the raw loop",
        ("PostgreSQL: drain", "rota"),
        0.45,
        by=(("PostgreSQL: drain", "raw"),),
    ),
    Target(
        "PostgreSQL: two workers to one",
        ("PostgreSQL: drain, 2 workers", "rota"),
        1.2,
        by=(("PostgreSQL: drain", "rota"),),
    ),
    Target(
        "SQLite: drain, to Huey on SQLite",
        ("SQLite: drain", "rota"),
        7,
        by=tuple(("SQLite: drain", f"huey ({setup})") for setup in SETUPS),
    ),
    *(_redis(peer) for peer in REDIS_PEERS),
    Target(
        "SQLite: two workers to one",
        ("SQLite: drain, 2 workers", "rota"),
        1,
        by=(("SQLite: drain", "rota"),),
    ),
    Target(
        "SQLite: two workers, share of the one that got less",
        ("SQLite: smaller share of 2 workers", "rota"),
        25,
    ),
    Target(
        "PostgreSQL: enqueue one at a time, to the raw insert",
        ("PostgreSQL: enqueue one", "rota"),
        0.7,
        by=(("PostgreSQL: enqueue one", "raw"),),
    ),
    Target(
        "SQLite: enqueue one at a time, to the raw insert",
        ("SQLite: enqueue one", "rota"),
        0.7,
        by=(("SQLite: enqueue one", "raw"),),
    ),
    Target(
        "PostgreSQL: enqueue in bulk, to PgQueuer",
        ("PostgreSQL: enqueue bulk", "rota"),
        1.5,
        by=(("PostgreSQL: enqueue bulk", "pgqueuer (100)"),),
    ),
    Target(
        "PostgreSQL: 16 enqueuers with a worker that listens, to none",
        ("PostgreSQL: 16 enqueuers, a worker listens", "rota"),
        0.7,
        by=(("PostgreSQL: 16 enqueuers", "rota"),),
    ),
    Target(
        "PostgreSQL: enqueue to first line p50, to the raw chain",
        ("PostgreSQL: latency p50", "rota"),
        1.5,
        by=(("PostgreSQL: latency p50", "raw"),),
        at_most=True,
    ),
    Target("PostgreSQL: enqueue to first line p99", ("PostgreSQL: latency p99", "rota"), 10, at_most=True),
    Target("SQLite: enqueue to first line p50", ("SQLite: latency p50", "rota"), 5, at_most=True),
    Target("PostgreSQL: run_at lateness p99", ("PostgreSQL: run_at lateness p99", "rota"), 20, at_most=True),
    Target("SQLite: run_at lateness p99", ("SQLite: run_at lateness p99", "rota"), 20, at_most=True),
    Target(
        "PostgreSQL: idle worker, transactions", ("PostgreSQL: idle transactions", "rota"), 1, at_most=True
    ),
    Target("PostgreSQL: idle worker, CPU", ("PostgreSQL: idle CPU", "rota"), 1, at_most=True),
    Target("PostgreSQL: idle worker, memory", ("PostgreSQL: idle memory", "rota"), 60, at_most=True),
    Target("SQLite: idle worker, writes", ("SQLite: idle transactions", "rota"), 1, at_most=True),
    Target("SQLite: idle worker, CPU", ("SQLite: idle CPU", "rota"), 1, at_most=True),
    Target("SQLite: idle worker, memory", ("SQLite: idle memory", "rota"), 60, at_most=True),
    Target("import rota", ("import rota", "rota"), 150, at_most=True),
)


def _long(store: str) -> Iterator[Target]:
    yield Target(
        f"{store}: a backlog of 1,000,000, end to begin",
        (f"{store}: backlog, last tenth", "rota"),
        0.6,
        by=((f"{store}: backlog, first tenth", "rota"),),
    )
    yield Target(
        f"{store}: memory over 1,000,000 jobs, end to begin",
        (f"{store}: memory, last tenth", "rota"),
        1.05,
        by=((f"{store}: memory, first tenth", "rota"),),
        at_most=True,
    )
    yield Target(
        f"{store}: drain of a full store to an empty one",
        (f"{store}: drain", "full store"),
        0.75,
        by=((f"{store}: drain", "empty store"),),
    )
    yield Target(
        f"{store}: slowest claim while 1,000,000 rows are removed",
        (f"{store}: slowest claim, retention at work", "rota"),
        50,
        at_most=True,
    )


LONG = (
    *_long("PostgreSQL"),
    *(
        Target(
            f"PostgreSQL: {what}, full store to empty",
            (f"PostgreSQL: {what}", "full store"),
            1.1,
            by=((f"PostgreSQL: {what}", "empty store"),),
            at_most=True,
        )
        for what in ("buffers per 1,000 jobs", "WAL bytes per 1,000 jobs", "statements per 1,000 jobs")
    ),
    *_long("SQLite"),
)
