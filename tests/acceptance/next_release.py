"""The next release, as to its schema: `python next_release.py FOLDER …` is `rota …` with more migrations.

FOLDER holds them for each store, in `sqlite` and `postgres`.
"""

import sys
from pathlib import Path

from rota.cli.main import main
from rota.stores.migrations import parse
from rota.stores.postgres import migrating
from rota.stores.sqlite import schema

folder, *words = sys.argv[1:]


def more(store: str) -> list[tuple[str, str]]:
    return [(file.name, file.read_text()) for file in sorted(Path(folder, store).glob("*.sql"))]


this = {"sqlite": schema.migrations(), "postgres": migrating.migrations()}
next_ = {store: (*known, *(parse(*file) for file in more(store))) for store, known in this.items()}
schema.migrations = lambda: next_["sqlite"]  # type: ignore[assignment]  # as if the files lay in the package
migrating.migrations = lambda: next_["postgres"]  # type: ignore[assignment]

main(words)
