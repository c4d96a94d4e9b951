"""Traps around the store's verbs, so that nothing is patched: at a drawn one the process kills itself."""

import os
import random
import signal
import threading
from collections.abc import Sequence
from typing import Any, cast

from rota import Rota
from rota.model.job import Submission, Submitted
from rota.ports.store import Store
from tests.chaos.ledger import Ledger

__all__ = ["PHASES", "Trap", "TrappedRota", "TrappedStore"]

VERBS = {
    "claim": "claim",
    "settle": "finish",
    "acquire": "slots",
    "beat": "beat",
    "rescue": "rescue",
    "promote": "promote",
    "fire": "tick",
}
PHASES = {
    "worker": [*("claim", "finish", "run") * 3, "slots", "beat", "rescue", "promote", "any"],
    "scheduler": ["tick", "tick", "promote"],
    "run": ["claim", "run", "finish", "tick", "any"],
    "submitter": ["submit", "submit", "any"],
}
"""In which phases a process of a role is killed: before or after, but `run` and `any` (at any moment)."""


class Trap:
    """Counts passes of each phase, and kills the process at the drawn one. A seed of -1 is spared."""

    def __init__(self, ledger: Ledger, role: str, seed: int) -> None:
        draw = random.Random(seed)
        self.armed = False
        self._ledger = ledger
        self._role = role
        self.phase = draw.choice(PHASES[role]) if seed >= 0 else ""
        if self.phase not in {"", "run", "any"}:
            self.phase = f"{draw.choice(['before', 'after'])} {self.phase}"
        # Jobs pass far more often than groups of them are claimed or finished.
        self._left = draw.randint(5, 60) if self.phase == "run" else draw.randint(1, 3)
        self._seconds = draw.uniform(0.05, 1.0)
        self._patience = 2.0
        if role in {"scheduler", "submitter"}:
            # They are quickly there and back: most deaths are to be those of workers.
            self._left *= 4
            self._patience = 8.0

    def arm(self) -> None:
        """Let it count; and where the phase is any moment, or does not come, let time decide."""
        self.armed = True
        if self.phase:
            seconds = self._seconds if self.phase == "any" else self._patience
            threading.Timer(seconds, self._die, ["any"]).start()

    def passes(self, phase: str) -> None:
        """Note that a phase is passed; at the drawn one, die."""
        if not self.armed or phase != self.phase:
            return
        self._left -= 1
        if self._left == 0:
            self._die(phase)

    def _die(self, phase: str) -> None:
        self._ledger.die(self._role, phase)
        os.kill(os.getpid(), signal.SIGKILL)


class _Trapped:
    """A port, or a store, whose verbs are trapped."""

    def __init__(self, inner: Any, trap: Trap) -> None:
        self._inner = inner
        self._trap = trap

    def __getattr__(self, name: str) -> Any:
        phase = VERBS.get(name)
        verb = getattr(self._inner, name)
        if phase is None:
            return verb

        async def trapped(*args: Any, **options: Any) -> Any:
            self._trap.passes(f"before {phase}")
            answer = await verb(*args, **options)
            if answer is None or not hasattr(answer, "__len__") or answer:
                self._trap.passes(f"after {phase}")
            return answer

        return trapped


class TrappedStore:
    """A store with traps around what changes it."""

    def __init__(self, store: Store, trap: Trap) -> None:
        self._store = store
        self._trap = trap
        for port in ("jobs", "limits", "workers", "schedules"):
            setattr(self, port, _Trapped(getattr(store, port), trap))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def submit_now(self, submissions: Sequence[Submission], *, resend: bool = False) -> list[Submitted]:
        """Submit, with a trap on either side."""
        self._trap.passes("before submit")
        submitted = self._store.submit_now(submissions, resend=resend)
        self._trap.passes("after submit")
        return submitted


class TrappedRota(Rota):
    """An app whose store is trapped."""

    trap: Trap

    def make_store(self) -> Store:
        """Return the trapped store."""
        return cast("Store", TrappedStore(super().make_store(), self.trap))
