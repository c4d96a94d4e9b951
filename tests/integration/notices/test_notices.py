"""Notices as an endpoint gets them: a real server, both stores, and what must not be sent."""

import json
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from rota import ConfigurationError, Retry, Rota, every
from rota.definitions.notices import DELIVER, KINDS
from rota.model.job import JobFilter, JobRecord
from rota.model.states import FINISHED, State
from rota.settings import change_settings
from rota.telemetry.webhooks import RefusedAddressError, WebhookError, post
from tests.acceptance.users import app, settings, shared_database, working

__all__ = ["app", "settings", "shared_database"]

DOC = Path(__file__).parents[3] / "docs" / "notices.md"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - an example


class Endpoint(ThreadingHTTPServer):
    """Keeps what it gets; answers as it is told to, then with 204."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.arrived = threading.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.got) >= count, timeout=30), self.got
            return [json.loads(body) for _, body in self.got]


class Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.arrived:
            self.server.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status = self.server.answers.pop(0) if self.server.answers else 204
            self.server.arrived.notify_all()
        self.send_response(status)
        if status == 302:
            self.send_header("Location", self.server.url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def told(app: Rota, endpoint: Endpoint) -> Endpoint:
    app.settings = change_settings(app.settings, {"notify_hosts": "127.0.0.1"})
    app.notify(endpoint.url, secret=SECRET, late_tick=0.001)
    return endpoint


def jobs(app: Rota, task: str) -> list[JobRecord]:
    which = JobFilter(task=task)
    return app.connection.run("look", lambda store: store.insight.jobs(which, limit=50))


def delivered(app: Rota, count: int) -> list[JobRecord]:
    """Wait until so many notices have ended."""
    for _ in range(3000):
        ended = [job for job in jobs(app, DELIVER) if job.state in FINISHED]
        if len(ended) >= count:
            return ended
        threading.Event().wait(0.01)  # between looks at the store
    raise AssertionError(jobs(app, DELIVER))


def verify() -> Any:
    """Return the function that docs/notices.md tells receivers to use."""
    found: dict[str, Any] = {}
    code = re.search(r"```python\n(import base64.*?)```", DOC.read_text(), re.DOTALL)
    assert code is not None
    exec(code[1], found)  # noqa: S102 - the documents' own code
    return found["verify"]


def test_a_dead_letter_is_told_signed_and_once(app: Rota, told: Endpoint) -> None:
    @app.task(queue="mail", retry=Retry(1, delay=0.01))
    def send() -> None:
        raise ValueError("no such user")

    told.answers = [503]
    with working(app):
        job = send.options(key="tenant-7").enqueue()
        first = told.wait_for(1)[0]
        (notice,) = jobs(app, DELIVER)

    assert first["type"] == "job.failed"
    assert first["data"] == {
        "job": str(job.id),
        "task": "send",
        "queue": "mail",
        "key": "tenant-7",
        "attempt": 2,
        "schedule": None,
        "error": {"kind": "ValueError", "message": "no such user"},
    }
    headers, body = told.got[0]
    assert headers["webhook-id"] == str(notice.id)
    check = verify()
    assert check(headers, body, SECRET, now=int(headers["webhook-timestamp"])) == first
    for changed in (body + b" ", body.replace(b"mail", b"nail")):
        with pytest.raises(ValueError, match="signature"):
            check(headers, changed, SECRET, now=int(headers["webhook-timestamp"]))
    with pytest.raises(ValueError, match="old"):
        check(headers, body, SECRET, now=int(headers["webhook-timestamp"]) + 3600)
    assert len(jobs(app, DELIVER)) == 1


def test_a_notice_that_is_not_taken_is_tried_again(app: Rota, told: Endpoint) -> None:
    @app.task
    async def fail() -> None:
        raise ValueError

    app.registry.tasks[DELIVER].retry = Retry(3, delay=0.01)
    told.answers = [500, 302, 429]
    with working(app):
        fail.enqueue()
        told.wait_for(4)
        (notice,) = delivered(app, 1)
    assert (notice.state, notice.attempt) == (State.SUCCEEDED, 4)
    assert len({headers["webhook-id"] for headers, _ in told.got}) == 1


def test_an_endpoint_that_is_gone_gets_no_more_and_nobody_is_told_of_that(app: Rota, told: Endpoint) -> None:
    @app.task
    async def fail() -> None:
        raise ValueError

    told.answers = [410]
    with working(app):
        fail.enqueue()
        (notice,) = delivered(app, 1)
    assert notice.state == State.FAILED
    assert notice.fault is not None
    assert notice.fault.kind == "EndpointGone"
    assert len(jobs(app, DELIVER)) == 1


def test_a_job_that_does_not_start_in_time_is_told(app: Rota, told: Endpoint) -> None:
    @app.task(queue="elsewhere", late=0.05)
    async def slow() -> None: ...

    @app.task(queue="elsewhere", expires=timedelta(seconds=0.05))
    async def fleeting() -> None: ...

    @app.task(late=30.0)
    async def quick() -> None: ...

    app.settings = change_settings(app.settings, {"queues": "default,notices"})
    with working(app):
        quick.enqueue().result(timeout=20)
        jobs_ = [slow.enqueue(), fleeting.enqueue()]
        found = {one["type"]: one["data"] for one in told.wait_for(2)}
    assert found["job.late"]["job"] == str(jobs_[0].id)
    assert found["job.late"]["after"] == 0.05
    assert found["job.expired"]["job"] == str(jobs_[1].id)
    assert len(slow.enqueue_many([(), ()])) == 2


def test_a_late_tick_and_missed_ones_are_told(app: Rota, told: Endpoint) -> None:
    @app.schedule(every(seconds=0.5), id="often")
    async def often() -> None: ...

    with working(app, ("worker", "scheduler")):
        data = told.wait_for(1)[0]
    assert data["type"] in {"schedule.late", "schedule.missed"}
    assert data["data"]["schedule"] == "often"
    assert data["data"]["late"] > 0.001


def test_only_what_is_asked_for_is_told(app: Rota, endpoint: Endpoint) -> None:
    app.settings = change_settings(app.settings, {"notify_hosts": "127.0.0.1"})
    app.notify(endpoint.url, secret=SECRET, on=["job.failed"], tasks=["mine"])

    @app.task
    async def other() -> None:
        raise ValueError

    @app.task(name="mine", late=5.0, expires=timedelta(hours=1))
    async def mine() -> None:
        raise ValueError

    with working(app):
        other.enqueue()
        job = mine.enqueue()
        assert [one["data"]["job"] for one in endpoint.wait_for(1)] == [str(job.id)]
    assert len(jobs(app, DELIVER)) == 1
    assert jobs(app, "rota.watch") == []


def test_a_private_address_is_refused_unless_it_is_named(endpoint: Endpoint) -> None:
    with pytest.raises(RefusedAddressError, match=r"private address 127\.0\.0\.1"):
        post(endpoint.url, b"{}", {}, ())
    with pytest.raises(RefusedAddressError, match="not among"):
        post(endpoint.url, b"{}", {}, ["hooks.example.org"])
    for private in ("10.0.0.1", "[::1]", "169.254.169.254", "[::ffff:10.0.0.1]", "[fd00::1]"):
        with pytest.raises(RefusedAddressError, match="private address"):
            post(f"http://{private}/", b"{}", {}, ())
    assert endpoint.got == []
    endpoint.answers = [302]
    with pytest.raises(WebhookError, match="answered 302"):
        post(endpoint.url, b"{}", {}, ["127.0.0.1"])
    assert len(endpoint.got) == 1
    with pytest.raises(WebhookError, match="cannot be reached"):
        post(endpoint.url.replace("http:", "https:"), b"{}", {}, ["127.0.0.1"])


@pytest.mark.parametrize(
    ("url", "secret", "on", "fault"),
    [
        ("ftp://x", SECRET, KINDS, "http:// or https://"),
        ("https://u:p@x", SECRET, KINDS, "a user or a password"),
        ("https://x", "whsec_AAAA", KINDS, "has 3 bytes"),
        ("https://x", "no base64!", KINDS, "is not base64"),
        ("https://x", [], KINDS, "has no secret"),
        ("https://x", SECRET, ["job.lost"], "choose of job.failed"),
    ],
)
def test_a_bad_endpoint_is_refused(app: Rota, url: str, secret: Any, on: Any, fault: str) -> None:
    with pytest.raises(ConfigurationError, match=fault):
        app.notify(url, secret=secret, on=on)


def test_two_of_one_name_are_refused(app: Rota) -> None:
    app.notify("https://x", secret=SECRET)
    with pytest.raises(ConfigurationError, match="give name="):
        app.notify("https://x", secret=SECRET)


def test_settings_may_name_the_endpoint(tmp_path: Path) -> None:
    made = Rota(f"sqlite:///{tmp_path}/rota.db", notify_url="https://x", notify_secret=SECRET)
    assert list(made.registry.notices.endpoints) == ["x"]
    assert SECRET not in repr(made.settings)
