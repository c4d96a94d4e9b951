"""A whole store as lines of JSON, and back: `rota db export` and `rota db import`.

The first line says what the file is; each other one is a record, as `{"job": {...}}`, without what is null.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import aclosing
from datetime import datetime
from typing import Any, get_args

import msgspec
from msgspec import Struct, structs

from rota.model.errors import ExportFileError, RotaError
from rota.model.job import JobRecord
from rota.model.states import State
from rota.model.transfer import KINDS, Header, Record
from rota.ports.store import Store
from rota.ports.transfer import Page

__all__ = ["FORMAT", "Exported", "dump", "restore"]

FORMAT = 1
"""Raised when an older Rota could misread a file."""

_PAGE = 1000

Progress = Callable[[int, int], object]
"""Is told how many records of how many are done."""


class Exported(Struct, frozen=True):
    """What an export brought: records by kind, and how many of its jobs were running."""

    counts: dict[str, int]
    running: int


class _Title(Struct, frozen=True, kw_only=True):
    """The first line."""

    rota: str
    format: int
    store: str
    store_id: str
    schema: int
    at: datetime
    counts: dict[str, int]


async def dump(store: Store, write: Callable[[bytes], object], progress: Progress) -> Exported:
    """Write everything that an open store holds at this moment; nobody has to stop for it.

    Args:
        store: to read.
        write: takes some lines.
        progress: is told how far it is.
    """
    running, done = 0, 0
    counts: dict[str, int] = {}
    async with aclosing(store.transfer.export()) as stream:
        async for page in stream:
            if isinstance(page, Header):
                counts = page.counts
                write(_encode(_Title(rota="export", format=FORMAT, **structs.asdict(page))) + b"\n")
                continue
            running += sum(isinstance(one, JobRecord) and one.state is State.RUNNING for one in page)
            write(b"".join(_line(one) for one in page))
            done += len(page)
            progress(done, sum(counts.values()))
    return Exported(counts, running)


async def restore(store: Store, lines: Iterable[bytes], progress: Progress) -> dict[str, int]:
    """Store everything that an export brought; returns how many records of each kind.

    Args:
        store: open and empty.
        lines: of the export.
        progress: is told how far it is.

    Raises:
        ExportFileError: a line is damaged or missing; nothing is stored.
        StoreNotEmptyError: the store holds something; nothing is changed.
    """
    source = _Source(lines, progress)
    header = source.header()
    try:
        await store.transfer.load(header, source.pages(header))
    except RotaError:
        raise
    except Exception as error:
        # Two jobs of one id, a text with a NUL: no driver says in which line.
        raise ExportFileError(
            source.line, f"the store refuses this record or one before it: {error}"
        ) from error
    return header.counts


def at_rest(job: JobRecord) -> JobRecord:
    """Return a job as it is without its worker, which an export leaves behind.

    It is given back: ready in its place, neither an attempt nor a crash counted. Where its cancel was asked
    for, its claim is over, and the first rescuer cancels it with all that follows from that. What was handed
    over runs elsewhere, and stays as it is.
    """
    if job.state is not State.RUNNING:
        return job
    job = structs.replace(job, slots=(), started_at=None, external_id=None)
    if job.cancel_requested:
        return structs.replace(job, lease_until=job.claimed_at or job.submitted_at)
    return structs.replace(
        job,
        state=State.READY,
        attempt=job.attempt - 1,
        owner=None,
        token=None,
        lease_until=None,
        claimed_at=None,
    )


class _Source:
    """The lines of an export, one after another; `line` is the number of the last."""

    def __init__(self, lines: Iterable[bytes], progress: Progress) -> None:
        self._lines = iter(lines)
        self._progress = progress
        self.line = 0

    def header(self) -> Header:
        """Read the first line."""
        text = self._next()
        try:
            title = _decode_title(text or b"")
        except msgspec.DecodeError as error:
            raise ExportFileError(1, f"this is no export of Rota: {error}") from error
        if title.format != FORMAT:
            raise ExportFileError(
                1,
                f"its format is {title.format} and this Rota reads {FORMAT}: use the Rota that made it",
            )
        fields = {name: getattr(title, name) for name in Header.__struct_fields__}
        return Header(**fields)

    async def pages(self, header: Header) -> AsyncIterator[Page]:
        """Yield all records; the last step compares their numbers with those of the header."""
        counts: Counter[str] = Counter()
        total, page, kind = sum(header.counts.values()), list[Record](), ""
        while text := self._next():
            name, record = self._record(text)
            counts[name] += 1
            if page and (name != kind or len(page) >= _PAGE):
                yield page
                page = []
                self._progress(counts.total() - 1, total)
            page.append(record)
            kind = name
        self._compare(counts, header.counts)
        if page:
            yield page
        self._progress(total, total)

    def _next(self) -> bytes | None:
        self.line += 1
        return next(self._lines, None)

    def _record(self, text: bytes) -> tuple[str, Record]:
        try:
            ((name, fields),) = _decode_line(text).items()
            kind = KINDS[name]
            nothing = _NOTHING[name]
            if unknown := fields.keys() - set(kind.__struct_fields__):
                raise ExportFileError(
                    self.line, f"{name} has no field {min(unknown)!r}: was it made by a newer Rota?"
                )
            return name, msgspec.convert(nothing | fields, kind)
        except KeyError as error:
            raise ExportFileError(
                self.line, f"no record is of kind {error}: was it made by a newer Rota?"
            ) from error
        except (msgspec.DecodeError, ValueError) as error:
            raise ExportFileError(self.line, f"the record is damaged: {error}") from error

    def _compare(self, found: Mapping[str, int], told: Mapping[str, int]) -> None:
        for kind in KINDS:
            if found.get(kind, 0) != told.get(kind, 0):
                raise ExportFileError(
                    self.line,
                    f"the file ends after {found.get(kind, 0)} of {told.get(kind, 0)} records of kind {kind}",
                )


def _line(record: Record) -> bytes:
    if isinstance(record, JobRecord):
        record = at_rest(record)
    fields = {name: value for name, value in structs.asdict(record).items() if value is not None}
    return _encode({_NAMES[type(record)]: fields}) + b"\n"


# Sorted: PostgreSQL keeps no order inside JSON, and two exports of the same are to be the same.
_encode = msgspec.json.Encoder(order="sorted").encode
_decode_title = msgspec.json.Decoder(_Title).decode
_decode_line = msgspec.json.Decoder(dict[str, dict[str, Any]]).decode
_NAMES = {kind: name for name, kind in KINDS.items()}
_NOTHING = {
    name: {field.name: None for field in structs.fields(kind) if type(None) in get_args(field.type)}
    for name, kind in KINDS.items()
}
