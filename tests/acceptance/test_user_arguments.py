"""Bad input: an error that names field, value and remedy, and nothing stored. And what travels, arrives."""

import enum
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import pytest
from cryptography.fernet import Fernet
from psycopg import sql
from pydantic import BaseModel

from rota import ArgumentsError, ConfigurationError, Rota, Secret, StoreError, UnknownTaskError, every
from rota.app.task import AppTask
from rota.model.errors import DuplicateTaskError, SchemaVersionError
from rota.settings import Settings
from rota.testing import drain, enqueued


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


@dataclass
class Address:
    street: str
    since: date


class Point(msgspec.Struct):
    x: float
    y: float


class Person(BaseModel):
    name: str
    born: datetime


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


class TestTravel:
    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            (datetime, datetime(2026, 1, 1, 12, 30, 15, 123456, tzinfo=UTC)),
            (date, date(2026, 1, 1)),
            (timedelta, timedelta(days=2, microseconds=1)),
            (UUID, UUID(int=7)),
            (Decimal, Decimal("0.10")),
            (bytes, b"\x00\xff"),
            (Colour, Colour.RED),
            (Level, Level.HIGH),
            (Address, Address("Main Street", date(2026, 1, 1))),
            (Point, Point(1.5, -2.0)),
            (Person, Person(name="Ada", born=datetime(1815, 12, 10, tzinfo=UTC))),
            (tuple[int, ...], (1, 2, 3)),
            (set[str], {"a", "b"}),
            (dict[UUID, list[Point]], {UUID(int=1): [Point(0, 0)]}),
            (int | str | None, None),
            (Any, {"deep": [1, 2.5, "é☃", None, True]}),
        ],
        ids=str,
    )
    def test_it_arrives_as_it_was_sent_and_comes_back(self, app: Rota, kind: Any, value: Any) -> None:
        seen: list[Any] = []

        def echo(value):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - annotated below
            seen.append(value)
            return value

        echo.__annotations__ = {"value": kind, "return": kind}
        job = app.task(echo).enqueue(value)
        drain(app)

        assert seen == [value]
        assert type(seen[0]) is type(value)
        assert job.result() == value

    def test_the_largest_and_the_smallest_number(self, app: Rota) -> None:
        @app.task
        def echo(numbers: list[int]) -> list[int]:
            return numbers

        job = echo.enqueue([-(2**63), 2**63 - 1, 0])
        drain(app)

        assert job.result() == [-(2**63), 2**63 - 1, 0]

    def test_a_default_of_the_code_that_runs_holds(self, app: Rota) -> None:
        @app.task
        def work(number: int, factor: int = 2) -> int:
            return number * factor

        job = work.enqueue(21)
        work.definition.function.__defaults__ = (3,)
        drain(app)

        assert job.result() == 63


class TestAliases:
    def test_queued_jobs_of_a_renamed_task_run(self, app: Rota, settings: Settings) -> None:
        @app.task
        def old(number: int) -> int:
            return number

        job = old.enqueue(7)
        after = Rota(settings=settings)

        @after.task(aliases=["old", "older"])
        def new(number: int) -> int:
            return -number

        drain(after)

        assert job.result() == -7
        assert after.get_task("older") is new
        after.close()

    def test_arguments_that_no_longer_fit_fail_in_plain_words(self, app: Rota, settings: Settings) -> None:
        @app.task
        def work(number: int) -> None: ...

        work.enqueue(7)
        after = Rota(settings=settings)

        @after.task(name="work")
        def renamed(text: str) -> None: ...

        with pytest.raises(ArgumentsError, match="the stored arguments do not fit this code"):
            drain(after)
        after.close()


class TestSecrets:
    @pytest.fixture
    def keys(self) -> str:
        return Fernet.generate_key().decode()

    def test_it_is_readable_in_the_task_and_nowhere_else(self, settings: Settings, keys: str) -> None:
        app = Rota(settings=msgspec.structs.replace(settings, keys=keys))
        seen: list[str] = []

        @app.task
        def login(user: str, password: Secret[str]) -> str:
            seen.append(password.reveal())
            return f"{user} {password}"

        job = login.enqueue("ada", Secret("hunter2"))
        assert b"hunter2" not in job.record().payload
        assert "hunter2" not in repr(job.record())
        drain(app)

        assert seen == ["hunter2"]
        assert job.result() == "ada Secret('***')"
        app.close()

    def test_an_old_key_still_opens(self, settings: Settings, keys: str) -> None:
        before = Rota(settings=msgspec.structs.replace(settings, keys=keys))
        newer = f"{Fernet.generate_key().decode()},{keys}"
        after = Rota(settings=msgspec.structs.replace(settings, keys=newer))

        def login(password: Secret[str]) -> str:
            return password.reveal()

        job = before.task(login).enqueue(Secret("hunter2"))
        after.task(login)
        drain(after)

        assert job.result() == "hunter2"
        before.close()
        after.close()

    def test_without_a_key_it_is_refused(self, app: Rota) -> None:
        @app.task
        def login(password: Secret[str]) -> None: ...

        with pytest.raises(ConfigurationError, match="Secret arguments need ROTA_KEYS"):
            login.enqueue(Secret("hunter2"))
        assert enqueued(app) == []

    @pytest.mark.parametrize("given", ["hunter2", Secret(7), None])
    def test_something_else_is_refused_unseen(self, settings: Settings, keys: str, given: Any) -> None:
        app = Rota(settings=msgspec.structs.replace(settings, keys=keys))

        @app.task
        def login(password: Secret[str]) -> None: ...

        with pytest.raises(ArgumentsError, match="password") as caught:
            login.enqueue(given)
        assert "hunter2" not in str(caught.value)
        assert enqueued(app) == []
        app.close()
