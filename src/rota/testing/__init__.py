"""What users' own tests of their tasks use; `conformance` holds the suites that every store passes."""

from rota.testing.clock import FakeClock
from rota.testing.draining import Ran, drain, drain_async
from rota.testing.inlining import inline
from rota.testing.isolation import isolated
from rota.testing.recording import Enqueued, enqueued, enqueued_async
from rota.testing.world import World, world

__all__ = [
    "Enqueued",
    "FakeClock",
    "Ran",
    "World",
    "drain",
    "drain_async",
    "enqueued",
    "enqueued_async",
    "inline",
    "isolated",
    "world",
]
