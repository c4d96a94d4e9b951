"""Whether a failed attempt is tried again, and when."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from msgspec import structs

from rota.model.errors import ConfigurationError, did_you_mean
from rota.model.outcome import Failed, Fault, Retried

__all__ = ["Backoff", "Retry", "decide", "decide_crash"]

Backoff = Literal["exponential", "linear", "constant"]
"""How delays grow with the number n of failed attempts: delay × factor^(n-1), delay × n, or always delay."""

_BACKOFFS = ("exponential", "linear", "constant")
_ANY = "builtins.Exception"
_LONGEST_ASKED = timedelta(hours=24)
_LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True, init=False)
class Retry:
    """When and how often a failed attempt is tried again.

        Retry(5)                                    # after 1 s, 2 s, 4 s, 8 s, 16 s, each ± 10 %
        Retry(3, delay=30, backoff="constant", on=(ConnectionError, TimeoutError))
        Retry(3, delay=timedelta(hours=2), never=("shop.errors.Refused",))

    An exception is matched by the qualified names (`module.qualname`) of its class and of all its base
    classes, so that a rule works wherever the task ran, also where the class cannot be imported.

    An exception that asks for a delay (`Fault.retry_after`: an HTTP Retry-After, RFC 9110 §10.2.3) gets it in
    place of the computed one: never sooner than asked, a little later by `jitter`, at least `delay` (an
    answer of 0 must not turn retries into a busy loop), at most 24 hours. `max_delay` does not shorten it: to
    come back before the moment that was asked for only earns the next refusal.

    Args:
        times: how many more attempts after the first, 0 or more. Attempts that ended with their worker
            (crashes) are counted elsewhere and do not use these up.
        delay: before the first retry, in seconds or as a `timedelta`, from 0 to 366 days.
        backoff: how delays grow: "exponential", "linear" or "constant" (see `Backoff`).
        factor: of exponential growth, 1 or more.
        max_delay: no computed delay is longer, jitter included; seconds or a `timedelta`, at least `delay`.
            None: one hour, or `delay` where that is longer.
        jitter: share of the delay, 0 to 1, by which it is moved at random both ways, so that jobs that
            failed together do not come back together.
        on: exception classes, or their qualified names, that are tried again. A bare name is a builtin's.
        never: those that are not, even when `on` covers them.

    Raises:
        ConfigurationError: a value is out of its bounds; it names every fault at once.
    """

    times: int
    delay: timedelta
    backoff: Backoff
    factor: float
    max_delay: timedelta
    jitter: float
    on: tuple[str, ...]
    never: tuple[str, ...]

    def __init__(
        self,
        times: int,
        *,
        delay: float | timedelta = 1.0,
        backoff: Backoff = "exponential",
        factor: float = 2.0,
        max_delay: float | timedelta | None = None,
        jitter: float = 0.1,
        on: Iterable[type[BaseException] | str] | type[BaseException] | str = (Exception,),
        never: Iterable[type[BaseException] | str] | type[BaseException] | str = (),
    ) -> None:
        faults: list[str] = []
        first = _checked_delay("delay", delay, faults)
        share = _checked_number("jitter", jitter, 0, 1, faults)
        values = {
            "times": _checked_times(times, faults),
            "delay": first,
            "backoff": _checked_backoff(backoff, faults),
            "factor": _checked_number("factor", factor, 1, math.inf, faults),
            "max_delay": _checked_longest(max_delay, first, share, faults),
            "jitter": share,
            "on": _kinds("on", on, faults),
            "never": _kinds("never", never, faults),
        }
        if faults:
            raise ConfigurationError([f"Retry: {fault}" for fault in faults])
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def covers(self, fault: Fault) -> bool:
        """Tell whether this kind of fault is tried again; one without class names counts as `Exception`."""
        kinds = fault.kinds or (_ANY,)
        return not any(kind in self.never for kind in kinds) and any(kind in self.on for kind in kinds)

    def pause(self, failures: int, random: float, asked: float | None = None) -> timedelta:
        """Return the delay before the next attempt.

        Args:
            failures: how many attempts have failed, 1 or more.
            random: evenly spread from 0 to 1; it places the jitter.
            asked: the seconds that the fault asks for, if it does.
        """
        if asked is not None:
            wished = max(asked, self.delay.total_seconds()) * (1 + self.jitter * random)
            return timedelta(seconds=min(wished, _LONGEST_ASKED.total_seconds()))
        # Room for the jitter below the cap: capped after it, half of all jobs would come back at once.
        longest = self.max_delay.total_seconds() / (1 + self.jitter)
        return timedelta(seconds=min(self._grown(failures), longest) * (1 + self.jitter * (2 * random - 1)))

    def _grown(self, failures: int) -> float:
        """Return the delay in seconds before the cap and jitter."""
        delay = self.delay.total_seconds()
        if self.backoff == "constant":
            return delay
        if self.backoff == "linear":
            return delay * failures
        try:
            return delay * self.factor ** (failures - 1)
        except OverflowError:
            return math.inf if delay else 0.0


def decide(
    policy: Retry | None, fault: Fault, *, attempt: int, crashes: int, max_attempts: int | None, random: float
) -> Failed | Retried:
    """Decide what becomes of a job whose attempt failed.

    Args:
        policy: the task's; None: no retry, unless `max_attempts` asks for more than one attempt, which then
            gets the delays of a plain `Retry`.
        fault: how the attempt failed.
        attempt: the number of this attempt, 1 for the first, crashes included.
        crashes: how many of those attempts ended with their worker; they do not count.
        max_attempts: the job's own limit, in attempts altogether; it overrides the policy's `times`.
        random: evenly spread from 0 to 1; it places the jitter.
    """
    limit = max_attempts if max_attempts is not None else (policy.times + 1 if policy else 1)
    failures = max(1, attempt - crashes)
    policy = policy or Retry(0)
    if failures >= limit or not policy.covers(fault):
        return Failed(fault)
    return Retried(policy.pause(failures, random, fault.retry_after), fault)


def decide_crash(fault: Fault, *, crashes_alone: int, max_crashes: int, random: float) -> Failed | Retried:
    """Decide what becomes of a job whose process has died; its retries are not touched.

    Args:
        fault: the evidence.
        crashes_alone: how many processes of its own it had brought down before this one.
        max_crashes: with how many of them it is parked.
        random: evenly spread from 0 to 1; it places the jitter.
    """
    crashes = crashes_alone + 1
    if crashes < max_crashes:
        # What the machine lacked, memory for one, may be there again a little later.
        return Retried(Retry(0).pause(crashes, random), fault)
    times = "once" if crashes == 1 else f"{crashes} times"
    message = (
        f"parked: it brought its process down {times} while nothing else ran there. Last, {fault.message}"
    )
    return Failed(structs.replace(fault, message=message), final=True)


def _checked_times(times: object, faults: list[str]) -> int:
    if isinstance(times, int) and not isinstance(times, bool) and times >= 0:
        return times
    faults.append(f"times={times!r} is no count. Give 0 or a larger whole number")
    return 0


def _checked_delay(name: str, delay: float | timedelta, faults: list[str]) -> timedelta:
    try:
        value = delay if isinstance(delay, timedelta) else timedelta(seconds=delay)
    except (TypeError, ValueError, OverflowError):
        value = -timedelta.resolution
    if timedelta(0) <= value <= _LONGEST:
        return value
    faults.append(
        f"{name}={delay!r} is no delay. Give seconds or a timedelta, from 0 to {_LONGEST.days} days"
    )
    return timedelta(0)


def _checked_longest(
    longest: float | timedelta | None, delay: timedelta, jitter: float, faults: list[str]
) -> timedelta:
    if longest is None:
        return max(timedelta(hours=1), delay * (1 + jitter))
    value = _checked_delay("max_delay", longest, faults)
    if value < delay:
        faults.append(
            f"max_delay={longest!r} is shorter than delay. Give {delay.total_seconds():g} s or more"
        )
    return value


def _checked_backoff(backoff: Backoff, faults: list[str]) -> Backoff:
    if backoff not in _BACKOFFS:
        hint = did_you_mean(str(backoff), _BACKOFFS)
        faults.append(f"backoff={backoff!r} is unknown.{hint} Choose {', '.join(map(repr, _BACKOFFS))}")
    return backoff


def _checked_number(name: str, value: object, least: float, most: float, faults: list[str]) -> float:
    if isinstance(value, int | float) and least <= value <= most and math.isfinite(value):
        return float(value)
    bounds = f"from {least:g} to {most:g}" if math.isfinite(most) else f"{least:g} or more"
    faults.append(f"{name}={value!r} is out of bounds. Give a number, {bounds}")
    return least


def _kinds(name: str, given: object, faults: list[str]) -> tuple[str, ...]:
    """Return qualified names; one class or name may stand for a tuple of it."""
    names: list[str] = []
    for kind in given if isinstance(given, Iterable) and not isinstance(given, str) else (given,):
        if isinstance(kind, str) and kind:
            names.append(kind if "." in kind else f"builtins.{kind}")
        elif isinstance(kind, type) and issubclass(kind, BaseException):
            names.append(f"{kind.__module__}.{kind.__qualname__}")
        else:
            faults.append(f"{name}={kind!r} is no exception. Give exception classes or their qualified names")
    return tuple(names)
