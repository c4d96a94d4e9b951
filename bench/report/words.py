"""Figures and names as people read them."""

from bench.contenders import NAMES

__all__ = ["mark", "number", "rounds", "shown", "spread"]


def shown(contender: str) -> str:
    """Return a contender's own spelling: "PgQueuer (100)"."""
    name, blank, setup = contender.partition(" ")
    return f"{NAMES.get(name, name)}{blank}{setup}"


def rounds(number: int) -> str:
    """Return "3 rounds", or "1 round"."""
    return f"{number} round{'' if number == 1 else 's'}"


def number(value: float) -> str:
    """Return three digits that mean something: 20,134 and 4.21 and 0.055."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:.2g}"


def spread(values: list[float]) -> str:
    """Return the least and the largest; nothing for a single value."""
    return f"{number(min(values))} – {number(max(values))}" if len(values) > 1 else ""


def mark(met: bool | None) -> str:
    """Say whether a target was met."""
    return {True: "met", False: "missed", None: "not measured"}[met]
