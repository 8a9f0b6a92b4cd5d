"""Tensors without elements: the result is PyTorch's, and no engine crashes on them."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
import torch_tensorrt
from ops.harness import Call
from torch import nn


def f(*sizes: int) -> torch.Tensor:
    return torch.zeros(sizes)


def i(*sizes: int) -> torch.Tensor:
    return torch.zeros(sizes, dtype=torch.int64)


CASES: dict[str, tuple[Callable[..., Any], list[torch.Tensor]]] = {
    "relu": (lambda x: torch.relu(x), [f(0, 4)]),
    "exp": (lambda x: torch.exp(x), [f(2, 0)]),
    "gelu": (lambda x: F.gelu(x), [f(0, 4)]),
    "add": (lambda x, y: x + y, [f(0, 4), f(1, 4)]),
    "add2": (lambda x, y: x * y, [f(0, 1), f(1, 4)]),
    "div": (lambda x, y: x / y, [f(3, 0), f(3, 0)]),
    "pow": (lambda x, y: x**y, [f(3, 0), f(3, 0)]),
    "floor_div": (lambda x, y: x // y, [i(3, 0), i(3, 0)]),
    "remainder": (lambda x, y: x % y, [f(3, 0), f(3, 0)]),
    "fmod": (lambda x, y: torch.fmod(x, y), [i(3, 0), i(3, 0)]),
    "eq": (lambda x, y: x == y, [f(3, 0), f(3, 0)]),
    "where": (lambda x, y: torch.where(x > 0, x, y), [f(3, 0), f(3, 0)]),
    "sum0": (lambda x: x.sum(0), [f(0, 4)]),
    "sum1": (lambda x: x.sum(1), [f(0, 4)]),
    "mean": (lambda x: x.mean(1), [f(0, 4)]),
    "mean0": (lambda x: x.mean(0), [f(0, 4)]),
    "prod": (lambda x: x.prod(0), [f(0, 4)]),
    "amax": (lambda x: x.amax(1), [f(0, 4)]),
    "argmax": (lambda x: x.argmax(1), [f(0, 4)]),
    "any": (lambda x: x.bool().any(0), [f(0, 4)]),
    "all": (lambda x: x.bool().all(0), [f(0, 4)]),
    "std": (lambda x: x.std(1), [f(0, 4)]),
    "var": (lambda x: x.var(0), [f(0, 4)]),
    "norm": (lambda x: torch.linalg.vector_norm(x, dim=1), [f(0, 4)]),
    "cumsum": (lambda x: x.cumsum(1), [f(0, 4)]),
    "cumsum0": (lambda x: x.cumsum(0), [f(0, 4)]),
    "logsumexp": (lambda x: x.logsumexp(1), [f(0, 4)]),
    "softmax": (lambda x: x.softmax(-1), [f(0, 4)]),
    "softmax0": (lambda x: x.softmax(0), [f(0, 4)]),
    "log_softmax": (lambda x: x.log_softmax(-1), [f(0, 4)]),
    "matmul": (lambda x, y: x @ y, [f(0, 4), f(4, 3)]),
    "matmul_k": (lambda x, y: x @ y, [f(2, 0), f(0, 3)]),
    "bmm": (lambda x, y: x @ y, [f(0, 2, 4), f(0, 4, 3)]),
    "bmm2": (lambda x, y: x @ y, [f(2, 3, 4), f(2, 4, 0)]),
    "linear": (lambda x: F.linear(x, torch.ones(3, 4), torch.ones(3)), [f(0, 4)]),
    "linear3": (lambda x: F.linear(x, torch.ones(3, 4)), [f(2, 0, 4)]),
    "conv2d": (lambda x: F.conv2d(x, torch.ones(3, 4, 3, 3)), [f(0, 4, 8, 8)]),
    "conv1d": (lambda x: F.conv1d(x, torch.ones(3, 4, 3)), [f(0, 4, 8)]),
    "convT": (lambda x: F.conv_transpose2d(x, torch.ones(4, 3, 3, 3)), [f(0, 4, 8, 8)]),
    "conv3d": (lambda x: F.conv3d(x, torch.ones(3, 4, 3, 3, 3)), [f(0, 4, 8, 8, 8)]),
    "convg": (lambda x: F.conv2d(x, torch.ones(4, 1, 3, 3), groups=4), [f(0, 4, 8, 8)]),
    "maxpool": (lambda x: F.max_pool2d(x, 2), [f(0, 4, 8, 8)]),
    "avgpool": (lambda x: F.avg_pool2d(x, 2), [f(0, 4, 8, 8)]),
    "adaptive": (lambda x: F.adaptive_avg_pool2d(x, 1), [f(0, 4, 8, 8)]),
    "adaptive7": (lambda x: F.adaptive_avg_pool2d(x, 7), [f(0, 4, 8, 8)]),
    "interp": (lambda x: F.interpolate(x, scale_factor=2.0), [f(0, 4, 8, 8)]),
    "interpb": (lambda x: F.interpolate(x, size=[5, 5], mode="bilinear"), [f(0, 4, 8, 8)]),
    "bicubic": (lambda x: F.interpolate(x, size=[5, 5], mode="bicubic"), [f(0, 4, 8, 8)]),
    "grid": (lambda x, g: F.grid_sample(x, g, align_corners=False), [f(0, 4, 8, 8), f(0, 3, 3, 2)]),
    "pshuf": (lambda x: F.pixel_shuffle(x, 2), [f(0, 4, 8, 8)]),
    "bn": (lambda x: F.batch_norm(x, torch.zeros(4), torch.ones(4)), [f(0, 4, 8, 8)]),
    "ln": (lambda x: F.layer_norm(x, [4]), [f(0, 4)]),
    "gn": (lambda x: F.group_norm(x, 2), [f(0, 4, 8, 8)]),
    "in": (lambda x: F.instance_norm(x), [f(0, 4, 8, 8)]),
    "rms": (lambda x: F.rms_norm(x, [4]), [f(0, 4)]),
    "lnz": (lambda x: F.normalize(x), [f(0, 4)]),
    "index": (lambda x, at: x[at], [f(450, 4), i(0)]),
    "index_select": (lambda x, at: torch.index_select(x, 1, at), [f(450, 4), i(0)]),
    "gather": (lambda x, at: x.gather(0, at), [f(450, 4), i(0, 4)]),
    "gather1": (lambda x, at: x.gather(1, at), [f(0, 4), i(0, 2)]),
    "embedding": (lambda at: F.embedding(at, torch.ones(9, 5)), [i(0)]),
    "embedding2": (lambda at: F.embedding(at, torch.ones(9, 5)), [i(2, 0)]),
    "take_along": (lambda x, at: torch.take_along_dim(x, at, 1), [f(0, 4), i(0, 2)]),
    "index2": (lambda x, rows, cols: x[rows, cols], [f(450, 4), i(0), i(0)]),
    "scatter": (lambda x, at, s: x.scatter(0, at, s), [f(5, 4), i(0, 4), f(0, 4)]),
    "index_put": (lambda x, at, s: torch.index_put(x, [at], s), [f(5, 4), i(0), f(0, 4)]),
    "index_add": (lambda x, at, s: x.index_add(0, at, s), [f(5, 4), i(0), f(0, 4)]),
    "masked_fill": (lambda x: x.masked_fill(x > 0, 1.0), [f(0, 4)]),
    "topk": (lambda x: x.topk(2, 1)[0], [f(0, 4)]),
    "sort": (lambda x: x.sort(1)[0], [f(0, 4)]),
    "argsort": (lambda x: x.argsort(1), [f(0, 4)]),
    "nonzero": (lambda x: (x > 0).nonzero(), [f(0, 4)]),
    "cat": (lambda x, y: torch.cat([x, y]), [f(0, 4), f(2, 4)]),
    "cat0": (lambda x, y: torch.cat([x, y]), [f(0, 4), f(0, 4)]),
    "stack": (lambda x, y: torch.stack([x, y]), [f(0, 4), f(0, 4)]),
    "split": (lambda x: x.split(2, 1)[0], [f(0, 4)]),
    "chunk": (lambda x: x.chunk(2, 1)[1], [f(0, 4)]),
    "slice": (lambda x: x[:, 1:3], [f(0, 4)]),
    "slice0": (lambda x: x[2:2] * 2, [f(5, 4)]),
    "select": (lambda x: x[:, 1] * 2, [f(0, 4)]),
    "permute": (lambda x: x.permute(1, 0) * 2, [f(0, 4)]),
    "reshape": (lambda x: x.reshape(0, 2, 2) * 2, [f(0, 4)]),
    "flatten": (lambda x: x.flatten(1) * 2, [f(0, 4, 3)]),
    "expand": (lambda x: x.expand(0, 4) * 2, [f(1, 4)]),
    "repeat": (lambda x: x.repeat(2, 1), [f(0, 4)]),
    "repeat0": (lambda x: x.repeat(0, 1), [f(2, 4)]),
    "pad": (lambda x: F.pad(x, [1, 1]), [f(0, 4)]),
    "pad0": (lambda x: F.pad(x, [0, 0, 1, 1]), [f(0, 4)]),
    "reflect": (lambda x: F.pad(x, [1, 1], mode="reflect"), [f(0, 3, 4)]),
    "flip": (lambda x: x.flip(1), [f(0, 4)]),
    "roll": (lambda x: x.roll(1, 1), [f(0, 4)]),
    "roll0": (lambda x: x.roll(1, 0), [f(0, 4)]),
    "tril": (lambda x: x.tril(), [f(0, 4, 4)]),
    "one_hot": (lambda x: F.one_hot(x, 4), [i(0)]),
    "clamp": (lambda x: x.clamp(0, 1), [f(0, 4)]),
    "cast": (lambda x: x.to(torch.int32), [f(0, 4)]),
    "castb": (lambda x: x.bool(), [f(0, 4)]),
    "sdpa": (
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v),
        [f(0, 2, 3, 4), f(0, 2, 3, 4), f(0, 2, 3, 4)],
    ),
    "sdpa_len": (
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v),
        [f(1, 2, 0, 4), f(1, 2, 3, 4), f(1, 2, 3, 4)],
    ),
    "einsum": (lambda x, y: torch.einsum("bi,ij->bj", x, y), [f(0, 4), f(4, 3)]),
    "cdist": (lambda x, y: torch.cdist(x, y), [f(0, 4), f(3, 4)]),
    "unfold": (lambda x: F.unfold(x, 2), [f(0, 4, 8, 8)]),
    "lstm": (nn.LSTM(4, 3, batch_first=True), [f(0, 5, 4)]),
    "gru": (nn.GRU(4, 3, batch_first=True), [f(0, 5, 4)]),
    "prelu": (lambda x: F.prelu(x, torch.ones(4)), [f(0, 4)]),
    "glu": (lambda x: F.glu(x), [f(0, 4)]),
    "mish": (lambda x: F.mish(x), [f(0, 4)]),
    "hswish": (lambda x: F.hardswish(x), [f(0, 4)]),
    "maximum": (lambda x, y: torch.maximum(x, y), [f(0, 4), f(4)]),
    "zeros_like": (lambda x: torch.zeros_like(x) + 1, [f(0, 4)]),
    "arange": (lambda x: torch.arange(x.shape[0]) + 1, [f(0, 4)]),
    "bucket": (lambda x: torch.bucketize(x, torch.tensor([1.0, 2.0])), [f(0, 4)]),
    "relu1d": (lambda x: torch.relu(x), [f(0)]),
    "isnan": (lambda x: torch.isnan(x), [f(0, 4)]),
    "round": (lambda x: x.round(), [f(0, 4)]),
    "atan2": (lambda x, y: torch.atan2(x, y), [f(0, 4), f(0, 4)]),
    "sign": (lambda x: x.sign(), [f(0, 4)]),
}


RIGID = {"reshape"}  # to a shape of one number of elements
LENGTHS = (0, 2, 3)


@pytest.mark.parametrize("name", CASES)
def test_without_elements(name: str) -> None:
    function, inputs = CASES[name]
    module = Call(function).eval()
    expected = module(*inputs)
    traced = torch.jit.trace(module, tuple(inputs), check_trace=False)
    fast = torch_tensorrt.compile(
        traced, ir="ts", inputs=inputs, engine="openvino", min_block_size=1
    )
    torch.testing.assert_close(fast(*inputs), expected, equal_nan=True)


@pytest.mark.parametrize("name", sorted(CASES.keys() - RIGID))
def test_sizes_down_to_zero(name: str) -> None:
    """One module for no elements and for some, along the axis that is empty."""
    function, inputs = CASES[name]
    module = Call(function).eval()

    def sized(length: int) -> list[torch.Tensor]:
        shapes = [[length if size == 0 else size for size in x.shape] for x in inputs]
        return [torch.ones(s, dtype=x.dtype) for s, x in zip(shapes, inputs, strict=True)]

    ranges = [
        torch_tensorrt.Input(
            min_shape=tuple(low.shape), opt_shape=best.shape, max_shape=high.shape, dtype=low.dtype
        )
        for low, best, high in zip(inputs, sized(2), sized(3), strict=True)
    ]
    traced = torch.jit.trace(module, tuple(sized(2)), check_trace=False)
    fast = torch_tensorrt.compile(
        traced, ir="ts", inputs=ranges, engine="openvino", min_block_size=1
    )
    for length in LENGTHS:
        torch.testing.assert_close(fast(*sized(length)), traced(*sized(length)), equal_nan=True)
