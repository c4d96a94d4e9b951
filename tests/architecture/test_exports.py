"""`rota.__all__` is exact: what stands there exists, and nothing else is public."""

import ast
import types

import rota
from tests.architecture.sources import SOURCE, parsed


def test_every_exported_name_exists() -> None:
    assert [name for name in rota.__all__ if not hasattr(rota, name)] == []


def test_no_public_name_is_left_out() -> None:
    public = {
        name
        for name, value in vars(rota).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }

    assert public - set(rota.__all__) == set()


def test_the_names_of_the_contract_are_there() -> None:
    """What users' code imports: taking one away breaks them."""
    assert {"Retry", "Rota", "Secret", "cron", "current", "every"} - set(rota.__all__) == set()


def test_type_checkers_see_the_same_names() -> None:
    """Names are loaded at first use; the imports that type checkers read are a second list of them."""
    imported = [
        alias.asname or alias.name
        for node in ast.walk(parsed(SOURCE / "__init__.py"))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]

    assert sorted(imported) == sorted(rota.__all__)
