"""What a command prints: tables and colours for a person at a terminal, plain lines or JSON for programs."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TextIO

import msgspec

from rota.operations.text import relative

__all__ = ["Output", "Row"]

Row = Sequence[str]

NOTHING = "-"
GAP = "  "
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
        """Print a line."""
        print(text, file=self._stream, flush=True)

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

    def table(self, columns: Row, rows: Iterable[Row], *, empty: str) -> None:
        """Print rows under a header, or say that there are none."""
        cells = [[cell or NOTHING for cell in row] for row in rows]
        if not cells:
            if self.terminal:
                self.line(empty)
            return
        if self.terminal:
            self._rich_table(columns, cells)
        else:
            self._plain_table(columns, cells)

    def _plain_table(self, columns: Row, cells: Sequence[Row]) -> None:
        lines = [columns, *cells]
        widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
        for line in lines:
            padded = (_one_line(cell).ljust(width) for cell, width in zip(line, widths, strict=True))
            self.line(GAP.join(padded).rstrip())

    def _rich_table(self, columns: Row, cells: Sequence[Row]) -> None:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="dim")
        for name in columns:
            # An id that is cut is of no use, for it cannot be copied.
            table.add_column(name, no_wrap=True, overflow="fold" if name == "id" else "ellipsis")
        for row in cells:
            table.add_row(*(Text(_one_line(cell), style=_STYLES.get(cell, "")) for cell in row))
        Console(file=self._stream).print(table)


def _one_line(cell: str) -> str:
    return " ".join(cell.split()) if "\n" in cell else cell
