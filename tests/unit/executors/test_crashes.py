"""How the death of a child process reads."""

import signal

import pytest

from rota.executors.crashes import Exit, crash_fault, describe_exit, oom_kills
from rota.model.errors import WorkerCrashedError
from rota.model.outcome import Crash


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


def test_the_evidence_is_there_in_words_and_as_fields() -> None:
    fault = crash_fault(
        4711,
        Exit(-signal.SIGKILL, 300 * 1024 * 1024),
        out_of_memory=True,
        log=["info begun"],
        stderr="Fatal\nerror",
    )

    assert fault.crash == Crash(
        4711,
        None,
        "SIGKILL",
        out_of_memory=True,
        memory_peak=300 * 1024 * 1024,
        log=("info begun",),
        stderr="Fatal\nerror",
    )
    assert fault.message.endswith(
        "was killed by SIGKILL: by the system, for want of memory; its memory peak was 300 MB"
    )
    assert fault.traceback == ("Last log lines:\n  info begun\nStandard error ended with:\n  Fatal\n  error")


@pytest.mark.parametrize(("status", "code"), [(9, -9), (7 << 8, 7), (0, 0), (11 | 0x80, -11)])
def test_a_wait_status_is_read_with_or_without_a_core_dump(status: int, code: int) -> None:
    assert Exit.of_wait(status, 1).code == code


def test_the_system_s_count_of_kills_for_want_of_memory_can_be_read() -> None:
    assert oom_kills() >= 0
