"""Write anew what happens at every change of clocks: the data for a test, and the table in docs/time.md.

`python -m scripts.dst_table` looks at clocks on the wall minute by minute; it does not ask Rota.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from tests.property.walls import Change, changes, ticks

ROOT = Path(__file__).parents[1]
DATA = ROOT / "tests" / "property" / "dst.csv"
PAGE = ROOT / "docs" / "time.md"
BEGIN, END = "<!-- dst table: made by scripts/dst_table.py -->\n", "<!-- end of dst table -->\n"
WINDOW = timedelta(hours=3)
# Half an hour, an hour, two, a whole day; at midnight, in the small hours; once, twice, four times a year, or
# never; with a summer time that is counted backwards.
ZONES = (
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Asuncion",
    "America/Caracas",
    "America/Chicago",
    "America/Havana",
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Amman",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Jerusalem",
    "Asia/Kolkata",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Asia/Tokyo",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Europe/Amsterdam",
    "Europe/Dublin",
    "Europe/Istanbul",
    "Europe/London",
    "Europe/Moscow",
    "Pacific/Apia",
    "Pacific/Auckland",
)
# What each column of ticks stands for: what becomes of skipped and of repeated times.
POLICIES = {
    "tick": ("shift", "first"),
    "skip": ("skip", "first"),
    "second": ("shift", "second"),
    "both": ("shift", "both"),
}


def main() -> None:
    """Write both files."""
    with DATA.open("w", newline="") as file:
        writer = csv.DictWriter(
            file, ["zone", "at", "before", "after", "time", *POLICIES], lineterminator="\n"
        )
        writer.writeheader()
        for zone in ZONES:
            writer.writerows(row(zone, change) for change in changes(zone))
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    PAGE.write_text(before + BEGIN + table(read()) + END + rest.split(END)[1])


def read() -> list[dict[str, str]]:
    """Return the rows of the data."""
    with DATA.open(newline="") as file:
        return list(csv.DictReader(file))


def row(zone: str, change: Change) -> dict[str, str]:
    """Return what a daily trigger does at a time that is skipped or repeated: the middle of those."""
    shift = abs(change.after - change.before)
    middle = change.at.replace(tzinfo=None) + min(change.before, change.after) + shift // 2
    time = middle.replace(second=0)
    found = {
        name: ticks(
            lambda wall: (wall.hour, wall.minute) == (time.hour, time.minute),
            zone,
            change.at - WINDOW,
            change.at + WINDOW,
            skipped=skipped,
            repeated=repeated,
            margin=shift + WINDOW,
        )
        for name, (skipped, repeated) in POLICIES.items()
    }
    return {
        "zone": zone,
        "at": f"{change.at:%Y-%m-%dT%H:%MZ}",
        "before": str(change.before // timedelta(minutes=1)),
        "after": str(change.after // timedelta(minutes=1)),
        "time": f"{time:%H:%M}",
        **{name: " ".join(f"{moment:%dT%H:%M}" for moment in moments) for name, moments in found.items()},
    }


def table(rows: list[dict[str, str]]) -> str:
    """Return one line for each zone: how often clocks are turned, and its last change of each kind."""
    head = (
        "| zone | skipped | repeated | last time skipped → it ticks at | last time repeated → it ticks at |\n"
        "|---|--:|--:|---|---|\n"
    )
    return "\n" + head + "".join(f"{line}\n" for line in _lines(rows)) + "\n"


def _lines(rows: Iterable[Mapping[str, str]]) -> Iterator[str]:
    for zone in ZONES:
        own = [row for row in rows if row["zone"] == zone]
        skips = [row for row in own if int(row["after"]) > int(row["before"])]
        repeats = [row for row in own if int(row["after"]) < int(row["before"])]
        yield f"| {zone} | {len(skips)} | {len(repeats)} | {_example(skips)} | {_example(repeats)} |"


def _example(rows: list[Mapping[str, str]]) -> str:
    """Return the last change as a person in that zone sees it: the local time, and when it ticks."""
    if not rows:
        return "–"
    row = rows[-1]
    at = datetime.fromisoformat(row["at"])
    day, _, clock = row["tick"].split(" ")[0].partition("T")
    near = (at + timedelta(days=number) for number in (-1, 0, 1))
    tick = next(moment for moment in near if f"{moment:%d}" == day)
    lead = int(row["before"] if int(row["after"]) < int(row["before"]) else row["after"])
    tick = tick.replace(hour=int(clock[:2]), minute=int(clock[3:])) + timedelta(minutes=lead)
    sign = "-" if lead < 0 else "+"
    return f"{tick:%Y-%m-%d} {row['time']} → {tick:%H:%M} ({sign}{abs(lead) // 60:02}:{abs(lead) % 60:02})"


if __name__ == "__main__":
    main()
