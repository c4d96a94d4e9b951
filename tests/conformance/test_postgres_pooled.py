"""PostgreSQL behind a pooler in transaction mode: other ways to connect and to plan, the same behaviour."""

import pytest

from rota.testing.conformance.harness import Harness
from rota.testing.conformance.suite import (
    TestBeat,
    TestClaimOnce,
    TestFireOnce,
    TestOpen,
    TestSettleMany,
    TestSlotsExact,
    TestStorm,
    TestSubmitMany,
    TestSubmitOn,
    clock,
    crowd,
    scene,
    store,
)

__all__ = [
    "TestBeat",
    "TestClaimOnce",
    "TestFireOnce",
    "TestOpen",
    "TestSettleMany",
    "TestSlotsExact",
    "TestStorm",
    "TestSubmitMany",
    "TestSubmitOn",
    "clock",
    "crowd",
    "scene",
    "store",
]


@pytest.fixture
def harness(pooled_harness: Harness) -> Harness:
    return pooled_harness


def test_it_says_that_it_wakes_nobody(harness: Harness) -> None:
    assert harness.store(None).capabilities.push_wakeup is False
