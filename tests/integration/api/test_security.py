"""Closed by default: who may ask, from where, by which name, and what everybody is told."""

import httpx
import pytest

from rota.model.access import Role
from rota.operations import access
from rota.settings import change_settings
from rota.web.identity import COOKIE, CSRF_HEADER, csrf_token
from tests.integration.api.conftest import BASE, Web

QUEUES = "/api/v1/queues"
PAUSE = "/api/v1/queues/mail/pause"
PROBLEM = "application/problem+json"


@pytest.fixture
async def nobody(web: Web) -> httpx.AsyncClient:
    return await web.client()


class TestWho:
    async def test_nobody_is_refused_everywhere_but_at_health(self, nobody: httpx.AsyncClient) -> None:
        paths = (await nobody.get("/api/openapi.json")).json()["paths"]
        asked = [(verb, path) for path, verbs in paths.items() for verb in verbs if path != "/health"]
        assert len(asked) >= 3
        for verb, path in asked:
            answer = await nobody.request(verb, path.replace("{name}", "mail"))
            assert (answer.status_code, answer.headers["content-type"]) == (401, PROBLEM), (verb, path)
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert "rota tokens create" in answer.json()["detail"]
        assert (await nobody.get("/health")).json() == {"ok": True}

    async def test_a_token_opens_by_its_role(self, web: Web) -> None:
        viewer, operator = await web.client(Role.VIEWER), await web.client(Role.OPERATOR)

        assert (await viewer.get(QUEUES)).status_code == 200
        refused = await viewer.post(PAUSE)
        assert (refused.status_code, refused.json()["status"]) == (403, 403)
        assert "is viewer here; this takes operator" in refused.json()["detail"]
        assert (await operator.post(PAUSE)).json() == {"changed": True}

    async def test_a_wrong_token_opens_nothing_and_guessing_is_slowed(self, web: Web) -> None:
        client = await web.client(headers={"Authorization": "Bearer rota_guess"})
        details = [(await client.get(QUEUES)).json()["detail"] for _ in range(11)]

        assert ["too many failed logins" in detail for detail in details] == [False] * 10 + [True]

    async def test_every_action_is_in_the_audit_log(self, web: Web) -> None:
        operator = await web.client(Role.OPERATOR)
        await operator.post(PAUSE)
        await operator.post("/api/v1/queues/mail/resume")

        lines = await access.list_audit(web.store, limit=10)
        assert [(line.actor, line.action, line.subject) for line in lines] == [
            ("operator-0", "resume queue", "mail"),
            ("operator-0", "pause queue", "mail"),
        ]


class TestBrowser:
    """A browser has a session; a change needs the proof that its user asks for it."""

    @pytest.fixture
    async def secret(self, web: Web) -> str:
        issued = await access.create_token(web.store, "ada", Role.OPERATOR)
        return (await access.log_in(web.store, issued.secret)).secret

    @pytest.fixture
    async def browser(self, web: Web, secret: str) -> httpx.AsyncClient:
        return await web.client(cookies={COOKIE: secret})

    async def test_it_looks(self, browser: httpx.AsyncClient) -> None:
        assert (await browser.get(QUEUES)).status_code == 200

    async def test_it_changes_with_the_page_s_token(self, browser: httpx.AsyncClient, secret: str) -> None:
        headers = {CSRF_HEADER: csrf_token(secret), "Origin": BASE}

        assert (await browser.post(PAUSE, headers=headers)).status_code == 200

    @pytest.mark.parametrize("proof", ["", "x", "0" * 64])
    async def test_it_changes_nothing_without(self, browser: httpx.AsyncClient, proof: str) -> None:
        answer = await browser.post(PAUSE, headers={CSRF_HEADER: proof} if proof else {})

        assert (answer.status_code, "load it again" in answer.json()["detail"]) == (403, True)

    async def test_a_page_of_elsewhere_changes_nothing(self, browser: httpx.AsyncClient, secret: str) -> None:
        headers = {CSRF_HEADER: csrf_token(secret), "Origin": "https://evil.example"}
        answer = await browser.post(PAUSE, headers=headers)

        assert (answer.status_code, "evil.example" in answer.json()["detail"]) == (403, True)


class TestProxy:
    """A proxy in front may say who asks, where it is set up and the request comes from it."""

    @pytest.fixture(autouse=True)
    def set_up(self, web: Web) -> None:
        changes = {"proxy_header": "X-User", "proxies": "10.1.0.0/16", "proxy_roles": "ada=admin, *=viewer"}
        web.app.settings = change_settings(web.app.settings, changes)

    async def test_it_names_the_user(self, web: Web) -> None:
        client = await web.client(peer="10.1.2.3", headers={"X-User": "bob"})

        assert (await client.get(QUEUES)).status_code == 200
        assert "bob is viewer" in (await client.post(PAUSE, headers={"Origin": BASE})).json()["detail"]
        ada = await client.post(PAUSE, headers={"X-User": "ada", "Origin": BASE})
        assert ada.json() == {"changed": True}

    async def test_a_change_needs_an_origin(self, web: Web) -> None:
        client = await web.client(peer="10.1.2.3", headers={"X-User": "ada"})

        assert (await client.post(PAUSE)).status_code == 403

    @pytest.mark.parametrize("peer", ["10.2.0.1", "127.0.0.1", "testclient"])
    async def test_others_name_nobody(self, web: Web, peer: str) -> None:
        client = await web.client(peer=peer, headers={"X-User": "ada"})

        assert (await client.get(QUEUES)).status_code == 401


class TestEveryRequest:
    @pytest.mark.parametrize("host", ["evil.example", "evil.example:8470", "localhost.evil.example", ""])
    async def test_a_foreign_host_is_refused(self, nobody: httpx.AsyncClient, host: str) -> None:
        answer = await nobody.get("/health", headers={"Host": host})

        assert (answer.status_code, answer.headers["content-type"]) == (421, PROBLEM)
        assert "ROTA_ALLOWED_HOSTS" in answer.json()["detail"]

    @pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8470", "[::1]:8470", "[::1]"])
    async def test_its_own_names_pass(self, nobody: httpx.AsyncClient, host: str) -> None:
        assert (await nobody.get("/health", headers={"Host": host})).status_code == 200

    async def test_named_hosts_pass(self, web: Web) -> None:
        web.app.settings = change_settings(web.app.settings, {"allowed_hosts": "rota.example, other"})
        client = await web.client()

        assert (await client.get("/health", headers={"Host": "rota.example"})).status_code == 200

    async def test_every_answer_has_the_headers_of_a_closed_page(self, nobody: httpx.AsyncClient) -> None:
        for path in ("/health", QUEUES, "/nothing"):
            headers = (await nobody.get(path)).headers
            assert "script-src 'self';" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"

    async def test_what_is_not_there_is_a_problem_too(self, nobody: httpx.AsyncClient) -> None:
        answer = await nobody.get("/nothing")

        assert (answer.status_code, answer.json()["type"]) == (404, "urn:rota:not-found")
        assert (await nobody.delete("/health")).status_code == 405

    async def test_a_body_beyond_the_limit_is_refused(self, web: Web) -> None:
        operator = await web.client(Role.OPERATOR)
        answer = await operator.post(PAUSE, content=b"x" * 400_000)

        assert (answer.status_code, answer.json()["title"]) == (413, "Request Entity Too Large")

    async def test_what_is_unknown_is_named(self, web: Web) -> None:
        operator = await web.client(Role.OPERATOR)
        answer = await operator.post("/api/v1/queues/mial/pause")

        assert answer.status_code == 404
        assert "Did you mean 'mail'?" in answer.json()["detail"]


class TestBehindAProxy:
    """Of what a proxy says about its client, only a named one is believed."""

    async def test_guesses_behind_a_proxy_are_counted_by_client(self, web: Web) -> None:
        guess = {"Authorization": "Bearer rota_guess"}
        proxied = await web.client(headers=guess)
        for _ in range(10):
            await proxied.get(QUEUES, headers={"X-Forwarded-For": "made-up, 192.0.2.1"})

        blocked = await proxied.get(QUEUES, headers={"X-Forwarded-For": "192.0.2.1"})
        other = await proxied.get(QUEUES, headers={"X-Forwarded-For": "192.0.2.2"})

        assert "too many failed logins from 192.0.2.1" in blocked.json()["detail"]
        assert "too many" not in other.json()["detail"]

    async def test_a_stranger_cannot_pass_for_others(self, web: Web) -> None:
        stranger = await web.client(peer="198.51.100.7", headers={"Authorization": "Bearer rota_guess"})
        details = [
            (await stranger.get(QUEUES, headers={"X-Forwarded-For": f"192.0.2.{n}"})).json()["detail"]
            for n in range(11)
        ]

        assert "too many failed logins from 198.51.100.7" in details[-1]

    @pytest.mark.parametrize(("peer", "secure"), [("127.0.0.1", True), ("198.51.100.7", False)])
    async def test_the_cookie_is_for_tls_alone_where_the_browser_speaks_it(
        self, web: Web, peer: str, secure: bool
    ) -> None:
        issued = await access.create_token(web.store, "ada", Role.VIEWER)
        browser = await web.client(peer=peer, headers={"X-Forwarded-Proto": "https"})

        answer = await browser.post("/login", data={"secret": issued.secret})

        assert ("Secure" in answer.headers["set-cookie"]) is secure
