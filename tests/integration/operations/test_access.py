"""Tokens, sessions, links and the audit log, on both stores."""

from datetime import timedelta

import pytest

from rota.model.access import Role
from rota.model.errors import ConflictError, ForbiddenError, NotFoundError, UnauthorizedError
from rota.operations import access
from rota.operations.access import Identity
from rota.testing.conformance.scene import HOUR, MINUTE, SECOND, START, Scene

ADA = Identity(name="ada", role=Role.OPERATOR)


class TestTokens:
    async def test_a_token_opens_what_it_was_made_for(self, scene: Scene) -> None:
        issued = await access.create_token(scene.store, "ci", Role.OPERATOR, keys=["tenant-7"])

        identity = await access.authenticate(scene.store, issued.secret, "token")

        assert (identity.name, identity.role, identity.keys) == ("ci", Role.OPERATOR, ("tenant-7",))

    async def test_no_secret_is_stored(self, scene: Scene) -> None:
        issued = await access.create_token(scene.store, "ci", Role.ADMIN)

        assert issued.secret.startswith("rota_")
        assert issued.secret.encode() not in issued.token.digest
        assert issued.secret not in repr(await access.list_tokens(scene.store))

    @pytest.mark.parametrize("secret", ["", "rota_", "rota_x", "ü"])
    async def test_any_other_secret_opens_nothing(self, scene: Scene, secret: str) -> None:
        await access.create_token(scene.store, "ci", Role.ADMIN)

        with pytest.raises(UnauthorizedError, match="this token opens nothing"):
            await access.authenticate(scene.store, secret, "token")

    async def test_a_name_is_given_once(self, scene: Scene) -> None:
        await access.create_token(scene.store, "ci", Role.ADMIN)

        with pytest.raises(ConflictError, match="a token named 'ci' exists"):
            await access.create_token(scene.store, "ci", Role.VIEWER)

    async def test_it_ends_when_it_was_to_end(self, scene: Scene) -> None:
        issued = await access.create_token(scene.store, "ci", Role.ADMIN, lifetime=timedelta(hours=1))
        scene.clock.advance(HOUR)

        with pytest.raises(UnauthorizedError):
            await access.authenticate(scene.store, issued.secret, "token")

    async def test_its_use_is_noted_once_a_minute(self, scene: Scene) -> None:
        issued = await access.create_token(scene.store, "ci", Role.ADMIN)
        noted = []
        for wait in (SECOND, 30 * SECOND, MINUTE):
            scene.clock.advance(wait)
            await access.authenticate(scene.store, issued.secret, "token")
            noted += [one.used_at for one in await access.list_tokens(scene.store)]

        assert noted == [START + SECOND, START + SECOND, START + MINUTE + 31 * SECOND]

    async def test_a_revoked_token_opens_nothing_and_its_browsers_are_logged_out(self, scene: Scene) -> None:
        issued = await access.create_token(scene.store, "ci", Role.ADMIN)
        session = await access.log_in(scene.store, issued.secret)

        assert (await access.revoke_token(scene.store, "ci")).id == issued.token.id

        for secret, kind in ((issued.secret, "token"), (session.secret, "session")):
            with pytest.raises(UnauthorizedError):
                await access.authenticate(scene.store, secret, kind)  # type: ignore[arg-type]
        with pytest.raises(NotFoundError, match="no token 'ci'"):
            await access.revoke_token(scene.store, "ci")

    async def test_a_mistyped_name_is_refused_with_a_hint(self, scene: Scene) -> None:
        await access.create_token(scene.store, "deploy", Role.ADMIN)

        with pytest.raises(NotFoundError, match="Did you mean 'deploy'"):
            await access.revoke_token(scene.store, "depoly")


class TestSessions:
    async def test_each_login_has_a_secret_of_its_own(self, scene: Scene) -> None:
        issued = await access.create_token(scene.store, "ada", Role.OPERATOR, keys=["k"])
        first, second = [await access.log_in(scene.store, issued.secret) for _ in range(2)]

        assert len({issued.secret, first.secret, second.secret}) == 3
        identity = await access.authenticate(scene.store, first.secret, "session")
        assert (identity.name, identity.role, identity.keys) == ("ada", Role.OPERATOR, ("k",))

        await access.log_out(scene.store, first.secret)
        with pytest.raises(UnauthorizedError):
            await access.authenticate(scene.store, first.secret, "session")
        assert (await access.authenticate(scene.store, second.secret, "session")).name == "ada"

    async def test_one_kind_of_secret_is_not_another(self, scene: Scene) -> None:
        issued = await access.create_token(scene.store, "ada", Role.ADMIN)
        session = await access.log_in(scene.store, issued.secret)

        with pytest.raises(UnauthorizedError):
            await access.authenticate(scene.store, session.secret, "token")
        with pytest.raises(UnauthorizedError):
            await access.authenticate(scene.store, issued.secret, "session")
        with pytest.raises(UnauthorizedError):
            await access.log_in(scene.store, session.secret)
        await access.log_out(scene.store, issued.secret)
        assert (await access.authenticate(scene.store, issued.secret, "token")).name == "ada"

    async def test_a_link_logs_in_once_within_ten_minutes(self, scene: Scene) -> None:
        used, late = [await access.create_link(scene.store) for _ in range(2)]
        session = await access.log_in(scene.store, used.secret)

        assert (await access.authenticate(scene.store, session.secret, "session")).role is Role.ADMIN
        with pytest.raises(UnauthorizedError, match="used, revoked or expired"):
            await access.log_in(scene.store, used.secret)
        scene.clock.advance(access.LINK_LIFETIME)
        with pytest.raises(UnauthorizedError):
            await access.log_in(scene.store, late.secret)

    async def test_a_session_ends_by_itself(self, scene: Scene) -> None:
        session = await access.log_in(scene.store, (await access.create_link(scene.store)).secret)
        scene.clock.advance(access.SESSION_LIFETIME)

        with pytest.raises(UnauthorizedError):
            await access.authenticate(scene.store, session.secret, "session")


class TestRoles:
    @pytest.mark.parametrize("has", list(Role))
    @pytest.mark.parametrize("wanted", list(Role))
    def test_a_role_includes_those_before_it(self, has: Role, wanted: Role) -> None:
        order = [Role.VIEWER, Role.OPERATOR, Role.ADMIN]
        identity = Identity(name="ada", role=has)

        if order.index(has) >= order.index(wanted):
            access.require(identity, wanted)
        else:
            with pytest.raises(ForbiddenError, match=f"ada is {has} here; this takes {wanted}"):
                access.require(identity, wanted)


async def test_what_was_done_is_written_down(scene: Scene) -> None:
    await access.record(scene.store, ADA, "pause queue", "mail", {"why": "moving"})
    await access.record(scene.store, ADA, "resume queue", "mail")

    lines = await access.list_audit(scene.store, limit=10)

    assert [(one.actor, one.action, one.subject, one.data) for one in lines] == [
        ("ada", "resume queue", "mail", {}),
        ("ada", "pause queue", "mail", {"why": "moving"}),
    ]
