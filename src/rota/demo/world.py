"""The input: the IANA time zone database, public domain, as the package `tzdata` ships it."""

from importlib.resources import files
from typing import NamedTuple

__all__ = ["Zone", "countries", "version", "zone_data", "zones"]

_FOLDER = files("tzdata") / "zoneinfo"


class Zone(NamedTuple):
    """A region whose clocks have agreed since 1970, and the codes of the countries in it."""

    name: str
    countries: tuple[str, ...]


def version() -> str:
    """Return the version of the database, such as 2026a."""
    return (_FOLDER / "tzdata.zi").read_text(encoding="utf-8").split(maxsplit=3)[2]


def zones() -> list[Zone]:
    """Return every zone, in the order of the database."""
    return [Zone(name, tuple(codes.split(","))) for codes, _, name, *_ in _table("zone1970.tab")]


def countries() -> dict[str, str]:
    """Return the names of countries by their ISO 3166 codes."""
    return {code: name for code, name, *_ in _table("iso3166.tab")}


def zone_data(name: str) -> bytes:
    """Return a zone's compiled file."""
    return _FOLDER.joinpath(*name.split("/")).read_bytes()


def _table(name: str) -> list[list[str]]:
    lines = (_FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]
