"""Rota: one scheduler for Python. It decides what runs, when, in which order and where, and makes sure that it ran."""

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
    UnknownTaskError,
)
from rota.model.outcome import Cancelled, Failed, Outcome, Snooze, Succeeded
from rota.model.states import State
from rota.policy.retrying import Retry
from rota.triggers.cron import cron
from rota.triggers.interval import every

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
    "UnknownTaskError",
    "cron",
    "current",
    "default_app",
    "every",
]
