"""One module, many threads; and results that stay the caller's."""

from concurrent.futures import ThreadPoolExecutor

import torch
import torch_tensorrt
from e2e.checks import assert_close
from e2e.models import MODELS

THREADS, CALLS = 8, 25


def test_threads_with_different_shapes_get_their_own_results() -> None:
    model = MODELS["gru"]
    module = model.module()
    fast = torch_tensorrt.compile(module, ir="ts", inputs=model.ranges(), engine="openvino")

    def work(thread: int) -> None:
        for call in range(CALLS):
            shape = (1 + (thread + call) % 8, 2 + (thread * 7 + call) % 38, 16)
            inputs = model.tensors((shape,), seed=thread * CALLS + call)
            with torch.no_grad():
                assert_close(fast(*inputs), module(*inputs))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))


def test_results_survive_later_calls() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU()).eval()
    fast = torch_tensorrt.compile(
        module, ir="ts", inputs=[(2, 4)], engine="openvino", min_block_size=1
    )
    inputs = [torch.rand(2, 4) for _ in range(10)]
    results = [fast(x) for x in inputs]
    for x, result in zip(inputs, results, strict=True):
        assert_close(result, module(x))


def test_non_contiguous_inputs_are_read_right() -> None:
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU()).eval()
    fast = torch_tensorrt.compile(
        module, ir="ts", inputs=[(2, 3, 8, 8)], engine="openvino", min_block_size=1
    )
    base = torch.rand(2, 8, 8, 3)
    for x in (base.permute(0, 3, 1, 2), torch.rand(2, 3, 8, 16)[..., ::2]):
        assert_close(fast(x), module(x))
