"""The whole suite: `from rota.testing.conformance.suite import *` in a test module of yours."""

from rota.testing.conformance.access import TestAudit, TestTokens
from rota.testing.conformance.cancelling import TestCancel, TestCancelRequested
from rota.testing.conformance.claiming import TestClaim, TestClaimOnce, TestClaimOrder, TestPausedQueue
from rota.testing.conformance.connecting import TestSubmitOn, TestSubmitOnAsync
from rota.testing.conformance.editing import TestChildren, TestEdit, TestResume
from rota.testing.conformance.fencing import TestSentTwice, TestStaleClaim, TestStrangeClaim
from rota.testing.conformance.fixtures import clock, crowd, scene, store
from rota.testing.conformance.insight import TestCounts, TestEvents, TestFaults, TestJobs, TestNow, TestQueues
from rota.testing.conformance.inspecting import TestInspection
from rota.testing.conformance.limiting import TestAcquire, TestParked, TestRelease, TestSlotsExact
from rota.testing.conformance.machine import TestJobMachine
from rota.testing.conformance.namespaces import TestNamespaces, neighbour
from rota.testing.conformance.notebook import TestLogs, TestProgress
from rota.testing.conformance.opening import TestCapabilities, TestOpen, TestOwnClock
from rota.testing.conformance.overlapping import (
    TestBackfill,
    TestOverlap,
    TestPauses,
    TestTickAudit,
    TestVersions,
)
from rota.testing.conformance.promoting import TestExpiry, TestPromote
from rota.testing.conformance.redriving import TestRedrive, TestRedriveMany
from rota.testing.conformance.requests import TestRequests
from rota.testing.conformance.retention import TestPrune
from rota.testing.conformance.returning import TestGiveBack, TestRescue
from rota.testing.conformance.scheduling import TestDue, TestFire, TestFireOnce, TestSchedules
from rota.testing.conformance.settling import TestResults, TestSettle, TestSettleMany
from rota.testing.conformance.storming import TestStorm
from rota.testing.conformance.submitting import TestSubmit, TestSubmitAgain, TestSubmitMany
from rota.testing.conformance.table import TestStateTable
from rota.testing.conformance.trail import TestEventLine, TestStats
from rota.testing.conformance.transferring import TestTransfer
from rota.testing.conformance.uniqueness import TestUnique, TestUniqueWindow
from rota.testing.conformance.waking import TestWakeup, ear
from rota.testing.conformance.working import TestBeat, TestWorkers

__all__ = [
    "TestAcquire",
    "TestAudit",
    "TestBackfill",
    "TestBeat",
    "TestCancel",
    "TestCancelRequested",
    "TestCapabilities",
    "TestChildren",
    "TestClaim",
    "TestClaimOnce",
    "TestClaimOrder",
    "TestCounts",
    "TestDue",
    "TestEdit",
    "TestEventLine",
    "TestEvents",
    "TestExpiry",
    "TestFaults",
    "TestFire",
    "TestFireOnce",
    "TestGiveBack",
    "TestInspection",
    "TestJobMachine",
    "TestJobs",
    "TestLogs",
    "TestNamespaces",
    "TestNow",
    "TestOpen",
    "TestOverlap",
    "TestOwnClock",
    "TestParked",
    "TestPausedQueue",
    "TestPauses",
    "TestProgress",
    "TestPromote",
    "TestPrune",
    "TestQueues",
    "TestRedrive",
    "TestRedriveMany",
    "TestRelease",
    "TestRequests",
    "TestRescue",
    "TestResults",
    "TestResume",
    "TestSchedules",
    "TestSentTwice",
    "TestSettle",
    "TestSettleMany",
    "TestSlotsExact",
    "TestStaleClaim",
    "TestStateTable",
    "TestStats",
    "TestStorm",
    "TestStrangeClaim",
    "TestSubmit",
    "TestSubmitAgain",
    "TestSubmitMany",
    "TestSubmitOn",
    "TestSubmitOnAsync",
    "TestTickAudit",
    "TestTokens",
    "TestTransfer",
    "TestUnique",
    "TestUniqueWindow",
    "TestVersions",
    "TestWakeup",
    "TestWorkers",
    "clock",
    "crowd",
    "ear",
    "neighbour",
    "scene",
    "store",
]
