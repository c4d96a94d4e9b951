"""What every request passes: the `Host` allow-list, a limit on the body, and the headers of every answer."""

from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rota.settings import Settings
from rota.web.problems import problem

__all__ = ["Guard", "allowed_hosts"]

_LOCAL = ("localhost", "127.0.0.1", "[::1]")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def allowed_hosts(settings: Settings) -> frozenset[str]:
    """Return the names by which this server may be called: this machine's and those of the settings."""
    named = (one.strip().lower() for one in settings.allowed_hosts.split(",") if one.strip())
    return frozenset({*_LOCAL, settings.host.lower(), *named})


class Guard:
    """ASGI middleware.

    Args:
        app: what it guards.
        hosts: names that `Host` may carry, without port; "*" lets every name pass.
        limit: largest body of a request, in bytes.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str], limit: int) -> None:
        self._app = app
        self._hosts = hosts
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    answer.setdefault(name, value)
                answer.setdefault("Cache-Control", "no-store")
            await send(message)

        if not self._knows(headers.get("host", "")):
            refusal = problem(
                HTTPStatus.MISDIRECTED_REQUEST,
                f"this server is not called {headers.get('host', '')!r}: see ROTA_ALLOWED_HOSTS",
            )
            await refusal(scope, receive, send_with_headers)
            return
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._limit:
            refusal = problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body may have {self._limit} bytes at most"
            )
            await refusal(scope, receive, send_with_headers)
            return
        await self._app(scope, _Limited(receive, self._limit), send_with_headers)

    def _knows(self, host: str) -> bool:
        name = host.lower()
        if name.rpartition(":")[2].isdecimal():
            name = name.rpartition(":")[0]
        return "*" in self._hosts or name in self._hosts


class _Limited:
    """Ends the body of a request that says no length and goes on for too long."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._left = limit

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                return {"type": "http.disconnect"}
        return message
