"""What a tick does while earlier jobs of its schedule have not finished."""

from enum import StrEnum

from rota.model.errors import ConfigurationError, did_you_mean
from rota.policy.misfires import CatchUp

__all__ = ["MOST_WAITING", "Overlap", "check_policies", "room"]

MOST_WAITING = 100
"""How many unfinished jobs of one schedule `Overlap.QUEUE` allows; a tick beyond that is skipped."""


class Overlap(StrEnum):
    """What a tick does while a job of its schedule is ready, runs, waits or is to be retried.

    It is skipped; its job waits for those before it; those before it are cancelled and it runs when they have
    ended; it runs beside them.
    """

    SKIP = "skip"
    QUEUE = "queue"
    CANCEL_RUNNING = "cancel_running"
    ALLOW = "allow"


def room(overlap: str) -> int | None:
    """Return at how many unfinished jobs a tick is skipped; None: at none."""
    if overlap == Overlap.ALLOW:
        return None
    return 1 if overlap == Overlap.SKIP else MOST_WAITING


def check_policies(schedule: str, catch_up: str, overlap: str) -> None:
    """Refuse policies that do not exist or contradict each other.

    Raises:
        ConfigurationError: names the schedule, the field, its value and the choices.
    """
    if (catch_up, overlap) in _PRODUCTS:
        return
    faults = []
    for field, value, kind in (("catch_up", catch_up, CatchUp), ("overlap", overlap, Overlap)):
        known = [policy.value for policy in kind]
        if value not in known:
            hint = did_you_mean(str(value), known)
            faults.append(
                f"schedule {schedule!r}: {field} {value!r} is unknown.{hint} Choose {', '.join(known)}"
            )
    if catch_up == CatchUp.ALL and overlap in {Overlap.SKIP, Overlap.CANCEL_RUNNING}:
        faults.append(
            f"schedule {schedule!r}: catch_up 'all' with overlap {overlap!r} would run one of many at best. "
            "Choose overlap 'queue' or 'allow'"
        )
    if faults:
        raise ConfigurationError(faults)


_PRODUCTS = frozenset(
    (str(catch_up), str(overlap))
    for catch_up in CatchUp
    for overlap in Overlap
    if catch_up is not CatchUp.ALL or overlap in {Overlap.QUEUE, Overlap.ALLOW}
)
