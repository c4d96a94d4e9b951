"""Traces with OpenTelemetry's own SDK, in this process and over several."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from opentelemetry.util._once import Once

from rota import Retry, Rota, current, every
from rota.model.job import JobFilter
from tests.acceptance.users import app, settings, shared_database, working

__all__ = ["app", "settings", "shared_database"]


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """The user's own set-up; taken back afterwards, which OpenTelemetry itself has no words for."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())
    trace.set_tracer_provider(provider)
    yield exporter
    provider.shutdown()


def named(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.name == name]


def context(span: ReadableSpan) -> trace.SpanContext:
    found: trace.SpanContext = span.context
    return found


def test_a_trace_goes_from_submit_to_every_attempt_and_what_it_submits(
    app: Rota, spans: InMemorySpanExporter
) -> None:
    @app.task(queue="mail", retry=Retry(1, delay=0.01))
    def first() -> str:
        if current().attempt == 1:
            raise ValueError("not yet")
        trace.get_current_span().set_attribute("mine", "yes")
        return str(second.enqueue().id)

    @app.task
    async def second() -> None: ...

    with working(app):
        with trace.get_tracer("test").start_as_current_span("request") as request:
            job = first.enqueue()
        follower = app.job(job.result(timeout=20))
        follower.result(timeout=20)

    (submit,) = named(spans, "submit first")
    one, two = named(spans, "run first")
    (inner,) = named(spans, "submit second")
    (last,) = named(spans, "run second")
    everything = (submit, one, two, inner, last)
    assert {context(span).trace_id for span in everything} == {request.get_span_context().trace_id}
    parents = [span.parent.span_id if span.parent else None for span in everything]
    assert parents == [
        request.get_span_context().span_id,
        context(submit).span_id,
        context(submit).span_id,
        context(two).span_id,
        context(inner).span_id,
    ]
    assert [link.context.span_id for span in (one, two) for link in span.links] == [
        context(submit).span_id
    ] * 2
    assert (submit.kind, one.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    assert [dict(span.attributes or {})["rota.attempt"] for span in (one, two)] == [1, 2]
    assert not one.status.is_ok
    assert [event.name for event in one.events] == ["exception"]
    assert dict(two.attributes or {}) | {
        "messaging.system": "rota",
        "messaging.destination.name": "mail",
        "messaging.message.id": str(job.id),
        "rota.outcome": "succeeded",
        "mine": "yes",
    } == dict(two.attributes or {})


def test_a_batch_has_one_span(app: Rota, spans: InMemorySpanExporter) -> None:
    @app.task
    async def each(number: int) -> None: ...

    each.enqueue_many([(1,), (2,)])
    (submit,) = named(spans, "submit each")
    assert dict(submit.attributes or {})["messaging.batch.message_count"] == 2


def test_a_tick_begins_a_trace(app: Rota, spans: InMemorySpanExporter) -> None:
    @app.schedule(every(seconds=0.5), id="often")
    async def often() -> None: ...

    with working(app, ("worker", "scheduler")):
        while not (found := named(spans, "run often")):
            app.connection.run("look", lambda store: store.insight.jobs(JobFilter(), limit=1))
    origin = found[0].links[0].context.span_id
    tick = next(span for span in named(spans, "tick often") if context(span).span_id == origin)
    assert tick.parent is None
    assert tick.start_time is not None
    assert tick.end_time is not None
    assert tick.end_time >= tick.start_time
    assert context(found[0]).trace_id == context(tick).trace_id
    assert dict(tick.attributes or {})["rota.schedule"] == "often"


def test_headers_of_ones_own_stay(app: Rota, spans: InMemorySpanExporter) -> None:
    @app.task
    async def seen() -> dict[str, str]:
        return dict(current().headers)

    with working(app):
        headers = seen.options(headers={"user": "ada"}).enqueue().result(timeout=20)
    assert headers["user"] == "ada"
    assert headers["traceparent"].split("-")[2] == f"{context(named(spans, 'run seen')[0]).span_id:016x}"


def test_without_a_set_up_nothing_travels(app: Rota) -> None:
    @app.task
    async def seen() -> dict[str, str]:
        return dict(current().headers)

    with working(app):
        assert seen.enqueue().result(timeout=20) == {}


MAIN = """
import os
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from rota import Rota

file = open("spans.jsonl", "a", buffering=1)
provider = TracerProvider()
provider.add_span_processor(
    SimpleSpanProcessor(ConsoleSpanExporter(out=file, formatter=lambda it: it.to_json(indent=None) + "\\n"))
)
trace.set_tracer_provider(provider)
app = Rota({url!r}, schema={schema!r})


@app.task(executor="process")
def work() -> str:
    with trace.get_tracer("mine").start_as_current_span("in the child", attributes={{"pid": os.getpid()}}):
        return inner.enqueue().id.hex


@app.task
def inner() -> None:
    ...


if __name__ == "__main__":
    app.cli()
"""

ENQUEUE = """
from main import app, trace, work
with trace.get_tracer("mine").start_as_current_span("request"):
    job = work.enqueue()
app.job(job.result(timeout=30)).result(timeout=30)
"""


def test_a_trace_crosses_processes(tmp_path: Path, settings: Any) -> None:
    (tmp_path / "main.py").write_text(MAIN.format(url=settings.url, schema=settings.schema))
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "ROTA_PROCESSES": "1", "ROTA_SUPERVISE": "false"}
    worker = subprocess.Popen([sys.executable, "main.py", "worker"], cwd=tmp_path, env=environment)
    try:
        done = subprocess.run(
            [sys.executable, "-c", ENQUEUE],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    finally:
        worker.terminate()
        worker.wait(30)
    lines = [json.loads(line) for line in (tmp_path / "spans.jsonl").read_text().splitlines()]
    found = {span["name"]: span for span in lines}
    road = ["request", "submit work", "run work", "in the child", "submit inner", "run inner"]
    assert set(road) == set(found)
    assert len({span["context"]["trace_id"] for span in lines}) == 1
    for before, after in itertools.pairwise(road):
        assert found[after]["parent_id"] == found[before]["context"]["span_id"], (before, after)
    assert found["in the child"]["attributes"]["pid"] != worker.pid
