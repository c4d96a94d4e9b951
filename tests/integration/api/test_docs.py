"""The examples of docs/api.md work as they stand, and the document is a page without scripts."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.api.test_schema import Server

DOCS = Path(__file__).parents[3] / "docs" / "api.md"
EXAMPLES = re.findall(r"```sh\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(f"sqlite:///{tmp_path}/rota.db") as one:
        yield one


def test_the_examples_work(server: Server) -> None:
    assert shutil.which("curl"), "the examples need curl: apt install curl"
    answers = []
    for example in EXAMPLES:
        for command in re.split(
            r"\n(?=curl)", example.replace("curl -s", "curl --fail-with-body -s").strip()
        ):
            done = subprocess.run(  # noqa: S602 - a reader's shell runs it too
                command,
                shell=True,
                env={"ROTA": server.url.rstrip("/"), "TOKEN": server.secret, "PATH": "/usr/bin:/bin"},
                capture_output=True,
                text=True,
                check=False,
                timeout=30,
            )
            # 28: the stream of events has no end but the example's.
            assert done.returncode == (28 if "--max-time" in command else 0), (
                command,
                done.stdout,
                done.stderr,
            )
            answers.append(done.stdout)
    assert len(answers) >= 8
    assert '"created":true' in answers[0]


def test_the_page_shows_every_operation_and_runs_no_script(server: Server) -> None:
    page = httpx.get(f"{server.url}api/docs")
    style = httpx.get(f"{server.url}api/docs/style.css")
    document = httpx.get(f"{server.url}api/openapi.json").json()

    assert (page.status_code, style.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert [path for path in document["paths"] if path not in page.text] == []
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert re.findall(r'(?:src|href)="(?![#/])', page.text) == []
    assert document["openapi"].startswith("3.1")
    bare = [
        (verb, path)
        for path, verbs in document["paths"].items()
        for verb, one in verbs.items()
        if not one.get("summary") or not one.get("description") or not one.get("tags")
    ]
    assert bare == []
