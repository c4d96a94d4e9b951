"""Bad input: an error that names field, value and remedy, and nothing stored. And what travels, arrives."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from rota import ArgumentsError, ConfigurationError, Rota, StoreError, UnknownTaskError, every
from rota.app.task import AppTask
from rota.model.errors import DuplicateTaskError, SchemaVersionError
from rota.settings import Settings
from rota.testing import enqueued


@pytest.fixture
def work(app: Rota) -> AppTask[..., Any]:
    @app.task
    def work(number: int, text: str = "", anything=None, *, when: datetime | None = None) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - an argument without annotation
        ...

    return work


Case = tuple[tuple[Any, ...], dict[str, Any], str, str]

BAD_ARGUMENTS: dict[str, Case] = {
    "missing": ((), {}, "(signature)", "missing a required argument"),
    "too many": ((1, "a", None, 4), {}, "(signature)", "too many positional arguments"),
    "unknown": ((1,), {"txt": "a"}, "(signature)", "unexpected keyword argument 'txt'"),
    "twice": ((1,), {"number": 2}, "(signature)", "multiple values for argument 'number'"),
    "wrong type": (("one",), {}, "number", "Expected `int`, got `str`"),
    "no integer": ((1.5,), {}, "number", "Expected `int`, got `float`"),
    "wrong moment": ((1,), {"when": "yesterday"}, "when", "Invalid RFC3339 encoded datetime"),
    "beyond 64 bits": ((2**63,), {}, "number", "beyond 64 bits"),
    "nul": ((1, "a\0b"), {}, "text", "contains a NUL character"),
    "nan": ((1, "", float("nan")), {}, "anything", "nan is not a JSON number"),
    "infinity inside": (
        (1, "", {"deep": [float("inf")]}),
        {},
        "anything.deep[0]",
        "inf is not a JSON number",
    ),
    "nul in a key": ((1, "", {"a\0b": 1}), {}, "anything key", "contains a NUL character"),
    "a key of its own kind": ((1, "", {1: 2}), {}, "anything", "the key 1 is not a string"),
    "a tuple without annotation": ((1, "", (1, 2)), {}, "anything", "a tuple is not one of JSON's own types"),
    "a set": ((1, "", {1, 2}), {}, "anything", "a set is not one of JSON's own types"),
    "a moment without annotation": (
        (1, "", datetime(2026, 1, 1, tzinfo=UTC)),
        {},
        "anything",
        "a datetime is not",
    ),
    "bytes without annotation": ((1, "", b"raw"), {}, "anything", "a bytes is not one of JSON's own types"),
    "an object": ((1, "", object()), {}, "anything", "a object is not one of JSON's own types"),
    "too large": ((1, "x" * 300_000), {}, "(all)", "the limit is 262144. Store the data elsewhere"),
}


@pytest.mark.parametrize("case", BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS.keys())
def test_bad_arguments_are_refused_and_nothing_is_stored(
    app: Rota, work: AppTask[..., Any], case: Case
) -> None:
    args, kwargs, field, reason = case
    submits: list[Callable[[], object]] = [
        lambda: work.enqueue(*args, **kwargs),
        lambda: app.schedules.add(work, every(minutes=1), id="bad", args=args, kwargs=kwargs),
    ]
    for submit in submits:
        with pytest.raises(ArgumentsError) as caught:
            submit()
        message = str(caught.value)
        assert caught.value.field == field
        assert message.startswith(f"task 'work', argument {field}: ")
        assert reason in message
        assert "number: int" in message or "ROTA_PAYLOAD_LIMIT" in message, "it says what would be right"
    assert enqueued(app) == []
    assert app.schedules.list() == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"run_at": datetime(2026, 1, 1)}, ("run_at", "2026-01-01T00:00:00 has no time zone", "tzinfo=UTC")),  # noqa: DTZ001 - the fault
        ({"expires": datetime(2026, 1, 1)}, ("expires", "has no time zone", "tzinfo=UTC")),  # noqa: DTZ001 - the fault
        ({"delay": -1}, ("delay", "is negative", "Give zero or more")),
        (
            {"delay": 1, "run_at": datetime(2026, 1, 1, tzinfo=UTC)},
            ("delay", "run_at is given as well", "one of the two"),
        ),
        ({"rank": 2**63}, ("rank", "is beyond 64 bits", "64-bit integer")),
        ({"unique_for": timedelta(hours=1)}, ("unique_for", "there is no unique=", "Give both")),
        ({"max_attempts": 0}, ("max_attempts", "0 is below 1", "Give 1 or more")),
        ({"queue": ""}, ("queue", "'' is not usable", "1 to 512 characters without NUL")),
        ({"key": "a\0b"}, ("key", "is not usable", "without NUL")),
        ({"unique": "x" * 513}, ("unique", "is not usable", "1 to 512 characters")),
        ({"tags": {"a": 1}}, ("tags", "('a', 1) is not text", "Give strings without NUL")),
        ({"headers": {"a": "\0"}}, ("headers", "is not text", "Give strings without NUL")),
    ],
)
def test_bad_options_are_refused_and_nothing_is_stored(
    app: Rota, work: AppTask[..., Any], options: dict[str, Any], words: tuple[str, str, str]
) -> None:
    field, reason, remedy = words
    with pytest.raises(ArgumentsError) as caught:
        work.options(**options).enqueue(1)

    assert caught.value.field == field
    assert reason in str(caught.value)
    assert remedy in str(caught.value)
    assert enqueued(app) == []


class TestDefinitions:
    def test_an_unknown_task_is_refused_with_a_hint(self, app: Rota, work: AppTask[..., Any]) -> None:
        with pytest.raises(UnknownTaskError, match=r"no task is named 'wrok'\. Did you mean 'work'\?"):
            app.get_task("wrok")
        with pytest.raises(UnknownTaskError, match=r"Known tasks: work"):
            app.schedules.add("nothing like it", every(minutes=1), id="x")
        assert app.get_task("work") is work

    def test_two_of_one_name_are_refused(self, app: Rota) -> None:
        @app.task
        def work() -> None: ...

        for taken in ({"name": "work"}, {"aliases": ["work"]}):
            with pytest.raises(
                DuplicateTaskError, match=r"two tasks are named 'work': .*test_user_arguments"
            ):
                app.task(**taken)(lambda: None)

    def test_all_faults_of_a_task_are_named_at_once(self, app: Rota) -> None:
        with pytest.raises(ConfigurationError) as caught:
            app.task(limit=0, timeout=-1, executor="magic", queue="")(lambda: None)

        for words in (
            "limit=0: give 1 or more",
            "timeout=-1: give seconds above 0",
            "executor='magic': choose",
            "queue=''",
        ):
            assert words in str(caught.value)

    def test_what_cannot_travel_is_found_before_the_start(self, app: Rota) -> None:
        class Connection: ...

        @app.task
        def query(connection: Connection) -> None: ...

        @app.task
        def other(file: Path) -> None: ...

        faults = app.faults()

        assert len(faults) == 2
        assert "task 'query', parameter 'connection'" in faults[0]
        assert "or provide it as a resource (@app.resource)" in faults[0]

    def test_a_name_is_the_function_s_or_given(self, app: Rota) -> None:
        @app.task
        def one() -> None: ...

        @app.task(name="two.of.them")
        def two() -> None: ...

        assert [one.name, two.name] == ["one", "two.of.them"] == list(app.tasks)


class TestStores:
    @pytest.mark.parametrize(
        ("url", "words"),
        [
            ("mysql://host/db", "no store has the scheme 'mysql'"),
            ("sqlit:///x.db", "Did you mean 'sqlite'?"),
            ("sqlite:///no/such/folder/rota.db", "its folder does not exist"),
            ("postgresql://postgres@127.0.0.1:1/none", "127.0.0.1"),
        ],
    )
    def test_one_that_is_not_there_says_so(self, url: str, words: str) -> None:
        app = Rota(url)

        @app.task
        def work() -> None: ...

        with pytest.raises((StoreError, ConfigurationError)) as caught:
            work.enqueue()
        assert words in str(caught.value)
        app.close()

    def test_one_of_a_newer_rota_is_left_alone(self, app: Rota, settings: Settings) -> None:
        @app.task
        def work() -> None: ...

        work.enqueue()
        app.close()
        _pretend_newer(settings)

        with pytest.raises(SchemaVersionError, match=r"schema version 9999 .*"):
            work.enqueue()


def _pretend_newer(settings: Settings) -> None:
    statement = "update {}schema_version set version = 9999, oldest = 9999"
    if settings.url.startswith("sqlite"):
        with closing(sqlite3.connect(settings.url.removeprefix("sqlite:///"))) as db, db:
            db.execute(statement.format(""))
    else:
        with psycopg.connect(settings.url) as connection:
            connection.execute(
                sql.SQL(statement).format(sql.SQL("{}.").format(sql.Identifier(settings.schema)))
            )
