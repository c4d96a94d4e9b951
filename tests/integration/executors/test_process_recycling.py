"""Child processes that are replaced when they have run enough, or grown too large."""

from tests.integration.executors.conftest import MakeExecutor
from tests.integration.executors.processes import pid_of


async def test_a_child_is_replaced_after_so_many_jobs(make_executor: MakeExecutor) -> None:
    executor = make_executor(recycle_after_jobs=2)
    pids = [await pid_of(executor) for _ in range(4)]
    assert pids[0] == pids[1] != pids[2] == pids[3]


async def test_a_child_is_replaced_when_its_memory_has_peaked_too_high(make_executor: MakeExecutor) -> None:
    executor = make_executor(recycle_memory=1)
    assert len({await pid_of(executor) for _ in range(2)}) == 2
    modest = make_executor(recycle_memory=1 << 40)
    assert len({await pid_of(modest) for _ in range(2)}) == 1
