"""Where a database is, without its password."""

import pytest

from rota.stores.postgres.address import place, unavailable


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("postgresql://u:hush@db.example.org:6543/jobs", "database 'jobs' on db.example.org, port 6543"),
        ("postgresql://db.example.org/jobs?sslmode=require", "database 'jobs' on db.example.org, port 5432"),
        ("postgresql:///jobs", "database 'jobs' on the local socket, port 5432"),
        ("postgresql://u@h", "database '(default)' on h, port 5432"),
    ],
)
def test_a_place_is_host_port_and_database(url: str, text: str) -> None:
    assert place(url) == text
    assert "hush" not in str(unavailable(url, OSError("gone\nmore")))


def test_a_cause_without_words_is_named() -> None:
    assert "TimeoutError" in str(unavailable("postgresql:///d", TimeoutError()))
