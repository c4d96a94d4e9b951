"""What a person sees when a process has started."""

from collections.abc import Sequence

from rota.cli.output import Output
from rota.cli.target import App
from rota.operations.text import counted
from rota.settings import Settings, parse_queues, shown_url
from rota.triggers.parse import from_json
from rota.wiring import queue_order, rota_version

__all__ = ["show_banner"]

NAMES_SHOWN = 8


def show_banner(out: Output, app: App, roles: Sequence[str], links: Sequence[str]) -> None:
    """Say what runs, on what, where to look, and how it ends."""
    settings = app.settings
    lines = {"store": shown_url(settings.url)}
    if "worker" in roles:
        order = queue_order(settings.queues, app.registry)
        weights = parse_queues(settings.queues)
        lines["queues"] = settings.queues if isinstance(weights, dict) else ", ".join(order.queues)
        lines["tasks"] = _some(list(app.registry.tasks)) or "none: nothing to run"
        lines["slots"] = _slots(settings)
    if "scheduler" in roles:
        declared = [f"{one.id} ({from_json(one.trigger)})" for one in app.schedules.declared()]
        lines["schedules"] = _some(declared) or "those in the store"
    for link in links:
        lines["dashboard"] = f"{link} (once, within 10 minutes)"
    lines["stop"] = "Ctrl-C" + (f"; tasks get {settings.grace:g} s to finish" if "worker" in roles else "")
    out.line(f"rota {rota_version()}: {' and '.join(sorted(roles))}")
    out.pairs({f"  {name}": text for name, text in lines.items()})


def _slots(settings: Settings) -> str:
    processes = (
        counted(settings.processes, "process", "processes") if settings.processes else "cores as processes"
    )
    return f"{settings.async_slots} async, {counted(settings.threads, 'thread')}, {processes}"


def _some(names: list[str]) -> str:
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
