"""Jobs by the API: submitted, listed, shown, cancelled and run again."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from rota.model.access import Role
from rota.model.events import LogEntry
from rota.model.job import ClaimedJob, ClaimRequest
from rota.model.outcome import Failed, Fault, Outcome, Succeeded
from rota.operations import access
from tests.integration.api.conftest import Web, run_claimed

JOBS = "/api/v1/jobs"


@pytest.fixture
async def operator(web: Web) -> httpx.AsyncClient:
    return await web.client(Role.OPERATOR)


async def submit(client: httpx.AsyncClient, **fields: Any) -> str:
    body = {"task": "send", "arguments": {"to": "ada"}} | fields
    answer = await client.post(JOBS, json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


FAILED = Failed(Fault(kind="builtins.ValueError", message="no such box", traceback="Traceback …"))


class TestSubmit:
    async def test_it_is_stored_and_shown(self, operator: httpx.AsyncClient) -> None:
        options = {"rank": -5, "key": "tenant-7", "tags": {"team": "a"}, "delay": 60, "max_attempts": 3}
        job = await submit(operator, options=options)

        shown = (await operator.get(f"{JOBS}/{job}")).json()
        assert (shown["state"], shown["task"], shown["queue"]) == ("scheduled", "send", "mail")
        assert shown["arguments"] == {"to": "ada"}
        assert (shown["rank"], shown["key"], shown["tags"]) == (-5, "tenant-7", {"team": "a"})
        assert (shown["result"], shown["result_kept"], shown["history"]) == (None, False, [])

    async def test_many_are_stored_together_or_not_at_all(self, operator: httpx.AsyncClient) -> None:
        good = {"task": "send", "arguments": {"to": "ada"}}
        answer = await operator.post(f"{JOBS}/batch", json={"jobs": [good] * 3})
        refused = await operator.post(f"{JOBS}/batch", json={"jobs": [good, good | {"task": "sned"}]})

        assert (answer.status_code, len(answer.json()["jobs"])) == (201, 3)
        assert (refused.status_code, "Did you mean 'send'?" in refused.json()["detail"]) == (422, True)
        assert len((await operator.get(JOBS)).json()["jobs"]) == 3

    @pytest.mark.parametrize(
        ("arguments", "field"),
        [
            ({}, "body.arguments.to"),
            ({"to": 5}, "body.arguments.to"),
            ({"to": "a", "cc": "b"}, "body.arguments.cc"),
            ({"to": "a\0b"}, "body.arguments"),
            ({"to": "a", "when": 2**64}, "body.arguments"),
        ],
    )
    async def test_wrong_arguments_name_the_field(
        self, operator: httpx.AsyncClient, arguments: dict[str, Any], field: str
    ) -> None:
        answer = await operator.post(JOBS, json={"task": "send", "arguments": arguments})

        assert answer.status_code == 422
        assert [one["field"] for one in answer.json()["errors"]] == [field]
        assert (await operator.get(JOBS)).json()["jobs"] == []

    @pytest.mark.parametrize(
        ("options", "field"),
        [
            ({"rnak": 1}, "body.options.rnak"),
            ({"rank": 2**63}, "body.options.rank"),
            ({"rank": "1"}, "body.options.rank"),
            ({"run_at": "2026-01-01T08:00:00"}, "body.options.run_at"),
            ({"run_at": 5}, "body.options.run_at"),
            ({"run_at": "0001-01-01T00:00:00+14:00"}, "body.options.run_at"),
            ({"key": ""}, "body.options.key"),
            ({"delay": 1e18}, "body.options.delay"),
            ({"max_attempts": 2**31}, "body.options.max_attempts"),
            ({"delay": 1, "run_at": "2026-01-01T08:00:00Z"}, "body.options"),
        ],
    )
    async def test_wrong_options_name_the_field(
        self, operator: httpx.AsyncClient, options: dict[str, Any], field: str
    ) -> None:
        answer = await operator.post(
            JOBS, json={"task": "send", "arguments": {"to": "a"}, "options": options}
        )

        assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (422, [field])

    @pytest.mark.parametrize(
        "body",
        [
            b"{",
            b"[]",
            b"\xff",
            b'{"task": "send", "arguments": {"to": "\\ud800"}}',
            b'{"task": "send", "arguments": {"to": NaN}}',
            b'{"task": "send", "arguments": ' + b'{"to":' * 5000 + b"1" + b"}" * 5000 + b"}",
            b'{"task": "send", "arguments": {"to": ' + b"9" * 5000 + b"}}",
            b'{"task": "\\ud800"}',
        ],
    )
    async def test_what_is_no_request_is_a_problem(self, operator: httpx.AsyncClient, body: bytes) -> None:
        answer = await operator.post(JOBS, content=body, headers={"Content-Type": "application/json"})

        assert answer.status_code in {400, 422}, answer.text
        assert answer.headers["content-type"] == "application/problem+json"

    async def test_a_unique_job_is_there_once(self, operator: httpx.AsyncClient) -> None:
        body = {"task": "send", "arguments": {"to": "ada"}, "options": {"unique": "ada"}}
        answers = [(await operator.post(JOBS, json=body)).json() for _ in range(2)]

        assert [one["created"] for one in answers] == [True, False]
        assert answers[0]["id"] == answers[1]["id"]


class TestLook:
    async def test_pages_follow_one_another(self, operator: httpx.AsyncClient) -> None:
        made = [await submit(operator) for _ in range(5)]
        seen: list[str] = []
        before: dict[str, str] = {}
        while True:
            page = (await operator.get(JOBS, params={"limit": 2, **before})).json()
            seen += [one["id"] for one in page["jobs"]]
            if page["next"] is None:
                break
            before = {"before": page["next"]}
        assert seen == made[::-1]

    @pytest.mark.parametrize(
        "which",
        [
            {"state": "scheduled"},
            {"queue": "bulk"},
            {"key": "tenant-7"},
            {"tag": "team=a"},
            {"since": "2020-01-01T00:00:00Z", "queue": "bulk"},
        ],
    )
    async def test_filters(self, operator: httpx.AsyncClient, which: dict[str, str]) -> None:
        await submit(operator)
        wanted = await submit(
            operator, options={"queue": "bulk", "key": "tenant-7", "tags": {"team": "a"}, "delay": 9}
        )
        found = (await operator.get(JOBS, params=which)).json()["jobs"]
        assert [one["id"] for one in found] == [wanted]

    @pytest.mark.parametrize(
        "which",
        [{"before": "x"}, {"limit": 0}, {"state": "gone"}, {"tag": "a"}, {"nope": 1}, {"queue": "a\0"}],
    )
    async def test_wrong_filters_are_refused(
        self, operator: httpx.AsyncClient, which: dict[str, Any]
    ) -> None:
        answer = await operator.get(JOBS, params=which)

        (name,) = which
        assert answer.status_code == 422
        assert name in answer.json()["errors"][0]["field"]

    async def test_log_result_and_reasons(self, web: Web, operator: httpx.AsyncClient) -> None:
        job = await submit(operator)

        async def work(claimed: ClaimedJob) -> Outcome:
            at = await web.store.insight.now()
            lines = [LogEntry(claimed.id, claimed.token, n, at, "info", f"line {n}") for n in range(3)]
            await web.store.checkpoints.record(lines, [])
            return Succeeded(b'{"sent": 1}')

        assert "ready" in (await operator.get(f"{JOBS}/{job}/why")).text
        await run_claimed(web.store, work)

        shown = (await operator.get(f"{JOBS}/{job}")).json()
        assert (shown["state"], shown["result"], shown["result_kept"]) == ("succeeded", {"sent": 1}, True)
        first = (await operator.get(f"{JOBS}/{job}/logs", params={"limit": 2})).json()
        assert ([one["message"] for one in first["logs"]], first["next"]) == (["line 0", "line 1"], 2)
        rest = (await operator.get(f"{JOBS}/{job}/logs", params={"after": 2})).json()
        assert ([one["message"] for one in rest["logs"]], rest["next"]) == (["line 2"], 3)

    async def test_an_unknown_job_is_not_found(self, operator: httpx.AsyncClient) -> None:
        for path in ("", "/logs", "/why"):
            assert (await operator.get(f"{JOBS}/{uuid4()}{path}")).status_code == 404
        assert (await operator.get(f"{JOBS}/x")).status_code == 422
        for verb in ("cancel", "retry"):
            assert (await operator.post(f"{JOBS}/{uuid4()}/{verb}")).status_code == 404


class TestAct:
    async def test_cancel_and_retry_one(self, operator: httpx.AsyncClient) -> None:
        job = await submit(operator)

        assert (await operator.post(f"{JOBS}/{job}/cancel")).json()["done"] == "cancelled"
        again = await operator.post(f"{JOBS}/{job}/cancel")
        assert (again.status_code, "cannot cancel a job that is cancelled" in again.json()["detail"]) == (
            409,
            True,
        )
        assert (await operator.post(f"{JOBS}/{job}/retry")).json()["done"] == "retried"
        assert (await operator.get(f"{JOBS}/{job}")).json()["state"] == "ready"

    async def test_a_running_one_is_asked_to_stop(self, web: Web, operator: httpx.AsyncClient) -> None:
        job = await submit(operator)
        await web.store.jobs.claim(
            ClaimRequest(owner=uuid4(), queues=("mail",), limits={"async": 1}, lease=web.lease)
        )
        answer = await operator.post(f"{JOBS}/{job}/cancel")

        assert (answer.status_code, answer.json()["done"]) == (202, "requested")

    async def test_many_by_ids_say_what_became_of_each(self, operator: httpx.AsyncClient) -> None:
        job, nobody = await submit(operator), str(uuid4())
        answer = (await operator.post(f"{JOBS}/cancel", json={"ids": [job, nobody]})).json()

        assert answer["cancelled"] == 1
        assert [one["done"] for one in answer["jobs"]] == ["cancelled", ""]
        assert "no job" in answer["jobs"][1]["refused"]

    async def test_many_by_filter(self, web: Web, operator: httpx.AsyncClient) -> None:
        for number in range(4):
            await submit(operator, options={"tags": {"half": str(number % 2)}})

        async def fail(_: ClaimedJob) -> Outcome:
            return FAILED

        cancelled = await operator.post(f"{JOBS}/cancel", json={"filter": {"tag": "half=0"}})
        await run_claimed(web.store, fail)
        retried = await operator.post(f"{JOBS}/retry", json={"filter": {"fault": "ValueError"}})

        assert cancelled.json() == {"cancelled": 2, "requested": 0, "retried": 0, "jobs": []}
        assert retried.json()["retried"] == 2
        lines = await access.list_audit(web.store, limit=2)
        assert [(line.action, line.data.get("retried"), line.data.get("cancelled")) for line in lines] == [
            ("retry jobs", 2, None),
            ("cancel jobs", None, 2),
        ]

    @pytest.mark.parametrize("body", [{}, {"filter": {}}, {"ids": []}, {"ids": ["x"]}, {"filter": {"a": 1}}])
    async def test_nothing_meant_is_refused(self, operator: httpx.AsyncClient, body: dict[str, Any]) -> None:
        await submit(operator)
        for verb in ("cancel", "retry"):
            assert (await operator.post(f"{JOBS}/{verb}", json=body)).status_code == 422


class TestKeys:
    """A token that is limited to keys."""

    @pytest.fixture
    async def limited(self, web: Web) -> httpx.AsyncClient:
        return await web.client(Role.OPERATOR, keys=("tenant-7",))

    async def test_it_sees_and_acts_on_its_own_only(
        self, operator: httpx.AsyncClient, limited: httpx.AsyncClient
    ) -> None:
        own = await submit(limited, options={"key": "tenant-7"})
        others = [await submit(operator, options={"key": "tenant-8"}), await submit(operator)]

        assert [one["id"] for one in (await limited.get(JOBS)).json()["jobs"]] == [own]
        assert (await limited.get(JOBS, params={"key": "tenant-8"})).json()["jobs"] == []
        for other in others:
            for path in ("", "/logs", "/why"):
                assert (await limited.get(f"{JOBS}/{other}{path}")).status_code == 404
            for verb in ("cancel", "retry"):
                assert (await limited.post(f"{JOBS}/{other}/{verb}")).status_code == 404
        answer = await limited.post(f"{JOBS}/cancel", json={"ids": [own, *others]})
        assert [one["done"] for one in answer.json()["jobs"]] == ["cancelled", "", ""]
        await limited.post(f"{JOBS}/cancel", json={"filter": {"task": "send"}})
        states = {one["id"]: one["state"] for one in (await operator.get(JOBS)).json()["jobs"]}
        assert states == {own: "cancelled"} | dict.fromkeys(others, "ready")

    @pytest.mark.parametrize("options", [{}, {"key": "tenant-8"}])
    async def test_it_submits_only_with_its_keys(
        self, limited: httpx.AsyncClient, options: dict[str, Any]
    ) -> None:
        job = {"task": "send", "arguments": {"to": "ada"}, "options": options}
        for path, body in ((JOBS, job), (f"{JOBS}/batch", {"jobs": [job]})):
            refused = await limited.post(path, json=body)
            assert (refused.status_code, "tenant-7" in refused.json()["detail"]) == (403, True)

    async def test_what_concerns_all_keys_is_closed(self, limited: httpx.AsyncClient) -> None:
        for path in ("queues", "workers", "stats", "events", "tokens", "audit", "health"):
            assert (await limited.get(f"/api/v1/{path}")).status_code == 403, path
