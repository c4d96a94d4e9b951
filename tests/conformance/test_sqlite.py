"""SQLite is a store of Rota."""

import pytest

from rota.testing.conformance.harness import Harness
from rota.testing.conformance.suite import *  # noqa: F403 - every class of tests, and their fixtures


@pytest.fixture
def harness(sqlite_harness: Harness) -> Harness:
    return sqlite_harness
