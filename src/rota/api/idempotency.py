"""`Idempotency-Key`: a POST that is sent again does nothing twice, and is answered as the first time."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute

from rota.model.errors import InFlightError, KeyReusedError, StoreError
from rota.model.ids import new_id
from rota.ports.requests import Begun, KeptAnswer
from rota.web.context import WebContext
from rota.web.identity import identify
from rota.web.problems import answers

__all__ = ["IdempotentRoute", "reserved"]

NAME = "Idempotency-Key"
LEASE = timedelta(seconds=60)
LONGEST = 200

Handler = Callable[[Request], Awaitable[Response]]

_Key = Annotated[
    str | None,
    Header(
        alias=NAME,
        min_length=1,
        max_length=LONGEST,
        pattern=r"^[\x21-\x7e]+$",
        description="Any text, new for each thing to be done. Within 24 hours the same request with it does "
        "nothing and is answered as the first one; another request with it is refused",
        examples=["5f0c8f3e-order-4711"],
    ),
]


async def _documented(_: _Key = None) -> None:
    """Say in the document that the header may come."""


class IdempotentRoute(APIRoute):
    """A route whose POST takes an `Idempotency-Key`."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if "POST" in (options.get("methods") or ()):
            options["dependencies"] = [*(options.get("dependencies") or ()), Depends(_documented)]
            options["responses"] = {**(options.get("responses") or {}), **answers(HTTPStatus.CONFLICT)}
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Any]:
        """Return what answers a request."""
        handler = super().get_route_handler()
        if "POST" not in (self.methods or ()):
            return handler

        async def once(request: Request) -> Response:
            key = request.headers.get(NAME)
            # A key that is no key is refused by the route itself, as any header that is wrong.
            if key is None or not 1 <= len(key) <= LONGEST or not key.isascii() or not key.isprintable():
                return await handler(request)
            return await _once(request, key, handler)

        return once


def reserved(request: Request, count: int) -> list[UUID]:
    """Return the ids that the jobs of a request with a key have, whoever makes them; empty without a key."""
    seed: UUID | None = getattr(request.state, "seed", None)
    # Counted up from a random number of 62 bits: in order, and nobody else's.
    return [] if seed is None else [UUID(int=seed.int + place) for place in range(count)]


async def _once(request: Request, key: str, handler: Handler) -> Response:
    context: WebContext = request.app.state.context
    identity = await identify(request, context)
    scope = str(identity.token or identity.name)
    target = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    digest = sha256(target + await request.body()).digest()
    requests = context.store.requests
    begun = await requests.begin(scope, key, digest, new_id(), LEASE)
    if not begun.mine:
        return _known(key, begun)
    request.state.seed = begun.seed
    try:
        response = await handler(request)
    except BaseException:
        # The next one may try at once. Where the store is away, the lease passes.
        with suppress(StoreError):
            await requests.finish(scope, key, None)
        raise
    await requests.finish(scope, key, KeptAnswer(response.status_code, bytes(response.body)))
    return response


def _known(key: str, begun: Begun) -> Response:
    """Answer a request whose key is known."""
    if not begun.same:
        raise KeyReusedError(key)
    if begun.answer is None:
        raise InFlightError(key)
    headers = {"Idempotency-Replayed": "true"}
    return Response(begun.answer.body, begun.answer.status, headers, "application/json")
