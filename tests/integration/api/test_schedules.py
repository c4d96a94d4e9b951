"""Schedules by the API."""

from typing import Any

import httpx
import pytest

from rota.model.access import Role
from tests.integration.api.conftest import Web

SCHEDULES = "/api/v1/schedules"
NEW = {"id": "nightly", "task": "send", "trigger": "0 8 * * 1 Europe/Amsterdam", "arguments": {"to": "ada"}}


@pytest.fixture
async def operator(web: Web) -> httpx.AsyncClient:
    return await web.client(Role.OPERATOR)


async def make(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await client.post(SCHEDULES, json=NEW | fields)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_it_is_made_shown_listed_and_deleted(operator: httpx.AsyncClient) -> None:
    made = await make(operator)

    assert (made["trigger"]["kind"], made["trigger"]["tz"]) == ("cron", "Europe/Amsterdam")
    assert (made["arguments"], made["source"], made["queue"]) == ({"to": "ada"}, "api", "mail")
    assert made["next_at"] is not None
    assert (await operator.get(f"{SCHEDULES}/nightly")).json() == made
    assert (await operator.get(SCHEDULES)).json()["schedules"] == [made]
    assert (await operator.post(SCHEDULES, json=NEW)).status_code == 409
    assert (await operator.delete(f"{SCHEDULES}/nightly")).status_code == 204
    assert (await operator.get(f"{SCHEDULES}/nightly")).status_code == 404
    assert (await operator.delete(f"{SCHEDULES}/nightly")).status_code == 404


async def test_a_structured_form_is_a_trigger_too(operator: httpx.AsyncClient) -> None:
    form = (await make(operator))["trigger"]

    assert (await make(operator, id="other", trigger=form))["trigger"] == form


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"trigger": "99 8 * * 1"}, "body.trigger"),
        ({"trigger": {"kind": "corn"}}, "body.trigger.kind"),
        ({"trigger": 5}, "body.trigger"),
        ({"task": "sned"}, None),
        ({"arguments": {"to": 5}}, "body.arguments.to"),
        ({"id": "a/b"}, "body.id"),
        ({"catch_up": "some"}, "body.catch_up"),
        ({"nope": 1}, "body.nope"),
    ],
)
async def test_what_is_wrong_is_named(
    operator: httpx.AsyncClient, fields: dict[str, Any], field: str | None
) -> None:
    answer = await operator.post(SCHEDULES, json=NEW | fields)

    assert answer.status_code == 422
    assert field is None or answer.json()["errors"][0]["field"].startswith(field)
    assert (await operator.get(SCHEDULES)).json()["schedules"] == []


async def test_an_edit_changes_what_it_names(operator: httpx.AsyncClient) -> None:
    made = await make(operator, options={"key": "tenant-7", "rank": 3})
    path = f"{SCHEDULES}/nightly"

    edited = (await operator.patch(path, json={"trigger": "every 5 minutes"})).json()
    assert edited["changed"] == ["trigger"]
    assert edited["schedule"]["trigger_text"] == "every 5 minutes"
    assert edited["schedule"]["options"] == made["options"]
    edited = (await operator.patch(path, json={"options": {"rank": 5, "key": None}})).json()
    assert edited["schedule"]["options"] == {"rank": 5}
    same = (await operator.patch(path, json={"options": {"rank": 5}})).json()
    assert (same["changed"], same["schedule"]["version"]) == ([], 3)
    assert (await operator.patch(path, json={"trigger": "sometimes"})).status_code == 422
    assert (await operator.patch(f"{SCHEDULES}/none", json={})).status_code == 404


async def test_pause_resume_and_run(operator: httpx.AsyncClient) -> None:
    await make(operator, options={"key": "tenant-7"})
    path = f"{SCHEDULES}/nightly"

    assert (await operator.post(f"{path}/pause", json={"why": "moving"})).json() == {"changed": True}
    assert (await operator.post(f"{path}/pause")).json() == {"changed": False}
    assert (await operator.get(path)).json()["paused_why"] == "moving"
    assert (await operator.post(f"{path}/resume")).json() == {"changed": True}
    job = (await operator.post(f"{path}/run")).json()["id"]
    shown = (await operator.get(f"/api/v1/jobs/{job}")).json()
    assert (shown["schedule"], shown["key"], shown["due"]) == ("nightly", "tenant-7", None)
    key = {"Idempotency-Key": "once"}
    runs = [(await operator.post(f"{path}/run", headers=key)).json()["id"] for _ in range(2)]
    assert runs[0] == runs[1]
    assert (await operator.get(f"{path}/ticks")).json() == {"ticks": []}


async def test_a_preview_marks_turned_clocks(operator: httpx.AsyncClient) -> None:
    look = {"trigger": "30 2 * * * Europe/Amsterdam", "count": 3}
    spring = await operator.post(f"{SCHEDULES}/preview", json=look | {"after": "2026-03-28T00:00:00Z"})
    autumn = await operator.post(f"{SCHEDULES}/preview", json=look | {"after": "2026-10-24T00:00:00Z"})

    assert [one["note"] for one in spring.json()["moments"]] == [
        "",
        "right after clocks go forward by 1:00:00",
        "",
    ]
    assert [one["note"] for one in autumn.json()["moments"]] == [
        "",
        "this local time comes twice: the first",
        "clocks go back by 1:00:00 before it",
    ]
    assert spring.json()["moments"][0]["local"] == "2026-03-28T02:30:00+01:00"
    await make(operator, trigger=look["trigger"])
    stored = await operator.get(
        f"{SCHEDULES}/nightly/preview", params={"after": "2026-03-28T00:00:00Z", "count": 3}
    )
    assert stored.json() == spring.json()


async def test_a_backfill_runs_past_moments_once(operator: httpx.AsyncClient) -> None:
    await make(operator, trigger="0 8 * * * UTC", overlap="allow")
    path = f"{SCHEDULES}/nightly/backfill"
    stretch = {"since": "2026-01-01T08:00:00Z", "until": "2026-01-03T08:00:00Z"}

    assert (await operator.post(path, json=stretch)).json() == {"moments": 3}
    assert (await operator.post(path, json=stretch)).json() == {"moments": 0}
    jobs = (await operator.get("/api/v1/jobs", params={"schedule": "nightly"})).json()["jobs"]
    assert min(one["due"] for one in jobs) == "2026-01-01T08:00:00Z"
    swapped = {"since": stretch["until"], "until": stretch["since"]}
    assert (await operator.post(path, json=swapped)).status_code == 422


async def test_a_limited_token_has_its_own_schedules(web: Web, operator: httpx.AsyncClient) -> None:
    limited = await web.client(Role.OPERATOR, keys=("tenant-7",))
    await make(operator, options={"key": "tenant-8"})
    await make(limited, id="own", options={"key": "tenant-7"})

    assert [one["id"] for one in (await limited.get(SCHEDULES)).json()["schedules"]] == ["own"]
    assert (await limited.get(f"{SCHEDULES}/nightly")).status_code == 404
    assert (await limited.post(f"{SCHEDULES}/nightly/run")).status_code == 404
    assert (await limited.post(SCHEDULES, json=NEW | {"id": "third"})).status_code == 403
    moved = await limited.patch(f"{SCHEDULES}/own", json={"options": {"key": "tenant-8"}})
    assert moved.status_code == 403
