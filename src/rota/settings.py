"""One settings value: defaults, then `rota.toml`, then ROTA_* variables, then arguments; validated whole."""

import os
import re
import tomllib
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta, Struct, structs

from rota.model.access import Role
from rota.model.errors import ConfigurationError, did_you_mean

__all__ = [
    "FILE",
    "PREFIX",
    "Settings",
    "change_settings",
    "load_settings",
    "parse_queues",
    "parse_seconds",
    "shown_url",
]

PREFIX = "ROTA_"
FILE = "rota.toml"

Count = Annotated[int, Meta(ge=1)]
Bytes = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]

_UNITS = {"": 1, "ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w|)\s*")
# Where no `rota.toml` can be.
_NOWHERE = Path(os.devnull)
_DURATIONS = frozenset(
    {
        "blocked_after",
        "extend_every",
        "grace",
        "keep_dead",
        "keep_history",
        "keep_ticks",
        "lease",
        "store_timeout",
    }
)


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set. Durations are seconds, written as 30, "30s", "5m", "12h" or "7d".

    Attributes:
        url: the store: sqlite:///file.db or postgresql://user@host/database.
        schema: PostgreSQL schema that holds Rota's tables.
        app: the application as "module:attribute", for commands that are not given one.
        name: tells this app's schedules from those of others in one store; empty: the module that makes it.
        queues: what a worker serves: "a,b" in that order, or "a=3,b=1" by weight; empty: all that tasks name.
        async_slots: coroutines that a worker runs at once.
        threads: plain functions that a worker runs at once.
        processes: CPU-bound tasks that a worker runs at once; 0 means one per core.
        max_crashes: processes of its own that a job may bring down before it is parked; 0: no job runs alone.
        isolated_slots: jobs that a worker runs at once alone in a process each, after a crash.
        recycle_after_jobs: a worker, or a child process of one, is replaced after so many jobs; 0: never.
        recycle_memory: it is replaced when it takes so many bytes after a job; 0: never.
        supervise: whether commands start a crashed or recycled worker again (read before the app is).
        blocked_after: how long a task may block the event loop before it is named in the log.
        lease: how long a claim lasts unextended.
        extend_every: how often claims are extended.
        grace: how long a stopping worker lets tasks finish.
        payload_limit: largest arguments, in bytes of JSON.
        result_limit: largest result, in bytes of JSON.
        log_limit: most log bytes kept per attempt.
        keep_history: how long finished jobs are kept.
        keep_dead: how long failed jobs are kept.
        keep_ticks: how long ticks of schedules are kept.
        zone: IANA zone of triggers that name none.
        keys: keys that encrypt Secret arguments, newest first, comma-separated.
        durability: "full" syncs every commit; "normal" may lose the last moments in a power cut.
        listen: whether PostgreSQL notices are used; false behind a pooler in transaction mode.
        store_timeout: how long a call waits for the store to answer, or for SQLite's write lock.
        pool_size: most connections that a process opens to PostgreSQL.
        host: address that the API and the dashboard listen on; one that others reach needs a token first.
        port: their port; 0 takes a free one.
        allowed_hosts: further names by which a browser or client may call them, comma-separated; "*" for any.
        proxy_header: header in which a proxy names the user whom it has checked, such as X-Forwarded-User.
        proxies: addresses or networks of proxies whose header is believed, comma-separated.
        proxy_roles: what users of the proxy may do: "ada=admin,*=viewer".
        metrics_open: whether /metrics needs no token when a process of this machine asks.
        metrics_port: port on which a worker or scheduler alone shows its metrics; 0: none.
        metrics_host: address of that port; whoever reaches it needs no token.
        notify_url: who is told, by signed webhooks, of what fails or is late; empty: nobody.
        notify_secret: signs them: base64 of 24 to 64 bytes; several, newest first, comma-separated.
        notify_hosts: hosts that may be told, also on private addresses, comma-separated; empty: public ones.
        log_level: least severe line to print.
        log_format: "json" for machines, "console" for people, "auto" by whether a terminal is there.
    """

    url: str = "sqlite:///rota.db"
    schema: Annotated[str, Meta(pattern=r"^[a-z_][a-z0-9_]{0,47}$")] = "rota"
    app: str = ""
    name: str = ""
    queues: str = ""
    async_slots: Count = 100
    threads: Count = 8
    processes: Annotated[int, Meta(ge=0)] = 0
    max_crashes: Annotated[int, Meta(ge=0)] = 3
    isolated_slots: Count = 4
    recycle_after_jobs: Annotated[int, Meta(ge=0)] = 0
    recycle_memory: Annotated[int, Meta(ge=0)] = 0
    supervise: bool = True
    blocked_after: Seconds = 1.0
    lease: Seconds = 30.0
    extend_every: Seconds = 10.0
    grace: Annotated[float, Meta(ge=0)] = 30.0
    payload_limit: Bytes = 256 * 1024
    result_limit: Bytes = 1024 * 1024
    log_limit: Bytes = 1024 * 1024
    keep_history: Seconds = 7 * 86400.0
    keep_dead: Seconds = 90 * 86400.0
    keep_ticks: Seconds = 90 * 86400.0
    zone: str = "UTC"
    keys: str = ""
    durability: Literal["full", "normal"] = "full"
    listen: bool = True
    store_timeout: Seconds = 20.0
    pool_size: Annotated[int, Meta(ge=3)] = 8
    host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8470
    allowed_hosts: str = ""
    proxy_header: str = ""
    proxies: str = "127.0.0.1,::1"
    proxy_roles: str = ""
    metrics_open: bool = False
    metrics_port: Annotated[int, Meta(ge=0, le=65535)] = 0
    metrics_host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    notify_url: str = ""
    notify_secret: str = ""
    notify_hosts: str = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = "auto"

    def __repr__(self) -> str:
        """Show no password and no key."""
        shown = {name: getattr(self, name) for name in self.__struct_fields__}
        for secret in ("keys", "notify_secret", "notify_url"):
            shown[secret] = "***" if shown[secret] else ""
        shown["url"] = shown_url(self.url)
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def load_settings(
    arguments: Mapping[str, Any] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Settings:
    """Merge and validate all sources.

    Args:
        arguments: given in code or on the command line; None values count as not given.
        environment: defaults to the process's.
        folder: where `rota.toml` is looked for; defaults to the current one.

    Raises:
        ConfigurationError: names every fault with its source, value and remedy.
    """
    faults: list[str] = []
    merged: dict[str, Any] = {}
    for source, values in _sources(arguments, environment, folder, faults):
        for name, value in values.items():
            if name not in Settings.__struct_fields__:
                hint = did_you_mean(name, Settings.__struct_fields__)
                faults.append(f"{source}: there is no setting {name!r}.{hint}")
            else:
                _convert(source, name, value, merged, faults)
    faults.extend(_contradictions(merged))
    if faults:
        raise ConfigurationError(faults)
    return Settings(**merged)


def change_settings(settings: Settings, arguments: Mapping[str, Any]) -> Settings:
    """Return settings with some values changed; None values count as not given.

    Raises:
        ConfigurationError: names every fault with its value and remedy.
    """
    return load_settings(structs.asdict(settings) | _given(arguments), environment={}, folder=_NOWHERE)


def shown_url(url: str) -> str:
    """Return a store's url as it may be printed: without its password."""
    masked = re.sub(r"://([^:/@]*):[^/]*@", r"://\1:***@", url)
    return re.sub(r"([?&]password=)[^&]*", r"\1***", masked)


def parse_seconds(text: str) -> float | None:
    """Return the seconds of "30", "30s", "5m", "12h" or "7d"; None when it is none of these."""
    match = _DURATION.fullmatch(text)
    return float(match[1]) * _UNITS[match[2]] if match else None


def parse_queues(text: str) -> tuple[str, ...] | dict[str, float]:
    """Return "a,b" as names in order, or "a=3,b=1" as weights.

    Raises:
        ConfigurationError: a weight is missing, not a number, or not above 0.
    """
    items = [item.strip() for item in text.split(",") if item.strip()]
    if not any("=" in item for item in items):
        return tuple(items)
    weights: dict[str, float] = {}
    for item in items:
        name, _, weight = item.partition("=")
        try:
            weights[name.strip()] = float(weight)
        except ValueError:
            weights[name.strip()] = 0.0
    bad = [name for name, weight in weights.items() if not weight > 0]
    if bad:
        raise ConfigurationError(
            [f"queues={text!r}: give each queue a weight above 0, or none; wrong: {', '.join(bad)}"]
        )
    return weights


def _sources(
    arguments: Mapping[str, Any] | None,
    environment: Mapping[str, str] | None,
    folder: Path | None,
    faults: list[str],
) -> list[tuple[str, Mapping[str, Any]]]:
    file = (folder or Path()) / FILE
    from_file: Mapping[str, Any] = {}
    if file.is_file():
        try:
            from_file = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            faults.append(f"{file}: cannot be read: {error}")
    variables = os.environ if environment is None else environment
    # Unknown ROTA_* variables are let be: Kubernetes sets some for a service of that name.
    from_environment = {
        name: variables[PREFIX + name.upper()]
        for name in Settings.__struct_fields__
        if PREFIX + name.upper() in variables
    }
    return [
        (str(file), from_file),
        ("environment", from_environment),
        ("argument", _given(arguments or {})),
    ]


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


def _convert(source: str, name: str, value: Any, merged: dict[str, Any], faults: list[str]) -> None:
    shown = PREFIX + name.upper() if source == "environment" else f"{source}: {name}"
    if name in _DURATIONS and isinstance(value, str):
        seconds = parse_seconds(value)
        if seconds is None:
            faults.append(f"{shown}={value!r}: give seconds, or a number with ms, s, m, h, d or w")
            return
        value = seconds
    kind = Settings.__annotations__[name]
    try:
        merged[name] = msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        text = "***" if name in {"keys", "notify_secret", "notify_url", "url"} else repr(value)
        faults.append(f"{shown}={text}: {error}")


def _contradictions(merged: Mapping[str, Any]) -> list[str]:
    faults = []
    lease = merged.get("lease", 30.0)
    extend_every = merged.get("extend_every", 10.0)
    if extend_every * 2 > lease:
        faults.append(
            f"extend_every={extend_every:g} s: has to be at most half of lease={lease:g} s, "
            "so that one late heartbeat loses no claim"
        )
    try:
        ZoneInfo(merged.get("zone", "UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        faults.append(f"zone={merged['zone']!r}: is no IANA time zone; for example 'Europe/Amsterdam'")
    try:
        parse_queues(merged.get("queues", ""))
    except ConfigurationError as error:
        faults.extend(error.faults)
    return faults + _proxy_faults(merged)


def _proxy_faults(merged: Mapping[str, Any]) -> list[str]:
    faults = []
    for network in filter(None, map(str.strip, merged.get("proxies", "").split(","))):
        try:
            ip_network(network, strict=False)
        except ValueError:
            faults.append(f"proxies={network!r}: is no address or network; for example 10.0.0.0/8")
    faults += [
        f"proxy_roles={pair!r}: give NAME=ROLE, with a role of {', '.join(Role)}"
        for pair in filter(None, map(str.strip, merged.get("proxy_roles", "").split(",")))
        if pair.partition("=")[2] not in set(Role)
    ]
    if merged.get("proxy_header") and not merged.get("proxy_roles"):
        faults.append("proxy_header: needs proxy_roles, such as 'ada=admin,*=viewer'")
    return faults
