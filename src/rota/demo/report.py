"""What came out of it, as sections; `screen.py` shows them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rota.demo import tables, world
from rota.demo.summaries import NOW

__all__ = ["TITLE", "Section", "sections", "subtitle"]

TITLE = "When do the world's clocks change?"


class Section(NamedTuple):
    """A table with a title; `bars` are numbers to show beside the rows."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    bars: Sequence[int] = ()

    def numeric(self, column: int) -> bool:
        """Whether a column holds numbers, which stand at its right."""
        return all(row[column].isdecimal() for row in self.rows)


def subtitle() -> str:
    """Say what the report is about."""
    zones, countries, changes = (
        tables.rows(f"SELECT count(*) FROM {table}")[0][0]  # noqa: S608 - names from the next line
        for table in ("zone", "country_now", "change")
    )
    return (
        f"IANA time zone database {world.version()}: {zones} zones, {countries} countries, "
        f"{changes} changes. Now is {NOW:%Y-%m-%d}."
    )


def sections() -> Iterator[Section]:
    """Yield the report's sections, from the summary tables."""
    yield _decades()
    yield _regions()
    yield _countries()
    yield _odd_offsets()
    yield _most_turned()
    yield _next_turns()


def _decades() -> Section:
    found = tables.rows("SELECT name, turns FROM decade ORDER BY name")
    rows = [(name, str(turns)) for name, turns in found]
    return Section("Clocks turned per decade", ("decade", "turns"), rows, [turns for _, turns in found])


def _regions() -> Section:
    ((turning, countries),) = tables.rows("SELECT count(*) FILTER (WHERE turning), count(*) FROM country_now")
    found = tables.rows("SELECT name, zones, turning FROM region_now ORDER BY turning DESC, zones DESC, name")
    return Section(
        f"{turning} of {countries} countries still turn their clocks",
        ("region", "zones", "turning"),
        [(name, str(zones), str(turning)) for name, zones, turning in found],
        [turning for _, _, turning in found],
    )


def _countries() -> Section:
    found = tables.rows(
        "SELECT name, zones, times FROM country_now ORDER BY times DESC, zones DESC, name LIMIT 6"
    )
    rows = [(name, str(zones), str(times)) for name, zones, times in found]
    return Section("Countries with many times", ("country", "zones", "times on the clock"), rows)


def _odd_offsets() -> Section:
    found = tables.rows("SELECT ahead, zone, zones FROM odd_offset ORDER BY ahead % 1800 = 0, ahead")
    rows = [(_offset(ahead), zone, str(zones)) for ahead, zone, zones in found]
    return Section("Times that are not whole hours from UTC", ("offset", "for example", "zones"), rows)


def _most_turned() -> Section:
    found = tables.rows("SELECT zone, turns FROM zone_now ORDER BY turns DESC, zone LIMIT 5")
    rows = [(zone, str(turns)) for zone, turns in found]
    return Section("Clocks turned most often", ("zone", "turns"), rows, [turns for _, turns in found])


def _next_turns() -> Section:
    found = tables.rows("SELECT day, seconds, zones, zone FROM next_turn ORDER BY day, seconds DESC")
    rows = [(day, _offset(seconds), str(zones), zone) for day, seconds, zones, zone in found]
    return Section("The next turns", ("day", "by", "zones", "for example"), rows)


def _offset(seconds: int) -> str:
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02}:{minutes:02}"
