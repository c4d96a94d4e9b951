"""How the demo shows itself: bars and tables on a terminal, the same plain lines each time elsewhere."""

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Protocol, TextIO

from rich import box
from rich.bar import Bar
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from rota.demo.report import Section

__all__ = ["PlainScreen", "Screen", "TerminalScreen", "make_screen"]

_WIDTH = 40


class Screen(Protocol):
    """What the demo needs of a screen."""

    def advance(self, done: int) -> None:
        """Show that so many steps are done."""
        ...

    def say(self, line: str) -> None:
        """Show a line."""
        ...

    def show(self, section: Section) -> None:
        """Show a section of the report."""
        ...

    def close(self) -> None:
        """Leave nothing on the move."""
        ...


def make_screen(stages: Mapping[str, int], out: TextIO) -> Screen:
    """Make the screen that fits `out`; `stages` are the parts of the work with their numbers of steps."""
    if out.isatty() and (out.encoding or "").lower().startswith("utf"):
        return TerminalScreen(stages, Console(file=out))
    return PlainScreen(stages, out)


class PlainScreen:
    """Lines for a file, a pipe or a log."""

    def __init__(self, stages: Mapping[str, int], out: TextIO) -> None:
        self._out = out
        self._coming = list(_ends(stages))

    def advance(self, done: int) -> None:
        """Show each stage once, when it is complete."""
        while self._coming and done >= self._coming[0][1]:
            name, _, size = self._coming.pop(0)
            self.say(f"{name}: {size} of {size}")

    def say(self, line: str) -> None:
        """Show a line."""
        print(line, file=self._out, flush=True)

    def show(self, section: Section) -> None:
        """Show a section: its columns in line, bars as so many #."""
        lines = [section.columns, *section.rows]
        columns = []
        for number, cells in enumerate(zip(*lines, strict=True)):
            align, width = ">" if section.numeric(number) else "<", max(map(len, cells))
            columns.append([f"{cell:{align}{width}}" for cell in cells])
        if section.bars:
            columns.append(["", *("#" * round(_WIDTH * value / max(section.bars)) for value in section.bars)])
        self.say(f"\n{section.title}")
        for cells in zip(*columns, strict=True):
            self.say("  ".join(cells).rstrip())

    def close(self) -> None:
        """Nothing moves here."""


class TerminalScreen:
    """Bars and tables."""

    def __init__(self, stages: Mapping[str, int], console: Console) -> None:
        self._console = console
        self._shown = False
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(_WIDTH), MofNCompleteColumn(), console=console
        )
        self._bars = [
            (self._progress.add_task(name, total=size), end - size, size) for name, end, size in _ends(stages)
        ]

    def advance(self, done: int) -> None:
        """Move the bars; they appear with the first step, below what the process says at its start."""
        if done and not self._shown:
            self._progress.start()
            self._shown = True
        for bar, begin, size in self._bars:
            self._progress.update(bar, completed=min(max(0, done - begin), size))

    def say(self, line: str) -> None:
        """Show a line."""
        self.close()
        self._console.print(line, highlight=False)

    def show(self, section: Section) -> None:
        """Show a section as a table."""
        self.close()
        table = Table(title=section.title, title_justify="left", title_style="bold", box=box.SIMPLE)
        for number, column in enumerate(section.columns):
            table.add_column(column, justify="right" if section.numeric(number) else "left")
        if section.bars:
            table.add_column()
        largest = max(section.bars, default=0)
        for row, value in zip_longest(section.rows, section.bars):
            bar = [Bar(largest, 0, value, width=_WIDTH, color="cyan")] if section.bars else []
            table.add_row(*row, *bar)
        self._console.print()
        self._console.print(table)

    def close(self) -> None:
        """Stop the bars where they are."""
        if self._shown:
            self._progress.stop()


def _ends(stages: Mapping[str, int]) -> Iterator[tuple[str, int, int]]:
    """Yield name, last step and number of steps of each stage."""
    end = 0
    for name, size in stages.items():
        end += size
        yield name, end, size
