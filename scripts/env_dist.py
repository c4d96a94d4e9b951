"""Write `.env-dist` anew from the settings: every variable, what it does, its default."""

import re
import textwrap
from pathlib import Path
from typing import Any

from rota.settings import PREFIX, Settings

FILE = Path(__file__).parents[1] / ".env-dist"
HEAD = """\
# Every setting of Rota with its default. Copy this file to `.env` for compose.yaml, or export what you need.
# `rota.toml` takes the same names in lower case without the prefix. Made by `make format` from the settings.
"""
COMPOSE = """
# For compose.yaml alone: the password of its PostgreSQL.
POSTGRES_PASSWORD=
"""
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def render() -> str:
    """Return the text of the file."""
    purposes = dict(re.findall(r"^\s+(\w+): (.+?\.)$", Settings.__doc__ or "", re.MULTILINE | re.DOTALL))
    blocks = [
        f"{_comment(purposes[name])}\n#{PREFIX}{name.upper()}={_written(default)}\n"
        for name, default in zip(Settings.__struct_fields__, Settings.__struct_defaults__, strict=True)
    ]
    return "\n".join([HEAD, *blocks]) + COMPOSE


def _comment(purpose: str) -> str:
    words = " ".join(purpose.split())
    return textwrap.fill(words[0].upper() + words[1:], 110, initial_indent="# ", subsequent_indent="# ")


def _written(default: Any) -> str:
    match default:
        case bool():
            return str(default).lower()
        case float():
            return _duration(default)
        case _:
            return str(default)


def _duration(seconds: float) -> str:
    unit, size = next((unit for unit in _UNITS if seconds % unit[1] == 0), ("s", 1))
    return f"{seconds / size:g}{unit}"


if __name__ == "__main__":
    FILE.write_text(render())
