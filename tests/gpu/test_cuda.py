"""Compiled modules on an NVIDIA GPU, by the engine that runs there: TensorRT, else the reference.

`make test-gpu` runs them; without a GPU they are counted as skipped.
"""

from __future__ import annotations

import copy
import threading
from pathlib import Path

import pytest
import torch
import torch_tensorrt
from torch import Tensor, nn

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU is here")

BATCH = torch_tensorrt.Input(
    min_shape=(1, 3, 16, 16), opt_shape=(2, 3, 16, 16), max_shape=(4, 3, 16, 16)
)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.conv(x)).mean((2, 3))).softmax(-1)


def model() -> nn.Module:
    torch.manual_seed(0)
    return Net().eval().cuda()


def images(count: int) -> Tensor:
    return torch.rand(count, 3, 16, 16, device="cuda")


def close(got: Tensor, expected: Tensor) -> None:
    assert got.device == expected.device
    torch.testing.assert_close(got, expected, rtol=1e-3, atol=1e-4)


@pytest.fixture(autouse=True)
def _exact_float32() -> None:
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False


@pytest.mark.parametrize("ir", ["ts", "dynamo", "fx"])
def test_results_are_eagers(ir: str) -> None:
    module = model()
    source = torch.jit.script(module) if ir == "ts" else module
    fast = torch_tensorrt.compile(source, ir=ir, inputs=[BATCH], min_block_size=1)
    assert torch_tensorrt.report(fast).in_pytorch == []
    for count in (1, 2, 4):
        x = images(count)
        close(fast(x), module(x))


def test_torch_compile() -> None:
    module = model()
    fast = torch.compile(module, backend="tensorrt", options={"min_block_size": 1})
    for count in (2, 3):
        close(fast(images(count).fill_(0.5)), module(images(count).fill_(0.5)))


def test_parts_in_pytorch_run_on_the_gpu() -> None:
    module = model()
    fast = torch_tensorrt.compile(
        module, inputs=[BATCH], min_block_size=1, torch_executed_ops={"aten::relu"}
    )
    x = images(2)
    close(fast(x), module(x))


def test_the_callers_stream_is_kept() -> None:
    module = model()
    fast = torch_tensorrt.compile(module, inputs=[BATCH], min_block_size=1)
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        x = torch.zeros(4, 3, 16, 16, device="cuda")
        for _ in range(50):
            x = x + 0.01
        y = fast(x)
    stream.synchronize()
    close(y, module(torch.full_like(x, 0.5)))


def test_threads_with_streams_of_their_own() -> None:
    module = model()
    fast = torch_tensorrt.compile(module, inputs=[BATCH], min_block_size=1)
    wrong: list[int] = []

    def call(seed: int) -> None:
        with torch.no_grad(), torch.cuda.stream(torch.cuda.Stream()):
            for step in range(20):
                x = torch.full((1 + (seed + step) % 4, 3, 16, 16), seed / 10, device="cuda")
                if not torch.allclose(fast(x), module(x), rtol=1e-3, atol=1e-4):
                    wrong.append(seed)

    threads = [threading.Thread(target=call, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("form", ["torchscript", "exported_program"])
def test_saved_and_loaded(form: str, tmp_path: Path) -> None:
    module, x = model(), images(3)
    fast = torch_tensorrt.compile(module, inputs=[BATCH], min_block_size=1)
    torch_tensorrt.save(fast, tmp_path / "file", output_format=form)
    again = torch_tensorrt.load(tmp_path / "file")
    close((again.module() if form == "exported_program" else again)(x), module(x))


def test_wrong_device_is_an_error() -> None:
    fast = torch_tensorrt.compile(model(), inputs=[BATCH], min_block_size=1)
    with pytest.raises((RuntimeError, ValueError), match=r"(?i)cpu"):
        fast(torch.rand(2, 3, 16, 16))


def test_copies_run() -> None:
    module, x = model(), images(2)
    fast = torch_tensorrt.compile(module, inputs=[BATCH], min_block_size=1)
    close(copy.deepcopy(fast)(x), module(x))
