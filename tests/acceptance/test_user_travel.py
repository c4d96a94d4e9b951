"""What travels through a store arrives as it was sent; secrets cannot be read on the way."""

import enum
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from cryptography.fernet import Fernet
from pydantic import BaseModel

from rota import ArgumentsError, ConfigurationError, Rota, Secret
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


VALUES: dict[str, tuple[Any, Any]] = {
    "datetime": (datetime, datetime(2026, 1, 1, 12, 30, 15, 123456, tzinfo=UTC)),
    "date": (date, date(2026, 1, 1)),
    "timedelta": (timedelta, timedelta(days=2, microseconds=1)),
    "UUID": (UUID, UUID(int=7)),
    "Decimal": (Decimal, Decimal("0.10")),
    "bytes": (bytes, b"\x00\xff"),
    "enum": (Colour, Colour.RED),
    "int enum": (Level, Level.HIGH),
    "dataclass": (Address, Address("Main Street", date(2026, 1, 1))),
    "Struct": (Point, Point(1.5, -2.0)),
    "pydantic": (Person, Person(name="Ada", born=datetime(1815, 12, 10, tzinfo=UTC))),
    "tuple": (tuple[int, ...], (1, 2, 3)),
    "set": (set[str], {"a", "b"}),
    "dict": (dict[UUID, list[Point]], {UUID(int=1): [Point(0, 0)]}),
    "union": (int | str | None, None),
    "anything": (Any, {"deep": [1, 2.5, "é☃", None, True]}),
}


class TestTravel:
    @pytest.mark.parametrize(("kind", "value"), VALUES.values(), ids=VALUES.keys())
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
