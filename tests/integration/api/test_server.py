"""The web server as a part of a process."""

import socket

import httpx
import pytest

from rota.app.web import WebServer
from rota.engine.announcer import Announcer
from rota.model.access import Role
from rota.model.errors import ConfigurationError
from rota.operations import access
from rota.settings import change_settings
from tests.integration.api.conftest import Web


def settings(web: Web, **changes: object) -> None:
    web.app.settings = change_settings(web.app.settings, changes)


async def test_it_serves_until_it_is_stopped(web: Web) -> None:
    settings(web, port=0)
    server = WebServer(web.app, web.store, Announcer())
    await server.start()
    async with httpx.AsyncClient(base_url=server.url) as client:
        assert (await client.get("/health")).json() == {"ok": True}

    await server.stop()

    assert server.stopped.is_set()
    async with httpx.AsyncClient(base_url=server.url) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("/health")


async def test_a_port_that_is_taken_is_told(web: Web) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings(web, port=taken.getsockname()[1])

        with pytest.raises(ConfigurationError, match="cannot listen there: Address already in use"):
            await WebServer(web.app, web.store, Announcer()).start()


async def test_where_another_port_will_do_it_takes_one(web: Web) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings(web, port=taken.getsockname()[1])
        server = WebServer(web.app, web.store, Announcer(), any_port=True)
        await server.start()
        async with httpx.AsyncClient(base_url=server.url) as client:
            assert (await client.get("/health")).json() == {"ok": True}
        await server.stop()


async def test_an_address_that_others_reach_needs_a_token_first(web: Web) -> None:
    settings(web, host="0.0.0.0", port=0)  # noqa: S104 - that is what is refused

    with pytest.raises(ConfigurationError, match="others could reach it, and nobody could log in"):
        await WebServer(web.app, web.store, Announcer()).start()

    await access.create_token(web.store, "ada", Role.ADMIN)
    server = WebServer(web.app, web.store, Announcer())
    await server.start()
    await server.stop()
    assert server.stopped.is_set()


async def test_on_a_terminal_it_makes_an_address_that_logs_in_once(web: Web) -> None:
    settings(web, port=0)
    addresses: list[str] = []
    server = WebServer(web.app, web.store, Announcer(), welcome=addresses.append)
    await server.start()
    async with httpx.AsyncClient() as browser, httpx.AsyncClient() as thief:
        answer = await browser.get(addresses[0])
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert "HttpOnly" in answer.headers["set-cookie"]
        assert "SameSite=strict" in answer.headers["set-cookie"]
        assert (await browser.get(server.url)).status_code == 200
        assert (await thief.get(addresses[0])).status_code == 401
    await server.stop()
