"""Who watches the demo: asks for its job, shows how far it is, and prints the report."""

import asyncio
import sys
from contextlib import suppress
from typing import TextIO

from rota import Job, RotaError, State
from rota.demo import report
from rota.demo.app import CHUNKS, SCHEDULE, app, clocks
from rota.demo.screen import Screen, make_screen
from rota.demo.summaries import SUMMARIES
from rota.model.events import Notice
from rota.model.states import FINISHED

__all__ = ["FINISHED_LINE", "LOCATOR", "STAGES", "Audience", "make_audience"]

LOCATOR = "rota.demo.app:app"
STAGES = {"reading zones": CHUNKS, "building tables": len(SUMMARIES)}
FINISHED_LINE = "demo finished"

_LOOK_EVERY = 0.05


def make_audience(*, once: bool = False, out: TextIO | None = None) -> "Audience":
    """Make the part of a process that asks for the demo, watches it and prints the report.

        audience = make_audience(once=True)
        run_loop(serve(app, ("worker",), locator=LOCATOR, also=[audience]))
        sys.exit(audience.exit_code)

    Args:
        once: end the process after the report; otherwise it serves on until a signal.
        out: where the report goes, standard output unless given.
    """
    return Audience(make_screen(STAGES, out or sys.stdout), leaves=once)


class Audience:
    """A part of the process beside worker and scheduler.

    Attributes:
        exit_code: 1 once the demo has failed, and until the report is there where only that was asked for.
    """

    def __init__(self, screen: Screen, *, leaves: bool) -> None:
        self.stopped = asyncio.Event()
        self.exit_code = int(leaves)
        self._screen = screen
        self._leaves = leaves
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to watch."""
        self._watching = asyncio.create_task(self._watch())

    def notice(self, notice: Notice) -> None:
        """Nothing here waits for a notice."""

    async def stop(self) -> None:
        """Look away, and leave nothing in the store that would tick for whoever works here next."""
        await self.hurry()
        with suppress(RotaError):
            await app.schedules.remove_async(SCHEDULE)

    async def hurry(self) -> None:
        """Look away."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        self._screen.close()

    async def _watch(self) -> None:
        try:
            # One demo at a time: after a kill this finds the job that was interrupted, and it goes on.
            job = await clocks.options(unique="demo").enqueue_async()
            await self._follow(job)
            await job.result_async()
            await asyncio.to_thread(self._print_report)
            self.exit_code = 0
        except Exception as error:  # noqa: BLE001 - a report that never comes must not be waited for
            self.exit_code = 1
            with suppress(OSError):  # nobody may be there to read it any more
                self._screen.say(f"the demo failed: {error}")
        if self._leaves or self.exit_code:
            self.stopped.set()

    async def _follow(self, job: Job[None]) -> None:
        while True:
            record = await job.record_async()
            all_done = record.state is State.SUCCEEDED
            self._screen.advance(sum(STAGES.values()) if all_done else record.progress_done or 0)
            if record.state in FINISHED:
                return
            await asyncio.sleep(_LOOK_EVERY)

    def _print_report(self) -> None:
        self._screen.say(f"\n{report.TITLE}\n{report.subtitle()}")
        for section in report.sections():
            self._screen.show(section)
        self._screen.say(f"\n{FINISHED_LINE}")
