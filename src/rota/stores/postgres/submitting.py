"""Submit without I/O: which statements store jobs, and what their answers mean."""

from collections.abc import Generator, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec

from rota.model.errors import StoreError
from rota.model.job import Submission, Submitted
from rota.ports.jobs import Rows, Statement, SubmitPlan
from rota.stores.groups import common

__all__ = ["is_plain", "submit_plan"]

_TRIES = 5
_MICROSECOND = timedelta(microseconds=1)
_Step = Generator[Statement, Rows, None]
# What few jobs have travels as one JSON value each, so that the others do not pay for it.
_RARE = ("tags", "parent", "root", "batch", "ordinal", "schedule", "due", "trust")
_rare = attrgetter(*_RARE)
_NOTHING = (None,) * len(_RARE)


def is_plain(submissions: Sequence[Submission], *, resend: bool) -> bool:
    """Tell whether one statement does all the writing: then it needs no transaction around it."""
    return not resend and all(one.unique_for is None for one in submissions)


def submit_plan(
    sql: dict[str, str], submissions: Sequence[Submission], now: datetime | None, *, resend: bool
) -> SubmitPlan:
    """Return the plan that stores these jobs (see `SubmitPlan`).

    Args:
        sql: the namespace's statements.
        submissions: what to store.
        now: the injected clock's moment; None: the server's.
        resend: leave jobs alone whose ids are known already.
    """
    work = _Submit(sql, submissions, now)
    if not work.pending:
        return []
    if resend:
        yield from work.leave_known()
    if any(one.unique_for is not None for one in work.pending.values()):
        yield from work.take_windows()
    for _ in range(_TRIES):
        if not work.pending:
            break
        yield from work.insert()
    else:
        raise StoreError("unique keys changed hands faster than jobs could be stored: submit again")
    if work.refused:
        yield from work.withdraw()
    return [work.answers[place] for place in range(len(submissions))]


class _Submit:
    """The submissions that have no answer yet, by their places, and the answers of the others."""

    def __init__(self, sql: dict[str, str], submissions: Sequence[Submission], now: datetime | None) -> None:
        self._sql = sql
        self._now = now
        self.pending = dict(enumerate(submissions))
        self.answers: dict[int, Submitted] = {}
        self.refused: list[UUID] = []

    def leave_known(self) -> _Step:
        """Answer for jobs that are known already, wherever they are."""
        ids = [one.id for one in self.pending.values()]
        rows = yield Statement("submit_known", self._sql["submit_known"], (ids,))
        known = {UUID(row[0]) for row in rows}
        for place, one in list(self.pending.items()):
            if one.id in known:
                self._answer(place, Submitted(one.id, created=False))

    def take_windows(self) -> _Step:
        """Take the unique keys that are to stay taken, and answer for those that somebody else holds."""
        first: dict[str, Submission] = {}
        for one in self.pending.values():
            if one.unique_for is not None and one.unique_key is not None:
                first.setdefault(one.unique_key, one)
        keys = sorted(first)
        spans = [_micros(first[key].unique_for) for key in keys]
        params = (self._now, keys, [first[key].id for key in keys], spans)
        rows = yield Statement("submit_windows", self._sql["submit_windows"], params)
        taken = sorted(set(keys) - {row[0] for row in rows})
        if not taken:
            return
        rows = yield Statement("submit_holders", self._sql["submit_holders"], (taken,))
        holders = {key: UUID(job) for key, job in rows}
        for place, one in list(self.pending.items()):
            if one.unique_for is not None and one.unique_key in holders:
                self._answer(place, Submitted(holders[one.unique_key], created=False))

    def insert(self) -> _Step:
        """Store what is pending, and answer for it where nothing stands in the way."""
        if len(self.pending) == 1:
            ((place, one),) = self.pending.items()
            if _rare(one) == _NOTHING:
                yield from self._insert_one(place, one)
                return
        ((created, _),) = yield Statement("submit", self._sql["submit"], self._row_arrays())
        if created is None:
            for place, one in self.pending.items():
                self.answers[place] = Submitted(one.id, created=True)
            self.pending.clear()
            return
        new = {UUID(job) for job in created}
        for place, one in list(self.pending.items()):
            if one.id in new:
                new.discard(one.id)
                self._answer(place, Submitted(one.id, created=True))
        yield from self._find_twins()

    def _insert_one(self, place: int, one: Submission) -> _Step:
        key, unique_key, run_at, delay, expires_at, expires_in, max_attempts = _SOME(one)
        spans = run_at, _micros(delay), expires_at, _micros(expires_in)
        params = (self._now, one.id, one.payload, *_SAME(one), key, unique_key, *spans, max_attempts)
        params = (*params, _json(one.headers), _json(one.options))
        if (yield Statement("submit_one", self._sql["submit_one"], params)):
            self._answer(place, Submitted(one.id, created=True))
        else:
            yield from self._find_twins()

    def _find_twins(self) -> _Step:
        """Answer for jobs that were not stored. One whose twin has just finished stays pending."""
        keys = [one.unique_key for one in self.pending.values() if one.unique_key is not None]
        ids = [one.id for one in self.pending.values()]
        rows = yield Statement("submit_twins", self._sql["submit_twins"], (keys, ids))
        by_key = {key: UUID(job) for key, job in rows if key is not None}
        by_id = {UUID(job) for key, job in rows if key is None}
        for place, one in list(self.pending.items()):
            twin = one.id if one.id in by_id else by_key.get(one.unique_key or "")
            if twin is None:
                continue
            if one.unique_for is not None and twin != one.id:
                self.refused.append(one.id)
            self._answer(place, Submitted(twin, created=False))

    def withdraw(self) -> _Step:
        """Free the keys that were taken for jobs that a live job kept out."""
        yield Statement("submit_withdraw", self._sql["submit_withdraw"], (self.refused,))

    def _answer(self, place: int, answer: Submitted) -> None:
        self.answers[place] = answer
        del self.pending[place]

    def _row_arrays(self) -> tuple[Any, ...]:
        rows = list(self.pending.values())
        # One stands for all where they differ in id and payload alone.
        kinds = rows[:1] if all(map(common(rows[0]).__eq__, map(common, rows))) else rows
        same = [_shared(list(column)) for column in zip(*map(_SAME, kinds), strict=True)]
        some = [list(column) for column in zip(*map(_SOME, kinds), strict=True)]
        for place in _SPANS:
            some[place] = [_micros(span) for span in some[place]]
        some += [_json(one.headers) for one in kinds], [_json(one.options) for one in kinds]
        some += ([_rest(one) for one in kinds],)
        columns = [_thin(column) * (len(rows) // len(kinds)) for column in some]
        return (self._now, [one.id for one in rows], [one.payload for one in rows], *same, *columns)


# Arrays cost by their elements, so that they are as short as `submit` can make good: it fills up a column
# that all jobs share from its first element, and others with null.
_SAME = attrgetter("queue", "executor", "task", "codec", "rank", "share")
_SOME = attrgetter("key", "unique_key", "run_at", "delay", "expires_at", "expires_in", "max_attempts")
_SPANS = (3, 5)


def _shared(values: list[Any]) -> list[Any]:
    return values[:1] if values.count(values[0]) == len(values) else values


def _thin(values: list[Any]) -> list[Any]:
    return [] if values.count(None) == len(values) else values


def _micros(span: timedelta | None) -> int | None:
    return None if span is None else span // _MICROSECOND


def _json(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _rest(one: Submission) -> str | None:
    values = _rare(one)
    if values == _NOTHING:
        return None
    return _json({name: value for name, value in zip(_RARE, values, strict=True) if value is not None})
