"""What commands print, for people and for programs."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from rota.cli.output import Output

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
COLUMNS = ("id", "state", "task", "note")
ROWS = [("01a1fed1", "failed", "send", "it broke\non two lines"), ("01a1fed2", "ready", "long_name", "")]


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


def plain(*, json: bool = False) -> tuple[Output, io.StringIO]:
    stream = io.StringIO()
    return Output(json=json, stream=stream), stream


def terminal(monkeypatch: pytest.MonkeyPatch, width: int = 80) -> tuple[Output, io.StringIO]:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    return Output(json=False, stream=stream), stream


class TestPlain:
    def test_a_table_is_aligned_and_one_line_a_row(self) -> None:
        out, stream = plain()

        out.table(COLUMNS, ROWS, empty="none")

        assert stream.getvalue().splitlines() == [
            "id        state   task       note",
            "01a1fed1  failed  send       it broke on two lines",
            "01a1fed2  ready   long_name  -",
        ]

    def test_no_rows_are_no_lines(self) -> None:
        out, stream = plain()

        out.table(COLUMNS, [], empty="There are none.")

        assert stream.getvalue() == ""

    def test_pairs_leave_out_what_is_empty(self) -> None:
        out, stream = plain()

        out.pairs({"id": "7", "nothing": "", "arguments": "a\nb"})

        assert stream.getvalue() == "id         7\narguments  a\n           b\n"

    def test_moments_are_exact(self) -> None:
        out, _ = plain()

        assert out.moment(NOW, NOW) == "2026-01-05T12:00:00+00:00"
        assert out.moment(None, NOW) == "-"

    def test_json_is_one_document(self) -> None:
        out, stream = plain(json=True)

        out.document({"at": NOW, "jobs": [1]})

        assert json.loads(stream.getvalue()) == {"at": "2026-01-05T12:00:00Z", "jobs": [1]}

    def test_what_a_task_wrote_cannot_drive_the_terminal(self) -> None:
        out, stream = plain()

        out.line("\x1b]0;owned\x07 tab\tstays")
        out.table(("note",), [("\x1b[2Jgone",)], empty="")

        assert stream.getvalue() == "\\x1b]0;owned\\x07 tab\tstays\nnote\n\\x1b[2Jgone\n"


class TestTerminal:
    def test_states_are_coloured_and_moments_relative(self, monkeypatch: pytest.MonkeyPatch) -> None:
        out, stream = terminal(monkeypatch)

        out.table(COLUMNS, ROWS, empty="none")

        assert "\x1b[31mfailed" in stream.getvalue()
        assert out.moment(NOW - timedelta(minutes=3), NOW) == "3 min ago"

    def test_nothing_is_said_in_words(self, monkeypatch: pytest.MonkeyPatch) -> None:
        out, stream = terminal(monkeypatch)

        out.table(COLUMNS, [], empty="There are none.")

        assert stream.getvalue() == "There are none.\n"

    def test_a_narrow_one_does_without_spare_columns_and_keeps_ids_whole(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out, stream = terminal(monkeypatch, width=30)

        out.table(COLUMNS, ROWS, empty="none", spare=("task", "note"))

        assert "01a1fed1" in stream.getvalue()
        assert "send" not in stream.getvalue()
        assert "broke" not in stream.getvalue()
