"""One module called from many threads, with shapes that differ from call to call."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
import torch_tensorrt
from load.memory import Net, dynamic
from torch import nn

THREADS = 16
Call = Callable[[torch.Tensor], torch.Tensor]


def mismatches(call: Call, calls: int, smallest: int = 1) -> int:
    """Results that are not, bit for bit, those of calls one after the other."""
    chosen = random.Random(0)
    inputs = [
        torch.rand(chosen.randint(smallest, 16), 4, chosen.randint(smallest, 128))
        for _ in range(40)
    ]
    expected = [call(x).clone() for x in inputs]

    def work(thread: int) -> int:
        order, wrong = random.Random(thread), 0
        for _ in range(calls):
            index = order.randrange(len(inputs))
            wrong += not torch.equal(call(inputs[index]), expected[index])
        return wrong

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(work, range(THREADS)))


@pytest.fixture
def calls(request: pytest.FixtureRequest) -> int:
    return 5000 if request.config.getoption("--long") else 150


def test_one_engine(calls: int) -> None:
    assert mismatches(dynamic(), calls) == 0


def test_engines_and_ops_in_turn(calls: int) -> None:
    assert mismatches(dynamic(torch_executed_ops={"aten::softmax"}), calls) == 0


def test_a_loaded_file(calls: int, tmp_path: Path) -> None:
    torch.jit.save(dynamic(), tmp_path / "net.ts")
    assert mismatches(torch.jit.load(tmp_path / "net.ts"), calls) == 0


def test_an_exported_program(calls: int) -> None:
    ranges = [
        torch_tensorrt.Input(min_shape=(2, 4, 2), opt_shape=(4, 4, 32), max_shape=(16, 4, 128))
    ]
    fast = torch_tensorrt.compile(
        Net().eval(), ir="dynamo", inputs=ranges, engine="openvino", min_block_size=1
    )
    assert mismatches(fast, calls, smallest=2) == 0


def test_sizes_that_depend_on_data(calls: int) -> None:
    class Positive(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = torch.tanh(x * 2 - 1)
            return torch.relu(y[y > 0.25]) * 3 + 1

    ranges = [
        torch_tensorrt.Input(min_shape=(1, 4, 1), opt_shape=(4, 4, 32), max_shape=(16, 4, 128))
    ]
    fast = torch_tensorrt.compile(
        torch.jit.script(Positive().eval()),
        ir="ts",
        inputs=ranges,
        engine="openvino",
        min_block_size=1,
    )
    assert mismatches(fast, calls) == 0


def test_a_shared_result_is_found() -> None:
    """A planted bug: all threads write to one tensor."""
    fast = dynamic()
    shared = torch.zeros(16, 128, 16)

    def call(x: torch.Tensor) -> torch.Tensor:
        result = fast(x)
        view = shared[: result.shape[0], : result.shape[1]]
        view.copy_(result)
        return view

    assert mismatches(call, 150) > 0
