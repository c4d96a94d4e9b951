"""What a command prints: tables and colours for a person at a terminal, plain lines or JSON for programs."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TextIO

import msgspec

from rota.operations.text import relative

__all__ = ["Output", "Row", "printable"]

Row = Sequence[str]

NOTHING = "-"
GAP = "  "
# Columns whose texts may be cut where the terminal is narrow.
_LONG = frozenset({"note", "what", "error", "queue", "queues", "task", "trigger", "where"})
_CONTROLS = {
    code: repr(chr(code))[1:-1] for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"
}
_STYLES = {
    "ready": "cyan",
    "running": "blue",
    "scheduled": "magenta",
    "waiting": "magenta",
    "handed": "blue",
    "succeeded": "green",
    "failed": "red",
    "expired": "yellow",
    "cancelled": "yellow",
    "ok": "green",
    "warning": "yellow",
    "FAULT": "bold red",
    "paused": "yellow",
    "draining": "yellow",
    "silent": "red",
}


class Output:
    """Standard output of one command.

    Args:
        json: print one JSON document and nothing else.
        stream: instead of standard output.
    """

    def __init__(self, *, json: bool, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self.json = json
        self.terminal = not json and self._stream.isatty()

    def document(self, data: Any) -> None:
        """Print data as an indented JSON document."""
        self.line(msgspec.json.format(msgspec.json.encode(data), indent=2).decode())

    def record(self, data: Any) -> None:
        """Print data as one line of JSON, for streams that have no end."""
        self.line(msgspec.json.encode(data).decode())

    def line(self, text: str = "") -> None:
        """Print a line, or several."""
        print(printable(text), file=self._stream, flush=True)

    def moment(self, moment: datetime | None, now: datetime) -> str:
        """Return a moment as a cell: relative for a person, exact for a program."""
        if moment is None:
            return NOTHING
        return relative(moment, now) if self.terminal else moment.isoformat(timespec="seconds")

    def pairs(self, values: Mapping[str, str]) -> None:
        """Print names with values, one a line; empty values are left out."""
        width = max((len(name) for name in values), default=0)
        for name, value in values.items():
            if value:
                first, *more = value.splitlines() or [""]
                self.line(f"{name:<{width}}{GAP}{first}".rstrip())
                for line in more:
                    self.line(f"{'':<{width}}{GAP}{line}".rstrip())

    def table(self, columns: Row, rows: Iterable[Row], *, empty: str, spare: Row = ()) -> None:
        """Print rows under a header, or say that there are none.

        Args:
            columns: the header.
            rows: a cell for each column; an empty one is shown as "-".
            empty: what a person reads when there are no rows.
            spare: columns that a narrow terminal does without, the first to go first.
        """
        cells = [[_one_line(cell) or NOTHING for cell in row] for row in rows]
        if not cells:
            if self.terminal:
                self.line(empty)
            return
        if self.terminal:
            self._rich_table(columns, cells, list(spare))
        else:
            self._plain_table(columns, cells)

    def _plain_table(self, columns: Row, cells: Sequence[Row]) -> None:
        widths = _widths(columns, cells)
        for line in (columns, *cells):
            padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            self.line(GAP.join(padded).rstrip())

    def _rich_table(self, columns: Row, cells: Sequence[Row], spare: list[str]) -> None:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        console = Console(file=self._stream)
        widths = dict(zip(columns, _widths(columns, cells), strict=True))
        while spare and sum(widths.values()) + len(GAP) * (len(widths) - 1) > console.width:
            widths.pop(spare.pop(0), None)
        table = Table(box=None, pad_edge=False, padding=(0, len(GAP), 0, 0), header_style="dim")
        for name, width in widths.items():
            # An id that is cut is of no use, for it cannot be copied; long texts give way.
            table.add_column(name, no_wrap=True, min_width=None if name in _LONG else width)
        for row in cells:
            shown = (cell for name, cell in zip(columns, row, strict=True) if name in widths)
            table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in shown))
        console.print(table)


def printable(text: str) -> str:
    """Return a text whose control characters are written out: what a task wrote must not drive a terminal."""
    return text.translate(_CONTROLS)


def _widths(columns: Row, cells: Sequence[Row]) -> list[int]:
    return [max(len(line[place]) for line in (columns, *cells)) for place in range(len(columns))]


def _one_line(cell: str) -> str:
    return cell if cell.isprintable() else printable(" ".join(cell.split()))
