"""Measures of a process's memory; each is taken in a process of its own."""

from __future__ import annotations

import ctypes
import gc
import random
import resource
import statistics
from collections.abc import Callable
from pathlib import Path

import torch
import torch_tensorrt
from torch import nn

LIBC = ctypes.CDLL("libc.so.6")
PAGE = 4096
Input = torch_tensorrt.Input
kept: list[bytearray] = []


def freeze() -> None:
    """Leaves what is there out of later collections, which PyTorch's modules make slow."""
    gc.collect()
    gc.freeze()


def resident() -> int:
    """Bytes of memory in use, free memory given back first."""
    gc.collect()
    LIBC.malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


class Net(nn.Module):
    """A convolution, products of matrices and a softmax: kernels that are made for each shape."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv1d(4, 8, 3, padding=1)
        self.fc = nn.Linear(8, 16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.conv(x)).transpose(1, 2)
        weights = (y @ y.transpose(1, 2)).softmax(-1)
        return self.fc(weights @ y).tanh()


def dynamic(**settings: object) -> nn.Module:
    ranges = [Input(min_shape=(1, 4, 1), opt_shape=(4, 4, 32), max_shape=(16, 4, 128))]
    return torch_tensorrt.compile(
        Net().eval(), ir="ts", inputs=ranges, engine="openvino", min_block_size=1, **settings
    )


def slope(values: list[tuple[int, int]]) -> float:
    fit = statistics.linear_regression([x for x, _ in values], [y for _, y in values])
    return fit.slope


def calls(count: int, leak: bool) -> float:
    """Bytes a call in the second half of so many calls with random shapes."""
    fast = dynamic()
    freeze()
    chosen = random.Random(0)
    # Fewer shapes than kernels are kept, or many more: either way their number ends.
    sizes = (4, 16) if count <= 2000 else (16, 128)
    seen = []
    for call in range(count):
        fast(torch.rand(chosen.randint(1, sizes[0]), 4, chosen.randint(1, sizes[1])))
        if leak:
            kept.append(bytearray(4096))
        if call >= count // 2 and call % (count // 100) == 0:
            seen.append((call, resident()))
    return slope(seen)


def small_model() -> tuple[nn.Module, torch.Tensor]:
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 8)).eval(), torch.rand(2, 64)


def growth(once: Callable[[], None], count: int, warm_up: int = 100) -> float:
    """Megabytes that so many calls leave behind, after a warm-up: the exporter's caches fill up."""
    freeze()
    for _ in range(warm_up):
        once()
    before = resident()
    for _ in range(count):
        once()
    return (resident() - before) / 1e6


def compiles(count: int, ir: str, leak: bool) -> float:
    """Megabytes that so many compilations leave behind."""
    small, x = small_model()

    def once() -> None:
        fast = torch_tensorrt.compile(
            small, ir=ir, inputs=[x], engine="openvino", cache_built_engines=False, min_block_size=1
        )
        fast(x)
        if leak:
            kept.append(bytearray(256 << 10))

    return growth(once, count, 20 if ir == "ts" else 100)


def exports(count: int) -> float:
    """Megabytes that PyTorch leaves behind where it exports so many times."""
    small, x = small_model()

    def once() -> None:
        torch.export.export(small, (x,)).run_decompositions({})

    return growth(once, count)


class Squares(nn.Module):
    """A result far larger than what it is made from, and an op to leave out."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tanh(torch.relu(x[:, None] * x[None]) + 1) * 2


def calls_without_memory(ir: str, settings: dict[str, object]) -> list[str]:
    """What large calls raise in a process with 256 MB left; small ones between are right."""
    sizes = Input(min_shape=(1,), opt_shape=(64,), max_shape=(1 << 20,))
    settings = {**settings, "torch_executed_ops": set(settings.get("torch_executed_ops", []))}
    fast = torch_tensorrt.compile(Squares(), ir=ir, inputs=[sizes], min_block_size=1, **settings)
    small, raised = torch.randn(64), []
    expected = fast(small).clone()
    virtual = int(Path("/proc/self/statm").read_text().split()[0]) * PAGE
    resource.setrlimit(resource.RLIMIT_AS, (virtual + (256 << 20), resource.RLIM_INFINITY))
    for length in (1 << 14, 1 << 15, 1 << 17):
        try:
            fast(torch.randn(length))
        except Exception as error:
            raised.append(f"{type(error).__name__}: {error}")
        assert torch.equal(fast(small), expected)
    return raised
