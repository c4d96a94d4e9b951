"""Logging in by a token or a link, and out."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from rota.dashboard.render import go, page
from rota.model.errors import UnauthorizedError
from rota.operations import access
from rota.web.context import Here, WebContext
from rota.web.identity import COOKIE, refuse_guessing
from rota.web.peers import client_of, is_secure

__all__ = ["router"]

router = APIRouter()


@router.get("/login")
async def show_login(
    request: Request, context: Here, link: str = "", target: Annotated[str, Query(alias="next")] = "/"
) -> Response:
    """Show the form; a link that logs in once needs none."""
    if link:
        return await _log_in(request, context, link, target)
    return page(request, "login.html", fault="", next=_inside(target))


@router.post("/login")
async def log_in(
    request: Request,
    context: Here,
    secret: Annotated[str, Form()] = "",
    target: Annotated[str, Form(alias="next")] = "/",
) -> Response:
    """Open a session."""
    return await _log_in(request, context, secret.strip(), target)


@router.post("/logout")
async def log_out(request: Request, context: Here) -> Response:
    """End the session; of another site's page nobody's cookie comes along."""
    if session := request.cookies.get(COOKIE):
        await access.log_out(context.store, session)
        context.identities.forget()
    answer = go("/login")
    answer.delete_cookie(COOKIE, path="/")
    return answer


async def _log_in(request: Request, context: WebContext, secret: str, target: str) -> Response:
    who = client_of(request, context.settings)
    try:
        refuse_guessing(context, who)
        session = await access.log_in(context.store, secret)
    except UnauthorizedError as error:
        context.logins.failed(who)
        return page(request, "login.html", status=401, fault=str(error), next=_inside(target))
    context.logins.succeeded(who)
    # The old session, if there was one, is not taken over: a login always opens a new one.
    if old := request.cookies.get(COOKIE):
        await access.log_out(context.store, old)
        context.identities.forget()
    answer = go(_inside(target))
    answer.set_cookie(
        COOKIE,
        session.secret,
        max_age=int(access.SESSION_LIFETIME.total_seconds()),
        path="/",
        httponly=True,
        samesite="strict",
        secure=is_secure(request, context.settings),
    )
    return answer


def _inside(target: str) -> str:
    """Return a path of this server: a login leads nowhere else."""
    parts = urlsplit(target)
    inside = not parts.scheme and not parts.netloc and target.startswith("/") and "\\" not in target
    return target if inside and not target.startswith("//") else "/"
