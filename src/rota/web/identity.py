"""Who asks: by a bearer token, by a browser's session, or by a proxy that has checked it."""

import hmac
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from rota.model.access import Role
from rota.model.errors import ForbiddenError, UnauthorizedError
from rota.operations import access
from rota.operations.access import Identity
from rota.web.context import Here, WebContext
from rota.web.peers import client_of, is_proxy

__all__ = [
    "COOKIE",
    "CSRF_FIELD",
    "CSRF_HEADER",
    "Admin",
    "Operator",
    "Viewer",
    "WholeOperator",
    "WholeViewer",
    "csrf_token",
    "identify",
    "refuse_guessing",
]

COOKIE = "rota_session"
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf"
FORM = "application/x-www-form-urlencoded"

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


async def identify(request: Request, context: Here) -> Identity:
    """Return who asks.

    Raises:
        UnauthorizedError: nobody that is known.
        ForbiddenError: a browser asks for a change without proof that its user does.
    """
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return await _by_token(request, context, secret.strip())
    session = request.cookies.get(COOKIE)
    if session is not None:
        identity = await context.identities.authenticate(session, "session")
        await _check_origin(request, session)
        return identity
    proxied = _by_proxy(request, context)
    if proxied is not None:
        await _check_origin(request, None)
        return proxied
    raise UnauthorizedError("who asks? Send `Authorization: Bearer TOKEN` (rota tokens create), or log in")


def csrf_token(session: str) -> str:
    """Return what a page of a session sends along with every change."""
    return hmac.new(session.encode(), b"csrf", sha256).hexdigest()


async def _by_token(request: Request, context: WebContext, secret: str) -> Identity:
    """Check a bearer token; whoever guesses too often waits."""
    who = client_of(request, context.settings)
    refuse_guessing(context, who)
    try:
        identity = await context.identities.authenticate(secret, "token")
    except UnauthorizedError:
        context.logins.failed(who)
        raise
    return identity


def refuse_guessing(context: WebContext, who: str) -> None:
    """Stop somebody who has failed too often.

    Raises:
        UnauthorizedError: with how long to wait.
    """
    if (wait := context.logins.wait(who)) > 0:
        raise UnauthorizedError(f"too many failed logins from {who}: wait {wait:.0f} s")


def _by_proxy(request: Request, context: WebContext) -> Identity | None:
    """Believe the header of a proxy, where one is set up and the request comes from it."""
    settings = context.settings
    if not settings.proxy_header:
        return None
    name = request.headers.get(settings.proxy_header, "").strip()
    if not name or not is_proxy(request, settings):
        return None
    pairs = (pair.strip().partition("=") for pair in settings.proxy_roles.split(","))
    roles = {user: role for user, _, role in pairs}
    role = roles.get(name) or roles.get("*")
    if role is None:
        raise ForbiddenError(f"{name} has no role here: see ROTA_PROXY_ROLES")
    return Identity(name=name, role=Role(role))


async def _check_origin(request: Request, session: str | None) -> None:
    """Refuse a change that another site makes a browser ask for."""
    if request.method in _SAFE:
        return
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("Host"):
        raise ForbiddenError(f"a page of {origin} may change nothing here")
    if session is None:
        if origin is None:
            raise ForbiddenError("a change by a browser needs its Origin header")
        return
    given = request.headers.get(CSRF_HEADER)
    if given is None and request.headers.get("Content-Type", "").startswith(
        "application/x-www-form-urlencoded"
    ):
        given = str((await request.form()).get(CSRF_FIELD, ""))
    if not hmac.compare_digest((given or "").encode(), csrf_token(session).encode()):
        raise ForbiddenError("this page is not of this session any more: load it again")


def _having(role: Role) -> Callable[..., Awaitable[Identity]]:
    async def check(identity: Annotated[Identity, Depends(identify)]) -> Identity:
        access.require(identity, role)
        return identity

    return check


def _of_all_keys(role: Role) -> Callable[..., Awaitable[Identity]]:
    having = _having(role)

    async def check(identity: Annotated[Identity, Depends(having)]) -> Identity:
        access.require_all(identity)
        return identity

    return check


Viewer = Annotated[Identity, Depends(_having(Role.VIEWER))]
"""Lets pass whoever may look."""
Operator = Annotated[Identity, Depends(_having(Role.OPERATOR))]
"""Lets pass whoever may act."""
Admin = Annotated[Identity, Depends(_of_all_keys(Role.ADMIN))]
"""Lets pass whoever may manage access."""
WholeViewer = Annotated[Identity, Depends(_of_all_keys(Role.VIEWER))]
"""Lets pass whoever may look at what concerns the jobs of all keys."""
WholeOperator = Annotated[Identity, Depends(_of_all_keys(Role.OPERATOR))]
"""Lets pass whoever may act on what concerns the jobs of all keys."""
