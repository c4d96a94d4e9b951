"""Pages out of templates: what every template may use, and how a page is answered."""

from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from rota.model.access import Role
from rota.operations.access import Identity
from rota.operations.text import relative, span
from rota.web.identity import COOKIE, CSRF_FIELD, csrf_token

__all__ = ["PLACES", "Place", "Said", "go", "page", "wants_fragment"]


class Place(NamedTuple):
    """An entry of the navigation."""

    path: str
    name: str
    role: Role = Role.VIEWER


class Said(NamedTuple):
    """What an action did, told on the next page."""

    text: str
    refused: bool = False


PLACES = (Place("/", "Overview"), Place("/queues", "Queues"))


def page(
    request: Request,
    template: str,
    identity: Identity | None = None,
    *,
    status: int = HTTPStatus.OK,
    here: str = "",
    live: str = "",
    **values: Any,
) -> Response:
    """Answer with a page.

    Args:
        request: that is answered.
        template: its file.
        identity: who looks; None on the page that logs in.
        status: of the answer.
        here: the path of the place that it belongs to.
        live: where the page hears of changes, if it does.
        values: what the template shows.
    """
    session = request.cookies.get(COOKIE)
    csrf = csrf_token(session) if session else ""
    known = {
        "identity": identity,
        "places": [one for one in PLACES if identity is not None and identity.role.includes(one.role)],
        "here": here,
        "live": live,
        "said": _said(request),
        "csrf": csrf,
        "csrf_field": lambda: Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, csrf),
        "may": lambda role: identity is not None and identity.role.includes(Role(role)),
    }
    html = _environment().get_template(template).render({**known, **values})
    return HTMLResponse(html, status)


def wants_fragment(request: Request) -> bool:
    """Tell whether only the part of a page that changes is asked for."""
    return request.headers.get("HX-Request") == "true"


def go(path: str, said: Said | None = None) -> Response:
    """Answer an action with the page to show next, and what was done."""
    if said is None:
        return RedirectResponse(path, HTTPStatus.SEE_OTHER)
    mark = "refused" if said.refused else "done"
    joint = "&" if "?" in path else "?"
    return RedirectResponse(f"{path}{joint}{urlencode({mark: said.text})}", HTTPStatus.SEE_OTHER)


def _said(request: Request) -> Said | None:
    for name, refused in (("done", False), ("refused", True)):
        if text := request.query_params.get(name):
            return Said(text, refused)
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
    environment.filters.update(moment=_moment, span=_span, pretty=_pretty, number=_number)
    return environment


@cache
def _static(name: str) -> str:
    """Return the address of a file; it changes with the content, so that browsers may keep it for good."""
    content = files("rota.dashboard").joinpath("static", name).read_bytes()
    return f"/static/{name}?v={sha256(content).hexdigest()[:12]}"


def _moment(at: datetime | None, now: datetime) -> Markup:
    """Show a moment by how far it is; the exact one is in the element."""
    if at is None:
        return Markup('<span class="quiet">–</span>')
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), relative(at, now))


def _span(length: timedelta | float | None) -> str:
    if length is None:
        return "–"
    return span(length if isinstance(length, timedelta) else timedelta(seconds=length))


def _pretty(value: Any) -> Markup:
    return escape(msgspec.json.format(msgspec.json.encode(value)).decode())


def _number(value: float) -> str:
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
