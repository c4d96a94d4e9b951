"""What executors have in common when an attempt has to end early."""

__all__ = ["FORCED", "ignore_stop"]

FORCED = frozenset({"timeout", "cancelled"})
"""Reasons that end a plain function in its thread by an exception; others only ask (`attempt.cancelled`)."""


def ignore_stop(_reason: str) -> None:
    """Take a stop that comes too late: the attempt has ended."""
