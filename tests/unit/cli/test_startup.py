"""Commands start quickly: they load only what they need."""

import subprocess
import sys

import pytest

# What each costs is seen by `python -X importtime`; what is loaded is the same on every machine.
HEAVY = (
    "asyncio",
    "rich",
    "asyncpg",
    "psycopg",
    "sqlite3",
    "rota.engine",
    "rota.stores",
    "rota.app",
    "rota.executors",
)


def loaded(code: str) -> set[str]:
    """Return the modules that a fresh interpreter has after some code."""
    script = (
        f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\nprint(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "code",
    [
        "import rota",
        "from rota.cli.main import main; main(['--help'])",
        "from rota.cli.main import main; main(['jobs', 'list', '--help'])",
    ],
)
def test_help_loads_no_event_loop_no_store_and_no_engine(code: str) -> None:
    modules = loaded(code)

    assert [name for name in HEAVY if name in modules] == []


def test_the_root_s_names_are_there_when_they_are_used() -> None:
    assert "rota.app.rota" in loaded("from rota import Rota")
