"""`/tokens` and `/audit`: who may do what, and who did what."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field

from rota.api.fields import INT64, Body, Limit, Name, Text, View
from rota.model.access import Role
from rota.operations import access, views
from rota.web.context import Here
from rota.web.identity import Admin
from rota.web.problems import answers

__all__ = ["audit_router", "router"]

router = APIRouter(prefix="/tokens", tags=["access"])
audit_router = APIRouter(prefix="/audit", tags=["access"])

Which = Annotated[
    str, Path(description="Its name or id", min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f/]+$")
]


class NewToken(Body):
    """A token to be made."""

    name: Name = Field(description="Whose it is, as the audit log shows it", examples=["ci"])
    role: Role = Field(description="What its holder may do")
    keys: list[Text] = Field(default=[], max_length=100, description="Only jobs of these keys; empty: all")
    days: float | None = Field(
        None,
        strict=True,
        gt=0,
        le=36_500,
        allow_inf_nan=False,
        description="How long it works; null: until revoked",
    )


class Token(View):
    """A token, without its secret."""

    id: UUID
    kind: str = Field(description="token, session (of a browser) or link (to log in once)")
    name: str
    role: Role
    keys: list[str]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    parent: UUID | None = Field(description="The token that a session was opened with")


class Tokens(View):
    """All that open something, the oldest first."""

    tokens: list[Token]


class Made(View):
    """A new token. Nobody can show its secret again."""

    id: UUID
    name: str
    secret: str = Field(description="For `Authorization: Bearer`")


class Line(View):
    """One action."""

    place: int
    at: datetime
    actor: str
    action: str
    subject: str
    data: dict[str, Any]


class Audit(View):
    """Some lines, newest first."""

    lines: list[Line]
    next: int | None = Field(description="`before` of those that follow; null at the end")


@router.get("", summary="List tokens")
async def list_tokens(context: Here, _: Admin) -> Tokens:
    """List tokens, sessions and links that open something."""
    found = await access.list_tokens(context.store)
    return Tokens.model_validate({"tokens": [views.plain(one) for one in found]})


@router.post(
    "", summary="Make a token", status_code=HTTPStatus.CREATED, responses=answers(HTTPStatus.CONFLICT)
)
async def create(context: Here, identity: Admin, new: NewToken) -> Made:
    """Make a bearer token. It takes no `Idempotency-Key`: nothing keeps its secret for a second answer."""
    lifetime = None if new.days is None else timedelta(days=new.days)
    issued = await access.create_token(context.store, new.name, new.role, keys=new.keys, lifetime=lifetime)
    await access.record(
        context.store, identity, "create token", new.name, {"role": new.role, "keys": new.keys}
    )
    return Made(id=issued.token.id, name=new.name, secret=issued.secret)


@router.delete(
    "/{token}",
    summary="Revoke a token",
    status_code=HTTPStatus.NO_CONTENT,
    responses=answers(HTTPStatus.NOT_FOUND),
)
async def revoke(context: Here, identity: Admin, token: Which) -> None:
    """Revoke a token with the sessions that it opened. Other processes may know it for a second longer."""
    revoked = await access.revoke_token(context.store, token)
    context.identities.forget()
    await access.record(context.store, identity, "revoke token", revoked.name)


@audit_router.get("", summary="Read the audit log")
async def audit(
    context: Here,
    _: Admin,
    limit: Limit = 100,
    before: Annotated[int | None, Query(ge=0, le=INT64, description="Only older ones: `next`")] = None,
) -> Audit:
    """Read who did what to which thing, and when, newest first."""
    lines = await access.list_audit(context.store, limit=limit + 1, before=before)
    shown = [Line.model_validate(views.plain(one)) for one in lines[:limit]]
    return Audit(lines=shown, next=shown[-1].place if len(lines) > limit else None)
