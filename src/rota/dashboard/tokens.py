"""Tokens and the audit log, for admins."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from rota.dashboard.render import Said, acted, go, live_page, page
from rota.model.access import Role
from rota.model.errors import ConflictError, NotFoundError
from rota.operations import access
from rota.settings import parse_seconds
from rota.web.context import Here, WebContext
from rota.web.identity import Admin

__all__ = ["router"]

TOKENS = "/tokens"
AUDIT = "/audit"
LINES = 100
LONGEST = 100
YEARS = timedelta(days=3650)

router = APIRouter()


@router.get(TOKENS)
async def show_tokens(request: Request, context: Here, identity: Admin) -> Response:
    """Show who may come in."""
    return await _tokens(request, context, identity, {"role": "viewer"}, {})


@router.post(TOKENS)
async def make(request: Request, context: Here, identity: Admin) -> Response:
    """Make a token; its secret is shown on this one answer."""
    form = await request.form()
    values = {name: str(form.get(name, "")).strip() for name in ("name", "role", "keys", "lifetime")}
    faults = _faults(values)
    limits = [one.strip() for one in values["keys"].split(",") if one.strip()]
    if not faults:
        seconds = parse_seconds(values["lifetime"])
        try:
            issued = await access.create_token(
                context.store,
                values["name"],
                Role(values["role"]),
                keys=limits,
                lifetime=None if seconds is None else timedelta(seconds=seconds),
            )
        except ConflictError as error:
            faults = {"name": str(error)}
        else:
            data = {"role": values["role"], "keys": limits, "lifetime": values["lifetime"]}
            await access.record(context.store, identity, "create token", values["name"], data)
            context.shared.clear()
            return page(
                request,
                "token-made.html",
                identity,
                here=TOKENS,
                title="Tokens",
                name=values["name"],
                secret=issued.secret,
            )
    return await _tokens(request, context, identity, values, faults)


@router.post(TOKENS + "/{which}/revoke")
async def revoke(context: Here, identity: Admin, which: str) -> Response:
    """Let a token or a session open nothing any more."""
    try:
        gone = await access.revoke_token(context.store, which)
        context.identities.forget()
    except NotFoundError as error:
        return go(TOKENS, Said(str(error), refused=True))
    said = f"{'Token' if gone.kind == 'token' else 'Session of'} {gone.name} opens nothing any more"
    data = {"kind": gone.kind, "id": str(gone.id)}
    return await acted(context, identity, "revoke token", gone.name, data, to=TOKENS, said=said)


@router.get(AUDIT)
async def show_audit(request: Request, context: Here, identity: Admin, before: str = "") -> Response:
    """Show who did what, the newest first."""
    place = int(before) if before.isdecimal() and len(before) < 19 else None  # noqa: PLR2004 - digits of 64 bits

    async def read() -> Mapping[str, Any]:
        lines = await access.list_audit(context.store, limit=LINES + 1, before=place)
        return {
            "lines": lines[:LINES],
            "next": lines[LINES - 1].place if len(lines) > LINES else None,
            "now": await context.store.insight.now(),
        }

    return await live_page(
        request, context, identity, "audit.html", read, here=AUDIT, title="Audit log", later=place is not None
    )


async def _tokens(
    request: Request,
    context: WebContext,
    identity: access.Identity,
    values: Mapping[str, str],
    faults: Mapping[str, str],
) -> Response:
    return page(
        request,
        "tokens.html",
        identity,
        status=422 if faults else 200,
        here=TOKENS,
        title="Tokens",
        tokens=await access.list_tokens(context.store),
        roles=[(one, f"{one}: {_MEANING[one]}") for one in Role],
        now=await context.store.insight.now(),
        values=values,
        faults=faults,
    )


_MEANING = {
    Role.VIEWER: "looks",
    Role.OPERATOR: "acts on jobs, schedules, queues and workers",
    Role.ADMIN: "also manages tokens and reads the audit log",
}


def _faults(values: Mapping[str, str]) -> dict[str, str]:
    faults = {}
    if not values["name"]:
        faults["name"] = "Give it a name: the audit log shows it"
    elif len(values["name"]) > LONGEST or not values["name"].isprintable():
        faults["name"] = f"Take at most {LONGEST} characters that can be printed"
    if values["role"] not in set(Role):
        faults["role"] = f"Choose of {', '.join(Role)}"
    if not values["keys"].isprintable():
        faults["keys"] = "Take characters that can be printed"
    if values["lifetime"]:
        seconds = parse_seconds(values["lifetime"])
        if seconds is None or not 0 < seconds <= YEARS.total_seconds():
            faults["lifetime"] = "Write a length of time of at most ten years: 12h, 30d"
    return faults
