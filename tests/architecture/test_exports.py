"""`rota.__all__` is exact: what stands there exists, and nothing else is public."""

import types

import rota


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
