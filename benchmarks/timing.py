"""Calls timed side by side: a block of each in turn, again and again."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

WARM_UP = 2  # calls at the head of each block, not counted

Call = Callable[[], Any]
Block = Callable[[int], list[float]]


@dataclass(frozen=True)
class Timing:
    """Milliseconds a call."""

    median: float
    iqr: float
    calls: int


def timings(calls: dict[str, Call], seconds: float) -> dict[str, Timing]:
    """Blocks of calls in turn, about `seconds` in all."""
    return interleaved({name: partial(block, call) for name, call in calls.items()}, seconds)


def interleaved(blocks: dict[str, Block], seconds: float, least: int = 5) -> dict[str, Timing]:
    """The same for what runs a block of so many calls; at least three blocks of `least` calls."""
    for run in blocks.values():
        run(5)
    slowest = max(run(3)[-1] for run in blocks.values())
    per_block = max(least, min(200, int(60 / slowest)))
    seen: dict[str, list[float]] = {name: [] for name in blocks}
    names = list(blocks)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(seen[names[0]]) < 3 * per_block:
        for name in names:
            seen[name] += blocks[name](WARM_UP + per_block)[WARM_UP:]
        names.append(names.pop(0))
    return {name: _timing(values) for name, values in seen.items()}


def block(call: Call, count: int) -> list[float]:
    """Milliseconds of each of so many calls, one after the other."""
    values = []
    for _ in range(count):
        start = time.perf_counter_ns()
        call()
        values.append((time.perf_counter_ns() - start) / 1e6)
    return values


def _timing(values: list[float]) -> Timing:
    low, _, high = statistics.quantiles(values, n=4)
    return Timing(statistics.median(values), high - low, len(values))
