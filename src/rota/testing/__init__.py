"""What users' own tests of their tasks use; `conformance` holds the suites that every store passes."""

from rota.testing.clock import FakeClock
from rota.testing.draining import Ran, drain, drain_async
from rota.testing.inlining import inline
from rota.testing.isolation import isolated
from rota.testing.recording import Enqueued, enqueued, enqueued_async

__all__ = [
    "Enqueued",
    "FakeClock",
    "Ran",
    "drain",
    "drain_async",
    "enqueued",
    "enqueued_async",
    "inline",
    "isolated",
]
