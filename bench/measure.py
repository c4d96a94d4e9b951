"""Running contenders as processes, and keeping their figures."""

import json
import signal
import subprocess
import sys
import time
from collections import defaultdict
from statistics import median, quantiles

__all__ = ["Figures", "latency", "run", "run_pair"]

LIMIT = 300


class Figures:
    """All measurements: scenario → contender → values, with the scenario's unit."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self.units: dict[str, str] = {}

    def add(self, scenario: str, contender: str, unit: str, value: float) -> None:
        """Keep one measurement."""
        self.values[scenario][contender].append(value)
        self.units[scenario] = unit

    def median(self, scenario: str, contender: str) -> float:
        """Return the middle of the measurements."""
        return median(self.values[scenario][contender])

    def as_dict(self) -> dict[str, object]:
        """Return everything for JSON."""
        return {
            scenario: {
                "unit": self.units[scenario],
                **{name: list(values) for name, values in contenders.items()},
            }
            for scenario, contenders in self.values.items()
        }


def run(contender: str, verb: str, url: str, count: int) -> float:
    """Run a verb in a process of its own; returns jobs per second."""
    result = subprocess.run(
        _command(contender, verb, url, count), capture_output=True, timeout=LIMIT, check=False
    )
    if result.returncode != 0:
        raise RuntimeError(f"{contender} {verb} failed:\n{result.stderr.decode()[-2000:]}")
    figures = json.loads(result.stdout.splitlines()[-1])
    return float(figures["jobs"] / figures["seconds"])


def run_pair(contender: str, url: str, count: int) -> float:
    """Drain with two processes at once; returns jobs per second of both together."""
    pair = [
        subprocess.Popen(_command(contender, "drain_until_empty", url, count), stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=LIMIT)[0] for process in pair]
    figures = [json.loads(output.splitlines()[-1]) for output in outputs]
    first = min(figure["began"] for figure in figures)
    last = max(figure["ended"] for figure in figures)
    return float(sum(figure["jobs"] for figure in figures) / (last - first))


def latency(contender: str, url: str, count: int) -> tuple[float, float]:
    """Send to an idle worker in another process; returns p50 and p99 in milliseconds."""
    worker = subprocess.Popen(
        _command(contender, "serve", url, 0), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert worker.stdout is not None
    try:
        if worker.stdout.readline().strip() != b"ready":
            raise RuntimeError(f"{contender} does not serve {url}")
        time.sleep(0.5)  # lets the worker become idle, as the figure wants it
        run_quietly(contender, "send", url, count)
        values = sorted(int(worker.stdout.readline()) / 1e6 for _ in range(count))
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(timeout=30)
        worker.stdout.close()
    cuts = quantiles(values, n=100, method="inclusive")
    return cuts[49], cuts[98]


def run_quietly(contender: str, verb: str, url: str, count: int) -> None:
    """Run a verb for its effect."""
    subprocess.run(
        _command(contender, verb, url, count), stdout=subprocess.DEVNULL, timeout=LIMIT, check=True
    )


def _command(contender: str, verb: str, url: str, count: int) -> list[str]:
    return [sys.executable, "-m", "bench.contenders", contender, verb, url, str(count)]
