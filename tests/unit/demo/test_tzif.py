"""Time zone files, beside Python's own reader of them."""

import io
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from rota.demo import world
from rota.demo.tzif import LAST_YEAR, read_changes

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = [zone.name for zone in world.zones()]


def moment(at: int) -> datetime:
    return EPOCH + timedelta(seconds=at)


def python(name: str) -> ZoneInfo:
    return ZoneInfo.from_file(io.BytesIO(world.zone_data(name)))


@pytest.mark.parametrize("part", range(8))
def test_it_agrees_with_zoneinfo_before_and_after_each_change(part: int) -> None:
    for name in ZONES[part::8]:
        zone = python(name)
        for change in read_changes(world.zone_data(name)):
            for at, offset in ((change.at - 1, change.before), (change.at, change.after)):
                assert moment(at).astimezone(zone).utcoffset() == timedelta(seconds=offset), (name, at)
            assert moment(change.at).astimezone(zone).tzname() == change.abbreviation, (name, change.at)


@pytest.mark.parametrize("name", ZONES[::20])
def test_it_misses_none(name: str) -> None:
    zone = python(name)
    changes = read_changes(world.zone_data(name))
    starts = [change.at for change in changes]

    for at in range(-4_000_000_000, 2_208_988_800, 7 * 86400 + 3600):
        index = bisect_right(starts, at)
        offset = changes[index - 1].after if index else changes[0].before
        assert moment(at).astimezone(zone).utcoffset() == timedelta(seconds=offset), moment(at)


def test_changes_are_in_order_and_end_with_the_last_year() -> None:
    for name in ZONES:
        changes = read_changes(world.zone_data(name))
        assert changes, name
        assert all(one.at < other.at and one.after == other.before for one, other in pairwise(changes)), name
        assert moment(changes[-1].at).year <= LAST_YEAR, name


def test_a_rule_is_followed() -> None:
    changes = read_changes(world.zone_data("Europe/Brussels"))

    spring, autumn = changes[-2:]
    assert (spring.before, spring.after, spring.is_dst, spring.abbreviation) == (3600, 7200, True, "CEST")
    assert (autumn.before, autumn.after, autumn.is_dst, autumn.abbreviation) == (7200, 3600, False, "CET")
    assert moment(spring.at) == datetime(2039, 3, 27, 1, tzinfo=UTC)
    assert moment(autumn.at) == datetime(2039, 10, 30, 1, tzinfo=UTC)


@pytest.mark.parametrize("data", [b"words" * 20, b"TZif" + b"\0" * 80], ids=["words", "version 1"])
def test_something_else_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="time zone file of version 2"):
        read_changes(data)
