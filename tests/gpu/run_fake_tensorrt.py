"""Compiles and runs on the double of TensorRT; a program of its own, since the double is
TensorRT for its whole process.

    run_fake_tensorrt.py <folder for files>
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import fake_tensorrt
import pytest
import torch
import torch_tensorrt
from torch import Tensor, nn
from torch_tensorrt import _C

_C.set_foreign_library(fake_tensorrt)


class Twice(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * 2


def same(got: Tensor, x: Tensor) -> None:
    assert got.device == x.device
    torch.testing.assert_close(got, x * 2, rtol=0, atol=0)


batch = torch_tensorrt.Input(min_shape=(1, 64), opt_shape=(8, 64), max_shape=(32, 64))
options = {"inputs": [batch], "min_block_size": 1, "device": torch.device("cuda")}
module = torch_tensorrt.compile(Twice().eval().cuda(), ir="ts", **options)
(engine,) = torch_tensorrt.runtime._modes.engines_of(module)
architecture = "sm_{}{}".format(*torch.cuda.get_device_capability())
assert engine.plugin() == "tensorrt", engine.plugin()
assert f"plan tensorrt 10.16.1 for {architecture}" in engine.describe()
assert len(fake_tensorrt.programs) == 1


def check_calls() -> None:
    for count in (1, 5, 32, 5, 1):
        x = torch.rand(count, 64, device="cuda")
        same(module(x), x)


def check_stream() -> None:
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        x = torch.zeros(32, 64, device="cuda")
        torch.cuda._sleep(50_000_000)
        x += 1
        y = module(x)
    stream.synchronize()
    same(y, x)


def check_threads() -> None:
    wrong: list[str] = []

    def work(seed: int) -> None:
        with torch.cuda.stream(torch.cuda.Stream()):
            for turn in range(50):
                x = torch.full((1 + (seed + turn) % 8, 64), float(turn), device="cuda")
                if not torch.equal(module(x), x * 2):
                    wrong.append(f"{seed} {turn}")

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong


check_calls()
check_stream()
check_threads()

# CUDA graphs: the results are new tensors each time, and a graph belongs to its shape.
with torch_tensorrt.runtime.enable_cudagraphs(module):
    x = torch.rand(4, 64, device="cuda")
    first = module(x)
    before = fake_tensorrt.Engine.contexts
    second = module(x + 1)
    same(first, x)
    same(second, x + 1)
    assert fake_tensorrt.Engine.contexts == before, "the second call of a shape is replayed"
    check_calls()
    check_stream()
    check_threads()
assert not torch_tensorrt.runtime.get_cudagraphs_mode()
check_calls()

# A caller's own recording.
x = torch.rand(4, 64, device="cuda")
graph = torch.cuda.CUDAGraph()
with torch.cuda.graph(graph):
    y = module(x)
x.fill_(3)
graph.replay()
same(y, x)

with torch_tensorrt.runtime.enable_pre_allocated_outputs(module):
    kept = [(x, module(x)) for x in torch.rand(5, 4, 64, device="cuda")]
    check_stream()
for x, y in kept:
    same(y, x)

assert fake_tensorrt.budgets == [700], "at loading, what fits"
with torch_tensorrt.runtime.weight_streaming(module) as weights:
    assert weights.total_device_budget == 1000
    weights.device_budget = 300
    assert engine.device_memory_budget == 300
    check_calls()
assert engine.device_memory_budget == 700

# Files: the same GPU takes the plan; another one builds from the network, or says what is missing.
path = Path(sys.argv[1]) / "module.ts"
torch.jit.save(module, str(path))
module = torch.jit.load(str(path))
assert len(fake_tensorrt.programs) == 1, "the plan was loaded"
check_calls()
artifact = torch_tensorrt.convert_method_to_trt_engine(Twice().eval().cuda(), ir="ts", **options)
assert f'"device":"{architecture}"'.encode() in artifact

with pytest.raises(RuntimeError, match="is on cpu, expected cuda:0"):
    module(torch.rand(2, 64))
with torch_tensorrt.runtime.set_multi_device_safe_mode(True):
    x = torch.rand(2, 64)
    same(module(x).cpu(), x)

if torch.cuda.device_count() > 1:
    module = torch.jit.load(str(path), map_location="cuda:1")
    x = torch.rand(3, 64, device="cuda:1")
    same(module(x), x)
    assert torch.cuda.current_device() == 0
    print("two GPUs")
print("all right")
