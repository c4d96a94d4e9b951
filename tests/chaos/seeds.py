"""The seed of a run: drawn, printed, and given again to replay it."""

import os
import random

__all__ = ["drawn_seed"]


def drawn_seed() -> int:
    """Return ROTA_CHAOS_SEED, else any; it is printed, and pytest shows that when a test fails."""
    seed = int(os.environ.get("ROTA_CHAOS_SEED", random.SystemRandom().randrange(10**6)))
    print(f"replay with ROTA_CHAOS_SEED={seed}")  # noqa: T201 - see above
    return seed
