"""Days of history: one partition each, by UTC, made ahead and dropped whole."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

__all__ = ["bounds", "day_at", "day_of", "drop_script", "missing_days", "partition_script"]

AHEAD = 8
_DAY = timedelta(days=1)


def day_of(name: str) -> date:
    """Return the day of a partition by its name."""
    return datetime.strptime(name, "history_%Y%m%d").replace(tzinfo=UTC).date()


def day_at(moment: datetime) -> date:
    """Return the day whose partition a moment falls into."""
    return moment.astimezone(UTC).date()


def bounds(day: date) -> tuple[datetime, datetime]:
    """Return the first moment of a day and of the next."""
    start = datetime.combine(day, time(), UTC)
    return start, start + _DAY


def missing_days(now: datetime, there: Iterable[date]) -> list[date]:
    """Return the days from today on that have no partition yet."""
    today = day_at(now)
    return sorted({today + n * _DAY for n in range(AHEAD + 1)} - set(there))


def partition_script(schema: str, days: Iterable[date]) -> str:
    """Return the SQL that makes the partitions of days.

    A table is made first and attached then, which locks the history less than making it as a partition.
    """
    lines = []
    for day in days:
        name, (start, end) = f'"{schema}".{_name(day)}', bounds(day)
        lines.append(f'create table if not exists {name} (like "{schema}".history including defaults);')
        lines.append(
            f'alter table "{schema}".history attach partition {name} '
            f"for values from ('{start.isoformat()}') to ('{end.isoformat()}');"
        )
    return "\n".join(lines)


def drop_script(schema: str, day: date) -> str:
    """Return the SQL that drops a day with all that finished on it."""
    return f'drop table if exists "{schema}".{_name(day)}'


def _name(day: date) -> str:
    return f"history_{day:%Y%m%d}"
