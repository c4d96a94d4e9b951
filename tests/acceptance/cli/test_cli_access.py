"""`rota tokens` and `rota audit`, typed in a folder."""

import pytest
from click.testing import CliRunner

from rota.cli.main import make_commands
from tests.acceptance.cli.commands import UserFolder

pytestmark = pytest.mark.timeout(180)


def test_a_token_is_shown_once_and_can_be_revoked(any_folder: UserFolder) -> None:
    made = any_folder.rota(
        "tokens", "create", "ci", "--role", "operator", "--key", "tenant-7", "--expires", "30d"
    )
    secret = made.stdout.strip()

    assert (made.returncode, secret.startswith("rota_"), len(secret.split())) == (0, True, 1)
    assert "shown nowhere again" in made.stderr
    (token,) = any_folder.json("tokens", "list")["tokens"]
    assert (token["name"], token["role"], token["keys"]) == ("ci", "operator", ["tenant-7"])
    assert secret not in any_folder.rota("tokens", "list").stdout
    assert any_folder.rota("tokens", "revoke", "ci").stdout == "token ci revoked\n"
    assert any_folder.json("tokens", "list")["tokens"] == []
    actions = [(line["action"], line["subject"]) for line in any_folder.json("audit")["audit"]]
    assert actions == [("revoke token", "ci"), ("create token", "ci")]
    assert "create token" in any_folder.rota("audit").stdout


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["create", "ci", "--role", "operatr"], 2, "Did you mean 'operator'?"),
        (["create", "ci", "--expires", "soon"], 2, "'soon' is no time to live"),
        (["create"], 2, "NAME"),
        (["create", "taken"], 1, "a token named 'taken' exists"),
        (["revoke", "takn"], 1, "Did you mean 'taken'?"),
    ],
)
def test_wrong_use_is_refused(folder: UserFolder, words: list[str], code: int, says: str) -> None:
    assert folder.json("tokens", "create", "taken")["name"] == "taken"

    done = folder.rota("tokens", *words)

    assert (done.returncode, done.stdout, says in done.stderr) == (code, "", True), done.stderr
    assert [token["name"] for token in folder.json("tokens", "list")["tokens"]] == ["taken"]


@pytest.mark.parametrize(
    "words",
    ["queues pause", "jobs show", "schedules preview", "workers drain", "scheduler force", "tokens revoke"],
)
def test_an_argument_that_is_missing_is_named(words: str) -> None:
    done = CliRunner().invoke(make_commands(), words.split())

    assert done.exit_code == 2
    assert "Missing argument" in done.output
