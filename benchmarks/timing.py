"""Calls timed side by side: a block of each in turn, again and again, in one process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

WARM_UP = 2  # calls at the head of each block, not counted

Call = Callable[[], Any]


@dataclass(frozen=True)
class Timing:
    """Milliseconds a call."""

    median: float
    iqr: float
    calls: int


def timings(calls: dict[str, Call], seconds: float) -> dict[str, Timing]:
    """Blocks of calls in turn, about `seconds` in all."""
    for call in calls.values():
        for _ in range(5):
            call()
    slowest = max(_block(call, 3)[-1] for call in calls.values())
    per_block = max(5, min(200, int(60 / slowest)))
    seen: dict[str, list[float]] = {name: [] for name in calls}
    names = list(calls)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(seen[names[0]]) < 3 * per_block:
        for name in names:
            seen[name] += _block(calls[name], WARM_UP + per_block)[WARM_UP:]
        names.append(names.pop(0))
    return {name: _timing(values) for name, values in seen.items()}


def _block(call: Call, count: int) -> list[float]:
    values = []
    for _ in range(count):
        start = time.perf_counter_ns()
        call()
        values.append((time.perf_counter_ns() - start) / 1e6)
    return values


def _timing(values: list[float]) -> Timing:
    low, _, high = statistics.quantiles(values, n=4)
    return Timing(statistics.median(values), high - low, len(values))
