"""`rota verify`: does the store keep its promises?"""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import click

from rota.cli.command import Option, Session, command
from rota.operations.text import counted

if TYPE_CHECKING:
    from rota.operations.verify import Verdict

__all__ = ["add_to"]

LedgerOption = Annotated[
    str | None,
    Option(
        "--ledger",
        "Also hold the store against this file of what jobs did (docs/testing.md).",
        metavar="FILE",
    ),
]

FAILED = 1
_SHOWN = 20


def add_to(root: click.Group) -> None:
    """Add the commands of this module."""
    command(root, "verify")(verify)


async def verify(session: Session, *, ledger: LedgerOption = None) -> int:
    """Hold every job, slot and tick of the store against the rules; changes nothing, and workers may run."""
    from rota.operations import verify as operations

    keep = timedelta(seconds=session.target.settings.keep_history)
    async with session.target.open() as store:
        verdict = await operations.verify(store, keep=keep, ledger=Path(ledger) if ledger else None)
    if session.out.json:
        session.out.document({"ok": verdict.ok, **_plain(verdict)})
    else:
        _tell(session, verdict)
    return 0 if verdict.ok else FAILED


def _plain(verdict: "Verdict") -> dict[str, object]:
    return {name: getattr(verdict, name) for name in ("looked", "counts", "findings", "warnings")}


def _tell(session: Session, verdict: "Verdict") -> None:
    out = session.out
    looked = dict(verdict.looked)
    live, dead, done = (looked.pop(place) for place in ("live", "dead", "history"))
    out.line(
        f"looked at {counted(live + dead + done, 'job')} ({live:,} live, {dead:,} dead, {done:,} finished), "
        + ", ".join(counted(number, name.removesuffix("s")) for name, number in looked.items())
    )
    for level, findings in (("FAULT", verdict.findings), ("warning", verdict.warnings)):
        for finding in findings[:_SHOWN]:
            out.line(f"{level:<8}{finding.kind}: {finding.text}")
        if len(findings) > _SHOWN:
            out.line(f"{level:<8}… and more: --json shows the first {len(findings):,}")
    total = sum(verdict.counts.values())
    if total:
        kinds = ", ".join(f"{kind} {number:,}" for kind, number in sorted(verdict.counts.items()))
        out.line(f"{counted(total, 'fault')}: {kinds}")
    else:
        out.line("nothing is wrong")
