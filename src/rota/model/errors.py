"""Every error that Rota raises: one tree, each message with the value at fault and the remedy."""

import difflib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rota.model.job import Submission
    from rota.model.outcome import Crash

__all__ = [
    "ArgumentsError",
    "AttemptStoppedError",
    "CapabilityError",
    "ConfigurationError",
    "ConflictError",
    "DuplicateTaskError",
    "ExportFileError",
    "ForbiddenError",
    "ForbiddenMoveError",
    "InFlightError",
    "JobCancelledError",
    "JobExpiredError",
    "JobFailedError",
    "JobNotFoundError",
    "KeyReusedError",
    "MissingExtraError",
    "NoAttemptError",
    "NotFoundError",
    "PayloadTooLargeError",
    "ResultTimeoutError",
    "ResultUnavailableError",
    "RotaError",
    "SchemaVersionError",
    "StoreBusyError",
    "StoreError",
    "StoreNotEmptyError",
    "StoreUnavailableError",
    "SubmitUncertainError",
    "TriggerError",
    "UnauthorizedError",
    "UnknownOptionError",
    "UnknownTaskError",
    "WorkerCrashedError",
    "WrongConnectionError",
    "WrongThreadError",
    "did_you_mean",
]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the nearest known word, or an empty string."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


class RotaError(Exception):
    """Something that Rota refuses or cannot do. The root of all its errors."""


class ConfigurationError(RotaError):
    """Settings, definitions or a command line are wrong; `faults` lists every fault at once."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class MissingExtraError(ConfigurationError):
    """An optional part of Rota is asked for and not installed."""

    def __init__(self, what: str, extra: str) -> None:
        self.extra = extra
        super().__init__([f"{what} needs an extra that is not installed: pip install 'rota[{extra}]'"])


class UnknownOptionError(ConfigurationError):
    """An option has a name that does not exist."""

    def __init__(self, where: str, option: str, known: Iterable[str]) -> None:
        names = sorted(known)
        hint = did_you_mean(option, names)
        super().__init__([f"{where} has no option {option!r}.{hint} Options: {', '.join(names)}"])


class DuplicateTaskError(ConfigurationError):
    """Two tasks have one name."""

    def __init__(self, name: str, first: str, second: str) -> None:
        super().__init__(
            [f"two tasks are named {name!r}: {first} and {second}. Rename one, or give it name='...'"]
        )


class TriggerError(ConfigurationError):
    """A trigger cannot mean what was written: `field` holds a malformed, impossible or unknown value."""

    def __init__(self, trigger: str, field: str, value: object, reason: str, remedy: str) -> None:
        self.trigger, self.field, self.value = trigger, field, value
        super().__init__([f"{trigger}: {field} {value!r} {reason}. {remedy}"])


class UnknownTaskError(RotaError):
    """No task of this name is registered."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        hint = did_you_mean(name, names)
        super().__init__(f"no task is named {name!r}.{hint} Known tasks: {', '.join(names) or 'none'}")


class ArgumentsError(RotaError, TypeError):
    """Arguments do not fit the task, or cannot travel as JSON. Nothing was stored."""

    def __init__(self, task: str, field: str, reason: str, remedy: str) -> None:
        self.task, self.field = task, field
        super().__init__(f"task {task!r}, argument {field}: {reason}. {remedy}")


class PayloadTooLargeError(ArgumentsError):
    """Arguments are larger than the setting allows."""

    def __init__(self, task: str, size: int, limit: int) -> None:
        super().__init__(
            task,
            "(all)",
            f"they take {size} bytes as JSON and the limit is {limit}",
            "Store the data elsewhere and pass a reference, or raise ROTA_PAYLOAD_LIMIT",
        )


class ForbiddenMoveError(RotaError):
    """A job cannot make this move from the state it is in. Nothing was changed."""

    def __init__(self, verb: str, state: str, verbs: str) -> None:
        self.verb, self.state = verb, state
        super().__init__(f"cannot {verb} a job that is {state}; from there it can: {verbs}")


class NotFoundError(RotaError):
    """A thing asked for by its id or name does not exist."""

    def __init__(self, kind: str, name: str, hint: str = "") -> None:
        super().__init__(f"no {kind} {name!r}.{hint}")


class ConflictError(RotaError):
    """What was asked for does not fit what is there; nothing was changed."""


class InFlightError(ConflictError):
    """The first request of an idempotency key is still being answered."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"the request with the key {key!r} is being answered just now: ask again in a moment"
        )


class KeyReusedError(RotaError):
    """An idempotency key came with another request than the first time."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key!r} was sent with another request: take a new key for a new request")


class UnauthorizedError(RotaError):
    """Nobody was recognised: the token, link or session opens nothing."""


class ForbiddenError(RotaError):
    """Somebody was recognised and may not do this."""


class JobNotFoundError(NotFoundError):
    """No job has this id: it never existed, or its retention has passed."""

    def __init__(self, job_id: object) -> None:
        super().__init__("job", str(job_id), " It never existed here, or its retention has passed")


class JobFailedError(RotaError):
    """The job whose result was asked for failed; `kind`, `reason` and `traceback` say how.

    `crash` holds the evidence when the job's process died, else None.
    """

    def __init__(
        self, job_id: object, kind: str, reason: str, traceback: str = "", crash: "Crash | None" = None
    ) -> None:
        self.job_id, self.kind, self.reason, self.traceback = job_id, kind, reason, traceback
        self.crash = crash
        super().__init__(f"job {job_id} failed: {kind}: {reason}")


class JobCancelledError(RotaError):
    """The job whose result was asked for was cancelled."""

    def __init__(self, job_id: object) -> None:
        super().__init__(f"job {job_id} was cancelled; job.retry() runs it again")


class JobExpiredError(RotaError):
    """The job whose result was asked for passed its deadline before it started."""

    def __init__(self, job_id: object) -> None:
        super().__init__(f"job {job_id} expired before it started; job.retry() runs it now")


class ResultTimeoutError(RotaError, TimeoutError):
    """The job did not finish within the time given to `result`."""

    def __init__(self, job_id: object, seconds: float, state: str) -> None:
        super().__init__(
            f"job {job_id} is {state} after {seconds:g} s. Wait longer, or see `rota jobs why {job_id}`"
        )


class ResultUnavailableError(RotaError):
    """The job succeeded, but its result was not kept or its time to live has passed."""

    def __init__(self, job_id: object) -> None:
        super().__init__(f"job {job_id} succeeded, but its result is not kept. Set result_ttl= on the task")


class StoreError(RotaError):
    """The store refuses or cannot be used as asked."""


class StoreUnavailableError(StoreError):
    """The store cannot be reached now; the same call may work later."""


class StoreBusyError(StoreUnavailableError):
    """Somebody else's transaction is in the way: the verb was broken off and did nothing."""


class SubmitUncertainError(StoreUnavailableError):
    """The answer to a submit was lost: the jobs may be stored or not.

    `app.resend(error)` sends the same jobs again and never makes a second copy.
    """

    def __init__(self, submissions: "Sequence[Submission]", cause: object) -> None:
        self.submissions = tuple(submissions)
        super().__init__(
            f"{len(self.submissions)} job(s) were sent and the answer was lost ({cause}). "
            "app.resend(error) sends them again without a second copy"
        )


class SchemaVersionError(StoreError):
    """The store's schema and this code do not fit."""

    def __init__(self, found: int, needed: int, remedy: str) -> None:
        self.found, self.needed = found, needed
        super().__init__(f"the store has schema version {found} and this Rota needs {needed}. {remedy}")


class StoreNotEmptyError(StoreError):
    """An import is refused, since the store holds something already."""

    def __init__(self, found: Sequence[str]) -> None:
        self.found = tuple(found)
        super().__init__(
            f"the store is not empty: it holds records of kind {', '.join(found)}. Nothing was imported. "
            "Give the url of a new file or database, or another schema (ROTA_SCHEMA)"
        )


class ExportFileError(RotaError):
    """A file is no export, or a damaged one; `line` is where (0: the whole). Nothing was imported."""

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        super().__init__(f"{f'line {line}: ' if line else ''}{reason}. Nothing was imported")


class WrongConnectionError(StoreError):
    """The connection given to `options(connection=...)` cannot take this app's jobs."""


class CapabilityError(StoreError):
    """The store lacks what an operation needs."""

    def __init__(self, store: str, capability: str) -> None:
        super().__init__(f"the {store} store cannot do this: it lacks {capability!r}")


class AttemptStoppedError(RotaError):
    """The running attempt should end: it was cancelled, timed out, or lost its claim."""

    def __init__(self, job_id: object, reason: str) -> None:
        self.job_id, self.reason = job_id, reason
        super().__init__(f"job {job_id} has to stop: {reason}")


class NoAttemptError(RotaError):
    """`rota.current()` was called outside a running attempt."""

    def __init__(self) -> None:
        super().__init__("no attempt runs here: rota.current() works only inside a task that a worker runs")


class WorkerCrashedError(RotaError):
    """The process of an attempt died before the attempt had ended; `how` says by what."""

    def __init__(self, pid: int, how: str) -> None:
        self.pid = pid
        super().__init__(f"the process of this attempt (pid {pid}) {how}")


class WrongThreadError(RotaError):
    """A synchronous verb was called where it would block a running event loop."""

    def __init__(self, verb: str) -> None:
        super().__init__(f"{verb}() would block this thread's running event loop: use `await {verb}_async()`")
