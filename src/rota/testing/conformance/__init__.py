"""What a store must do, as tests: every store of Rota passes them, and so can yours.

A test module of a store is a few lines. It says how to make one (see `Harness`) and imports the suite:

    import pytest
    from rota.testing.conformance.harness import Harness
    from rota.testing.conformance.suite import *


    class Mine(Harness):
        def store(self, clock, namespace="one"):
            return MyStore("...", prefix=namespace, clock=clock)

        def slots_used(self, namespace="one"):
            return None


    @pytest.fixture
    def harness():
        return Mine()

It needs `pip install 'rota[testing]'`, and `asyncio_mode = "auto"` in pytest's configuration. What the tests
hold a store to is written down in docs/stores.md.
"""

import pkgutil

import pytest

# Without it a failing assertion here would not show its values: pytest rewrites only what looks like a test.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)))
