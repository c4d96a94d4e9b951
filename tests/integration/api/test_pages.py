"""The dashboard's pages over each store, asked without a browser."""

import asyncio
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from rota.dashboard import live
from rota.model.access import Role
from rota.model.job import ClaimRequest, Submission
from rota.model.outcome import Failed, Fault, Settlement, Succeeded
from rota.model.schedule import ScheduleRecord
from rota.operations import schedules
from rota.triggers.interval import every
from tests.integration.api.conftest import Web

HTML = {"Accept": "text/html"}
PATHS = (
    *("/", "/timeline", "/timeline?past=168&q=s", "/jobs", "/schedules", "/schedules/s%2F1"),
    *("/schedules/s%2F1/edit", "/schedules/new", "/queues", "/workers", "/dead", "/tokens", "/audit"),
    *(
        "/jobs?state=ready&state=failed&queue=mail&since=2h&tag=a%3Db&key=k",
        "/jobs/all/cancel",
        "/jobs/all/retry",
    ),
)


@pytest.fixture
async def job(web: Web) -> UUID:
    """A schedule, a job that waits, one that succeeded and one that failed, which is returned."""
    record = ScheduleRecord(
        id="s/1",
        task="send",
        queue="mail",
        executor="async",
        trigger=every(minutes=5).to_json(),
        payload=b'{"to":"ada"}',
        options={},
        source="api",
    )
    await schedules.declare(web.store, record)
    await web.store.jobs.submit(
        [Submission(task="send", payload=b'{"to":"x"}', queue="mail") for _ in range(3)]
    )
    lease = timedelta(minutes=1)
    request = ClaimRequest(owner=UUID(int=1), queues=("mail",), limits={"async": 2}, lease=lease)
    good, bad = await web.store.jobs.claim(request)
    await web.store.jobs.settle(
        [
            Settlement(good.id, good.token, Succeeded(b'"x"')),
            Settlement(bad.id, bad.token, Failed(Fault("ValueError", "<b>bold</b>", "Traceback …"))),
        ]
    )
    return bad.id


async def test_every_page_answers(web: Web, job: UUID) -> None:
    client = await web.client(Role.ADMIN, headers=HTML)
    for path in (*PATHS, f"/jobs/{job}", f"/jobs/{job}/log", f"/jobs/{job}/log.txt"):
        answer = await client.get(path)
        assert answer.status_code == 200, (path, answer.text)
        assert "<b>bold" not in answer.text


async def test_a_part_of_a_page_is_answered_alone_and_is_of_who_asks(web: Web, job: UUID) -> None:
    part = HTML | {"HX-Request": "true", "HX-Target": "live"}
    admin, viewer = await web.client(Role.ADMIN, headers=part), await web.client(Role.VIEWER, headers=part)
    theirs, ours = (await admin.get("/queues")).text, (await viewer.get("/queues")).text
    assert "<html" not in theirs
    assert "Pause" in theirs
    assert "Pause" not in ours
    stranger = await (await web.client(headers=part)).get(f"/jobs/{job}")
    assert (stranger.status_code, stranger.headers["HX-Refresh"]) == (401, "true")


async def test_groups_are_run_again_and_it_is_noted_who_did_it(web: Web, job: UUID) -> None:
    client = await web.client(Role.OPERATOR, headers=HTML)
    answer = await client.post("/dead/redrive", data={"group": '["send","ValueError","<b>bold</b>"]'})
    assert answer.headers["Location"] == "/dead?done=1+job+of+1+group+will+run+again"
    assert (await web.store.insight.job(job)).state == "ready"  # type: ignore[union-attr]  # it is there
    (line,) = await web.store.access.audited(limit=10)
    assert (line.actor, line.action, line.data["jobs"]) == ("operator-0", "redrive dead letters", 1)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/jobs/chosen/cancel", {"id": "nonsense"}),
        ("/jobs/chosen/cancel", {}),
        ("/jobs/chosen/burn", {"id": str(UUID(int=1))}),
        ("/jobs/all/cancel", {"since": "soon"}),
        ("/jobs/all/retry", {"state": "running"}),
        ("/dead/redrive", {"group": "{"}),
        (
            "/schedules/new",
            {"id": "\x00", "trigger": "{" * 5000, "arguments": "[" * 9999, "rank": "9" * 5000},
        ),
        ("/schedules/s%2F1/edit", {"trigger": "", "grace": "9" * 300 + "d", "overlap": "never"}),
        ("/schedules/s%2F1/backfill", {"from": "yesterday", "to": ""}),
        ("/schedules/nobody/run", {}),
        ("/workers/1/drain", {}),
        ("/tokens", {"name": "", "role": "king", "lifetime": "-1s"}),
    ],
)
@pytest.mark.usefixtures("job")
async def test_wrong_input_is_refused_and_changes_nothing(web: Web, path: str, form: dict[str, str]) -> None:
    client = await web.client(Role.ADMIN, headers=HTML)
    before = await everything(web)
    answer = await client.post(path, data=form)
    assert answer.status_code in {303, 400, 404, 422}, answer.text
    assert "done=" not in answer.headers.get("Location", "")
    assert await everything(web) == before


async def test_streams_end_when_the_process_ends_and_read_once_for_all(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "EVERY", 0.01)
    client = await web.client(Role.VIEWER, headers=HTML)
    context = client._transport.app.state.context  # type: ignore[attr-defined]
    reading = [asyncio.create_task(client.get("/live")) for _ in range(5)]
    await asyncio.wait(reading, timeout=0.05)
    context.stopping.set()
    answers: list[httpx.Response] = await asyncio.gather(*reading)
    assert {one.status_code for one in answers} == {200}


async def everything(web: Web) -> object:
    """Return what an action could change."""
    counts = await web.store.insight.counts()
    tokens = await web.store.access.tokens()
    return (
        sorted((one.queue, one.task, one.state, one.count) for one in counts),
        [(one.id, one.version, one.trigger, one.payload) for one in await web.store.schedules.list()],
        [one.id for one in tokens],
        await web.store.access.audited(limit=10),
    )
