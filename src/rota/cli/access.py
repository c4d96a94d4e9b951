"""`rota tokens` and `rota audit`: who may use the API and the dashboard, and what was done by hand."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import click

from rota.cli.command import Argument, Group, Option, Session, command, person
from rota.model.access import Role
from rota.model.errors import did_you_mean
from rota.settings import parse_seconds

if TYPE_CHECKING:
    from rota.operations.access import Identity

__all__ = ["add_to"]


def _role(text: str) -> Role:
    """Read the name of a role."""
    try:
        return Role(text)
    except ValueError:
        hint = did_you_mean(text, map(str, Role))
        raise click.BadParameter(f"{text!r} is no role.{hint} Roles: {', '.join(Role)}") from None


def _lifetime(text: str) -> timedelta:
    """Read "30d"."""
    seconds = parse_seconds(text)
    if not seconds or seconds < 0:
        raise click.BadParameter(f"{text!r} is no time to live; give one such as 12h, 30d")
    return timedelta(seconds=seconds)


Name = Annotated[str, Argument(metavar="NAME")]
NameOrId = Annotated[str, Argument(metavar="NAME|ID")]
RoleOption = Annotated[
    Role, Option("--role", "What it may do: viewer, operator or admin.", metavar="ROLE", parse=_role)
]
KeysOption = Annotated[
    tuple[str, ...], Option("--key", "Only jobs of this key; may be repeated.", metavar="KEY", many=True)
]
LifetimeOption = Annotated[
    timedelta | None,
    Option(
        "--expires", "When it ends, such as 30d; else when it is revoked.", metavar="TIME", parse=_lifetime
    ),
]
Limit = Annotated[int, Option("--limit -n", "How many.", metavar="N", parse=click.IntRange(1, 10_000))]
Before = Annotated[int | None, Option("--before", "Older than this line.", metavar="N", parse=click.INT)]


_COLUMNS = ("line", "when", "who", "did", "to", "more")


def add_to(root: click.Group) -> None:
    """Add the commands of this module."""
    group = Group("tokens", help="Say who may use the API and the dashboard.")
    root.add_command(group)
    command(group, "create")(create)
    command(group, "list")(list_tokens)
    command(group, "revoke")(revoke)
    command(root, "audit")(audit)


async def create(
    session: Session,
    name: Name,
    role: RoleOption = Role.VIEWER,
    key: KeysOption = (),
    lifetime: LifetimeOption = None,
) -> None:
    """Make a token, and show its secret this once."""
    from rota.operations import access

    async with session.target.open(empty=True) as store:
        issued = await access.create_token(store, name, role, keys=key, lifetime=lifetime)
        await access.record(store, _me(), "create token", name, {"role": role, "keys": list(key)})
    if session.out.json:
        session.out.document({"id": issued.token.id, "name": name, "role": role, "secret": issued.secret})
        return
    session.out.line(issued.secret)
    click.echo(f"Token {name} ({role}). Keep it: it is shown nowhere again.", err=True)


async def list_tokens(session: Session) -> None:
    """List tokens and the sessions of browsers; secrets are shown nowhere."""
    from rota.operations import access, views

    async with session.target.open() as store:
        found = await access.list_tokens(store)
        now = await store.insight.now()
    out = session.out
    if out.json:
        out.document({"tokens": views.plain(found)})
        return
    rows = [
        (
            one.name,
            one.kind,
            one.role,
            ",".join(one.keys) or "all",
            out.moment(one.created_at, now),
            out.moment(one.used_at, now),
            out.moment(one.expires_at, now),
            str(one.id),
        )
        for one in found
    ]
    out.table(
        ("name", "kind", "role", "keys", "made", "used", "expires", "id"),
        rows,
        empty="There are no tokens: rota tokens create NAME",
        spare=("id", "keys", "made"),
    )


async def revoke(session: Session, token: NameOrId) -> None:
    """Revoke a token, and log out the browsers that logged in by it."""
    from rota.operations import access

    async with session.target.open() as store:
        revoked = await access.revoke_token(store, token)
        await access.record(store, _me(), "revoke token", revoked.name, {"id": str(revoked.id)})
    if session.out.json:
        session.out.document({"id": revoked.id, "name": revoked.name, "revoked": True})
    else:
        session.out.line(f"{revoked.kind} {revoked.name} revoked")


async def audit(session: Session, limit: Limit = 50, before: Before = None) -> None:
    """Show what people did by hand, newest first."""
    from rota.operations import access, views

    async with session.target.open() as store:
        found = await access.list_audit(store, limit=limit, before=before)
        now = await store.insight.now()
    out = session.out
    if out.json:
        out.document({"audit": views.plain(found)})
        return
    rows = [
        (
            str(one.place),
            out.moment(one.at, now),
            one.actor,
            one.action,
            one.subject,
            ", ".join(f"{name}={value}" for name, value in one.data.items() if value not in ([], "")),
        )
        for one in found
    ]
    out.table(_COLUMNS, rows, empty="Nothing was done by hand yet.")


def _me() -> "Identity":
    from rota.operations.access import Identity

    # Who can open the store by its url may do everything there.
    return Identity(name=f"{person()} (command line)", role=Role.ADMIN)
