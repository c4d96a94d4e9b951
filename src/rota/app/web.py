"""The API and the dashboard as a part of a process."""

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI

import rota.api.routes as api
import rota.dashboard.routes as dashboard
from rota.app.metrics import MetricsPart
from rota.engine.announcer import Announcer
from rota.model.errors import ConfigurationError
from rota.model.events import Notice, WebStarted
from rota.operations import access
from rota.ports.store import Store
from rota.settings import Settings
from rota.web import problems
from rota.web.context import WebContext, make_context
from rota.web.guard import Guard, allowed_hosts
from rota.wiring import rota_version

if TYPE_CHECKING:
    from rota.app.rota import Rota

__all__ = ["WebServer", "make_web"]

_BODY_BEYOND_PAYLOAD = 64 * 1024
_BACKLOG = 512
_REMEDY = "Make a token first (rota tokens create NAME --role admin), or set proxy_header"


def make_web(app: "Rota", store: Store, metrics: MetricsPart | None = None) -> FastAPI:
    """Return the ASGI application.

    Args:
        app: its settings and definitions.
        store: open in the loop that will serve.
        metrics: what /metrics answers; None: that they are not installed.
    """
    web = FastAPI(
        title="Rota",
        version=rota_version(),
        summary="One scheduler for Python.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    settings = app.settings
    metered = None if metrics is None else metrics.metrics.text
    web.state.context = make_context(store, settings, app.registry, app.schedules.declared, metrics=metered)
    web.include_router(api.make_router())
    web.include_router(dashboard.make_router())
    problems.install(web, dashboard.answer_refusal)
    web.add_middleware(
        Guard, hosts=allowed_hosts(settings), limit=settings.payload_limit + _BODY_BEYOND_PAYLOAD
    )
    return web


class WebServer:
    """Serves the API and the dashboard until it is stopped (`engine.host.Part`).

    Args:
        app: its settings and definitions.
        store: open in this loop.
        announcer: where its start is announced.
        metrics: what /metrics answers.
        any_port: whether another port will do where the set one is taken, as for a developer's second app.
        welcome: called with an address that logs a browser in, once; without it no such address is made.
    """

    def __init__(
        self,
        app: "Rota",
        store: Store,
        announcer: Announcer,
        *,
        metrics: MetricsPart | None = None,
        any_port: bool = False,
        welcome: Callable[[str], None] | None = None,
    ) -> None:
        self.stopped = asyncio.Event()
        self._app = app
        self._store = store
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None
        self._announcer = announcer
        self._metrics = metrics
        self._any_port = any_port
        self._welcome = welcome
        self._port = 0
        self._context: WebContext | None = None

    @property
    def url(self) -> str:
        """Where it is, once it has started."""
        settings = self._app.settings
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        return f"http://{host}:{self._port}/"

    async def start(self) -> None:
        """Take the port and begin.

        Raises:
            ConfigurationError: the address cannot be had, or others would reach it and nobody could log in.
        """
        settings = self._app.settings
        await self._check_closed(settings)
        listener = _listen(settings, any_port=self._any_port)
        self._port = listener.getsockname()[1]
        web = make_web(self._app, self._store, self._metrics)
        self._context = web.state.context
        config = uvicorn.Config(
            web,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            proxy_headers=False,  # `web.peers` believes only the proxies of the settings
            timeout_graceful_shutdown=5,
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._serve(self._server, listener), name="rota-web")
        if self._welcome is None:
            self._announcer.announce(WebStarted(self.url))
        else:
            link = await access.create_link(self._store)
            self._welcome(f"{self.url}login?link={link.secret}")

    def notice(self, notice: Notice) -> None:
        """Take a wake-up call."""

    async def stop(self) -> None:
        """Let open requests end; streams are ended."""
        if self._context is not None:
            self._context.stopping.set()
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await asyncio.wait([self._task])

    async def hurry(self) -> None:
        """Cut open requests off."""
        if self._server is not None:
            self._server.force_exit = True

    async def _serve(self, server: "_Server", listener: socket.socket) -> None:
        try:
            await server.serve(sockets=[listener])
        finally:
            self.stopped.set()

    async def _check_closed(self, settings: Settings) -> None:
        if _is_loopback(settings.host) or settings.proxy_header or await access.list_tokens(self._store):
            return
        fault = f"host={settings.host!r}: others could reach it, and nobody could log in"
        raise ConfigurationError([f"{fault}. {_REMEDY}"])


class _Server(uvicorn.Server):
    """Leaves signals to the process that hosts it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listen(settings: Settings, *, any_port: bool) -> socket.socket:
    host, port = settings.host, settings.port
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        try:
            return socket.create_server((str(address[0]), port), family=family, backlog=_BACKLOG)
        except OSError as error:
            if not any_port or error.errno != errno.EADDRINUSE:
                raise
            return socket.create_server((str(address[0]), 0), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ConfigurationError(
            [f"host={host!r}, port={port}: cannot listen there: {error.strerror}. Set ROTA_PORT or --port"]
        ) from error
