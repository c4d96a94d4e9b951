"""The app of a victim, and of its child processes, which find it by this module's name."""

import os
from pathlib import Path

from tests.chaos import world
from tests.chaos.ledger import Ledger
from tests.chaos.traps import Trap, TrappedRota

role, seed = os.environ["ROTA_CHAOS_VICTIM"].split(":")
folder = Path(os.environ["ROTA_CHAOS_FOLDER"])
trap = Trap(Ledger(folder), role, int(seed))
app = TrappedRota(os.environ["ROTA_CHAOS_URL"], **world.settings())
app.trap = trap
world.define(app, folder, trap.passes)
