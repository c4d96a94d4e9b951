"""How the death of a child process reads."""

import signal

import pytest

from rota.executors.crashes import describe_exit
from rota.model.errors import WorkerCrashedError


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (0, "exited with code 0"),
        (3, "exited with code 3"),
        (-signal.SIGKILL, "was killed by SIGKILL: from outside, or by the system for want of memory"),
        (-signal.SIGSEGV, "was killed by SIGSEGV: a fault in a C extension"),
        (-signal.SIGHUP, "was killed by SIGHUP"),
        (-250, "was killed by signal 250"),
    ],
)
def test_the_exit_code_is_told_in_words(code: int, text: str) -> None:
    assert describe_exit(code).startswith(text)


def test_the_error_names_the_process() -> None:
    error = WorkerCrashedError(4711, describe_exit(-9))

    assert str(error).startswith("the process of this attempt (pid 4711) was killed by SIGKILL")
    assert error.pid == 4711
