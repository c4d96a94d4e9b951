"""Why a job is not running: each reason from the facts that show it."""

from datetime import timedelta
from typing import Any

import pytest

from rota.model.events import JobEvent
from rota.model.ids import new_id
from rota.model.job import JobRecord
from rota.model.outcome import Crash, Fault
from rota.model.states import State
from rota.operations.why import Explanation, Facts, explain
from tests.unit.operations.records import NOW, a_queue, a_record, a_worker

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
BOOM = Fault("ValueError", "boom")


def why(job: JobRecord, **facts: Any) -> Explanation:
    """Explain a job, with a worker that could run it unless the test says otherwise."""
    around: dict[str, Any] = {"job": job, "now": NOW, "workers": [a_worker()]}
    return explain(Facts(**around | facts))


def codes(explanation: Explanation) -> list[str]:
    return [reason.code for reason in explanation.reasons]


def event(job: JobRecord, kind: str, **data: Any) -> JobEvent:
    return JobEvent(job=job.id, kind=kind, at=NOW - MINUTE, attempt=2, data=data)


@pytest.mark.parametrize("state", State)
def test_every_state_is_explained(state: State) -> None:
    job = a_record(state=state, wake_key="door", external_id="x")

    explanation = why(job)

    assert (explanation.job, explanation.state) == (job.id, state)
    assert explanation.reasons
    assert all(reason.text for reason in explanation.reasons)


class TestReady:
    def test_nothing_is_in_the_way(self) -> None:
        assert codes(why(a_record())) == ["next"]

    def test_no_worker(self) -> None:
        assert codes(why(a_record(), workers=[])) == ["no_worker"]

    def test_a_silent_worker_is_none(self) -> None:
        assert codes(why(a_record(), workers=[a_worker(lease_until=NOW - SECOND)])) == ["no_worker"]

    def test_no_worker_serves_the_queue(self) -> None:
        explanation = why(a_record(), workers=[a_worker(queues=("bulk", "web"))])

        assert codes(explanation) == ["queue_unserved"]
        assert explanation.reasons[0].text == "no worker serves queue 'mail'; served are: bulk, web"
        assert explanation.reasons[0].remedy == "rota worker MODULE:app --queues mail"

    def test_no_worker_knows_the_task(self) -> None:
        explanation = why(a_record(task="sent"))

        assert codes(explanation) == ["task_unknown"]
        assert (
            "no worker of queue 'mail' knows task 'sent'. Did you mean 'send'?" in explanation.reasons[0].text
        )
        assert "aliases=['sent']" in explanation.reasons[0].remedy

    def test_no_worker_has_the_executor(self) -> None:
        assert codes(why(a_record(executor="process"))) == ["executor_missing"]

    def test_every_worker_that_could_is_draining(self) -> None:
        workers = [a_worker(draining=True), a_worker(tasks=())]

        assert codes(why(a_record(), workers=workers)) == ["draining"]

    def test_a_paused_queue_comes_first_and_hides_nothing(self) -> None:
        paused = a_queue(paused_at=NOW - MINUTE, paused_by="ada")

        explanation = why(a_record(), queue=paused, workers=[])

        assert codes(explanation) == ["queue_paused", "no_worker"]
        assert explanation.reasons[0].text == "queue 'mail' was paused by ada 1 min ago"
        assert explanation.reasons[0].remedy == "rota queues resume mail"

    def test_it_expires_unless_it_starts(self) -> None:
        explanation = why(a_record(expires_at=NOW + MINUTE))

        assert codes(explanation) == ["next", "expires"]
        assert "2026-01-05 12:01:00 UTC, in 1 min" in explanation.reasons[1].text


class TestSuspected:
    def test_a_job_whose_worker_crashed_says_that_it_runs_alone(self) -> None:
        job = a_record(executor="isolated", crashes=1)

        assert codes(why(job))[-1] == "suspect"

    def test_one_that_crashed_alone_says_how(self) -> None:
        fault = Fault("WorkerCrashedError", "was killed by SIGSEGV")
        job = a_record(executor="isolated", crashes=3, crashes_alone=2, fault=fault)

        assert why(job).reasons[-1].text.endswith("2 times, and runs alone: was killed by SIGSEGV")


class TestHeld:
    @pytest.mark.parametrize(
        ("scope", "name"),
        [
            ("task:send", "task 'send'"),
            ("queue:mail", "queue 'mail'"),
            ("key:send:tenant:7", "key 'tenant:7' of task 'send'"),
        ],
    )
    def test_who_holds_the_slots_is_told(self, scope: str, name: str) -> None:
        worker = a_worker()
        holder = a_record(
            state=State.RUNNING, slots=(scope,), owner=worker.id, started_at=NOW - timedelta(seconds=90)
        )
        other = a_record(state=State.RUNNING, slots=("task:other",))

        explanation = why(a_record(held=f"limit:{scope}"), workers=[worker], running=[other, holder])

        assert codes(explanation) == ["limit"]
        assert explanation.reasons[0].data == {"scope": scope, "holders": [holder.id]}
        assert explanation.reasons[0].text == (
            f"the limit of {name} is reached: 1 slot held by {holder.id} for 1 min 30 s on box:7"
        )

    def test_only_some_of_many_holders_are_named(self) -> None:
        holders = [a_record(state=State.RUNNING, slots=("task:send",)) for _ in range(8)]

        reason = why(a_record(held="limit:task:send"), running=holders).reasons[0]

        assert reason.text.endswith("and 3 more")
        assert len(reason.data["holders"]) == 8

    def test_nobody_holds_them_any_more(self) -> None:
        assert "there is room again" in why(a_record(held="limit:task:send")).reasons[0].text

    def test_another_reason_to_hold_is_passed_on(self) -> None:
        assert why(a_record(held="moon")).reasons[0].text == "it is held: moon"


class TestInLine:
    def test_those_before_it_are_counted_by_rank_and_time(self) -> None:
        job = a_record(rank=5)
        line = [
            job,
            a_record(rank=1, submitted_at=NOW),
            a_record(rank=5, submitted_at=NOW - timedelta(hours=1)),
            a_record(rank=5, submitted_at=NOW),
            a_record(rank=9),
            a_record(rank=0, held="limit:task:send"),
            a_record(rank=0, executor="thread"),
        ]

        reason = why(job, line=line).reasons[0]

        assert reason.code == "behind"
        assert reason.data == {"ahead": 2, "lower_rank": 1, "slots": 2, "running": 0}
        assert reason.text.startswith("it waits behind 2 jobs of queue 'mail' (1 of lower rank)")

    def test_it_is_next_but_every_slot_is_taken(self) -> None:
        worker = a_worker()
        running = [a_record(state=State.RUNNING, owner=worker.id) for _ in range(2)]
        elsewhere = [a_record(state=State.RUNNING, owner=new_id())]

        explanation = why(a_record(), workers=[worker], running=running + elsewhere)

        assert codes(explanation) == ["slots_taken"]
        assert "all 2 async slots of its workers are taken" in explanation.reasons[0].text

    def test_a_line_that_is_too_long_is_not_counted(self) -> None:
        reason = why(a_record(rank=3), queue=a_queue(ready=54_321), whole_line=False).reasons[0]

        assert reason.text.startswith("it waits among 54,321 ready jobs of queue 'mail', with rank 3")
        assert reason.data["ahead"] is None


class TestScheduled:
    def test_it_waits_for_its_moment(self) -> None:
        explanation = why(a_record(state=State.SCHEDULED, run_at=NOW + MINUTE))

        assert codes(explanation) == ["scheduled"]
        assert explanation.reasons[0].text == "it is scheduled for 2026-01-05 12:01:00 UTC, in 1 min"

    def test_it_is_tried_again(self) -> None:
        job = a_record(state=State.SCHEDULED, run_at=NOW + MINUTE, fault=BOOM, attempt=2)

        reason = why(job, events=[event(job, "retry")]).reasons[0]

        assert reason.code == "retry"
        assert reason.text.startswith("attempt 2 failed (ValueError: boom) and it is tried again at")

    def test_it_snoozed_itself(self) -> None:
        job = a_record(state=State.SCHEDULED, run_at=NOW + MINUTE, fault=BOOM)

        reason = why(job, events=[event(job, "retry"), event(job, "snooze", reason="too early")]).reasons[0]

        assert reason.code == "snoozed"
        assert reason.text.startswith("it was snoozed (too early) and runs again at")

    def test_an_old_fault_is_no_reason_for_a_new_wait(self) -> None:
        job = a_record(state=State.SCHEDULED, run_at=NOW + MINUTE, fault=BOOM)

        assert codes(why(job)) == ["scheduled"]

    def test_it_is_due_at_any_moment(self) -> None:
        assert codes(why(a_record(state=State.SCHEDULED, run_at=NOW - SECOND))) == ["due"]

    def test_nobody_makes_it_ready(self) -> None:
        explanation = why(a_record(state=State.SCHEDULED, run_at=NOW - MINUTE), workers=[])

        assert codes(explanation) == ["not_promoted", "no_worker"]


class TestRunning:
    def test_it_runs(self) -> None:
        worker = a_worker()
        job = a_record(
            state=State.RUNNING,
            owner=worker.id,
            attempt=1,
            started_at=NOW - MINUTE,
            lease_until=NOW + MINUTE,
            progress_done=3,
            progress_total=8,
        )

        explanation = why(job, workers=[worker])

        assert codes(explanation) == ["running"]
        assert explanation.reasons[0].text == "it is running on box:7, attempt 1, for 1 min; progress 3 of 8"

    def test_it_was_claimed_and_has_not_begun(self) -> None:
        job = a_record(state=State.RUNNING, claimed_at=NOW - SECOND, lease_until=NOW + MINUTE)

        assert codes(why(job)) == ["claimed"]

    def test_its_worker_is_silent(self) -> None:
        job = a_record(state=State.RUNNING, started_at=NOW - MINUTE, lease_until=NOW - SECOND)

        assert codes(why(job)) == ["lease_passed"]

    def test_it_is_asked_to_stop(self) -> None:
        job = a_record(state=State.RUNNING, started_at=NOW, lease_until=NOW + MINUTE, cancel_requested=True)

        assert codes(why(job)) == ["running", "cancel_requested"]


class TestWaiting:
    def test_for_children_an_event_and_a_moment(self) -> None:
        job = a_record(state=State.WAITING, children=2, wake_key="door", wake_at=NOW + MINUTE)

        explanation = why(job)

        assert codes(explanation) == ["children", "event", "time"]
        assert explanation.reasons[0].remedy == f"rota jobs list --parent {job.id}"


class TestFinished:
    def test_a_failed_job_says_how_and_what_to_do(self) -> None:
        job = a_record(state=State.FAILED, fault=BOOM, attempt=3, crashes=1, finished_at=NOW - MINUTE)

        reason = why(job).reasons[0]

        assert reason.text == (
            "it failed for good 1 min ago, after 3 attempts, 1 of them lost with their process: "
            "ValueError: boom"
        )
        assert reason.remedy == f"rota jobs retry {job.id}"

    def test_one_in_line_says_behind_what(self) -> None:
        reason = why(a_record(held="overlap:nightly")).reasons[0]

        assert reason.code == "overlap"
        assert "unfinished jobs of schedule 'nightly'" in reason.text

    def test_a_parked_job_says_what_is_known_of_its_crash(self) -> None:
        fault = Fault("WorkerCrashedError", "parked", crash=Crash(4711, signal="SIGKILL", out_of_memory=True))
        job = a_record(state=State.FAILED, fault=fault, attempt=4, crashes=4, crashes_alone=3)

        reason = why(job).reasons[0]

        assert reason.code == "poison"
        assert "WorkerCrashedError: parked" in reason.text
        assert (reason.data["pid"], reason.data["signal"], reason.data["out_of_memory"]) == (
            4711,
            "SIGKILL",
            True,
        )
