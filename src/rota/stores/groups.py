"""What the stores share in treating many jobs at once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import TypeVar

from rota.model.job import Submission
from rota.model.outcome import Settlement

__all__ = ["common", "first_of_each", "rounds"]

T = TypeVar("T")

common = attrgetter(*(name for name in Submission.__struct_fields__ if name not in {"id", "payload"}))
"""Returns what the submissions of one call mostly have in common."""


def first_of_each(settlements: Sequence[Settlement]) -> Iterable[Settlement]:
    """Return the first outcome of each claim: it is the one that stands."""
    if len({one.id for one in settlements}) == len(settlements):
        return settlements
    unique: dict[tuple[object, int], Settlement] = {}
    for one in settlements:
        unique.setdefault((one.id, one.token), one)
    return unique.values()


def rounds(items: Sequence[T], name: Callable[[T], str]) -> Iterator[Sequence[T]]:
    """Split items so that no name stands twice in a group: the second of a name depends on the first."""
    rest = items
    while rest:
        group: dict[str, T] = {}
        later = []
        for item in rest:
            if name(item) in group:
                later.append(item)
            else:
                group[name(item)] = item
        yield list(group.values())
        rest = later
