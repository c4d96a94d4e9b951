"""Tokens: make, check, list, revoke; and the log of what people did."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct, structs

from rota.model.access import AccessToken, AuditRecord, NewAudit, NewToken, Role, TokenKind
from rota.model.errors import ConflictError, ForbiddenError, NotFoundError, UnauthorizedError, did_you_mean
from rota.model.ids import new_id
from rota.model.job import JobFilter
from rota.ports.store import Store

__all__ = [
    "LINK_LIFETIME",
    "SESSION_LIFETIME",
    "Identity",
    "Issued",
    "authenticate",
    "create_link",
    "create_token",
    "list_audit",
    "list_tokens",
    "log_in",
    "log_out",
    "narrowed",
    "record",
    "require",
    "require_all",
    "revoke_token",
]

LINK_LIFETIME = timedelta(minutes=10)
SESSION_LIFETIME = timedelta(hours=12)
_USE_NOTED_EVERY = timedelta(minutes=1)
_PREFIX = "rota_"  # by which a scanner of code finds a secret that was committed
_BYTES = 32


class Identity(Struct, frozen=True, kw_only=True):
    """Who is asking: a name for the audit log, what it may do, and the keys that it is limited to."""

    name: str
    role: Role
    keys: tuple[str, ...] = ()
    token: UUID | None = None

    @property
    def limits(self) -> tuple[str, ...] | None:
        """The keys whose jobs it may see and act on; None: all."""
        return self.keys or None


class Issued(Struct, frozen=True):
    """A new token and its secret, which nobody can show again."""

    token: NewToken
    secret: str


async def create_token(
    store: Store, name: str, role: Role, *, keys: Sequence[str] = (), lifetime: timedelta | None = None
) -> Issued:
    """Make a bearer token.

    Args:
        store: where its digest is kept.
        name: whose it is; the audit log shows it.
        role: what its holder may do.
        keys: limits its holder to jobs of these keys; empty: all.
        lifetime: how long it opens anything; None: until it is revoked.

    Raises:
        ConflictError: another token has this name.
    """
    issued = _issue("token", name, role, keys=tuple(keys), lifetime=lifetime)
    if not await store.access.add_token(issued.token):
        raise ConflictError(f"a token named {name!r} exists. Revoke it first, or take another name")
    return issued


async def create_link(store: Store, name: str = "terminal", role: Role = Role.ADMIN) -> Issued:
    """Make the secret of a link that logs a browser in, once, within 10 minutes."""
    issued = _issue("link", name, role, lifetime=LINK_LIFETIME)
    await store.access.add_token(issued.token)
    return issued


async def log_in(store: Store, secret: str) -> Issued:
    """Open a browser's session by a bearer token or a link; each session has a secret of its own.

    Raises:
        UnauthorizedError: the secret opens nothing.
    """
    digest = _digest(secret)
    found = await store.access.token(digest, ["token"]) or await store.access.redeem(digest)
    if found is None:
        raise UnauthorizedError("this token or link opens nothing: it is unknown, used, revoked or expired")
    parent = found.id if found.kind == "token" else None
    session = _issue(
        "session", found.name, found.role, keys=found.keys, lifetime=SESSION_LIFETIME, parent=parent
    )
    await store.access.add_token(session.token)
    return session


async def log_out(store: Store, secret: str) -> None:
    """End a session; nothing happens when it has ended."""
    session = await store.access.token(_digest(secret), ["session"])
    if session is not None:
        await store.access.revoke(session.id)


async def authenticate(store: Store, secret: str, kind: TokenKind) -> Identity:
    """Return who holds a secret.

    Args:
        store: where its digest is.
        secret: as it was given.
        kind: "token" for a bearer token, "session" for a cookie.

    Raises:
        UnauthorizedError: it opens nothing.
    """
    found = await store.access.token(_digest(secret), [kind])
    if found is None:
        raise UnauthorizedError(f"this {kind} opens nothing: it is unknown, revoked or expired")
    now = await store.insight.now()
    if found.used_at is None or now - found.used_at >= _USE_NOTED_EVERY:
        await store.access.touch(found.id)
    return Identity(name=found.name, role=found.role, keys=found.keys, token=found.id)


def require(identity: Identity, role: Role) -> None:
    """Let an identity pass that has a role.

    Raises:
        ForbiddenError: it has a lesser one.
    """
    if not identity.role.includes(role):
        raise ForbiddenError(f"{identity.name} is {identity.role} here; this takes {role}")


def require_all(identity: Identity) -> None:
    """Let an identity pass that is not limited to some keys.

    Raises:
        ForbiddenError: it is.
    """
    if identity.limits is not None:
        raise ForbiddenError(f"{identity.name} is limited to keys here; this concerns the jobs of all keys")


def narrowed(identity: Identity, which: JobFilter) -> JobFilter:
    """Return a filter that means no job that an identity may not see."""
    return structs.replace(which, keys=identity.limits)


async def list_tokens(store: Store) -> list[AccessToken]:
    """List the tokens and sessions that open something, oldest first."""
    return await store.access.tokens()


async def revoke_token(store: Store, which: str) -> AccessToken:
    """Revoke a token by its name or id, with the sessions that were opened by it.

    Raises:
        NotFoundError: there is none.
    """
    tokens = await store.access.tokens()
    for token in tokens:
        named = token.kind == "token" and token.name == which
        if (named or str(token.id) == which) and await store.access.revoke(token.id):
            return token
    raise NotFoundError("token", which, did_you_mean(which, [one.name for one in tokens]))


async def record(
    store: Store, identity: Identity, action: str, subject: str, data: Mapping[str, Any] | None = None
) -> None:
    """Write into the audit log what somebody did.

    Args:
        store: where the log is.
        identity: who did it.
        action: what, as "pause queue".
        subject: to what: a name or an id.
        data: what else is worth knowing; no secrets.
    """
    line = NewAudit(actor=identity.name, action=action, subject=subject, data=dict(data or {}))
    await store.access.audit([line])


async def list_audit(store: Store, *, limit: int, before: int | None = None) -> list[AuditRecord]:
    """Return the audit log, newest first, older than place `before`."""
    return await store.access.audited(limit=limit, before=before)


def _issue(kind: TokenKind, name: str, role: Role, **fields: Any) -> Issued:
    secret = _PREFIX + secrets.token_urlsafe(_BYTES)
    return Issued(
        NewToken(id=new_id(), kind=kind, name=name, role=role, digest=_digest(secret), **fields), secret
    )


def _digest(secret: str) -> bytes:
    # One fast hash is enough: the secret is 256 random bits, not a word that could be guessed.
    return hashlib.sha256(secret.encode()).digest()
