"""A delay that spreads schedules of one moment, always the same for one schedule and tick."""

from datetime import datetime, timedelta
from hashlib import blake2b

from rota.model.clock import to_micros

__all__ = ["jitter_of"]

_BYTES = 8


def jitter_of(schedule: str, due: datetime, most: timedelta) -> timedelta:
    """Return by how much a tick's run is moved: at least zero, less than `most`, evenly spread."""
    text = f"{schedule}\0{to_micros(due)}".encode()
    number = int.from_bytes(blake2b(text, digest_size=_BYTES).digest())
    micros = most // timedelta.resolution
    return timedelta(microseconds=number * micros >> (8 * _BYTES))
