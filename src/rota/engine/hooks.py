"""Calls a user's `on_success` and `on_failure` after the store has taken the outcome."""

import asyncio
import inspect

from rota.definitions.attempt import Attempt
from rota.definitions.task import Hook
from rota.engine.announcer import Announcer
from rota.model.events import HookFailed
from rota.model.outcome import Outcome

__all__ = ["call_hook"]


async def call_hook(hook: Hook, attempt: Attempt, outcome: Outcome, announcer: Announcer) -> None:
    """Call a hook, a plain one in a thread; one that raises is announced and changes nothing."""
    try:
        if inspect.iscoroutinefunction(hook):
            await hook(attempt.job, outcome)
        else:
            await asyncio.to_thread(hook, attempt.job, outcome)
    except Exception as error:  # noqa: BLE001 - a user's hook may raise anything; the outcome stands
        announcer.announce(HookFailed(attempt.job.id, attempt.job.task, repr(error)))
