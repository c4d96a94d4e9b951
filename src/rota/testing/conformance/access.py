"""Tokens open what they should, as long as they should; the audit log keeps what was done."""

import asyncio
from datetime import timedelta
from typing import Any

from rota.model.access import AccessToken, NewAudit, NewToken, Role, TokenKind
from rota.model.ids import new_id
from rota.testing.conformance.scene import HOUR, MINUTE, SECOND, START, Scene, must

__all__ = ["TestAudit", "TestTokens"]

ALL: tuple[TokenKind, ...] = ("token", "session", "link")


def a_token(**fields: Any) -> NewToken:
    identity = new_id()
    plain: dict[str, Any] = {
        "id": identity,
        "kind": "token",
        "name": str(identity),
        "role": Role.VIEWER,
        "digest": identity.bytes,
    }
    return NewToken(**plain | fields)


class TestTokens:
    async def test_what_is_stored_is_found_by_its_digest(self, scene: Scene) -> None:
        parent = a_token(kind="token", role=Role.ADMIN)
        token = a_token(
            kind="session",
            name="ada",
            role=Role.OPERATOR,
            keys=("tenant-7", "tenant-8"),
            lifetime=HOUR,
            parent=parent.id,
        )
        assert await scene.store.access.add_token(parent)
        assert await scene.store.access.add_token(token)
        assert await scene.store.access.token(token.digest, ALL) == AccessToken(
            id=token.id,
            kind="session",
            name="ada",
            role=Role.OPERATOR,
            keys=("tenant-7", "tenant-8"),
            created_at=START,
            expires_at=START + HOUR,
            used_at=None,
            parent=parent.id,
        )
        assert must(await scene.store.access.token(parent.digest, ALL)).expires_at is None

    async def test_another_digest_or_kind_opens_nothing(self, scene: Scene) -> None:
        token = a_token()
        await scene.store.access.add_token(token)
        assert await scene.store.access.token(b"other", ALL) is None
        assert await scene.store.access.token(token.digest, ["session", "link"]) is None
        assert await scene.store.access.token(token.digest, []) is None

    async def test_an_expired_token_opens_nothing_and_is_forgotten(self, scene: Scene) -> None:
        token = a_token(lifetime=MINUTE)
        await scene.store.access.add_token(token)
        scene.clock.advance(MINUTE - SECOND)
        assert await scene.store.access.token(token.digest, ALL) is not None
        scene.clock.advance(SECOND)
        assert await scene.store.access.token(token.digest, ALL) is None
        assert await scene.store.access.tokens() == []
        assert await scene.store.access.add_token(a_token())
        assert await scene.store.access.revoke(token.id) is False

    async def test_two_bearer_tokens_of_one_name_are_refused(self, scene: Scene) -> None:
        assert await scene.store.access.add_token(a_token(name="ci"))
        assert await scene.store.access.add_token(a_token(name="ci")) is False
        assert await scene.store.access.add_token(a_token(name="ci", kind="session"))
        assert await scene.store.access.add_token(a_token(name="ci", kind="session"))
        assert [one.kind for one in await scene.store.access.tokens()] == ["token", "session", "session"]

    async def test_a_link_is_redeemed_once(self, scene: Scene, crowd: list[Scene]) -> None:
        link = a_token(kind="link", lifetime=MINUTE)
        await scene.store.access.add_token(link)
        taken = await asyncio.gather(*(one.store.access.redeem(link.digest) for one in crowd))
        assert [one.id for one in taken if one is not None] == [link.id]
        assert await scene.store.access.token(link.digest, ALL) is None

    async def test_only_a_link_that_lives_is_redeemed(self, scene: Scene) -> None:
        token, link = a_token(), a_token(kind="link", lifetime=MINUTE)
        await scene.store.access.add_token(token)
        await scene.store.access.add_token(link)
        assert await scene.store.access.redeem(token.digest) is None
        scene.clock.advance(MINUTE)
        assert await scene.store.access.redeem(link.digest) is None
        assert await scene.store.access.token(token.digest, ALL) is not None

    async def test_a_use_is_noted(self, scene: Scene) -> None:
        token = a_token()
        await scene.store.access.add_token(token)
        scene.clock.advance(HOUR)
        await scene.store.access.touch(token.id)
        assert must(await scene.store.access.token(token.digest, ALL)).used_at == START + HOUR

    async def test_a_revoked_token_takes_its_sessions_along(self, scene: Scene) -> None:
        token, other = a_token(), a_token()
        session = a_token(kind="session", parent=token.id)
        foreign = a_token(kind="session", parent=other.id)
        for one in (token, other, session, foreign):
            scene.clock.advance(1)
            await scene.store.access.add_token(one)
        assert await scene.store.access.revoke(token.id) is True
        assert [one.id for one in await scene.store.access.tokens()] == [other.id, foreign.id]
        assert await scene.store.access.revoke(token.id) is False


class TestAudit:
    async def test_lines_come_newest_first(self, scene: Scene) -> None:
        for number in range(5):
            scene.clock.advance(1)
            data = {"why": "ü", "n": number}
            line = NewAudit(actor="ada", action="pause", subject=f"queue {number}", data=data)
            await scene.store.access.audit([line])
        lines = await scene.store.access.audited(limit=3)
        assert [line.subject for line in lines] == ["queue 4", "queue 3", "queue 2"]
        first = lines[0]
        assert (first.actor, first.action, first.data) == ("ada", "pause", {"why": "ü", "n": 4})
        assert first.at == START + timedelta(seconds=5)
        rest = await scene.store.access.audited(limit=3, before=lines[-1].place)
        assert [line.subject for line in rest] == ["queue 1", "queue 0"]
        assert await scene.store.access.audited(limit=3, before=rest[-1].place) == []

    async def test_lines_of_one_call_keep_their_order(self, scene: Scene) -> None:
        names = [f"job {number}" for number in range(20)]
        await scene.store.access.audit([NewAudit(actor="ada", action="submit", subject=one) for one in names])
        assert [line.subject for line in await scene.store.access.audited(limit=50)] == names[::-1]
