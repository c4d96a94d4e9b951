"""The image and the compose file, as far as they can be checked without an engine."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
ROTA = Path(sys.executable).with_name("rota")
SERVICES = ("scheduler", "worker", "api")


def dockerfile() -> list[tuple[str, str]]:
    """Return the instructions with their arguments, continued lines joined."""
    text = (REPOSITORY / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def instruction(name: str) -> str:
    """Return the argument of the last instruction of a name, which is the one that counts."""
    return [argument for word, argument in dockerfile() if word == name][-1]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((REPOSITORY / "compose.yaml").read_text())
    return parsed


def test_rota_is_process_one_and_sees_the_signal() -> None:
    assert json.loads(instruction("ENTRYPOINT")) == ["rota"]
    assert json.loads(instruction("CMD")) == ["run"]
    assert instruction("STOPSIGNAL") == "SIGTERM"


def test_the_image_does_not_run_as_root() -> None:
    final_stage = [word for word, _ in dockerfile()][::-1]

    assert instruction("USER") == "rota"
    assert final_stage.index("USER") < final_stage.index("FROM")


def test_the_image_has_a_health_check_in_exec_form() -> None:
    assert json.loads(instruction("HEALTHCHECK").partition("CMD ")[2]) == ["rota", "health"]


def test_the_image_copies_only_what_exists_and_is_not_ignored() -> None:
    ignored = (REPOSITORY / ".dockerignore").read_text().splitlines()
    copies = [argument.split() for word, argument in dockerfile() if word == "COPY"]
    sources = [name for parts in copies if not parts[0].startswith("--from") for name in parts[:-1]]

    assert sources
    assert [name for name in sources if not (REPOSITORY / name).exists()] == []
    assert [name for name in sources if f"!{name}" not in ignored] == []


def test_compose_has_the_four_services(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {*SERVICES, "postgres"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_closed_and_waits_for_the_database(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_every_service_is_watched(compose: dict[str, Any]) -> None:
    """Rota's services take the image's own health check."""
    assert compose["services"]["postgres"]["healthcheck"]["test"][:2] == ["CMD", "pg_isready"]
    assert all("healthcheck" not in compose["services"][name] for name in SERVICES)


def exists(*command: str) -> bool:
    """Whether Rota has a command."""
    shown = subprocess.run([ROTA, *command, "--help"], capture_output=True, text=True, check=False)
    return shown.returncode == 0


def test_the_commands_of_the_image_exist() -> None:
    assert exists(*json.loads(instruction("CMD")))
    assert exists("health")


@pytest.mark.parametrize("name", SERVICES)
def test_the_command_of_a_service_exists(compose: dict[str, Any], name: str) -> None:
    assert exists(*compose["services"][name]["command"])


def test_no_secret_stands_in_the_files() -> None:
    secret = re.compile(r"(PASSWORD|SECRET|TOKEN|KEYS?)(?:: |=)(?!\$\{)\S", re.IGNORECASE)

    for name in ("Dockerfile", "compose.yaml"):
        assert secret.findall((REPOSITORY / name).read_text()) == []


def test_git_and_the_image_leave_the_secrets_out() -> None:
    assert "/.env" in (REPOSITORY / ".gitignore").read_text().splitlines()
    assert "*" in (REPOSITORY / ".dockerignore").read_text().splitlines()
