"""SQL lives in files of named statements; code knows only their names.

A file holds any number of statements, each headed by its name and by a comment that says what it is for:

    -- name: claim
    -- Take the first free jobs of each queue.
    update {schema}.jobs ...
"""

import re
from importlib.resources import files

__all__ = ["load", "parse"]

_HEADER = re.compile(r"^-- name: *(?P<name>[a-z][a-z0-9_]*) *$", re.MULTILINE)
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def load(package: str, **names: str) -> dict[str, str]:
    """Return every statement of a package's `*.sql` files by its name.

    Args:
        package: the package whose folder holds the files.
        names: what to put in place of `{placeholders}`, already quoted, for example `schema='"rota"'`.

    Raises:
        ValueError: a statement has no purpose, stands twice, or has a placeholder that is not given.
    """
    statements: dict[str, str] = {}
    for file in sorted(files(package).iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".sql"):
            continue
        for name, sql in parse(file.read_text(encoding="utf-8"), names).items():
            if name in statements:
                raise ValueError(f"statement {name!r} stands twice in {package}")
            statements[name] = sql
    return statements


def parse(text: str, names: dict[str, str]) -> dict[str, str]:
    """Split one file's text into its statements (see `load`); whole-line comments are left out."""
    _, *parts = _HEADER.split(text)
    statements: dict[str, str] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if not body.lstrip().startswith("--"):
            raise ValueError(f"statement {name!r} does not say what it is for")
        if name in statements:
            raise ValueError(f"statement {name!r} stands twice")
        lines = (line.rstrip() for line in body.splitlines())
        sql = "\n".join(line for line in lines if line and not line.lstrip().startswith("--"))
        statements[name] = _fill(name, sql.rstrip("; \n"), names)
    return statements


def _fill(statement: str, sql: str, names: dict[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] not in names:
            raise ValueError(f"statement {statement!r} has an unknown placeholder {match[0]}")
        return names[match[1]]

    return _PLACEHOLDER.sub(value, sql)
