"""Rota: one scheduler for Python: what runs, when, in which order and where, and that it ran."""

import importlib
import typing

if typing.TYPE_CHECKING:
    from rota.app.job import Job
    from rota.app.locate import default_app
    from rota.app.rota import Rota
    from rota.definitions.attempt import Attempt, current
    from rota.definitions.secret import Secret
    from rota.model.errors import (
        ArgumentsError,
        AttemptStoppedError,
        ConfigurationError,
        JobCancelledError,
        JobExpiredError,
        JobFailedError,
        JobNotFoundError,
        ResultTimeoutError,
        ResultUnavailableError,
        RotaError,
        StoreError,
        StoreUnavailableError,
        SubmitUncertainError,
        TriggerError,
        UnknownTaskError,
        WorkerCrashedError,
    )
    from rota.model.outcome import Cancelled, Failed, Outcome, Snooze, Succeeded
    from rota.model.states import State
    from rota.policy.retrying import Retry
    from rota.triggers.business import business_days
    from rota.triggers.calendar import calendar
    from rota.triggers.combine import all_of, any_of, excluding
    from rota.triggers.cron import cron
    from rota.triggers.interval import every
    from rota.triggers.once import once
    from rota.triggers.rrule import rrule

__all__ = [
    "ArgumentsError",
    "Attempt",
    "AttemptStoppedError",
    "Cancelled",
    "ConfigurationError",
    "Failed",
    "Job",
    "JobCancelledError",
    "JobExpiredError",
    "JobFailedError",
    "JobNotFoundError",
    "Outcome",
    "ResultTimeoutError",
    "ResultUnavailableError",
    "Retry",
    "Rota",
    "RotaError",
    "Secret",
    "Snooze",
    "State",
    "StoreError",
    "StoreUnavailableError",
    "SubmitUncertainError",
    "Succeeded",
    "TriggerError",
    "UnknownTaskError",
    "WorkerCrashedError",
    "all_of",
    "any_of",
    "business_days",
    "calendar",
    "cron",
    "current",
    "default_app",
    "every",
    "excluding",
    "once",
    "rrule",
]

_HOMES = {
    "rota.app.job": ("Job",),
    "rota.app.locate": ("default_app",),
    "rota.app.rota": ("Rota",),
    "rota.definitions.attempt": (
        "Attempt",
        "current",
    ),
    "rota.definitions.secret": ("Secret",),
    "rota.model.errors": (
        "ArgumentsError",
        "AttemptStoppedError",
        "ConfigurationError",
        "JobCancelledError",
        "JobExpiredError",
        "JobFailedError",
        "JobNotFoundError",
        "ResultTimeoutError",
        "ResultUnavailableError",
        "RotaError",
        "StoreError",
        "StoreUnavailableError",
        "SubmitUncertainError",
        "TriggerError",
        "UnknownTaskError",
        "WorkerCrashedError",
    ),
    "rota.model.outcome": (
        "Cancelled",
        "Failed",
        "Outcome",
        "Snooze",
        "Succeeded",
    ),
    "rota.model.states": ("State",),
    "rota.policy.retrying": ("Retry",),
    "rota.triggers.business": ("business_days",),
    "rota.triggers.calendar": ("calendar",),
    "rota.triggers.combine": (
        "all_of",
        "any_of",
        "excluding",
    ),
    "rota.triggers.cron": ("cron",),
    "rota.triggers.interval": ("every",),
    "rota.triggers.once": ("once",),
    "rota.triggers.rrule": ("rrule",),
}

if not typing.TYPE_CHECKING:
    # Each name is loaded at its first use: `rota --help` needs none of them, and is there at once.
    def __getattr__(name: str) -> typing.Any:
        for home, names in _HOMES.items():
            if name in names:
                value = globals()[name] = getattr(importlib.import_module(home), name)
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted(__all__)
