"""Where a database is, without its password."""

import pytest

from rota.model.errors import ConfigurationError
from rota.stores.postgres.address import asyncpg_url, check_url, hosts, place, session_choice, unavailable


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
    assert "no answer in time" in str(unavailable("postgresql:///d", TimeoutError()))
    assert "BrokenPipeError" in str(unavailable("postgresql:///d", BrokenPipeError()))


def test_several_hosts_are_listed() -> None:
    url = "postgresql://u:hush@one:5433,two,[::1]:6/jobs"

    assert hosts(url) == [("one", 5433), ("two", 5432), ("::1", 6)]
    assert place(url) == "database 'jobs' on one, port 5433 or two, port 5432 or ::1, port 6"
    assert hosts("postgresql:///jobs?host=/a,/b&port=1,2") == [("/a", 1), ("/b", 2)]


@pytest.mark.parametrize("url", ["postgresql://h:port/d", "postgresql://one:1,two:70000/d", "mysql://h/d"])
def test_a_malformed_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="url"):
        check_url(url)


def test_of_several_hosts_one_that_takes_writes_is_wanted() -> None:
    assert session_choice("postgresql://one,two/d") == {"target_session_attrs": "read-write"}
    assert session_choice("postgresql://one,two/d?target_session_attrs=any") == {}
    assert session_choice("postgresql://one/d") == {}


def test_asyncpg_is_spared_what_only_libpq_knows() -> None:
    url = "postgresql://u:p%40@h/d?connect_timeout=3&application_name=me&keepalives=1"

    assert asyncpg_url(url) == "postgresql://u:p%40@h/d?application_name=me"
