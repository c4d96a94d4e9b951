"""A task: a registered, named definition of work."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, get_type_hints

import msgspec

from rota.definitions.arguments import Arguments
from rota.definitions.jsonable import unsupported_types
from rota.model.errors import ConfigurationError, PayloadTooLargeError
from rota.policy.retrying import Retry

if TYPE_CHECKING:
    from rota.definitions.registry import Registry

__all__ = ["ASYNC", "PROCESS", "THREAD", "Hook", "Task"]

P = ParamSpec("P")
R = TypeVar("R")

ASYNC, THREAD, PROCESS = "async", "thread", "process"

Hook = Callable[..., Awaitable[None] | None]
"""Called with the finished job's `ClaimedJob` and its outcome."""


class Task(Generic[P, R]):
    """A function with the rules by which it runs.

    Args:
        name: unique in the registry; queued jobs find their task by it, or by one of `aliases`.
        queue: where its jobs wait unless they are told otherwise.
        executor: "async", "thread" or "process"; None chooses by the kind of function.
        retry: when and how often a failed attempt is tried again; None: never.
        timeout: seconds that one attempt may take; None: no limit.
        rank: default rank of its jobs (lower runs first).
        limit: how many of its jobs may run at once over all workers.
        key_limit: the same, for each value of the jobs' `key`.
        result_ttl: how long results are kept; None: as long as the job's history; zero: not at all.
        late: seconds after which a job that has not started is late, for those who are told (`Rota.notify`).
        expires: jobs that have not started this long after their submit expire.
        on_success: called with the job and its outcome after it succeeded.
        on_failure: called with the job and its outcome after it failed for good.
    """

    def __init__(
        self,
        registry: "Registry",
        function: Callable[P, R],
        *,
        name: str | None = None,
        queue: str = "default",
        executor: str | None = None,
        retry: Retry | None = None,
        timeout: float | timedelta | None = None,
        rank: int = 0,
        limit: int | None = None,
        key_limit: int | None = None,
        result_ttl: float | timedelta | None = None,
        late: float | timedelta | None = None,
        expires: timedelta | None = None,
        aliases: tuple[str, ...] | list[str] = (),
        on_success: Hook | None = None,
        on_failure: Hook | None = None,
    ) -> None:
        self.registry = registry
        self.function = function
        self.name = name or function.__name__
        self.is_async = inspect.iscoroutinefunction(function)
        self.executor = executor or (ASYNC if self.is_async else THREAD)
        self.queue = queue
        self.retry = retry
        self.timeout = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
        self.rank = rank
        self.limit = limit
        self.key_limit = key_limit
        self.result_ttl = timedelta(seconds=result_ttl) if isinstance(result_ttl, int | float) else result_ttl
        self.late = late.total_seconds() if isinstance(late, timedelta) else late
        self.expires = expires
        self.aliases = tuple(aliases)
        self.on_success = on_success
        self.on_failure = on_failure
        self.keeps_result = self.result_ttl is None or self.result_ttl > timedelta(0)
        self._refuse_bad_options()

    @property
    def result_limit(self) -> int:
        """The largest result that is kept, in bytes."""
        return self.registry.result_limit

    @cached_property
    def arguments(self) -> Arguments:
        """The codec of the arguments, made at first use, when all resources are known."""
        return Arguments(
            self.name, self.function, resources=self.registry.resources, keyring=self.registry.keyring
        )

    def encode(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bytes:
        """Return checked arguments as JSON (see `Arguments.encode`).

        Raises:
            ArgumentsError: they do not fit.
            PayloadTooLargeError: they are larger than the setting allows.
        """
        return self._limited(self.arguments.encode(args, kwargs))

    def encode_json(self, values: Mapping[str, Any]) -> bytes:
        """Return checked arguments that came as JSON (see `Arguments.encode_json`; raises as `encode`)."""
        return self._limited(self.arguments.encode_json(values))

    def _limited(self, payload: bytes) -> bytes:
        if len(payload) > self.registry.payload_limit:
            raise PayloadTooLargeError(self.name, len(payload), self.registry.payload_limit)
        return payload

    def decode(self, payload: bytes, resources: Mapping[Any, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments to call the function with, resources filled in."""
        return self.arguments.decode(payload, resources)

    def decode_result(self, value: bytes) -> Any:
        """Return a stored result, rebuilt by the function's return annotation where it has one."""
        return self._result_decoder.decode(value)

    @cached_property
    def _result_decoder(self) -> msgspec.json.Decoder[Any]:
        try:
            kind = get_type_hints(self.function).get("return", Any)
        except NameError:
            kind = Any
        if kind is None or kind is Any or unsupported_types(kind):
            return msgspec.json.Decoder()
        return msgspec.json.Decoder(kind, dec_hook=self.arguments.hooks.decode)

    def scopes(self, queue: str, key: str | None) -> tuple[tuple[str, int], ...]:
        """Return the limited scopes that a job of this task needs a slot of, with their limits."""
        scopes: list[tuple[str, int]] = []
        if self.limit is not None:
            scopes.append((f"task:{self.name}", self.limit))
        if self.key_limit is not None and key is not None:
            scopes.append((f"key:{self.name}:{key}", self.key_limit))
        queue_limit = self.registry.queue_limits.get(queue)
        if queue_limit is not None:
            scopes.append((f"queue:{queue}", queue_limit))
        return tuple(scopes)

    @property
    def place(self) -> str:
        """Where the function is defined, as "module:line"."""
        code = inspect.unwrap(self.function).__code__
        return f"{self.function.__module__}:{code.co_firstlineno}"

    def _refuse_bad_options(self) -> None:
        faults: list[str] = []
        if self.executor not in {ASYNC, THREAD, PROCESS}:
            faults.append(f"executor={self.executor!r}: choose 'async', 'thread' or 'process'")
        if self.executor == ASYNC and not self.is_async:
            faults.append("executor='async' needs an `async def`; leave it out to run in a thread")
        for option in ("limit", "key_limit"):
            value = getattr(self, option)
            if value is not None and value < 1:
                faults.append(f"{option}={value}: give 1 or more, or leave it out for no limit")
        if self.timeout is not None and self.timeout <= 0:
            faults.append(f"timeout={self.timeout}: give seconds above 0, or leave it out for no limit")
        if self.late is not None and self.late <= 0:
            faults.append(f"late={self.late}: give seconds above 0, or leave it out")
        for text, what in ((self.name, "name"), (self.queue, "queue")):
            if not text or "\0" in text or len(text) > 200:  # noqa: PLR2004 - fits every store's index
                faults.append(f"{what}={text!r}: give 1 to 200 characters without NUL")
        if faults:
            raise ConfigurationError([f"task {self.name!r}: {fault}" for fault in faults])
