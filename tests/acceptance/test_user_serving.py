"""A served app as its process sees it."""

import gc
from pathlib import Path

import pytest

from rota import Rota
from rota.app.serving import serve


async def test_what_the_start_made_is_left_out_of_collections_until_the_end(tmp_path: Path) -> None:
    app = Rota(f"sqlite:///{tmp_path}/rota.db")
    frozen: list[int] = []

    def ready() -> None:
        frozen.append(gc.get_freeze_count())
        # As whatever goes wrong once everything runs.
        raise InterruptedError

    with pytest.raises(InterruptedError):
        await serve(app, ["worker"], ready=ready)

    assert frozen[0] > 0
    assert gc.get_freeze_count() == 0
