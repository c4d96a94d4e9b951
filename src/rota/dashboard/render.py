"""Pages out of templates: what every template may use, and how a page is answered."""

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files
from secrets import token_hex
from typing import Any, NamedTuple
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rota.dashboard import words
from rota.model.access import Role
from rota.operations import access
from rota.operations.access import Identity
from rota.web.context import WebContext
from rota.web.identity import COOKIE, CSRF_FIELD, csrf_token

__all__ = ["PLACES", "Place", "Said", "acted", "address", "go", "live_page", "page"]

Reading = Callable[[], Awaitable[Mapping[str, Any]]]

# Stands where a session's proof belongs: what is rendered once is sent to many sessions.
_PROOF = token_hex(32)
_LIVE = "live"
_MARKS = ("done", "refused")


class Place(NamedTuple):
    """An entry of the navigation."""

    path: str
    name: str
    role: Role = Role.VIEWER


class Said(NamedTuple):
    """What an action did, told on the next page."""

    text: str
    refused: bool = False


PLACES = (
    Place("/", "Overview"),
    Place("/timeline", "Timeline"),
    Place("/jobs", "Jobs"),
    Place("/schedules", "Schedules"),
    Place("/queues", "Queues"),
    Place("/workers", "Workers"),
    Place("/dead", "Dead letters"),
    Place("/tokens", "Tokens", Role.ADMIN),
    Place("/audit", "Audit log", Role.ADMIN),
)


def page(
    request: Request,
    template: str,
    identity: Identity | None = None,
    *,
    status: int = HTTPStatus.OK,
    here: str = "",
    **values: Any,
) -> Response:
    """Answer with a page that stays as it is.

    Args:
        request: that is answered.
        template: its file.
        identity: who looks; None on the page that logs in.
        status: of the answer.
        here: the path of the place that it belongs to.
        values: what the template shows.
    """
    return _answer(request, _render(request, template, identity, {"here": here, **values}), status)


async def live_page(
    request: Request,
    context: WebContext,
    identity: Identity,
    template: str,
    read: Reading,
    *,
    here: str,
    frame: str = "live.html",
    stream: str = "/live",
    **values: Any,
) -> Response:
    """Answer with a page a part of which follows what happens.

    That part is read and rendered once for all who look at one moment; who has the page asks for it alone.

    Args:
        request: that is answered.
        context: the process's.
        identity: who looks.
        template: the part that changes.
        read: returns what that part shows.
        here: the path of the place that it belongs to.
        frame: the template around it, which stays.
        stream: where the page hears of changes.
        values: what both templates show besides.
    """

    async def make() -> str:
        return _render(request, template, identity, {**values, **await read()})

    # Errors of the reading come before anything is sent.
    key = (template, address(request), identity.role, identity.keys)
    html = await context.shared.get(key, make)
    if request.headers.get("HX-Target") == _LIVE:
        return _answer(request, html, HTTPStatus.OK)
    shown = {"here": here, "stream": stream, "address": address(request), "part": Markup(html), **values}  # noqa: S704 - rendered above, and escaped there
    return _answer(request, _render(request, frame, identity, shown), HTTPStatus.OK)


def address(request: Request) -> str:
    """Return the path and query of a page, without what the last action said."""
    pairs = [(name, value) for name, value in request.query_params.multi_items() if name not in _MARKS]
    return f"{request.url.path}?{urlencode(pairs)}" if pairs else request.url.path


async def acted(
    context: WebContext,
    identity: Identity,
    action: str,
    subject: str,
    data: Mapping[str, Any] | None = None,
    *,
    to: str,
    said: str,
    refused: bool = False,
) -> Response:
    """Note in the audit log what was done, and answer with the page to show next, which says it."""
    await access.record(context.store, identity, action, subject, data)
    context.shared.clear()
    return go(to, Said(said, refused))


def go(path: str, said: Said | None = None) -> Response:
    """Answer with the page to show next, and what there is to say."""
    if said is None:
        return RedirectResponse(path, HTTPStatus.SEE_OTHER)
    mark = "refused" if said.refused else "done"
    joint = "&" if "?" in path else "?"
    return RedirectResponse(f"{path}{joint}{urlencode({mark: said.text})}", HTTPStatus.SEE_OTHER)


def _render(request: Request, template: str, identity: Identity | None, values: Mapping[str, Any]) -> str:
    known = {
        "identity": identity,
        "places": [one for one in PLACES if identity is not None and identity.role.includes(one.role)],
        "stream": "",
        "said": _said(request),
        "proof": _PROOF if request.cookies.get(COOKIE) else "",
        "csrf_field": lambda: Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, _PROOF),
        "may": lambda role: identity is not None and identity.role.includes(Role(role)),
    }
    return _environment().get_template(template).render({**known, **values})


def _answer(request: Request, html: str, status: int) -> Response:
    session = request.cookies.get(COOKIE)
    return HTMLResponse(html.replace(_PROOF, csrf_token(session) if session else ""), status)


def _said(request: Request) -> Said | None:
    for mark in _MARKS:
        if text := request.query_params.get(mark):
            return Said(text, refused=mark == "refused")
    return None


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("rota.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["static"] = _static
    environment.filters.update(words.FILTERS)
    environment.globals["ui"] = environment.get_template("parts.html").module
    return environment


@cache
def _static(name: str) -> str:
    """Return the address of a file; it changes with the content, so that browsers may keep it for good."""
    content = files("rota.dashboard").joinpath("static", name).read_bytes()
    return f"/static/{name}?v={sha256(content).hexdigest()[:12]}"
