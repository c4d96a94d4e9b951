"""Lines of a task carry its job: by structlog, and by handlers of the standard library."""

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from rota import Rota
from rota.telemetry import logs
from tests.acceptance.users import app, settings, shared_database, working

__all__ = ["app", "settings", "shared_database"]


@pytest.fixture
def restored() -> Iterator[None]:
    logger, root = logging.getLogger("rota"), logging.getLogger()
    before = logger.handlers[:], logger.level, logger.propagate, root.handlers[:], root.level
    yield
    logger.handlers[:], logger.level, logger.propagate, root.handlers[:], root.level = before
    structlog.reset_defaults()


@pytest.mark.usefixtures("restored")
def test_lines_by_structlog_carry_the_job(app: Rota) -> None:
    lines: list[dict[str, object]] = []

    def keep(_logger: object, _method: str, event: structlog.typing.EventDict) -> str:
        lines.append(dict(event))
        return ""

    structlog.configure(
        processors=[keep],
        logger_factory=structlog.PrintLoggerFactory(io.StringIO()),
        cache_logger_on_first_use=True,
    )
    log = structlog.get_logger()
    log.info("before")
    logs.set_up("info", "json", io.StringIO())
    logs.set_up("info", "json", io.StringIO())

    @app.task
    async def send(to: str) -> None:
        log.info("sent", to=to)

    @app.task
    def lend(to: str) -> None:
        log.info("lent", to=to, job="mine")

    with working(app):
        job = send.enqueue("ada")
        job.result(timeout=20)
        lend.enqueue("bob").result(timeout=20)

    assert lines == [
        {"event": "before"},
        {"event": "sent", "to": "ada", "job": str(job.id), "task": "send", "attempt": 1},
        {"event": "lent", "to": "bob", "job": "mine", "task": "lend", "attempt": 1},
    ]


@pytest.mark.usefixtures("restored")
def test_a_handler_of_ones_own_may_have_the_fields(app: Rota) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(logs.JobFields())
    handler.setFormatter(logging.Formatter("%(task)s %(attempt)d %(job)s %(message)s"))
    log = logging.getLogger("shop")
    log.addHandler(handler)
    log.setLevel("INFO")

    @app.task
    def send() -> None:
        log.info("sent")

    with working(app):
        job = send.enqueue()
        job.result(timeout=20)
    log.removeHandler(handler)
    assert stream.getvalue() == f"send 1 {job.id} sent\n"
