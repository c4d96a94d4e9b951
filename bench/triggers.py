"""`python -m bench.triggers`: the next moment of 50 crontab lines, by Rota and by three other libraries.

Each is made once and then walks from tick to tick. Rounds alternate, and the best of each counts, so that
other load on the machine falls on none in particular.
"""

import argparse
import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import geometric_mean
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger
from croniter import croniter
from cronsim import CronSim
from rich.console import Console
from rich.table import Table

from rota.triggers.cron import cron

__all__ = ["LINES", "main", "measure"]

START = datetime(2026, 3, 10, 13, 7, 31, tzinfo=UTC)
WALK = 200
RARE_WALK = 10
Walk = Callable[[], None]
# Lines as people write them: heartbeats, backups, reports, billing, and what comes once in years.
# Weekdays by name: APScheduler 3 counts them from Monday = 0.
LINES = (
    ("* * * * *", "UTC"),
    ("* * * * *", "Europe/Amsterdam"),
    ("*/2 * * * *", "UTC"),
    ("*/5 * * * *", "UTC"),
    ("*/5 * * * *", "America/New_York"),
    ("*/10 * * * *", "UTC"),
    ("*/15 * * * *", "UTC"),
    ("*/15 * * * *", "Europe/London"),
    ("*/30 * * * *", "UTC"),
    ("0 * * * *", "UTC"),
    ("0 * * * *", "Asia/Kolkata"),
    ("17 * * * *", "UTC"),
    ("25 6-22 * * *", "Europe/Berlin"),
    ("5,35 * * * *", "UTC"),
    ("0 */2 * * *", "UTC"),
    ("0 */4 * * *", "America/Sao_Paulo"),
    ("30 */6 * * *", "UTC"),
    ("0 */12 * * *", "UTC"),
    ("0 0 * * *", "UTC"),
    ("0 0 * * *", "America/Los_Angeles"),
    ("0 1 * * *", "Europe/Amsterdam"),
    ("10 0 * * *", "Europe/Amsterdam"),
    ("30 2 * * *", "Europe/Amsterdam"),
    ("0 3 * * *", "Australia/Sydney"),
    ("0 9,18 * * *", "Asia/Tokyo"),
    ("0 8 * * mon-fri", "Europe/Amsterdam"),
    ("30 17 * * mon-fri", "America/New_York"),
    ("*/5 9-17 * * mon-fri", "UTC"),
    ("*/15 8-18 * * mon-fri", "Europe/Paris"),
    ("0 9-17 * * mon-sat", "America/Chicago"),
    ("0 8 * * mon", "Europe/Amsterdam"),
    ("0 0 * * sun", "UTC"),
    ("45 23 * * sat", "UTC"),
    ("0 4 * * tue,thu", "UTC"),
    ("47 6 * * sun", "Europe/Berlin"),
    ("0 0 1 * *", "UTC"),
    ("52 6 1 * *", "Europe/Berlin"),
    ("0 0 1,15 * *", "UTC"),
    ("0 12 15 * *", "America/New_York"),
    ("30 6 28-31 * *", "UTC"),
    ("0 0 L * *", "UTC"),
    ("0 9 * * fri#2", "America/New_York"),
    ("0 0 1 */3 *", "UTC"),
    ("0 0 1 1,4,7,10 *", "Europe/London"),
    ("0 0 31 * *", "UTC"),
    ("0 0 1 1 *", "UTC"),
    ("0 10 25 12 *", "Europe/Amsterdam"),
    ("59 23 31 12 *", "Asia/Tokyo"),
    ("0 0 29 2 *", "UTC"),
    ("0 0 29 2 *", "Europe/Amsterdam"),
)


def rota(line: str, tz: str, steps: int) -> Walk:
    """Rota."""
    next_after = cron(line, tz).next_after

    def walk() -> None:
        moment = START
        for _ in range(steps):
            moment = next_after(moment) or START

    return walk


def of_cronsim(line: str, tz: str, steps: int) -> Walk:
    """Cronsim, which knows no other way than to walk."""
    ticks = CronSim(line, START.astimezone(ZoneInfo(tz)))

    def walk() -> None:
        for _ in range(steps):
            next(ticks)

    return walk


def of_croniter(line: str, tz: str, steps: int) -> Walk:
    """Croniter."""
    ticks = croniter(line, START.astimezone(ZoneInfo(tz)), ret_type=datetime)

    def walk() -> None:
        for _ in range(steps):
            ticks.get_next()

    return walk


def of_apscheduler(line: str, tz: str, steps: int) -> Walk:
    """APScheduler 3."""
    line = re.sub(r"(\S+ \S+) \* \* fri#2", r"\1 2nd_fri * *", line).replace(" L ", " last ")
    minute, hour, day, month, day_of_week = line.split()
    trigger = CronTrigger(
        minute=minute,
        hour=hour,
        day=day.replace("_", " "),
        month=month,
        day_of_week=day_of_week,
        timezone=ZoneInfo(tz),
    )

    def walk() -> None:
        moment = START.astimezone(ZoneInfo(tz))
        for _ in range(steps):
            moment = trigger.get_next_fire_time(moment, moment)

    return walk


CONTENDERS = {"rota": rota, "cronsim": of_cronsim, "croniter": of_croniter, "apscheduler": of_apscheduler}


def measure(rounds: int) -> Iterator[dict[str, float | str]]:
    """Yield for each line the microseconds of one call by contender."""
    for line, tz in LINES:
        *_, day, month, _ = line.split()
        steps = RARE_WALK if day != "*" and month != "*" else WALK
        best = dict.fromkeys(CONTENDERS, float("inf"))
        for _ in range(rounds):
            for name, contender in CONTENDERS.items():
                walk = contender(line, tz, steps)
                started = time.perf_counter()
                walk()
                best[name] = min(best[name], (time.perf_counter() - started) / steps * 1e6)
        yield {"line": line, "tz": tz, **best}


def main() -> None:
    """Measure, print the table, and what is claimed of it."""
    parser = argparse.ArgumentParser(prog="python -m bench.triggers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--save", type=Path, help="a JSON file to write")
    chosen = parser.parse_args()
    rows = list(measure(chosen.rounds))
    peers = [name for name in CONTENDERS if name != "rota"]
    table = Table("line", "zone", *(f"{name} µs" for name in CONTENDERS), *(f"÷ {name}" for name in peers))
    for row in rows:
        figures = {name: float(row[name]) for name in CONTENDERS}
        table.add_row(
            str(row["line"]),
            str(row["tz"]),
            *(f"{figure:.2f}" for figure in figures.values()),
            *(f"{figures[name] / figures['rota']:.1f}" for name in peers),
        )
    means = {name: geometric_mean(float(row[name]) / float(row["rota"]) for row in rows) for name in peers}
    worst = min(min(float(row[name]) for name in peers) / float(row["rota"]) for row in rows)
    console = Console(width=140)
    console.print(table)
    console.print("geometric means:", ", ".join(f"{mean:.1f} × {name}" for name, mean in means.items()))
    console.print(f"the line with the least lead over the best peer: {worst:.1f} ×")
    if chosen.save:
        chosen.save.write_text(json.dumps({"rows": rows, "means": means, "worst": worst}, indent=1) + "\n")


if __name__ == "__main__":
    main()
