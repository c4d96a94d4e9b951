"""docs/commands.md names every command and every reason."""

import re
from collections.abc import Iterator
from pathlib import Path

import click

from rota.cli.main import make_commands
from rota.operations import why

TEXT = (Path(__file__).parents[3] / "docs" / "commands.md").read_text()


def commands(group: click.Group, path: str = "rota") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}"


def test_every_command_is_there() -> None:
    rows = re.findall(r"^\| `(rota [^`]+)`", TEXT, re.MULTILINE)
    # "rota queues list\|pause" names two; what follows them is their arguments.
    named = {
        " ".join([*words[:-1], verb])
        for row in rows
        for words in [re.findall(r"[a-z][a-z\\|-]*", re.split(r" [A-Z\[]", row)[0])]
        for verb in words[-1].split("\\|")
    }

    assert sorted(named) == sorted(commands(make_commands()))


def test_every_reason_is_there() -> None:
    codes = set(re.findall(r'code="([a-z_]+)"', Path(why.__file__).read_text()))

    assert {code for code in codes if f"`{code}`" not in TEXT} == set()
