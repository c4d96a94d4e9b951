"""What a worker tells the store of its tasks."""

from datetime import timedelta

from rota.model.job import Submission
from rota.operations import jobs
from tests.integration.engine.conftest import Stage


async def test_a_job_of_a_task_s_old_name_is_one_that_a_worker_knows(stage: Stage) -> None:
    @stage.app.task(aliases=["old"])
    async def new() -> None: ...

    async with stage.worker():
        (worker,) = await stage.store.insight.workers()
        assert set(worker.tasks) == {"new", "old"}
        assert {(task.name, task.kind) for task in await stage.store.insight.tasks()} == {
            ("new", "function"),
            ("old", "alias"),
        }

        queued = Submission(task="old", payload=b"{}", delay=timedelta(hours=1))
        await stage.store.jobs.submit([queued])
        assert [reason.code for reason in (await jobs.why(stage.store, queued.id)).reasons] == ["scheduled"]
