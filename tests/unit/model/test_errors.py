"""Errors that say what is wrong, with which value, and what to do."""

import inspect
from uuid import UUID

import pytest

from rota.model import errors
from rota.model.errors import (
    ArgumentsError,
    AttemptStoppedError,
    CapabilityError,
    ConfigurationError,
    DuplicateTaskError,
    ExportFileError,
    ForbiddenMoveError,
    InFlightError,
    JobCancelledError,
    JobExpiredError,
    JobFailedError,
    JobNotFoundError,
    KeyReusedError,
    MissingExtraError,
    NoAttemptError,
    NotFoundError,
    PayloadTooLargeError,
    ResultTimeoutError,
    ResultUnavailableError,
    RotaError,
    SchemaVersionError,
    StoreNotEmptyError,
    SubmitUncertainError,
    TriggerError,
    UnknownOptionError,
    UnknownTaskError,
    WorkerCrashedError,
    WrongThreadError,
    did_you_mean,
)
from rota.model.job import Submission

JOB = UUID(int=7)
# Each error, and what its message must carry: the thing at fault, its value, the remedy.
MESSAGES: list[tuple[RotaError, list[str]]] = [
    (
        ConfigurationError(["port: 'x' is no number", "zone: no such zone"]),
        ["port: 'x'", "zone: no such zone"],
    ),
    (MissingExtraError("PostgreSQL", "postgres"), ["PostgreSQL", "pip install 'rota[postgres]'"]),
    (UnknownOptionError("task", "quue", ["queue", "rank"]), ["task", "'quue'", "'queue'?", "queue, rank"]),
    (DuplicateTaskError("send", "a.py:1", "b.py:2"), ["'send'", "a.py:1", "b.py:2", "name='...'"]),
    (
        TriggerError("cron", "hour", "25", "is not between 0 and 23", "Use one of them"),
        ["cron", "hour", "'25'", "is not between 0 and 23", "Use one of them"],
    ),
    (UnknownTaskError("sned", ["send", "sort"]), ["'sned'", "Did you mean 'send'?", "send, sort"]),
    (UnknownTaskError("send", []), ["'send'", "Known tasks: none"]),
    (
        ArgumentsError("send", "to", "5 is no string", "Give a string"),
        ["'send'", "argument to", "5 is no string", "Give a string"],
    ),
    (PayloadTooLargeError("send", 300_000, 262_144), ["'send'", "300000", "262144", "ROTA_PAYLOAD_LIMIT"]),
    (ForbiddenMoveError("edit", "running", "cancel"), ["edit", "running", "cancel"]),
    (NotFoundError("schedule", "nightly", " Did you mean 'daily'?"), ["schedule", "'nightly'", "'daily'"]),
    (JobNotFoundError(JOB), [str(JOB), "retention"]),
    (JobFailedError(JOB, "ValueError", "boom", "Traceback"), [str(JOB), "ValueError", "boom"]),
    (JobCancelledError(JOB), [str(JOB), "job.retry()"]),
    (JobExpiredError(JOB), [str(JOB), "job.retry()"]),
    (ResultTimeoutError(JOB, 2.5, "running"), [str(JOB), "running", "2.5 s", f"rota jobs why {JOB}"]),
    (ResultUnavailableError(JOB), [str(JOB), "result_ttl="]),
    (
        SubmitUncertainError([Submission(task="send", payload=b"")], "connection lost"),
        ["1 job", "connection lost", "app.resend(error)"],
    ),
    (SchemaVersionError(3, 2, "Update Rota"), ["3", "2", "Update Rota"]),
    (StoreNotEmptyError(["job", "tick"]), ["job, tick", "Nothing was imported", "ROTA_SCHEMA"]),
    (ExportFileError(7, "no JSON"), ["line 7: no JSON", "Nothing was imported"]),
    (InFlightError("k1"), ["'k1'", "ask again in a moment"]),
    (KeyReusedError("k1"), ["'k1'", "take a new key"]),
    (CapabilityError("dynamodb", "strict_rank"), ["dynamodb", "'strict_rank'"]),
    (AttemptStoppedError(JOB, "timed out"), [str(JOB), "timed out"]),
    (NoAttemptError(), ["rota.current()", "inside a task"]),
    (WorkerCrashedError(4711, "was killed by signal 9"), ["4711", "was killed by signal 9"]),
    (WrongThreadError("enqueue"), ["enqueue()", "`await enqueue_async()`"]),
]


@pytest.mark.parametrize(("error", "words"), MESSAGES, ids=lambda value: type(value).__name__)
def test_a_message_carries_what_is_at_fault_and_what_to_do(error: RotaError, words: list[str]) -> None:
    assert [word for word in words if word not in str(error)] == []


def every_error() -> list[type[Exception]]:
    return [
        thing
        for thing in vars(errors).values()
        if inspect.isclass(thing) and issubclass(thing, Exception) and thing.__module__ == errors.__name__
    ]


def test_every_error_that_makes_its_own_message_is_held_to_it_here() -> None:
    speaking = {error for error in every_error() if "__init__" in vars(error)}
    assert speaking - {type(error) for error, _ in MESSAGES} == set()


def test_they_are_one_tree_and_all_are_public() -> None:
    found = every_error()
    assert all(issubclass(error, RotaError) for error in found)
    assert {error.__name__ for error in found} | {"did_you_mean"} == set(errors.__all__)


def test_all_faults_are_told_at_once() -> None:
    error = ConfigurationError(["one", "two"])
    assert error.faults == ("one", "two")
    assert str(error).splitlines() == ["one", "two"]


def test_errors_are_what_python_code_expects_too() -> None:
    assert isinstance(ArgumentsError("t", "f", "r", "x"), TypeError)
    assert isinstance(ResultTimeoutError(JOB, 1, "ready"), TimeoutError)
    assert isinstance(JobNotFoundError(JOB), NotFoundError)


def test_an_uncertain_submit_keeps_what_was_sent() -> None:
    sent = [Submission(task="send", payload=b"1"), Submission(task="send", payload=b"2")]
    assert SubmitUncertainError(sent, "gone").submissions == tuple(sent)


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("quue", " Did you mean 'queue'?"),
        ("Rank", " Did you mean 'rank'?"),
        ("something else", ""),
        ("", ""),
    ],
)
def test_the_nearest_known_word_is_offered(word: str, hint: str) -> None:
    assert did_you_mean(word, ["queue", "rank"]) == hint


def test_nothing_is_offered_where_nothing_is_known() -> None:
    assert did_you_mean("queue", []) == ""
    assert did_you_mean("queue", iter(["queues"])) == " Did you mean 'queues'?"
