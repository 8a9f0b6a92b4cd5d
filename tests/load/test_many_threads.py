"""One compiled module, called by 16 threads with differing shapes: the bits of the serial run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch_tensorrt
from e2e.checks import engines
from e2e.models import MODELS
from torch import nn

THREADS = 16
Calls = list[tuple[torch.Tensor, ...]]


class Layers(nn.Module):
    """Some of each kind: matrix products, a normalization, a softmax, and ReLU to leave out."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.enter, self.leave = nn.Linear(16, 32), nn.Linear(32, 5)
        self.norm = nn.LayerNorm(32)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.norm(self.enter(x)))
        return torch.softmax(self.leave(y), -1)


RANGE = torch_tensorrt.Input(min_shape=(1, 2, 16), opt_shape=(3, 11, 16), max_shape=(8, 40, 16))


def layers(ir: str, **settings: Any) -> Any:
    return torch_tensorrt.compile(
        Layers().eval(), ir=ir, inputs=[RANGE], engine="openvino", min_block_size=1, **settings
    )


def one_engine(folder: Path) -> Any:
    return layers("ts")


def recurrent(folder: Path) -> Any:
    model = MODELS["gru"]
    return torch_tensorrt.compile(model.module(), ir="ts", inputs=model.ranges(), engine="openvino")


def exported(folder: Path) -> Any:
    return layers("dynamo")


def hybrid(folder: Path) -> Any:
    fast = layers("ts", torch_executed_ops={"aten::relu"})
    assert engines(fast) == 2
    return fast


def hybrid_exported(folder: Path) -> Any:
    fast = layers("dynamo", torch_executed_ops={"aten::relu"})
    assert engines(fast) == 2
    return fast


def loaded(folder: Path) -> Any:
    torch_tensorrt.save(hybrid(folder), folder / "fast.ts", output_format="torchscript")
    return torch.jit.load(folder / "fast.ts")


def on_reference(folder: Path) -> Any:
    return torch_tensorrt.compile(
        Layers().eval(), ir="ts", inputs=[RANGE], engine="reference", min_block_size=1
    )


MODULES = [one_engine, recurrent, exported, hybrid, hybrid_exported, loaded, on_reference]


def calls() -> Calls:
    """As many inputs as shapes, all shapes different."""
    generator = torch.Generator().manual_seed(0)
    shapes = [(1 + i % 8, 2 + (i * 7) % 39, 16) for i in range(64)]
    return [(torch.rand(shape, generator=generator) * 2 - 1,) for shape in shapes]


def mismatches(run: Callable[..., torch.Tensor], serial: Callable[..., Any], count: int) -> int:
    """How many of `count` calls of each thread give other bits than the serial run."""
    inputs = calls()
    expected = [serial(*arguments).clone() for arguments in inputs]
    wrong, errors = [0] * THREADS, []
    start = threading.Barrier(THREADS)

    def work(thread: int) -> None:
        try:
            start.wait()
            for call in range(count):
                i = (thread * 5 + call * (2 * thread + 1)) % len(inputs)
                wrong[thread] += not torch.equal(run(*inputs[i]), expected[i])
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return sum(wrong)


@pytest.mark.parametrize("make", MODULES, ids=lambda make: make.__name__)
def test_threads_get_the_bits_of_the_serial_run(
    make: Callable[[Path], Any], tmp_path: Path, long: bool
) -> None:
    fast = make(tmp_path)
    count = 5000 if long else 100
    assert mismatches(fast, fast, count // 20 if make is recurrent else count) == 0


class SharedBuffer:
    """A planted bug: one output buffer for all callers."""

    def __init__(self, module: Any) -> None:
        self.module, self.buffer = module, torch.empty(8 * 40 * 5)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        y = self.module(x)
        result = self.buffer[: y.numel()].view(y.shape).copy_(y)
        time.sleep(1e-4)  # others call before this caller looks
        return result


def test_threads_find_a_shared_output_buffer(tmp_path: Path) -> None:
    fast = hybrid(tmp_path)
    assert mismatches(SharedBuffer(fast), fast, 100) > 0
