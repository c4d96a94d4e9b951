"""The document and the answers agree: schemathesis asks what the document allows, and what it does not."""

import asyncio
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any, Self

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok

from rota import Rota
from rota.app.web import WebServer
from rota.engine.announcer import Announcer
from rota.model.access import Role
from rota.operations import access
from rota.settings import change_settings
from rota.web.throttle import Throttle

SHORT, LONG = 5, 500


class Server:
    """The API of an app, served in a thread."""

    def __init__(self, url: str) -> None:
        self.app = Rota(url)
        self.app.settings = change_settings(self.app.settings, {"port": 0})
        self.url = self.secret = ""
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve()))

        @self.app.task
        async def send(to: str, number: int = 0) -> None:
            """Something to submit."""

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        store = self.app.make_store()
        await store.open()
        self.secret = (await access.create_token(store, "schemathesis", Role.ADMIN)).secret
        server = WebServer(self.app, store, Announcer())
        await server.start()
        self.url = server.url
        self._started.set()
        await self._stop.wait()
        await server.stop()
        await store.close()


@pytest.fixture
def server(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    # It also asks with wrong tokens, which would slow it down.
    monkeypatch.setattr("rota.web.context.Throttle", partial(Throttle, limit=1_000_000))
    with Server(url) as one:
        yield one


def ask_everything(server: Server, examples: int) -> int:
    """Ask each operation with good and with bad requests, every check on; returns how many there are."""
    # What only the store or the code knows (that a task exists, what a trigger means) no schema can say.
    accepted = {"expected-statuses": ["2xx", 403, 404, 409, 422]}
    config = SchemathesisConfig.from_dict({"seed": 1, "checks": {"positive_data_acceptance": accepted}})
    schema = schemathesis.openapi.from_url(f"{server.url}api/openapi.json", config=config)
    headers = {"Authorization": f"Bearer {server.secret}"}
    # A stream has no end; what it refuses is tested by hand.
    found = schema.exclude(path="/api/v1/events").get_all_operations()
    operations = [one.ok() for one in found if isinstance(one, Ok)]
    for operation in operations:
        good = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
        bad = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

        @settings(
            max_examples=examples,
            deadline=None,
            derandomize=examples == SHORT,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=st.one_of(good, bad))
        def ask(case: Case[Any]) -> None:
            case.call_and_validate(headers=headers)

        ask()
    return len(operations)


def test_every_answer_is_documented(server: Server) -> None:
    assert ask_everything(server, SHORT) > 30


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_every_answer_is_documented_for_long(server: Server) -> None:
    assert ask_everything(server, LONG) > 30
