"""Arguments: what is refused, with which words, and what comes back."""

import enum
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from pydantic import BaseModel

from rota.definitions.arguments import Arguments
from rota.definitions.secret import Keyring, Secret
from rota.model.errors import ArgumentsError, ConfigurationError


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Address:
    street: str
    number: int


class Point(msgspec.Struct):
    x: float
    y: float


class Person(BaseModel):
    name: str
    born: datetime


class Client:
    """What a resource would provide."""


def codec(
    function: Callable[..., Any], keyring: Keyring | None = None, resources: dict[Any, Any] | None = None
) -> Arguments:
    return Arguments("task", function, resources=resources or {}, keyring=keyring or Keyring())


def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Send arguments through the codec and call the function with what arrives."""
    arguments = codec(function)
    positional, named = arguments.decode(arguments.encode(args, kwargs))
    return function(*positional, **named)


def test_all_kinds_of_parameters_arrive_as_they_were_given() -> None:
    def function(a: int, /, b: int, *rest: int, c: int = 3, d: int, **more: int) -> Any:
        return a, b, rest, c, d, more

    assert call(function, 1, 2, 4, 5, d=6, e=7) == (1, 2, (4, 5), 3, 6, {"e": 7})


def test_a_default_left_out_is_the_default_of_the_code_that_runs() -> None:
    def submitted(a: int, b: int = 1) -> None: ...
    def running(a: int, b: int = 2, c: int = 3) -> Any:
        return a, b, c

    payload = codec(submitted).encode((5,), {})
    args, kwargs = codec(running).decode(payload)

    assert running(*args, **kwargs) == (5, 2, 3)


def test_rich_types_come_back_by_annotation() -> None:
    def function(  # noqa: PLR0917 - one of each kind
        at: datetime,
        id_: UUID,
        price: Decimal,
        raw: bytes,
        colour: Colour,
        home: Address,
        spot: Point,
        who: Person,
    ) -> Any:
        return at, id_, price, raw, colour, home, spot, who

    values = (
        datetime(2026, 1, 2, tzinfo=UTC),
        UUID(int=7),
        Decimal("1.10"),
        b"\x00\xff",
        Colour.RED,
        Address("Main", 1),
        Point(1.0, 2.0),
        Person(name="Ada", born=datetime(1815, 12, 10, tzinfo=UTC)),
    )

    assert call(function, *values) == values


@pytest.mark.parametrize(
    ("args", "kwargs", "part"),
    [
        ((), {}, "missing a required argument: 'to'"),
        (("a", 1, 2), {}, "too many positional arguments"),
        (("a",), {"conut": 1}, "unexpected keyword argument 'conut'"),
        (("a",), {"to": "b"}, "multiple values for argument 'to'"),
        (("a", "x"), {}, "Expected `int"),
        ((1,), {}, "Expected `str"),
        (("a\0b",), {}, "NUL"),
        (("a", 2**63), {}, "beyond 64 bits"),
        (("a", 1, math.nan), {}, "too many"),
        ((object(),), {}, "cannot travel"),
    ],
)
def test_wrong_arguments_are_refused_with_task_field_and_signature(
    args: tuple[Any, ...], kwargs: dict[str, Any], part: str
) -> None:
    def send(to: str, count: int = 1) -> None: ...

    with pytest.raises(ArgumentsError) as caught:
        codec(send).encode(args, kwargs)

    message = str(caught.value)
    assert part in message
    assert "task 'task'" in message
    assert "(to: str, count: int = 1)" in message


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, [1, math.nan], {"a": {"b": math.inf}}])
def test_numbers_that_json_does_not_have_are_refused(value: object) -> None:
    def function(value: Any) -> None: ...

    with pytest.raises(ArgumentsError, match="not a JSON number"):
        codec(function).encode((value,), {})


@pytest.mark.parametrize(
    "value", [datetime(2026, 1, 1, tzinfo=UTC), UUID(int=1), b"x", {1, 2}, (1, 2), {1: 2}]
)
def test_without_annotation_only_json_types_are_taken(value: object) -> None:
    def function(value):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - the point of the test
        return value

    with pytest.raises(ArgumentsError) as caught:
        codec(function).encode((value,), {})

    assert caught.value.field.startswith("value")


def test_a_literal_backslash_u0000_is_text_like_any_other() -> None:
    def function(text: str) -> str:
        return text

    assert call(function, "\\u0000") == "\\u0000"


def test_annotations_that_cannot_travel_are_all_named_at_once() -> None:
    def function(a: Client, b: complex, c: int) -> None: ...

    with pytest.raises(ConfigurationError) as caught:
        codec(function)

    assert [fault.split(",")[1].split(":")[0].strip() for fault in caught.value.faults] == [
        "parameter 'a'",
        "parameter 'b'",
    ]
    assert "resource" in caught.value.faults[0]


def test_resources_are_no_arguments() -> None:
    def function(a: int, client: Client, b: int = 2) -> None: ...

    arguments = codec(function, resources={Client: object()})
    client = Client()

    payload = arguments.encode((1,), {"b": 5})

    assert arguments.injected == {"client": Client}
    assert arguments.named(payload) == {"a": 1, "b": 5}
    assert arguments.decode(payload, {Client: client}) == ((1, client, 5), {})
    assert arguments.decode(arguments.encode((1,), {}), {Client: client}) == ((1, client), {})
    with pytest.raises(ArgumentsError, match="client"):
        arguments.encode((1,), {"client": 3})


def test_a_resource_finds_its_place_among_arguments_of_every_kind() -> None:
    def function(client: Client, a: int, /, b: int = 2, *rest: int, word: str = "", **more: int) -> Any:
        return client, a, b, rest, word, more

    def last(a: int = 1, *rest: int, client: Client) -> Any:
        return a, rest, client

    client = Client()
    for task, args, kwargs, expected in (
        (function, (1,), {}, (client, 1, 2, (), "", {})),
        (function, (1, 3, 4, 5), {"word": "w", "deep": 6}, (client, 1, 3, (4, 5), "w", {"deep": 6})),
        (last, (), {}, (1, (), client)),
        (last, (7, 8), {}, (7, (8,), client)),
    ):
        arguments = codec(task, resources={Client: object()})
        found, named = arguments.decode(arguments.encode(args, kwargs), {Client: client})
        assert task(*found, **named) == expected


def test_secrets_are_encrypted_in_the_payload_and_clear_in_the_task() -> None:
    from cryptography.fernet import Fernet

    def function(password: Secret[str]) -> None: ...

    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    payload = codec(function, Keyring([old])).encode((Secret("hunter2"),), {})
    args, _ = codec(function, Keyring([new, old])).decode(payload)

    assert b"hunter2" not in payload
    assert args[0].reveal() == "hunter2"
    assert "hunter2" not in repr(args[0])


def test_secrets_without_a_key_are_refused() -> None:
    def function(password: Secret[str]) -> None: ...

    with pytest.raises(ConfigurationError, match="ROTA_KEYS"):
        codec(function).encode((Secret("hunter2"),), {})


def test_a_stored_payload_of_another_signature_says_so() -> None:
    def before(a: int, b: int) -> None: ...
    def after(a: int) -> None: ...

    payload = codec(before).encode((1, 2), {})

    with pytest.raises(ArgumentsError, match="do not fit this code"):
        codec(after).decode(payload)


def test_the_schema_names_every_parameter() -> None:
    def function(a: int, b: str = "x") -> None: ...

    schema = codec(function).schema()

    assert set(schema["$defs"]["Arguments"]["properties"]) == {"a", "b"}
    assert schema["$defs"]["Arguments"]["required"] == ["a"]
